"""Time to lay out and draw a hypergraph: ours against XGI, HyperNetX and hypergraphx on the same hypergraphs.

    python tests/benchmarks/bench_layout.py [--sizes 100 400 1000] [--out layout.json]

Random hypergraphs of n nodes and n/2 hyperedges with 3 to 6 members, the same for all. Each library runs in a process
of its own with a time limit; the clock starts after imports and a warm-up drawing of a tiny hypergraph, and stops when
the picture is there (a PNG in memory for matplotlib, the figure's JSON for ours, the packed scene for the inspector).
So for ours the browser's drawing comes on top; the others' times include it.
Drawing settings are the libraries' defaults, labels off. The competitors are no dependencies of ours: what is not
installed is reported as such.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 120  # seconds a library may take for one hypergraph, imports included
Members = list[list[int]]
ROWS = {
    "inspector": ("hyperctr, inspector (layout + packed scene; the browser draws)", None),
    "static": ("hyperctr, static figure (layout + trees, as JSON)", None),
    "xgi": ("XGI, spring layout + hulls", "xgi"),
    "hypernetx": ("HyperNetX, default draw", "hypernetx"),
    "hypergraphx": ("hypergraphx, default draw", "hypergraphx"),
}


def hyperedges(nodes: int, seed: int = 0) -> Members:
    """Draw ``nodes / 2`` hyperedges of 3 to 6 members; every node of 0..n-1 may stay alone."""
    draw = np.random.default_rng(seed)
    return [draw.choice(nodes, size, replace=False).tolist() for size in draw.integers(3, 7, nodes // 2).tolist()]


def scene_of(edges: Members, nodes: int) -> Any:
    """Lay out and cut our scene, all hyperedges shown, as ``Scenes.build`` does from a hypergraph of one modality."""
    from hyperctr.display.layout import hypergraph_maps
    from hyperctr.widgets.edges import Edges
    from hyperctr.widgets.scene import Query, Scene

    size = np.array([len(members) for members in edges])
    member = np.concatenate([sorted(members) for members in edges])
    edge = np.repeat(np.arange(len(edges)), size)
    place, _ = hypergraph_maps(np.stack([member, edge]), np.zeros(len(edges), np.int64), nodes, 1)
    names, labels = list(range(nodes)), list(range(len(edges)))
    offsets, modality, weight = np.append(0, np.cumsum(size)), np.zeros(len(edges), np.int64), np.ones(len(edges), "f4")
    return Scene(
        names,
        list(map(str, names)),
        place[:, 0],
        place[:, 1],
        Edges(offsets, member, modality, np.arange(len(edges)), weight, nodes, len(edges)),
        labels,
        list(map(str, labels)),
        len(edges),
        "all of them",
        ("visual",),
        Query("user", 0, ("visual",), 0.5, 0, False, None, len(edges)),
    )


def inspector() -> Callable[[Members, int], object]:
    return lambda edges, nodes: scene_of(edges, nodes).pack()


def static() -> Callable[[Members, int], object]:
    from hyperctr.widgets.static import static_figure

    return lambda edges, nodes: static_figure(scene_of(edges, nodes), "trees").to_json()


def xgi() -> Callable[[Members, int], object]:
    import xgi

    def draw(edges: Members, nodes: int) -> object:
        graph = xgi.Hypergraph()
        graph.add_nodes_from(range(nodes))
        graph.add_edges_from(edges)
        return picture(
            lambda axes: xgi.draw(graph, pos=xgi.barycenter_spring_layout(graph, seed=0), ax=axes, hull=True)
        )

    return draw


def hypernetx() -> Callable[[Members, int], object]:
    import hypernetx

    def draw(edges: Members, nodes: int) -> object:
        graph = hypernetx.Hypergraph(dict(enumerate(edges)))
        return picture(lambda axes: hypernetx.draw(graph, ax=axes, with_node_labels=False, with_edge_labels=False))

    return draw


def hypergraphx() -> Callable[[Members, int], object]:
    from hypergraphx import Hypergraph
    from hypergraphx.viz import draw_hypergraph

    def draw(edges: Members, nodes: int) -> object:
        unique = sorted({tuple(sorted(members)) for members in edges})  # it refuses to hold a set twice
        return picture(lambda axes: draw_hypergraph(Hypergraph(unique), ax=axes, with_node_labels=False))

    return draw


def picture(draw: Callable[[Any], object]) -> bytes:
    """Return the PNG of what ``draw`` puts on the axes of a new matplotlib figure."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 8))
    draw(axes)
    held = io.BytesIO()
    figure.savefig(held, format="png")
    pyplot.close(figure)
    return held.getvalue()


def time_library(name: str, nodes: int, repeats: int) -> None:
    """Time one library in this process; the last line printed is the median in seconds."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")
    except ImportError:  # only the others draw with it
        pass
    draw = globals()[name]()
    draw(hyperedges(10), 10)
    edges, took = hyperedges(nodes), []
    for _ in range(repeats):
        start = time.perf_counter()
        draw(edges, nodes)
        took.append(time.perf_counter() - start)
        if sum(took) > 5:
            break
    print(json.dumps(statistics.median(took)))


def measure(name: str, nodes: int, repeats: int, limit: float) -> float | str:
    """Return the seconds a library takes, or why there are none."""
    package = ROWS[name][1]
    try:
        if package:
            version(package)
    except PackageNotFoundError:
        return "not installed"
    call = [sys.executable, __file__, "--one", name, "--sizes", str(nodes), "--repeats", str(repeats)]
    try:
        run = subprocess.run(call, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"> {limit:g}"
    if run.returncode:
        print(run.stderr[-1000:], file=sys.stderr)
        return f"failed: {run.stderr.strip().splitlines()[-1][:60]}" if run.stderr.strip() else "failed"
    return float(json.loads(run.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time layout and drawing of hypergraphs against other libraries.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 400, 1000], help="numbers of nodes")
    parser.add_argument("--repeats", type=int, default=3, help="drawings of each, median reported")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds a library may take for one size")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--one", choices=list(ROWS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        time_library(given.one, given.sizes[0], given.repeats)
        return
    rows: list[dict[str, Any]] = []
    print(f"| seconds | {' | '.join(f'n = {size:,}' for size in given.sizes)} |")
    print(f"| --- |{' ---: |' * len(given.sizes)}")
    for name, (title, package) in ROWS.items():
        cells: dict[int, float | str] = {}
        for size in given.sizes:
            gave_up = [value for value in cells.values() if str(value).startswith(">")]
            cells[size] = gave_up[0] if gave_up else measure(name, size, given.repeats, given.limit)
        known = package if package and "not installed" not in cells.values() else None
        label = f"{title} {version(known)}" if known else title
        rows.append({"name": label, "seconds": {str(size): value for size, value in cells.items()}})
        print(
            f"| {label} | {' | '.join(f'{v:.3f}' if isinstance(v, float) else v for v in cells.values())} |", flush=True
        )
    if given.out:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "limit": given.limit}
        given.out.write_text(json.dumps({**machine, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
