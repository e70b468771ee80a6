"""``hyperctr report``: train what is missing, run the notebooks, write the offline site, say what failed.

What a notebook left is kept beside the report (:mod:`hyperctr.report.cache`), and it runs again only if something it
depends on has changed, or it failed. The new report is made in a folder aside and takes the old one's place at the end:
until then the old one can be read, and a report that is interrupted leaves it as it was.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pandas as pd

from hyperctr.data.options import Given, option_texts
from hyperctr.data.registry import name_or_folder, open_data
from hyperctr.errors import ConfigError, DataError, counted, did_you_mean
from hyperctr.executor import available_cores
from hyperctr.report.cache import NotebookCache, notebook_key
from hyperctr.report.cards import command_line, report_card
from hyperctr.report.execute import Job, NotebookResult, run_notebooks
from hyperctr.report.images import write_images
from hyperctr.report.notebooks import find_notebooks
from hyperctr.report.pages import About, write_site
from hyperctr.report.runs import ReportRuns
from hyperctr.runtime import duration

CELL_TIMEOUT: dict[str, int | None] = {"smoke": 600, "quick": 7200, "paper": None}  # budget -> seconds
# what the index of every version says, within the first lines; and all that lies in a report beside pages of notebooks
TITLE = b"<title>HyperCTR report"
PARTS = {"index.html", "runs.html", "runs.csv", "card.json", "assets", "notebooks", "tables", "figures"}
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints"}  # of those who looked at it
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes:
        index: its first page.
        results: how each notebook ended, in the order of their names.
        runs: the runs behind it, those that are not done first; see ``runs.csv`` of the report.
        problems: lines about plans and training that are no notebook's and no run's.
        executed: names of the notebooks that this call ran; the others are as they were kept.
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
        good = all(result.ok for result in self.results) and (self.runs["state"] == "done").all()
        return 0 if good and not self.problems else 1

    def __str__(self) -> str:
        """What a terminal should show: failures with their last line, then where the report is."""
        failed = [result for result in self.results if not result.ok]
        bad = self.runs[self.runs["state"] != "done"].to_dict("records")
        lines = [f"{result.name}: {result.status}: {_last_line(result.error)}" for result in failed]
        lines += [f"run {row['run']} ({row['what']}): {row['state']}: {_last_line(row['error'])}" for row in bad]
        total, again = len(self.results), len(self.executed)
        kept = f", {total - again} of them unchanged since" if again < total else ""
        runs = f"{len(self.runs) - len(bad)} of {counted(len(self.runs), 'run')} done; " if len(self.runs) else ""
        ran = f"{total - len(failed)} of {counted(total, 'notebook')} ran{kept}"
        last = f"{ran}; {runs}{duration(self.seconds)}; {self.images}"
        return "\n".join([*lines, *self.problems, last, str(self.index)])


def build_report(
    dataset: str,
    budget: str = "quick",
    *,
    seeds: int = 0,
    data_dir: str | Path | None = None,
    data_options: Given = (),
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
        dataset: name of a data set, or the folder of a ``table``.
        budget: ``smoke`` (seconds, proves that everything runs), ``quick`` (minutes) or ``paper``.
        seeds: how many seeds of each run; 0: as many as the budget says.
        data_dir: where the data set's files lie.
        data_options: options of the data set, as a table or as texts ``key=value``.
        out: folder of the report; default ``reports/out/<name of the data set>/<budget>``. A report that is there is
            replaced, anything else is left alone. ``.<folder>.cache``, beside it, is what the next report goes on from.
        only: run only these notebooks (names or beginnings of names); the others are kept as they were.
        workers: how many runs, and how many notebooks, at once; None: as many as cores.
        force: run notebooks again of which nothing has changed; runs that are done are kept.
        notebooks: folder of the notebooks; by default those that belong to this HyperCTR.

    Raises:
        ConfigError: an argument that cannot be, or an unknown notebook.
        DataError: the data set is unknown, its files are missing, or ``out`` holds what is no report.
    """
    import filelock

    if budget not in CELL_TIMEOUT:
        raise ConfigError(f"unknown budget {budget!r}: {did_you_mean(budget, CELL_TIMEOUT)}")
    if seeds < 0 or (workers is not None and workers < 1):
        raise ConfigError(f"seeds = {seeds} must be 0 (as the budget says) or more, workers = {workers} at least 1")
    every, chosen = find_notebooks(notebooks, only)
    source, base = name_or_folder(dataset, data_dir)
    place = str(Path(base).expanduser().resolve()) if base else ""
    # an unknown name or missing files stop here, not in every notebook
    data = open_data(source, budget, place, data_options)
    title = dataset if source == dataset else data.name if data.name != source else Path(place).name
    folder = (Path(out) if out is not None else Path("reports") / "out" / title / budget).resolve()
    _refuse_to_delete(folder)
    at_once = workers or available_cores()
    # a kernel beside others has one thread, unless the user has said how many
    one_thread = {"OMP_NUM_THREADS": "1"} if at_once > 1 and "OMP_NUM_THREADS" not in os.environ else {}

    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.parent / f".{folder.name}.lock"):  # a second report of the same waits for this one
        begin = time.perf_counter()
        cache = NotebookCache(folder.parent / f".{folder.name}.cache")
        shown = [book for book in every if book in chosen or cache.results([book.name])]
        names = [book.name for book in shown]
        runs = ReportRuns.open(data, [use for book in shown for use in book.plans], source, budget, seeds, place)
        runs.train([use for book in chosen for use in book.plans], workers)
        told = option_texts(data_options)
        given = {"dataset": source, "budget": budget, "data_dir": place, "seeds": seeds, "data_options": told}
        keys: dict[str, str] = {}
        alone: list[Job] = []
        together: list[Job] = []
        for book in chosen:
            optional = {"seeds", *(() if told else ("data_options",))}  # options that are given must reach it
            wanted = {name: value for name, value in given.items() if name in book.parameters or name not in optional}
            key = notebook_key(book.path, wanted, data.fingerprint, runs.states(book.plans))
            if force or not cache.is_fresh(book.name, key):
                keys[book.name] = key
                job = Job(book.path, cache.clear(book.name), wanted, CELL_TIMEOUT[budget], one_thread)
                # smoke only shows that everything runs: there, a timing may be disturbed
                (alone if book.alone and budget != "smoke" else together).append(job)
        for number, result in enumerate(chain(run_notebooks(alone, 1), run_notebooks(together, at_once)), 1):
            log.info("%d/%d %s: %s in %s", number, len(keys), result.name, result.status, duration(result.seconds))
            cache.keep(result, keys[result.name])
        images = write_images(cache.folder)
        results, frame = cache.results(names), runs.frame()
        seconds, problems = time.perf_counter() - begin, tuple(runs.problems)
        card = report_card(command_line(dataset, budget, seeds, data_dir, told, only or ()), duration(seconds))
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        with _replacing(folder) as aside:
            cache.copy_to(aside, names)
            about = About(title, budget, now, card, problems)
            write_site(aside, about, results, frame, runs.curves())
    return Report(folder / "index.html", tuple(results), frame, problems, tuple(sorted(keys)), seconds, images)


