"""What all commands share: a parser that says "did you mean", and the options that several of them take."""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from hyperctr.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.data.dataset import Dataset


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


# argparse has no public name for what add_subparsers gives; annotations are never evaluated
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def command(group: Commands, name: str, run: Callable[[argparse.Namespace], int], text: str) -> Parser:
    """Add the command ``name``, which calls ``run``, and return its parser."""
    sub = group.add_parser(name, help=text, description=text, allow_abbrev=False)
    sub.set_defaults(run=run, parser=sub)
    return sub


def command_group(commands: Commands, name: str, text: str) -> Commands:
    """Add a command that holds actions of its own, as ``hyperctr data list``."""
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(title="actions", metavar="ACTION", required=True)


def with_data_dir(sub: Parser) -> None:
    """Add ``--data-dir``."""
    text = "where data sets lie (default: HYPERCTR_DATA, then ~/.cache/hyperctr)"
    sub.add_argument("--data-dir", type=Path, metavar="D", help=text)


def with_options(sub: Parser) -> None:
    """Add ``--data-dir`` and ``--option``: where a data set lies, and how it is to be read."""
    with_data_dir(sub)
    text = "option of the data set that counts more than its table.toml, for example time=ms; may be repeated"
    sub.add_argument("--option", dest="data_options", action="append", default=[], metavar="key=value", help=text)


def open_dataset(options: argparse.Namespace) -> Dataset:
    """Load the data set that ``DATASET``, a name or a folder, and the options of :func:`with_options` name."""
    from hyperctr.data.options import parse_options
    from hyperctr.data.registry import load_dataset

    return load_dataset(options.dataset, data_dir=options.data_dir, **parse_options(options.data_options))


class _Budget(argparse.Action):
    """Keeps the budget, and warns where it is called by its former name."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        if option_string == "--preset":
            warnings.warn("--preset is called --budget now", FutureWarning, stacklevel=2)
        namespace.budget = values


def with_budget(sub: Parser, text: str = "size of the runs (default: quick)", default: str | None = "quick") -> None:
    """Add ``--budget``, also under its former name ``--preset``."""
    budgets = ("smoke", "quick", "paper")
    sub.add_argument("--budget", "--preset", action=_Budget, choices=budgets, default=default, help=text)


def with_config(sub: Parser) -> None:
    """Add what the settings of one run are given by: ``--budget``, ``--config``, ``--set``, ``--seed``."""
    with_budget(sub, "size of the run (default: paper, the full settings)", None)
    sub.add_argument("--config", type=Path, metavar="F.toml", help="settings of the run")
    text = "settings that override the file's, written as in TOML"
    sub.add_argument("--set", dest="settings", nargs="+", action="extend", default=[], metavar="key=value", help=text)
    text = "the same as --set seed=N (generated data stay those of their seed 0)"
    sub.add_argument("--seed", type=int, metavar="N", help=text)


def config_of(options: argparse.Namespace, variant: Any = None) -> Config:
    """Return the settings that the options of :func:`with_config` give, of a variant of the model.

    Raises:
        ConfigError: settings that are given twice, unknown or not allowed.
    """
    from hyperctr.config import Config
    from hyperctr.settings import toml_value

    if options.config and options.budget:
        raise ConfigError("--config and --budget both give all settings: leave one out")
    if options.config and variant:
        raise ConfigError("--config gives all settings: leave --variant out")
    if options.config:
        config = Config.from_toml(options.config)
    else:
        named = [text.partition("=") for text in options.settings]
        model = [toml_value(value) for key, _, value in named if key.strip() == "model" and value] or ["hyperctr"]
        config = Config.for_model(str(model[-1]), options.budget or "paper", variant or "table2")
    seed = [] if options.seed is None else [f"seed={options.seed}"]
    return config.with_settings([*options.settings, *seed])


def with_seeds(sub: Parser, text: str = "how many seeds (default: as the budget says)") -> None:
    """Add ``--seeds``."""
    sub.add_argument("--seeds", type=int, default=0, metavar="N", help=text)
