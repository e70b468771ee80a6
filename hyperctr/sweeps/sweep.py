"""What a notebook opens in one line: plans on a data set, run and read together, without torch in the kernel."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.data.options import Given, option_texts
from hyperctr.data.registry import open_data
from hyperctr.errors import ConfigError, HyperCTRError, did_you_mean
from hyperctr.parameters import check_injected
from hyperctr.runs.store import run_id
from hyperctr.runtime import NOTEBOOK, REPORT_DIR, duration, former_parameter
from hyperctr.sweeps import results
from hyperctr.sweeps.plan import Plan, PlannedRun, open_plan

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.runs.scaling import Scaling
    from hyperctr.statistics import Interval
    from hyperctr.sweeps.jobs import SweepResult

# How long Figure 7 is measured: rounds, and seconds of each measurement.
TIMING = {"smoke": (2, 0.1), "quick": (5, 0.8), "paper": (9, 2.0)}


class Sweep:
    """One plan or several on a data set, and the results of their runs; nothing is trained until :meth:`run`.

    A plan that runs on request is trained only if it is opened alone; beside others, it shows what has ended.

    Args:
        plans: a plan of ``reports/sweeps`` or a TOML file, or several, the one whose base run stands for all first.
        dataset: name of a data set, see ``hyperctr data list``.
        budget: ``smoke`` (seconds), ``quick`` (minutes) or ``paper``.
        seeds: how many, from 0; 0: as many as the budget says.
        data_dir: where the data's files lie; empty: ``HYPERCTR_DATA``, else the default data directory.
        data_options: options of the data set, as a table or as texts ``key=value``.
        labels: keep only the runs with these labels; empty keeps all.
        data: the data set, where it has been loaded before (:func:`hyperctr.data.registry.open_data`).

    Attributes:
        plans, dataset: the opened plans, and the name of the data set.
        asked: the arguments it was opened with, those left empty not among them.

    Raises:
        ConfigError: an unknown plan, budget or label, or something wrong in a plan.
        DataError: the data set is unknown, or its files are missing.

    >>> sweep = Sweep("layers", "planted", "smoke")
    >>> [run.label for run in sweep.runs], sweep.measured
    (['1', '2'], 'planted, protocol as-published, random split, 100 sampled candidates a click')
    """

    def __init__(
        self,
        plans: str | Path | Sequence[str | Path],
        dataset: str = "planted",
        budget: str = "quick",
        *,
        seeds: int = 0,
        data_dir: str = "",
        data_options: Given = (),
        labels: Iterable[str] = (),
        data: Dataset | None = None,
    ) -> None:
        check_injected()
        budget = former_parameter("preset", budget, "budget")
        names = [plans] if isinstance(plans, str | Path) else plans
        data = open_data(dataset, budget, data_dir, data_options) if data is None and len(names) > 1 else data
        given: dict[str, Any] = {"seeds": seeds, "data_dir": data_dir, "data_options": data_options, "data": data}
        opened = [open_plan(name, dataset, budget, **given) for name in names]
        self.plans = [_keep(plan, list(labels)) for plan in opened]
        self.dataset = self.plans[0].data.name
        asked = {"dataset": dataset, "budget": budget, "seeds": seeds, "data_dir": data_dir}
        self.asked = {key: value for key, value in asked.items() if value}
        self._data_options = option_texts(data_options)
        self._frames: dict[str, pd.DataFrame] = {}  # read from the run store

    def run(self) -> SweepResult:
        """Train what is missing, every run in a process of its own and shared runs once; what is done is left alone.

        In a report, whose runner has just tried the runs of all notebooks, a run that failed is not tried again.
        """
        from hyperctr.sweeps.local import run_plans

        plans = [plan for plan in self.plans if len(self.plans) == 1 or not plan.file.on_request]
        self._frames.clear()
        return run_plans(plans, only="untried" if os.environ.get(REPORT_DIR) else None)

    @property
    def runs(self) -> list[PlannedRun]:
        """The runs of all plans, as planned."""
        return [run for plan in self.plans for run in plan.runs]

    @property
    def results(self) -> pd.DataFrame:
        """One row per planned run, whatever its state; see :func:`hyperctr.sweeps.results.results`."""
        return self._read("results", lambda plan: asked_for(plan, results.results(plan), alone=len(self.plans) == 1))

    @property
    def baselines(self) -> pd.DataFrame:
        """The baselines that the runs were tested beside, each once a case."""
        rows = self._read("baselines", results.baselines)
        return rows.drop_duplicates(list(results.CASE), ignore_index=True)

    @property
    def scored_elsewhere(self) -> pd.DataFrame:
        """Models of other software on the same pairs; see :func:`hyperctr.sweeps.results.scored_elsewhere`."""
        return results.scored_elsewhere(self.results)

    @property
    def curves(self) -> pd.DataFrame:
        """The learning curves of the finished runs; see :func:`hyperctr.sweeps.results.curves`."""
        return self._read("curves", results.curves)

    @property
    def reliability(self) -> pd.DataFrame:
        """Predicted and observed clicks of the finished runs; see :func:`hyperctr.sweeps.results.reliability`."""
        return self._read("reliability", results.reliability)

    def _read(self, name: str, read: Callable[[Plan], pd.DataFrame]) -> pd.DataFrame:
        if name not in self._frames:
            tables = [read(plan) for plan in self.plans]
            self._frames[name] = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
        return self._frames[name]

    @property
    def frame(self) -> pd.DataFrame:
        """A row per run: setting, value, seed, run, state, seconds, and why there is no result.

        Of several plans, a row each: how many runs are in which state, and the seconds that the finished ones took.
        """
        rows = self.results
        if len(self.plans) > 1:
            states = rows.groupby(["plan", "state"], sort=False).size().unstack(fill_value=0)
            seconds = _whole(rows.groupby("plan", sort=False)["seconds"].sum())
            return states.assign(seconds=seconds).reset_index().rename_axis(columns=None)
        columns: dict[str, Any] = {"setting": rows["setting"], "value": rows["label"], "seed": rows["seed"]}
        columns |= {"run": rows["run"], "state": rows["state"], "seconds": _whole(rows["seconds"])}
        if (rows["setting"] == "case").all():
            del columns["setting"]
        if (rows["state"] != "done").any():
            columns["note"] = [str(error or "").partition("\n")[0][:160] for error in rows["error"]]
        return pd.DataFrame(columns)

    @property
    def title(self) -> str:
        """The title of the first plan."""
        return self.plans[0].file.title

    @property
    def measured(self) -> str:
        """What the numbers are measured on, for captions."""
        return self.measured_under(self.results["protocol"])

    def measured_under(self, protocols: Iterable[str]) -> str:
        """Return what numbers under these protocols, or where there are none all, are measured on."""
        base, named = self.plans[0].base, dict.fromkeys(protocols) or dict.fromkeys(self.results["protocol"])
        where = f"{self.dataset}, protocol {' and '.join(named)}, {base.split} split"
        return f"{where}, {base.test_candidates} sampled candidates a click"

    @property
    def states(self) -> dict[str, int]:
        """How many runs are in which state."""
        return dict(Counter(self.results["state"]).most_common())

    def default(self, setting: str) -> float:
        """Return the value of a numeric setting in the base run.

        >>> Sweep("layers", "planted", "smoke").default("layers")
        1.0
        """
        return float(getattr(self.plans[0].base, setting))

    def scaling(self) -> Scaling:
        """Time the base run by number of threads (Figure 7); free when it was measured before on this machine.

        Raises:
            RunError: the base run is not finished, or the timing failed.
        """
        from hyperctr.runs.scaling import measure_scaling

        rounds, seconds = TIMING[self.plans[0].budget]
        return measure_scaling(run_id(self.plans[0].data, self.plans[0].base), rounds=rounds, seconds=seconds)

    def card(self) -> dict[str, Any]:
        """Return what it takes to repeat the numbers; in a report, also the command that repeats the page."""
        rows = self.results.drop_duplicates("run")
        done = rows[rows["state"] == "done"]

        def kinds(*columns: str, form: str = "{}") -> str:
            seen = done[list(columns)].dropna().drop_duplicates().astype(str).itertuples(index=False)
            return "; ".join(form.format(*kind) for kind in seen) or "no finished run"

        options = "".join(f" --{key.replace('_', '-')} {shlex.quote(str(v))}" for key, v in self.asked.items())
        options += "".join(f" --option {shlex.quote(text)}" for text in self._data_options)
        names = [plan.name for plan in self.plans if plan.name in set(rows["plan"])]
        deterministic = kinds("deterministic")
        card = {
            "data set": self.dataset,
            "data fingerprint": self.plans[0].data.fingerprint[:16],
            "split": kinds("split", "seed", "split_checksum", form="{}, seed {}, checksum {:.16}"),
            **{"protocol": kinds("protocol"), "seeds": list(self.plans[0].seeds)},
            "runs": f"{len(done)} of {len(rows)} finished" + (f", {len(names)} plans" if len(names) > 1 else ""),
            "python, torch": kinds("python", "torch", form="{} {}"),
            "device": kinds("device"),
            "deterministic": {"True": "yes", "False": "no"}.get(deterministic, deterministic),
            **({"convolution": kinds("convolution")} if done["convolution"].notna().any() else {}),
            "training time": duration(float(done["seconds"].sum())),
            "repeat the runs": "; ".join(f"hyperctr sweep run {shlex.quote(name)}{options}" for name in names),
        }
        if notebook := os.environ.get(NOTEBOOK):
            parameters = "".join(f" -p {key} {shlex.quote(str(v))}" for key, v in self.asked.items())
            listed = shlex.quote(json.dumps(self._data_options, ensure_ascii=False))
            parameters += f" -p data_options {listed}" if self._data_options else ""
            card["repeat the page"] = f"papermill notebooks/{notebook}.ipynb out.ipynb{parameters}"
        return card


def asked_for(plan: Plan, rows: pd.DataFrame, *, alone: bool = False) -> pd.DataFrame:
    """Return the rows of runs that a report is to have: of a plan that runs on request, those that have ended."""
    return rows.query("state not in ['planned', 'running']") if plan.file.on_request and not alone else rows


def paired_runs(a: str, b: str) -> Interval | None:
    """Return the test AUC of run ``a`` minus that of ``b`` with its paired interval.

    None if one of them is not finished, or they were not tested on the same clicks.
    """
    from hyperctr.runs.compare import compare_cached

    try:
        return compare_cached(a, b)
    except HyperCTRError:
        return None


def _keep(plan: Plan, labels: Sequence[str]) -> Plan:
    """Return a plan with the runs of some labels only; all without any."""
    known = list(dict.fromkeys(run.label for run in plan.runs))
    for label in labels:
        if label not in known:
            raise ConfigError(f"plan {plan.name!r} has no run labelled {label!r}: {did_you_mean(label, known)}")
    return replace(plan, runs=[run for run in plan.runs if run.label in labels]) if labels else plan


def _whole(seconds: pd.Series) -> pd.Series:
    return seconds.astype(float).round().astype("Int64")
