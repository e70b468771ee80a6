"""``hyperctr report``: train what is missing, run the notebooks, write the offline site, tell what failed.

What a notebook left is kept as a part beside the report (:mod:`hyperctr.report.cache`), and it runs again
only if something it depends on has changed, or it failed. The new report is made in a folder aside and takes the old
one's place at the end: until then the old one can be read, and a report that was interrupted leaves it as it was.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.executor import available_cores
from hyperctr.report.cache import Parts, notebook_key
from hyperctr.report.execute import NotebookResult
from hyperctr.report.images import write_images
from hyperctr.report.pages import About, write_site
from hyperctr.report.parameters import parameter_names
from hyperctr.report.runs import BookFacts, PlanUse, ReportRuns, book_facts
from hyperctr.report.setup import choose_notebooks, command_line, find_notebooks, notebook_folder, report_card
from hyperctr.report.workers import Job, run_notebooks
from hyperctr.runtime import duration
from hyperctr.sweeps.plan import open_data
from hyperctr.sweeps.sweep import TRAINED

Preset = Literal["smoke", "quick", "paper"]
CELL_TIMEOUT: dict[str, int | None] = {"smoke": 600, "quick": 7200, "paper": None}  # seconds
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes:
        index: its first page.
        results: how each notebook ended, in the order of their names.
        runs: the runs behind it, those that are not done first; see ``runs.csv`` of the report.
        problems: lines about plans and training that are no notebook's and no run's.
        executed: names of the notebooks that this call ran; the others came out of their parts.
        seconds: wall time.
        images: one line about the PNG pictures.
    """

    index: Path
    results: tuple[NotebookResult, ...]
    runs: pd.DataFrame
    problems: tuple[str, ...]
    executed: tuple[str, ...]
    seconds: float
    images: str

    @property
    def exit_code(self) -> int:
        """0 if every notebook ran to its end and every run is done, else 1."""
        good = all(one.ok for one in self.results) and bool((self.runs["state"] == "done").all()) and not self.problems
        return 0 if good else 1

    def __str__(self) -> str:
        """What a terminal should show: failures with their last line, then where the report is."""
        lines = [f"{one.name}: {one.status}: {_last_line(one.error)}" for one in self.results if not one.ok]
        bad = self.runs[self.runs["state"] != "done"]
        lines += [
            f"run {row['run']} ({row['what']}): {row['state']}: {_last_line(row['error'])}"
            for row in bad.to_dict("records")
        ]
        lines += self.problems
        done, again = sum(one.ok for one in self.results), len(self.executed)
        kept = f", {len(self.results) - again} of them unchanged since" if again < len(self.results) else ""
        runs = f"{len(self.runs) - len(bad)} of {len(self.runs)} runs done; " if len(self.runs) else ""
        lines.append(
            f"{done} of {len(self.results)} notebooks ran{kept}; {runs}{duration(self.seconds)}; {self.images}"
        )
        return "\n".join([*lines, str(self.index)])


