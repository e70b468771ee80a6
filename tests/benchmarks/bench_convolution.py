"""Time each backend of the convolution, forward and backward, against PyG's layer on a synthetic power-law hypergraph.

All run interleaved in one process, in reversed order every other round, so that load on the machine hits all. PyG's
layer computes another formula (tests/model/test_convolution.py): a yardstick for speed only. On a machine that others
use, too, look at the CPU seconds. Kuaishou's shape needs 14 GB with PyG, and a minute for each of its rounds.

    python -m tests.benchmarks.bench_convolution --shape movielens --rounds 7 --out movielens.json
    python -m tests.benchmarks.bench_convolution --shape kuaishou --rounds 5 --pyg-rounds 2 --out kuaishou.csv
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.nn import HypergraphConv as PygConv

from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.propagation import Hiding
from hyperctr.model.convolution import HypergraphConv
from hyperctr.runtime import choose_device, rng, write_atomic
from tests.benchmarks.measuring import process_gb, restart_peak

SHAPES = {  # nodes, hyperedges, incidences
    "small": (10_681, 20_000, 1_000_000),
    "movielens": (10_681, 69_878, 5_000_000),
    "kuaishou": (3_239_534, 10_000, 13_661_383),
}
COPY = "copy of x"


@dataclass
class Timing:
    """Seconds of each round after the first, and the first round's peak of memory beyond what was held before."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_gb: float = 0.0

    def row(self, pyg: Timing | None) -> dict[str, object]:
        """Return what is reported: medians, the smallest wall time, and PyG's medians over them."""
        wall, cpu = statistics.median(self.wall), statistics.median(self.cpu)
        times = {"times_pyg_wall": 0.0, "times_pyg_cpu": 0.0}
        if pyg is not None and pyg.wall:
            over = statistics.median(pyg.wall) / wall, statistics.median(pyg.cpu) / max(cpu, 1e-9)
            times = dict(zip(times, over, strict=True))
        took = {"rounds": len(self.wall), "wall_ms": wall * 1e3, "least_wall_ms": min(self.wall) * 1e3}
        return {"name": self.name, **took, "cpu_ms": cpu * 1e3, **times, "extra_peak_gb": self.peak_gb}


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


def measure(run: Callable[[], object], into: Timing, first: bool, device: torch.device) -> None:
    """Run once; the first time for the peak of memory, later for the time."""
    held = process_gb("VmRSS")
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated() / 1e9
    elif first:
        restart_peak()
    cpu, start = time.process_time(), time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    if first:
        peak = torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else process_gb("VmHWM")
        into.peak_gb = max(peak - held, 0.0)
    else:
        into.wall.append(wall)
        into.cpu.append(cpu)


