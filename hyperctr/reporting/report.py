"""``hyperctr report``: run the notebooks, write the offline site, tell what failed.

The new report is made in a folder aside and takes the old one's place at the end: until then the old one can
be read, and a report that was interrupted leaves it as it was.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import hyperctr
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.reporting.images import write_images
from hyperctr.reporting.notebook import NotebookResult, load_book, read_result, run_notebook
from hyperctr.reporting.parameters import check_parameters
from hyperctr.reporting.site import About, write_site
from hyperctr.reporting.tables import duration
from hyperctr.runtime import track, write_atomic

Preset = Literal["smoke", "quick", "paper"]
CELL_TIMEOUT: dict[str, int | None] = {"smoke": 600, "quick": 7200, "paper": None}  # seconds
SHOWN_VERSIONS = ("hyperctr", "torch", "torch-geometric", "numpy", "scipy", "pandas", "plotly", "papermill")


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes:
        index: its first page.
        results: how each notebook ended, in the order they ran.
        seconds: wall time.
        images: one line about the PNG pictures.
    """

    index: Path
    results: tuple[NotebookResult, ...]
    seconds: float
    images: str

    @property
    def exit_code(self) -> int:
        """0 if every notebook ran to its end, else 1."""
        return 0 if all(one.ok for one in self.results) else 1

    def __str__(self) -> str:
        """What a terminal should show: failures with their last line, then where the report is."""
        lines = [
            f"{one.name}: {one.status}: {one.error.splitlines()[-1] if one.error else ''}"
            for one in self.results
            if not one.ok
        ]
        done = sum(one.ok for one in self.results)
        lines.append(f"{done} of {len(self.results)} notebooks ran in {duration(self.seconds)}; {self.images}")
        return "\n".join([*lines, str(self.index)])


def build_report(
    dataset: str,
    preset: str = "quick",
    *,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    only: Sequence[str] | None = None,
    notebooks: str | Path | None = None,
) -> Report:
    """Run the report notebooks on one data set and write ``<out>/index.html``.

    A notebook that fails does not stop the others; it stands first on the index with its traceback, and
    :attr:`Report.exit_code` is 1.

    Args:
        dataset: name of a data set.
        preset: ``smoke`` (seconds, proves that everything runs), ``quick`` (minutes) or ``paper``.
        data_dir: where the data set's files lie.
        out: folder of the report; default ``reports/out/<dataset>/<preset>``.
        only: run only these notebooks (names or beginnings of names); the others are kept as they were.
        notebooks: folder of the notebooks; by default those that belong to this HyperCTR.

    Raises:
        ConfigError: unknown preset or notebook. DataError: the data set is unknown or its files are missing.
    """
    if preset not in get_args(Preset):
        raise ConfigError(f"unknown preset {preset!r}: {did_you_mean(preset, get_args(Preset))}")
    chosen = _chosen(notebook_folder() if notebooks is None else Path(notebooks), only)
    folder = Path(out) if out is not None else Path("reports") / "out" / dataset / preset
    folder = folder.resolve()
    parameters: dict[str, Any] = {"dataset": dataset, "preset": preset, "report_dir": str(folder)}
    if data_dir is not None:
        parameters["data_dir"] = str(Path(data_dir).expanduser().resolve())
    for source in chosen:
        check_parameters(source, parameters)  # all of them, before the first kernel starts
    _check_data(dataset, data_dir)

    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    begin = time.perf_counter()
    try:
        if only is not None and folder.is_dir():
            _keep_others(folder, aside, [source.stem for source in chosen])
        parameters["report_dir"] = str(aside)
        for source in track(chosen, total=len(chosen), label="notebooks"):
            target = aside / "notebooks" / source.name
            run_notebook(source, target, parameters, cell_timeout=CELL_TIMEOUT[preset])
            _rename_inside(target, aside, folder)
        results = [read_result(path) for path in sorted((aside / "notebooks").glob("*.ipynb"))]
        images = write_images(aside)
        card = _card(dataset, preset, data_dir, begin)
        about = About(dataset, preset, _now(), time.perf_counter() - begin, card)
        write_site(aside, about, results)
        _put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    results = [read_result(path) for path in sorted((folder / "notebooks").glob("*.ipynb"))]
    return Report(folder / "index.html", tuple(results), time.perf_counter() - begin, images)


