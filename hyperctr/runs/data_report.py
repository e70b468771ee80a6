"""What `hyperctr data check` tells of a data set: all faults at once, or what a model will find in it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperctr.baselines.popularity import popularity
from hyperctr.config import Config
from hyperctr.data import registry
from hyperctr.data.negatives import streamed_pool
from hyperctr.data.options import Given, TableOptions, parse_options
from hyperctr.errors import DataError, DataWarning, HyperCTRError
from hyperctr.metrics import auc_from_scores
from hyperctr.split_data import SplitData

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

TEST_CLICKS, CANDIDATES = 20_000, 100  # that popularity is tested on


@dataclass(frozen=True)
class DataReport:
    """What was found.

    Attributes:
        faults: why it cannot be read or trained on, a text each; empty: it can.
        warnings: all that is said when it is loaded or trained on, and what is suspicious.
        facts: name -> value, in the order to show them: Table 1's row and what more there is to know.
        name: what the data set is called.
    """

    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    name: str = ""


def check_data(dataset: str, data_dir: str | Path | None = None, options: Given = ()) -> DataReport:
    """Read a data set and say all that is wrong with it, or what a model will find in it.

    Args:
        dataset: a name, or the folder of a ``table``.
        data_dir: where its files lie.
        options: of the data set.

    Raises:
        DataError: there is no such data set, folder or option.

    >>> report = check_data("planted", options={"num_users": 60, "num_items": 90, "num_interactions": 1200})
    >>> report.faults, report.facts["users"], report.facts["slots"]
    ((), 60, 6)
    """
    dataset, data_dir = registry.name_or_folder(dataset, data_dir)
    given = parse_options(options)
    if dataset not in registry.SOURCES or (data_dir and not registry.data_directory(data_dir).is_dir()):
        registry.load_dataset(dataset, data_dir=data_dir, **given)  # raises
    if dataset == "table":
        TableOptions.from_dict(given)
    said: list[str] = []
    faults: tuple[str, ...] = ()
    with _heard(said):
        try:
            data = registry.load_dataset(dataset, data_dir=data_dir, **given)
        except DataError as error:
            return DataReport(error.faults, tuple(dict.fromkeys(said)), name=dataset)
        said[:] = dict.fromkeys([*data.warnings, *said])
        facts = {**data.table1_row(), **facts_of(data)}
        try:
            facts |= _facts_of_split(SplitData.open(data, Config()), said)
        except HyperCTRError as error:
            faults = (f"{data.name}: no model can be trained on it: {error}",)
    return DataReport(faults, tuple(dict.fromkeys(said)), facts | {"fingerprint": data.fingerprint}, data.name)


@contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """Gather data warnings instead of showing them."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = lambda message, *_, **__: said.append(str(message))
        yield


def facts_of(data: Dataset) -> dict[str, Any]:
    """Return what there is to know of rows, users and items before they are split."""
    pairs = data.user_index * np.int64(data.num_items) + data.item_index
    rows = np.bincount(data.user_index, minlength=data.num_users)
    clicks = np.bincount(data.user_index[data.clicked], minlength=data.num_users)
    clicked_items = np.bincount(data.item_index[data.clicked], minlength=data.num_items)
    facts: dict[str, Any] = {"base_rate": float(data.clicked.mean())}
    facts["repeated_pairs"] = len(pairs) - len(np.unique(pairs))
    facts |= {"users_one_click": int((clicks == 1).sum()), "users_no_click": int((clicks == 0).sum())}
    facts["items_no_click"] = int((clicked_items == 0).sum())
    if not data.clicked.all():
        facts["users_all_clicked"] = int(((clicks == rows) & (rows > 0)).sum())
    if data.features:
        present = np.stack([table.present for table in data.features.values()])
        facts["items_all_modalities"] = int(present.all(axis=0).sum())
        facts["items_no_modality"] = int((~present.any(axis=0)).sum())
    return facts


def _facts_of_split(split_data: SplitData, said: list[str]) -> dict[str, Any]:
    """Return what the default split and slots give; what is suspicious is added to ``said``."""
    data, split, slots = split_data.data, split_data.split, split_data.slots
    train, test, of = split.train, split.test, slots.index
    per_slot = np.bincount(of[train], minlength=slots.count)
    facts: dict[str, Any] = {"slots": slots.count, "slots_filled": int((per_slot > 0).sum())}
    facts |= {"clicks_a_slot": f"{per_slot.min():,} to {per_slot.max():,}, median {np.median(per_slot):,.0f}"}
    facts["first_slot"], facts["last_slot"] = slots.labels[0], slots.labels[-1]
    for kind, index, count in (("users", data.user_index, data.num_users), ("items", data.item_index, data.num_items)):
        trained = np.bincount(index[train], minlength=count) > 0
        facts[f"test_clicks_cold_{kind}"] = float((~trained[index[test]]).mean()) if len(test) else 0.0
    facts["popularity_auc"] = _popularity_auc(split_data)

    facts["causal_hyperedges"] = earlier = earlier_hyperedges(split_data)
    said += slot_warnings(split_data, earlier)
    return facts


def slot_warnings(split_data: SplitData, earlier: int | None = None) -> list[str]:
    """Return what is suspicious of the slots, a sentence each; under ``causal`` give :func:`earlier_hyperedges`."""
    data, slots = split_data.data, split_data.slots
    said = []
    if len(np.unique(slots.index[split_data.split.train])) < 2:
        row = data.table1_row()
        said.append(
            f"{data.name}: ALL CLICKS LIE IN ONE TIME SLOT (times {row['first']} to {row['last']}): nothing can be "
            "learned from the course of time; check the unit of time (--option time=ms, say), or ask for shorter slots "
            "(--option slot_count=12)"
        )
    if earlier == 0:
        said.append(
            f"{data.name}: under the protocol `causal` no prediction will see any hypergraph (none ends before)"
        )
    return said


def earlier_hyperedges(split_data: SplitData) -> int:
    """Return how many hyperedges, of both sides, targets under ``causal`` can see: in slots before the last one.

    It is the most there can be in a modality, as interest is not known before it is learned.
    """
    data, of = split_data.data, split_data.slots.index
    train = split_data.split.train
    rows = train[of[train] < split_data.slots.count - 1]
    pairs = np.unique(
        (of[rows] * np.int64(data.num_users) + data.user_index[rows]) * data.num_items + data.item_index[rows]
    )
    of_user, item = np.divmod(pairs, data.num_items)
    of_item = of_user // data.num_users * data.num_items + item
    return sum(int((np.unique(owner, return_counts=True)[1] >= 2).sum()) for owner in (of_user, of_item))


def _popularity_auc(split_data: SplitData) -> float:
    """Return the test AUC of counting training clicks, over sampled candidates."""
    data, logits = split_data.data, popularity(split_data)
    pool = streamed_pool(data, split_data.split, "test", count=CANDIDATES, max_rows=TEST_CLICKS)
    negatives = np.asarray(pool.negatives[:])
    return float(auc_from_scores(logits[pool.items], logits[negatives[negatives >= 0]]))