def streamed_copy(x: torch.Tensor, into: torch.Tensor) -> Callable[[], object]:
    """Return a copy in all threads whose stores bypass the cache: the fastest that memory can be read and written."""
    from concurrent.futures import ThreadPoolExecutor

    import numba
    from numba import types

    from hyperctr.model.vectors import load, stream

    @numba.njit(nogil=True)
    def copy(source, target, worker, workers):  # type: ignore[no-untyped-def]
        share = -(-(len(source) // 16) // workers)
        for block in range(worker * share, min((worker + 1) * share, len(source) // 16)):
            stream(target, types.intp(block * 16), load(source, types.intp(block * 16), 16))

    source, target, workers = x.detach().view(-1).numpy(), into.view(-1).numpy(), torch.get_num_threads()
    pool = ThreadPoolExecutor(workers)
    return lambda: list(pool.map(lambda worker: copy(source, target, worker, workers), range(workers)))


def main() -> None:
    """Measure, print the ratios and write them to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    for name, default in (("channels", 64), ("rounds", 5), ("seed", 0), ("threads", torch.get_num_threads())):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--pyg-rounds", type=int, help="rounds with PyG, after one to warm up (default: --rounds)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, help="write the measurements here, .json or .csv")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = choose_device(args.device)
    pyg_rounds = args.rounds if args.pyg_rounds is None else args.pyg_rounds

    nodes, hyperedges, _ = SHAPES[args.shape]
    H = power_law(*SHAPES[args.shape], args.seed).to(device)
    x = torch.randn(nodes, args.channels, device=device, requires_grad=True)
    gradient = torch.randn_like(x)

    def step(layer: torch.nn.Module, *structure: object) -> Callable[[], None]:
        def run() -> None:
            x.grad = None
            layer.zero_grad()
            layer(x, *structure).backward(gradient)

        return run

    runs: dict[str, Callable[[], object]] = {}
    if pyg_rounds:
        incidence, weight = H.incidence, H.weight
        runs["pyg"] = step(PygConv(args.channels, args.channels).to(device), incidence, weight, None, hyperedges)
    backends = {"torch": True, "fast": device.type == "cpu", "triton": device.type == "cuda"}
    for name, fits in backends.items():
        if fits and find_spec({"fast": "numba"}.get(name, name)):
            layer = HypergraphConv(args.channels, args.channels, backend=name).to(device)  # type: ignore[arg-type]
            runs[name] = step(layer, H)
    layers = set(runs)
    # A training step hides its own clicks first; PyG has no such step.
    hiding, draw = Hiding(H.propagation), torch.Generator(device).manual_seed(args.seed)
    few = [torch.randint(H.nnz, (H.nnz // 100,), generator=draw, device=device) for _ in range(args.rounds + 1)]
    turns = iter(few)
    runs["hide 1 %"] = lambda: hiding.hide(next(turns)).scales()
    dropped = torch.rand(H.nnz, device=device) < 0.01
    runs["without 1 %"] = lambda: H.without(dropped).propagation.scales()
    target = torch.zeros_like(x)
    runs[COPY] = lambda: target.copy_(x.detach())
    if device.type == "cpu" and find_spec("numba"):
        runs[f"{COPY}, streamed"] = streamed_copy(x, target)
    timings = {name: Timing(name) for name in runs}
    for turn in range(args.rounds + 1):  # the first round warms up
        for name in list(runs)[:: 1 if turn % 2 else -1]:
            if name != "pyg" or turn <= pyg_rounds:
                measure(runs[name], timings[name], turn == 0, device)

    rows: list[dict[str, Any]] = [timing.row(timings.get("pyg")) for timing in timings.values()]
    # What has to pass through memory if the smaller side stays in the cache: the larger side read and written, forward
    # and backward, and its view read for each of the four.
    compulsory = 4 * (x.numel() * 4 + (H.nnz + max(nodes, hyperedges)) * 4 if nodes > hyperedges else 0) / 1e9
    copies = [row["wall_ms"] for row in rows if row["name"].startswith(COPY)]  # a streamed one is last
    floor = compulsory / (8 * x.numel() / copies[-1] / 1e6) * 1e3  # milliseconds
    for row in rows:
        row["times_floor"] = row["wall_ms"] / floor if floor and row["name"] in layers else None
    print(f"{H!r} on {device}, {args.threads} threads, torch {torch.__version__}")
    for row in rows:
        line = f"{row['name']:22s} {row['wall_ms']:10.1f} ms wall ({row['least_wall_ms']:.1f})"
        line += f" {row['cpu_ms']:10.1f} ms CPU  {row['times_pyg_wall']:7.1f}x PyG ({row['times_pyg_cpu']:.1f}x CPU)"
        bandwidth = 8 * x.numel() / row["wall_ms"] / 1e6
        if row["name"].startswith(COPY):
            line += f"  {bandwidth:.1f} GB/s, floor {compulsory / bandwidth * 1e3:.0f} ms"
        print(f"{line}  +{row['extra_peak_gb']:.2f} GB")
    if args.out and args.out.suffix == ".csv":
        text = io.StringIO()
        table = csv.DictWriter(text, ["shape", "threads", "torch", *rows[0]], lineterminator="\n")
        table.writeheader()
        table.writerows(
            {"shape": args.shape, "threads": args.threads, "torch": torch.__version__, **row} for row in rows
        )
        write_atomic(args.out, text.getvalue())
    elif args.out:
        about = {key: str(value) for key, value in vars(args).items()}
        report = {"arguments": about, "incidences": H.nnz, "compulsory_gb": compulsory, "torch": torch.__version__}
        report |= {"rows": rows, "timings": [asdict(timing) for timing in timings.values()]}
        write_atomic(args.out, json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
