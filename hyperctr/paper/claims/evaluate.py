"""Claims checked on runs of ours, as the sweeps of a notebook hold them."""

from __future__ import annotations

import pandas as pd

from hyperctr.paper.claims.claim import check_claims
from hyperctr.paper.claims.measured import Runs
from hyperctr.paper.claims.published import printed_evidence
from hyperctr.paper.figures.figure7_scaling import sweep_speedup
from hyperctr.sweeps.several import Sweeps
from hyperctr.sweeps.sweep import paired_runs


def claims_of(sweeps: Sweeps) -> pd.DataFrame:
    """Check all claims on the printed numbers and on the runs; see :func:`hyperctr.paper.claims.claim.check_claims`."""
    name = sweeps.sweeps[0].plan.data.name
    return check_claims([*printed_evidence(), Runs(name, sweeps.results, paired_runs, sweep_speedup(sweeps.sweeps[0]))])
