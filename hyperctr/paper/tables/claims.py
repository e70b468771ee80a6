"""The paper's claims, checked on its own numbers and on a sweep: all verdicts in one table, the reasons in another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from hyperctr.display.table import Cell, Table, Tone
from hyperctr.errors import ConfigError, RunError, did_you_mean
from hyperctr.paper.checks import figures4to7, tables3and4
from hyperctr.paper.checks.claim import FLAT
from hyperctr.paper.checks.results import Results, RunResults, published_results
from hyperctr.paper.figures.figure7_scaling import speedup_frame
from hyperctr.paper.numbers import beside, published_columns
from hyperctr.paper.prose import prose
from hyperctr.sweeps.seeds import records
from hyperctr.sweeps.sweep import paired_runs

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

CLAIMS = (*tables3and4.CLAIMS, *figures4to7.CLAIMS)  # in the order of the paper
LOOKS: dict[str, tuple[str, Tone]] = {
    "holds": ("✓\u00a0holds", "good"),
    "fails": ("✗\u00a0fails", "bad"),
    "not decided": ("not\u00a0decided", ""),
    "not testable": ("not\u00a0testable", "soft"),
}
SIDES = ("measured", "published")  # the column ``source``
MEANING = (
    "Published numbers are compared as they are, without intervals. On measured runs, holds or fails means that a 95 % "
    "interval of the difference leaves zero out: paired over the test users of each seed, or over the seeds. Not "
    "decided: it does not, or a run is missing. Not testable: there is nothing to test it on. "
    f"Where the paper says stable, enough or slightly, a gain of up to {FLAT} AUC counts as none."
)


def claims(sweep: Sweep) -> Table:
    """Check the paper's claims on its numbers and on a sweep's: one verdict per claim and data set."""
    return claims_layout(claims_frame(sweep))


def claims_frame(sweep: Sweep) -> pd.DataFrame:
    """Check all claims; the speed-up is that of the base run, where it can be timed."""
    speedup = None
    try:
        scaling = sweep.scaling()
        speedup = speedup_frame(scaling.frame)
        speedup.attrs["busy_cores"] = scaling.busy_cores
    except RunError:
        pass
    return check_claims([*published_results(), RunResults(sweep.dataset, sweep.results, paired_runs, speedup)])


def check_claims(results: Iterable[Results]) -> pd.DataFrame:
    """Check all claims on results, one per data set: ``claim, place, text, source, dataset, verdict, why``."""
    checked = list(results)
    rows = []
    for claim in CLAIMS:
        for on in checked:
            verdict = claim.check(on)
            rows.append((claim.name, claim.place, claim.text, on.source, on.dataset, verdict.kind, verdict.why))
    return pd.DataFrame(rows, columns=["claim", "place", "text", "source", "dataset", "verdict", "why"])


def claims_layout(frame: pd.DataFrame) -> Table:
    """Lay verdicts out: a row per claim, a column per published and per measured data set."""
    measured = frame[frame["source"] == "measured"]
    datasets = measured["dataset"].unique().tolist()
    columns = [*(("published", name) for name in published_columns()), *(("measured", name) for name in datasets)]
    verdicts = {(row["claim"], row["source"], row["dataset"]): row["verdict"] for row in records(frame)}
    every = frame.drop_duplicates("claim", ignore_index=True)
    lines: list[list[Cell | str]] = [
        [Cell(row["text"], row["place"]), *(_verdict(verdicts.get((row["claim"], *column))) for column in columns)]
        for row in records(every)
    ]
    section = every["place"].str.partition(",")[0]
    starts = (section != section.shift()) & (every.index > 0)
    groups = [("", 1), ("on the published numbers", len(published_columns())), ("on measured runs", len(datasets))]
    return Table(
        ["claim", *(name for _, name in columns)],
        lines,
        " ".join([MEANING, *map(beside, datasets)]),
        "claims",
        [(title, width) for title, width in groups if width],
        rules_before=frozenset(every.index[starts].tolist()),
        text_columns=frozenset(range(len(columns) + 1)),
        wide={0: 0.5},
        frame=frame,
        note=claims_note(frame),
        headline={kind: int((measured["verdict"] == kind).sum()) for kind in LOOKS},
    )


def _verdict(kind: str | None) -> Cell:
    text, tone = LOOKS[kind or "not testable"]
    return Cell(text, tone=tone)


def claim_reasons(claims: Table | pd.DataFrame, side: str) -> Table:
    """Return why each verdict was given, on one side; those not testable are left to the other table.

    Args:
        claims: of :func:`claims`, or its frame.
        side: ``measured`` or ``published``.

    Raises:
        ConfigError: another side.
        ConfigError: a table that is not of :func:`claims`.
    """
    if side not in SIDES:
        raise ConfigError(f"side = {side!r}: {did_you_mean(side, SIDES)}")
    frame = claims.frame if isinstance(claims, Table) else claims
    if frame is None:
        raise ConfigError("this table has no numbers behind it; give what claims(sweep) returns")
    shown = frame[(frame["source"] == side) & (frame["verdict"] != "not testable")]
    names = shown["claim"].str.replace("_", " ")
    lines = list(zip(names, shown["dataset"], shown["verdict"].map(_verdict), shown["why"], strict=True))
    head = ["claim", "data set", "verdict", "why"]
    caption = "Of several comparisons, those that decide are named, the closest first."
    return Table(head, lines, caption, text_columns=frozenset(range(4)), wide={3: 0.5})


def claims_note(frame: pd.DataFrame) -> str:
    """Say how many claims hold, fail or are open, on published and measured numbers, and name those that fail."""
    groups = frame.groupby(["source", "dataset"], sort=False)
    return prose("claims", groups=[(*names, records(rows)) for names, rows in groups])
