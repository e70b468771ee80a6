"""The public layouts that ``hyperctr data import`` reads: one file a family, each a declaration and little code."""

from __future__ import annotations

import shlex
from pathlib import Path

from hyperctr.data.formats import (
    cornac,
    fuxictr,
    kuairand,
    kuairec,
    kuaisar,
    kuaishou,
    lattice,
    micro_video,
    microlens,
    mmgcn,
    mmrec,
    movielens,
    recbole,
    tiktok,
)
from hyperctr.data.formats.format import Format, folders, outermost
from hyperctr.errors import DataError, did_you_mean

FAMILIES = (
    *(movielens, kuaishou, micro_video, kuairand, kuairec, kuaisar, tiktok, microlens),
    *(mmrec, recbole, fuxictr, mmgcn, lattice, cornac),
)
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
    fitting = releases_in(root)
    if len(fitting) > 1:
        names = " or ".join(f"--as {name}" for name in dict.fromkeys(form.name for _, form in fitting))
        listed = ", ".join(f"{shlex.quote(str(place))} ({form.name})" for place, form in fitting[:8])
        ways = f"give one of the folders {listed}"
        if len({place for place, _ in fitting}) == 1:
            raise DataError(f"{root}: its files fit several formats; say which is meant: {names}")
        ways += f", or say which is meant: {names}" if len({form.name for _, form in fitting}) > 1 else ""
        raise DataError(f"{root}: holds several data sets; {ways}")
    if not fitting:
        files = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
        found = f"it holds {', '.join(files[:8]) or 'nothing'}{', ...' if len(files) > 8 else ''}"
        raise DataError(f"{root}: no known format fits ({found}); {_what_next(root, files)}")
    return fitting[0][1]


def releases_in(folder: Path) -> list[tuple[Path, Format]]:
    """Return the folders, at or below ``folder``, that have a known format, and which; of several that with most files.

    A folder inside of one that has a format does not count.
    """
    roots = list(folders(folder))
    fits = [(place, form) for form in FORMATS.values() for place in form.places(roots)]
    found: list[tuple[Path, Format]] = []
    for place in outermost(sorted({place for place, _ in fits}, key=roots.index)):
        forms = [form for other, form in fits if other == place]
        most = max(len(form.needs) for form in forms)  # what is told by more files is meant
        found += [(place, form) for form in forms if len(form.needs) == most]
    return found


def _what_next(root: Path, files: list[str]) -> str:
    """Say what to type next of a folder that has no known format."""
    place = shlex.quote(str(root))
    if any(file.startswith("interactions.") for file in files):
        return f"it looks like a `table`, which needs no import: hyperctr data check {place}"
    if packed := [file for file in files if file.endswith((".zip", ".tar", ".gz", ".7z", ".rar"))]:
        return f"unpack {packed[0]} first"
    near = [(form, *form.nearest(root)) for form in FORMATS.values()]
    shares = [(len(there) / len(form.needs), len(there)) for form, there, *_ in near]
    best = [entry for entry, share in zip(near, shares, strict=True) if entry[1] and share == max(shares)]
    own = "a log of your own needs no import: call it interactions.csv (docs/own-data.md), then type: "
    own += f"hyperctr data check {place}"
    if best:
        whys = []
        for form, there, lacking, problem in best[:3]:
            why = f"lacks {', '.join(lacking)}" if lacking else problem
            whys.append(f"{form.name} by {', '.join(there)}, but it {why}. {form.get}")
        return f"nearest is {' Or '.join(whys)} Or: {own}"
    return f"known are {', '.join(FORMATS)}: `hyperctr data formats` tells of each. Or: {own}"


__all__ = ["FORMATS", "Format", "recognise", "releases_in"]
