"""What lies beside a log: matrices that are named after their modality, embeddings by key, and words as vectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hyperctr.data.formats.arrays import h5_vectors, npy_vectors, npz_vectors, parquet_vectors
from hyperctr.data.formats.format import folders
from hyperctr.data.formats.release import Vectors
from hyperctr.data.ml_trailers import TEXT_DIM, tfidf_svd
from hyperctr.errors import DataError

CHOICES = ("visual", "acoustic", "textual", "video")  # options: which of several files, by a part of its name
NAMED = {"image": "visual", "visual": "visual", "text": "textual", "title": "textual", "audio": "acoustic"}
MODALITY = re.compile(r"(image|visual|text|title|audio|video)s?_?(?:feat|emb)", re.IGNORECASE)
KEYED = {".h5": h5_vectors, ".npz": npz_vectors, ".parquet": parquet_vectors}

Found: TypeAlias = Mapping[str, Sequence[tuple[str, Callable[[], Vectors]]]]  # modality -> files, the one to take first


def choose(folder: Path, found: Found, chosen: Mapping[str, str]) -> tuple[list[Vectors], list[str]]:
    """Open one file a modality: the first, or the first that has in its name what was ``chosen`` for the modality.

    Returns:
        A table a modality, and notes that name the files that were left aside.

    Raises:
        DataError: a chosen file is not there, or one cannot be read.
    """
    tables, notes = [], []
    for modality in dict.fromkeys([*found, *chosen]):
        candidates, wanted = found.get(modality, ()), chosen.get(modality, "")
        fitting = [candidate for candidate in candidates if wanted in candidate[0]]
        if wanted and not fitting:
            names = ", ".join(name for name, _ in candidates) or "none"
            raise DataError(f"{folder}: no {modality} features have {wanted!r} in their name; found: {names}")
        if fitting:
            tables.append(fitting[0][1]())
        if len(fitting) > 1:
            others = ", ".join(name for name, _ in fitting[1:4])
            notes.append(
                f"{modality}: {fitting[0][0]} was taken of {len(fitting)} files (also there: {others}); "
                f"--option {modality}=PART_OF_A_NAME takes another"
            )
    return tables, notes


def matrices(root: Path, first: int, prefix: str = "", **chosen: str) -> tuple[list[Vectors], list[str]]:
    """Find ``.npy`` matrices such as ``image_feat.npy``, whose row r belongs to the item ``first + r``.

    Of files that another set's name starts (``MicroLens-100k_...``), only those with the ``prefix`` are looked at.

    Raises:
        DataError: as :func:`choose`.
    """
    found: dict[str, list[tuple[str, Callable[[], Vectors]]]] = {}
    for place in folders(root, depth=2):
        for path in sorted(place.glob("*.npy")):
            of_another = "-" in path.name.partition("_")[0] and not path.name.startswith(prefix)
            if (match := MODALITY.search(path.name)) and not (prefix and of_another):
                modality = NAMED.get(match[1].lower(), match[1].lower())
                found.setdefault(modality, []).append((path.name, partial(npy_vectors, modality, path, first=first)))
    return choose(root, found, chosen)


def embeddings(root: Path, **chosen: str) -> tuple[list[Vectors], list[str]]:
    """Find embeddings of items by ``key`` and ``value``: ``.h5``, ``.npz``, ``.parquet`` with ``emb`` in their name.

    Raises:
        DataError: as :func:`choose`.
    """
    found: dict[str, list[tuple[str, Callable[[], Vectors]]]] = {}
    for path in sorted(root.iterdir()):
        if path.suffix in KEYED and "emb" in path.stem.lower() and not path.stem.lower().startswith("user"):
            match = MODALITY.search(path.stem)
            modality = NAMED.get(match[1].lower(), match[1].lower()) if match else "embedding"
            opened = partial(KEYED[path.suffix], modality, path, "key", "value")
            found.setdefault(modality, []).append((path.name, opened))
    return choose(root, found, chosen)


def without(vectors: Vectors, missing: npt.NDArray[np.int64]) -> Vectors:
    """Return the same vectors without those of some items."""
    kept = np.flatnonzero(~np.isin(vectors.items, missing))
    return Vectors(
        vectors.modality, vectors.items[kept], vectors.dim, lambda rows: vectors.take(kept[rows]), vectors.source
    )


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; of Chinese each character, as nothing separates words there.

    >>> words_of("Two cats, 猫咪")
    ['two', 'cats', '猫', '咪']
    """
    return re.findall(r"[一-鿿]|[^\W一-鿿]+", text.lower())


def word_vectors(items: npt.NDArray[Any], words: list[list[str]], source: str) -> list[Vectors]:
    """Embed the words of each item (TF-IDF, 128 singular directions); one of which no word is known has no vector."""
    values = tfidf_svd(words, TEXT_DIM) if len(words) else np.empty((0, 1), np.float32)
    known = values.any(axis=1)
    return [Vectors.of("textual", items[known], values[known], source)] if known.any() else []
