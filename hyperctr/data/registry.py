"""Data sets by name: ``load_dataset("planted")``, and what there is to load."""

from __future__ import annotations

import inspect
import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from hyperctr.data.dataset import Dataset
from hyperctr.data.download import ACOUSTIC_FILE, ML_TRAILERS, VISUAL_FILE, download
from hyperctr.data.options import Given, parse_options
from hyperctr.data.planted import planted
from hyperctr.errors import DataError, DataWarning, did_you_mean

logger = logging.getLogger(__name__)
# The sizes of `planted` in reports and sweeps: smoke proves that everything runs, quick has a report in minutes. At
# budget paper, and by load_dataset, it has its defaults.
QUICK_PLANTED = {"num_users": 200, "num_items": 500, "num_interactions": 10_000}
SMOKE_PLANTED = {"num_users": 150, "num_items": 300, "num_interactions": 6000, "months": 12}
PLANTED_SIZES: dict[str, dict[str, Any]] = {"smoke": SMOKE_PLANTED, "quick": QUICK_PLANTED}


@dataclass(frozen=True)
class Source:
    """A data set that can be named.

    Attributes:
        about: one line for ``hyperctr data list``.
        load: from ``data_dir`` (of generated data: the seed) and options to the data.
        find: from the data directory to the folder of its files, None if they are not there; None: needs no files.
    """

    about: str
    load: Callable[..., Dataset]
    find: Callable[[Path], Path | None] | None = None


@dataclass(frozen=True)
class KnownDataset:
    """One line of ``hyperctr data list``.

    Attributes:
        folder: where its files lie; None if they were not found, or it needs none.
        ready: whether ``load_dataset(name)`` works now, without a download.
    """

    name: str
    description: str
    folder: Path | None
    ready: bool


def data_directory(data_dir: str | Path | None = None) -> Path:
    """Return the data directory: the argument, else ``HYPERCTR_DATA``, else ``~/.cache/hyperctr``."""
    chosen = data_dir or os.environ.get("HYPERCTR_DATA") or Path.home() / ".cache" / "hyperctr"
    return Path(chosen).expanduser()


def known_datasets(data_dir: str | Path | None = None) -> list[KnownDataset]:
    """List every name that :func:`load_dataset` knows, with where its files are.

    >>> [known.name for known in known_datasets() if known.ready][0]
    'planted'
    """
    base, known = data_directory(data_dir), []
    for name, source in SOURCES.items():
        folder = source.find(base) if source.find else None
        ready = source.find is None or folder is not None
        known.append(KnownDataset(name, source.about, folder, ready))
    known += [KnownDataset(path.name, "imported, or a `table` of your own", path, True) for path in _tables(base)]
    return known


def _tables(base: Path) -> list[Path]:
    """Return the folders in the data directory that hold a ``table`` with options, and whose names are not taken."""
    folders = sorted(base.iterdir()) if base.is_dir() else []
    return [folder for folder in folders if folder.name not in SOURCES and _is_table(folder)]


def name_or_folder(dataset: str, data_dir: str | Path | None = None) -> tuple[str, str | Path | None]:
    """Return name and data directory of a data set: one of ours, one that was imported, or the folder of a ``table``.

    A name that is not ours is that of a folder in the data directory, where ``hyperctr data import`` puts what it
    reads, else a path.

    Raises:
        DataError: a folder elsewhere, with a data directory that has nothing to do with it.

    >>> name_or_folder("planted"), name_or_folder(".")
    (('planted', None), ('table', PosixPath('.')))
    """
    if dataset in SOURCES:
        return dataset, data_dir
    inside, folder = data_directory(data_dir) / dataset, Path(dataset).expanduser()
    if _is_table(inside) and (data_dir or not folder.is_dir()):
        return "table", inside
    if folder.is_dir() and data_dir:
        raise DataError(
            f"data set {dataset!r} is a folder, and not one in the data directory {data_dir}; give one of the two"
        )
    return ("table", folder) if folder.exists() else (dataset, data_dir)  # of a file, the reader says what to give


