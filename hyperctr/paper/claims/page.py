"""The page of claims: all verdicts in one table, the reasons in another, and what they come to in a sentence."""

from __future__ import annotations

import pandas as pd

from hyperctr.display.print_table import Cell, PrintTable, Tone
from hyperctr.paper.claims.claim import FLAT
from hyperctr.paper.numbers import beside, printed_columns
from hyperctr.paper.tables.rows import records

KINDS = ("holds", "fails", "not decided", "not testable")
LOOKS: dict[str, tuple[str, Tone]] = {
    "holds": ("✓\u00a0holds", "good"),
    "fails": ("✗\u00a0fails", "bad"),
    "not decided": ("not\u00a0decided", ""),
    "not testable": ("not\u00a0testable", "soft"),
}
MEANING = (
    "Printed numbers are compared as they are, without intervals. On ours, holds or fails means that a 95 % interval "
    "of the difference leaves zero out: paired over the test users of each seed, or over the seeds. Not decided: it "
    "does not, or a run is missing. Not testable: there is nothing to test it on. "
    f"Where the paper says stable, enough or slightly, a gain of up to {FLAT} AUC counts as none."
)


def claims_layout(frame: pd.DataFrame) -> PrintTable:
    """Lay the verdicts out: a row per claim, a column per printed data set and per data set of ours."""
    ours = list(dict.fromkeys(frame.loc[frame["source"] == "ours", "dataset"]))
    columns = [("paper", name) for name in printed_columns()] + [("ours", name) for name in ours]
    verdicts = {(row["claim"], row["source"], row["dataset"]): row["verdict"] for row in records(frame)}
    claims = frame.drop_duplicates("claim")
    lines: list[list[Cell | str]] = []
    places = []
    for row in records(claims):
        cells = [Cell(*_look(verdicts.get((row["claim"], *column), "not testable"))) for column in columns]
        lines.append([Cell(row["text"], row["place"]), *cells])
        places.append(row["place"])
    rules = frozenset(i for i in range(1, len(places)) if places[i].split(",")[0] != places[i - 1].split(",")[0])
    head = ["claim", *(name for _, name in columns)]
    groups = [("", 1), ("on the printed numbers", len(printed_columns())), *([("on ours", len(ours))] if ours else [])]
    caption = f"{MEANING} {' '.join(map(beside, ours))}"
    text = frozenset(range(len(head)))
    return PrintTable(
        head, lines, caption.strip(), "claims", groups, rules_before=rules, text_columns=text, wide={0: 0.5}
    )


def _look(kind: str) -> tuple[str, str, Tone]:
    text, tone = LOOKS[kind]
    return text, "", tone


def reasons_layout(frame: pd.DataFrame, source: str) -> PrintTable:
    """Lay out why each verdict was given, of one source; those not testable are left to the other table."""
    shown = frame[(frame["source"] == source) & (frame["verdict"] != "not testable")]
    lines = [
        [Cell(row["claim"].replace("_", " ")), row["dataset"], Cell(*_look(row["verdict"])), row["why"]]
        for row in records(shown)
    ]
    caption = "Of several comparisons, those that decide are named, the closest first."
    head = ["claim", "data set", "verdict", "why"]
    return PrintTable(head, lines, caption, f"reasons_{source}", text_columns=frozenset(range(4)), wide={3: 0.5})


def claims_paragraph(frame: pd.DataFrame) -> str:
    """Say how many claims hold, fail or are open, on the print and on ours, and name those that fail.

    >>> row = {"claim": "a_is_best", "text": "A is best.", "source": "ours", "dataset": "d", "verdict": "fails"}
    >>> claims_paragraph(pd.DataFrame([row]))
    'On ours (d): 0 hold, 1 fails, 0 are not decided, 0 are not testable. Fails: A is best.'
    """
    parts = []
    for (source, dataset), rows in frame.groupby(["source", "dataset"], sort=False):
        counts = rows["verdict"].value_counts()
        held, failed, undecided, untestable = (int(counts.get(kind, 0)) for kind in KINDS)
        where = f"On ours ({dataset})" if source == "ours" else f"On the printed numbers of {dataset}"
        numbers = (
            f"{held} {_verb(held, 'holds', 'hold')}, {failed} {_verb(failed, 'fails', 'fail')}, "
            f"{undecided} {_verb(undecided, 'is', 'are')} not decided, "
            f"{untestable} {_verb(untestable, 'is', 'are')} not testable"
        )
        lost = rows.loc[rows["verdict"] == "fails", "text"].tolist()
        parts.append(f"{where}: {numbers}." + (f" {_verb(failed, 'Fails', 'Fail')}: {' '.join(lost)}" if lost else ""))
    return "\n\n".join(parts)


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many claims have which verdict on ours, for the index page."""
    ours = frame[frame["source"] == "ours"]
    return {kind: int((ours["verdict"] == kind).sum()) for kind in KINDS}
