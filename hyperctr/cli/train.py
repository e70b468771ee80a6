"""`hyperctr train` and `hyperctr predict`."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyperctr.cli.parser import Commands, command, config_of, open_dataset, with_config, with_options
from hyperctr.errors import DataError
from hyperctr.runtime import first_process


def add_commands(commands: Commands) -> None:
    """Add ``train`` and ``predict``."""
    train = command(commands, "train", run_train, "train and test one model; the run is kept in the run store")
    train.add_argument("dataset", metavar="DATASET")
    with_config(train)
    text = "of a system to compare with: the paper's settings (table2, the default) or its authors' own"
    train.add_argument("--variant", choices=("table2", "author"), help=text)
    train.add_argument(
        "--dry-run", action="store_true", help="a few steps of everything on a sample of the data, in seconds"
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
    unknown = "pairs with a user or item that the data set does not have: refuse them (default), or leave them out"
    text = "share of clicks among the pairs for which the probabilities are to hold (default: 0.5)"
    predict.add_argument("--unknown", choices=("error", "skip"), default="error", help=unknown)
    predict.add_argument("--prior", type=float, default=0.5, metavar="P", help=text)
    with_options(predict)


def run_train(options: argparse.Namespace) -> int:
    """Train one run; the last line printed is its id and its test AUC."""
    config = config_of(options, options.variant)

    from hyperctr.runs.experiment import train

    data = open_dataset(options)
    run = train(data, config, resume=options.resume, device=options.device, dry_run=options.dry_run)
    if first_process():
        print(f"{run.id} test AUC {run.metrics['auc']:.4f}")
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """Score the pairs of a file with a trained run and write them beside their scores."""
    from hyperctr.data.options import TableOptions
    from hyperctr.data.pairs import check_suffix, like_ids, read_pairs, unknown_pairs, write_scores

    check_suffix(options.out)

    from hyperctr.runs.run import load_run

    run = load_run(options.run_id, **({"data_dir": options.data_dir} if options.data_dir else {}))
    data = run.split_data.data
    reading = getattr(data, "options", None)
    if options.data_options:
        reading = (reading or TableOptions()).with_overrides(options.data_options)
    pairs = read_pairs(options.pairs, reading)
    users, items = like_ids(pairs["user_id"], data.users), like_ids(pairs["item_id"], data.items)
    if options.unknown == "skip":
        unknown, words = unknown_pairs(users, items, data)
        pairs = pairs[~unknown].reset_index(drop=True)
        users, items = ([i for i, bad in zip(ids, unknown, strict=True) if not bad] for ids in (users, items))
        if unknown.any():
            print(f"{words}; these pairs were left out")
    times = pairs["timestamp"].tolist() if "timestamp" in pairs else None
    scores = run.predict(users, items, times, prior=options.prior)
    try:
        write_scores(options.out, pairs, scores)
    except OSError as error:
        raise DataError(f"{options.out}: cannot be written ({error.strerror or error}); name another place") from error
    held = f"probabilities for a share of clicks of {options.prior:g}" if run.calibration else "not calibrated"
    print(f"{len(pairs):,} scores written to {options.out}, {held}")
    return 0
