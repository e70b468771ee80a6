"""What a public data set looks like as released: :class:`Format`, with the :class:`Log` that it declares."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from hyperctr.data.engine import literal, quoted
from hyperctr.data.formats.release import Part, Release, Vectors
from hyperctr.data.rules import ClickRule
from hyperctr.data.sources import Kind, Source, TextFile, columns_of, with_columns
from hyperctr.data.times import Clock
from hyperctr.errors import DataError, did_you_mean

Unit: TypeAlias = Literal["s", "ms", "us", "ns", "days", "order"]
SECONDS = {"ms": "// 1000", "us": "// 1000000", "ns": "// 1000000000", "days": "* 86400"}  # how to get them
DEPTH = 3  # folders below the one that is named in which a release is looked for
MANY = 1000  # entries of a folder after which its subfolders are not looked through: such folders hold features


@dataclass(frozen=True)
class Log:
    """How the interactions of a release are written.

    Attributes:
        files: names or patterns below the folder of the release, read one after another.
        columns: every column that is read or that a click rule may name -> what its values are; in the order of the
            fields if the files have no header.
        user, item, time: which of them these are, or an SQL expression over them; without a time the order of rows is
            the clock.
        unit: of the numbers in ``time``; ``order`` if they only tell the order. Text of a strptime kind is in seconds.
        click: ``all``, a column of flags, or one comparison, as ``rating >= 4``.
        non_clicks: what a row is that is no click; shown to the user.
    """

    files: tuple[str, ...]
    columns: Mapping[str, Kind]
    user: str
    item: str
    time: str = ""
    unit: Unit = "s"
    click: str = "all"
    non_clicks: str = "none: every row is a click"
    separator: str = ","
    header: bool = True
    quote: str = '"'
    encoding: str = "utf-8"

    @property
    def clock(self) -> Clock:
        """``calendar`` if the times are dates, ``ordinal`` if only their order is real."""
        return "calendar" if self.time and self.unit != "order" else "ordinal"


@dataclass(frozen=True)
class Format:
    """A layout that a public data set is released in.

    Attributes:
        about: one line.
        licence: shown, and kept with the data.
        get: how to get the files.
        log: the interactions; what says whether a folder has this layout.
        vectors: from the folder of the release and the one the user named to the modalities found there.
        items: from the folder to the catalogue; None: the log says which items there are.
        title: from the folder to the name of the data set; by default the format's.
        marks: further files that a folder of this layout has; alone it is its log's.
        read_as: reads a release that a declaration cannot describe.
        columns_tell: with ``read_as``, whether the header tells the layout, too, as it does without.
        options: names of ``read_as``'s own options.
        remark: what the user should know of the data.
    """

    name: str
    about: str
    licence: str
    get: str
    log: Log
    vectors: Callable[[Path, Path], Sequence[Vectors]] | None = None
    items: Callable[[Path], pd.DataFrame] | None = None
    title: Callable[[Path], str] | None = None
    marks: tuple[str, ...] = ()
    read_as: Callable[..., Release] | None = None
    columns_tell: bool = False
    options: tuple[str, ...] = ()
    remark: str = ""

    def finds(self, folder: Path) -> Path | None:
        """Return the first folder, at or below ``folder``, that has this layout: all its files, and the columns."""
        return next((root for root in folders(folder) if self._fits(root)), None)

    def places(self, roots: Iterable[Path], headers: bool = True) -> list[Path]:
        """Return which of some folders, the nearest first, have this layout, without those inside of one that has."""
        return outermost(root for root in roots if self._fits(root, headers))

    def _fits(self, root: Path, headers: bool = True) -> bool:
        return all(matches(root, pattern) for pattern in self.needs) and not (headers and self._column_fault(root))

    def _column_fault(self, root: Path) -> str:
        """Say what is wrong with the header of the log, where that tells the layout; empty: nothing."""
        if not self.log.header or (self.read_as is not None and not self.columns_tell):
            return ""
        path = matches(root, self.log.files[0])[0]
        try:
            names = columns_of(path, self.log.separator)
        except DataError as error:
            return str(error)
        lacking = [name for name in self.log.columns if name not in names]
        return f"has no column {lacking[0]!r} in {path.name} ({', '.join(names)[:200]})" if lacking else ""

    def nearest(self, folder: Path) -> tuple[list[str], list[str], str]:
        """Return, of the folder at or below ``folder`` that is most like this layout, which of its files are there.

        Returns:
            The files found and those lacking, by name or pattern; where none is lacking, what is wrong with the header.
        """
        best: tuple[list[str], list[str], str] = ([], list(self.needs), "")
        for root in folders(folder):
            there = [pattern for pattern in self.needs if matches(root, pattern)]
            if len(there) > len(best[0]):
                lacking = [pattern for pattern in self.needs if pattern not in there]
                best = (there, lacking, "" if lacking else self._column_fault(root))
        return best

    @property
    def needs(self) -> tuple[str, ...]:
        """Names or patterns of the files that say that a folder has this layout."""
        return (*self.log.files, *self.marks)

    def read(self, folder: Path, *, click: str = "", **options: Any) -> Release:
        """Return what lies in a folder, of which nothing but names, headers and catalogue is read yet.

        Raises:
            DataError: files are missing or do not have this layout, or the click rule does not fit.
        """
        roots = list(folders(folder))
        found = self.places(roots) or self.places(roots, headers=False)
        if not found:
            wanted = ", ".join(self.needs)
            raise DataError(f"{folder}: does not look like {self.name}, which has {wanted}. {self.get}")
        if len(found) > 1:
            listed = ", ".join(shlex.quote(str(root)) for root in found[:8])
            raise DataError(f"{folder}: holds several releases of {self.name}; give one of the folders {listed}")
        root = found[0]
        for name in options:
            if name not in self.options:
                hint = did_you_mean(name, self.options) if self.options else "it has none"
                raise DataError(f"the format {self.name} has no option {name!r}; {hint}")
        rule = click or self.log.click
        if self.read_as is not None:
            return self.read_as(self, root, folder, rule, **options)
        return Release(
            name=self.title(root) if self.title else self.name,
            parts=parts_of(self.log, root, rule),
            clock=self.log.clock,
            click=rule,
            vectors=self.vectors(root, folder) if self.vectors else (),
            items=self.items(root) if self.items else None,
            notes=[self.remark] if self.remark else [],
        )


def parts_of(log: Log, root: Path, rule: str) -> list[Part]:
    """Return the files of a log as it is declared, with the click rule in force."""
    return [part_of(log, path, rule) for pattern in log.files for path in matches(root, pattern)]


def part_of(log: Log, path: Path, rule: str, source: Source | None = None) -> Part:
    """Return one file of a log as it is declared, with the click rule in force."""
    if source is None:
        how = {"quote": log.quote, "encoding": log.encoding}
        source = (
            with_columns(path, log.columns, log.separator, **how)
            if log.header
            else TextFile(path, tuple(log.columns), log.separator, header=0, **how)
        )
    clicked = click_sql(rule, log.columns)
    named = {name: quoted(name) for name in log.columns}
    user, item, time = (named.get(column, column) for column in (log.user, log.item, log.time))
    if log.unit in SECONDS and log.time:
        time = f"({time}) {SECONDS[log.unit]}"
    if log.columns.get(log.time) == "number":
        time = f"CAST(floor({time}) AS BIGINT)"
    used = {name: kind for name, kind in log.columns.items() if quoted(name) in " ".join((user, item, time, clicked))}
    return Part(source, used, user, item, time, clicked)


def click_sql(rule: str, columns: Mapping[str, Kind]) -> str:
    """Return a click rule as SQL over columns: ``all``, a column of flags, or a column compared with a value.

    Raises:
        DataError: it names no column that is there, or compares what cannot be compared.

    >>> click_sql("rating >= 4", {"rating": "number"}), click_sql("all", {})
    ('"rating" >= 4.0', 'true')
    """
    parsed = ClickRule.parse(rule)
    column, sign, value = parsed.column, parsed.sign, parsed.value
    if not column:
        return "true"
    if column not in columns:
        raise DataError(
            f"click rule {rule!r}: there is no column {column!r}; {did_you_mean(column, columns)}. A rule is 'all', a "
            "column of 0 and 1, or a comparison such as 'rating >= 4'"
        )
    kind, name = columns[column], quoted(column)
    if not sign:
        if kind == "flag":
            return name
        raise DataError(f"click rule {rule!r}: column {column!r} holds no 0 and 1; compare it: '{column} >= 1'")
    operator, text = "=" if sign == "==" else sign, f"{value:g}" if isinstance(value, float) else value
    if kind == "flag" and text.lower() in ("0", "1", "true", "false") and operator in ("=", "!="):
        return f"{name} {operator} {text.lower() in ('1', 'true')}"
    if kind in ("integer", "number"):
        if isinstance(value, str):
            raise DataError(f"click rule {rule!r}: {value!r} is no number, which column {column!r} holds")
        return f"{name} {operator} {value!r}"
    if operator not in ("=", "!="):
        raise DataError(f"click rule {rule!r}: column {column!r} holds text; allowed are == and !=")
    return f"{name} {operator} {literal(text)}"


def folders(top: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Yield a folder and those below it, nearest first, without looking through folders that hold masses of files."""
    level = [top]
    for _ in range(depth + 1):
        yield from level
        level = [below for folder in level for below in _subfolders(folder)]


def outermost(roots: Iterable[Path]) -> list[Path]:
    """Return folders, the nearest first, without those inside of others.

    >>> [str(root) for root in outermost([Path("a"), Path("b/c"), Path("a/b")])]
    ['a', 'b/c']
    """
    kept: list[Path] = []
    for root in roots:
        if not any(above in (root, *root.parents) for above in kept):
            kept.append(root)
    return kept


def _subfolders(folder: Path) -> list[Path]:
    below = []
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= MANY:
                break
            if entry.is_dir() and not entry.name.startswith((".", "__")):
                below.append(folder / entry.name)
    return sorted(below)


def matches(root: Path, pattern: str) -> list[Path]:
    """Return the files below a folder that have a name, or match a pattern, sorted."""
    if not any(mark in pattern for mark in "*?["):
        return [root / pattern] if (root / pattern).is_file() else []
    return sorted(path for path in root.glob(pattern) if path.is_file())
