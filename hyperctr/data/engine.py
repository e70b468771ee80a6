"""Reads logs of any size with DuckDB: delimited text and parquet, in order, each value checked as it was written.

DuckDB alone would read ``3.5`` as the integer 4 and ``1_000`` as 1000. Here columns are read as text, and a value is an
integer only if that integer is written the same way. Whatever does not fit is named with file, line and value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hyperctr.data.ids import EXACT_FLOAT
from hyperctr.data.sources import FALSE, TRUE, Kind, ParquetFile, Source, TextFile, misfit, text_fault
from hyperctr.errors import DataError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ROWS = 500_000  # of a batch
MEMORY = "3GB"


def connect() -> duckdb.DuckDBPyConnection:
    """Open a connection with temporary tables of its own to the one DuckDB of this process.

    Raises:
        DataError: DuckDB is not installed.
    """
    return _database().cursor()


@lru_cache
def _database() -> duckdb.DuckDBPyConnection:
    """Open DuckDB in memory, with a bound on what it may take and without anything it could download."""
    try:
        import duckdb
    except ImportError as error:
        raise DataError("reading data as released needs the package duckdb: pip install duckdb") from error
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET enable_progress_bar = false")
    return connection


def stream(
    source: Source, kinds: Mapping[str, Kind], select: Mapping[str, str], *, skip_bad: bool = False, rows: int = ROWS
) -> Iterator[tuple[pa.RecordBatch, int]]:
    r"""Read some columns of a file, in the order of the file.

    Args:
        source: the file.
        kinds: the columns to read, and what their values have to be.
        select: name of a result -> SQL expression over the columns (:func:`quoted` quotes their names).
        skip_bad: leave out rows that do not fit, rather than raise.
        rows: of a batch, at most.

    Yields:
        Batches of what is selected, each with the number of rows left out of it.

    Raises:
        DataError: the file is not there or not readable, or a value does not fit (names file, line and value).

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "log.dat")
    >>> _ = path.write_text("7::4.5\n8::3\n")
    >>> log = TextFile(path, ("movie", "rating"), separator="::", header=0, quote="")
    >>> batches = stream(log, {"movie": "integer", "rating": "number"}, {"id": "movie", "liked": "rating >= 4"})
    >>> [(batch.to_pylist(), skipped) for batch, skipped in batches]
    [([{'id': 7, 'liked': True}, {'id': 8, 'liked': False}], 0)]
    """
    import duckdb
    import pyarrow as arrow
    import pyarrow.compute as compute

    connection = connect()
    try:
        types = column_types(source, connection)
        parsed = {name: _parsed(quoted(name), kind, types[name]) for name, kind in kinds.items()}
        inner = ", ".join(f"{value} AS {quoted(name)}" for name, (value, _) in parsed.items())
        fits = " AND ".join(f"coalesce({check}, false)" for _, check in parsed.values()) or "true"
        outer = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in select.items())
        query = f"SELECT {outer}, _fits FROM (SELECT {inner}, {fits} AS _fits FROM {_scan(source)})"
        reader = connection.sql(query).to_arrow_reader(rows)
        for batch in reader:
            good = batch.column("_fits")
            if (bad := len(batch) - (compute.sum(good).as_py() or 0)) and not skip_bad:
                raise _fault(source, kinds)
            batch = batch.drop_columns("_fits")
            yield (batch.filter(good) if bad else batch), bad
        rejected, problem = _rejected(connection, source)
        if rejected and not skip_bad:
            raise _fault(source, kinds, problem)
        if rejected:
            yield arrow.RecordBatch.from_pylist([], reader.schema).drop_columns("_fits"), rejected
    except (duckdb.Error, arrow.ArrowException, OSError) as error:  # of damaged pages, in pyarrow's wrapping
        raise _fault(source, kinds, _summary(error)) from error
    finally:
        connection.close()


def column_types(source: Source, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the columns of a file and DuckDB's names of their types; all of a text file are text.

    Raises:
        DataError: the file is not there, or is no parquet file.
    """
    import duckdb

    if not source.path.is_file():
        raise DataError(f"{source.path}: there is no such file")
    if isinstance(source, TextFile):
        return dict.fromkeys(source.columns, "VARCHAR")
    try:
        return {
            name: str(kind)
            for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {_scan(source)}").fetchall()
        }
    except duckdb.Error as error:
        raise DataError(f"{source.path}: is not a readable parquet file ({_summary(error)})") from error


