"""Training throughput against the size of the data, beside FuxiCTR's DIN on the same table.

    python -m tests.benchmarks.bench_training --sizes 100000 1000000 --out reports/results/benchmarks/training.csv

Random power-law data with users and items in proportion, so that the mean degree stays: three modalities, six slots,
budget quick. Each size is a process of its own, and so is the peer; they are built one after the other and measured by
turns, small and large, ours and the peer's, the others asleep. A ratio is taken within a round of turns, and the
median of the rounds is shown. What an example is:

- ours: a click or its negative, scored with all hypergraphs convolved as often as training does it in an epoch, with
  forward and backward pass, Adam and everything else that falls into an epoch but validation;
- the peer's: a row of the same clicks, with as many negatives, with the attention of DIN over the last clicks of the
  user (ids alone: it reads no modality), its widest layers as in the paper of DIN, clipping and Adam as its own `fit`.

Both have the same d, history length, rows a step and threads. The peer's loader is the one that it ships for this
model, without a worker and with one, the default; `batches ready` leaves the loader out: the same batches again and
again, which no user of it has. It gets an environment of its own in --peer-env, made on the first call; without that
folder ours is measured alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.config import Config
from hyperctr.executor import available_cores
from hyperctr.runs.scaling import THREAD_VARIABLES
from hyperctr.runtime import duration, write_atomic
from tests.benchmarks.peer_table import FACTS

ROOT = Path(__file__).resolve().parents[2]
PEER = "fuxictr==2.3.10"
OURS, THEIRS = "HyperCTR", "FuxiCTR DIN"
READY = "batches ready"  # as in peer_din.py, which cannot be imported here


class Process:
    """A process that answers a line of JSON with another."""

    def __init__(self, name: str, command: list[str], threads: int) -> None:
        # Threads wait as they do for a user: passive ones were measured 1.7 times slower here. A process that is not
        # asked sleeps, and its threads with it.
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
        environment |= {"PYTHONWARNINGS": "ignore", "HYPERCTR_BATCH": "1"}
        self.name, pipe = name, subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=ROOT)
        self.facts = self._answer()

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send a question and wait for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} stopped with exit code {self.process.wait()}; its words stand above")
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def peer_python(folder: Path) -> Path:
    """Return the Python of the peer's environment; it is made with this process's torch if it is not there."""
    place = folder / PEER.replace("==", "-")
    python, made = place / "bin" / "python", place / "made"
    if not made.exists():
        print(f"making an environment for {PEER} in {place} (once; about a minute)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        torch = version("torch")
        for wanted in (f"torch=={torch}", f"torch=={torch.partition('+')[0]}"):  # a local version is on no index
            if not subprocess.run(
                [str(python), "-m", "pip", "install", "-q", wanted, PEER], stderr=sys.stdout
            ).returncode:
                made.touch()
                break
    if not made.exists():
        raise OSError(f"{PEER} could not be installed; pip's words stand above")
    return python


@contextmanager
def processes(sizes: list[int], options: argparse.Namespace, config: Config) -> Iterator[list[tuple[int, Process]]]:
    """Start ours and the peer's process of every size."""
    started: list[tuple[int, Process]] = []
    python = None  # of the peer; none: ours alone
    try:
        python = peer_python(options.peer_env.absolute()) if options.peer_env else None
    except (OSError, subprocess.CalledProcessError) as reason:
        print(f"without the peer: {reason}")
    with ExitStack() as ended:
        tables = Path(ended.enter_context(tempfile.TemporaryDirectory()))

        def start(size: int, name: str, *command: object) -> None:
            process = Process(f"{name} at {size:,}", [*map(str, command)], options.threads)
            ended.callback(process.close)
            started.append((size, process))
            print(f"{process.name}: {process.facts}", flush=True)

        for size in sizes:
            module = ("-m", "tests.benchmarks.training_turns", "--interactions", size, "--threads", options.threads)
            start(size, OURS, sys.executable, *module, "--settings", *options.settings)
            if python is None or size > options.peer_limit:
                continue
            table = tables / str(size)
            make = ("-m", "tests.benchmarks.peer_table", "--interactions", size, "--negatives", config.negatives)
            subprocess.run([sys.executable, *map(str, make), "--out", str(table)], check=True, cwd=ROOT)
            facts = json.loads((table / FACTS).read_text(encoding="utf-8"))
            script = (python, ROOT / "tests" / "benchmarks" / "peer_din.py", "--table", table)
            shape = ("--users", facts["users"], "--items", facts["items"], "--threads", options.threads)
            shape += ("--embedding-size", config.embedding_size, "--length", config.history_length)
            start(size, THEIRS, *script, *shape, "--batch", config.batch_size * (1 + config.negatives))
            started[-1][1].facts |= facts
        yield started


