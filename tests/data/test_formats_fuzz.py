"""Damaged files: each importer refuses them with a DataError or reads what they say, and never leaves half an output.

HYPERCTR_FUZZ is how many damaged releases are tried, HYPERCTR_FUZZ_SEED the first one's seed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hyperctr.data.importing import import_folder
from hyperctr.data.table import load_table
from hyperctr.errors import DataError
from tests.data import trailers
from tests.data.releases import RELEASES

COUNT, FIRST = int(os.environ.get("HYPERCTR_FUZZ", "200")), int(os.environ.get("HYPERCTR_FUZZ_SEED", "0"))
SPICE = [
    b"\x00",
    b"\xff",
    b"\n",
    b"\r",
    b'"',
    b"'",
    b"\t",
    b"::",
    b",",
    b"|",
    b"-",
    b".5",
    b"e9",
    b"_",
    b" ",
    b"0",
    b"99999",
]
MORE = {"movielens-10m": [trailers.mmtf_original, trailers.m3l], "movielens-csv": [trailers.mmtf_reissued]}
# separator, header lines, columns of user, item, time and label, what is a click, what is added to an item
LOGS: dict[str, tuple[str, int, tuple[int, ...], Callable[[str], bool], int]] = {
    "u.data": ("\t", 0, (0, 1, 3, 2), lambda text: float(text) >= 4, 0),
    "ratings.dat": ("::", 0, (0, 1, 3, 2), lambda text: float(text) >= 4, 0),
    "train_interaction.txt": ("\t", 0, (0, 1, 5, 2), lambda text: text.lower() in ("1", "1.0", "true"), 0),
}


def damaged(content: bytes, draw: np.random.Generator) -> bytes:
    for _ in range(draw.integers(1, 4)):
        place = int(draw.integers(len(content) + 1)) if content else 0
        until = place + int(draw.integers(1, 9))
        kind = draw.integers(6)
        if kind == 0:
            content = content[:place]
        elif kind == 1:
            content = content[:place] + content[until:]
        elif kind == 2:
            content = content[:until] + content[place:]
        elif kind == 3:
            content = content[:place] + bytes(draw.integers(256, size=1, dtype=np.uint8)) + content[place + 1 :]
        else:
            content = content[:place] + SPICE[draw.integers(len(SPICE))] + content[place + int(kind == 4) :]
    return content


def said(path: Path) -> list[tuple[int, int, int, bool]]:
    """What a log says, read in the simplest way."""
    separator, header, (user, item, time, label), clicked, shift = LOGS[path.name]
    lines = [line for line in path.read_bytes().decode(errors="replace").splitlines()[header:] if line]
    rows = [line.split(separator) for line in lines]
    return [(int(row[user]), int(row[item]) + shift, int(row[time]), clicked(row[label])) for row in rows]


def one(seed: int, tmp_path: Path) -> str:
    """Damage one file of one release and import it; return what came of it."""
    draw = np.random.default_rng(seed)
    name = list(RELEASES)[seed % len(RELEASES)]
    raw, out = tmp_path / "raw", tmp_path / "out"
    for write in (RELEASES[name], *MORE.get(name, [])):
        write(raw)
    files = sorted(path for path in raw.rglob("*") if path.is_file())
    path = files[draw.integers(len(files))]
    path.write_bytes(damaged(path.read_bytes(), draw))
    try:
        done = import_folder(raw, out, name)
    except DataError:
        assert not out.exists(), f"{name}, {path.name}: half an output"
        outcome = "refused"
    else:
        if path.name in LOGS:
            import pyarrow.parquet as parquet

            rows = parquet.read_table(out / "interactions.parquet").to_pydict()
            assert list(zip(*rows.values(), strict=True)) == said(path)
        try:
            data = load_table(out, clock=done.clock, on_bad="mask")
            assert data.num_users == done.users and data.num_items == done.items
        except DataError:
            assert path.name not in LOGS or name == "kuaishou-challenge"  # the one that may have no features
        outcome = "read"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name not in ("raw", "out")] == []
    shutil.rmtree(raw)
    shutil.rmtree(out, ignore_errors=True)
    return outcome


@pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
def test_damaged_releases(tmp_path: Path) -> None:
    outcomes = []
    for seed in range(FIRST, FIRST + COUNT):
        try:
            outcomes.append(one(seed, tmp_path))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    print(f"{outcomes.count('refused'):,} refused, {outcomes.count('read'):,} read")
    assert {"refused", "read"} == set(outcomes)
