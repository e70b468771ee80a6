"""MMRec: ``<name>.inter`` with ``image_feat.npy`` and ``text_feat.npy``, whose row is the item.

MMRec takes every row as positive, whatever its rating. Its parts train, valid and test (``x_label``) are not kept.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hyperctr.data.formats.beside import CHOICES, matrices, without
from hyperctr.data.formats.format import Format, Log, matches, parts_of
from hyperctr.data.formats.release import Release
from hyperctr.data.sources import Kind, columns_of, first_lines
from hyperctr.errors import DataError

SOMETIMES: dict[str, Kind] = {"rating": "number", "timestamp": "integer"}
MISSED = "missed_img_itemIDs.csv"
SECONDS = (
    'CASE WHEN "timestamp" > 100000000000 THEN "timestamp" // 1000 ELSE "timestamp" END'  # of Amazon s, of others ms
)


def _read(form: Format, root: Path, folder: Path, rule: str, **options: Any) -> Release:
    logs = matches(root, form.log.files[0])
    if len(logs) > 1:
        several = " and ".join(path.name for path in logs)
        raise DataError(f"{root}: holds {several}, and matrices of one of them; leave one .inter there")
    names = columns_of(logs[0], form.log.separator)
    columns = {**form.log.columns, **{name: kind for name, kind in SOMETIMES.items() if name in names}}
    log = replace(form.log, columns=columns, time=SECONDS if "timestamp" in names else "")
    vectors, notes = matrices(root, first=0, **options)
    missing = root / MISSED
    if missing.is_file():
        items = _numbers(missing)
        vectors = [without(given, items) if given.modality == "visual" else given for given in vectors]
        notes.append(f"{len(items):,} items of {MISSED} have the mean image there: here they have none")
    notes.append("the parts of MMRec (x_label) were not kept")
    if "rating" in names:
        notes.append("every row is a click, as in MMRec; --click 'rating >= 4' takes low ratings as non-clicks")
    if not log.time:
        notes.append("there are no times: the order of the rows was taken for it")
    return Release(logs[0].stem, parts_of(log, root, rule), log.clock, rule, vectors, notes=notes)


def _numbers(path: Path) -> Any:
    lines = [line.strip() for line in first_lines(path, 10**9)]
    for number, line in enumerate(lines, 1):
        if line and not (line.isascii() and line.isdigit() and len(line) < 19):
            raise DataError(f"{path}, line {number}: {line[:80]!r} is no item; write one number a line")
    return np.array([int(line) for line in lines if line], dtype=np.int64)


FORMATS = (
    Format(
        name="mmrec",
        about="a folder of MMRec: <name>.inter, image_feat.npy, text_feat.npy",
        licence="As the data set that MMRec took its files from (Amazon reviews, MicroLens): see there.",
        get="Get a folder linked from github.com/enoche/MMRec.",
        log=Log(
            files=("*.inter",),
            columns={"userID": "integer", "itemID": "integer", "x_label": "integer"},
            user="userID",
            item="itemID",
            time=SECONDS,
            separator="\t",
            quote="",
        ),
        read_as=_read,
        columns_tell=True,
        options=CHOICES,
    ),
)
