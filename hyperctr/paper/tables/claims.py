"""The paper's claims, checked on its own numbers and on a sweep: all verdicts in one table, the reasons in another."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.display.forest import Range, common_scale
from hyperctr.display.table import Cell, Table, Tone
from hyperctr.errors import ConfigError, RunError, did_you_mean
from hyperctr.paper.checks import figures4to7, tables3and4
from hyperctr.paper.checks.claim import FLAT
from hyperctr.paper.checks.results import Results, RunResults, published_results
from hyperctr.paper.figures.figure7_scaling import speedup_frame
from hyperctr.paper.numbers import beside, published_columns
from hyperctr.paper.prose import listed, prose
from hyperctr.sweeps.seeds import records
from hyperctr.sweeps.sweep import paired_runs
from hyperctr.written import EMPTY, show_interval, show_number

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

CLAIMS = (*tables3and4.CLAIMS, *figures4to7.CLAIMS)  # in the order of the paper
LOOKS: dict[str, tuple[str, Tone]] = {
    "supported": ("✓", "good"),
    "contradicted": ("✗", "bad"),
    "inconclusive": ("≈", ""),
    "not run": ("…", "soft"),
    "not applicable": (EMPTY, "soft"),
}
SILENT = ("not run", "not applicable")  # nothing was compared
SIDES = ("measured", "published")  # the column ``source``
GAIN = ("gain", "gain_low", "gain_high")
COLUMNS = ("claim", "place", "text", "source", "dataset", "verdict", "why", *GAIN, "margin")
MEANING = (
    "Difference: by how much the side that the claim favours is better on these runs, AUC or log loss, with its 95 % "
    "interval, of the comparison that decides; solid line: zero; dashed: what the claim allows or asks for; an arrow: "
    "beyond the scale of ±{scale}. Supported or contradicted: the interval lies on one side of the line. Inconclusive: "
    "it does not, or a run is missing. Published numbers have no intervals and are compared as they are. Where the "
    f"paper says stable, enough or slightly, a gain of up to {FLAT} AUC counts as none."
)


def claims(sweep: Sweep) -> Table:
    """Check the paper's claims on its numbers and on a sweep's: a row per claim, its verdict on each data set."""
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
    """Check all claims on results, one per data set.

    Returns:
        columns ``claim, place, text, source`` (published, measured), ``dataset, verdict, why``; of the comparison that
        decides ``gain`` with ``_low`` and ``_high``, and the ``margin`` it was held against. nan: there is none.
    """
    checked = list(results)
    rows = []
    for claim in CLAIMS:
        for on in checked:
            verdict = claim.check(on)
            pair = verdict.decisive
            numbers = (pair.gain, pair.low, pair.high, verdict.margin) if pair else (math.nan,) * 4
            told = (claim.name, claim.place, claim.text, on.source, on.dataset, verdict.kind, verdict.why)
            rows.append((*told, *numbers))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def claims_layout(frame: pd.DataFrame) -> Table:
    """Lay verdicts out: a row per claim; the measured verdict with its difference, then the published data sets."""
    measured = frame[frame["source"] == "measured"]
    datasets = measured["dataset"].unique().tolist()
    columns = [*(("measured", name) for name in datasets), *(("published", name) for name in published_columns())]
    found = {(row["claim"], row["source"], row["dataset"]): row for row in records(frame)}
    every = frame.drop_duplicates("claim", ignore_index=True)
    scale = common_scale(measured[["gain_low", "gain_high"]].to_numpy(float).ravel().tolist())
    lines: list[list[Cell | str]] = []
    for row in records(every):
        cells = [Cell(row["text"], row["place"])]
        for source, dataset in columns:
            verdict = found.get((row["claim"], source, dataset), {})
            cells.append(verdict_cell(verdict))
            cells += [_difference(verdict, scale)] if source == "measured" else []
        lines.append([*cells])
    section = every["place"].str.partition(",")[0]
    starts = (section != section.shift()) & (every.index > 0)
    silent = frame.groupby("claim", sort=False)["verdict"].agg(lambda kinds: set(kinds) <= set(SILENT))
    folded = frozenset(every.index[every["claim"].map(silent)].tolist())
    groups = [("", 1), ("on measured runs", 2 * len(datasets)), ("on the published numbers", len(published_columns()))]
    heads = [head for name in datasets for head in (name, "difference")]
    return Table(
        ["claim", *heads, *published_columns()],
        lines,
        " ".join([MEANING.format(scale=f"{scale:g}"), *map(beside, datasets)]),
        "claims",
        [(title, width) for title, width in groups if width],
        rules_before=frozenset(every.index[starts].tolist()),
        text_columns=frozenset(range(1 + len(heads) + len(published_columns()))),
        wide={0: 0.5},
        folded=folded,
        fold=f"{len(folded)} claims that nothing was compared for: not run, or not applicable here",
        frame=frame,
        note=claims_note(frame),
        headline=counts(measured),
        finding=claims_finding(measured),
    )


def verdict_cell(row: dict[str, Any]) -> Cell:
    r"""Return a verdict with its icon; what it rests on is shown on hover.

    >>> str(verdict_cell({"verdict": "supported", "why": "by 0.01"})), verdict_cell({}).text
    ('✓\xa0supported', '–')
    """
    kind = row.get("verdict", "not applicable")
    icon, tone = LOOKS[kind]
    if kind == "not applicable":
        return Cell(icon, tone=tone, hover=": ".join(filter(None, ("not applicable here", row.get("why")))))
    return Cell(f"{icon}\u00a0{kind}".replace(" ", "\u00a0"), tone=tone, hover=row["why"])


def _difference(row: dict[str, Any], scale: float) -> Cell:
    value, low, high = (row.get(name, math.nan) for name in GAIN)
    if not math.isfinite(value):
        return Cell("")
    mark = Range(value, low, high, scale, row["margin"] or math.nan)
    return Cell(show_number(value, sign=True), show_interval(low, high, sign=True), mark=mark, hover=row["why"])


def claim_reasons(claims: Table | pd.DataFrame, side: str) -> Table:
    """Return why each verdict was given, on one side, folded on a page; what was not compared is left out.

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
    shown = records(frame[(frame["source"] == side) & ~frame["verdict"].isin(SILENT)])
    cells = (verdict_cell({**row, "why": ""}) for row in shown)
    lines = [[row["text"], row["dataset"], cell, row["why"]] for row, cell in zip(shown, cells, strict=True)]
    head = ["claim", "data set", "verdict", "why"]
    caption = "Of several comparisons, those that decide are named, the closest first."
    look: dict[str, Any] = {"text_columns": frozenset(range(4)), "wide": {3: 0.5}}
    folded = frozenset(range(len(lines)))
    return Table(head, lines, caption, folded=folded, fold=f"the numbers behind {len(lines)} verdicts", **look)


