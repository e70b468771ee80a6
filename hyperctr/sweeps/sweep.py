"""What a notebook of the report opens in one line: a plan on a data set, run and read, without torch in the kernel."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.errors import ConfigError, HyperCTRError, did_you_mean
from hyperctr.runs.states import read_status
from hyperctr.runs.store import run_id
from hyperctr.runtime import duration
from hyperctr.sweeps.plan import Plan, open_plan
from hyperctr.sweeps.results import baselines, curves, results

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.scaling import Scaling
    from hyperctr.statistics import Interval
    from hyperctr.sweeps.jobs import SweepResult

# How long Figure 7 is measured: rounds, and seconds of each measurement.
TIMING = {"smoke": (2, 0.1), "quick": (5, 0.8), "paper": (9, 2.0)}
TRAINED = "HYPERCTR_TRAINED"  # set for a notebook's kernel by a report that has trained the runs of all notebooks


def open_sweep(
    name: str,
    dataset: str = "planted",
    preset: str = "quick",
    *,
    seeds: int = 0,
    data_dir: str = "",
    labels: Iterable[str] = (),
    data: Dataset | None = None,
) -> Sweep:
    """Lay out the runs of a plan on a data set; nothing is trained yet.

    Args:
        name: a plan of ``reports/sweeps``, or a TOML file.
        dataset: name of a data set, see ``hyperctr data list``.
        preset: ``smoke``, ``quick`` or ``paper``.
        seeds: how many, from 0; 0: as many as the preset says.
        data_dir: where the data's files lie; empty: ``HYPERCTR_DATA``, else the default data directory.
        labels: keep only the runs with these labels; empty keeps all.
        data: the data set, where it has been loaded before (:func:`hyperctr.sweeps.plan.open_data`).

    Raises:
        ConfigError: an unknown plan, preset or label, or something wrong in the plan. DataError: the data set is
            unknown, or its files are missing.

    >>> sweep = open_sweep("layers", "planted", "smoke")
    >>> [run.label for run in sweep.plan.runs], sweep.measured
    (['1', '2'], 'planted, protocol paper, random split, 100 sampled candidates a click')
    """
    plan = open_plan(name, dataset, preset, seeds=seeds, data_dir=data_dir, data=data)
    wanted = list(labels)
    if wanted:
        known = list(dict.fromkeys(run.label for run in plan.runs))
        for label in wanted:
            if label not in known:
                raise ConfigError(f"plan {plan.name!r} has no run labelled {label!r}: {did_you_mean(label, known)}")
        plan = replace(plan, runs=[run for run in plan.runs if run.label in wanted])
    asked = {"dataset": dataset, "preset": preset, "seeds": seeds, "data_dir": data_dir}
    return Sweep(plan, {key: value for key, value in asked.items() if value})


@dataclass
class Sweep:
    """A plan, and what came of its runs.

    Attributes:
        plan: the plan on its data set.
        asked: the parameters it was opened with, those left empty not among them.
    """

    plan: Plan
    asked: dict[str, Any]

    def run(self) -> SweepResult:
        """Train what is missing, every run in a process of its own; what is done is left alone."""
        for name in ("results", "trivial", "curves"):
            self.__dict__.pop(name, None)
        return train_missing([self.plan])

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row per planned run, whatever became of it; see :func:`hyperctr.sweeps.results.results`."""
        return results(self.plan)

    @cached_property
    def trivial(self) -> pd.DataFrame:
        """The simple models that the runs were tested beside; see :func:`hyperctr.sweeps.results.baselines`."""
        return baselines(self.plan)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The learning curves of the finished runs; see :func:`hyperctr.sweeps.results.curves`."""
        return curves(self.plan)

    @property
    def frame(self) -> pd.DataFrame:
        """The plan as a table: setting, value, seed, run, state, seconds, and why a run has no result."""
        found = self.results
        columns: dict[str, Any] = {"setting": found["axis"], "value": found["label"], "seed": found["seed"]}
        seconds = found["seconds"].astype(float).round().astype("Int64")
        columns |= {"run": found["run"], "state": found["state"], "seconds": seconds}
        if (found["axis"] == "row").all():
            del columns["setting"]
        if (found["state"] != "done").any():
            columns["note"] = [str(error or "").splitlines()[0][:160] if error else "" for error in found["error"]]
        return pd.DataFrame(columns)

    @property
    def title(self) -> str:
        """The plan's title."""
        return self.plan.file.title

    @property
    def measured(self) -> str:
        """What the numbers are measured on, for subtitles."""
        return measured_on(self.plan, [self.plan.base.protocol])

    @property
    def states(self) -> dict[str, int]:
        """How many runs are in which state."""
        return {str(state): int(count) for state, count in self.results["state"].value_counts().items()}

    def scaling(self) -> Scaling:
        """Time the base run by number of threads (Figure 7); free when it was measured before on this machine.

        Raises:
            RunError: the base run is not finished, or the timing failed.
        """
        from hyperctr.runs.scaling import measure_scaling

        rounds, seconds = TIMING[self.plan.preset]
        return measure_scaling(run_id(self.plan.data, self.plan.base), rounds=rounds, seconds=seconds)

    def card(self, notebook: str) -> dict[str, Any]:
        """Return what it takes to repeat the numbers, for ``publish("reproduction", ...)``.

        Args:
            notebook: name of the notebook that shows them, without the ending.
        """
        found = self.results
        done = found[found["state"] == "done"]

        def all_of(*columns: str) -> str:
            kinds = done[list(columns)].drop_duplicates().itertuples(index=False)
            return "; ".join(" ".join(str(value) for value in kind) for kind in kinds) or "no finished run"

        options = [f"--{key.replace('_', '-')} {shlex.quote(str(value))}" for key, value in self.asked.items()]
        parameters = [f"-p {key} {shlex.quote(str(value))}" for key, value in self.asked.items()]
        splits = [
            f"{kind}, seed {seed}, checksum {checksum[:16]}"
            for kind, seed, checksum in done[["split", "seed", "split_checksum"]]
            .drop_duplicates()
            .itertuples(index=False)
        ]
        return {
            "data set": self.plan.data.name,
            "data fingerprint": self.plan.data.fingerprint[:16],
            "split": "; ".join(splits) or "no finished run",
            "protocol": all_of("protocol"),
            "seeds": list(self.plan.seeds),
            "runs": f"{len(done)} of {len(found)} finished",
            "python, torch": all_of("python", "torch"),
            "device": all_of("device"),
            "deterministic": {"True": "yes", "False": "no"}.get(all_of("deterministic"), all_of("deterministic")),
            "training time": duration(float(done["seconds"].sum())),
            "repeat the runs": f"hyperctr sweep run {shlex.quote(self.plan.name)} {' '.join(options)}".strip(),
            "repeat the page": f"papermill notebooks/{notebook}.ipynb out.ipynb {' '.join(parameters)}".strip(),
        }


