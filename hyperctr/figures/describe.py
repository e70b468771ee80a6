"""Small tables and sentences about a study and its run: what notebooks show between the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.data.negatives import candidate_pool
from hyperctr.data.splits import PARTS
from hyperctr.display.hypergraph import hypergraph_figure
from hyperctr.display.table import Cell, Table, value_cell
from hyperctr.figures.frames import recovery_frame
from hyperctr.runtime import duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.run import Run
    from hyperctr.runs.session import NotebookStudy

# column -> title; 1: more is better, -1: less is, 0: no best (a constant is calibrated perfectly)
METRICS = {
    "auc": ("AUC", 1),
    "gauc": ("GAUC", 1),
    "auc_exposed": ("AUC, exposed", 1),
    "logloss": ("log loss", -1),
    "logloss_corrected": ("log loss, corrected", -1),
    "calibration_error": ("calibration error", 0),
}
METHOD = "AUC is pooled over all pairs, GAUC is the mean over users; beside them: 95 % bootstrap over users."


def split_table(study: NotebookStudy) -> pd.DataFrame:
    """Count clicks, unclicks, users and slots of each part of the split."""
    rows = []
    for part in PARTS:
        clicks = study.split.rows(part)
        slots = np.unique(study.slots.index[clicks])
        users = np.unique(study.data.user_index[clicks])
        rows.append((part, len(clicks), len(study.split.unclicks(part)), len(users), len(slots)))
    return pd.DataFrame(rows, columns=["part", "clicks", "unclicks", "users", "slots"])


def slot_table(study: NotebookStudy) -> pd.DataFrame:
    """Count training clicks, users and items of each time slot."""
    rows = []
    slot = study.slots.index[study.split.train]
    for place, label in enumerate(study.slots.labels):
        clicks = study.split.train[slot == place]
        users, items = (len(np.unique(one[clicks])) for one in (study.data.user_index, study.data.item_index))
        rows.append((label, len(clicks), users, items))
    return pd.DataFrame(rows, columns=["slot", "training clicks", "users", "items"])


def modality_table(data: Dataset) -> pd.DataFrame:
    """Describe the features: dimension of each modality, and how many items have it."""
    rows = [
        (name, table.dim, int(table.present.sum()), f"{table.present.mean():.1%}")
        for name, table in data.features.items()
    ]
    return pd.DataFrame(rows, columns=["modality", "dimensions", "items with it", "share of items"])


def warnings_table(data: Dataset) -> Table:
    """List what was dropped, masked or merged when the data were read."""
    notes = data.warnings or ["nothing: every row and every feature was used as it is"]
    return Table(["note"], [[note] for note in notes])


def drawing(study: NotebookStudy, kind: str, slot: int, *, limit: int = 15) -> go.Figure:
    """Draw the ``"user"`` or ``"item"`` hypergraph of a slot, nodes named as people know them."""
    title = f"{kind.capitalize()} hypergraph, {study.slots.labels[slot]}"
    labels = study.labels(kind)
    return hypergraph_figure(study.hypergraphs[kind][slot], limit=limit, title=title, node_labels=labels)


def history(study: NotebookStudy, user: Any, *, limit: int = 8) -> pd.DataFrame:
    """List the last training clicks of a user, newest first."""
    data = study.data
    own = study.split.train[data.user_index[study.split.train] == data.users_to_index([user])[0]]
    rows = own[::-1][:limit]
    items = data.item_index[rows]
    slots = [study.slots.labels[place] for place in study.slots.index[rows]]
    return pd.DataFrame({"item": data.items[items].astype(str), "title": study.labels("item")[items], "slot": slots})


def ranked(study: NotebookStudy, user: Any, item: Any, timestamp: int, *, count: int = 99, limit: int = 8) -> Table:
    """Score a test click's item among items its user never clicked, by the trained model; best first.

    Args:
        study: its run is trained if it was not yet.
        user: id of the user of a test click.
        item: id of the clicked item, in bold in the table.
        timestamp: of the click.
        count: how many other items, drawn as in testing.
        limit: how many rows to show; the clicked item is always among them.
    """
    data = study.data
    pool = candidate_pool(data, study.split, "test", count=count, seed=study.config.seed)
    own = (data.user_index[pool.rows] == data.users_to_index([user])[0]) & (
        data.item_index[pool.rows] == data.items_to_index([item])[0]
    )
    others = pool.negatives[np.flatnonzero(own)[0]]
    items = np.concatenate([data.items_to_index([item]), others[others >= 0]])
    chance = study.run.predict([user] * len(items), list(data.items[items]), [timestamp] * len(items))
    order = np.argsort(-chance, kind="stable")
    rank = np.arange(1, len(items) + 1)
    clicked = order == 0
    shown = (rank <= limit) | clicked
    frame = pd.DataFrame(
        {
            "rank": rank,
            "title": study.labels("item")[items[order]],
            "probability": chance[order],
            "really clicked": np.where(clicked, "yes", ""),
        }
    )[shown]
    drawn = study.config.negatives
    caption = f"place {rank[clicked][0]} of {len(items)}; probabilities are as in training, {drawn} sampled per click"
    return Table.from_frame(frame, caption=caption, strong=np.flatnonzero(clicked[shown]))


def explanation(study: NotebookStudy, user: Any, item: Any, timestamp: int, *, limit: int = 8) -> Table:
    """List the hyperedges that change a prediction most when they are removed, largest effect first.

    Args:
        study: its run is trained if it was not yet.
        user: id.
        item: id.
        timestamp: when.
        limit: how many rows.
    """
    found = study.run.explain(user, item, timestamp)
    shown = found.head(limit)
    titles = dict(zip(study.data.items.tolist(), study.labels("item"), strict=True))
    source = [
        f"clicked {titles[one]}" if side == "user" else f"clicked by user {one}"
        for side, one in zip(shown["side"], shown["hyperedge"].tolist(), strict=True)
    ]
    frame = pd.DataFrame(
        {
            "group of": [f"{side}s" for side in shown["side"]],
            "who": source,
            "modality": shown["modality"].tolist(),
            "members": [len(members) for members in shown["members"]],
            "adds to the probability": [f"{value:+.4f}" for value in shown["contribution"]],
        }
    )
    caption = (
        f"{len(shown)} of {len(found)} groups of the slot; probability {found.attrs['score']:.4f}. Each group is "
        "removed alone, and groups act together, so the parts do not add up to it."
    )
    return Table.from_frame(frame, caption=caption)


def measured_on(run: Run) -> str:
    """Say what a run's test metrics are measured on: always printed under them."""
    facts, config = run.metrics, run.config
    shown = "" if np.isnan(facts["auc_exposed"]) else " AUC, exposed: clicks against rows shown and not clicked."
    return (
        f"{facts['test_clicks']:,} test clicks, each with {config.test_candidates:,} sampled unobserved "
        f"items (labelling: sampled), protocol {config.protocol}, {config.split} split, seed "
        f"{config.seed}. {METHOD} Log loss: on one sampled negative per click; "
        "corrected, and so is the calibration error: moved from the share of clicks in training to a half."
        f"{shown}" + "".join(f" Mind: {note}." for note in facts.get("warnings", []))
    )


