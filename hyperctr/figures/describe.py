"""Small tables about a session and its run: what notebooks show between the figures."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.data.negatives import candidate_pool
from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.runtime import duration
from hyperctr.written import show_interval, show_number

if TYPE_CHECKING:
    from hyperctr.runs.run import Run
    from hyperctr.runs.session import Session

# column -> title; 1: more is better, -1: less is, 0: no best (a constant is calibrated perfectly)
METRICS = {
    "auc": ("AUC", 1),
    "auc_centred": ("AUC, centred", 1),
    "gauc": ("GAUC", 1),
    "auc_impressions": ("AUC, impressions", 1),
    "logloss": ("log loss", -1),
    "logloss_corrected": ("log loss, corrected", -1),
    "logloss_calibrated": ("log loss, calibrated", -1),
    "calibration_error": ("calibration error", 0),
}
ROWS = 8  # of a table about one prediction
METHOD = (
    "AUC is pooled over all pairs, centred: after each user's mean score was subtracted; GAUC is the mean over users; "
    "beside them: 95 % bootstrap over users."
)


def slot_table(session: Session) -> Table:
    """Count training clicks, users and items of each time slot."""
    train, data = session.split.train, session.data
    index = {"slot": session.slots.index[train], "users": data.user_index[train], "items": data.item_index[train]}
    columns = {"training clicks": ("users", "size")} | {name: (name, "nunique") for name in ("users", "items")}
    counts = pd.DataFrame(index).groupby("slot").agg(**columns).reindex(range(session.slots.count), fill_value=0)
    counts.insert(0, "slot", session.slots.labels)
    return Table.from_frame(counts, name="slots")


def modality_table(session: Session) -> Table:
    """Describe the features: dimension of each modality, and how many items have it."""
    rows = [
        (name, features.dim, int(features.present.sum()), f"{features.present.mean():.1%}")
        for name, features in session.data.features.items()
    ]
    head = ["modality", "dimensions", "items with it", "share of items"]
    return Table.from_frame(pd.DataFrame(rows, columns=head), name="modalities")


def warnings_table(session: Session) -> Table:
    """List what was dropped, masked or merged when the data were read."""
    notes = session.data.warnings or ["nothing: every row and every feature was used as it is"]
    return Table(["note"], [[note] for note in notes])


def history(session: Session, user: Any) -> Table:
    """List the last training clicks of a user, newest first."""
    data, train = session.data, session.split.train
    rows = train[data.user_index[train] == data.users_to_index([user])[0]][::-1][:ROWS]
    items, titles = data.item_index[rows], session.labels("item")
    slots = [session.slots.labels[slot] for slot in session.slots.index[rows]]
    frame = pd.DataFrame({"item": data.items[items].astype(str), "title": titles[items], "slot": slots})
    return Table.from_frame(frame)


def ranked(session: Session, user: Any, item: Any, timestamp: int) -> Table:
    """Score a test click's item among 99 items its user never clicked, drawn as in testing; best first.

    Args:
        session: its run is trained if it was not yet.
        user: id of the user of a test click.
        item: id of the clicked item, in bold in the table.
        timestamp: of the click.
    """
    data = session.data
    pool = candidate_pool(data, session.split, "test", count=99, seed=session.config.seed)
    users, items = data.user_index[pool.rows], data.item_index[pool.rows]
    click = (users == data.users_to_index([user])[0]) & (items == data.items_to_index([item])[0])
    others = pool.negatives[np.flatnonzero(click)[0]]
    items = np.concatenate([data.items_to_index([item]), others[others >= 0]])
    chance = session.run.predict([user] * len(items), list(data.items[items]), [timestamp] * len(items))
    order = np.argsort(-chance, kind="stable")
    rank, titles = np.arange(1, len(items) + 1), session.labels("item")[items[order]]
    clicked = order == 0
    shown = (rank <= ROWS) | clicked  # the clicked item is always among them
    columns = {"rank": rank, "title": titles, "probability": chance[order]}
    frame = pd.DataFrame(columns | {"really clicked": np.where(clicked, "yes", "")})[shown]
    meant = "hold where half of the pairs are clicks" if session.run.calibration else "are not calibrated"
    caption = f"place {rank[clicked][0]} of {len(items)}; probabilities {meant}"
    return Table.from_frame(frame, caption=caption, strong=np.flatnonzero(clicked[shown]))


def explanation(session: Session, user: Any, item: Any, timestamp: int) -> Table:
    """List the hyperedges that change a prediction most when they are removed, largest effect first."""
    groups = session.run.explain(user, item, timestamp)
    shown = groups.head(ROWS)
    titles = dict(zip(session.data.items.tolist(), session.labels("item"), strict=True))
    source = [
        f"clicked {titles[clicked]}" if side == "user" else f"clicked by user {clicked}"
        for side, clicked in zip(shown["side"], shown["hyperedge"].tolist(), strict=True)
    ]
    columns = {"group of": shown["side"] + "s", "who": source, "modality": shown["modality"]}
    adds = shown["contribution"].map(partial(show_number, sign=True))
    columns |= {"members": shown["members"].map(len), "adds to the probability": adds}
    caption = (
        f"{len(shown)} of {len(groups)} groups of the slot; probability {show_number(groups.attrs['score'])}. Each "
        "group is removed alone, and groups act together, so the parts do not add up to it."
    )
    return Table.from_frame(pd.DataFrame(columns), caption=caption)


def metrics(session: Session) -> Table:
    """Show the run's test metrics above those of the baselines, with intervals, the best of each in bold."""
    run = session.run
    baselines = run.rows.set_index("model")["auc"].iloc[1:]
    interval = [run.metrics["auc_low"], run.metrics["auc_high"]]
    headline = {"model": run.config.model, "AUC": run.metrics["auc"], "interval": interval}
    headline |= {f"AUC of {name}": float(auc) for name, auc in baselines.items()}
    headline |= {"log loss": run.metrics["logloss"], "log loss, calibrated": run.metrics.get("logloss_calibrated")}
    headline |= {"training time": duration(run.metrics["seconds"])}
    return replace(metrics_table(run.rows, caption=measured_on(run), name="metrics"), headline=headline)