def take_turns(
    started: list[tuple[int, Process]], rounds: int, seconds: float, config: Config
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure all processes in every round, in turned order every other one; return the turns and the facts."""
    turns, facts = [], []
    for size, process in started:
        facts.append({"system": process.name.partition(" at ")[0], "interactions": size, **process.facts})
    for number in range(rounds):
        for size, process in started[:: -1 if number % 2 else 1]:
            for what in process.facts.get("loaders", [""]):
                answer = process.ask(what=what, seconds=seconds)
                name = process.name.partition(" at ")[0]
                turns.append({"system": name, "loader": what, "interactions": size, "round": number, **answer})
                rate = f"{answer['examples_per_second']:10,.0f} examples/s, {answer['seconds_per_step']:.4f} s a step"
                print(f"round {number}: {process.name:28s} {what:14s} {rate}", flush=True)
    kept = (
        pd.DataFrame(facts)
        .rename(columns={"version": "peer_version"})
        .drop(columns=["loaders", "torch"], errors="ignore")
    )
    return pd.DataFrame(turns), kept


def summary(turns: pd.DataFrame, facts: pd.DataFrame, negatives: int) -> pd.DataFrame:
    """Return one row per system, loader and size: medians over the rounds, ratios taken within a round.

    ``times_smallest`` is the rate at the smallest size over the rate at this one (1.0: an example costs the same);
    ``times_peer`` is our rate over the peer's with its better loader.
    """
    groups = dict(list(turns.groupby(["system", "loader", "interactions"], sort=False)))
    rates = {key: group.set_index("round")["examples_per_second"] for key, group in groups.items()}
    smallest = turns["interactions"].min()
    rows = []
    for (system, loader, size), group in groups.items():
        rate = rates[system, loader, size]
        row = {"system": system, "loader": loader, "interactions": size, "rounds": len(rate)}
        row |= {"examples_per_second": rate.median(), "low": rate.min(), "high": rate.max()}
        row["clicks_per_second"] = row["examples_per_second"] / (1 + negatives)
        row["seconds_per_step"] = group["seconds_per_step"].median()
        row["times_smallest"] = (rates[system, loader, smallest] / rate).median()
        if system == OURS and (THEIRS, READY, size) in rates:
            theirs = [other for key, other in rates.items() if key[0] == THEIRS and key[2] == size and key[1] != READY]
            row["times_peer"] = (rate / max(theirs, key=pd.Series.median)).median()
            row["times_peer_without_loader"] = (rate / rates[THEIRS, READY, size]).median()
        row["peak_memory_mib"] = group["peak_memory_mib"].max()
        rows.append(row)
    frame = pd.DataFrame(rows).merge(facts, on=["system", "interactions"], how="left")
    frame["epoch_seconds"] = frame["train_clicks"] / frame["clicks_per_second"]
    return frame


def main() -> None:
    """Measure, print and write to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**5, 10**6, 10**7], help="interactions")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of a turn, at least; ours ends with a whole round")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--settings", nargs="*", default=[], metavar="KEY=VALUE", help="changes to budget quick")
    parser.add_argument("--peer-env", type=Path, help="folder of the peer's environment, made if it is not there")
    parser.add_argument("--peer-limit", type=int, default=10**7, help="largest size at which the peer runs")
    parser.add_argument("--out", type=Path, help="CSV file to write")
    options = parser.parse_args()
    config = Config.for_model("hyperctr", "quick").with_settings(options.settings)
    with processes(sorted(options.sizes), options, config) as started:
        turns, facts = take_turns(started, options.rounds, options.seconds, config)
    frame = summary(turns, facts, config.negatives).assign(threads=options.threads)
    frame = frame.assign(batch_clicks=config.batch_size, d=config.embedding_size, history=config.history_length)
    shown = ["system", "loader", "interactions", "examples_per_second", "low", "high", "times_smallest"]
    shown += [name for name in ("times_peer", "times_peer_without_loader", "peak_memory_mib") if name in frame]
    print(frame[shown].to_string(index=False, float_format=lambda value: f"{value:,.2f}", na_rep=""))
    for row in frame[frame["system"] == OURS].itertuples():
        print(f"an epoch of {row.train_clicks:,} clicks: {duration(row.epoch_seconds)}")
    if options.out:
        write_atomic(options.out, frame.to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
