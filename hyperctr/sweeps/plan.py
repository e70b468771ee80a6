"""A plan on one data set at one budget: the runs it consists of, known before anything is trained.

A run's id follows from its settings, the data and the library's code, so plans that share a run (the base run lies in
almost all of them) share its id, and it is trained once. No torch is needed to know all this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hyperctr
from hyperctr.config import BUDGETS, Config
from hyperctr.data.options import Given
from hyperctr.data.registry import open_data
from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.runs.store import run_id
from hyperctr.sweeps.schema import PlanFile, parse_plan

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset


AnyPath = str | Path


@dataclass(frozen=True)
class PlannedRun:
    """One run of the plan ``plan``, with its seed and all settings.

    Attributes:
        plan: name of the plan.
        setting: the one that is varied, or ``case``.
        label, value: the value as text and as a number; of a case its name and nan.
        run_id: its name in the run store.
    """

    plan: str
    setting: str
    label: str
    value: float
    seed: int
    config: Config
    run_id: str


@dataclass(frozen=True)
class Plan:
    """What :func:`open_plan` returns: a plan as written (``file``) at a budget.

    Attributes:
        data: the data set all runs use; its generation or files do not depend on a run's seed.
        seeds: the seeds of the runs.
        runs: all runs, in the order of the plan, the seeds of a case or value beside each other.
    """

    file: PlanFile
    data: Dataset
    budget: str
    seeds: tuple[int, ...]
    runs: list[PlannedRun]

    @property
    def name(self) -> str:
        """The name of the plan's file without the ending."""
        return self.file.name

    @property
    def base(self) -> Config:
        """Settings of the base run at the first seed: nothing varied."""
        return self.file.config(self.budget, {}, self.seeds[0])

    def pairs(self) -> list[tuple[str, str]]:
        """Return the run ids to compare, (base case, other case) of the same seed; none without ``compare_with``."""
        cases = [run for run in self.runs if run.setting == "case"]
        base = {run.seed: run.run_id for run in cases if run.label == self.file.compare_with}
        return [(base[r.seed], r.run_id) for r in cases if r.seed in base and r.run_id != base[r.seed]]


def open_plan(
    name: AnyPath,
    dataset: str = "planted",
    budget: str = "quick",
    *,
    seeds: int = 0,
    data_dir: AnyPath = "",
    data_options: Given = (),
    data: Dataset | None = None,
) -> Plan:
    """Read a plan and lay out its runs on a data set; nothing is trained.

    The arguments are those of :class:`hyperctr.Sweep`; ``data`` is what :func:`~hyperctr.data.registry.open_data` gave
    for them, where several plans are opened on the same data.

    Raises:
        ConfigError: no such plan or budget, or anything in the plan that is not right.
        DataError: unknown data set, missing files, or a modality that the data do not have.

    >>> plan = open_plan("layers", "planted", "smoke")
    >>> [(run.setting, run.label, run.value, run.seed) for run in plan.runs]
    [('layers', '1', 1.0, 0), ('layers', '2', 2.0, 0)]
    """
    if budget not in BUDGETS:
        raise ConfigError(f"there is no budget {budget!r}; {did_you_mean(budget, BUDGETS)}")
    if seeds < 0:
        raise ConfigError(f"seeds = {seeds} must be 0 (as many as the budget says) or more")
    file = read_plan(name)
    data = data or open_data(dataset, budget, data_dir, data_options)
    chosen = tuple(range(seeds or file.budgets[budget].seeds))
    entries = list(file.entries(budget, data.modalities))
    if any(setting in ("slot_months", "slot_count") for setting, *_ in entries):
        data = data.without_slots()  # which hold where a setting has its default: here that is meant as it is written
    runs = []
    for setting, label, value, changes in entries:
        for config in (file.config(budget, changes, seed) for seed in chosen):
            if unknown := [name for name in config.modalities if name not in data.modalities]:
                hint = did_you_mean(unknown[0], data.modalities)
                where = f"{file.path}: {setting} {label!r}"
                raise DataError(f"{where}: data set {data.name!r} has no modality {unknown[0]!r}; {hint}")
            runs.append(PlannedRun(file.name, setting, label, value, config.seed, config, run_id(data, config)))
    return Plan(file, data, budget, chosen, runs)


def read_plan(name: AnyPath) -> PlanFile:
    """Read a plan by its name or its file, without data.

    Raises:
        ConfigError: there is none, or something in it is not right; the message names file and key.

    >>> read_plan("layer")
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: there is no plan 'layer': did you mean 'layers'?
    """
    known = known_plans()
    path = known.get(str(name), Path(name))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if path.suffix == ".toml":
            raise ConfigError(f"{path}: no such plan file") from error
        raise ConfigError(f"there is no plan {str(name)!r}: {did_you_mean(str(name), known)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a plan: {error}") from error
    return parse_plan(text, path)


def known_plans() -> dict[str, Path]:
    """Return name -> file of the plans that come with the library."""
    return {name: path for name, path in plan_files().items() if name != "search"}


def plan_files() -> dict[str, Path]:
    """Return name -> file of all plans and searches: the checkout's, else the installed ones."""
    package = Path(hyperctr.__file__).resolve().parent
    for folder in (package.parent / "reports" / "sweeps", package / "_sweeps"):
        if files := {path.stem: path for path in sorted(folder.glob("*.toml"))}:
            return files
    return {}
