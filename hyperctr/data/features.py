"""The feature vectors of one modality, with a mask that says which items have one at all."""

from __future__ import annotations

import re
import warnings
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.ids import shown
from hyperctr.errors import DataError, DataWarning

OnBad: TypeAlias = Literal["error", "mask"]
BLOCK = 1 << 21  # numbers looked at at a time


class FeatureTable:
    """One modality of all items, aligned with the data set's items.

    Args:
        name: the modality, for example ``"visual"``.
        values: [I, dim] real numbers, copied as float32. A read-only float32 array is used as it is, without a copy: a
            memory-mapped file stays on disk.
        present: bool [I]; False where the item lacks this modality (all present by default).
        source: where the values come from; named in every message.
        items: ids of the I rows, named in messages instead of row numbers.
        on_bad: what to do with a present row that holds NaN or infinity: raise, or mask and count it.

    Attributes:
        values: float32 [I, dim], read-only. Rows with ``present`` False are zeros inside and must never be
            read as data.
        present: bool [I], read-only.
        warnings: one counted sentence for each thing that was masked (also sent as ``DataWarning``).

    Raises:
        DataError: wrong shape, or a present value that is NaN or infinite (names modality, item and column).

    >>> table = FeatureTable("visual", [[1.0, 2.0], [3.0, 4.0]], [True, False])
    >>> table.dim, table.present.tolist(), table.values.tolist()
    (2, [True, False], [[1.0, 2.0], [0.0, 0.0]])
    """

    _standardised: FeatureTable | None = None

    def __init__(
        self,
        name: str,
        values: npt.ArrayLike,
        present: npt.ArrayLike | None = None,
        *,
        source: str = "<memory>",
        items: npt.NDArray[Any] | None = None,
        on_bad: OnBad = "error",
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", name):
            raise DataError(f"{source}: modality name {name!r} is not usable; allowed are letters, digits and _ . + -")
        if on_bad not in ("error", "mask"):
            raise DataError(f"{source}: on_bad {on_bad!r} is not known; allowed: 'error', 'mask'")
        raw = _matrix(name, values, source)
        mask = np.ones(len(raw), dtype=bool) if present is None else np.array(present, copy=True)
        if mask.dtype != bool or mask.shape != (len(raw),):
            given = f"{mask.dtype} of shape {mask.shape}"
            raise DataError(
                f"{source}: 'present' of modality {name!r} must be bool of shape ({len(raw)},), got {given}"
            )
        self.name, self.source, self.warnings = name, source, list[str]()
        adopted = raw.dtype == np.float32 and raw.flags.c_contiguous and not raw.flags.writeable
        with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 numbers become infinite, caught below
            single = raw if adopted else np.array(raw, dtype=np.float32, order="C")
        blocks = _blocks(single)
        bad = np.concatenate([mask[rows] & ~np.isfinite(single[rows]).all(axis=1) for rows in blocks])
        if bad.any():
            faults = np.argwhere(~np.isfinite(single[bad]))
            row, column = int(np.flatnonzero(bad)[0]), int(faults[0, 1])
            item = f"item {shown(items[row])}" if items is not None else f"row {row} (counted from 0)"
            place = f"{source}: modality {name!r}, {item}, column {column} (counted from 0) is {raw[row, column]}"
            if on_bad == "error":
                fix = "repair the values, or leave those items out of the file so that they count as missing"
                counts = f"({len(faults):,} such values in {bad.sum():,} items)"
                raise DataError(f"{place} {counts}; allowed are finite float32 numbers: {fix}")
            counts = f"{bad.sum():,} items with {len(faults):,} values that are NaN or infinite"
            self.warnings.append(f"{place}; {counts} were masked as missing")
            warnings.warn(self.warnings[-1], DataWarning, stacklevel=2)
            mask &= ~bad
        # Rows of zeros are left alone: what was never written takes no memory.
        filled = [] if mask.all() else [~mask[rows] & single[rows].any(axis=1) for rows in blocks]
        if filled and (blank := np.concatenate(filled)).any():
            single = single.copy() if adopted else single
            single[blank] = 0.0
        self.values: npt.NDArray[np.float32] = single
        self.present: npt.NDArray[np.bool_] = mask
        self.values.flags.writeable = self.present.flags.writeable = False

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        present = int(self.present.sum())
        return f"FeatureTable({self.name!r}, {len(self):,} items x {self.dim}, {present:,} present)"

    @classmethod
    def from_rows(
        cls,
        name: str,
        item_ids: npt.NDArray[Any],
        vectors: npt.ArrayLike,
        items: npt.NDArray[Any],
        *,
        source: str = "<memory>",
        on_bad: OnBad = "error",
    ) -> FeatureTable:
        """Align vectors given in any order with ``items``; an item without a vector is masked.

        ``item_ids`` [R] name the item of each of the ``vectors`` [R, dim]; ``items`` [I] are unique, in the data set's
        order; the rest is as for the class.

        Raises:
            DataError: as the class; two different vectors for one item; no vector belongs to any item.

        >>> table = FeatureTable.from_rows("visual", np.array([9, 7]), [[1.0], [2.0]], np.array([7, 8, 9]))
        >>> table.present.tolist(), table.values[2].tolist()
        ([True, False, True], [1.0])
        """
        raw, place = _matrix(name, vectors, source), f"{source}: modality {name!r}"
        if len(item_ids) != len(raw):
            raise DataError(f"{place} has {len(item_ids):,} item ids for {len(raw):,} vectors")
        if not len(raw):
            raise DataError(f"{place} has no rows")
        notes = []
        repeated = np.asarray(pd.Series(item_ids).duplicated(keep="first"))
        if repeated.any():
            first = pd.Index(item_ids[~repeated]).get_indexer(pd.Index(item_ids[repeated]))
            differs = (raw[~repeated][first] != raw[repeated]).any(axis=1)
            if differs.any():
                item = shown(item_ids[repeated][differs][0])
                raise DataError(
                    f"{place} has two different vectors for item {item}; one vector an item is allowed: remove one"
                )
            rows = f"{repeated.sum():,} rows of modality {name!r}"
            notes.append(f"{source}: {rows} repeat an earlier row and were dropped")
            item_ids, raw = item_ids[~repeated], raw[~repeated]
        position = pd.Index(items).get_indexer(pd.Index(item_ids))
        known = position >= 0
        if not known.any():
            raise DataError(
                f"{source}: none of the {len(item_ids):,} items of modality {name!r} is an item of the data set (there "
                f"ids look like {shown(items[0])}, here like {shown(item_ids[0])}); write the ids of one "
                "file as those of the other"
            )
        if not known.all():
            unknown = f"{(~known).sum():,} of {len(known):,} items of modality {name!r}"
            notes.append(f"{source}: {unknown} are not among the data set's items and were dropped")
        present = np.zeros(len(items), dtype=bool)
        present[position[known]] = True
        if len(position) == len(items) and (position == np.arange(len(items))).all():
            values = raw
        else:
            values = np.zeros((len(items), raw.shape[1]), dtype=np.float32)
            with np.errstate(over="ignore", invalid="ignore"):
                for block in _blocks(raw):
                    values[position[block][known[block]]] = raw[block][known[block]]
            values.flags.writeable = False
        table = cls(name, values, present, source=source, items=items, on_bad=on_bad)
        blank = present & ~np.concatenate([values[block].any(axis=1) for block in _blocks(values)])
        if blank.any() and table.dim > 1:
            zeros = f"{blank.sum():,} vectors of modality {name!r} are all zeros"
            notes.append(f"{source}: {zeros}; they were kept as data, leave the rows out if they mean 'missing'")
        for note in notes:
            warnings.warn(note, DataWarning, stacklevel=2)
        table.warnings[:0] = notes
        return table

    def standardised(self) -> FeatureTable:
        """Return the table with zero mean and unit variance in each column, over the present rows only.

        It is computed once and kept: whoever asks gets the same table, to be shared without a copy
        (``hyperctr.runtime.shared_tensor``). A constant column tells nothing and becomes 0 everywhere.

        >>> table = FeatureTable("visual", [[1.0, 5.0], [3.0, 5.0], [9.0, 9.0]], [True, True, False])
        >>> table.standardised().values
        array([[-1.,  0.],
               [ 1.,  0.],
               [ 0.,  0.]], dtype=float32)
        """
        if self._standardised is None:
            self._standardised = self._scaled() if self.present.any() else self
        return self._standardised

    def with_rows(self, values: npt.ArrayLike, present: npt.NDArray[np.bool_]) -> FeatureTable:
        """Return the table with more rows behind its own; they are standardised by the mean and variance of these.

        >>> table = FeatureTable("visual", [[1.0], [3.0]]).with_rows([[5.0]], np.array([True]))
        >>> table.standardised().values.ravel().tolist()
        [-1.0, 1.0, 3.0]
        """
        more, every = np.asarray(values, dtype=np.float32), np.concatenate([self.present, present])
        table = FeatureTable(self.name, np.concatenate([self.values, more]), every, source=self.source)
        if self.present.any():
            mean, spread = self._moments()
            scaled = np.where(present[:, None], (more - mean) / spread, 0.0).astype(np.float32)
            both = np.concatenate([self.standardised().values, scaled])
            table._standardised = FeatureTable(self.name, both, every, source=f"{self.source} (standardised)")
        return table

    def _moments(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return mean and spread of each column, in float64, some rows at a time; of a constant one inf."""
        blocks, count = _blocks(self.values), self.present.sum()

        def seen(rows: slice) -> npt.NDArray[np.float64]:
            return self.values[rows][self.present[rows]].astype(np.float64)

        mean = sum(seen(rows).sum(axis=0) for rows in blocks) / count
        spread = np.sqrt(sum(((seen(rows) - mean) ** 2).sum(axis=0) for rows in blocks) / count)
        first = self.values[self.present.argmax()]
        # exact; a computed spread of equal numbers may be 1e-17
        constant = ~np.any([(self.values[rows][self.present[rows]] != first).any(axis=0) for rows in blocks], axis=0)
        spread[constant] = np.inf
        return np.asarray(mean), np.asarray(spread)

    def _scaled(self) -> FeatureTable:
        """Return a standardised copy."""
        mean, spread = self._moments()
        scaled = np.zeros_like(self.values)  # absent rows are never written
        for rows in _blocks(self.values):
            seen = self.values[rows][self.present[rows]].astype(np.float64)
            scaled[rows][self.present[rows]] = (seen - mean) / spread
        scaled.flags.writeable = False
        return FeatureTable(self.name, scaled, self.present, source=f"{self.source} (standardised)")


def _blocks(values: npt.NDArray[Any]) -> list[slice]:
    """Return slices of rows such that one has at most ``BLOCK`` numbers, or is one row; at least one slice."""
    size = max(1, BLOCK // values.shape[1])
    return [slice(begin, begin + size) for begin in range(0, max(len(values), 1), size)]


def _matrix(name: str, values: npt.ArrayLike, source: str) -> npt.NDArray[Any]:
    """Return ``values`` as a numeric [rows, dim >= 1] array."""
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{source}: the vectors of modality {name!r} differ in length; all need one dim") from error
    if raw.dtype.kind not in "fiub" or raw.ndim != 2 or not raw.shape[1]:
        given = f"{raw.dtype} of shape {raw.shape}"
        raise DataError(f"{source}: modality {name!r} needs numbers of shape [items, dim >= 1], got {given}")
    return raw
