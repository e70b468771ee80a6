"""What performance was wanted, and what the committed tables of benchmarks say was reached."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from page_tables import markdown

OURS, PEER, READY = "HyperCTR", "FuxiCTR DIN", "batches ready"
NOISE = "within noise"  # the best and the worst rounds of the two overlap


@dataclass(frozen=True)
class Tables:
    """The committed tables in a folder.

    Its methods raise KeyError, IndexError or OSError where a table, a row or a column is not there.
    """

    folder: Path

    def value(self, table: str, column: str, **where: object) -> float:
        """Return the number in the first row of a table in which the columns have these values."""
        frame = pd.read_csv(self.folder / f"{table}.csv")
        for key, wanted in where.items():
            frame = frame[frame[key] == wanted]
        return float(frame[column].iloc[0])

    def over(self, table: str, column: str, key: str, first: str, second: str, **where: object) -> float:
        """Return the number of the row whose ``key`` is ``first`` over that of ``second``."""
        part, whole = (self.value(table, column, **where, **{key: row}) for row in (first, second))
        return part / whole

    def interest_pace(self) -> float:
        """Return clicks per second of interest pre-training over those of training: the least of all sizes."""
        frame = pd.read_csv(self.folder / "training.csv").query("system == @OURS")
        return float((frame["interest_clicks_per_second"] / frame["clicks_per_second"]).min())

    def scoring(self) -> float:
        """Return the naive network's time for a click over ours: of many clicks, or else of the few of evaluation."""
        table = "scoring" if (self.folder / "scoring.csv").exists() else "evaluation"
        return self.over(table, "microseconds_a_row", "what", "whole network for each pair", "split first layer")

    def overlaps_peer(self, size: int) -> bool:
        """Tell whether the rounds of ours and of the peer with its faster loader overlap."""
        frame = pd.read_csv(self.folder / "training.csv").query("interactions == @size and loader != @READY")
        ours, theirs = (
            frame[frame["system"] == name].sort_values("examples_per_second").iloc[-1] for name in (OURS, PEER)
        )
        return bool(ours["low"] <= theirs["high"] and theirs["low"] <= ours["high"])


@dataclass(frozen=True)
class Gate:
    """One thing that was wanted.

    Attributes:
        what: in words.
        bound: what was wanted, of ``unit``; at least that where ``at_least``, else at most.
        reached: the number of the tables.
        noisy: tells whether the difference lies within the rounds of the measurement.
        why: a sentence for the page, should it be missed, from the profile of the step or kernel.
    """

    what: str
    bound: float
    reached: Callable[[Tables], float]
    unit: str = ""
    at_least: bool = False
    noisy: Callable[[Tables], bool] = lambda tables: False
    why: str = ""

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}{self.unit}"

    def measured(self, tables: Tables) -> float:
        """Return what was reached; nan where it is not recorded."""
        try:
            return self.reached(tables)
        except (OSError, KeyError, IndexError):
            return math.nan

    def met(self, tables: Tables) -> str:
        """Return yes, no or within noise; empty where nothing is recorded."""
        value = self.measured(tables)
        if math.isnan(value):
            return ""
        if self.noisy(tables):
            return NOISE
        return "yes" if (value >= self.bound if self.at_least else value <= self.bound) else "no"


ROWS = (
    "More users and items make the batch's rows fewer times the same: more distinct rows of larger tables are read, "
    "projected and stepped, which the profile shows under *rows read and written* and *everything else*; the "
    "convolution, shared out over a round, costs a step no more than at 10^5."
)
CACHE = (
    "At this shape the vectors stay in the cache, and the time is that of reading a row of d numbers for each "
    "incidence, twice forward and twice backward, with both backends; one pass instead of two saves only traffic to "
    "memory."
)
FLOOR = (
    "Beside the larger side, which passes through memory, each incidence reads or writes a row of the smaller side, "
    "which stays in the cache; the floor leaves that out."
)
SCATTER = (
    "For each hidden incidence about a dozen single numbers are read and written in scattered places, this step's and, "
    "to bring them back, the last one's; the convolution beside it reads whole rows in order."
)
REPORT = "Its time is that of training the runs that its tables and figures share, several at a time (table *report*)."


def _training(column: str, size: int) -> Callable[[Tables], float]:
    return lambda tables: tables.value("training", column, system=OURS, interactions=size)


def _convolution(shape: str, name: str, column: str = "times_pyg_wall") -> Callable[[Tables], float]:
    return lambda tables: tables.value(f"convolution-{shape}", column, name=name)


def _hiding(shape: str) -> Callable[[Tables], float]:
    return lambda tables: tables.over(f"convolution-{shape}", "wall_ms", "name", "hide 1 %", "torch")


def _import(what: str) -> Callable[[Tables], float]:
    return lambda tables: tables.value("import", "times_bare", what=what)


def _planted(rows: int) -> Callable[[Tables], float]:
    return lambda tables: tables.value("import", "seconds", what="planted", rows=rows)


def _purity(nodes: str) -> Callable[[Tables], float]:
    """The share of the worst modality's map."""

    def least(tables: Tables) -> float:
        frame = pd.read_csv(tables.folder / "purity.csv")
        return float(frame.loc[(frame["map"] == "ours") & frame["nodes"].str.endswith(nodes), "purity"].min())

    return least


