"""Reading tables and arrays from disk, with errors that name the file, the line and the fix."""

from __future__ import annotations

import csv
import os
import re
import shlex
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.columns import our_names
from hyperctr.errors import DataError, say

# What numpy raises on damaged files.
BROKEN = (OSError, ValueError, EOFError, TypeError, SyntaxError, AttributeError, KeyError, OverflowError, MemoryError)
# RuntimeError: encrypted; NotImplementedError: a way to compress that nobody has, or a damaged number of one
BROKEN_ARCHIVE = (*BROKEN, zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, NotImplementedError)
MAPPED = 1 << 26  # bytes of an array from which on it is not read but mapped
DELIMITERS = {";": "semicolons (';')", "\t": "tabs", "|": "bars ('|')", "::": "'::'", ",": "commas", " ": "blanks"}
NAMED = {"\t": "tab", " ": "space"}  # as one types them


def read_text(
    path: Path,
    required: Sequence[str],
    *,
    optional: Sequence[str] = (),
    separator: str = ",",
    columns: Mapping[str, str] | None = None,
    told: list[str] | None = None,
) -> pd.DataFrame:
    """Read a delimited file with a header as text, unchanged.

    Args:
        path: the file; lines may end in LF, CR LF or CR.
        required: columns that must be there.
        optional: columns that may be.
        separator: between fields; a first line ``sep=;``, as spreadsheets write it, counts more.
        columns: our name = theirs.
        told: takes what there is to tell, such as names that were taken for ours.

    Returns:
        A frame of strings (nothing is turned into NaN) with our names, indexed by line number; the header is line 1.
        Lines that are wholly empty are skipped.

    Raises:
        DataError: missing, empty or undecodable file, wrong delimiter, missing column, surplus fields.
    """
    told = [] if told is None else told
    first, skipped = first_line(path), 0
    if marked := re.fullmatch(r"(?i)\"?sep=(.{1,2}?)\"?", first.strip()):
        separator, skipped = marked[1], 1
        told.append(
            f"{path}: the fields are separated by {DELIMITERS.get(separator, separator)}, as its first line says"
        )
        first = first_line(path, 1)
    header = _fields(first, separator)
    names = _our_names(path, first, header, separator, required, optional, columns or {}, told)
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise DataError(f"{path}, line 1: column {min(repeated)!r} stands twice in the header; remove one")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # otherwise pandas cuts off surplus fields
            as_is: dict[str, Any] = dict.fromkeys(("na_filter", "skip_blank_lines", "index_col"), False)
            as_is |= {"engine": "python", "sep": re.escape(separator)} if len(separator) > 1 else {"sep": separator}
            as_is |= {"skipinitialspace": separator not in " \t", "skiprows": skipped}
            frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", **as_is)
    except UnicodeDecodeError as error:
        raise _encoding_error(path, error) from error
    except pd.errors.ParserWarning as error:
        fix = "quote values that hold commas, or name every column"
        raise DataError(f"{path}, line 2: has more fields than the header's {len(header)}; {fix}") from error
    except pd.errors.ParserError as error:
        raise _parser_error(path, str(error)) from error
    frame.columns = pd.Index(names)
    return _numbered(path, frame, names, separator, skipped)


def _numbered(path: Path, frame: pd.DataFrame, header: list[str], separator: str, skipped: int) -> pd.DataFrame:
    """Set the index to line numbers (a quoted value may span lines) and drop empty lines."""
    frame.index = pd.RangeIndex(2 + skipped, len(frame) + 2 + skipped, name="line")
    if any(frame[name].str.contains("\n", regex=False).any() for name in header):
        breaks = np.asarray(sum(frame[name].str.count("\n") for name in header), dtype=int)
        frame.index = pd.Index(np.asarray(frame.index) + breaks.cumsum() - breaks, name="line")
    lone = np.asarray((frame[header[1:]] == "").all(axis=1)) if len(header) > 1 else np.zeros(len(frame), bool)
    first = frame[header[0]]
    if len(header) > 1 and lone.any():
        for mark in (mark for mark in (";", "\t", "|", "::", ",") if mark != separator):
            bad = lone & np.asarray(first.str.count(re.escape(mark)) >= len(header) - 1)
            if bad.any():
                place, usual = f"{path}, line {frame.index[int(np.argmax(bad))]}", DELIMITERS.get(separator, separator)
                raise DataError(
                    f"{place}: fields are separated by {DELIMITERS[mark]}, expected {usual} as in the header "
                    f"({bad.sum():,} such lines); write the file with one delimiter: {usual}"
                )
    empty = lone & np.asarray(first == "")
    return frame[~empty] if empty.any() else frame


