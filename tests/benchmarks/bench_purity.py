"""How much of the truth of ``planted`` the maps show: of a node's ten nearest, the share of its own topic or group.

    python -m tests.benchmarks.bench_purity --out purity.csv

Items are judged by their topic in the map's modality, users by their group. Beside the map stand what its coordinates
have before they are drawn in two dimensions, which no map of them can pass by much; what the truth's own vectors have
(content of items, taste of users), of which a click log is a noisy picture; and chance. Other ways to draw the same
coordinates are measured where they are installed: scikit-learn's t-SNE and UMAP, the latter in its second call, since
the first compiles. The last rows are times of as many users as fill a large log, drawn with groups but no features.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import hyperctr as hc
from hyperctr.config import Config
from hyperctr.display.layout import layered_maps, spectral_vectors
from hyperctr.display.neighbour_map import neighbour_map
from hyperctr.runs.session import Session
from hyperctr.runtime import rng, write_atomic
from hyperctr.widgets.places import vectors_of

NEAREST = 10
Points = NDArray[np.floating]
Row = dict[str, Any]


def purity(points: Points, kind: NDArray[np.int64]) -> float:
    """Return the share of every point's ten nearest that are of its own kind.

    >>> purity(np.repeat([[0.0], [9.0]], 11, axis=0), np.repeat([0, 1], 11))
    1.0
    """
    near = cKDTree(points).query(points, NEAREST + 1)[1][:, 1:]
    return float((kind[near] == kind[:, None]).mean())


def chance(kind: NDArray[np.int64]) -> float:
    """Return the same share among neighbours drawn by chance."""
    return float(((np.bincount(kind) / len(kind)) ** 2).sum())


def others() -> dict[str, Callable[[Points], Points]]:
    """Return other ways to draw a map, as far as they are installed."""
    ways: dict[str, Callable[[Points], Points]] = {"first two coordinates": lambda vectors: vectors[:, :2]}
    if find_spec("sklearn"):
        from sklearn.manifold import TSNE

        ways["t-SNE of scikit-learn"] = lambda vectors: TSNE(random_state=0, max_iter=300).fit_transform(vectors)
    if find_spec("umap"):
        from umap import UMAP

        UMAP(random_state=0).fit_transform(np.eye(50))
        ways["UMAP"] = lambda vectors: UMAP(random_state=0).fit_transform(vectors)
    return ways


def timed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what a call gives, and its CPU seconds."""
    start = time.process_time()
    result = call()
    return result, {"cpu_seconds": time.process_time() - start}


def planted_rows(seed: int) -> list[Row]:
    """Measure the maps of ``planted`` in full size, as the inspector draws them, and those drawn otherwise."""
    data = hc.load_dataset("planted", seed=seed)
    session = Session(data, Config.for_model("hyperctr", "quick"))
    truth, train, degree = data.truth, session.split.train, session.interest.degree
    rows: list[Row] = []
    for kind in ("item", "user"):
        vectors, vectors_took = timed(lambda kind=kind: vectors_of(data, train, degree, kind))
        (joint, own), maps_took = timed(lambda vectors=vectors: layered_maps(vectors))
        for m, name in enumerate(data.modalities):
            true = truth.groups if kind == "user" else truth.topics[name]
            bounds = {
                "coordinates": purity(vectors[m], true),
                "truth": purity(truth.taste[name] if kind == "user" else truth.content[name], true),
                "chance": chance(true),
            }
            row = {"nodes": f"{len(true):,} {kind}s", "modality": name}
            took = {"cpu_seconds": (vectors_took["cpu_seconds"] + maps_took["cpu_seconds"]) / (len(vectors) + 1)}
            rows.append(row | {"map": "ours", "purity": purity(own[m], true)} | bounds | took)
            rows.append(row | {"map": "ours, the joint one", "purity": purity(joint, true)} | bounds)
            if m == 0:
                for way, call in others().items():
                    places, took = timed(lambda call=call, m=m, vectors=vectors: call(vectors[m]))
                    rows.append(row | {"map": way, "purity": purity(places, true)} | bounds | took)
    return rows


def large_rows(users: int, groups: int, seed: int) -> list[Row]:
    """Time all maps of many users, of whom each clicks 25 times, 15 of these at items of the group."""
    draw = rng(seed, "bench", "purity")
    group = draw.integers(groups, size=users)
    user, own = np.repeat(np.arange(users), 25), draw.random(25 * users) < 0.6
    item = (users * draw.random(len(user)) ** 3).astype(np.int64)
    item = np.where(own, item // groups * groups + group[user], item) % users
    modalities = ("visual", "acoustic", "textual")
    start = time.process_time()
    vectors = [spectral_vectors(user, item, users, users, draw.random(len(user))) for _ in modalities]
    joint, _ = layered_maps(vectors)
    took = time.process_time() - start
    row = {
        "nodes": f"{users:,} users",
        "modality": "all three",
        "map": "ours, all four",
        "purity": purity(joint, group),
    }
    return [row | {"chance": chance(group), "cpu_seconds": took}]


def main() -> None:
    """Measure, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    neighbour_map(np.eye(30))  # imports and first calls
    frame = pd.DataFrame([*planted_rows(options.seed), *large_rows(20_000, 40, options.seed)])
    print(frame.to_string(index=False, float_format="%.3f"))
    if options.out:
        write_atomic(options.out, frame.to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    main()
