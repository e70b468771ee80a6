"""Two finished runs side by side: the difference of their test AUCs with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperctr.errors import RunError

if TYPE_CHECKING:
    from hyperctr.runs.run import Run
    from hyperctr.statistics import Interval

SHARED = ("data_fingerprint", "split_checksum", "seed", "test_clicks", "test_candidates")


def compare_runs(a: Run, b: Run, *, replicates: int = 1000) -> Interval:
    """Return the test AUC of ``a`` minus that of ``b`` with a paired bootstrap interval over users.

    Raises:
        RunError: the runs were not tested on the same clicks and candidates.
    """
    for fact in SHARED:
        if a.metrics[fact] != b.metrics[fact]:
            values = f"{a.metrics[fact]} and {b.metrics[fact]}"
            raise RunError(f"runs {a.id} and {b.id} cannot be compared: their {fact} differ, {values}")
    from hyperctr.evaluation import compare
    from hyperctr.runs.experiment import pool_scores, test_pools

    pool, _ = test_pools(a.study, a.config)
    scores = [pool_scores(run.model, run.study, pool) for run in (a, b)]
    return compare(scores[0], scores[1], replicates=replicates, seed=a.config.seed)
