"""Turns files as released into a ``table`` folder, once: streamed, checked, written aside and renamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data import engine
from hyperctr.data.features import BLOCK
from hyperctr.data.formats import recognise
from hyperctr.data.formats.release import Release, Vectors, settled
from hyperctr.data.ids import shown
from hyperctr.data.options import TABLE_TOML, TableOptions
from hyperctr.data.resume import FinishedParts, key_of
from hyperctr.data.times import Clock, read_times
from hyperctr.data.writing import folder_aside, free_folder, parquet_encodings, write_npz
from hyperctr.errors import DataError
from hyperctr.progress import begin_stage, track

MARKED = 1 << 28  # ids below need at most 256 MiB of marks
OPTIONS = ("on_bad_rows", "name")  # what every format takes


@dataclass
class Imported:
    """What an import found and wrote.

    Attributes:
        folder: the new ``table`` folder.
        form: name of the format. name: of the data set.
        rows, clicks, users, items: counts; ``items`` are those of the catalogue, where there is one.
        skipped: rows left out because they did not fit (``on_bad_rows="skip"``).
        modalities: name -> (items with a vector, length of a vector).
    """

    folder: Path
    form: str
    name: str
    clock: Clock
    click: str
    non_clicks: str
    licence: str
    rows: int = 0
    clicks: int = 0
    users: int = 0
    items: int = 0
    skipped: int = 0
    modalities: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def import_folder(
    folder: str | Path,
    out: str | Path | None = None,
    format: str = "",
    *,
    click: str = "",
    base: str | Path = ".",
    **options: Any,
) -> Imported:
    """Read a folder as released and write it to the folder ``out`` as a ``table``.

    Args:
        folder: where the files were unpacked to, or a folder above.
        out: the folder to make; it must not hold anything yet. None: the data set's name, in the folder ``base``.
        format: name of the layout, where the files do not tell.
        click: rule that takes the place of the format's, for example ``"rating >= 3"``.
        base: see ``out``.
        **options: ``on_bad_rows="skip"`` leaves out rows that do not fit; ``name`` of the data set; further ones are
            the format's.

    Raises:
        DataError: no format fits, a value does not fit (names file, line and value), or ``out`` is not free.
    """
    form = recognise(folder, format)
    general = {name: options.pop(name) for name in OPTIONS if name in options}
    if (on_bad := general.get("on_bad_rows", "error")) not in ("error", "skip"):
        raise DataError(f"on_bad_rows {on_bad!r} is not known; allowed: 'error', 'skip'")
    release = form.read(Path(folder), click=click, **options)
    name = str(general.get("name", release.name))
    if not re.fullmatch(r"[\w][\w.+-]*", name):
        raise DataError(f"name {name!r} is not usable; allowed are letters, digits and _ . + -")
    target = free_folder(Path(base, name) if out is None else out)
    done = Imported(
        target, form.name, name, release.clock, release.click, form.log.non_clicks, form.licence, notes=release.notes
    )
    if release.click == "all":
        done.non_clicks = "none: every row is a click"
    elif release.click != form.log.click:
        done.non_clicks = f"rows that are no click by {release.click}"
    sources: list[object] = [part.path for part in release.parts]
    sources += [what for v in release.vectors for what in (v.source, v.modality, v.dim, len(v.items))]
    key = key_of(sources, form=form.name, click=release.click, on_bad=on_bad, **options)
    with folder_aside(target, key) as aside:
        parts = FinishedParts(aside, key)
        found = parts.make("interactions.parquet", partial(_write_log, release, skip_bad=on_bad == "skip"))
        done.rows, done.clicks, done.skipped = found["rows"], found["clicks"], found["skipped"]
        used = _count(aside / "interactions.parquet", done)
        items = used
        if release.items is not None:
            items = _write_catalogue(release, aside / "items.csv", used, done)
        bad = 0
        for vectors in release.vectors:
            found = parts.make(f"features/{vectors.modality}.npz", partial(_write_vectors, vectors, items))
            done.modalities[vectors.modality] = (found["items"], vectors.dim)
            done.notes += found["notes"]
            bad += found["bad"]
        (aside / "features").mkdir(exist_ok=True)
        parts.end()
        if parts.kept:
            done.notes.append(f"the import went on where one was killed: {', '.join(parts.kept)} were there already")
        on_bad_vectors: Literal["error", "mask"] = "mask" if bad else "error"
        written = TableOptions(
            name=name, clock=release.clock, click="clicked", on_bad=on_bad_vectors, licence=form.licence
        )
        comment = f"# written by `hyperctr data import`. {form.about}; click: {release.click}\n"
        (aside / TABLE_TOML).write_text(comment + written.to_toml(), encoding="utf-8")
    return done


def _write_log(release: Release, path: Path, *, skip_bad: bool) -> dict[str, int]:
    """Stream the interactions into a parquet file; return the numbers of rows, of clicks, and of rows left out."""
    import pyarrow as pa
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    writer = None
    done = dict.fromkeys(("rows", "clicks", "skipped"), 0)
    ends: list[int] = []  # the first and the last time so far
    try:
        with begin_stage("interactions", sum(part.estimated_rows for part in release.parts), kept=False) as stage:
            for part in settled(release.parts):
                for batch, skipped in part.batches(skip_bad):
                    if not part.time:
                        order = pa.array(np.arange(done["rows"], done["rows"] + len(batch), dtype=np.int64))
                        batch = batch.set_column(2, "timestamp", order)
                    rows = pa.Table.from_batches([batch])
                    known = compute.min_max(rows.column("timestamp")).as_py()
                    ends += [end for end in known.values() if end is not None]
                    ends = [min(ends), max(ends)] if ends else []
                    writer = writer or parquet.ParquetWriter(path, rows.schema, **parquet_encodings(rows.schema))
                    if rows.schema != writer.schema:
                        rows = rows.cast(writer.schema)
                    writer.write_table(rows)
                    done["rows"] += len(rows)
                    done["clicks"] += compute.sum(rows.column("clicked")).as_py() or 0
                    done["skipped"] += skipped
                    read = done["rows"] + done["skipped"]
                    stage.total = max(stage.total, read)  # which was estimated
                    stage.step(read)
                if ends:
                    _check_times(ends, part.path, release.clock)
    finally:
        if writer is not None:
            writer.close()
    source = release.parts[0].path
    if not done["rows"]:
        raise DataError(f"{source}: there are no rows; get the file again")
    if not done["clicks"]:
        none = f"none of the {done['rows']:,} rows is a click by the rule {release.click!r}"
        raise DataError(f"{source}: {none}; give another with --click")
    return done


def _check_times(ends: list[int], path: Path, clock: Clock) -> None:
    """Refuse a first and a last time that the reader of tables would refuse."""
    try:
        read_times(pd.Series(ends, name="timestamp", dtype="int64"), "", clock)
    except DataError as error:  # its advice is for tables: here the format knows the unit
        run = f"{ends[0]} to {ends[1]}" + " seconds since 1970" * (clock == "calendar")
        damaged = f"times run from {run}, which no log does: the file is cut off or damaged, get it again"
        raise DataError(f"{path}: {damaged}") from error


def _count(path: Path, done: Imported) -> npt.NDArray[Any]:
    """Count users and items of what was written, and return the items."""
    done.users, items = len(_distinct(path, "user_id")), _distinct(path, "item_id")
    done.items = len(items)
    return items


def _distinct(path: Path, column: str) -> npt.NDArray[Any]:
    """Return the sorted distinct ids of a column; integers that are not large are marked one by one, which is fast."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        place = file.schema_arrow.get_field_index(column)
        groups = [file.metadata.row_group(number).column(place).statistics for number in range(file.num_row_groups)]
        ends = [end for group in groups if group and group.has_min_max for end in (group.min, group.max)]
        if len(ends) == 2 * len(groups) and all(isinstance(end, int) and 0 <= end < MARKED for end in ends):
            seen = np.zeros(max(ends) + 1, dtype=bool)
            for batch in file.iter_batches(columns=[column]):
                seen[batch.column(0).to_numpy()] = True
            return np.flatnonzero(seen)
    connection = engine.connect()
    try:
        scan = f"SELECT DISTINCT {column} AS id FROM read_parquet({engine.pattern(path)})"
        ids = connection.execute(scan).fetchnumpy()["id"]
    finally:
        connection.close()
    return np.sort(ids if ids.dtype.kind == "i" else np.array(ids.tolist(), dtype=str))


