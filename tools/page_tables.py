"""Frames as the tables of pages: Markdown, numbers with digits, values with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import pandas as pd

from hyperctr.config import SYSTEMS
from hyperctr.display.table import Table
from hyperctr.paper.tables.table3_overall import COUNTING
from hyperctr.statistics import Interval
from hyperctr.sweeps.seeds import paired
from hyperctr.written import EMPTY, show_interval, show_number

BUDGET = "quick"  # of all recorded results; the pages say so


def markdown(frame: pd.DataFrame, titles: Mapping[str, str], **digits: int) -> str:
    """Return some columns as a table, by their titles; numbers have four digits unless told otherwise."""
    formats = {name: partial(show_number, digits=digits[name]) for name in digits}
    return Table.from_frame(frame[list(titles)], titles=titles, formats=formats).markdown()


def three_digits(column: pd.Series) -> list[str]:
    """Return the numbers of a column that has small and large ones, three significant digits each.

    >>> three_digits(pd.Series([0.2216, 11.07, 1247.6, math.nan]))
    ['0.222', '11.1', '1,248', '–']
    """
    whole = [f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" for value in column]
    return [text if math.isfinite(value) else EMPTY for text, value in zip(whole, column, strict=True)]


def with_interval(frame: pd.DataFrame, column: str, *, sign: bool = False) -> list[str]:
    """Return texts ``value [low, high]``, or the value alone where it has no interval, or a dash."""
    rows = zip(*(frame[column + end].astype(float) for end in ("", "_low", "_high")), strict=True)
    shown = ((show_number(value, sign=sign), show_interval(low, high, sign=sign)) for value, low, high in rows)
    return [f"{value} {interval}".rstrip() for value, interval in shown]


def recorded_by(frame: pd.DataFrame) -> str:
    """Say which version wrote a table that names it."""
    return f"recorded by hyperctr {frame['hyperctr'].iloc[0]}"


def hyperedges_gain(frame: pd.DataFrame) -> tuple[str, str, bool] | None:
    """Return what hyperedges gain over single clicks in Table 4, the published gain, and whether chance explains ours.

    None where the row "(-) hypergraph" has no result; the published gain is empty where there is none.
    """
    rows = frame[frame["model"].str.startswith("(-) hypergraph")].dropna(subset=["auc_deficit"])
    if rows.empty:
        return None
    row = rows.iloc[0]
    low, high = row["auc_deficit_low"], row["auc_deficit_high"]
    gain = f"{show_number(row['auc_deficit'], sign=True)} {show_interval(low, high, sign=True)}".rstrip()
    published = frame["paper_auc"].iloc[0] - row["paper_auc"]  # the first row is the full model
    return gain, show_number(published, sign=True) if pd.notna(published) else "", bool(low <= 0 <= high)


def hyperedges_worth(frame: pd.DataFrame) -> str:
    """Say in a sentence what hyperedges are worth, from the row of Table 4 that has single clicks in their place."""
    found = hyperedges_gain(frame)
    if found is None:
        return ""
    gain, published, chance = found
    told = f"change the AUC by {gain}" + (", which is within chance" if chance else "")
    paper = f"; the paper reports {published}" if published else ""
    return f"Hyperedges in place of single clicks {told}{paper}."


def centred_order(frame: pd.DataFrame) -> str:
    """Say which models lead once each user's mean score is subtracted, and whose AUC changes most by it."""
    rows = frame.dropna(subset=["auc", "auc_centred"])
    rows = rows[~rows["model"].isin(COUNTING)].set_index("model")
    if rows.empty:
        return ""
    first = rows["auc_centred"].sort_values(ascending=False, kind="stable").head(3)
    order = ", ".join(f"{model} {show_number(value)}" for model, value in first.items())
    change = (rows["auc_centred"] - rows["auc"]).sort_values()
    ends = ((change[change < 0].head(1), "lowers"), (change[change > 0].tail(1), "raises"))
    told = [
        f"; it {words} {model} most ({show_number(value, sign=True)})"
        for end, words in ends
        for model, value in end.items()
    ]
    return f"By the AUC with each user's mean score subtracted (*centred*), the order begins {order}{''.join(told)}."


def lead_text(frame: pd.DataFrame) -> str:
    """Say how far the first model of a frame is ahead of the second over all its seeds, paired; nothing of one seed."""
    first, second = frame["model"].unique()
    found = paired(frame, "model", first, second)
    if found is None:
        return ""
    gain, seeds = gain_text(found), frame["seed"].nunique()
    return f"Over {seeds} seeds the AUC of `{first}` minus that of `{second}` is {gain}, {recorded_by(frame)}."


def gain_text(gain: Interval) -> str:
    """Write a difference with its interval."""
    return f"{show_number(gain.value, sign=True)} {show_interval(gain.low, gain.high, sign=True)}"


def same_exchange(runs: pd.DataFrame) -> str:
    """Say what hyperedges are worth where users and items hear of each other with and without them, from runs.csv."""
    rows = runs.assign(edges=runs["what"].str.extract(r"(with edge information|\(-\) hypergraph)", expand=False))
    found = paired(rows, "edges", "with edge information", "(-) hypergraph")
    if found is None:
        return ""
    return f"With the same exchange between users and items (row *with edge information*) it is {gain_text(found)}."


def best_rival(frame: pd.DataFrame) -> tuple[str, int]:
    """Return the system with the highest test AUC in Table 3, and how many there are beside HyperCTR and baselines."""
    systems = frame.loc[frame.index.isin(SYSTEMS), "auc"].dropna()
    return str(systems.idxmax()), len(systems)


def gains_of_ways(frame: pd.DataFrame) -> str:
    """Return what each way to train gained over a convolution for every step, from the mean rows of ``rounds.csv``."""
    means = frame[frame["seed"].str.startswith("mean")].copy()
    gains = {f"{part}_gain": f"{part} AUC, gain" for part in ("validation", "test")}
    for name in gains:
        means[name] = with_interval(means, name, sign=True)
    return markdown(means, {"data": "data", "way": "way", "seed": "seeds", **gains})
