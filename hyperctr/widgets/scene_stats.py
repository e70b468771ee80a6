"""The numbers beside a scene: sizes and overlap, the selected items or users, a user's slots, two scenes compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.config import Config
from hyperctr.errors import ConfigError, HyperCTRError
from hyperctr.widgets.edges import Edges, overlap_counts
from hyperctr.widgets.picture import Query

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.slots import Slots

FIRST = 8  # components of a feature vector that the table of selected things shows


def titles(data: Dataset) -> dict[str, list[str]]:
    """Return what to call every user and every item: its title, or its kind and id."""
    column = data.item_table["title" if "title" in data.item_table else "item_id"]
    named = column.where(column.notna(), "").astype(str).tolist() if column.name == "title" else [""] * data.num_items
    return {
        "user": [f"user {name}" for name in data.users.tolist()],
        "item": [title or f"item {name}" for title, name in zip(named, data.items.tolist(), strict=True)],
    }


def sizes(edges: Edges, names: Sequence[str], modalities: Sequence[str]) -> dict[str, Any]:
    """Count hyperedges, incidences and nodes, in all and per modality, and the overlap of the modalities.

    >>> edges = Edges(np.array([0, 2]), np.array([0, 1]), np.array([0]), np.array([7]), np.ones(1, np.float32), 3, 9)
    >>> sizes(edges, ["visual"], ["visual"])["modalities"]
    [{'modality': 'visual', 'hyperedges': 1, 'incidences': 2, 'mean_size': 2.0, 'nodes': 2}]
    """
    rows = []
    for name in names:
        own = edges.modality == modalities.index(name)
        size, members = edges.size[own], np.unique(edges.nodes[own[edges.edge]])
        mean = float(size.mean()) if len(size) else None
        rows.append(
            {
                "modality": name,
                "hyperedges": len(size),
                "incidences": int(size.sum()),
                "mean_size": mean,
                "nodes": len(members),
            }
        )
    return {
        "hyperedges": len(edges),
        "incidences": len(edges.nodes),
        "mean_size": len(edges.nodes) / len(edges) if len(edges) else None,
        "nodes": len(np.unique(edges.nodes)),
        "modalities": rows,
        "overlap": overlap_counts(edges, modalities),
    }


_seen: dict[Path, tuple[float, Config | None]] = {}  # settings of finished runs never change


def nearest_run(data: Dataset, config: Config, query: Query) -> dict[str, Any] | None:
    """Return ``run``, ``delta`` and test ``auc`` of the finished run nearest in delta, or None.

    Only runs that differ from ``config`` in nothing but delta and the number of neighbours count, those with the
    query's neighbours first: a run with other settings would say nothing about the threshold.
    """
    import json

    from hyperctr.runs.store import runs_folder

    store = runs_folder()
    found = []
    for folder in sorted(store.iterdir()) if store.is_dir() else []:
        other = _settings(folder)
        if other is None or other.replace(delta=config.delta, neighbours=config.neighbours) != config:
            continue
        try:
            metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if metrics.get("data_fingerprint") == data.fingerprint and "auc" in metrics:
            apart = (other.neighbours != query.neighbours, abs(other.delta - query.delta), folder.name)
            found.append((apart, {"run": folder.name, "delta": other.delta, "auc": float(metrics["auc"])}))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _settings(folder: Path) -> Config | None:
    """Settings of a finished run, None for anything else."""
    done = folder / "DONE"
    if not done.exists():
        return None
    age = done.stat().st_mtime
    if _seen.get(folder, (None, None))[0] != age:
        try:
            _seen[folder] = age, Config.from_toml(folder / "config.toml")
        except HyperCTRError:  # trained by another version: not ours to judge
            _seen[folder] = age, None
    return _seen[folder][1]


def table(
    data: Dataset, split: Split, names: dict[str, list[str]], ids: Sequence[Any], side: str
) -> list[dict[str, Any]]:
    """Return one row per id: ``id``, ``title``, ``popularity`` (training clicks), ``modalities`` and ``features``.

    An item has the modalities it has features of, a user those of the items clicked in training. Features are, by
    modality, the Euclidean ``norm`` and the ``first`` values, None where absent; a user's are the clicked items' mean.
    """
    if side not in ("user", "item"):
        raise ConfigError(f"side {side!r}: use 'user' or 'item'")
    user, item = data.user_index[split.train], data.item_index[split.train]
    index = (data.users_to_index if side == "user" else data.items_to_index)(ids)
    clicks = np.bincount(user if side == "user" else item, minlength=data.num_users + data.num_items)
    rows = []
    own = (data.users if side == "user" else data.items)[index].tolist()  # plain ids, whatever was passed
    for name, place in zip(own, index.tolist(), strict=True):
        seen = item[user == place] if side == "user" else np.array([place])
        seen = np.unique(seen)
        features = {m: _features(table.values[seen[table.present[seen]]]) for m, table in data.features.items()}
        present = [m for m, values in features.items() if values is not None]
        row = {"id": name, "title": names[side][place], "popularity": int(clicks[place]), "modalities": present}
        rows.append(row | {"features": features})
    return rows


def _features(values: NDArray[np.float32]) -> dict[str, Any] | None:
    if not len(values):
        return None
    mean = values.mean(0, dtype=np.float64)
    return {"norm": float(np.linalg.norm(mean)), "first": mean[:FIRST].tolist()}


def timeline(data: Dataset, split: Split, slots: Slots, interest: Interest, user: Any) -> list[dict[str, Any]]:
    """Return one row per slot: ``slot``, ``label``, ``clicks`` and ``interest`` per modality, None where unknown."""
    place = int(data.users_to_index([user])[0])
    rows = split.train[data.user_index[split.train] == place]
    clicks = np.bincount(slots.index[rows], minlength=slots.count).tolist()
    return [
        {
            "slot": slot,
            "label": label,
            "clicks": clicks[slot],
            "interest": {
                name: None if np.isnan(value) else float(value)
                for name, value in zip(interest.modalities, interest.matrix[slot, place], strict=True)
            },
        }
        for slot, label in enumerate(slots.labels)
    ]


def difference(a: Edges, b: Edges, ids: NDArray[Any], names: Sequence[str]) -> dict[str, list[tuple[str, Any]]]:
    """Name the hyperedges (modality, id) in one, the other or both, and those of both whose members changed."""

    def named(numbers: NDArray[np.int64]) -> list[tuple[str, Any]]:
        modality, label = np.divmod(numbers, a.num_labels)
        return [(names[m], name) for m, name in zip(modality, ids[label].tolist(), strict=True)]

    both, in_a, in_b = np.intersect1d(a.number, b.number, assume_unique=True, return_indices=True)
    moved = [
        not np.array_equal(
            a.nodes[a.offsets[left] : a.offsets[left + 1]], b.nodes[b.offsets[right] : b.offsets[right + 1]]
        )
        for left, right in zip(in_a, in_b, strict=True)
    ]
    return {
        "only_a": named(np.setdiff1d(a.number, b.number, assume_unique=True)),
        "only_b": named(np.setdiff1d(b.number, a.number, assume_unique=True)),
        "both": named(both),
        "changed": named(both[np.array(moved, dtype=bool)]),
    }
