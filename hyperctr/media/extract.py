"""From a folder of media to ``features/<modality>.npz``, in batches that are kept, so that a killed run goes on.

A batch is a file in ``OUT/.extraction``, named by a hash of what it was computed from: its files (name, size, time),
the extractor, its weights, ffmpeg and the device. The same command finds those that are there; a batch is always
computed whole and of the same files, so that a resumed run gives the same bits. In the end they are put together, and
``OUT/extraction.json`` says how they were made and which items were left out, and why.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from filelock import FileLock, Timeout

from hyperctr import __version__
from hyperctr.data.files import read_arrays
from hyperctr.data.ids import parse_ids
from hyperctr.data.writing import write_npz
from hyperctr.errors import ConfigError, DataError, DataWarning, did_you_mean
from hyperctr.media.decode import UnreadableMedia, ffmpeg_version
from hyperctr.media.extractors import Extractor, choose
from hyperctr.media.items import MODALITIES, Modality, list_media
from hyperctr.media.learned import Embed
from hyperctr.progress import track
from hyperctr.runtime import atomic_path, write_atomic

Batch = list[tuple[str, Path]]


@dataclass(frozen=True)
class Extraction:
    """What became of one modality.

    Attributes:
        modality: of the features.
        extractor: name of what made them.
        file: where they lie; nothing is written where no item has a vector.
        items: how many items have a vector.
        dim: numbers a vector.
        failures: item -> why it was left out, so that it counts as missing.
        repeated: whether all was there already and nothing had to be done.
    """

    modality: Modality
    extractor: str
    file: Path
    items: int
    dim: int
    failures: dict[str, str]
    repeated: bool = False

    def __str__(self) -> str:
        made = f"{self.items:,} of {self.items + len(self.failures):,} items x {self.dim:,} ({self.extractor})"
        return f"{self.modality}: {made}{', as before' if self.repeated else ''}: {self.file}"


def extract_features(
    media: str | Path,
    out: str | Path,
    *,
    modalities: Sequence[str] = (),
    extractors: Sequence[str] = (),
    device: str | None = None,
    batch: int = 32,
) -> list[Extraction]:
    """Compute a vector for each item of a folder and write ``out/features/<modality>.npz``.

    Args:
        media: folder with one file an item and modality (:func:`~hyperctr.media.items.list_media`).
        out: folder that takes ``features/`` and ``extraction.json``; other files in it are left alone.
        modalities: those wanted; by default those of ``extractors``, else all that the folder has files for.
        extractors: names, at most one a modality; by default the first whose weights are on the machine.
        device: for extractors with weights; by default the best there is.
        batch: how many files are decoded and computed at once.

    Raises:
        ConfigError: unknown modality, extractor or device.
        DataError: no media; missing weights; features that something else wrote would be overwritten.
    """
    found = list_media(media)
    if found.ignored:
        names = ", ".join(found.ignored[:5]) + (", ..." if len(found.ignored) > 5 else "")
        ignored = f"{len(found.ignored):,} entries are no video, image, sound or text by their suffix and were ignored"
        warnings.warn(f"{media}: {ignored}: {names}", DataWarning, stacklevel=2)
    for name in modalities:
        if name not in MODALITIES:
            raise ConfigError(f"modality {name!r} is not known; {did_you_mean(name, MODALITIES)}")
    if batch < 1:
        raise ConfigError(f"batch is {batch}, at least 1 file is needed")
    wanted: list[Modality] = [modality for modality in MODALITIES if modality in modalities]
    if not wanted and not extractors:
        wanted = [modality for modality in MODALITIES if found.files[modality]]
    chosen = choose(extractors, wanted)
    for extractor in chosen:
        if not found.files[extractor.modality]:
            raise DataError(f"{media}: holds no file for the {extractor.modality} modality; leave it out")
    root = Path(out)
    (root / ".extraction").mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / ".extraction" / "lock", timeout=0):
            jobs = [_Job(extractor, found.files[extractor.modality], root, device, batch) for extractor in chosen]
            return [job.run() for job in jobs]
    except Timeout as error:
        raise DataError(f"{root}: another process is extracting features there; wait for it") from error


class _Job:
    """One modality of one folder; it is checked when it is made and works when it is run."""

    def __init__(self, extractor: Extractor, files: dict[str, Path], out: Path, device: str | None, batch: int) -> None:
        self.extractor, self.out = extractor, out
        self.file = out / "features" / f"{extractor.modality}.npz"
        self.shards = out / ".extraction" / extractor.modality
        listed = list(files.items())
        size = len(listed) if extractor.fitted else batch
        self.batches = [listed[begin : begin + size] for begin in range(0, len(listed), size)]
        self.record: dict[str, Any] = {"extractor": extractor.name, "hyperctr": __version__, "numpy": np.__version__}
        if extractor.modality != "textual":
            self.record["ffmpeg"] = ffmpeg_version()
        if extractor.weights and extractor.load:
            self._look_at_weights(device)
        self.key = _hash(self.record, [self._key(batch) for batch in self.batches])
        self._refuse_to_overwrite()

    def _look_at_weights(self, device: str | None) -> None:
        import torch

        from hyperctr.runtime import choose_device

        assert self.extractor.weights
        self.weights, digest = self.extractor.weights.locate()
        self.device = choose_device(device)
        self.record |= {"weights": self.weights.name, "sha256": digest, "licence": self.extractor.weights.licence}
        self.record |= {"torch": torch.__version__, "device": self.device.type}

    def _refuse_to_overwrite(self) -> None:
        known = _read_json(self.out / "extraction.json").get(self.extractor.modality, {})
        folder = self.file.parent
        others = [folder / f"{self.file.stem}{suffix}" for suffix in (".parquet", ".npy")]
        foreign = [path for path in (*others, *(() if known else (self.file,))) if path.exists()]
        if foreign:
            raise DataError(f"{foreign[0]}: is there already and was not extracted; move it away or change --out")
        self.before = known if known.get("key") == self.key and self.file.exists() else {}

    def run(self) -> Extraction:
        """Compute what is missing and put all together, unless that was done before."""
        if self.before:
            return self._outcome(self.before, repeated=True)
        paths = [self.shards / f"{self._key(batch)}.npz" for batch in self.batches]
        self._compute([(path, batch) for path, batch in zip(paths, self.batches, strict=True) if not path.exists()])
        failures: dict[str, str] = {}
        ids: list[str] = []
        dim = 0
        for path in paths:
            shard = read_arrays(path)
            failures |= zip(shard["failed"].tolist(), shard["reasons"].tolist(), strict=True)
            ids += shard["item_id"].tolist()
            dim = max(dim, shard["values"].shape[1])
        if ids:
            _write_npz(self.file, ids, dim, (read_arrays(path)["values"] for path in paths))
        elif self.file.exists():  # of other media
            self.file.unlink()
        record = {**self.record, "dim": dim, "items": len(ids), "failures": failures, "key": self.key}
        whole = {**_read_json(self.out / "extraction.json"), self.extractor.modality: record}
        write_atomic(self.out / "extraction.json", json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        shutil.rmtree(self.shards, ignore_errors=True)
        return self._outcome(record)

    def _outcome(self, record: dict[str, Any], *, repeated: bool = False) -> Extraction:
        given = {name: record[name] for name in ("items", "dim", "failures")}
        return Extraction(self.extractor.modality, self.extractor.name, self.file, **given, repeated=repeated)

    def _key(self, batch: Batch) -> str:
        stats = [(item, path.name, path.stat()) for item, path in batch]
        return _hash(self.record, [[item, name, stat.st_size, stat.st_mtime_ns] for item, name, stat in stats])

    def _compute(self, missing: list[tuple[Path, Batch]]) -> None:
        """Compute batches; while one goes through the network, ffmpeg decodes the next."""
        if not missing:
            return
        embed = self._embed()
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            following = [pool.submit(self._read, item) for item in missing[0][1]]
            for place, (path, batch) in enumerate(track(missing, label=f"{self.extractor.modality} features")):
                current = following
                if place + 1 < len(missing):
                    following = [pool.submit(self._read, item) for item in missing[place + 1][1]]
                try:
                    self._write(path, batch, [future.result() for future in current], embed)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise

    def _embed(self) -> Embed:
        if self.extractor.load:
            return self.extractor.load(self.weights, self.device)
        assert self.extractor.embed
        return self.extractor.embed

    def _read(self, item: tuple[str, Path]) -> Any:
        """Return what the vector is computed from, or why there is nothing."""
        try:
            return self.extractor.read(item[1])
        except UnreadableMedia as error:
            return error
        except OSError as error:
            return UnreadableMedia(f"cannot be read ({error.strerror})")

    def _write(self, path: Path, batch: Batch, given: list[Any], embed: Embed) -> None:
        failed = {item: str(why) for (item, _), why in zip(batch, given, strict=True) if isinstance(why, Exception)}
        ids = [item for item, _ in batch if item not in failed]
        values = np.empty((0, 0), dtype=np.float32)
        if ids:
            values = embed([content for content in given if not isinstance(content, Exception)])
            usable = [bool(np.isfinite(vector).all() and vector.any()) for vector in values]
            problem = "knows no word that another text has" if self.extractor.fitted else "gives no finite vector"
            failed |= {item: problem for item, good in zip(ids, usable, strict=True) if not good}
            ids, values = [item for item, good in zip(ids, usable, strict=True) if good], values[usable]
        kept, left, why = (np.array(texts, dtype=np.str_) for texts in (ids, list(failed), list(failed.values())))
        with atomic_path(path) as aside, open(aside, "wb") as file:
            np.savez(file, values=values, item_id=kept, failed=left, reasons=why)


def _write_npz(path: Path, ids: list[str], dim: int, parts: Iterator[npt.NDArray[np.float32]]) -> None:
    with atomic_path(path) as aside:
        write_npz(aside, np.asarray(parse_ids(pd.Series(ids, dtype="str"))), dim, parts)


def _hash(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error}); remove it") from error
    if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
        raise DataError(f"{path}: was not written by `hyperctr data extract`; remove it or choose another --out")
    return content
