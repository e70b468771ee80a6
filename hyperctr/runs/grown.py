"""A finished run on data that have grown since: users and items it has not seen, and newer clicks of users.

Nothing is trained. A new user has a vector of zeros, as users have who are hidden in training; a new item its
modalities alone, where its vectors lie beside those of the others. Newer clicks are read by whatever reads histories;
hypergraphs stay those of training.
"""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from hyperctr.data.table import vectors_of
from hyperctr.errors import DataWarning
from hyperctr.runs.scoring import build_model
from hyperctr.training.checkpoint import load_parameters, load_tensors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hyperctr.data.dataset import Dataset
    from hyperctr.model.base import ClickModel
    from hyperctr.runs.run import Run
    from hyperctr.split_data import SplitData

Ids = npt.NDArray[Any]


def grown_model(
    run: Run, users: Iterable[Any], items: Iterable[Any], history: pd.DataFrame | None
) -> tuple[ClickModel, SplitData]:
    """Return a run's model for more users and items, with newer clicks in its histories, and the data it is for.

    Args:
        run: a finished run.
        users: ids that are to be known; those that are, are left as they are.
        items: the same of items.
        history: newer clicks, ``user_id, item_id, timestamp[, clicked]``; their users are known afterwards. Rows that
            are no clicks, training clicks already, or of unknown items are left out, and counted in a warning.

    Raises:
        RunError: the run's model does not grow.
    """
    split_data = run.split_data
    data = split_data.data
    more = [] if history is None else history["user_id"].tolist()
    split_data = replace(split_data, data=with_more(data, [*users, *more], items))
    model = build_model(split_data, run.config, run.interest, history=with_history(split_data, history))
    path = run.folder / "model.safetensors"
    tensors, sizes = load_tensors(path)[0], {name: value.shape for name, value in model.state_dict().items()}
    for name, value in tensors.items():
        short = [wanted - there for wanted, there in zip(sizes.get(name, value.shape), value.shape, strict=False)]
        if any(short) and min(short) >= 0:
            pads = [pad for missing in reversed(short) for pad in (0, missing)]
            tensors[name] = torch.nn.functional.pad(value, pads)
    load_parameters(model, tensors, path)
    return model.eval(), split_data


def with_more(data: Dataset, users: Iterable[Any], items: Iterable[Any]) -> Dataset:
    """Return a data set with more users and items behind those that it has; features are standardised as before."""
    grown = copy(data)
    vars(grown).pop("fingerprint", None)
    grown.users, grown._user_ids = _appended(data.users, users)
    grown.items, grown._item_ids = _appended(data.items, items)
    new = grown.items[data.num_items :]
    if len(new):
        given = vectors_of(data.folder, new, data.modalities) if data.folder else {}
        blank = {name: (np.zeros((len(new), t.dim)), np.zeros(len(new), bool)) for name, t in data.features.items()}
        grown.features = {name: t.with_rows(*{**blank, **given}[name]) for name, t in data.features.items()}
    return grown


def with_history(split_data: SplitData, history: pd.DataFrame | None) -> SplitData:
    """Return the same data with newer clicks behind the rows of training, so that these keep their numbers."""
    if history is None:
        return split_data
    data, split, slots = split_data.data, split_data.split, split_data.slots
    clicks = history[history["clicked"].to_numpy(dtype=bool)] if "clicked" in history else history
    user = data._user_ids.get_indexer(pd.Index(clicks["user_id"])).astype(np.int64)
    item = data._item_ids.get_indexer(pd.Index(clicks["item_id"])).astype(np.int64)
    time = clicks["timestamp"].to_numpy(dtype=np.int64)
    rows = pd.MultiIndex.from_arrays([user, item, time])
    train = split.train
    known: Any = pd.MultiIndex.from_arrays([data.user_index[train], data.item_index[train], data.timestamp[train]])
    repeated, unknown = rows.isin(known) | rows.duplicated(), item < 0
    new = ~repeated & ~unknown & (user >= 0)
    if not new.all() or len(clicks) < len(history):
        left = f"{len(history) - len(clicks):,} are no clicks, {(repeated & ~unknown).sum():,} are known already"
        warnings.warn(
            f"history: {new.sum():,} of {len(history):,} rows are used; {left}, {unknown.sum():,} are of unknown items",
            DataWarning,
            stacklevel=4,
        )
    longer = copy(data)
    longer.user_index = np.concatenate([data.user_index, user[new]])
    longer.item_index = np.concatenate([data.item_index, item[new]])
    longer.timestamp = np.concatenate([data.timestamp, time[new]])
    longer.clicked = np.concatenate([data.clicked, np.ones(new.sum(), bool)])
    part = np.concatenate([split.part, np.zeros(new.sum(), np.int8)])
    index = np.concatenate([slots.index, slots.of(time[new])])
    parts = replace(split, part=part, clicked=longer.clicked)
    return replace(split_data, data=longer, split=parts, slots=replace(slots, index=index))


def moments_of(users: Sequence[Any], latest: int, history: pd.DataFrame | None) -> npt.NDArray[np.int64]:
    """Return the moments at which users are scored who are asked about without one, int64 ``[n]``.

    It is ``latest``, the end of the data set's clock, or the tick after the user's own last click in ``history``: newer
    clicks of others move nobody's moment.

    >>> newer = pd.DataFrame({"user_id": ["a"], "item_id": [7], "timestamp": [50]})
    >>> moments_of(["a", "b"], 40, newer)
    array([51, 40])
    """
    moments = np.full(len(users), latest, dtype=np.int64)
    if history is not None and len(users):
        clicks = history[history["clicked"].to_numpy(dtype=bool)] if "clicked" in history else history
        last = clicks.groupby("user_id")["timestamp"].max()
        own = pd.Series(list(users)).map(last)
        newer = own.notna().to_numpy()
        moments[newer] = np.maximum(moments[newer], own[newer].to_numpy(dtype=np.int64) + 1)
    return moments


def _appended(known: Ids, ids: Iterable[Any]) -> tuple[Ids, pd.Index[Any]]:
    """Return ids with those that are not among them behind, and the index of all."""
    wanted = pd.Series(list(ids), dtype=object).drop_duplicates()
    new = wanted[~wanted.isin(known)].tolist()
    if not new:
        return known, pd.Index(known)
    whole = known.dtype.kind == "i" and all(isinstance(value, int) for value in new)
    every = np.array([*known.tolist(), *new], dtype=np.int64 if whole else object)
    return every, pd.Index(every)
