"""Claims checked on runs of ours, as the sweep of a notebook holds them."""

from __future__ import annotations

import pandas as pd

from hyperctr.paper.claims.claim import check_claims
from hyperctr.paper.claims.measured import Runs
from hyperctr.paper.claims.published import printed_evidence
from hyperctr.paper.figures.figure7_scaling import sweep_speedup
from hyperctr.sweeps.sweep import Sweep, paired_runs


def claims_of(sweep: Sweep) -> pd.DataFrame:
    """Check all claims on the printed numbers and on the runs; see :func:`hyperctr.paper.claims.claim.check_claims`."""
    return check_claims([*printed_evidence(), Runs(sweep.dataset, sweep.results, paired_runs, sweep_speedup(sweep))])
