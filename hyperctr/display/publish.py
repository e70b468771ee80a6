"""How a notebook hands results to the report: numbers, figures and tables.

Numbers travel in the executed notebook itself, figures and tables also as files, so that they can be drawn
again without a GPU and compared without opening a page. With ``report_dir=""`` nothing is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.display.table import Table
from hyperctr.display.theme import mime_bundle
from hyperctr.errors import ConfigError
from hyperctr.runtime import write_atomic

if TYPE_CHECKING:
    import plotly.graph_objects as go

RESULT_MIME = "application/vnd.hyperctr.result+json"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def publish(name: str, /, **values: Any) -> None:
    """Put key numbers on the report's index page, and in the executed notebook for scripts to read.

    Args:
        name: groups the values; the name ``reproduction`` goes to the reproduction card.
        values: numbers, texts or flat lists.

    Raises:
        ConfigError: a value cannot be written as JSON.
    """
    from IPython.display import display

    try:
        # a notebook is stored with sorted keys: `order` keeps the order in which a reader should see them
        content = {"name": name, "values": values, "order": list(values)}
        content = json.loads(json.dumps(content, default=_plain, allow_nan=False))
    except (TypeError, ValueError) as reason:
        raise ConfigError(f"publish({name!r}): {reason}; publish numbers, texts or flat lists") from reason
    display({RESULT_MIME: content, "text/plain": f"published {name}"}, raw=True)  # type: ignore[no-untyped-call]


def show_figure(
    chart: go.Figure, name: str = "", data: pd.DataFrame | None = None, *, report_dir: str | Path = ""
) -> None:
    """Show a figure in the notebook; with a name and a folder, also keep it.

    Args:
        chart: the figure.
        name: file name without ending, for ``figures/<name>.json`` (plotly) and ``.csv``.
        data: the numbers behind the figure, for the CSV.
        report_dir: folder of the report; empty: write nothing.
    """
    from IPython.display import display

    if name and report_dir:
        target = _target(report_dir, "figures", name)
        write_atomic(target.with_suffix(".json"), chart.to_json())
        if data is not None:
            write_atomic(target.with_suffix(".csv"), data.to_csv(index=False))
    kept = {"hyperctr": {"file": f"figures/{name}"}} if name and report_dir else {}
    display(mime_bundle(chart), raw=True, metadata=kept)  # type: ignore[no-untyped-call]


def show_table(
    table: pd.DataFrame | Table,
    name: str = "",
    data: pd.DataFrame | None = None,
    *,
    latex: str | None = None,
    report_dir: str | Path = "",
) -> None:
    """Show a table in the notebook; with a name and a folder, also keep its numbers as ``tables/<name>.csv``.

    Args:
        table: a frame, or a table made of one.
        name: file name without ending.
        data: the numbers behind an :class:`Table`; a frame is its own.
        latex: the same table for a paper, kept as ``tables/<name>.tex``.
        report_dir: folder of the report; empty: write nothing.
    """
    from IPython.display import display

    numbers = table if isinstance(table, pd.DataFrame) else data
    if name and report_dir:
        if numbers is None:
            raise ConfigError(f"show_table({name!r}): pass the numbers behind the table as data=")
        write_atomic(_target(report_dir, "tables", name).with_suffix(".csv"), numbers.to_csv(index=False))
        if latex is not None:
            write_atomic(_target(report_dir, "tables", name).with_suffix(".tex"), latex)
    shown = Table.from_frame(table) if isinstance(table, pd.DataFrame) else table
    kept = {"hyperctr": {"file": f"tables/{name}"}} if name and report_dir else {}
    display(shown, metadata=kept)  # type: ignore[no-untyped-call]


def published(notebook: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, values) of every :func:`publish` in an executed notebook (an nbformat node), in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            result = output.get("data", {}).get(RESULT_MIME)
            if result is not None:
                yield result["name"], {key: result["values"][key] for key in result["order"]}


def _target(report_dir: str | Path, kind: str, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name {name!r} must be lower-case letters, digits, '_' and '-': it becomes a file name")
    return Path(report_dir) / kind / name


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple | set):
        return list(value)
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")
