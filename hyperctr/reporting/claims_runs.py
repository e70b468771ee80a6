"""Claims checked on runs of ours, as the sweeps of a notebook hold them."""

from __future__ import annotations

import pandas as pd

from hyperctr.reporting.claims import check_claims
from hyperctr.reporting.evidence import printed_evidence
from hyperctr.reporting.run_evidence import Runs
from hyperctr.reporting.sweep import paired_runs
from hyperctr.reporting.sweeps import Sweeps


def claims_of(sweeps: Sweeps) -> pd.DataFrame:
    """Check all claims on the printed numbers and on the runs; see :func:`hyperctr.reporting.claims.check_claims`."""
    name = sweeps.sweeps[0].plan.data.name
    return check_claims([*printed_evidence(), Runs(name, sweeps.results, paired_runs, sweeps.speedup())])
