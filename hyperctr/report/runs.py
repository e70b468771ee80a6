"""The runs behind a report: which plans its notebooks use, training what is missing beforehand, and the facts."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from hyperctr.errors import ConfigError, HyperCTRError
from hyperctr.runs.states import read_status
from hyperctr.runs.store import runs_folder
from hyperctr.sweeps.results import results
from hyperctr.sweeps.sweep import asked_for, open_sweep
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.sweeps.plan import Plan

log = logging.getLogger(__name__)
FACTS = (
    "dataset",
    "model",
    "protocol",
    "split",
    "seed",
    "run",
    "state",
    "error",
    "auc",
    "auc_low",
    "auc_high",
    "gauc",
    "logloss",
    "best_validation_auc",
    "epochs",
    "best_epoch",
    "parameters",
    "seconds",
    "peak_memory_mib",
    "test_clicks",
    "device",
    "deterministic",
    "data_fingerprint",
    "split_checksum",
    "code_fingerprint",
    "torch",
    "python",
)


@dataclass(frozen=True)
class PlanUse:
    """A plan as a notebook opens it.

    Attributes:
        name: of the plan.
        labels: the runs it keeps; empty: all.
        seeds: how many; None: as the report was asked for.
    """

    name: str
    labels: tuple[str, ...] = ()
    seeds: int | None = None


@dataclass(frozen=True)
class BookFacts:
    """What a notebook says of itself in ``metadata.hyperctr``, beside the parameters it takes.

    Attributes:
        plans: the sweep plans whose runs it shows.
        alone: it times something, so nothing else may run meanwhile.
    """

    plans: tuple[PlanUse, ...] = ()
    alone: bool = False


def book_facts(path: str | Path) -> BookFacts:
    """Read ``metadata.hyperctr`` of a notebook: ``{"plans": ["layers"], "alone": true}``.

    A plan of which a notebook shows a part is written ``{"name": "overall", "labels": ["hyperctr"], "seeds": 1}``.

    Raises:
        ConfigError: the file is no notebook, or these facts are not written so.
    """
    try:
        known = json.loads(Path(path).read_text(encoding="utf-8"))["metadata"].get("hyperctr", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise ConfigError(f"{path} cannot be read as a notebook: {reason}") from reason
    try:
        plans = [{"name": one} if isinstance(one, str) else dict(one) for one in known.get("plans", [])]
        uses = [PlanUse(**{**one, "labels": tuple(one.get("labels", ()))}) for one in plans]
        return BookFacts(tuple(uses), bool(known.get("alone", False)))
    except (TypeError, ValueError, AttributeError) as reason:
        example = '{"plans": ["layers", {"name": "overall", "labels": ["hyperctr"], "seeds": 1}], "alone": false}'
        raise ConfigError(f"{path}: metadata.hyperctr must be written as {example}: {reason}") from reason


@dataclass
class ReportRuns:
    """All plans of a report, opened.

    Of a plan that runs on request, what is trained is shown, and nothing is trained.

    Attributes:
        data: the data set, loaded once for all.
        plans: by their use.
        problems: lines about plans that cannot be opened, and a sweep that could not go on.
    """

    data: Dataset
    plans: dict[PlanUse, Plan] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, data: Dataset, uses: Iterable[PlanUse], dataset: str, preset: str, seeds: int, data_dir: str
    ) -> ReportRuns:
        """Open plans; one that cannot be is a problem, and the notebook that needs it will say more."""
        found = cls(data)
        for use in dict.fromkeys(uses):
            count = seeds if use.seeds is None else use.seeds
            try:
                sweep = open_sweep(
                    use.name, dataset, preset, seeds=count, data_dir=data_dir, labels=use.labels, data=data
                )
            except HyperCTRError as error:
                found.problems.append(f"plan {use.name}: {error}")
                continue
            found.plans[use] = sweep.plan
        return found

    def train(self, uses: Iterable[PlanUse], workers: int | None = None) -> None:
        """Train what is missing of some plans together; whatever goes wrong, the notebooks still run."""
        from hyperctr.sweeps.local import run_plans

        chosen = [self.plans[use] for use in dict.fromkeys(uses) if use in self.plans]
        chosen = [plan for plan in chosen if not plan.file.on_request]
        if not chosen:
            return
        try:
            outcome = run_plans(chosen, workers=workers)
        except (HyperCTRError, OSError) as error:  # no processes to be had, no room on the disk ...
            self.problems.append(f"the runs were not trained: {error}")
        else:
            log.info("%s", str(outcome).splitlines()[0])

    def states(self, uses: Iterable[PlanUse]) -> dict[str, str]:
        """Return run id -> state, error and a hash of the results, of some plans."""
        ids = {run.run_id for use in uses if use in self.plans for run in self.plans[use].runs}
        return {name: _state(name) for name in sorted(ids)}

    def frame(self) -> pd.DataFrame:
        """Return one row per run, those that are not done first: what varies, and :data:`FACTS`."""
        tables = []
        for use, plan in self.plans.items():
            try:
                tables.append(asked_for(plan, results(plan)))
            except (HyperCTRError, OSError, ValueError, KeyError) as error:  # a damaged run folder
                self.problems.append(f"plan {use.name}: its results cannot be read: {error}")
        if not tables:
            return pd.DataFrame(columns=["what", *FACTS])
        rows = pd.concat([table.astype(object) for table in tables], ignore_index=True)
        rows["what"] = [
            f"{plan}: {label}" if axis == "row" else f"{axis.replace('_', ' ')} {label}"
            for plan, axis, label in zip(rows["plan"], rows["axis"], rows["label"], strict=True)
        ]
        what = rows.groupby("run", sort=False)["what"].agg(lambda all_: "; ".join(dict.fromkeys(all_)))
        once = rows.drop_duplicates("run").assign(what=lambda one: one["run"].map(what))
        once["bad"] = once["state"] == "done"
        return once.sort_values("bad", kind="stable", ignore_index=True).reindex(columns=["what", *FACTS])

    def curves(self) -> dict[str, list[tuple[float, float]]]:
        """Return run id -> (epoch, validation AUC) of every point, of all runs that have any."""
        ids = {run.run_id for plan in self.plans.values() for run in plan.runs}
        return {name: points for name in sorted(ids) if (points := _curve(name))}


def _state(name: str) -> str:
    status = read_status(name)
    try:
        results = hashlib.sha256((runs_folder() / name / "metrics.json").read_bytes()).hexdigest()
    except OSError:
        results = ""
    return f"{status.state} {status.error or ''} {results}"


def _curve(name: str) -> list[tuple[float, float]]:
    points = read_events(runs_folder() / name / "events.jsonl")
    try:
        return [(float(point["epoch"]), float(point["validation_auc"])) for point in points]
    except (KeyError, TypeError, ValueError):
        return []
