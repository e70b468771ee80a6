"""Features of movies that lie beside MovieLens: MMTF-14K (original, re-issued) and M3L, all keyed by MovieLens id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hyperctr.data.engine import table
from hyperctr.data.formats.beside import choose
from hyperctr.data.formats.format import folders
from hyperctr.data.formats.release import Vectors, vectors_of_files
from hyperctr.data.ml_trailers import trailer_file
from hyperctr.data.sources import Kind, header_of, with_header
from hyperctr.errors import DataError

CHOICES = ("visual", "acoustic", "textual")  # options: which of several files, by a part of its name
# In the order in which one of several is taken; names of the original first, then of the re-issue.
MMTF = {
    "visual": ("AlexNetFeatures - AVG - fc7", "AlexNetFeatures", "AestheticFeatures", "fused_llm_mmtf_avf_", "_cnn_"),
    "acoustic": ("IVec_splitItem_", "fused_llm_mmtf_audio_IVec_", "BLF_", "fused_llm_mmtf_audio_"),
}
M3L = {"text": "textual", "image": "visual", "audio": "acoustic", "video": "video"}


def movie_features(root: Path, folder: Path, **chosen: str) -> tuple[list[Vectors], list[str]]:
    """Find the features beside a release: below it, or below the folder that the user named.

    Args:
        root: folder of the release.
        folder: the one that the user named.
        **chosen: modality -> a part of the name of the file or encoder that is meant.

    Returns:
        A table a modality, and notes that name the files that were left aside.

    Raises:
        DataError: a chosen file is not there, or one cannot be read.
    """
    places = list(dict.fromkeys(path for top in (folder, root) for path in folders(top, depth=5)))
    sheets = [path for place in places for path in sorted(place.glob("*.csv"))]
    found: dict[str, list[tuple[str, Callable[[], Vectors]]]] = {modality: [] for modality in CHOICES}
    for modality, patterns in MMTF.items():
        for pattern in patterns:
            for path in sheets:
                if pattern in path.name and all(name != path.name for name, _ in found[modality]):
                    found[modality].append((path.name, partial(_mmtf, modality, path)))
    for place in places:
        kind = re.fullmatch(r"features_json_format/\d_(\w+)_feat", "/".join(place.parts[-3:-1]))
        if kind and kind[1] in M3L:
            modality = M3L[kind[1]]
            found.setdefault(modality, []).append((place.name, partial(_m3l, modality, place)))
    return choose(folder, found, chosen)


def _mmtf(modality: str, path: Path) -> Vectors:
    names = header_of(path)
    if "embedding" in names:
        items, values = trailer_file(path)
    else:
        if names[0] != "movieId" or len(names) < 2:
            raise DataError(f"{path}, line 1: expected movieId and one column a dimension, found {names[:5]}")
        kinds: dict[str, Kind] = dict.fromkeys(names, "real")
        kinds["movieId"] = "integer"
        rows = table(with_header(path, kinds), kinds)
        items = rows.column("movieId").to_numpy()
        values = np.column_stack([rows.column(name).to_numpy() for name in names[1:]])
    if len(np.unique(items)) < len(items):
        raise DataError(f"{path}: a movie stands twice; get the file again")
    return Vectors.of(modality, items, values, path)


def _m3l(modality: str, place: Path) -> Vectors:
    """Wrap a folder of ``<movieId>.json``, each {"<movieId>": [numbers]}."""
    paths = {int(path.stem): path for path in place.glob("*.json") if path.stem.isascii() and path.stem.isdigit()}
    items = np.array(sorted(paths), dtype=np.int64)
    if not len(items):
        raise DataError(f"{place}: holds no <movieId>.json; get the files again")

    def vector(item: int) -> npt.NDArray[np.float32]:
        try:
            content = json.loads(paths[item].read_bytes())
            values = np.asarray(content[str(item)], dtype=np.float32)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            form = f'{{"{item}": [numbers]}}'
            raise DataError(f"{paths[item]}: is not {form} ({error}); get the file again") from error
        if values.ndim != 1 or not len(values):
            raise DataError(f"{paths[item]}: holds no list of numbers; get the file again")
        return values

    return vectors_of_files(modality, items, vector, paths.__getitem__, "file", str(place))