def load_dataset(name: str, /, *, data_dir: str | Path | None = None, seed: int = 0, **options: Any) -> Dataset:
    """Load a data set by name.

    Args:
        name: see :func:`known_datasets`; or the folder of a ``table``.
        data_dir: where its files lie; by default ``HYPERCTR_DATA``, else ``~/.cache/hyperctr``.
        seed: seed of a generated data set; the others do not use it.
        **options: of the data set: sizes for ``planted``; ``text``, ``encoder``, ``download`` for ``ml-trailers``;
            those of :class:`~hyperctr.data.options.TableOptions` for ``table``.

    Raises:
        DataError: unknown name or option, missing files, or anything wrong in them.

    >>> load_dataset("ml-trailer")
    Traceback (most recent call last):
    ...
    hyperctr.errors.DataError: data set 'ml-trailer' is not known; did you mean 'ml-trailers'?
    """
    name, data_dir = name_or_folder(name, data_dir)
    if name not in SOURCES:
        known = [*SOURCES, *(folder.name for folder in _tables(data_directory(data_dir)))]
        raise DataError(f"data set {name!r} is not known; {did_you_mean(name, known)}")
    source = SOURCES[name]
    generated = source.find is None
    takes = list(inspect.signature(source.load).parameters.values())[1:]
    allowed = [parameter.name for parameter in takes]
    checks = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in takes)  # by itself
    for option in () if checks else options:
        if option not in allowed:
            hint = did_you_mean(option, allowed) if allowed else "it has none"
            raise DataError(f"data set {name!r} has no option {option!r}; {hint}")
    data = source.load(seed if generated else data_dir, **options)
    # How to load it again: a finished run notes this, so that it can predict in another process.
    folder = None if generated else str(data_directory(data_dir).resolve())
    data.origin = {"name": name, "data_dir": folder, "seed": seed, "options": options}
    return data


def open_data(name: str, budget: str, data_dir: str | Path = "", options: Given = ()) -> Dataset:
    """Load the data set of a session or sweep; at budgets smoke and quick, ``planted`` is made small, too.

    ``options`` are those of the data set, as a table or as texts ``key=value``.

    Warnings of the data are kept with them (``data.warnings``), not shown each time they are opened.

    >>> open_data("planted", "smoke").num_users
    150
    """
    with warnings.catch_warnings(action="ignore", category=DataWarning):
        if name == "planted" and not options:  # generated, so it cannot change on disk while we remember it
            return _planted(budget)
        sizes = PLANTED_SIZES.get(budget, {}) if name == "planted" else {}
        return load_dataset(name, data_dir=data_dir or None, **{**sizes, **parse_options(options)})


@lru_cache(maxsize=2)
def _planted(budget: str) -> Dataset:
    return load_dataset("planted", **PLANTED_SIZES.get(budget, {}))


def _table(data_dir: str | Path | None, **options: Any) -> Dataset:
    from hyperctr.data.table import load_table

    root = data_directory(data_dir)
    return load_table(_table_root(root) or (root if data_dir else root / "table"), **options)


def _ml_trailers(
    data_dir: str | Path | None, text: Any = "tfidf", encoder: str = "", download: bool | None = None
) -> Dataset:
    from hyperctr.data.ml_trailers import ENCODER, load_ml_trailers

    base = data_directory(data_dir)
    root = _trailers_root(base)
    if root is None:
        # Whoever names a folder means files that are there; only the default one is ours to fill unasked.
        chosen = data_dir is not None or bool(os.environ.get("HYPERCTR_DATA"))
        if download is False or (download is None and chosen):
            raise DataError(
                f"{base}: holds no ml-latest-small/ratings.csv with {VISUAL_FILE} and {ACOUSTIC_FILE} "
                "(looked there and in raw/ and ml-trailers/raw/); name the folder they lie in, or fetch "
                "them there in Python: load_dataset('ml-trailers', data_dir=..., download=True)"
            )
        root = fetch_ml_trailers(base)
    return load_ml_trailers(root, text=text, encoder=encoder or ENCODER)