def metrics_table(rows: pd.DataFrame, *, caption: str = "", name: str = "") -> Table:
    """Show one row per model, each metric with its interval if there is one, the best in bold.

    Args:
        rows: column ``model`` and any of :data:`METRICS`, with or without ``_low`` and ``_high``.
        caption: what the numbers are measured on: :func:`measured_on`.
        name: file name of the table.

    >>> frame = pd.DataFrame({"model": ["a"], "auc": [0.8], "auc_low": [0.79], "auc_high": [0.81]})
    >>> metrics_table(frame)
    model                      AUC
    a      0.8000 [0.7900, 0.8100]
    """
    shown = {column: metric for column, metric in METRICS.items() if column in rows}
    best = {column: (rows[column] * sign).max() * sign for column, (_, sign) in shown.items() if sign}
    lines: list[list[Cell | str]] = []
    for row in rows.to_dict("records"):
        line: list[Cell | str] = [str(row["model"])]
        for column in shown:
            bounds = (float(row.get(f"{column}_{end}", np.nan)) for end in ("low", "high"))
            line.append(value_cell(float(row[column]), *bounds, bold=row[column] == best.get(column)))
        lines.append(line)
    return Table(["model", *(title for title, _ in shown.values())], lines, caption, name, frame=rows)


def measured_on(run: Run) -> str:
    """Say what a run's test metrics are measured on: always printed under them."""
    metrics, config = run.metrics, run.config
    shown = "" if np.isnan(metrics["auc_impressions"]) else " AUC, impressions: against rows shown and not clicked."
    return (
        f"{metrics['test_clicks']:,} test clicks, each with {config.test_candidates:,} sampled unobserved "
        f"items (labelling: sampled), protocol {config.protocol}, {config.split} split, seed "
        f"{config.seed}. {METHOD} Log loss: on one sampled negative per click; "
        "corrected, and so is the calibration error: moved from the share of clicks in training to a half; calibrated: "
        "slope and shift of the logit fitted on validation clicks."
        f"{shown}" + "".join(f" Mind: {note}." for note in metrics.get("warnings", []))
    )


def gains(session: Session) -> Table:
    """Show how far the run is ahead of each baseline, in pooled AUC, with a paired interval."""
    return gains_table(session.run.rows)


def gains_table(rows: pd.DataFrame) -> Table:
    """Show how far the first row's model is ahead of each other row, in pooled AUC, with a paired interval.

    >>> frame = pd.DataFrame({"model": ["hyperctr", "popularity"], "auc_gain": [None, 0.021],
    ...                       "auc_gain_low": [None, 0.015], "auc_gain_high": [None, 0.027]})
    >>> gains_table(frame).rows
    [['popularity', '+0.0210', '[+0.0150, +0.0270]', 'ahead']]
    """
    lines = []
    for row in rows[rows["auc_gain"].notna()].to_dict("records"):
        low, high = row["auc_gain_low"], row["auc_gain_high"]
        verdict = "ahead" if low > 0 else "behind" if high < 0 else "not told apart"
        gain = show_number(row["auc_gain"], sign=True)
        lines.append([str(row["model"]), gain, show_interval(low, high, sign=True), verdict])
    head = ["compared with", "AUC difference", "95 % interval", "verdict"]
    return Table(head, lines, f"{rows['model'].iloc[0]} minus the other", text_columns=frozenset({0, 3}))
