"""What lies in the folder of a public data set: rows to stream, vectors to read block by block, a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.engine import quoted, stream
from hyperctr.data.sources import Kind, Source, estimated_rows
from hyperctr.data.times import Clock
from hyperctr.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Take: TypeAlias = Callable[[npt.NDArray[np.int64]], npt.NDArray[Any]]  # from sorted rows to their vectors


@dataclass(frozen=True)
class Part:
    """One file of a log: where it lies, what is read of it, and the SQL of what it gives.

    Attributes:
        time: "" if the rows only have an order.
    """

    source: Source
    kinds: Mapping[str, Kind]
    user: str
    item: str
    time: str
    clicked: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def estimated_rows(self) -> int:
        """About how many rows there are; for progress."""
        return estimated_rows(self.source)

    def kind_of(self, role: str) -> Kind:
        """Return what the values of the ``user`` or ``item`` are; "" if an expression makes them."""
        return next((kind for name, kind in self.kinds.items() if quoted(name) == getattr(self, role)), "")

    def has_integers(self, role: str) -> bool:
        """Tell whether all ids of the ``user`` or ``item`` are integers, written as such."""
        name = getattr(self, role)
        whole = {"whole": f"coalesce({name} = TRY_CAST({name} AS BIGINT)::VARCHAR, false)"}
        rows = stream(self.source, self.kinds, whole, skip_bad=True)  # bad rows are named when they are read
        return all(batch.column(0).true_count == len(batch) for batch, _ in rows)

    def batches(self, skip_bad: bool) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Yield the columns of the table layout, and how many rows were left out of each batch."""
        select = {"user_id": self.user, "item_id": self.item, "timestamp": self.time or "0", "clicked": self.clicked}
        yield from stream(self.source, self.kinds, select, skip_bad=skip_bad)


@dataclass(frozen=True)
class ArrayPart:
    """A part of a log that no table holds: it yields its rows as arrays.

    Attributes:
        path: the file; named in messages.
        blocks: gives user ids, item ids, times (int64; of no use where ``time`` is "") and clicks (bool), by some rows.
        time: "" if the rows only have an order.
    """

    path: Path
    blocks: Callable[[], Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]]
    estimated_rows: int = 1
    time: str = "time"

    def batches(self, skip_bad: bool) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Yield the columns of the table layout; nothing is left out."""
        import pyarrow as pa

        for users, items, times, clicked in self.blocks():
            columns = {"user_id": users, "item_id": items, "timestamp": times, "clicked": clicked}
            yield pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()}), 0


def settled(parts: Sequence[Part | ArrayPart]) -> list[Part | ArrayPart]:
    """Let columns of ids be integers where every one of all parts is; text files do not tell ``7`` from ``"7"``."""
    plain = [part for part in parts if isinstance(part, Part)]
    if len(plain) < len(parts):
        return list(parts)
    if all(part.kind_of("user") == "id" and part.has_integers("user") for part in plain):
        plain = [replace(part, user=f"CAST({part.user} AS BIGINT)") for part in plain]
    if all(part.kind_of("item") == "id" and part.has_integers("item") for part in plain):
        plain = [replace(part, item=f"CAST({part.item} AS BIGINT)") for part in plain]
    return list(plain)


@dataclass(frozen=True)
class Vectors:
    """The vectors of one modality, which need not fit into memory.

    Attributes:
        items: [R] unique ids: int64, or fixed-width text.
        take: from sorted positions among ``items`` to their vectors [r, dim].
        source: where they come from; named in messages.
    """

    modality: str
    items: npt.NDArray[Any]
    dim: int
    take: Take
    source: str

    @classmethod
    def of(cls, modality: str, items: npt.NDArray[Any], values: npt.NDArray[Any], source: str | Path) -> Vectors:
        """Wrap an array [R, dim], which may be a memory-mapped file.

        Raises:
            DataError: it is no matrix of numbers, or has not one row an item.
        """
        if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.shape[1]:
            given = f"{values.dtype} of shape {values.shape}"
            raise DataError(f"{source}: needs numbers of shape [items, dim >= 1], got {given}; get the file again")
        if len(items) != len(values):
            raise DataError(f"{source}: has {len(values):,} vectors for {len(items):,} item ids; one each is needed")
        return cls(modality, items, int(values.shape[1]), lambda rows: np.asarray(values[rows]), str(source))


def vectors_of_files(
    modality: str,
    items: npt.NDArray[np.int64],
    vector: Callable[[int], npt.NDArray[Any]],
    file_of: Callable[[int], Path],
    what: str,
    source: str,
) -> Vectors:
    """Return the vectors of items that lie in a file each; ``what`` such a file is called in messages."""
    dim = len(vector(int(items[0])))

    def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        block = np.empty((len(rows), dim), dtype=np.float32)
        for row, item in zip(block, items[rows].tolist(), strict=True):
            values = vector(item)
            if len(values) != dim:
                other = f"has {len(values)} numbers, the first {what} {dim}"
                raise DataError(f"{file_of(item)}: {other}; get that {what} again")
            row[:] = values
        return block

    return Vectors(modality, items, dim, take, source)


@dataclass
class Release:
    """What lies in a folder, ready to be streamed.

    Attributes:
        name: of the data set, as it shall be called.
        click: the rule in force.
        items: the catalogue, with ``item_id`` and what is worth showing; None if the log says which items there are.
        notes: what the user should know: choices, what was left out.
    """

    name: str
    parts: Sequence[Part | ArrayPart]
    clock: Clock
    click: str
    vectors: Sequence[Vectors] = ()
    items: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
