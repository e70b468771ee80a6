"""What the notebook about your own data shows: the files, what is wrong with them, and predictions for newcomers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.example import write_example
from hyperctr.data.options import Given
from hyperctr.data.registry import data_directory, known_datasets
from hyperctr.data.table import new_items
from hyperctr.display.table import Table
from hyperctr.runs.data_report import check_data
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.runs.session import Session

LISTED = 12  # files of a folder


@dataclass(frozen=True)
class OwnFiles:
    """A folder of the layout ``table``, and how it is to be read.

    Attributes:
        folder: where it lies.
        options: of the data set, as a table or as texts ``key=value``.
        example: whether it was written just now, since nothing else was at hand.
    """

    folder: str
    options: Given
    example: bool

    def table(self) -> Table:
        """List the files, with their size and, of texts, the first lines."""
        paths = [path for path in sorted(Path(self.folder).rglob("*")) if path.is_file()][:LISTED]
        rows = [(str(path.relative_to(self.folder)), f"{path.stat().st_size:,}", _beginning(path)) for path in paths]
        kind = "an example, written for this notebook" if self.example else "your files"
        return Table.from_frame(
            pd.DataFrame(rows, columns=["file", "bytes", "begins with"]), caption=f"{self.folder}: {kind}"
        )


def files(dataset: str, data_dir: str = "", data_options: Given = ()) -> OwnFiles:
    """Return the folder of ``table`` that was asked for; where none is there, or of other data sets, an example's.

    A folder that is named is never replaced by the example, whatever is wrong with it.

    >>> files("planted").example
    True
    """
    there = next(known.folder for known in known_datasets(data_dir or None) if known.name == "table")
    if dataset == "table" and (data_dir or there):
        return OwnFiles(str(there or data_directory(data_dir)), data_options, example=False)
    return OwnFiles(str(write_example(tempfile.mkdtemp(prefix="hyperctr-example-"))), (), example=True)


def findings(own: OwnFiles) -> list[Table]:
    """Say what `hyperctr data check` says: all faults; or warnings, and what a model will find.

    Raises:
        DataError: there is no such folder or option.
    """
    report = check_data("table", own.folder, own.options)
    told = [("fault", text) for text in report.faults] + [("warning", text) for text in report.warnings]
    told = told or [("", "neither faults nor warnings")]
    strong = range(len(report.faults))
    tables = [Table.from_frame(pd.DataFrame(told, columns=["", "what was found"]), strong=strong)]
    if report.facts:
        rows = [(name.replace("_", " "), show_number(value)) for name, value in report.facts.items()]
        caption = "" if report.faults else "no faults: a model can be trained"
        tables.append(Table.from_frame(pd.DataFrame(rows, columns=["what a model will find", ""]), caption=caption))
    return tables


def predictions(session: Session) -> Table:
    """Score an item that a user really clicked, and the same with a user and an item that training did not know.

    The new item is one that has vectors and no clicks, where there is one. The session's run is trained if it was not.
    """
    user, item, moment = session.test_click()
    unseen, new_user = new_items(session.data), _new_id(session.data.users)
    new_item = unseen[0] if len(unseen) else _new_id(session.data.items)
    users, items = [user, user, new_user, new_user], [item, new_item, item, new_item]
    users, items = ([np.asarray(value).item() for value in column] for column in (users, items))
    chance = session.run.predict(users, items, [moment] * len(users), unknown="cold")
    vectors = "has vectors, but no clicks" if len(unseen) else "has neither clicks nor vectors"
    words = ["both known: a test click", f"new item: {vectors}", "new user: no history", "both new"]
    columns = {"user": list(map(str, users)), "item": list(map(str, items)), "which": words, "probability": chance}
    return Table.from_frame(pd.DataFrame(columns), caption="probabilities hold where half of the pairs are clicks")


def _new_id(ids: npt.NDArray[Any]) -> Any:
    """Return an id that is none of these."""
    if ids.dtype.kind == "i":
        return int(ids.max()) + 1
    return next(name for name in (f"new-{number}" for number in range(len(ids) + 1)) if name not in set(ids))


def _beginning(path: Path) -> str:
    if path.suffix not in (".csv", ".toml", ".txt"):
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return " / ".join(file.readline().strip()[:60] for _ in range(2))
