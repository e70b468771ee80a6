"""LATTICE: ``5-core/{train,val,test}.json`` with the items of each user, and matrices whose row is the item.

It has no times and no non-clicks. MMSSL's folders keep their training part as a pickle, and are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hyperctr.data.formats.beside import CHOICES, matrices
from hyperctr.data.formats.format import Format, Log
from hyperctr.data.formats.release import ArrayPart, Release
from hyperctr.data.ids import shown
from hyperctr.errors import DataError


def _read(form: Format, root: Path, folder: Path, rule: str, **options: Any) -> Release:
    if rule != "all":
        raise DataError(f"click rule {rule!r}: this format has clicks only; leave --click out")
    vectors, notes = matrices(root, first=0, **options)
    parts = [_part(root / file) for file in form.log.files]
    notes.append("there are no times: the order of the rows, train, val, test, was taken for it")
    return Release(root.resolve().name, parts, form.log.clock, rule, vectors, notes=notes)


def _part(path: Path) -> ArrayPart:
    def blocks() -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
        users, items = _clicks(path)
        yield users, items, np.zeros(len(users), np.int64), np.ones(len(users), bool)

    return ArrayPart(path, blocks, time="")


def _clicks(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return users and items of {"user": [items]}."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not JSON ({error}); get the file again") from error
    if not isinstance(content, dict):
        raise DataError(f'{path}: holds {shown(content)}, expected {{"user": [items]}}; get the file again')
    users: list[int] = []
    items: list[int] = []
    for user, clicked in content.items():
        whole = isinstance(clicked, list) and all(type(item) is int and 0 <= item < 2**62 for item in clicked)
        if not (user.isascii() and user.isdigit() and len(user) < 19 and whole):
            raise DataError(
                f"{path}: user {shown(user)} has {shown(clicked)}, expected a list of whole numbers from 0 on"
            )
        users += [int(user)] * len(clicked)
        items += clicked
    return np.array(users, dtype=np.int64), np.array(items, dtype=np.int64)


FORMATS = (
    Format(
        name="lattice",
        about="LATTICE: 5-core/{train,val,test}.json, image_feat.npy, text_feat.npy",
        licence="As the data set that LATTICE took its files from (Amazon reviews): see there.",
        get="Get a data set as github.com/CRIPAC-DIG/LATTICE says.",
        log=Log(
            files=("5-core/train.json", "5-core/val.json", "5-core/test.json"),
            columns={},
            user="",
            item="",
            header=False,
        ),
        read_as=_read,
        options=CHOICES,
    ),
)
