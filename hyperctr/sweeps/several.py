"""Several plans on one data set, opened, run and read together, for notebooks that show more than one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.sweeps.plan import PlannedRun, open_data
from hyperctr.sweeps.sweep import Sweep, asked_for, measured_on, open_sweep, train_missing

if TYPE_CHECKING:
    from hyperctr.sweeps.jobs import SweepResult


def open_sweeps(
    plans: Sequence[str], dataset: str = "planted", preset: str = "quick", *, seeds: int = 0, data_dir: str = ""
) -> Sweeps:
    """Lay out the runs of several plans on a data set.

    Args:
        plans: names of plans or TOML files, the one whose base run stands for all first.
        dataset: as of :func:`~hyperctr.sweeps.sweep.open_sweep`, and so are the errors.
        preset: as there.
        seeds: as there.
        data_dir: as there.

    >>> len(open_sweeps(["layers", "granularity"], "planted", "smoke").sweeps)
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

    def run(self) -> SweepResult:
        """Train what is missing of all plans together, but of those that run on request; shared runs once."""
        outcome = train_missing([sweep.plan for sweep in self.sweeps if not sweep.plan.file.on_request])
        for sweep in self.sweeps:
            for name in ("results", "trivial", "curves"):
                sweep.__dict__.pop(name, None)
        return outcome

    @property
    def results(self) -> pd.DataFrame:
        """The rows of all plans; of those that run on request, what is there."""
        tables = [asked_for(sweep.plan, sweep.results) for sweep in self.sweeps]
        return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)

    @property
    def trivial(self) -> pd.DataFrame:
        """The simple models of all plans, each once a protocol, split and seed."""
        tables = [sweep.trivial for sweep in self.sweeps]
        rows = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
        return rows.drop_duplicates(["model", "protocol", "split", "seed"], ignore_index=True)

    @property
    def measured(self) -> str:
        """What the numbers are measured on, for captions."""
        return measured_on(self.sweeps[0].plan, dict.fromkeys(self.results["protocol"]))

    @property
    def title(self) -> str:
        """The title of the first plan."""
        return self.sweeps[0].title

    @property
    def planned(self) -> list[PlannedRun]:
        """The runs of all plans."""
        return [run for sweep in self.sweeps for run in sweep.plan.runs]

    @property
    def states(self) -> dict[str, int]:
        """How many runs are in which state."""
        return {str(state): int(count) for state, count in self.results["state"].value_counts().items()}

    @property
    def frame(self) -> pd.DataFrame:
        """How many runs of each plan are in which state, and the seconds that the finished ones took."""
        found = self.results
        states = found.groupby(["plan", "state"], sort=False).size().unstack(fill_value=0)
        seconds = found.groupby("plan", sort=False)["seconds"].sum().astype(float).round().astype("Int64")
        return states.assign(seconds=seconds).reset_index().rename_axis(columns=None)

    def card(self, notebook: str) -> dict[str, Any]:
        """Return what it takes to repeat the numbers, for ``publish("reproduction", ...)``."""
        card = self.sweeps[0].card(notebook)
        found = self.results.drop_duplicates("run")
        shown = [sweep.plan.name for sweep in self.sweeps if sweep.plan.name in set(found["plan"])]
        commands = [card["repeat the runs"].replace(self.sweeps[0].plan.name, name, 1) for name in shown]
        return card | {
            "runs": f"{int((found['state'] == 'done').sum())} of {len(found)} finished, {len(shown)} plans",
            "repeat the runs": "; ".join(commands),
        }
