"""Time the inspector where it is used: in JupyterLab, by a real Chromium, with ``performance.now`` inside the page.

    python tests/benchmarks/bench_inspector.py --out reports/bench_inspector.json

Layout is Python's maps plus the page's own indices; paint is from the message's arrival to the
drawn picture; a delta round trip is from the slider's event to the new picture. Synthetic hypergraphs have members
drawn near a random centre, so that hyperedges overlap as they do in data.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from hyperctr.display.layout import hypergraph_maps
from hyperctr.runtime import rng, write_atomic
from hyperctr.widgets.edges import Edges
from hyperctr.widgets.scene import Query, Scene
from tests.browser.lab import Lab, chromium, jupyterlab, write_notebook

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
    """Return a scene with 3 to 8 members a hyperedge, and the seconds its layout took."""
    draw = rng(seed, "bench", "inspector")
    size = draw.integers(3, 9, size=hyperedges)
    centre = np.repeat(draw.integers(nodes, size=hyperedges), size)
    near = (centre + np.rint(draw.laplace(0, nodes / 200, size=len(centre))).astype(np.int64)) % nodes
    pairs = np.unique(np.stack([np.repeat(np.arange(hyperedges), size), near]), axis=1)
    modality = draw.integers(3, size=hyperedges)
    begin = time.perf_counter()
    place, own = hypergraph_maps(pairs[::-1], modality, nodes, 3)
    took = time.perf_counter() - begin
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


def show(lab: Lab, nodes: int, hyperedges: int) -> dict[str, Any]:
    """Send a synthetic scene to the page and return its times, milliseconds."""
    lab.page.evaluate(PIXELS)
    layout = lab.python(
        f"scene, took = synthetic({nodes}, {hyperedges}); header, buffers = scene.pack(); print(took)\n"
        "stats = {'modalities': [], 'overlap': [], 'nearest_run': None}\n"
        "inspector.send({'type': 'scene', 'scene': header, 'stats': stats, 'other': None, 'numbers': ''}, buffers)"
    )
    lab.page.wait_for_function("window.shown !== null")
    times = lab.page.evaluate("document.querySelector('.hctr').inspector.times")
    maps = 1000 * float(layout)
    result = {"nodes": nodes, "hyperedges": hyperedges, "maps_ms": maps, "indices_ms": times["layout"]}
    shown = times["paint"] + lab.page.evaluate("window.shown")
    return result | {"layout_ms": maps + times["layout"], "first_paint_ms": shown}


def delta_trips(lab: Lab, rounds: int) -> dict[str, float]:
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
    return {"median_ms": statistics.median(trips), "worst_ms": max(trips)}


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
            page.wait_for_selector(".hctr[data-scenes]", timeout=120_000)
            page.locator(".hctr").scroll_into_view_if_needed()
            results: dict[str, Any] = {"delta": delta_trips(lab, options.rounds)}
            for nodes, hyperedges in ((5_000, 1_250), (20_000, 5_000)):
                result = show(lab, nodes, hyperedges)
                result["drag"] = page.evaluate(FRAMES)
                result["hover"] = page.evaluate(HOVER)
                results[f"{nodes}"] = result
            results["machine"] = {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "errors": page.errors}
    text = json.dumps(results, indent=1)
    print(text)
    if options.out:
        write_atomic(options.out, text)


if __name__ == "__main__":
    main()
