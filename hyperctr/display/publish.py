"""How a notebook hands results to its reader, and to the report that runs it: tables, figures and key numbers.

Numbers travel in the executed notebook itself; tables and figures also become files, so that they can be drawn again
without a GPU and compared without opening a page. The runner names the folder (:data:`~hyperctr.runtime.REPORT_DIR`);
a notebook run by hand writes nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.display.figure import Figure
from hyperctr.display.table import Table
from hyperctr.display.theme import follow_theme, mime_bundle
from hyperctr.errors import ConfigError
from hyperctr.runtime import REPORT_DIR, write_atomic
from hyperctr.written import show_number

CARD = "reproduction"  # the name under which a notebook publishes what it takes to repeat its numbers
FINDING, FRONT = "finding", "front"  # the same for a sentence, and for a figure, of the report's first page
RESERVED = (CARD, FINDING, FRONT)
RESULT_MIME = "application/vnd.hyperctr.result+json"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def show(*things: Any, name: str = "") -> None:
    """Show tables, figures, frames and Markdown; inside a report, also keep them as files with their key numbers.

    A named table becomes ``tables/<name>.csv`` and ``.tex``, a named figure ``figures/<name>.json`` and ``.csv``. What
    they say of themselves goes to the report's first page: a ``headline``, the ``finding`` of a table, a figure that is
    to stand in ``front``.

    Args:
        things: each a :class:`~hyperctr.display.table.Table`, a :class:`~hyperctr.display.figure.Figure`, a plotly
            figure, a frame, a text in Markdown, a list of these, or a :class:`hyperctr.Sweep` or
            :class:`hyperctr.Session`: its table or cards, and what repeats its numbers goes to the reproduction card.
        name: of the files, for a frame or a plotly figure; tables and figures of this library have a name of their own.

    Raises:
        ConfigError: a name that cannot be a file's, or a key number that JSON cannot hold.

    >>> import hyperctr as hc
    >>> hc.show(hc.Sweep("layers", "planted", "smoke"))  # doctest: +SKIP
    """
    for thing in things:
        if isinstance(thing, list | tuple):
            show(*thing)
        elif isinstance(thing, str):
            _display({"text/markdown": thing, "text/plain": thing}, raw=True)
        elif isinstance(thing, go.Figure):
            _show_result(Figure(thing, name))
        elif isinstance(thing, pd.DataFrame):
            _show_result(Table.from_frame(thing, name=name))
        elif isinstance(thing, Table | Figure):
            _show_result(thing)
        elif hasattr(thing, "card"):
            table = Table.from_frame(thing.frame)
            if hasattr(thing, "_repr_html_"):
                _display({"text/html": thing._repr_html_(), "text/plain": table.text()}, raw=True)
            else:
                _show_result(table)
            if os.environ.get(REPORT_DIR):
                publish(CARD, **thing.card())
        else:
            _display(thing)


def publish(name: str, /, **values: Any) -> None:
    """Put key numbers on the report's index page, and in the executed notebook for scripts to read.

    Args:
        name: groups the values; what is called as in :data:`RESERVED` goes to a place of its own.
        values: numbers, texts or flat lists.

    Raises:
        ConfigError: a value cannot be written as JSON.

    >>> publish("n", of=object())
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: publish('n'): a value of type object is not JSON; publish numbers, texts or flat lists
    """
    try:
        # a notebook is stored with sorted keys: `order` keeps the order in which a reader should see them
        content = {"name": name, "values": values, "order": list(values)}
        content = json.loads(json.dumps(content, default=_plain, allow_nan=False))
    except (TypeError, ValueError) as reason:
        raise ConfigError(f"publish({name!r}): {reason}; publish numbers, texts or flat lists") from reason
    told = ", ".join(f"{key} {show_number(value)}" for key, value in content["values"].items())
    _display({RESULT_MIME: content, "text/plain": f"{name}: {told}"}, raw=True)


def published(notebook: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, values) of every :func:`publish` in an executed notebook (an nbformat node), in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            result = output.get("data", {}).get(RESULT_MIME)
            if result is not None:
                yield result["name"], {key: result["values"][key] for key in result["order"]}


def _show_result(result: Table | Figure) -> None:
    """Show a table or figure with its note; in a report also write its files and publish its headline."""
    kind = "tables" if isinstance(result, Table) else "figures"
    folder = os.environ.get(REPORT_DIR)
    kept = {}
    if result.name and folder:
        if not _NAME.fullmatch(result.name):
            rule = "must be lower-case letters, digits, '_' and '-': it becomes a file name"
            raise ConfigError(f"name {result.name!r} {rule}")
        for suffix, text in _files(result).items():
            write_atomic(Path(folder) / kind / f"{result.name}.{suffix}", text)
        kept = {"hyperctr": {"file": f"{kind}/{result.name}"}}
    if isinstance(result, Table):
        _display({"text/html": result.html(), "text/plain": result.text()}, raw=True, metadata=kept)
    elif not result.said:
        follow_theme()
        _display(mime_bundle(result.chart), raw=True, metadata=kept)
    if result.note:
        said = isinstance(result, Figure) and result.said
        _display({"text/markdown": result.note, "text/plain": result.note}, raw=True, metadata=kept if said else {})
    if not folder:
        return
    if isinstance(result, Table) and result.finding:
        publish(FINDING, text=result.finding)
    if isinstance(result, Figure) and result.front:
        publish(FRONT, figure=f"figures/{result.name}")
    if result.headline:
        publish(re.sub(r"(\d+)", r" \1", result.name).replace("_", " ").capitalize(), **result.headline)


def _files(result: Table | Figure) -> dict[str, str]:
    if isinstance(result, Table):
        return {"csv": result.csv(), "tex": result.latex()}
    numbers = {} if result.frame is None else {"csv": result.frame.to_csv(index=False)}
    return {"json": result.chart.to_json(), **numbers}


def _display(thing: Any, **options: Any) -> None:
    from IPython.display import display

    display(thing, **options)  # type: ignore[no-untyped-call]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple | set):
        return list(value)
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")
