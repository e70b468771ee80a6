"""A data set: interactions, item features and the maps between public ids and dense indices."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.features import FeatureTable
from hyperctr.data.ids import clean_ids, find_ids, shown
from hyperctr.data.interactions import Interactions, rows_frame
from hyperctr.data.options import TableOptions
from hyperctr.data.times import Clock
from hyperctr.errors import DataError, DataWarning, did_you_mean
from hyperctr.lazy import lazy_function

FIRST_MODALITIES = ("visual", "acoustic", "textual")


def modality_rank(name: str) -> tuple[int, str]:
    """Return the key that sorts modalities as every data set does: the paper's three first, then by name."""
    return (FIRST_MODALITIES.index(name) if name in FIRST_MODALITIES else len(FIRST_MODALITIES), name)


class Dataset:
    """Everything a model may learn from, validated and immutable.

    Letters: U users, I items, n interaction rows. Index order is the sorted order of the ids.

    Args:
        name: short name, shown in reports.
        interactions: an :class:`Interactions`, or a frame to build one from.
        features: one :class:`FeatureTable` a modality, each aligned with ``items``.
        items: the catalogue: sorted unique ids of all items, also those nobody was shown. By default the items of the
            interactions. With a catalogue, an interaction with any other item is an error.
        item_table: frame with ``item_id`` and anything worth showing (``title``, ...); any row order.
        licence: text that must travel with the data.
        truth: what a generator planted, where the data are synthetic.
        notes: warnings of the importer, kept with those of the containers.
        options: what a user said of the files; of these, time slots hold where settings leave their default.

    Attributes:
        users: [U] ids. items: [I] ids (int64, or object of str).
        user_index, item_index: int64 [n], dense indices of each row. timestamp: int64 [n]. clicked: bool [n].
        features: dict, modality -> FeatureTable, in the order of ``modalities``.

    Raises:
        DataError: anything that does not fit together; the message names file, row and value.

    >>> log = pd.DataFrame({"user_id": ["u", "u", "v", "v"], "item_id": [7, 9, 9, 7], "timestamp": range(4)})
    >>> data = Dataset("tiny", log, [FeatureTable("visual", [[0.5], [1.5]])])
    >>> data.users.tolist(), data.items.tolist(), data.item_index.tolist()
    (['u', 'v'], [7, 9], [0, 1, 1, 0])
    """

    origin: dict[str, Any] | None = None
    folder: Path | None = None  # where its files lie, of a ``table``

    def __init__(
        self,
        name: str,
        interactions: Interactions | pd.DataFrame,
        features: Iterable[FeatureTable] = (),
        *,
        items: npt.NDArray[Any] | None = None,
        item_table: pd.DataFrame | None = None,
        licence: str = "",
        truth: Any = None,
        notes: Sequence[str] = (),
        options: TableOptions | None = None,
    ) -> None:
        log = interactions if isinstance(interactions, Interactions) else Interactions(interactions)
        self.name, self.licence, self.truth = name, licence, truth
        self.clock: Clock = log.clock
        self.options = options or TableOptions(clock=log.clock)
        self.users, self.user_index = log.users, log.user_index
        self.items: npt.NDArray[Any] = log.items if items is None else _catalogue(items)
        self._user_ids: pd.Index[Any] = pd.Index(self.users)
        self._item_ids: pd.Index[Any] = pd.Index(self.items)
        self.item_index = log.item_index if items is None else self._listed(log)
        self.timestamp, self.clicked = log.timestamp, log.clicked
        self.features = self._aligned(features)
        self.modalities: tuple[str, ...] = tuple(self.features)
        self.item_table = self._shown(item_table)
        self.warnings = [*notes, *log.warnings, *(w for table in self.features.values() for w in table.warnings)]
        self._count_bare_items()
        self.items.flags.writeable = self.item_index.flags.writeable = False

    def _listed(self, log: Interactions) -> npt.NDArray[np.int64]:
        """Return where in the catalogue each row's item is."""
        place = self._item_ids.get_indexer(pd.Index(log.items)).astype(np.int64)
        item_index: npt.NDArray[np.int64] = place[log.item_index]
        if (place < 0).any():
            unlisted = np.flatnonzero(item_index < 0)
            item, row = shown(log.items[log.item_index[unlisted[0]]]), log.where(int(unlisted[0]))
            raise DataError(
                f"{row}: item_id {item} is not in the catalogue of {len(self.items):,} items ({len(unlisted):,} such "
                "rows); add the item to the catalogue, remove the rows, or work without a catalogue"
            )
        return item_index

    def _aligned(self, features: Iterable[FeatureTable]) -> dict[str, FeatureTable]:
        tables = list(features.values()) if isinstance(features, dict) else list(features)
        tables.sort(key=lambda table: modality_rank(table.name))
        names = [table.name for table in tables]
        for table in tables:
            if names.count(table.name) > 1:
                raise DataError(f"{self.name}: modality {table.name!r} is given twice; one table a modality is allowed")
            if len(table) != len(self.items):
                sizes = f"{len(table):,} rows for {len(self.items):,} items"
                fix = "align it with FeatureTable.from_rows"
                raise DataError(f"{table.source}: modality {table.name!r} has {sizes}; {fix}")
        return dict(zip(names, tables, strict=True))

    def _shown(self, item_table: pd.DataFrame | None) -> pd.DataFrame:
        if item_table is None:
            return pd.DataFrame({"item_id": self.items})
        if "item_id" not in item_table.columns:
            raise DataError(f"{self.name}: the item table lacks column 'item_id'; found {list(item_table.columns)}")
        ids = clean_ids(item_table["item_id"], source=f"{self.name}, item table")
        table = item_table.drop(columns="item_id").set_index(pd.Index(ids))
        if not table.index.is_unique:
            twice = shown(ids[table.index.duplicated()][0])
            raise DataError(f"{self.name}: item {twice} stands twice in the item table")
        table = table.reindex(self._item_ids).reset_index(drop=True)
        table.insert(0, "item_id", self.items)
        return table

    def _count_bare_items(self) -> None:
        present = np.any([table.present for table in self.features.values()], axis=0)
        if self.features and not present.all():
            bare = f"{(~present).sum():,} of {len(self.items):,} items have no feature in any modality"
            self.warnings.append(f"{self.name}: {bare}; they were kept, all modalities masked")
            warnings.warn(self.warnings[-1], DataWarning, stacklevel=3)

    @property
    def interactions(self) -> pd.DataFrame:
        """Columns user_id, item_id, timestamp int64, clicked bool, sorted by time (made anew at each call)."""
        return self.rows(slice(None))

    def rows(self, chosen: slice | npt.NDArray[np.int64]) -> pd.DataFrame:
        """Return some rows of :attr:`interactions`; the others are not made."""
        user, item, time = self.user_index[chosen], self.item_index[chosen], self.timestamp[chosen]
        return rows_frame(self.users, user, self.items, item, time, self.clicked[chosen])

    @property
    def num_users(self) -> int:
        """U."""
        return len(self.users)

    @property
    def num_items(self) -> int:
        """I."""
        return len(self.items)

    @property
    def clicks(self) -> npt.NDArray[np.int64]:
        """Row numbers of the clicks."""
        return np.flatnonzero(self.clicked).astype(np.int64)

    @property
    def non_clicks(self) -> npt.NDArray[np.int64]:
        """Row numbers of what was shown and not clicked."""
        return np.flatnonzero(~self.clicked).astype(np.int64)

    def users_to_index(self, ids: Iterable[Any]) -> npt.NDArray[np.int64]:
        """Map user ids to 0..U-1; an unknown id raises ``DataError`` naming it."""
        return find_ids(self._user_ids, ids, "user")

    def items_to_index(self, ids: Iterable[Any]) -> npt.NDArray[np.int64]:
        """Map item ids to 0..I-1; an unknown id raises ``DataError`` naming it."""
        return find_ids(self._item_ids, ids, "item")

    def subset_modalities(self, names: Sequence[str]) -> Dataset:
        """Return the same data set with only the named modalities (at least one).

        Raises:
            DataError: a name is unknown, or none is given.
        """
        for name in names:
            if name not in self.features:
                raise DataError(f"{self.name}: modality {name!r} is not known; {did_you_mean(name, self.modalities)}")
        if not names or isinstance(names, str):
            raise DataError(f"{self.name}: give a list of at least one modality of {list(self.modalities)}")
        other = copy(self)
        other.features = {name: table for name, table in self.features.items() if name in names}
        other.modalities = tuple(other.features)
        vars(other).pop("fingerprint", None)
        return other

    def without_slots(self) -> Dataset:
        """Return the same data set without time slots of its own."""
        if not (self.options.slot_months or self.options.slot_count):
            return self
        other = copy(self)
        other.options = replace(self.options, slot_months=0, slot_count=0)
        if self.origin:
            none = {"slot_months": 0, "slot_count": 0}
            other.origin = {**self.origin, "options": {**self.origin["options"], **none}}
        vars(other).pop("fingerprint", None)
        return other

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything a model can read: ids, rows, clock and features (not titles or licence)."""
        digest = hashlib.sha256(f"hyperctr dataset 1, clock {self.clock}".encode())
        if self.options.slot_months or self.options.slot_count:  # they decide which hypergraphs there are
            digest.update(f"\x1dslots {self.options.slot_months} {self.options.slot_count}".encode())
        for ids in (self.users, self.items):
            digest.update(f"\x1d{ids.dtype.kind}\x1f".encode() + "\x1f".join(map(str, ids.tolist())).encode())
        for rows in (self.user_index, self.item_index, self.timestamp):
            digest.update(np.ascontiguousarray(rows, dtype="<i8").data)
        digest.update(self.clicked.data)
        for name, table in self.features.items():
            digest.update(f"\x1d{name}\x1f{table.dim}\x1f".encode())
            digest.update(np.ascontiguousarray(table.values, dtype="<f4").data)
            digest.update(table.present.data)
        return digest.hexdigest()

    def table1_row(self) -> dict[str, Any]:
        """Return this data set's row of Table 1: counts, sparsity (a fraction, 0..1), dims and clock.

        Sparsity is one minus interactions over users times items; coverage the share of items not masked.

        >>> log = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [7, 8, 7, 9], "timestamp": [0, 9, 2, 3]})
        >>> Dataset("tiny", log, [FeatureTable("visual", [[1.0], [2.0], [3.0]])]).table1_row()["sparsity"]
        0.33333333333333337
        """
        ends = [int(self.timestamp[0]), int(self.timestamp[-1])]
        first, last = map(str, ends)
        if self.clock == "calendar":
            first, last = (datetime.fromtimestamp(second, UTC).date().isoformat() for second in ends)
        row: dict[str, Any] = {
            "dataset": self.name,
            "items": self.num_items,
            "users": self.num_users,
            "interactions": len(self.clicked),
            "clicks": int(self.clicked.sum()),
            "non_clicks": int((~self.clicked).sum()),
            "sparsity": 1.0 - len(self.clicked) / (self.num_users * self.num_items),
        }
        row |= {f"{name}_dim": table.dim for name, table in self.features.items()}
        row |= {f"{name}_coverage": float(table.present.mean()) for name, table in self.features.items()}
        return row | {"clock": self.clock, "first": first, "last": last}

    def __repr__(self) -> str:
        dims = ", ".join(f"{name} {table.dim}" for name, table in self.features.items()) or "none"
        return (
            f"Dataset({self.name!r}: {self.num_users:,} users, {self.num_items:,} items, "
            f"{int(self.clicked.sum()):,} clicks, {len(self.non_clicks):,} non-clicks, {self.clock} clock, "
            f"features: {dims})"
        )

    _repr_html_ = lazy_function("display.cards:dataset")


def _catalogue(items: npt.NDArray[Any]) -> npt.NDArray[Any]:
    ids = clean_ids(pd.Series(items, name="item_id"), source="items")
    if not len(ids) or (ids[1:] <= ids[:-1]).any():
        raise DataError("items must be sorted and unique: use np.unique(items)")
    return ids