def notebook_folder() -> Path:
    """Return where the report notebooks are: ``notebooks/`` of the checkout, else those in the wheel."""
    package = Path(hyperctr.__file__).parent
    for folder in (package.parent / "notebooks", package / "_notebooks"):
        if any(folder.glob("[0-9][0-9]_*.ipynb")):
            return folder
    raise ConfigError(f"no report notebooks beside {package}; install HyperCTR again, or pass notebooks=")


def _chosen(folder: Path, only: Sequence[str] | None) -> list[Path]:
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ConfigError(f"{folder} holds no notebook named like 01_datasets.ipynb")
    names = [path.stem for path in found]
    for wanted in only or ():
        if not any(name.startswith(wanted) for name in names):
            raise ConfigError(f"unknown notebook {wanted!r}: {did_you_mean(wanted, names)}")
    return [path for path in found if only is None or any(path.stem.startswith(wanted) for wanted in only)]


def _check_data(dataset: str, data_dir: str | Path | None) -> None:
    """Find an unknown name or missing files now, not four times in four notebooks."""
    from hyperctr.data.registry import known_datasets, load_dataset

    if not any(known.name == dataset and known.ready for known in known_datasets(data_dir)):
        load_dataset(dataset, data_dir=data_dir)


def _keep_others(old: Path, aside: Path, again: Sequence[str]) -> None:
    """Copy the old report, without what the notebooks that run again had put into it."""
    shutil.copytree(old, aside, dirs_exist_ok=True)
    for name in again:
        path = aside / "notebooks" / f"{name}.ipynb"
        if not path.is_file():
            continue
        for cell in load_book(path).cells:
            for output in cell.get("outputs", []):
                left = output.get("metadata", {}).get("hyperctr", {}).get("file")
                for file in (aside / left).parent.glob(f"{Path(left).name}.*") if left else ():
                    file.unlink()
        path.unlink()
    for page in aside.glob("*.html"):
        page.unlink()


def _rename_inside(notebook: Path, aside: Path, folder: Path) -> None:
    """The executed notebook names the folder it will be found in, not the temporary one."""
    text = notebook.read_text(encoding="utf-8")
    old, new = (json.dumps(str(path))[1:-1] for path in (aside, folder))
    write_atomic(notebook, text.replace(old, new))


def _put_in_place(aside: Path, folder: Path) -> None:
    """Swap the folders; between the two renames there is no report, but never half of one."""
    os.chmod(aside, 0o755)
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        os.replace(folder, old / folder.name)
        os.replace(aside, folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(aside, folder)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed report left beside this one more than a day ago."""
    for path in folder.parent.glob(f".{folder.name}.*"):
        if path.is_dir() and time.time() - path.stat().st_mtime > 86_400:
            shutil.rmtree(path, ignore_errors=True)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _card(dataset: str, preset: str, data_dir: str | Path | None, begin: float) -> dict[str, Any]:
    """What the runner knows of how to repeat the report; the notebooks add data, split and seeds."""
    command = ["hyperctr", "report", dataset, "--preset", preset]
    command += ["--data-dir", str(data_dir)] if data_dir is not None else []
    versions = []
    for name in SHOWN_VERSIONS:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions += [f"hyperctr {hyperctr.__version__}"] if name == "hyperctr" else []
    return {
        "command": shlex.join(command),
        "wall time": duration(time.perf_counter() - begin),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU threads",
        "python": platform.python_version(),
        "versions": versions,
    }
