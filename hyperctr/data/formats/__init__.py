"""The public layouts that ``hyperctr data import`` reads: one file a family, each a declaration and little code."""

from __future__ import annotations

import shlex
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
        found = f"it holds {', '.join(files[:8]) or 'nothing'}{', ...' if len(files) > 8 else ''}"
        raise DataError(f"{root}: no known format fits ({found}); {_what_next(root, files)}")
    return fitting[0]


def _what_next(root: Path, files: list[str]) -> str:
    """Say what to type next of a folder that has no known format."""
    place = shlex.quote(str(root))
    if any(file.startswith("interactions.") for file in files):
        return f"it looks like a `table`, which needs no import: hyperctr data check {place}"
    if packed := [file for file in files if file.endswith((".zip", ".tar", ".gz", ".7z", ".rar"))]:
        return f"unpack {packed[0]} first"
    near = [(form, *form.nearest(root)) for form in FORMATS.values()]
    best = max(near, key=lambda entry: (len(entry[1]) / len(entry[0].needs), len(entry[1])))
    own = "a log of your own needs no import: call it interactions.csv (docs/own-data.md), then type: "
    own += f"hyperctr data check {place}"
    if best[1]:
        form, there, lacking, problem = best
        why = f"lacks {', '.join(lacking)}" if lacking else problem
        return f"nearest is {form.name} by {', '.join(there)}, but it {why}. {form.get} Or: {own}"
    return f"known are {', '.join(FORMATS)}: `hyperctr data formats` tells of each. Or: {own}"


__all__ = ["FORMATS", "Format", "recognise"]