def _refuse_to_delete(folder: Path) -> None:
    """Raise a DataError if a report that takes the place of ``folder`` would delete what is not of a report."""
    if not folder.exists():
        return
    way = "move it away, or write elsewhere with --out FOLDER"
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    if not there:
        return
    index = folder / "index.html"
    begin = b""
    if index.is_file():
        with open(index, "rb") as file:
            begin = file.read(2000)
    if TITLE not in begin:
        raise DataError(f"{folder}: is there already and is no report of HyperCTR, which could be replaced; {way}")
    others = sorted(name for name in there - PARTS - LITTER if not re.fullmatch(r"\d\d_.*\.html", name))
    if others:
        raise DataError(f"{folder / others[0]}: is no part of the report there, which would be replaced; {way}")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a folder aside, and put it in the place of ``folder`` once it is whole.

    Between the two renames there is no report, but never half of one.
    """
    for left in folder.parent.glob(f".{folder.name}.aside-*"):  # by a report that was killed: we hold the lock
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}.aside-", dir=folder.parent, ignore_cleanup_errors=True
    ) as place:
        aside = Path(place) / "new"
        aside.mkdir()
        yield aside
        if folder.exists():
            os.replace(folder, Path(place) / "old")
        os.replace(aside, folder)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text and text.strip() else ""