def metrics_table(rows: pd.DataFrame, *, caption: str = "", name: str = "") -> Table:
    """Show one row per model, each metric with its interval if there is one, the best in bold.

    Args:
        rows: column ``model`` and any of :data:`METRICS`, with or without ``_low`` and ``_high``.
        caption: what the numbers are measured on: :func:`measured_on`.
        name: file name of the table.

    >>> frame = pd.DataFrame({"model": ["a"], "auc": [0.8], "auc_low": [0.79], "auc_high": [0.81]})
    >>> metrics_table(frame)
    model                        AUC
    a      0.8000 (0.7900 to 0.8100)
    """
    shown = {column: METRICS[column] for column in METRICS if column in rows}
    best = {column: (rows[column] * sign).max() * sign for column, (_, sign) in shown.items() if sign}
    lines: list[list[Cell | str]] = []
    for row in rows.to_dict("records"):
        line: list[Cell | str] = [str(row["model"])]
        for column in shown:
            bounds = (float(row.get(f"{column}_{end}", np.nan)) for end in ("low", "high"))
            line.append(value_cell(float(row[column]), *bounds, bold=row[column] == best.get(column)))
        lines.append(line)
    return Table(["model", *(title for title, _ in shown.values())], lines, caption, name, frame=rows)


def ahead_table(rows: pd.DataFrame) -> Table:
    """Show how far the first row's model is ahead of each other row, in pooled AUC, with a paired interval.

    >>> frame = pd.DataFrame({"model": ["hyperctr", "popularity"], "ahead": [None, 0.021],
    ...                       "ahead_low": [None, 0.015], "ahead_high": [None, 0.027]})
    >>> ahead_table(frame).rows
    [['popularity', '+0.0210', '+0.0150 to +0.0270', 'ahead']]
    """
    lines = []
    for row in rows[rows["ahead"].notna()].to_dict("records"):
        low, high = row["ahead_low"], row["ahead_high"]
        verdict = "ahead" if low > 0 else "behind" if high < 0 else "not told apart"
        lines.append([str(row["model"]), f"{row['ahead']:+.4f}", f"{low:+.4f} to {high:+.4f}", verdict])
    head = ["compared with", "AUC difference", "95 % interval", "verdict"]
    return Table(head, lines, f"{rows['model'].iloc[0]} minus the other", text_columns=frozenset({0, 3}))