def _write_catalogue(release: Release, path: Path, used: npt.NDArray[Any], done: Imported) -> npt.NDArray[Any]:
    """Write the items worth showing, with those of the log that nobody described, and return all ids."""
    assert release.items is not None
    listed = release.items
    unlisted = used[~np.isin(used, listed["item_id"].to_numpy())]
    if len(unlisted):
        done.notes.append(f"{len(unlisted):,} items of the log are not in the catalogue, such as {shown(unlisted[0])}")
        listed = pd.concat([listed, pd.DataFrame({"item_id": unlisted})], ignore_index=True)
    listed.to_csv(path, index=False)
    done.items = len(listed)
    return np.asarray(listed["item_id"])


def _write_vectors(vectors: Vectors, items: npt.NDArray[Any], path: Path) -> dict[str, Any]:
    """Write the vectors of the items that occur, block by block.

    Returns:
        ``items`` that have one, how many are ``bad`` (not finite), and ``notes``.
    """
    notes: list[str] = []
    positions = np.flatnonzero(np.isin(vectors.items, items)).astype(np.int64)
    ids = vectors.items[positions]
    if not len(positions):
        sample = f"there ids look like {shown(vectors.items[0])}, in the log like {shown(items[0])}"
        raise DataError(f"{vectors.source}: none of its {len(vectors.items):,} items is in the log ({sample})")
    if len(positions) < len(vectors.items):
        left = len(vectors.items) - len(positions)
        notes.append(f"{vectors.modality}: vectors of {left:,} items that the log does not show were left out")
    if len(lacking := items[~np.isin(items, ids)]):
        notes.append(f"{vectors.modality}: {len(lacking):,} items have no vector, such as {shown(lacking[0])}")
    size, bad, first = max(1, BLOCK // vectors.dim), 0, None

    def blocks() -> Iterator[npt.NDArray[np.float32]]:
        nonlocal bad, first
        for begin in track(range(0, len(positions), size), label=vectors.modality):
            with np.errstate(over="ignore", invalid="ignore"):
                single = np.asarray(vectors.take(positions[begin : begin + size]), dtype=np.float32)
            finite = np.isfinite(single).all(axis=1)
            if not finite.all():
                first = ids[begin + int(np.argmin(finite))] if first is None else first
                bad += int((~finite).sum())
            yield single

    write_npz(path, ids, vectors.dim, blocks())
    if bad:
        notes.append(
            f"{vectors.source}: {bad:,} vectors hold NaN or infinity, such as that of item {shown(first)}; they count "
            'as missing (on_bad = "mask" in table.toml)'
        )
    return {"items": len(positions) - bad, "bad": bad, "notes": notes}