def _summary(error: Exception) -> str:
    """Return the first line of what DuckDB says."""
    return str(error).partition("\n")[0]


def quoted(name: str) -> str:
    """Quote the name of a column for SQL.

    >>> quoted('like "this"')
    '"like ""this\"\"\"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL.

    >>> literal("don't")
    "'don''t'"
    """
    return "'" + text.replace("'", "''") + "'"


def pattern(path: Path) -> str:
    """Quote a path; its name is meant as it is, not as a pattern."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def _scan(source: Source) -> str:
    if isinstance(source, ParquetFile):
        return f"read_parquet({pattern(source.path)})"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in source.columns)
    options = {
        "delim": literal(source.separator),
        "quote": literal(source.quote),
        "escape": literal(source.quote),
        "encoding": literal(source.encoding),
        "skip": str(source.header),
        "header": "false",
        "auto_detect": "false",
        "store_rejects": "true",
        "columns": f"{{{columns}}}",
    }
    return f"read_csv({pattern(source.path)}, {', '.join(f'{key} = {value}' for key, value in options.items())})"


def _parsed(name: str, kind: Kind, stored: str) -> tuple[str, str]:
    """Return SQL for the value of a column, and for whether what is stored is one."""
    text = stored == "VARCHAR"
    if kind == "integer":
        value = f"TRY_CAST({name} AS BIGINT)"
        if text:
            return value, f"{name} = {value}::VARCHAR"
        exact = f"abs({name}) < {EXACT_FLOAT} AND {name} = {value}"  # of a float
        return value, exact if stored in ("FLOAT", "DOUBLE") else f"{value} IS NOT NULL"
    if kind in ("number", "real"):
        value = f"TRY_CAST({name} AS DOUBLE)"
        valid = f"isfinite({value})" if kind == "number" else f"{value} IS NOT NULL"
        return value, valid + (f" AND NOT contains({name}, '_')" if text else "")
    if kind == "flag":
        written = f"lower({name}::VARCHAR)"
        allowed = ", ".join(map(literal, TRUE + FALSE))
        return f"{written} IN ({', '.join(map(literal, TRUE))})", f"{written} IN ({allowed})"
    if kind == "id":
        return f"trim({name}::VARCHAR)", f"trim({name}::VARCHAR) <> ''"
    if kind == "text":
        return f"coalesce({name}, '')" if text else name, "true"
    value = f"CAST(floor(epoch(try_strptime({name}::VARCHAR, {literal(kind)}))) AS BIGINT)"
    return value, f"{value} IS NOT NULL"


def _rejected(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[int, str]:
    """Return how many lines DuckDB could not split into fields, and what it says of the first."""
    if isinstance(source, ParquetFile):
        return 0, ""
    first = connection.execute("SELECT line, error_message FROM reject_errors ORDER BY line LIMIT 1").fetchone()
    lines = connection.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchone()
    return (lines[0], f"line {first[0]}: {first[1]}") if first and lines else (0, "")


def _fault(source: Source, kinds: Mapping[str, Kind], otherwise: str = "") -> DataError:
    """Return the error for the first value that does not fit, found by reading the file once more."""
    if isinstance(source, TextFile):
        return text_fault(source, kinds, otherwise)
    return _parquet_fault(source, kinds, otherwise)


def _parquet_fault(source: ParquetFile, kinds: Mapping[str, Kind], otherwise: str) -> DataError:
    import duckdb

    connection = connect()
    try:
        types = column_types(source, connection)
        scan = f"read_parquet({pattern(source.path)}, file_row_number = true)"
        for name, kind in kinds.items():
            check = _parsed(quoted(name), kind, types[name])[1]
            query = f"SELECT file_row_number, {quoted(name)} FROM {scan} WHERE NOT coalesce({check}, false) LIMIT 1"
            if row := connection.execute(query).fetchone():
                return misfit(f"{source.path}, row {row[0]} (counted from 0)", name, row[1], kind)
    except duckdb.Error as error:
        otherwise = otherwise or _summary(error)
    finally:
        connection.close()
    return DataError(f"{source.path}: cannot be read ({otherwise}); get the file again")


def table(source: Source, kinds: Mapping[str, Kind]) -> pa.Table:
    """Read some columns of a small file whole: a catalogue, or a table of features."""
    import pyarrow as pa

    batches = [batch for batch, _ in stream(source, kinds, {name: quoted(name) for name in kinds})]
    return pa.Table.from_batches(batches) if batches else pa.table({name: pa.array([]) for name in kinds})
