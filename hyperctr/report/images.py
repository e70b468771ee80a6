"""PNG pictures of a report's figures: one batch at the end, when kaleido and a browser are there."""

from __future__ import annotations

import json
import logging
import os
from importlib.util import find_spec
from pathlib import Path

INSTALL = 'pip install "hyperctr[images]", and install Chrome or Chromium'


def missing_for_images() -> str:
    """Return what is missing to make PNGs, with the line to type; empty when nothing is."""
    if find_spec("kaleido") is None:
        return f"no PNG figures: kaleido is not installed ({INSTALL})"
    if os.environ.get("BROWSER_PATH"):
        return ""
    from choreographer.browsers.chromium import Chromium

    return "" if Chromium.find_browser(skip_local=False) else f"no PNG figures: no browser was found ({INSTALL})"


def write_images(folder: str | Path) -> str:
    """Make a PNG beside every ``figures/<name>.json`` in a folder and below; return one line saying what was done.

    A picture that is newer than its figure is kept. Each start of a browser costs seconds: this is one batch, never a
    call in a notebook cell. A report is complete without pictures, so whatever goes wrong here is a line, not an error.
    """
    sources = sorted(path for path in Path(folder).rglob("*.json") if path.parent.name == "figures")
    if not sources:
        return "no figures to make PNGs of"
    waiting = [path for path in sources if not _is_drawn(path)]
    if not waiting:
        return f"{len(sources)} PNG figures"
    if lacking := missing_for_images():
        return lacking
    import kaleido

    for chatty in ("choreographer", "kaleido"):  # their log of the browser's odd words is no news to a user
        logging.getLogger(chatty).addHandler(logging.NullHandler())
    jobs = []
    for path in waiting:
        chart = json.loads(path.read_text(encoding="utf-8"))
        options = {"format": "png", "width": 1000, "height": chart["layout"].get("height", 420), "scale": 2}
        jobs.append({"fig": chart, "path": str(path.with_suffix(".png")), "opts": options})
    try:
        kaleido.write_fig_from_object_sync(jobs, kopts={"mathjax": False})  # else it is fetched from a CDN
    except Exception as reason:  # a browser can fail in many ways, none of which is the report's
        first_line = str(reason).strip().split("\n")[0]
        return f"no PNG figures: {type(reason).__name__}: {first_line}"
    return f"{len(sources)} PNG figures"


def _is_drawn(source: Path) -> bool:
    picture = source.with_suffix(".png")
    return picture.is_file() and picture.stat().st_mtime_ns >= source.stat().st_mtime_ns
