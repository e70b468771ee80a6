"""What the choices of an experiment are worth: what predictions and samplers may know, how clicks are divided, labels.

The same model looks better or worse by the protocol alone, and so do the simple models beside it: both are shown, and
what is compared is the change.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hyperctr.config import REFERENCE_MODEL
from hyperctr.display.theme import NEUTRAL, figure, need_columns
from hyperctr.errors import ShapeError
from hyperctr.paper.figures.figures4to6_settings import LEGEND
from hyperctr.paper.figures.settings_frame import Pair, over_seeds, paired

LABELS = {"auc": "sampled", "auc_exposed": "exposed"}
SIMPLE = {REFERENCE_MODEL: "content MF", "popularity": "popularity"}
MARKS = {"content MF": ("#D55E00", "diamond"), "popularity": (NEUTRAL, "square")}
OURS = ("#0072B2", "circle")
# Each choice: what is changed, from what, to what.
CHOICES = (
    ("protocol", "paper", "causal"),
    ("split", "random", "temporal"),
    ("labels", "sampled", "exposed"),
    ("negatives_avoid", "training", "all"),
)
HOME = {choice: start for choice, start, _ in CHOICES}
KEYS = tuple(HOME)
# On the same test clicks with the same candidates, so that two runs can be compared user by user.
PAIRED = ("protocol", "negatives_avoid")


def protocol_runs(results: pd.DataFrame, trivial: pd.DataFrame) -> pd.DataFrame:
    """List the AUC of every finished run and of the simple models, one row per seed and labelling.

    Args:
        results: rows of ``Plan.results()`` of runs that differ in protocol, split and ``negatives_avoid`` only.
        trivial: rows of ``Plan.trivial()``.

    Returns:
        columns ``model`` (the runs' own, content MF, popularity), ``protocol, split, labels`` (sampled: against items
        without a click; exposed: against items shown and not clicked), ``negatives_avoid`` (whether the negatives of
        training avoid ``training`` or ``all`` clicks), ``seed, run, state, auc, auc_low, auc_high``; the rows of runs
        that are not done have no AUC, exposed rows of data without unclicks are left out.

    Raises:
        ShapeError: a column is missing, or there is no run.
    """
    case = ["model", "protocol", "split", "negatives_avoid", "seed", "run", "state"]
    needed = (*case, "auc", "auc_low", "auc_high", "auc_exposed")
    need_columns(results, *needed)
    if results.empty:
        raise ShapeError("no runs to compare: the plan is empty")
    simple = trivial[trivial["model"].isin(list(SIMPLE))].reindex(columns=list(needed)).assign(run=None)
    both = pd.concat([results[list(needed)], simple], ignore_index=True)
    both["model"] = both["model"].replace(SIMPLE)
    parts = []
    for column, labels in LABELS.items():
        part = both[case].assign(labels=labels, auc=both[column])
        # the bootstrap interval of a single run was taken for sampled labels only
        for bound in ("auc_low", "auc_high"):
            part[bound] = both[bound] if column == "auc" else np.nan
        parts.append(part if column == "auc" else part[np.isfinite(part["auc"].to_numpy(np.float64))])
    order = ["model", *KEYS, "seed", "run", "state", "auc", "auc_low", "auc_high"]
    listed: pd.DataFrame = pd.concat(parts, ignore_index=True)[order]
    return listed


def protocol_frame(runs: pd.DataFrame) -> pd.DataFrame:
    """Sum :func:`protocol_runs` up over seeds: model, the choices, seeds, auc, auc_low, auc_high, state."""
    rows = []
    for keys, ours in runs.groupby(["model", *KEYS], sort=False):
        done = ours[np.isfinite(ours["auc"].to_numpy(np.float64))]
        value, low, high = over_seeds(done, "auc")
        states = dict.fromkeys(ours["state"]) if len(done) < len(ours) else {"done": None}
        rows.append((*keys, len(done), value, low, high, ", ".join(states)))
    return pd.DataFrame(rows, columns=["model", *KEYS, "seeds", "auc", "auc_low", "auc_high", "state"])


def worth_frame(runs: pd.DataFrame, pair: Pair | None = None) -> pd.DataFrame:
    """Return what each choice changes, the others as in the paper and without a leak, by model.

    Args:
        runs: a :func:`protocol_runs`.
        pair: compares two runs of one seed on the same test clicks; used where there is only one seed.

    Returns:
        columns ``choice, start, end, model, seeds, auc_start, auc_end, change, change_low, change_high``: the mean
        over common seeds, paired by seed; one seed has an interval only if its runs can be paired. Choices without
        both sides are left out.

    >>> rows = {"model": "hyperctr", "protocol": ["paper", "causal"], "split": "random", "labels": "sampled", "seed": 0}
    >>> runs = pd.DataFrame(rows | {"negatives_avoid": "training", "run": "r", "state": "done", "auc": [0.8, 0.75]})
    >>> worth_frame(runs)[["choice", "change"]].round(3).values.tolist()
    [['protocol', -0.05]]
    """
    rows: list[dict[str, Any]] = []
    for choice, start, end in CHOICES:
        others = {name: value for name, value in HOME.items() if name != choice}
        same = np.logical_and.reduce([runs[name] == value for name, value in others.items()])
        for model, ours in runs[same].groupby("model", sort=False):
            wide = ours.pivot_table(index="seed", columns=choice, values="auc")
            pairs = wide.reindex(columns=[start, end]).dropna()
            if pairs.empty:
                continue
            # other test clicks (split) or other labels cannot be paired user by user
            found = paired(ours, choice, end, start, pair if choice in PAIRED else None)
            rows.append(
                {
                    "choice": choice,
                    "start": start,
                    "end": end,
                    "model": model,
                    "seeds": len(pairs),
                    "auc_start": pairs[start].mean(),
                    "auc_end": pairs[end].mean(),
                    "change": (pairs[end] - pairs[start]).mean(),
                    "change_low": found.low if found else np.nan,
                    "change_high": found.high if found else np.nan,
                }
            )
    names = ["choice", "start", "end", "model", "seeds", "auc_start", "auc_end", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=names)


def case_of(*choices: str) -> str:
    """Name a case by its choices, in the order of ``KEYS``; negatives are told of only where they leak.

    >>> case_of("paper", "random", "sampled", "training"), case_of("paper", "random", "sampled", "all")
    ('paper, random, sampled', 'paper, random, sampled, leak')
    """
    *others, avoided = choices
    return ", ".join(others if avoided == HOME["negatives_avoid"] else [*others, "leak"])


def protocol_figure(frame: pd.DataFrame, measured: str = "") -> go.Figure:
    """Draw a :func:`protocol_frame`: a line per protocol, split, labelling and sampler, a mark per model.

    Args:
        frame: the frame.
        measured: on what, for the subtitle.
    """
    need_columns(frame, "model", *KEYS, "auc", "auc_low", "auc_high", "state")
    names = [case_of(*keys) for keys in frame[list(KEYS)].itertuples(index=False)]
    lines = list(dict.fromkeys(names))
    lost = [f"{name} ({state})" for name, state in zip(names, frame["state"], strict=True) if state != "done"]
    most = int(frame["seeds"].max())
    bars = f"bars: 95 % over {most} seeds" if most > 1 else "bars: 95 % bootstrap over test users, sampled labels only"
    leak = "leak: training negatives avoid validation and test clicks, too"
    bars += f"; {leak}" if (frame["negatives_avoid"] != HOME["negatives_avoid"]).any() else ""
    parts = [measured, bars, *([f"no result: {'; '.join(lost)}"] if lost else [])]
    chart = figure(
        "What the choices are worth",
        "; ".join(part for part in parts if part),
        x="AUC",
        height=230 + 46 * len(lines),
        legend={**LEGEND, "y": -0.24},
        margin={"t": 84, "b": 110, "l": 170},
    )
    for model, ours in frame.assign(line=names).groupby("model", sort=False):
        colour, symbol = MARKS.get(str(model), OURS)
        arms = {"array": ours["auc_high"] - ours["auc"], "arrayminus": ours["auc"] - ours["auc_low"], "thickness": 1.5}
        chart.add_scatter(
            x=ours["auc"],
            y=ours["line"],
            mode="markers",
            name=str(model),
            error_x=arms,
            marker={"color": colour, "symbol": symbol, "size": 10},
            hovertemplate="%{y}: %{x:.4f}",
        )
    chart.update_yaxes(categoryorder="array", categoryarray=lines[::-1], range=[-0.6, len(lines) - 0.4])
    chart.update_xaxes(tickformat=".2f")
    return chart


def protocol_paragraph(worth: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Say what each choice changes, and what that does to the lead over the simple models.

    Args:
        worth: a :func:`~hyperctr.paper.protocols.worth_frame`.
        frame: a :func:`~hyperctr.paper.protocols.protocol_frame`.
    """
    words = []
    for (choice, start, end), ours in worth.groupby(["choice", "start", "end"], sort=False):
        changes = []
        for row in ours.to_dict("records"):
            text = f"{row['model']} {row['change']:+.4f}"
            if np.isfinite(row["change_low"]):
                text += f" ({row['change_low']:+.4f} to {row['change_high']:+.4f})"
            changes.append(text)
        what = f"{str(choice).capitalize()} {end} instead of {start}"
        if choice == "negatives_avoid":
            what = f"A sampler that avoids {end} clicks instead of {start} clicks leaks, and"
        words.append(f"{what} changes AUC by: {', '.join(changes)}.")
    if worth["change_low"].isna().any():
        words.append("A change without an interval was seen with one seed only.")
    leads = []
    for keys, ours in frame.groupby(list(KEYS), sort=False):
        simple = ours[ours["model"].isin(["content MF", "popularity"])]["auc"].max()
        own = ours[~ours["model"].isin(["content MF", "popularity"])]["auc"].max()
        if np.isfinite(own) and np.isfinite(simple):
            leads.append(f"{own - simple:+.4f} ({case_of(*map(str, keys))})")
    if leads:
        words.append(f"Its lead over the strongest simple model: {'; '.join(leads)}.")
    return " ".join(words) or "No two runs that differ in one choice have a result."
