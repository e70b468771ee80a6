"""All claims, and their verdicts on the published numbers and on the runs of a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from hyperctr.errors import RunError
from hyperctr.paper.checks import figures4to7, tables3and4
from hyperctr.paper.checks.claim import Claim, Results
from hyperctr.paper.checks.measured import RunResults
from hyperctr.paper.checks.published import published_results
from hyperctr.paper.figures.figure7_scaling import speedup_frame
from hyperctr.sweeps.sweep import paired_runs

if TYPE_CHECKING:
    from hyperctr.sweeps.sweep import Sweep

CLAIMS: tuple[Claim, ...] = (*tables3and4.CLAIMS, *figures4to7.CLAIMS)  # in the order of the paper


def claims_of(sweep: Sweep) -> pd.DataFrame:
    """Check all claims on the published numbers and on the runs of a sweep; see :func:`check_claims`."""
    runs = RunResults(sweep.dataset, sweep.results, paired_runs, _speedup(sweep))
    return check_claims([*published_results(), runs])


def _speedup(sweep: Sweep) -> pd.DataFrame | None:
    """The speed-ups of the base run, and how busy the machine was; None if it cannot be timed."""
    try:
        scaling = sweep.scaling()
    except RunError:
        return None
    frame = speedup_frame(scaling.frame)
    frame.attrs["busy_cores"] = scaling.busy_cores
    return frame


def check_claims(results: Iterable[Results], claims: Iterable[Claim] = CLAIMS) -> pd.DataFrame:
    """Check claims on results.

    Args:
        results: published or measured, one per data set.
        claims: default all.

    Returns:
        one row per claim and data set: ``claim, place, text, source, dataset, verdict, why``.
    """
    checked = list(results)
    rows = []
    for claim in claims:
        for on in checked:
            verdict = claim.check(on)
            rows.append((claim.name, claim.place, claim.text, on.source, on.dataset, verdict.kind, verdict.why))
    return pd.DataFrame(rows, columns=["claim", "place", "text", "source", "dataset", "verdict", "why"])
