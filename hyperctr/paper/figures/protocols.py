"""What the choices of an experiment are worth: what predictions and samplers may know, how clicks are divided, labels.

The same model looks better or worse by the protocol alone, and so do the baselines beside it: both are shown, and what
is compared is the change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.config import REFERENCE_MODEL
from hyperctr.display.colours import BLUE, GREEN, ORANGE
from hyperctr.display.figure import Figure
from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.display.theme import LEGEND_BELOW, NEUTRAL, error_bars, figure, need_columns
from hyperctr.errors import ShapeError
from hyperctr.paper.prose import prose
from hyperctr.sweeps.seeds import Pair, over_seeds, paired, records
from hyperctr.sweeps.sweep import paired_runs
from hyperctr.written import show_number

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

BASELINES = {REFERENCE_MODEL: "content MF", "popularity": "popularity"}
BASELINE_LOOKS = {"content MF": (ORANGE, "diamond"), "popularity": (NEUTRAL, "square")}
LOOKS = {"hyperctr+": (GREEN, "triangle-up"), **BASELINE_LOOKS}
MODEL_LOOK = (BLUE, "circle")  # of all others
# Each choice: what is changed, from what, to what.
CHOICES = (
    ("protocol", "as-published", "causal"),
    ("split", "random", "temporal"),
    ("labels", "sampled", "impressions"),
    ("negatives_avoid", "training", "all"),
)
HOME = {choice: start for choice, start, _ in CHOICES}
KEYS = tuple(HOME)
# On the same test clicks with the same candidates, so that two runs can be compared user by user.
PAIRED = ("protocol", "negatives_avoid")


def protocols(sweep: Sweep) -> list[Figure | Table]:
    """Return what the choices are worth, of a sweep over the plan ``protocols``: AUC in each case, and each change."""
    runs = protocol_runs(sweep.results, sweep.baselines)
    frame = protocol_frame(runs)
    drawn = Figure(protocol_chart(frame, sweep.dataset), "protocols", frame, prose("protocols", leads=_leads(frame)))
    return [drawn, effect_table(effect_frame(runs, paired_runs))]


def protocol_runs(results: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    """List the AUC of every finished run and of the baselines, one row per seed and labelling.

    Returns:
        columns ``model`` (the runs' own, content MF, popularity), ``protocol, split, labels`` (sampled: against items
        without a click; impressions: against those shown but not clicked), ``negatives_avoid`` (whether training
        negatives avoid ``training`` or ``all`` clicks), ``seed, run, state, auc, auc_low, auc_high``; the rows of runs
        that are not done have no AUC, impression rows of data without non-clicks are left out.

    Raises:
        ShapeError: a column is missing, or there is no run.
    """
    needed = ["model", "protocol", "split", "negatives_avoid", "seed", "run", "state"]
    needed += ["auc", "auc_low", "auc_high", "auc_impressions"]
    need_columns(results, *needed)
    if results.empty:
        raise ShapeError("no runs to compare: the plan is empty")
    shown = baselines[baselines["model"].isin(list(BASELINES))].reindex(columns=needed).assign(run=None)
    runs = pd.concat([results[needed], shown], ignore_index=True).replace({"model": BASELINES})
    # the bootstrap interval of a single run was taken for sampled labels only
    impressions = runs.assign(auc=runs["auc_impressions"], auc_low=np.nan, auc_high=np.nan, labels="impressions")
    impressions = impressions[np.isfinite(impressions["auc"].to_numpy(np.float64))]
    every = pd.concat([runs.assign(labels="sampled"), impressions], ignore_index=True)
    listed: pd.DataFrame = every[["model", *KEYS, "seed", "run", "state", "auc", "auc_low", "auc_high"]]
    return listed


def protocol_frame(runs: pd.DataFrame) -> pd.DataFrame:
    """Sum :func:`protocol_runs` up over seeds: model, the choices, seeds, auc, auc_low, auc_high, state."""
    rows = []
    for case, group in runs.groupby(["model", *KEYS], sort=False):
        done = group[np.isfinite(group["auc"].to_numpy(np.float64))]
        states = dict.fromkeys(group["state"]) if len(done) < len(group) else {"done": None}
        rows.append((*case, len(done), *over_seeds(done, "auc"), ", ".join(states)))
    return pd.DataFrame(rows, columns=["model", *KEYS, "seeds", "auc", "auc_low", "auc_high", "state"])


def effect_frame(runs: pd.DataFrame, pair: Pair | None = None) -> pd.DataFrame:
    """Return what each choice changes in :func:`protocol_runs`, all else as in the paper and without a leak, by model.

    A change is the mean over common seeds, paired by seed; one seed has an interval only if its runs can be paired.
    Choices without both sides are left out.
    """
    rows: list[tuple[Any, ...]] = []
    for choice, start, end in CHOICES:
        others = [runs[name] == value for name, value in HOME.items() if name != choice]
        for model, group in runs[np.logical_and.reduce(others)].groupby("model", sort=False):
            by_seed = (
                group.pivot_table(index="seed", columns=choice, values="auc").reindex(columns=[start, end]).dropna()
            )
            if by_seed.empty:
                continue
            before, after = by_seed.mean()
            # other test clicks (split) or other labels cannot be paired user by user
            change = paired(group, choice, end, start, pair if choice in PAIRED else None)
            # a temporal split tests all seeds on the same clicks, so that their spread says nothing of other users
            known = change is not None and choice != "split"
            interval = (change.low, change.high) if change and known else (np.nan, np.nan)
            rows.append((choice, start, end, model, len(by_seed), before, after, after - before, *interval))
    names = ["choice", "start", "end", "model", "seeds", "auc_start", "auc_end", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=names)


def effect_table(frame: pd.DataFrame) -> Table:
    """Lay an :func:`effect_frame` out."""
    rows: list[list[Cell | str]] = []
    for row in records(frame):
        names = (str(row[name]).replace("_", " ") for name in ("choice", "start", "end", "model"))
        numbers = (str(row["seeds"]), show_number(row["auc_start"]), show_number(row["auc_end"]))
        change = (row[name] for name in ("change", "change_low", "change_high"))
        rows.append([*names, *numbers, value_cell(*change, sign=True)])
    caption = "AUC with the one choice and with the other, all else as in the paper; small: 95 % interval of the change"
    several = frame["choice"] != "split"  # whose other side has the same test clicks with every seed
    alone = (
        "; a change without one was seen with one seed only" if frame.loc[several, "change_low"].isna().any() else ""
    )
    alone += "; that of a temporal split, whose test clicks no seed changes, has none" if (~several).any() else ""
    head = ["choice", "from", "to", "model", "seeds", "AUC from", "AUC to", "change"]
    return Table(head, rows, f"{caption}{alone}.", "protocols", text_columns=frozenset(range(4)), frame=frame)


def case_of(*choices: str) -> str:
    """Name a case by its choices, in the order of ``KEYS``; negatives are told of only where they leak.

    >>> case_of("as-published", "random", "sampled", "all")
    'as-published, random, sampled, leak'
    """
    *others, avoided = choices
    return ", ".join(others if avoided == HOME["negatives_avoid"] else [*others, "leak"])


def protocol_chart(frame: pd.DataFrame, measured: str = "") -> go.Figure:
    """Draw a :func:`protocol_frame`: a line per protocol, split, labelling and sampler, a mark per model.

    Raises:
        ShapeError: a column is missing.
    """
    need_columns(frame, "model", *KEYS, "seeds", "auc", "auc_low", "auc_high", "state")
    cases = [case_of(*choices) for choices in frame[list(KEYS)].itertuples(index=False)]
    lines = list(dict.fromkeys(cases))
    lost = [f"{case} ({state})" for case, state in zip(cases, frame["state"], strict=True) if state != "done"]
    most = int(frame["seeds"].max())
    bars = (
        f"bars: 95 % over {most} seeds, of a temporal split over test users"
        if most > 1
        else "bars: 95 % bootstrap over test users, sampled labels only"
    )
    leaks = (frame["negatives_avoid"] != HOME["negatives_avoid"]).any()
    leak = "leak: training negatives avoid validation and test clicks, too" if leaks else ""
    subtitle = "; ".join(filter(None, (measured, bars, leak, f"no result: {'; '.join(lost)}" if lost else "")))
    layout: dict[str, Any] = {"height": 230 + 46 * len(lines), "legend": {**LEGEND_BELOW, "y": -0.24}}
    chart = figure("What the choices are worth", subtitle, x="AUC", margin={"t": 84, "b": 110, "l": 170}, **layout)
    for model, rows in frame.assign(case=cases).groupby("model", sort=False):
        colour, symbol = LOOKS.get(str(model), MODEL_LOOK)
        marker = {"color": colour, "symbol": symbol, "size": 10}
        interval = error_bars(rows["auc"], rows["auc_low"], rows["auc_high"])
        look = {"mode": "markers", "name": str(model), "marker": marker, "hovertemplate": "%{y}: %{x:.4f}"}
        chart.add_scatter(x=rows["auc"], y=rows["case"], error_x=interval, **look)
    chart.update_yaxes(categoryorder="array", categoryarray=lines[::-1], range=[-0.6, len(lines) - 0.4])
    chart.update_xaxes(tickformat=".2f")
    return chart


def _leads(frame: pd.DataFrame) -> dict[str, float]:
    """In each case, the AUC of the best model minus that of the strongest baseline; cases with both."""
    is_baseline = frame["model"].isin(BASELINE_LOOKS)
    both = (frame[~is_baseline], frame[is_baseline])
    best, strongest = (rows.groupby(list(KEYS), sort=False)["auc"].max() for rows in both)
    return {case_of(*case): lead for case, lead in (best - strongest).reindex(best.index).dropna().items()}  # type: ignore[misc]
