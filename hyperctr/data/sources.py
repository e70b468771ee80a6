"""Files that a log is released in: what a row of one looks like, and which of its values is not what it should be."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hyperctr.data.ids import shown
from hyperctr.errors import DataError

# What the values of a column are: see WORDS; real may be NaN or infinite, as in features. Any other kind is a strptime
# format such as "%Y-%m-%d": moments in UTC, read as whole seconds.
Kind: TypeAlias = Literal["integer", "number", "real", "flag", "id", "text"] | str
TRUE, FALSE = ("1", "true", "1.0"), ("0", "false", "0.0")
WORDS = {
    "integer": "a whole number of at most 64 bits, written without blanks or leading zeros",
    "number": "a finite number",
    "real": "a number",
    "flag": "one of 0, 1, true, false",
    "id": "an id: any text that is not empty",
    "text": "text",
}


@dataclass(frozen=True)
class TextFile:
    """A delimited text file.

    Attributes:
        columns: names of its fields, in their order.
        separator: one character or several (``::``).
        header: lines that stand before the first row.
        quote: what encloses a value that holds separators; "" where nothing does.
        encoding: ``utf-8``, ``utf-16`` or ``latin-1``.
    """

    path: Path
    columns: tuple[str, ...]
    separator: str = ","
    header: int = 1
    quote: str = '"'
    encoding: str = "utf-8"


@dataclass(frozen=True)
class ParquetFile:
    """A parquet file; its columns are its own."""

    path: Path


Source: TypeAlias = TextFile | ParquetFile


def first_lines(path: Path, number: int, encoding: str = "utf-8") -> list[str]:
    """Return the first lines of a text file, without what ends them.

    Raises:
        DataError: the file is not there, or has another encoding.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with open(path, encoding="utf-8-sig" if encoding == "utf-8" else encoding) as file:
            return [line.rstrip("\n") for line in itertools.islice(file, number)]
    except UnicodeDecodeError as error:
        byte = f"holds the byte {error.object[error.start]:#x}, which is not {encoding}"
        raise DataError(f"{path}: {byte}; get the file again") from error


def header_of(path: Path, separator: str = ",") -> tuple[str, ...]:
    """Return the names in the first line of a text file.

    Raises:
        DataError: the file is missing or empty, or a name stands twice or is not printable.
    """
    lines = first_lines(path, 1)
    if not lines or not lines[0].strip():
        raise DataError(f"{path}, line 1: is empty, expected a header of column names; get the file again")
    fields = next(csv.reader(lines, delimiter=separator)) if len(separator) == 1 else lines[0].split(separator)
    names = tuple(name.strip() for name in fields)
    for name in names:
        if not name.isprintable():
            raise DataError(
                f"{path}, line 1: the header holds a control character in {shown(name)}; get the file again"
            )
        if names.count(name) > 1:
            raise DataError(f"{path}, line 1: column {name!r} stands twice in the header; remove one")
    return names


def columns_of(path: Path, separator: str = ",") -> tuple[str, ...]:
    """Return the names of the columns of a text file with a header, or of a parquet file.

    Raises:
        DataError: the file is missing, or has no header that can be read.
    """
    if path.suffix != ".parquet":
        return header_of(path, separator)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    import pyarrow.parquet as parquet

    try:
        return tuple(parquet.read_schema(path).names)
    except Exception as error:  # a damaged file fails in any way at all
        raise DataError(f"{path}: is not a readable parquet file ({error}); get the file again") from error


def with_columns(path: Path, kinds: Iterable[str], separator: str = ",", **options: Any) -> Source:
    """Return a parquet file or a text file with a header, in which every column of ``kinds`` has to be.

    Raises:
        DataError: the file is missing or damaged, or lacks a column; names what was found.
    """
    if path.suffix != ".parquet":
        return with_header(path, kinds, separator, **options)
    names = columns_of(path)
    for name in kinds:
        if names.count(name) != 1:
            raise DataError(f"{path}: needs one column {name!r}; found {', '.join(names)[:200]}")
    return ParquetFile(path)


