"""Time the inspector where it is used: in JupyterLab, by a real Chromium, with ``performance.now`` inside the page.

    python -m tests.benchmarks.bench_inspector --out inspector.csv

Maps are CPU time of Python, once for a data set; indices are the page's own, once for a scene; paint is from the
message's arrival to the drawn picture; a round trip of a threshold is from the slider's event to the new picture.
Synthetic hypergraphs have members drawn near a random centre, so that hyperedges overlap as they do in data.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.display.layout import hypergraph_maps
from hyperctr.runtime import rng, write_atomic
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.scene import Query, Scene
from tests.browser.lab import Lab, chromium, jupyterlab, write_notebook

Row = dict[str, Any]
SETUP = """import hyperctr as hc
from tests.benchmarks.bench_inspector import synthetic
inspector = hc.Inspector(hc.load_dataset("planted", seed=0))
inspector"""
FRAMES = """async () => {
  const canvas = document.querySelector('.hc-over'), box = canvas.getBoundingClientRect(), times = [];
  const send = (type, x) => canvas.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 1, button: 0,
    clientX: box.x + 300 + x, clientY: box.y + 200 + x / 3 }));
  canvas.setPointerCapture = () => {};
  send('pointerdown', 0);
  const begin = performance.now();
  for (let k = 1; k <= 60; k++) {
    send('pointermove', 3 * k);
    times.push(await new Promise(requestAnimationFrame));
  }
  const took = performance.now() - begin;
  send('pointerup', 180);
  const gaps = times.slice(1).map((t, k) => t - times[k]).sort((a, b) => a - b);
  return { per_second: 60000 / took, worst_gap_ms: gaps[gaps.length - 1] };
}"""
# drawing commands are carried out later: reading a pixel back and the next frame belong to the first paint
PIXELS = """() => {
  const root = document.querySelector('.hctr');
  window.shown = null;
  const watch = new MutationObserver(() => {
    const begin = performance.now();
    watch.disconnect();
    root.querySelector('.hc-base').getContext('2d').getImageData(0, 0, 1, 1);
    requestAnimationFrame(() => (window.shown = performance.now() - begin));
  });
  watch.observe(root, { attributes: true, attributeFilter: ['data-scenes'] });
}"""
HOVER = """() => {
  const root = document.querySelector('.hctr').inspector, canvas = document.querySelector('.hc-over');
  const box = canvas.getBoundingClientRect(), s = root.state.scene, times = [];
  for (let k = 0; k < 40; k++) {
    const [x, y] = root.at(s.nodes[Math.floor((k * s.n) / 40)]), begin = performance.now();
    canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: box.x + x, clientY: box.y + y }));
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { median_ms: times[20], worst_ms: times[39] };
}"""


def synthetic(nodes: int, hyperedges: int, seed: int = 0) -> tuple[Scene, float]:
    """Return a scene with 3 to 8 members a hyperedge, and the CPU seconds its maps took."""
    draw = rng(seed, "bench", "inspector")
    size = draw.integers(3, 9, size=hyperedges)
    centre = np.repeat(draw.integers(nodes, size=hyperedges), size)
    near = (centre + np.rint(draw.laplace(0, nodes / 200, size=len(centre))).astype(np.int64)) % nodes
    pairs = np.unique(np.stack([np.repeat(np.arange(hyperedges), size), near]), axis=1)
    modality = draw.integers(3, size=hyperedges)
    begin = time.process_time()
    place, own = hypergraph_maps(pairs[::-1], modality, nodes, 3)
    took = time.process_time() - begin
    names = ("visual", "acoustic", "textual")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=hyperedges))])
    label, weight = np.arange(hyperedges), np.ones(hyperedges, np.float32)
    edges = Edges(offsets, pairs[1], modality, label, weight, nodes, hyperedges)
    scene = Scene(
        nodes=list(range(nodes)),
        titles=[f"user {k}" for k in range(nodes)],
        x=place[:, 0].astype(np.float32),
        y=place[:, 1].astype(np.float32),
        edges=edges,
        edge_labels=list(range(hyperedges)),
        edge_titles=[f"item {k}" for k in range(hyperedges)],
        total_edges=hyperedges,
        rule=f"showing {hyperedges:,} of {hyperedges:,} hyperedges",
        modalities=names,
        panel_places=own,
        query=Query("user", 0, names, 0.5, 0, False, None, hyperedges),
    )
    return scene, took


def row(what: str, value: float, unit: str = "ms", nodes: int | None = None, hyperedges: int | None = None) -> Row:
    """Return a row of the table."""
    return {"what": what, "nodes": nodes, "hyperedges": hyperedges, "value": value, "unit": unit}


def show(lab: Lab, nodes: int, hyperedges: int) -> list[Row]:
    """Send a synthetic scene to the page, drag it and point at it."""
    lab.page.evaluate(PIXELS)
    layout = lab.python(
        f"scene, took = synthetic({nodes}, {hyperedges}); header, buffers = scene.pack(); print(took)\n"
        "stats = {'modalities': [], 'overlap': [], 'nearest_run': None}\n"
        "inspector.send({'type': 'scene', 'scene': header, 'stats': stats, 'other': None, 'numbers': ''}, buffers)"
    )
    lab.page.wait_for_function("window.shown !== null")
    times = lab.page.evaluate("document.querySelector('.hctr').inspector.times")
    shown = times["paint"] + lab.page.evaluate("window.shown")
    drag, hover = lab.page.evaluate(FRAMES), lab.page.evaluate(HOVER)
    view = lab.page.evaluate("document.querySelector('.hctr').dataset.view")
    found = [
        ("maps, CPU of Python", 1000 * float(layout), "ms"),
        ("indices", times["layout"], "ms"),
        ("first paint", shown, "ms"),
        ("drag", drag["per_second"], "frames a second"),
        ("hover, median", hover["median_ms"], "ms"),
        ("hover, worst", hover["worst_ms"], "ms"),
    ]
    return [row(f"{what} ({view})", value, unit, nodes, hyperedges) for what, value, unit in found]


def delta_trips(lab: Lab, rounds: int) -> list[Row]:
    """Move the slider of the default planted data set to thresholds not seen before, ``rounds`` times."""
    trips = []
    for k in range(rounds):
        before = lab.page.evaluate("+document.querySelector('.hctr').dataset.scenes")
        lab.page.evaluate(
            "value => { const slider = document.querySelector('input[data-key=delta]'); slider.value = value;"
            " slider.dispatchEvent(new Event('input')); }",
            round(0.31 + 0.017 * k, 3),
        )
        lab.page.wait_for_function("n => +document.querySelector('.hctr').dataset.scenes > n", arg=before)
        trips.append(lab.page.evaluate("document.querySelector('.hctr').inspector.times.trip"))
    return [row("threshold, median", statistics.median(trips)), row("threshold, best", min(trips))]


def main() -> None:
    """Measure, print a table and write it to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_notebook(folder / "bench.ipynb", SETUP)
        with jupyterlab(folder) as address, chromium() as page:
            lab = Lab(page, address)
            lab.open("bench.ipynb")
            lab.command("notebook:run-all-cells")
            page.wait_for_selector(".hctr[data-scenes]", timeout=400_000)  # interest is pre-trained
            page.locator(".hctr").scroll_into_view_if_needed()
            rows = delta_trips(lab, options.rounds)
            for size in ((5_000, 1_250), (20_000, 5_000)):
                rows += show(lab, *size)
            if page.errors:
                raise SystemExit(f"the page has errors: {page.errors}")
    frame = pd.DataFrame(rows).astype({"nodes": "Int64", "hyperedges": "Int64"})
    print(frame.to_string(index=False, float_format="%.1f"))
    if options.out:
        write_atomic(options.out, frame.to_csv(index=False, float_format="%.3g"))


if __name__ == "__main__":
    main()
