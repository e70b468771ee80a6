"""An explanation of a score as frames: where it comes from, its hyperedges, its clicks, and all of it as one table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.errors import ConfigError
from hyperctr.runtime import write_atomic

Explanation = Mapping[str, Any]  # what ScoreExplainer.explain returns


def effect(value: float) -> str:
    """Say in a word what something does to a score; less than half of the last digit shown does nothing.

    >>> effect(0.01), effect(-0.01), effect(0.00001)
    ('raises', 'lowers', 'no effect')
    """
    return "no effect" if abs(value) < 5e-5 else "raises" if value > 0 else "lowers"


def explained(explanation: Explanation | None) -> Explanation:
    """Return the explanation.

    Raises:
        ConfigError: there is none.
    """
    if explanation is None:
        raise ConfigError("no pair is explained, so there is nothing to show or write; set pair = [user, item]")
    return explanation


def sources_frame(explanation: Explanation | None) -> pd.DataFrame:
    """Return where a score comes from: ``source``, ``value``, ``effect`` and the ``score`` so far.

    The values add up to the last score, which is that of the pair. With changes the last row is what they do.
    """
    rows = [] if explanation is None else list(explanation["sources"])
    if explanation is not None and explanation["changes"]:
        new, words = explanation["new_score"], ", ".join(explanation["changes"])
        rows.append({"source": words, "value": new - explanation["score"], "score": new})
    frame = pd.DataFrame(rows, columns=["source", "value", "score"])
    effects = ["" if source == "base rate" else effect(value) for source, value, _ in frame.to_numpy()]
    frame.insert(2, "effect", effects)
    return frame


def contributions_frame(explanation: Explanation | None) -> pd.DataFrame:
    """Return what each hyperedge around the pair does to the score, largest effect first, members counted."""
    columns = ["side", "slot_label", "modality", "hyperedge", "title", "members", "value", "removed"]
    rows = [] if explanation is None else explanation["contributions"]
    frame = pd.DataFrame(rows, columns=columns).rename(columns={"slot_label": "slot"})
    return frame.assign(members=[len(members) for members in frame["members"]])


def history_frame(explanation: Explanation | None) -> pd.DataFrame:
    """Return what each click of the history does to the score, the nearest in time first."""
    columns = ["item", "title", "timestamp", "moment", "slot_label", "value", "removed"]
    rows = [] if explanation is None else explanation["history"]
    return pd.DataFrame(rows, columns=columns).rename(columns={"slot_label": "slot"})


def explanation_frame(explanation: Explanation | None) -> pd.DataFrame:
    """Return the whole explanation as one table: its sources, then hyperedges, then clicks of the history.

    Returns:
        ``part`` (``source``, ``hyperedge`` or ``click``), ``of`` (the source that it belongs to), ``slot``,
        ``modality``, ``id`` and ``title`` of what it comes from, ``members`` (how many), ``who`` (their ids by
        spaces), ``time``, ``value``, ``effect``, ``score`` (so far, of sources) and ``removed``. Values of sources add
        up to the score, those of hyperedges and clicks do not: each is the score minus that without it alone.
    """
    columns = ["part", "of", "slot", "modality", "id", "title", "members", "who", "time"]
    columns += ["value", "effect", "score", "removed"]
    rows: list[dict[str, Any]] = []
    if explanation is not None:
        sources = sources_frame(explanation)[["source", "value", "score"]].to_numpy().tolist()
        rows += [{"part": "source", "of": of, "value": value, "score": score} for of, value, score in sources]
        rows += [
            {"part": "hyperedge", "of": row["of"], "slot": row["slot_label"], "modality": row["modality"]}
            | {"id": row["hyperedge"], "members": len(row["members"]), "who": " ".join(map(str, row["members"]))}
            | {name: row[name] for name in ("title", "value", "removed")}
            for row in explanation["contributions"]
        ]
        rows += [
            {"part": "click", "of": "history", "slot": row["slot_label"], "id": row["item"], "time": row["timestamp"]}
            | {name: row[name] for name in ("title", "value", "removed")}
            for row in explanation["history"]
        ]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)  # ids stay what they are
    values = frame["value"].astype(float)
    frame["effect"] = ["" if of == "base rate" else effect(v) for of, v in zip(frame["of"], values, strict=True)]
    return frame.assign(value=values, score=frame["score"].astype(float))


def explanation_csv(explanation: Explanation | None) -> str:
    """Return :func:`explanation_frame` as CSV, the pair and its time in each row.

    Raises:
        ConfigError: no pair is explained.
    """
    explanation = explained(explanation)
    pair = {"user": explanation["user"], "item": explanation["item"], "timestamp": explanation["timestamp"]}
    frame = explanation_frame(explanation)
    for place, (name, value) in enumerate(pair.items()):
        frame.insert(place, name, value)
    return frame.to_csv(index=False, lineterminator="\n")


def export_explanation(explanation: Explanation | None, path: str | Path) -> Path:
    """Write an explanation as CSV, whole or not at all.

    Raises:
        ConfigError: no pair is explained, or another ending than ``.csv``.
    """
    if Path(path).suffix != ".csv":
        raise ConfigError(f"{path}: an explanation is written as .csv")
    write_atomic(path, explanation_csv(explanation))
    return Path(path)