def headline(run: Run) -> dict[str, Any]:
    """Return a run's numbers for the index page."""
    facts = run.metrics
    beside = run.rows.set_index("model")["auc"]
    numbers = {"model": run.config.model, "AUC": facts["auc"], "interval": [facts["auc_low"], facts["auc_high"]]}
    numbers |= {f"AUC of {name}": float(beside[name]) for name in beside.index[1:]}
    return {**numbers, "log loss": facts["logloss"], "training time": duration(facts["seconds"])}


def recovery(study: NotebookStudy) -> pd.DataFrame | None:
    """Hold the run's interest against the planted truth; None where there is no truth or no interest."""
    from hyperctr.hypergraph.recovery import interest_recovery, true_interest

    interest = study.run.interest
    if study.data.truth is None or interest is None:
        return None
    true = true_interest(study.data, study.split, study.slots)
    scores = interest_recovery(study.data, study.split, study.slots, interest)
    return recovery_frame(true, interest.matrix, scores)


def show_recovery(study: NotebookStudy, *, report_dir: str = "") -> None:
    """Show the recovery figure and publish its AUC, or say why there is none."""
    from IPython.display import Markdown, display

    from hyperctr.display.publish import publish, show_figure
    from hyperctr.figures import recovery_figure

    frame = recovery(study)
    if frame is None:
        why = "has no planted truth" if study.data.truth is None else "was predicted without interest"
        display(Markdown(f"The data set `{study.data.name}` {why}: nothing to compare."))  # type: ignore[no-untyped-call]
        return
    show_figure(recovery_figure(frame), "recovery", frame, report_dir=report_dir)
    scores = frame.groupby("modality", sort=False)["auc"].first()
    publish("Recovered interest, AUC", mean=float(scores.mean()), **{str(k): float(v) for k, v in scores.items()})


def hypergraph_totals(study: NotebookStudy) -> dict[str, Any]:
    """Return slots, and hyperedges and mean sizes over all slots, for the index page."""
    numbers: dict[str, Any] = {"slots": study.slots.count}
    for kind in ("user", "item"):
        sizes = study.sizes(kind)
        count = int(sizes["hyperedges"].sum())
        numbers[f"{kind} hyperedges"] = count
        numbers[f"{kind}s per hyperedge"] = float(sizes["incidences"].sum() / max(count, 1))
    return numbers
