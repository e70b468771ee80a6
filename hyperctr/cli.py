"""The command `hyperctr`: doctor, data, train, predict, report.

Exit codes: 0 done; 1 ran and failed; 2 input or arguments are wrong (message on stderr, no traceback).
Heavy modules are imported inside the commands, so that `hyperctr --help` answers at once.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from hyperctr import __version__
from hyperctr.errors import ConfigError, DataError, DataWarning, HyperCTRError, did_you_mean

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests the nearest right word for a wrong one."""

    def error(self, message: str) -> NoReturn:
        """Print usage, what is wrong and the nearest right word on stderr, and exit with 2."""
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if wrong:
            hint = did_you_mean(wrong.group(1), re.findall(r"[\w-]+", wrong.group(2)))
            message = f"{message.partition(': invalid')[0]}: {wrong.group(1)!r} is not known; {hint}"
        super().error(message)

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Exit with 2 on arguments that no command knows."""
        options = [option for action in self._actions for option in action.option_strings]
        hint = f"; {did_you_mean(unknown[0].partition('=')[0], options)}" if unknown[0].startswith("-") else ""
        self.error(f"{unknown[0]!r} is not known{hint}")


def build_parser() -> Parser:
    """Return the parser of all commands.

    >>> build_parser().parse_args(["train", "planted", "--set", "epochs=3", "seed=1"]).settings
    ['epochs=3', 'seed=1']
    """
    parser = Parser(prog="hyperctr", description="Click-through rate prediction with multi-modal hypergraphs.")
    parser.add_argument("--version", action="version", version=f"hyperctr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(group: argparse._SubParsersAction[Parser], name: str, run: Command, text: str) -> Parser:
        sub = group.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run=run, parser=sub)
        return sub

    def with_data_dir(sub: Parser) -> None:
        text = "where data sets lie (default: HYPERCTR_DATA, then ~/.cache/hyperctr)"
        sub.add_argument("--data-dir", type=Path, metavar="D", help=text)

    doctor = command(commands, "doctor", run_doctor, "versions, device, data: what is missing, the line to type")
    with_data_dir(doctor)

    data = commands.add_parser("data", help="list the known data sets, or check one")
    actions = data.add_subparsers(title="actions", metavar="ACTION", required=True)
    with_data_dir(command(actions, "list", run_data_list, "list the known data sets, and which are ready"))
    check = command(actions, "check", run_data_check, "validate a data set; print Table 1's row and warnings")
    check.add_argument("dataset", metavar="NAME")
    with_data_dir(check)

    train = command(commands, "train", run_train, "train and test one model; the run is kept in the run store")
    train.add_argument("dataset", metavar="DATASET")
    train.add_argument(
        "--preset", choices=("smoke", "quick", "paper"), help="size of the run (default: paper, the full settings)"
    )
    train.add_argument("--config", type=Path, metavar="F.toml", help="settings of the run")
    text = "settings that override the file's, written as in TOML"
    train.add_argument("--set", dest="settings", nargs="+", action="extend", default=[], metavar="key=value", help=text)
    text = "the same as --set seed=N (generated data stay those of their seed 0)"
    train.add_argument("--seed", type=int, metavar="N", help=text)
    train.add_argument("--dry-run", action="store_true", help="one step of everything, in seconds, to see it work")
    train.add_argument("--resume", action="store_true", help="go on where the same run was interrupted")
    train.add_argument("--device", metavar="D", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    with_data_dir(train)

    predict = command(commands, "predict", run_predict, "score user-item pairs with a trained run")
    predict.add_argument("run_id", metavar="RUN")
    text = "CSV with columns user_id,item_id[,timestamp]"
    predict.add_argument("--pairs", type=Path, required=True, metavar="pairs.csv", help=text)
    text = "written with a column score (a probability), same row order; .parquet or .csv"
    predict.add_argument("--out", type=Path, required=True, metavar="scores.parquet", help=text)

    report = command(commands, "report", run_report, "run the report notebooks; write an offline site")
    report.add_argument("dataset", metavar="DATASET")
    report.add_argument("--preset", choices=("smoke", "quick", "paper"), default="quick", help="size of the runs")
    with_data_dir(report)
    return parser


def run_doctor(options: argparse.Namespace) -> int:
    """Print what the machine has; 1 if the install cannot work."""
    from hyperctr.doctor import examine, healthy

    findings = examine(options.data_dir)
    for finding in findings:
        print(finding)
    works = healthy(findings)
    print("\nThe install works." if works else "\nThe install cannot work: see the lines marked X.")
    return 0 if works else 1


def run_data_list(options: argparse.Namespace) -> int:
    """Print the known data sets, one a line, and whether they can be loaded as things stand."""
    from hyperctr.data.registry import known_datasets

    for known in known_datasets(options.data_dir):
        print(f"{known.name:<16}{'ready' if known.ready else '-':<8}{known.description}")
    return 0


def run_data_check(options: argparse.Namespace) -> int:
    """Load a data set, which validates it, and print its row of Table 1 and its warnings."""
    from hyperctr.data.registry import load_dataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # they are listed below
        data = load_dataset(options.dataset, data_dir=options.data_dir)
    for name, value in data.table1_row().items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name:<20}{shown}")
    print(f"{'fingerprint':<20}{data.fingerprint}")
    for warning in data.warnings:
        print(f"warning: {warning}")
    return 0


def run_train(options: argparse.Namespace) -> int:
    """Train one run; the last line printed is its id and its test AUC."""
    from hyperctr.config import Config

    if options.config and options.preset:
        raise ConfigError("--config and --preset both give all settings: leave one out")
    config = Config.from_toml(options.config) if options.config else Config.preset(budget=options.preset or "paper")
    seed = [] if options.seed is None else [f"seed={options.seed}"]
    config = config.with_settings([*options.settings, *seed])

    from hyperctr.data.registry import load_dataset
    from hyperctr.runs.experiment import train

    data = load_dataset(options.dataset, data_dir=options.data_dir)
    run = train(data, config, resume=options.resume, device=options.device, dry_run=options.dry_run)
    print(f"{run.id} test AUC {run.metrics['auc']:.4f}")
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """Score the pairs of a CSV file with a trained run and write them beside their scores."""
    from hyperctr.data.pairs import check_suffix, like_ids, read_pairs, write_scores

    check_suffix(options.out)
    pairs = read_pairs(options.pairs)

    from hyperctr.runs.run import load_run

    run = load_run(options.run_id)
    data = run.study.data
    users, items = like_ids(pairs["user_id"], data.users), like_ids(pairs["item_id"], data.items)
    scores = run.predict(users, items, pairs["timestamp"].tolist() if "timestamp" in pairs else None)
    try:
        write_scores(options.out, pairs, scores)
    except OSError as error:
        raise DataError(f"{options.out}: cannot be written ({error.strerror or error}); name another place") from error
    print(f"{len(pairs):,} scores written to {options.out}")
    return 0


def run_report(options: argparse.Namespace) -> int:
    """Render the report; 1 if any notebook failed."""
    from hyperctr.reporting.report import build_report

    report = build_report(options.dataset, options.preset, data_dir=options.data_dir)
    print(report)
    return report.exit_code


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """Show a warning as one line, without the line of source code that raised it."""
    print(f"warning: {message}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    >>> main(["data", "chek"])  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    SystemExit: 2
    """
    options, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("hyperctr").setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            code: int = options.run(options)
    except HyperCTRError as error:
        print(f"hyperctr: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hyperctr: stopped", file=sys.stderr)
        return 130
    return code
