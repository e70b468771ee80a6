"""Reproduction cards: what it takes to repeat a table, a page or a report, merged from those who know a part of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hyperctr

SHOWN_VERSIONS = ("torch", "torch-geometric", "numpy", "scipy", "pandas", "plotly", "papermill")
# a notebook's own business, which stays on its page
OF_ONE_PAGE = ("repeat the page", "repeat the runs", "training time", "runs", "run", "machine")


def command_line(
    dataset: str,
    budget: str,
    seeds: int,
    data_dir: str | Path | None,
    data_options: Sequence[str] = (),
    only: Sequence[str] = (),
) -> str:
    """Return the command that makes the report again; ``DATA`` stands for where data lie on this machine.

    >>> command_line("planted", "quick", 3, "/home/ann/data", only=["10", "11"])
    'hyperctr report planted --budget quick --seeds 3 --data-dir DATA --only 10 11'
    """
    command = ["hyperctr", "report", "DATA" if Path(dataset).is_absolute() else dataset, "--budget", budget]
    command += ["--seeds", str(seeds)] if seeds else []
    command += ["--data-dir", "DATA"] if data_dir else []
    command += [word for text in data_options for word in ("--option", text)]
    command += ["--only", *only] if only else []
    return shlex.join(command)


def report_card(command: str, wall_time: str) -> dict[str, Any]:
    """What the runner knows of how to repeat the report; the notebooks add data, split and seeds."""
    versions = [f"hyperctr {hyperctr.__version__}"]
    versions += [f"{name} {importlib.metadata.version(name)}" for name in SHOWN_VERSIONS]
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU threads"
    python = platform.python_version()
    return {"command": command, "wall time": wall_time, "machine": machine, "python": python, "versions": versions}


def merge_cards(cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make one card of several; where they differ (two splits, two seeds), every value is shown once.

    A text that is a list itself, by semicolons, is taken apart first.

    >>> merge_cards([{"seeds": [0], "split": "random"}, {"seeds": [0, 1], "split": "temporal"}])
    {'seeds': [0, 1], 'split': ['random', 'temporal']}
    """
    merged: dict[str, dict[Any, None]] = {}  # a dict as an ordered set
    for card in cards:
        for key, value in card.items():
            for part in value if isinstance(value, list) else [value]:
                word = ("no", "yes")[part] if isinstance(part, bool) else part
                merged.setdefault(key, {}).update(dict.fromkeys(word.split("; ") if isinstance(word, str) else [word]))
    return {key: list(parts) for key, parts in merged.items()}


def index_card(report: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the card of a whole report: what the runner knows, and what all notebooks say but of themselves alone."""
    return {**report, **{key: value for key, value in merge_cards(cards).items() if key not in OF_ONE_PAGE}}


def page_card(report: Mapping[str, Any], cards: Sequence[Mapping[str, Any]], wall_time: str) -> dict[str, Any]:
    """Return the card under the tables of one notebook: its own, with the wall time of its page."""
    shared = {key: report[key] for key in ("versions", "machine")}
    again = {"wall time of the notebook": wall_time, "repeat the report": report["command"]}
    return {**shared, **merge_cards(cards), **again}