def counts(rows: pd.DataFrame) -> dict[str, int]:
    """Count verdicts by kind."""
    return {kind: int((rows["verdict"] == kind).sum()) for kind in LOOKS}


def claims_note(frame: pd.DataFrame) -> str:
    """Count the verdicts on published and measured numbers, and name the claims that are contradicted."""
    groups = frame.groupby(["source", "dataset"], sort=False)
    return prose("claims", groups=[(*names, counts(rows), records(rows)) for names, rows in groups])


def claims_finding(measured: pd.DataFrame) -> str:
    """Count the verdicts on measured runs in one sentence.

    >>> claims_finding(pd.DataFrame({"verdict": ["supported", "not run"]}))
    "Of the paper's 2 claims, 1 is supported; 1 not run."
    """
    if measured.empty:
        return ""
    found = {kind: count for kind, count in counts(measured).items() if count}
    told = [f"{count} {kind}" for kind, count in found.items() if kind not in SILENT]
    left = [f"{found[kind]} {kind}{' here' * (kind == SILENT[1])}" for kind in SILENT if kind in found]
    if told:
        number, kind = told[0].split(" ", 1)
        told[0] = f"{number} {'is' if number == '1' else 'are'} {kind}"
    return f"Of the paper's {len(measured)} claims, {'; '.join(filter(None, (listed(told), ', '.join(left))))}."
