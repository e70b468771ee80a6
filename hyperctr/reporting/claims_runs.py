"""The plans that claims are about, opened and run together, and the claims checked on what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.errors import RunError
from hyperctr.reporting.claims import check_claims
from hyperctr.reporting.evidence import printed_evidence
from hyperctr.reporting.run_evidence import Runs
from hyperctr.reporting.sweep import Sweep, open_sweep, paired_runs, train_missing
from hyperctr.sweeps.plan import open_data

if TYPE_CHECKING:
    from hyperctr.sweeps.tasks import Outcome

PLANS = ("overall", "modalities", "layers", "granularity", "sensitivity")


def open_sweeps(
    dataset: str = "planted", preset: str = "quick", *, seeds: int = 0, data_dir: str = "", plans: Sequence[str] = PLANS
) -> Sweeps:
    """Lay out the runs of several plans on a data set; arguments and errors as
    :func:`~hyperctr.reporting.sweep.open_sweep`.

    >>> len(open_sweeps("planted", "smoke", plans=["layers", "granularity"]).sweeps)
    2
    """
    data = open_data(dataset, preset, data_dir)  # once for all
    return Sweeps([open_sweep(name, dataset, preset, seeds=seeds, data_dir=data_dir, data=data) for name in plans])


@dataclass
class Sweeps:
    """Several plans on one data set.

    Attributes:
        sweeps: one for each plan.
    """

    sweeps: list[Sweep]

    def run(self) -> Outcome:
        """Train what is missing of all plans together; a run that several share is trained once."""
        outcome = train_missing([sweep.plan for sweep in self.sweeps])
        for sweep in self.sweeps:
            for name in ("results", "trivial", "curves"):
                sweep.__dict__.pop(name, None)
        return outcome

    @property
    def results(self) -> pd.DataFrame:
        """The rows of all plans."""
        return pd.concat([sweep.results for sweep in self.sweeps], ignore_index=True)

    @property
    def frame(self) -> pd.DataFrame:
        """How many runs of each plan are in which state, and the seconds that the finished ones took."""
        found = self.results
        states = found.groupby(["plan", "state"], sort=False).size().unstack(fill_value=0)
        seconds = found.groupby("plan", sort=False)["seconds"].sum().astype(float).round().astype("Int64")
        return states.assign(seconds=seconds).reset_index().rename_axis(columns=None)

    def speedup(self) -> pd.DataFrame | None:
        """Time the base run by number of threads (free if that was done before); None if it cannot be."""
        from hyperctr.reporting.scaling_figures import speedup_frame

        try:
            scaling = self.sweeps[0].scaling()
            frame = speedup_frame(scaling.frame)
            frame.attrs["busy_cores"] = scaling.busy_cores
            return frame
        except RunError:
            return None

    def card(self, notebook: str) -> dict[str, Any]:
        """Return what it takes to repeat the numbers, for ``publish("reproduction", ...)``."""
        card = self.sweeps[0].card(notebook)
        found = self.results.drop_duplicates("run")
        names = [sweep.plan.name for sweep in self.sweeps]
        commands = [card["repeat the runs"].replace(names[0], name, 1) for name in names]
        return card | {
            "runs": f"{int((found['state'] == 'done').sum())} of {len(found)} finished, {len(names)} plans",
            "repeat the runs": "; ".join(commands),
        }


def claims_of(sweeps: Sweeps) -> pd.DataFrame:
    """Check all claims on the printed numbers and on the runs; see :func:`hyperctr.reporting.claims.check_claims`."""
    name = sweeps.sweeps[0].plan.data.name
    return check_claims([*printed_evidence(), Runs(name, sweeps.results, paired_runs, sweeps.speedup())])
