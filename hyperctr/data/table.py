"""``table``: the user's own data, a folder of interactions, features and perhaps a catalogue.

    interactions.{parquet,csv,tsv}     user_id, item_id, timestamp[, clicked]; without it all are clicks
    features/<modality>.{parquet,npz}  item_id and one vector: a parquet list column or many numeric columns;
                                       in npz the arrays `item_id` [R] and `values` (or `vector`) [R, dim]
    features/<modality>.npy            values [R, dim] alone, where the order of the rows is known: see vectors.py
    items.csv                          optional catalogue: item_id[, title, ...]; then no other item may occur
    table.toml                         optional: what the files do not say themselves, see options.py

An item without a row in a modality's file (or with a null vector) lacks that modality and is masked.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.files import first_line, read_text
from hyperctr.data.ids import NearIds, clean_ids, decimals, folded_ids, index_ids, near_ids, parse_ids, row_name, shown
from hyperctr.data.interactions import Interactions
from hyperctr.data.log import read_log
from hyperctr.data.options import TableOptions
from hyperctr.data.times import USUAL
from hyperctr.data.vectors import Ids, Rows, feature_files, from_npy, from_npz, from_parquet, only_one
from hyperctr.errors import DataError, DataWarning, Faults, say

EARLIEST_SECOND = 315_532_800  # 1980; before it nobody logged clicks


def load_table(folder: str | Path, **given: Any) -> Dataset:
    """Read one folder of the user's own data (layout: see the module).

    Args:
        folder: where the files lie.
        **given: options (:class:`~hyperctr.data.options.TableOptions`) that count more than those of ``table.toml``.

    Raises:
        DataError: anything missing or unusable, all at once, a line each; names file, line or row, value and fix.
    """
    root, faults, told = Path(folder), Faults(), list[str]()
    TableOptions.from_dict(given)
    if root.is_file():
        places = (root.parent, root.absolute().parent.parent)
        right = next((place for place in places if list(place.glob("interactions.*"))), root.parent)
        raise DataError(f"{root}: is a file; give the folder above: {_check(right)}")
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; give data_dir=... with interactions.csv and features/ in it")
    if root.absolute().name == "features" and not list(root.glob("interactions.*")):
        above = root.parent if root.name == "features" else root.absolute().parent
        if list(above.glob("interactions.*")):
            raise DataError(f"{root}: holds the vectors of a data set; give the folder above: {_check(above)}")
    if not list(root.glob("interactions.*")) and (inside := sorted(root.glob("*/interactions.*"))):
        right = inside[0].parent
        raise DataError(
            f"{root}: has no interactions.csv, but {right.name}/ has: give that folder: {shlex.quote(str(right))}"
        )
    if not list(root.glob("interactions*")) and (released := _released(root)):
        raise DataError(f"{root}: {released}")
    options = TableOptions.of_folder(root, given)

    # Step 1: every file by itself
    log, listed, files, vectors = pd.DataFrame(), pd.DataFrame(), list[Path](), dict[Path, Rows]()
    path, catalogue = root / "interactions.csv", root / "items.csv"
    with faults:
        fix = f"hyperctr data import {shlex.quote(str(root))}"
        path = only_one(root, "interactions", (".parquet", ".csv", ".tsv"), fix)
        log = read_log(path, options, told)
    with faults:
        listed = read_items(catalogue, options, told) if catalogue.exists() else listed
    with faults:
        files = feature_files(root, told)
    ids = [frame["item_id"].to_numpy() for frame in (listed, log) if len(frame)]
    for file in files:
        with faults:
            if file.suffix != ".npy":
                vectors[file] = from_npz(file) if file.suffix == ".npz" else from_parquet(file)
            elif ids:
                vectors[file] = from_npy(file, ids[0], told)
    faults.tell()

    # Step 2: the files together
    used, shown_ids, *in_features = one_kind([log["item_id"].to_numpy(), *ids[:1], *(v[0] for v in vectors.values())])
    items, _ = index_ids(pd.Series(shown_ids))
    features = []
    for (file, (_, values)), there in zip(vectors.items(), in_features, strict=True):
        with faults:
            _check_near(there, items, file, catalogue if len(listed) else path)
            table = FeatureTable.from_rows(file.stem, there, values, items, source=str(file), on_bad=options.on_bad)
            features.append(table)
    with faults:
        interactions = Interactions(log.assign(item_id=used), source=str(path), clock=options.clock)
    faults.tell()
    told += [*_twins(interactions, str(path)), *_far_away(interactions, str(path))]
    for note in told:
        warnings.warn(note, DataWarning, stacklevel=4)
    data = Dataset(
        options.name or "table",
        interactions,
        features,
        items=items,
        item_table=listed.assign(item_id=shown_ids) if len(listed) else None,
        licence=options.licence or "The user's own data.",
        notes=told,
        options=options,
    )
    data.folder = root
    return data


def _check(folder: Path) -> str:
    return f"hyperctr data check {shlex.quote(str(folder))}"


def _released(root: Path) -> str:
    """Say how to bring in files as they were released, if a folder holds such; empty: it does not."""
    from hyperctr.data.formats import releases_in

    if not (found := releases_in(root)):
        return ""
    place, form = found[0]
    more = f" ({len(found) - 1} more folders hold others)" if len(found) > 1 else ""
    return f"holds {form.name} as released{more}; type: hyperctr data import {shlex.quote(str(place))}"


def vectors_of(
    folder: Path, items: Ids, modalities: Sequence[str]
) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]:
    """Return the vectors that the files of a folder hold for some items, by modality: ``[n, dim]``, and who has one.

    Vectors that are not finite count as missing. A matrix without a list of ids has none of other items.

    Raises:
        DataError: a file cannot be read any more.
    """
    vectors = {}
    for file in (file for file in feature_files(folder, []) if file.stem in modalities and file.suffix != ".npy"):
        ids, values = from_npz(file) if file.suffix == ".npz" else from_parquet(file)
        wanted, ids = one_kind([items, ids])
        place = pd.Index(ids).drop_duplicates().get_indexer(pd.Index(wanted))
        first = np.flatnonzero(~pd.Index(ids).duplicated())
        rows = np.asarray(values[first[np.maximum(place, 0)]])
        present = (place >= 0) & np.isfinite(rows).all(axis=1)
        vectors[file.stem] = (np.where(present[:, None], rows, 0.0), present)
    return vectors


def new_items(data: Dataset) -> Ids:
    """Return the items that a folder has vectors of and the data set does not know: a model can score them as new ones.

    Raises:
        DataError: a file cannot be read any more.
    """
    files = [] if data.folder is None else [file for file in feature_files(data.folder, []) if file.suffix != ".npy"]
    there = [from_npz(file)[0] if file.suffix == ".npz" else from_parquet(file)[0] for file in files]
    items, *there = one_kind([data.items, *there])
    ids: Ids = np.unique(np.concatenate([items, *there]))
    known: npt.NDArray[np.bool_] = pd.Index(ids).isin(pd.Index(items))
    return ids[~known]


def read_items(path: Path, options: TableOptions, told: list[str]) -> pd.DataFrame:
    """Read the catalogue ``items.csv``, with clean ids.

    Raises:
        DataError: no rows, no ``item_id``, an id that stands twice, or anything else that is wrong.
    """
    columns = {ours: theirs for ours, theirs in options.columns.items() if ours == "item_id"}
    separator = options.separator if options.separator in first_line(path) else ","
    table = read_text(path, ("item_id",), separator=separator, columns=columns, told=told)
    if not len(table):
        raise DataError(f"{path}: there are no items below the header; fill it in or remove the file")
    ids = clean_ids(parse_ids(table["item_id"]), source=str(path))
    if note := decimals(table["item_id"], ids):
        told.append(f"{path}: {note}")
    repeated = np.asarray(pd.Series(ids).duplicated())
    if repeated.any():
        line = row_name(table.index, int(np.argmax(repeated)), str(path))
        raise DataError(f"{line}: item_id {shown(ids[repeated][0])} stands twice; remove one line")
    return table.assign(item_id=ids)


def _twins(log: Interactions, source: str) -> list[str]:
    """Tell of ids of one column that differ only in leading zeros or capitals."""
    told = []
    for kind, ids in (("user", log.users), ("item", log.items)):
        folded = folded_ids(ids) if ids.dtype == object else pd.Series(dtype=object)
        twice = np.flatnonzero(folded.duplicated().to_numpy())
        if len(twice):
            first = int(np.argmax((folded == folded.iloc[twice[0]]).to_numpy()))
            pair = NearIds(ids[first], ids[twice[0]], len(twice))
            told.append(
                f"{source}: {kind} ids {pair.words}; they were kept apart: write them alike if they are the same"
            )
    return told


def _far_away(log: Interactions, source: str) -> list[str]:
    """Tell of times at which no logs are written."""
    first, last = int(log.timestamp[0]), int(log.timestamp[-1])
    if log.clock == "ordinal" or (last >= EARLIEST_SECOND and last <= USUAL[1]):
        return []
    days = " to ".join(str(np.datetime64(second, "s").astype("datetime64[D]")) for second in (first, last))
    ordinal = say("clock", "ordinal")
    return [f"{source}: read as seconds since 1970, times run from {days}; if only their order is real, {ordinal}"]


def _check_near(there: Ids, items: Ids, file: Path, other: Path) -> None:
    """Refuse ids that would match those without a vector, were it not for leading zeros or capitals."""
    without = items[~pd.Index(items).isin(pd.Index(there))]
    near = near_ids(there[~pd.Index(there).isin(pd.Index(items))], without) if len(without) else None
    if near:
        fix = f"write ids alike in both files, for example {shown(near.here)} as {shown(near.there)}"
        raise DataError(f"{file}: ids here and in {other} nearly match: {near.words}; {fix}")


def one_kind(columns: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Bring the id columns of several files to the first one's kind, all to strings where that cannot be.

    Text files do not tell ``7`` from ``"7"``, so files of one folder may disagree and mean the same.

    >>> one_kind([np.array([7, 8]), np.array(["8", "7"], dtype=object)])[1]
    array([8, 7])
    >>> one_kind([np.array([7, 8]), np.array(["8", "x"], dtype=object)])[0].tolist()
    ['7', '8']
    """
    if columns[0].dtype != object:
        text = [ids.dtype == object for ids in columns]
        columns = [
            np.asarray(parse_ids(pd.Series(c, dtype="str"))) if t else c for c, t in zip(columns, text, strict=True)
        ]
    if all(ids.dtype.kind == "i" for ids in columns):
        return columns
    return [np.array([str(value) for value in ids.tolist()], dtype=object) for ids in columns]