def build_report(
    dataset: str,
    preset: str = "quick",
    *,
    seeds: int = 0,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    only: Sequence[str] | None = None,
    workers: int | None = None,
    force: bool = False,
    notebooks: str | Path | None = None,
) -> Report:
    """Bring the report on one data set up to date, ``<out>/index.html``.

    All runs that the notebooks show are trained first, together. A run or a notebook that fails does not stop the
    others; it stands first on the index with what went wrong, and :attr:`Report.exit_code` is 1.

    Args:
        dataset: name of a data set.
        preset: ``smoke`` (seconds, proves that everything runs), ``quick`` (minutes) or ``paper``.
        seeds: how many seeds of each run; 0: as many as the preset says.
        data_dir: where the data set's files lie.
        out: folder of the report; default ``reports/out/<dataset>/<preset>``.
        only: run only these notebooks (names or beginnings of names); the others are kept as they were.
        workers: how many runs, and how many notebooks, at once; None: as many as cores.
        force: run notebooks again of which nothing has changed; runs that are done are kept.
        notebooks: folder of the notebooks; by default those that belong to this HyperCTR.

    Raises:
        ConfigError: an argument that cannot be, or an unknown notebook. DataError: the data set is unknown or its
            files are missing.
    """
    import filelock

    if preset not in get_args(Preset):
        raise ConfigError(f"unknown preset {preset!r}: {did_you_mean(preset, get_args(Preset))}")
    if seeds < 0 or (workers is not None and workers < 1):
        raise ConfigError(f"seeds = {seeds} must be 0 (as the preset says) or more, workers = {workers} at least 1")
    every = find_notebooks(notebook_folder() if notebooks is None else Path(notebooks))
    chosen = choose_notebooks(every, only)
    facts = {path.stem: book_facts(path) for path in every}
    folder = Path(out) if out is not None else Path("reports") / "out" / dataset / preset
    folder = folder.resolve()
    place = str(Path(data_dir).expanduser().resolve()) if data_dir else ""
    data = open_data(dataset, preset, place)  # an unknown name or missing files stop here, not in every notebook

    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.parent / f".{folder.name}.lock"):  # a second report of the same waits for this one
        begin = time.perf_counter()
        parts = Parts(folder.parent / f".{folder.name}.parts")
        shown = [path.stem for path in every if path in chosen or parts.results([path.stem])]
        runs = ReportRuns.open(data, _plans(facts, shown), dataset, preset, seeds, place)
        runs.train(_plans(facts, [path.stem for path in chosen]), workers)
        given = {"dataset": dataset, "preset": preset, "data_dir": place, "seeds": seeds}
        executed = _run_chosen(chosen, facts, given, runs, parts, folder, workers, force)
        images = write_images(parts.folder)
        frame = runs.frame()
        command = command_line(dataset, preset, seeds, data_dir)
        about = About(
            dataset, preset, _now(), time.perf_counter() - begin, report_card(command, begin), tuple(runs.problems)
        )
        results = parts.results(shown)
        _publish(folder, parts, shown, about, results, frame, runs)
    return Report(
        folder / "index.html",
        tuple(results),
        frame,
        tuple(runs.problems),
        tuple(executed),
        time.perf_counter() - begin,
        images,
    )


def _run_chosen(
    chosen: Sequence[Path],
    facts: dict[str, BookFacts],
    given: dict[str, Any],
    runs: ReportRuns,
    parts: Parts,
    folder: Path,
    workers: int | None,
    force: bool,
) -> list[str]:
    """Run the notebooks that are not as they would come out now; return their names."""
    count = workers or available_cores()
    environment = {TRAINED: "1"}  # what failed a minute ago is not tried again in each notebook
    if count > 1 and "OMP_NUM_THREADS" not in os.environ:
        environment["OMP_NUM_THREADS"] = "1"
    waiting: dict[str, tuple[Job, str]] = {}
    for source in chosen:
        name, known = source.stem, parameter_names(source)
        wanted = {key: value for key, value in given.items() if key != "seeds" or "seeds" in known}
        key = notebook_key(source, wanted, runs.data.fingerprint, runs.states(facts[name].plans))
        if force or not parts.is_fresh(name, key):
            target = parts.clear(name)
            wanted["report_dir"] = str(target.parent)
            waiting[name] = Job(source, target, wanted, CELL_TIMEOUT[given["preset"]], environment), key
    ended = 0
    # smoke only shows that everything runs: there, a timing may be disturbed
    alone = [job for name, (job, _) in waiting.items() if facts[name].alone and given["preset"] != "smoke"]
    for jobs, at_once in ((alone, 1), ([job for job, _ in waiting.values() if job not in alone], count)):
        for result in run_notebooks(jobs, at_once):
            ended += 1
            log.info("%d/%d %s: %s in %s", ended, len(waiting), result.name, result.status, duration(result.seconds))
            parts.keep(result, waiting[result.name][1], folder)
    return sorted(waiting)


def _publish(
    folder: Path,
    parts: Parts,
    names: Sequence[str],
    about: About,
    results: Sequence[NotebookResult],
    frame: pd.DataFrame,
    runs: ReportRuns,
) -> None:
    """Put the report together in a folder aside, and that in the place of the old one."""
    for left in folder.parent.glob(f".{folder.name}.aside-*"):  # by a report that was killed: we hold the lock
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.aside-", dir=folder.parent))
    try:
        parts.copy_to(aside, names)
        write_site(aside, about, results, frame, runs.curves())
        _put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _plans(facts: dict[str, BookFacts], names: Iterable[str]) -> list[PlanUse]:
    return [use for name in names for use in facts[name].plans]


def _put_in_place(aside: Path, folder: Path) -> None:
    """Swap the folders; between the two renames there is no report, but never half of one."""
    os.chmod(aside, 0o755)
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.aside-", dir=folder.parent))
        os.replace(folder, old / folder.name)
        os.replace(aside, folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(aside, folder)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text and text.strip() else ""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