def first_line(path: Path, skipped: int = 0) -> str:
    """Return the first line of a text file, or the one after it."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    with open(path, "rb") as file:
        start = file.read(1 << 20)
    raw = (re.split(rb"\r\n|\n|\r", start, maxsplit=skipped + 1) + [b""] * skipped)[skipped]
    try:
        line = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _encoding_error(path, error) from error
    if not line.strip():
        raise DataError(f"{path}: is empty or starts with an empty line; expected a header line of column names")
    return line


def _fields(line: str, separator: str) -> list[str]:
    if len(separator) > 1:
        return [field.strip().strip('"') for field in line.split(separator)]
    return [name.strip() for name in next(csv.reader([line], skipinitialspace=True, delimiter=separator))]


def _our_names(
    path: Path,
    line: str,
    header: list[str],
    separator: str,
    required: Sequence[str],
    optional: Sequence[str],
    columns: Mapping[str, str],
    told: list[str],
) -> list[str]:
    """Return the header with our names; if columns are missing, say whether another separator would find them."""

    def names(fields: list[str], told: list[str]) -> list[str]:
        return our_names(fields, required, optional, columns, source=place, told=told)

    place, notes = f"{path}, line 1", list[str]()
    is_values = any(re.fullmatch(r"-?[0-9.]+", field) for field in re.split(r"[,;|\t]|::", line))
    try:
        fields = names(header, notes)
    except DataError as error:
        expected = DELIMITERS.get(separator, separator)
        for mark, words in DELIMITERS.items():
            if mark != separator and _fits(partial(names, _fields(line, mark), [])):
                fix = f"convert the file to {expected}, or {say('separator', NAMED.get(mark, mark))}"
                raise DataError(f"{place}: fields are separated by {words}, expected {expected}; {fix}") from None
        mark = max(DELIMITERS, key=lambda mark: len(_fields(line, mark)))
        if len(header) == 1 and len(fields := _fields(line, mark)) > 1 and not is_values:
            try:
                names(fields, [])
            except DataError as other:
                option = say("separator", NAMED.get(mark, mark))
                raise DataError(f"{other}; fields are separated by {DELIMITERS[mark]}: {option}") from None
        if is_values:
            wanted = ", ".join([*required, *optional])
            values = f"got the values {line[:80]!r}"
            raise DataError(
                f"{place}: expected a header with the columns {wanted}, {values}; add a header line"
            ) from None
        raise error
    told += notes
    return fields


def _fits(names: Callable[[], object]) -> bool:
    try:
        names()
    except DataError:
        return False
    return True


def _encoding_error(path: Path, error: UnicodeDecodeError) -> DataError:
    byte = f"byte {error.start} is {error.object[error.start]:#x}, which is not UTF-8"
    code = "utf-16" if error.object[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin1"
    name = shlex.quote(str(path))
    fix = f"convert the file first, for example: iconv -f {code} -t utf-8 {name} > fixed.csv && mv fixed.csv {name}"
    return DataError(f"{path}: {byte}; {fix}")


def _parser_error(path: Path, message: str) -> DataError:
    surplus = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if surplus:
        expected, line, saw = surplus.groups()
        fields = f"has {saw} fields, the header has {expected}"
        return DataError(f"{path}, line {line}: {fields}; quote values that hold commas")
    opened = re.search(r"EOF inside string starting at row (\d+)", message)
    if opened:
        return DataError(f"{path}, line {int(opened[1]) + 1}: a quote is opened and never closed; close or remove it")
    return DataError(f"{path}: cannot be read as comma-separated text: {message}")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a parquet file; an index that carries a name becomes a column.

    Raises:
        DataError: the file is missing, empty or no parquet file.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: is not a readable parquet file ({error}); write it again") from error
    return frame.reset_index(drop=frame.index.names == [None])


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read every array of an ``.npz`` file, read-only; pickled objects are refused, since unpickling runs code.

    Arrays of 64 MiB or more that are stored as they are (``numpy.savez``, not ``savez_compressed``) are memory-mapped:
    only what is looked at is read, and it takes no memory that anybody else needs.

    Raises:
        DataError: the file is missing, damaged or holds pickled objects.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as loaded:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            large = [n for n, m in members.items() if m.compress_type == zipfile.ZIP_STORED and m.file_size >= MAPPED]
            arrays = {n: _mapped(path, members[n]) if n in large else loaded[n] for n in loaded.files}
        for array in arrays.values():
            array.flags.writeable = False
        return arrays
    except BROKEN_ARCHIVE as error:
        if "allow_pickle" in str(error) and zipfile.is_zipfile(path):
            raise DataError(
                f"{path}: holds pickled objects, which are never loaded since unpickling can run any code; "
                "save ids as integers or fixed-width strings: ids.astype(str)"
            ) from error
        raise DataError(f"{path}: is not a readable .npz file ({error}); write it with numpy.savez") from error


def read_array(path: Path) -> npt.NDArray[Any]:
    """Read an ``.npy`` file, read-only and memory-mapped.

    Raises:
        DataError: the file is missing, damaged or holds pickled objects.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (*BROKEN, tokenize.TokenError) as error:
        if "allow_pickle" in str(error) or "object" in str(error):
            raise DataError(
                f"{path}: holds pickled objects, which are never loaded; save numbers with numpy.save"
            ) from error
        raise DataError(f"{path}: is not a readable .npy file ({error}); write it with numpy.save") from error
    return array


def _mapped(path: Path, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    """Return an array that lies uncompressed in an archive, memory-mapped."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))  # of the header that stands before the member's bytes
        file.seek(name + extra, os.SEEK_CUR)
        read = np.lib.format.read_array_header_1_0 if np.lib.format.read_magic(file) == (1, 0) else None
        shape, fortran, dtype = (read or np.lib.format.read_array_header_2_0)(file)
        if dtype.hasobject:
            raise ValueError("allow_pickle=False")
        order: Any = "F" if fortran else "C"
        return np.memmap(path, dtype, "r", file.tell(), shape, order)
