"""A small table of one's own: its text in every form, what an error advises, and what a reader does about it."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.dataset import Dataset
from hyperctr.data.registry import load_dataset

USERS, ITEMS = ["1", "1", "2", "2", "3", "3"], ["7", "8", "7", "9", "8", "9"]
TIMES = [1_600_000_000 + 86_400 * day for day in range(6)]
DAYS = ["2020-09-13", "2020-09-14", "2020-09-15", "2020-09-16", "2020-09-17", "2020-09-18"]
MIDNIGHT = [second - second % 86_400 for second in TIMES]
NAMES = ("user_id", "item_id", "timestamp")
Fix = Callable[[Path, str], None]


def csv(*columns: tuple[str, list[Any]], separator: str = ",", end: str = "\n") -> str:
    rows = [separator.join(name for name, _ in columns)]
    rows += [separator.join(map(str, row)) for row in zip(*(values for _, values in columns), strict=True)]
    return end.join(rows) + end


def log(users: list[Any] = USERS, items: list[Any] = ITEMS, times: list[Any] = TIMES, **more: list[Any]) -> str:
    return csv(("user_id", users), ("item_id", items), ("timestamp", times), *more.items())


def write(folder: Path, text: str | pd.DataFrame, ids: list[Any] | None = None) -> Path:
    (folder / "features").mkdir(parents=True, exist_ok=True)
    if isinstance(text, str):
        (folder / "interactions.csv").write_text(text, newline="")
    else:
        text.to_parquet(folder / "interactions.parquet")
    ids = [7, 8, 9] if ids is None else ids
    np.savez(folder / "features" / "visual.npz", item_id=np.array(ids), values=np.arange(len(ids) * 2.0).reshape(-1, 2))
    return folder


def advised(message: str, number: int = 0) -> str:
    """The text after ``--option`` as a shell would pass it on: the first one, or another."""
    return shlex.split(re.findall(r"--option ('(?:[^']|'\\'')*'|[^ )]+)\)", message)[number])[0]


def load(folder: Path, *options: str) -> Dataset:
    from hyperctr.data.options import parse_options

    return load_dataset("table", data_dir=folder, **parse_options(list(options)))


def rows(data: Dataset) -> list[list[Any]]:
    return data.interactions.to_numpy().tolist()


def expected(times: list[int] = TIMES, clicked: list[int] | None = None) -> list[list[Any]]:
    clicks = [True] * 6 if clicked is None else [bool(value) for value in clicked]
    return [[int(u), int(i), t, c] for u, i, t, c in zip(USERS, ITEMS, times, clicks, strict=True)]


def rewrite(old: str, new: str) -> Fix:
    def fix(folder: Path, message: str) -> None:
        path = folder / "interactions.csv"
        path.write_text(path.read_text().replace(old, new))

    return fix


def run_line(folder: Path, message: str) -> None:
    """Type the command of the message."""
    line = message.split("for example: ")[1]
    subprocess.run(line, shell=True, check=True, cwd=folder)


def write_order(folder: Path, message: str) -> None:
    (Path(re.search(r"write (\S+\.ids\.csv): a line item_id", message)[1])).write_text("item_id\n9\n7\n8\n4\n")  # type: ignore[index]


def pad(folder: Path, message: str) -> None:
    """Write the first id as the second, and the others so."""
    here, there = re.search(r"for example '(\S+)' as '(\S+)'", message).groups()  # type: ignore[union-attr]
    assert here.zfill(len(there)) == there
    write(folder, (folder / "interactions.csv").read_text(), ["0" + str(i) for i in (7, 8, 9)])
