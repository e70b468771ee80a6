"""Search for settings with optuna, judged by validation AUC alone: test metrics are not even read.

A trial is an ordinary run of the store (or one per seed), so a setting that was trained before costs nothing. The
study lies in ``<runs>/.search/<name>.db`` (SQLite) and goes on where it stopped; its name holds what was searched on
which data and code, so trials of another data set, budget or version of the code never mix. Enough trials for the whole
grid try each of its points once; of fewer, the first ten are drawn at random and the others chosen by the
tree-structured Parzen estimator.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.config import BUDGETS, Config
from hyperctr.data.options import Given
from hyperctr.data.registry import open_data
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.executor import JobResult
from hyperctr.runs.source import code_fingerprint
from hyperctr.runs.states import read_status
from hyperctr.runs.store import runs_folder
from hyperctr.runtime import derive_seed
from hyperctr.sweeps.jobs import Job, SweepResult, job_of, missing_jobs
from hyperctr.sweeps.local import choose_devices, run_jobs
from hyperctr.sweeps.plan import AnyPath, plan_files
from hyperctr.sweeps.schema import check_keys, known_model, known_setting
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    import optuna

    from hyperctr.data.dataset import Dataset

KINDS = {"title": str, "model": str, "settings": dict, "space": dict, **dict.fromkeys(BUDGETS, dict)}
BUDGET_KINDS = {"trials": int, "seeds": int, "settings": dict}


@dataclass(frozen=True)
class Search:
    """What :func:`open_search` returns.

    Attributes:
        name: of the file, with the data set, the budget and a hash of all that trials have in common.
        settings: what all trials share.
        space: setting -> the values tried.
        trials: how many, unless :meth:`run` is told otherwise.
    """

    name: str
    data: Dataset
    budget: str
    seeds: tuple[int, ...]
    model: str
    settings: dict[str, Any]
    space: dict[str, list[Any]]
    trials: int

    @property
    def points(self) -> int:
        """How many points the grid has."""
        return math.prod(len(values) for values in self.space.values())

    def run(
        self,
        trials: int | None = None,
        *,
        workers: int | None = None,
        max_minutes: float | None = None,
        share_gpu: bool = False,
        device: str | None = None,
    ) -> SweepResult:
        """Try settings until ``trials`` have been tried in all, earlier calls included; several at once.

        Trials that fail or are killed count as failed, and optuna goes on. Stopped ones are tried again next time.

        Raises:
            ConfigError: the extra ``search`` is not installed.
        """
        wanted = min(self.trials if trials is None else trials, self.points)
        if wanted < 1:
            raise ConfigError(f"trials = {wanted} must be at least 1")
        study = self.optuna_study(whole_grid=wanted == self.points)
        begun, jobs, ended = time.monotonic(), list[Job](), list[JobResult]()
        deadline = math.inf if max_minutes is None else begun + 60 * max_minutes
        # threads must not depend on how many trials are left
        devices = choose_devices(max(2, wanted * len(self.seeds)), workers, share_gpu, device)
        while left := wanted - sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False)):
            if left < 0 or time.monotonic() >= deadline:
                break
            asked = self._ask(study, min(left, len(devices)))
            batch = [job for trial in asked.values() for job in trial]
            results, _ = run_jobs(missing_jobs(batch), devices, deadline)
            jobs, ended = jobs + batch, ended + results
            _tell(study, asked)
        return SweepResult.of(jobs, ended, time.monotonic() - begun, left > 0)

    def frame(self) -> pd.DataFrame:
        """Return the finished trials, best validation AUC first: ``trial``, the settings tried, the AUC, run ids."""
        rows = []
        for trial in self.optuna_study().get_trials(deepcopy=False):
            if trial.state.name == "COMPLETE":
                runs = " ".join(job.name for job in self._jobs(trial.params))
                rows.append((trial.number, *(trial.params[name] for name in self.space), trial.value, runs))
        frame = pd.DataFrame(rows, columns=["trial", *self.space, "best_validation_auc", "runs"])
        return frame.sort_values(["best_validation_auc", "trial"], ascending=[False, True], ignore_index=True)

    def optuna_study(self, whole_grid: bool = False) -> optuna.Study:
        """Open the optuna study, with a sampler that tries the whole grid or chooses.

        Raises:
            ConfigError: the extra ``search`` is not installed.
        """
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise ConfigError("a search needs the extra search: pip install 'hyperctr[search]'") from error
        optuna.logging.set_verbosity(logging.WARNING)
        path = runs_folder() / ".search" / f"{self.name}.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        storage = f"sqlite:///{path}"
        study = optuna.create_study(study_name=self.name, storage=storage, load_if_exists=True, direction="maximize")
        seed = derive_seed(self.seeds[0], "search", len(study.get_trials(deepcopy=False))) % 2**32
        grid, tpe = optuna.samplers.GridSampler, optuna.samplers.TPESampler
        study.sampler = grid(self.space, seed=seed) if whole_grid else tpe(seed=seed, constant_liar=True)
        return study

    def _jobs(self, chosen: dict[str, Any]) -> list[Job]:
        """Return the runs of a trial, one for each seed."""
        label = ", ".join(f"{setting} {value}" for setting, value in chosen.items())
        settings = {**self.settings, **chosen}
        configs = [Config.for_model(self.model, self.budget, **(settings | {"seed": seed})) for seed in self.seeds]
        return [job_of(self.data, config, f"search: {label}, seed {config.seed}") for config in configs]

    def _ask(self, study: optuna.Study, count: int) -> dict[int, list[Job]]:
        """Take the trials that an interrupted call left behind, else new ones: trial number -> its runs."""
        from optuna.distributions import CategoricalDistribution as Choice

        left = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "RUNNING"]
        left = [trial for trial in left if set(trial.params) == set(self.space)][:count]
        asked = {trial.number: self._jobs(trial.params) for trial in left}
        while len(asked) < count:
            trial = study.ask({name: Choice(values) for name, values in self.space.items()})
            asked[trial.number] = self._jobs(trial.params)
        return asked


def open_search(
    name: AnyPath = "search",
    dataset: str = "planted",
    budget: str = "quick",
    *,
    seeds: int = 0,
    data_dir: AnyPath = "",
    data_options: Given = (),
) -> Search:
    """Read a search file strictly and lay it out on a data set; nothing is trained.

    ``name`` is ``search`` (the paper's grid), or a TOML file; the other arguments are those of
    :func:`hyperctr.sweeps.plan.open_plan`. A trial is judged by the mean over ``seeds``.

    Raises:
        ConfigError: anything in the file that is not right; names file, key and what is allowed.
        DataError: unknown data set, or missing files.

    >>> search = open_search("search", "planted", "smoke")
    >>> search.trials, search.space["batch_size"]
    (2, [128, 256, 512])
    """
    if budget not in BUDGETS:
        raise ConfigError(f"there is no budget {budget!r}; {did_you_mean(budget, BUDGETS)}")
    path = plan_files().get(str(name), Path(name))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        check_keys(content, KINDS)
        for each in BUDGETS:
            check_keys(content.get(each, {}), BUDGET_KINDS, f"{each}.")
        space, model, chosen = content.get("space", {}), content.get("model", "hyperctr"), content.get(budget, {})
        if not space:
            raise ConfigError("the search has no [space]: give settings and the values to try")
        known_model(model, "model")
        settings = {**content.get("settings", {}), **chosen.get("settings", {})}
        for setting, values in space.items():
            known_setting(setting, f"space.{setting}")
            if not isinstance(values, list) or not values or not all(isinstance(v, str | int | float) for v in values):
                raise ConfigError(f"space.{setting} = {values!r} must be a list of values to try")
            for value in values:
                Config.for_model(model, budget, **{**settings, setting: value})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a search: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    data = open_data(dataset, budget, data_dir, data_options)
    count = seeds or chosen.get("seeds", 1)
    inputs = [model, settings, space, budget, count, data.fingerprint, code_fingerprint(model)]
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]
    name = f"{path.stem}-{data.name}-{budget}-{digest}"
    return Search(name, data, budget, tuple(range(count)), model, settings, space, chosen.get("trials", 20))


def _tell(study: optuna.Study, asked: dict[int, list[Job]]) -> None:
    """Judge trials by the mean over their runs of the best validation AUC; test metrics lie in other files."""
    from optuna.trial import TrialState

    for number, jobs in asked.items():
        states = {read_status(job.name).state for job in jobs}
        if states == {"done"}:
            events = [read_events(runs_folder() / job.name / "events.jsonl") for job in jobs]
            study.tell(number, sum(max(float(point["validation_auc"]) for point in run) for run in events) / len(jobs))
        elif states & {"failed", "killed"}:
            study.tell(number, state=TrialState.FAIL)
        # else it was stopped: it stays a running trial of the study, and is taken up by the next call