def measured_on(plan: Plan, protocols: Iterable[str]) -> str:
    """Say what runs under some protocols, else as the base run of a plan, are measured on."""
    base = plan.base
    return (
        f"{plan.data.name}, protocol {' and '.join(protocols)}, {base.split} split, {base.test_candidates} sampled "
        "candidates a click"
    )


def asked_for(plan: Plan, results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of runs that a report is to have: of a plan that runs on request, those that have ended."""
    ended = ~results["state"].isin(["planned", "running"])
    kept: pd.DataFrame = results[ended] if plan.file.on_request else results
    return kept


def train_missing(plans: Sequence[Plan]) -> SweepResult:
    """Train what is missing of some plans.

    In a notebook of a report (``HYPERCTR_TRAINED``) that has just been tried for all notebooks together: then this only
    says how the runs stand, so that one that fails does so once and not once a notebook.
    """
    from hyperctr.sweeps.jobs import SweepResult
    from hyperctr.sweeps.local import run_plans

    if not os.environ.get(TRAINED):
        return run_plans(plans)
    found = {run.run_id: read_status(run.run_id) for plan in plans for run in plan.runs}
    errors = {name: status.error or "" for name, status in found.items() if status.state in ("failed", "killed")}
    return SweepResult({name: status.state for name, status in found.items()}, errors)


def paired_runs(a: str, b: str) -> Interval | None:
    """Return the test AUC of run ``a`` minus that of ``b`` with its paired interval; None if they cannot be compared.

    That is the case where one of them is not finished, or where they were not tested on the same clicks.
    """
    from hyperctr.runs.compare import compare_cached

    try:
        return compare_cached(a, b)
    except HyperCTRError:
        return None
