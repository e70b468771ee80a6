"""The public layouts that ``hyperctr data import`` reads: one file a family, each a declaration and little code."""

from __future__ import annotations

from pathlib import Path

from hyperctr.data.formats import (
    fuxictr,
    kuairand,
    kuairec,
    kuaishou,
    lattice,
    micro_video,
    microlens,
    mmgcn,
    mmrec,
    movielens,
    recbole,
)
from hyperctr.data.formats.format import Format
from hyperctr.errors import DataError, did_you_mean

FAMILIES = (movielens, kuaishou, micro_video, kuairand, kuairec, microlens, mmrec, recbole, fuxictr, mmgcn, lattice)
FORMATS: dict[str, Format] = {form.name: form for family in FAMILIES for form in family.FORMATS}


def recognise(folder: str | Path, name: str = "") -> Format:
    """Return the format that the files in or below a folder have, or the one named if they have it.

    Raises:
        DataError: there is no such folder, no format or several fit; says what was found and what to type.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; name the one that the files were unpacked to")
    if name:
        if name not in FORMATS:
            raise DataError(f"format {name!r} is not known; {did_you_mean(name, FORMATS)}")
        return FORMATS[name]
    fitting = [form for form in FORMATS.values() if form.finds(root)]
    most = max((len(form.needs) for form in fitting), default=0)
    fitting = [form for form in fitting if len(form.needs) == most]  # what is told by more files is meant
    if len(fitting) > 1:
        names = " or ".join(f"--as {form.name}" for form in fitting)
        raise DataError(f"{root}: its files fit several formats; say which is meant: {names}")
    if not fitting:
        files = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
        packed = [file for file in files if file.endswith((".zip", ".tar", ".gz", ".7z", ".rar"))]
        found = f"it holds {', '.join(files[:8]) or 'nothing'}{', ...' if len(files) > 8 else ''}"
        fix = (
            f"unpack {packed[0]} first"
            if packed
            else f"known are {', '.join(FORMATS)}; `hyperctr data formats` tells of each"
        )
        raise DataError(f"{root}: no known format fits ({found}); {fix}")
    return fitting[0]


__all__ = ["FORMATS", "Format", "recognise"]
