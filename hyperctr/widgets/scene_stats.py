"""The numbers beside a scene: sizes and overlap, the nearest trained run, selected things, a user's slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.config import Config
from hyperctr.errors import ConfigError, HyperCTRError, RunError
from hyperctr.runs.store import read_json, run_names, runs_folder
from hyperctr.widgets.edges import Edges, overlap_counts
from hyperctr.widgets.scene import Query

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.split_data import SplitData

FIRST = 8  # components of a feature vector that the table of selected things shows


def sizes(edges: Edges, names: Sequence[str], modalities: Sequence[str]) -> dict[str, Any]:
    """Count hyperedges, incidences and nodes, in all and per modality, and the overlap of the modalities.

    >>> edges = Edges(np.array([0, 2]), np.array([0, 1]), np.array([0]), np.array([7]), np.ones(1, np.float32), 3, 9)
    >>> sizes(edges, ["visual"], ["visual"])["modalities"]
    [{'modality': 'visual', 'hyperedges': 1, 'incidences': 2, 'mean_size': 2.0, 'nodes': 2}]
    """
    parts = {name: edges.take(np.flatnonzero(edges.modality == modalities.index(name))) for name in names}
    rows = [{"modality": name, **_counts(part)} for name, part in parts.items()]
    return {**_counts(edges), "modalities": rows, "overlap": overlap_counts(edges, modalities)}


def _counts(edges: Edges) -> dict[str, Any]:
    size = len(edges.nodes) / len(edges) if len(edges) else None
    counts = {"hyperedges": len(edges), "incidences": len(edges.nodes)}
    return {**counts, "mean_size": size, "nodes": len(edges.members)}


def nearest_run(data: Dataset, config: Config, query: Query) -> dict[str, Any] | None:
    """Return ``run``, ``delta`` and test ``auc`` of the finished run nearest in delta, or None.

    Only runs that differ from ``config`` in nothing but delta and the number of neighbours count, those with the
    query's neighbours first: a run with other settings would say nothing about the threshold.
    """
    candidates, varied = [], {name: getattr(config, name) for name in ("interest_threshold", "max_neighbours")}
    for name in run_names():
        folder = runs_folder() / name
        other = _settings(folder, (folder / "DONE").stat().st_mtime) if (folder / "DONE").exists() else None
        if other is None or other.replace(**varied) != config:
            continue
        try:
            metrics = read_json(folder / "metrics.json")
        except RunError:
            continue
        if metrics.get("data_fingerprint") == data.fingerprint and "auc" in metrics:
            apart = (other.max_neighbours != query.neighbours, abs(other.interest_threshold - query.delta), name)
            candidates.append((apart, {"run": name, "delta": other.interest_threshold, "auc": float(metrics["auc"])}))
    return min(candidates, key=lambda pair: pair[0])[1] if candidates else None


@lru_cache(10_000)
def _settings(folder: Path, finished: float) -> Config | None:
    """Settings of a run, read once: those of a finished run never change."""
    try:
        return Config.from_toml(folder / "config.toml")
    except HyperCTRError:  # trained by another version: not ours to judge
        return None


def table(split_data: SplitData, names: Mapping[str, list[str]], ids: Sequence[Any], side: str) -> list[dict[str, Any]]:
    """Return one row per id: ``id``, ``title``, ``popularity`` (training clicks), ``modalities`` and ``features``.

    An item has the modalities it has features of, a user those of the items clicked in training. Features are, by
    modality, the Euclidean ``norm`` and the ``first`` values, None where absent; a user's are the clicked items' mean.

    Raises:
        ConfigError: ``side`` is neither ``user`` nor ``item``.
        DataError: an id is not in the data set.
    """
    if side not in ("user", "item"):
        raise ConfigError(f"side {side!r}: use 'user' or 'item'")
    data, train = split_data.data, split_data.split.train
    user, item = data.user_index[train], data.item_index[train]
    clicked, known = (user, data.users) if side == "user" else (item, data.items)
    rows = []
    for place in (data.users_to_index if side == "user" else data.items_to_index)(ids).tolist():
        clicks = clicked == place
        items = np.unique(item[clicks]) if side == "user" else np.array([place])
        features = {m: _features(table.values[items[table.present[items]]]) for m, table in data.features.items()}
        present = [m for m, values in features.items() if values is not None]
        row = {"id": known[[place]].tolist()[0], "title": names[side][place]}  # a plain id, whatever was passed
        rows.append(row | {"popularity": int(clicks.sum()), "modalities": present, "features": features})
    return rows


def selection_frame(rows: Sequence[dict[str, Any]], modalities: Sequence[str]) -> pd.DataFrame:
    """Return the rows of :func:`table` as a frame: by modality the norm of the features and the first three values."""
    frame = pd.DataFrame(rows, columns=["id", "title", "popularity"])
    for name in modalities:
        features = [row["features"][name] or {"norm": None, "first": None} for row in rows]
        frame[f"{name} norm"] = [part["norm"] for part in features]
        frame[name] = [part["first"] and [round(value, 3) for value in part["first"][:3]] for part in features]
    return frame


def _features(values: NDArray[np.float32]) -> dict[str, Any] | None:
    if not len(values):
        return None
    mean = values.mean(0, dtype=np.float64)
    return {"norm": float(np.linalg.norm(mean)), "first": mean[:FIRST].tolist()}


def timeline(split_data: SplitData, interest: Interest, user: Any) -> list[dict[str, Any]]:
    """Return one row per slot: ``slot``, ``label``, ``clicks`` and ``interest`` per modality, None where unknown."""
    data, train, slots = split_data.data, split_data.split.train, split_data.slots
    place = int(data.users_to_index([user])[0])
    rows = train[data.user_index[train] == place]
    clicks = np.bincount(slots.index[rows], minlength=slots.count).tolist()
    values = [[None if np.isnan(value) else float(value) for value in row] for row in interest.matrix[:, place]]
    by_modality = [dict(zip(interest.modalities, row, strict=True)) for row in values]
    return [
        {"slot": slot, "label": label, "clicks": clicks[slot], "interest": by_modality[slot]}
        for slot, label in enumerate(slots.labels)
    ]