def with_header(path: Path, kinds: Iterable[str], separator: str = ",", **options: Any) -> TextFile:
    """Return a text file with a header, in which every column of ``kinds`` has to be.

    Raises:
        DataError: the file is missing or empty, or lacks a column; names what was found.
    """
    names = header_of(path, separator)
    missing = [name for name in kinds if name not in names]
    if missing:
        raise DataError(
            f"{path}, line 1: column {missing[0]!r} is missing; found {', '.join(names)[:200]}; needed are "
            f"{', '.join(kinds)}"
        )
    return TextFile(path, names, separator, header=1, **options)


def estimated_rows(source: Source, sample: int = 1 << 20) -> int:
    """Return about how many rows a file has: its size over the length of its first lines."""
    if isinstance(source, ParquetFile):
        import pyarrow.parquet as parquet

        return int(parquet.read_metadata(source.path).num_rows)
    with open(source.path, "rb") as file:
        head = file.read(sample)
    return max(1, source.path.stat().st_size * max(1, head.count(b"\n")) // max(1, len(head)))


def records(source: TextFile) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text file, each with the number of its first line; empty lines are left out.

    Raises:
        UnicodeDecodeError: the file has another encoding.
    """
    encoding = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
    with open(source.path, encoding=encoding, newline="" if source.quote else None) as file:
        for _ in range(source.header):
            file.readline()
        if source.quote and len(source.separator) == 1:
            reader = csv.reader(file, delimiter=source.separator, quotechar=source.quote)
            before = 0
            for fields in reader:
                if fields:
                    yield source.header + before + 1, fields
                before = reader.line_num
        else:
            for line, text in enumerate(file, source.header + 1):
                if text := text.rstrip("\r\n"):
                    yield line, text.split(source.separator)


def text_fault(source: TextFile, kinds: Mapping[str, Kind], otherwise: str = "") -> DataError:
    """Return the error for the first value that does not fit, found by reading the file once more, slowly."""
    number = len(source.columns)
    try:
        for line, fields in records(source):
            if len(fields) != number:
                text = shown(source.separator.join(fields))
                return DataError(
                    f"{source.path}, line {line}: has {len(fields)} fields separated by {source.separator!r}, expected "
                    f"{number} ({', '.join(source.columns)}): {text}; repair the line or get the file again"
                )
            for name, value in zip(source.columns, fields, strict=True):
                if name in kinds and not _fits(value, kinds[name]):
                    return misfit(f"{source.path}, line {line}", name, value, kinds[name])
    except UnicodeDecodeError as error:
        byte = f"holds the byte {error.object[error.start]:#x}, which is not {source.encoding}"
        return DataError(f"{source.path}: {byte}; convert the file: iconv -f latin1 -t utf-8")
    except csv.Error as error:
        otherwise = otherwise or str(error)
    if mixed := _mixed_lines(source.path):
        return DataError(f"{source.path}: {mixed}; convert them: sed -i 's/\\r$//' FILE")
    return DataError(f"{source.path}: cannot be read ({otherwise or 'a value does not fit'}); get the file again")


def _mixed_lines(path: Path) -> str:
    """Say so if some lines end as on Windows and some do not, which DuckDB does not read."""
    with open(path, "rb") as file:
        head = file.read(1 << 24)
    windows, all_lines = head.count(b"\r\n"), head.count(b"\n")
    return f"{windows:,} of {all_lines:,} lines end in CR LF, the others in LF" if 0 < windows < all_lines else ""


def misfit(place: str, column: str, value: object, kind: Kind) -> DataError:
    """Return the error for a value that is not what its column holds."""
    wanted = WORDS.get(kind, f"a time written as {kind!r}")
    return DataError(f"{place}: {column} {shown(value)} is not {wanted}; repair the value or get the file again")


def _fits(value: str, kind: Kind) -> bool:
    if kind == "integer":
        whole = re.fullmatch(r"-?[1-9][0-9]*|0", value, re.ASCII)
        return whole is not None and -(2**63) <= int(value) < 2**63
    if kind in ("number", "real"):
        try:
            return "_" not in value and (math.isfinite(float(value)) or kind == "real")
        except ValueError:
            return False
    if kind == "flag":
        return value.lower() in TRUE + FALSE
    if kind == "id":
        return bool(value.strip())
    if kind == "text":
        return True
    try:
        datetime.strptime(value, kind)
    except ValueError:
        return False
    return True
