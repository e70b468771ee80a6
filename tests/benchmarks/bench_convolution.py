"""Time our convolution, forward and backward, against PyG's on a synthetic power-law hypergraph.

Both run interleaved in one process, in reversed order every other round, so that load on the machine hits
both. PyG's layer computes another formula (tests/model/test_convolution.py): a yardstick for speed only.

    python tests/benchmarks/bench_convolution.py --nodes 10681 --hyperedges 69878 --incidences 5000000
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch_geometric.nn import HypergraphConv as PygConv

from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.model.convolution import HypergraphConv
from hyperctr.runtime import choose_device, rng, write_atomic


def power_law(nodes: int, hyperedges: int, incidences: int, seed: int) -> Hypergraph:
    """Draw members by node popularity ~ rank^-0.8 and hyperedge size ~ rank^-0.8, repeats dropped."""
    draw = rng(seed, "bench", "convolution")
    columns = []
    for count in (nodes, hyperedges):
        share = np.arange(1, count + 1) ** -0.8
        bounds = np.cumsum(share / share.sum())
        columns.append(draw.permutation(count)[np.searchsorted(bounds[:-1], draw.random(incidences * 2))])
    keys = draw.permutation(np.unique(columns[1] * nodes + columns[0]))[:incidences]
    return Hypergraph(np.stack([keys % nodes, keys // nodes]), nodes, hyperedges)


def main() -> None:
    """Measure, print the ratios and write them to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("nodes", 10_681), ("hyperedges", 20_000), ("incidences", 1_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("channels", 64), ("rounds", 5), ("seed", 0), ("threads", torch.get_num_threads())):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, help="write the measurements here as JSON")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = choose_device(args.device)

    H = power_law(args.nodes, args.hyperedges, args.incidences, args.seed).to(device)
    x = torch.randn(args.nodes, args.channels, device=device, requires_grad=True)
    gradient = torch.randn_like(x)
    pyg = PygConv(args.channels, args.channels).to(device)
    ours = {
        f"ours, Theta on {side}": HypergraphConv(args.channels, args.channels, side=side).to(device)
        for side in ("nodes", "hyperedges")
    }
    # A training step takes incidences out first; the time to do so is shown apart, as PyG has no such step.
    dropped = torch.rand(H.nnz, device=device) < 0.01

    def step(layer: torch.nn.Module, *structure: object) -> Callable[[], None]:
        def run() -> None:
            x.grad = None
            layer.zero_grad()
            torch.relu(layer(x, *structure)).backward(gradient)  # type: ignore[no-untyped-call]

        return run

    runs: dict[str, Callable[[], object]] = {"pyg": step(pyg, H.incidence, H.weight, None, args.hyperedges)}
    runs |= {name: step(layer, H) for name, layer in ours.items()}
    runs["take 1 % of the incidences out"] = lambda: H.without(dropped).scales()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(args.rounds + 1):  # the first round warms up
        for name in list(runs)[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            runs[name]()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn:
                seconds[name].append(time.perf_counter() - start)

    median = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{H!r} on {device}, {args.threads} threads, torch {torch.__version__}")
    for name, value in median.items():
        print(f"{name:32s} {value * 1e3:10.2f} ms  {median['pyg'] / value:7.1f} x PyG")
    if args.out:
        report = {
            "arguments": {key: str(value) for key, value in vars(args).items()},
            "incidences": H.nnz,
            "torch": torch.__version__,
            "seconds": seconds,
            "median_seconds": median,
            "times_faster_than_pyg": {name: median["pyg"] / value for name, value in median.items()},
        }
        write_atomic(args.out, json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
