"""`hyperctr train` and `hyperctr predict`."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hyperctr.cli.parser import Commands, command, config_of, open_dataset, with_config, with_options
from hyperctr.errors import DataError
from hyperctr.runtime import first_process


def add_commands(commands: Commands) -> None:
    """Add ``train`` and ``predict``."""
    train = command(commands, "train", run_train, "train and test one model; the run is kept in the run store")
    train.add_argument("dataset", metavar="DATASET", help="its name, or a folder of your own")
    with_config(train)
    text = "of a system to compare with: the paper's settings (table2, the default) or its authors' own"
    train.add_argument("--variant", choices=("table2", "author"), help=text)
    train.add_argument(
        "--dry-run", action="store_true", help="a few steps of everything on a sample of the data, in seconds; not kept"
    )
    train.add_argument("--resume", action="store_true", help="go on where the same run was interrupted")
    train.add_argument("--device", metavar="D", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    with_options(train)

    predict = command(commands, "predict", run_predict, "score user-item pairs with a trained run")
    predict.add_argument("run_id", metavar="RUN")
    text = "CSV or parquet with columns user_id,item_id[,timestamp], written as the data set's log is"
    predict.add_argument("--pairs", type=Path, required=True, metavar="pairs.csv", help=text)
    text = "written with a column score (a calibrated probability), same row order; .parquet or .csv"
    predict.add_argument("--out", type=Path, required=True, metavar="scores.parquet", help=text)
    unknown = "unknown users and items: refuse them (default), leave their pairs out, or score them without history"
    text = "share of clicks among the pairs for which the probabilities are to hold (default: 0.5)"
    predict.add_argument("--unknown", choices=("error", "skip", "cold"), default="error", help=unknown)
    newer = "newer clicks, written as the data set's log is: they lengthen histories, nothing is trained"
    predict.add_argument("--history", type=Path, metavar="new.csv", help=newer)
    predict.add_argument("--prior", type=float, default=0.5, metavar="P", help=text)
    with_options(predict)


def run_train(options: argparse.Namespace) -> int:
    """Train one run; the last line printed is its id and its test AUC, or that a dry run went through."""
    config, data = config_of(options, options.variant), open_dataset(options)

    from hyperctr.runs.experiment import train  # torch is slow to load: what is mistyped is told before
    from hyperctr.runs.store import nothing_kept

    with nothing_kept() if options.dry_run else nullcontext():
        run = train(data, config, resume=options.resume, device=options.device, dry_run=options.dry_run)
    if first_process() and options.dry_run:
        print("the dry run went through: a few steps of training, validation and test; nothing is kept")
    elif first_process():
        print(f"{run.id} test AUC {run.metrics['auc']:.4f}")
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """Score the pairs of a file with a trained run and write them beside their scores."""
    from hyperctr.data.ids import find_ids
    from hyperctr.data.options import TableOptions
    from hyperctr.data.pairs import check_place, like_ids, read_history, read_pairs, unknown_pairs, write_scores

    check_place(options.out, options.pairs, *([options.history] if options.history else []))

    import numpy as np
    import pandas as pd

    from hyperctr.runs.run import load_run

    run = load_run(options.run_id, **({"data_dir": options.data_dir} if options.data_dir else {}))
    data = run.split_data.data
    reading = getattr(data, "options", None)
    if options.data_options:
        reading = (reading or TableOptions()).with_overrides(options.data_options)
    pairs = read_pairs(options.pairs, reading)
    known = {"user": data.users, "item": data.items}
    users, items = like_ids(pairs["user_id"], data.users), like_ids(pairs["item_id"], data.items)
    more: dict[str, Any] = {}
    if options.history:
        newer = read_history(options.history, reading)
        more["history"] = newer.assign(
            **{f"{kind}_id": like_ids(newer[f"{kind}_id"], ids) for kind, ids in known.items()}
        )
        known["user"] = np.concatenate([data.users, more["history"]["user_id"].to_numpy(dtype=data.users.dtype)])
    if options.unknown == "error":
        try:
            find_ids(pd.Index(known["user"]).unique(), users, "user")
            find_ids(pd.Index(known["item"]), items, "item")
        except DataError as error:
            ways = "--unknown skip leaves such pairs out, --unknown cold scores them without history"
            raise DataError(f"{options.pairs}: {error}; {ways}") from error
    else:
        unknown, words = unknown_pairs(users, items, known["user"], known["item"])
        if options.unknown == "cold":
            more["unknown"] = "cold"
        else:
            pairs = pairs[~unknown].reset_index(drop=True)
            users, items = ([i for i, bad in zip(ids, unknown, strict=True) if not bad] for ids in (users, items))
        if unknown.any():
            print(f"{words}; these pairs were {'left out' if options.unknown == 'skip' else 'scored as cold'}")
    times = pairs["timestamp"].tolist() if "timestamp" in pairs else None
    scores = run.predict(users, items, times, prior=options.prior, **more)
    try:
        write_scores(options.out, pairs, scores)
    except OSError as error:
        raise DataError(f"{options.out}: cannot be written ({error.strerror or error}); name another place") from error
    held = f"probabilities for a share of clicks of {options.prior:g}" if run.calibration else "not calibrated"
    print(f"{len(pairs):,} scores written to {options.out}, {held}")
    return 0