def _gpu(column: str) -> Callable[[Tables], float]:
    return lambda tables: tables.value("gpu", column, data="MovieLens-10M", device="cuda")


def _peer(size: int, text: str) -> Gate:
    what = f"examples a second over FuxiCTR DIN's, {text} interactions"
    slow = "A step of ours also encodes three modalities and convolves hypergraphs, which the peer does not."
    ours = _training("times_peer", size)
    return Gate(what, 1, ours, at_least=True, noisy=lambda tables: tables.overlaps_peer(size), why=slow)


GATES = [
    Gate(
        "cost of an example at 10^6 interactions over that at 10^5", 1.3, _training("times_smallest", 10**6), why=ROWS
    ),
    Gate(
        "cost of an example at 10^7 interactions over that at 10^5", 1.3, _training("times_smallest", 10**7), why=ROWS
    ),
    *(_peer(10**power, f"10^{power}") for power in (5, 6, 7)),
    Gate("peak memory at 10^7", 6, lambda tables: _training("peak_memory_mib", 10**7)(tables) / 1024, " GiB"),
    Gate(
        "interest pre-training: clicks a second over training's, at every size", 1, Tables.interest_pace, at_least=True
    ),
    Gate("scoring 1001 candidates a click: naive network's time over ours", 3, Tables.scoring, at_least=True),
    Gate(
        "AUC of 10^8 scores: scikit-learn's time over ours",
        50,
        lambda tables: tables.over("exact-auc", "seconds", "what", "scikit-learn", "ours"),
        at_least=True,
    ),
    Gate(
        "AUC of 10^8 scores: memory of ours",
        100,
        lambda tables: tables.value("exact-auc", "peak_mb", what="ours"),
        " MB",
    ),
    Gate("`make report`, wall time", 6, lambda tables: tables.value("report", "wall_seconds") / 60, " min", why=REPORT),
    Gate("`make report`, CPU time", 10, lambda tables: tables.value("report", "cpu_seconds") / 60, " min", why=REPORT),
    Gate(
        "convolution, torch, MovieLens: PyG's time over ours",
        60,
        _convolution("movielens", "torch"),
        at_least=True,
        why=CACHE,
    ),
    Gate("convolution, torch, Kuaishou", 10, _convolution("kuaishou", "torch"), at_least=True),
    Gate("convolution, fast, MovieLens", 80, _convolution("movielens", "fast"), at_least=True, why=CACHE),
    Gate("convolution, fast, Kuaishou", 60, _convolution("kuaishou", "fast"), at_least=True),
    Gate(
        "convolution, fast, Kuaishou: times the floor of memory",
        3,
        _convolution("kuaishou", "fast", "times_floor"),
        why=FLOOR,
    ),
    Gate("hiding 1 % over the convolution (torch), MovieLens", 0.1, _hiding("movielens"), why=SCATTER),
    Gate("hiding 1 % over the convolution (torch), Kuaishou", 0.1, _hiding("kuaishou"), why=SCATTER),
    Gate("importing 13.7 million rows of 3.2 million items: time over a bare read of DuckDB", 3, _import("log")),
    Gate(
        "the same with vectors of 2048 for each item, peak memory",
        8,
        lambda tables: tables.value("import", "peak_mib", what="log and vectors of 2048") / 1024,
        " GiB",
    ),
    Gate("`planted` of 10^6 interactions", 30, _planted(10**6), " s"),
    Gate("`planted` of 10^7 interactions", 300, _planted(10**7), " s"),
    Gate("maps of `planted`: neighbours of an item that have its topic", 0.38, _purity("items"), at_least=True),
    Gate("maps of `planted`: neighbours of a user that are of the group", 0.6, _purity("users"), at_least=True),
    Gate(
        "maps of 20,000 users, CPU time",
        5,
        lambda tables: tables.value("purity", "cpu_seconds", nodes="20,000 users"),
        " s",
    ),
    Gate("GPU: epoch of MovieLens-10M's size", 15, _gpu("epoch_seconds"), " s"),
    Gate(
        "GPU: convolution, share of the bandwidth of a copy, MovieLens-10M",
        0.6,
        _gpu("share_of_copy_bandwidth"),
        at_least=True,
    ),
]


def gates_text(folder: Path) -> str:
    """Return the table of gates, and below it a sentence for each kind that is missed."""
    tables, rows, reasons = Tables(folder), [], dict[str, list[str]]()
    for gate in GATES:
        value, met = gate.measured(tables), gate.met(tables)
        reached = (
            "not recorded"
            if math.isnan(value)
            else f"{value:,.{0 if value >= 100 else 2 if value >= 1 else 3}f}{gate.unit}"
        )
        rows.append({"what": gate.what, "wanted": gate.wanted, "reached": reached, "met": met or "–"})
        if met == "no":
            reasons.setdefault(gate.why, []).append(gate.what)
    missed = [f"- **{'; '.join(names)}**: {why}".rstrip(": ") for why, names in reasons.items()]
    table = markdown(pd.DataFrame(rows), {name: name for name in ("what", "wanted", "reached", "met")})
    return "\n\n".join([table, *(["Missed:\n\n" + "\n".join(missed)] if missed else [])])