def fetch_ml_trailers(data_dir: str | Path | None = None, **options: Any) -> Path:
    """Download the sources of ``ml-trailers`` into the data directory and return the folder.

    The options are those of :func:`hyperctr.data.download.download`: ``say``, ``attempts``, ``timeout_seconds``.
    """
    return download(ML_TRAILERS, data_directory(data_dir) / "ml-trailers" / "raw", **options)


def _trailers_root(base: Path) -> Path | None:
    needed = ("ml-latest-small/ratings.csv", VISUAL_FILE, ACOUSTIC_FILE)
    roots = (base, base / "raw", base / "ml-trailers" / "raw", base / "ml-trailers")
    return next((root for root in roots if all((root / name).is_file() for name in needed)), None)


def _table_root(base: Path) -> Path | None:
    names = ("interactions.parquet", "interactions.csv", "interactions.tsv")
    return next((root for root in (base, base / "table") if any((root / name).is_file() for name in names)), None)


# The formats that the paper's sets are read from.
RELEASES = {
    "movielens-10m": ("movielens-10m",),
    "kuaishou": ("kuaivideo-x1", "kuaishou-alpine", "kuaishou-challenge"),
    "mv1.7m": ("micro-video", "microvideo1.7m-x1"),
}


def _imported(name: str, data_dir: str | Path | None, **options: Any) -> Dataset:
    """Read one of the paper's sets from the folder of its name, which is made of the files as released if need be."""
    from hyperctr.data.formats import FORMATS
    from hyperctr.data.importing import import_folder
    from hyperctr.data.table import load_table

    base = data_directory(data_dir)
    if not _is_table(base / name):
        fitting = [form for form in RELEASES[name] if base.is_dir() and FORMATS[form].finds(base)]
        if not fitting:
            ways = " Or: ".join(FORMATS[form].get for form in RELEASES[name])
            raise DataError(
                f"{base}: holds neither {name}/ nor its files as released. {ways} "
                f"Then type: hyperctr data import FOLDER --data-dir '{base}'"
            )
        logger.info("%s: importing %s from %s, once", name, fitting[0], base)
        import_folder(base, base / name, fitting[0])
    return load_table(base / name, **{"name": name, **options})


def _imported_root(name: str, base: Path) -> Path | None:
    from hyperctr.data.formats import FORMATS

    if _is_table(base / name):
        return base / name
    found = (FORMATS[form].finds(base) for form in RELEASES[name] if base.is_dir())
    return next((root for root in found if root is not None), None)


def _is_table(folder: Path) -> bool:
    return (folder / "table.toml").is_file() and (folder / "interactions.parquet").is_file()


# Every data set, a line or two each.
SOURCES = {
    "planted": Source("generated micro-videos with known truth; needs no files", planted),
    "ml-trailers": Source(
        "MovieLens ml-latest-small with MMTF-14K trailer features (public, downloaded)", _ml_trailers, _trailers_root
    ),
    "table": Source(
        "your own data: interactions.{parquet,csv,tsv}, features/<modality>.{parquet,npz,npy}, items.csv",
        _table,
        _table_root,
    ),
    "movielens-10m": Source(
        "MovieLens 10M of the paper; read from ml-10M100K/ as released, with MMTF-14K or M3L features beside it",
        partial(_imported, "movielens-10m"),
        partial(_imported_root, "movielens-10m"),
    ),
    "kuaishou": Source(
        "Kuaishou of the paper; read from RecZoo's KuaiVideo_x1, ALPINE's release or the raw challenge files",
        partial(_imported, "kuaishou"),
        partial(_imported_root, "kuaishou"),
    ),
    "mv1.7m": Source(
        "Micro-Video 1.7M of the paper; read from THACIL's release or RecZoo's MicroVideo1.7M_x1",
        partial(_imported, "mv1.7m"),
        partial(_imported_root, "mv1.7m"),
    ),
}
