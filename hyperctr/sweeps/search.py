"""Search for settings with optuna, judged by validation AUC alone: test metrics are not even read.

A trial is an ordinary run of the store (or one per seed), so a setting that was trained before costs nothing. The
study lies in ``<runs>/.search/<name>.db`` (SQLite) and goes on where it stopped; its name holds what was searched on
which data and code, so trials of another data set, preset or version of the code never mix. Enough trials for the whole
grid try each of its points once; fewer are chosen by the tree-structured Parzen estimator.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hyperctr.config import BUDGETS, Config
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.runs.source import code_fingerprint
from hyperctr.runs.store import run_id, runs_folder
from hyperctr.runtime import derive_seed
from hyperctr.sweeps.local import LocalSweep
from hyperctr.sweeps.plan import Plan, PlannedRun, open_data, plan_files
from hyperctr.sweeps.schema import PlanFile, Preset, check_keys, known_model, known_setting
from hyperctr.sweeps.tasks import Outcome, missing_runs
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    import optuna

    from hyperctr.data.dataset import Dataset

KINDS = {"title": str, "model": str, "settings": dict, "space": dict, **dict.fromkeys(BUDGETS, dict)}
PRESET_KINDS = {"trials": int, "seeds": int, "settings": dict}


@dataclass(frozen=True)
class Search:
    """What :func:`open_search` returns.

    Attributes:
        name: of the file, with the data set, the preset and a hash of all that trials have in common.
        data, preset, seeds: as of a plan.
        model: whose settings are searched.
        settings: what all trials share.
        space: setting -> the values tried.
        trials: how many, unless :meth:`run` is told otherwise.
    """

    name: str
    data: Dataset
    preset: str
    seeds: tuple[int, ...]
    model: str
    settings: dict[str, Any]
    space: dict[str, list[Any]]
    trials: int

    @property
    def storage(self) -> Path:
        """The SQLite file of the study."""
        return runs_folder() / ".search" / f"{self.name}.db"

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
    ) -> Outcome:
        """Try settings until ``trials`` have been tried in all, earlier calls included; several at once.

        Trials that fail or are killed count as failed, and optuna goes on. Stopped ones are tried again next time.

        Raises:
            ConfigError: the extra ``search`` is not installed.
        """
        wanted = min(self.trials if trials is None else trials, self.points)
        if wanted < 1:
            raise ConfigError(f"trials = {wanted} must be at least 1")
        study = self._study(whole=wanted == self.points)
        clock, states, errors = time.monotonic(), dict[str, str](), dict[str, str]()
        deadline = clock + 60 * max_minutes if max_minutes is not None else math.inf
        trained: list[str] = []
        stopped = False
        while not stopped:
            left = wanted - sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))
            minutes = None if max_minutes is None else (deadline - time.monotonic()) / 60
            if left <= 0 or (minutes is not None and minutes <= 0):
                stopped = left > 0
                break
            sweep = LocalSweep(max(2, wanted * len(self.seeds)), workers, minutes, share_gpu, device)
            plan, asked = self._ask(study, min(left, sweep.count))
            sweep.run(missing_runs([plan]))
            outcome, stopped = sweep.outcome([plan]), sweep.stopped
            states |= outcome.states
            errors |= outcome.errors
            trained += outcome.trained
            self._tell(study, asked, outcome)
        return Outcome(states, errors, tuple(trained), time.monotonic() - clock, stopped)

    def frame(self) -> pd.DataFrame:
        """Return the finished trials, best validation AUC first: ``trial``, the settings tried, the AUC, run ids."""
        import optuna

        done = self._study().get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        rows = [
            {
                "trial": one.number,
                **one.params,
                "best_validation_auc": one.value,
                "runs": " ".join(self._config(one.params, seed)[1] for seed in self.seeds),
            }
            for one in done
        ]
        columns = ["trial", *self.space, "best_validation_auc", "runs"]
        return pd.DataFrame(rows, columns=columns).sort_values(
            ["best_validation_auc", "trial"], ascending=[False, True], ignore_index=True
        )

    def _config(self, chosen: dict[str, Any], seed: int) -> tuple[Config, str]:
        config = Config.for_model(self.model, self.preset, **{**self.settings, **chosen, "seed": seed})
        return config, run_id(self.data, config)

    def _ask(self, study: optuna.Study, count: int) -> tuple[Plan, dict[int, list[str]]]:
        """Take the trials that an interrupted call left behind, else new ones, as a plan of their runs."""
        import optuna

        asked: dict[int, list[str]] = {}
        runs: list[PlannedRun] = []
        left = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        chosen = [(trial.number, trial.params) for trial in left if set(trial.params) == set(self.space)][:count]
        space: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.CategoricalDistribution(values) for name, values in self.space.items()
        }
        while len(chosen) < count:
            new = study.ask(space)
            chosen.append((new.number, new.params))
        for number, params in chosen:
            for seed in self.seeds:
                config, name = self._config(params, seed)
                label = ", ".join(f"{setting} {value}" for setting, value in params.items())
                runs.append(PlannedRun("search", "row", label, math.nan, seed, config, name))
                asked.setdefault(number, []).append(name)
        file = PlanFile(
            "search", Path("search"), "search", self.model, {}, (), (), "", {one: Preset() for one in BUDGETS}
        )
        return Plan(file, self.data, self.preset, self.seeds, runs), asked

    def _tell(self, study: optuna.Study, asked: dict[int, list[str]], outcome: Outcome) -> None:
        from optuna.trial import TrialState

        for number, names in asked.items():
            states = {outcome.states[name] for name in names}
            if states == {"done"}:
                study.tell(number, sum(map(validation_auc, names)) / len(names))
            elif states & {"failed", "killed"}:
                study.tell(number, state=TrialState.FAIL)
            # else it was stopped: it stays a running trial of the study, and is taken up by the next call

    def _study(self, whole: bool = False) -> optuna.Study:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise ConfigError("a search needs the extra search: pip install 'hyperctr[search]'") from error
        optuna.logging.set_verbosity(logging.WARNING)
        self.storage.parent.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            storage=f"sqlite:///{self.storage}", study_name=self.name, direction="maximize", load_if_exists=True
        )
        seed = derive_seed(self.seeds[0], "search", len(study.get_trials(deepcopy=False))) % 2**32
        if whole:
            study.sampler = optuna.samplers.GridSampler(self.space, seed=seed)
        else:
            study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        return study


def open_search(
    name: str | Path = "search",
    dataset: str = "planted",
    preset: str = "quick",
    *,
    seeds: int = 0,
    data_dir: str | Path = "",
) -> Search:
    """Read a search file strictly and lay it out on a data set; nothing is trained.

    Args:
        name: ``search`` (the paper's grid), or a TOML file.
        dataset: as for :func:`hyperctr.sweeps.plan.open_plan`.
        preset: the same.
        seeds: the same; a trial is judged by the mean over seeds.
        data_dir: the same.

    Raises:
        ConfigError: anything in the file that is not right; names file, key and what is allowed.
        DataError: unknown data set, or missing files.

    >>> search = open_search("search", "planted", "smoke")
    >>> search.trials, search.space["batch_size"]
    (2, [128, 256, 512])
    """
    if preset not in BUDGETS:
        raise ConfigError(f"there is no preset {preset!r}; {did_you_mean(preset, BUDGETS)}")
    path = plan_files().get(str(name), Path(name))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        check_keys(content, KINDS, "")
        for one in BUDGETS:
            check_keys(content.get(one, {}), PRESET_KINDS, f"{one}.")
        _check_space(content.get("space", {}))
        model, chosen = content.get("model", "hyperctr"), content.get(preset, {})
        known_model(model, "model")
        settings = {**content.get("settings", {}), **chosen.get("settings", {})}
        for setting, values in content["space"].items():
            for value in values:
                Config.for_model(model, preset, **{**settings, setting: value})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a search: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    data = open_data(dataset, preset, data_dir)
    count = seeds or chosen.get("seeds", 1)
    facts = [model, settings, content["space"], preset, count, data.fingerprint, code_fingerprint(model)]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    return Search(
        f"{path.stem}-{data.name}-{preset}-{digest}",
        data,
        preset,
        tuple(range(count)),
        model,
        settings,
        content["space"],
        chosen.get("trials", 20),
    )


def validation_auc(name: str) -> float:
    """Return the best validation AUC of a finished run, from its learning curve; test metrics lie elsewhere."""
    return max(float(point["validation_auc"]) for point in read_events(runs_folder() / name / "events.jsonl"))


def _check_space(space: dict[str, Sequence[Any]]) -> None:
    if not space:
        raise ConfigError("the search has no [space]: give settings and the values to try")
    for name, values in space.items():
        known_setting(name, f"space.{name}")
        if not isinstance(values, list) or not values or not all(isinstance(v, str | int | float) for v in values):
            raise ConfigError(f"space.{name} = {values!r} must be a list of values to try")
