"""`hyperctr pool export` and `hyperctr evaluate`: the pairs that models are judged on, and anybody's scores of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyperctr.cli.parser import Commands, command, command_group, config_of, open_dataset, with_config, with_options


def add_commands(commands: Commands) -> None:
    """Add ``pool`` with its action, and ``evaluate``."""
    actions = command_group(commands, "pool", "the pairs that models are judged on")
    text = "write the pairs of validation and test, for models of other software (docs/your-model.md)"
    export = command(actions, "export", run_export, text)
    export.add_argument("dataset", metavar="DATASET", help="its name, or a folder of your own")
    export.add_argument("--out", type=Path, required=True, metavar="pairs.parquet", help="where the pairs go")
    text = "where the training clicks go (default: nowhere)"
    export.add_argument("--train", type=Path, metavar="train.parquet", help=text)
    with_config(export)
    with_options(export)

    evaluate = command(commands, "evaluate", run_evaluate, "judge anybody's scores of exported pairs; kept as a run")
    text = "columns part, click, item_id, score, every exported pair once, in any order"
    evaluate.add_argument("scores", type=Path, metavar="scores.parquet", help=text)
    evaluate.add_argument("--name", required=True, metavar="NAME", help="of the model in tables")
    text = "what `hyperctr pool export` wrote (default: pairs.parquet beside the scores)"
    evaluate.add_argument("--pairs", type=Path, metavar="pairs.parquet", help=text)
    text = "where the data set lies now (default: where it lay when the pairs were exported)"
    evaluate.add_argument("--data-dir", type=Path, metavar="D", help=text)


def run_export(options: argparse.Namespace) -> int:
    """Write the pairs and, if asked for, the training clicks."""
    config = config_of(options)

    from hyperctr.runs.pairs import export_pool

    data = open_dataset(options)
    count = export_pool(data, config, options.out, options.train)
    print(f"{count:,} pairs written to {options.out}, {config.split} split, seed {config.seed}")
    if options.train:
        print(f"training clicks written to {options.train}")
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Print the run's rows with paired differences; the last line is its id and its test AUC, as of ``train``."""
    from hyperctr.runs.elsewhere import evaluate_scores
    from hyperctr.runs.pairs import open_pairs

    data, config = open_pairs(options.pairs or options.scores.with_name("pairs.parquet"), options.data_dir)
    run = evaluate_scores(data, config, options.scores, options.name)
    columns = ["model", "auc", "auc_centred", "gauc", "logloss", "logloss_calibrated"]
    columns += ["auc_gain", "auc_gain_low", "auc_gain_high"]
    print(run.rows[columns].to_string(index=False, na_rep="-", float_format="{:.4f}".format))
    print(f"{run.id} {options.name} test AUC {run.metrics['auc']:.4f}")
    return 0
