"""``ml-trailers``: MovieLens ml-latest-small with the MMTF-14K features of the movies' trailers.

Clicks are ratings of 4 and more; lower ratings are real non-clicks (shown and not liked). Kept are the movies
that have both a visual (aesthetic descriptors) and an acoustic (i-vector) feature of their trailer. The
textual feature is computed here from title, genres and tags.

Two things to know. Tags are written by users, at any time: they are taken as what a platform knows about an item, not
as interactions, so under the protocol `causal` a tag may be younger than the click it helps to predict (tags.csv has
timestamps; they are not used). And raw values are kept: models call :meth:`FeatureTable.standardised`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hyperctr.data.dataset import Dataset
from hyperctr.data.download import ACOUSTIC_FILE, GROUPLENS, MMTF, VISUAL_FILE
from hyperctr.data.features import FeatureTable
from hyperctr.data.files import read_text
from hyperctr.data.ids import bad_value, parse_ids, row_name
from hyperctr.data.interactions import Interactions
from hyperctr.errors import DataError

CLICK_RATING = 4.0
TEXT_DIM = 128
REPAIR = "repair the file or download it again"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
Text: TypeAlias = Literal["tfidf", "encoder"]


def load_ml_trailers(root: str | Path, *, text: Text = "tfidf", encoder: str = ENCODER) -> Dataset:
    """Build the data set from the genuine files below ``root``.

    These are ``ml-latest-small/`` and ``mmtf-14k/``, as published. ``text`` is ``"tfidf"`` (TF-IDF, then 128 singular
    directions) or ``"encoder"``: the sentence encoder of that name or in that folder, which needs the extra ``text``.

    Raises:
        DataError: a file is missing or unusable; the message names file, line, value and fix.
    """
    if text not in ("tfidf", "encoder"):
        raise DataError(f"ml-trailers: text {text!r} is not known; allowed: 'tfidf', 'encoder'")
    folder = Path(root)
    lens = folder / "ml-latest-small"
    visual, acoustic = trailer_file(folder / VISUAL_FILE), trailer_file(folder / ACOUSTIC_FILE)
    items = np.intersect1d(visual[0], acoustic[0])
    if not len(items):
        raise DataError(f"{folder}: no movie has both a visual and an acoustic feature")

    movies = _read(lens / "movies.csv", ("movieId", "title", "genres"), ("movieId",))
    movies = movies[movies["movieId"].isin(items)].drop_duplicates("movieId").set_index("movieId")
    items = np.intersect1d(items, movies.index.to_numpy())
    movies = movies.loc[items]
    tags = _tag_words(_read(lens / "tags.csv", ("movieId", "tag"), ("movieId",)), items)
    documents = []
    for title, genres, words in zip(movies["title"], movies["genres"], tags, strict=True):
        in_title = _words(re.sub(r"\(\d{4}[^)]*\)\s*$", "", title))
        in_genres = [f"genre:{genre.lower()}" for genre in genres.split("|") if genre[:1] != "("]
        documents.append([*in_title, *in_genres, *words])
    if text == "tfidf":
        textual, source = tfidf_svd(documents, TEXT_DIM), "TF-IDF of title, genres and tags"
    else:
        textual, source = _encode([" ".join(words).replace("genre:", "") for words in documents], encoder), encoder
    tables = []
    for name, file, (ids, vectors) in (("visual", VISUAL_FILE, visual), ("acoustic", ACOUSTIC_FILE, acoustic)):
        known, path = np.isin(ids, items), str(folder / file)
        tables.append(FeatureTable.from_rows(name, ids[known], vectors[known], items, source=path, on_bad="mask"))
    # A movie of which no word is known gets no vector, rather than zeros that look like data.
    tables.append(FeatureTable("textual", textual, textual.any(axis=1), source=source, items=items))
    readme = lens / "README.txt"
    full = f"\n\n{readme.read_text(encoding='utf-8', errors='replace')}" if readme.exists() else ""
    return Dataset(
        "ml-trailers",
        _ratings(lens / "ratings.csv", items),
        tables,
        items=items,
        item_table=movies[["title", "genres"]].reset_index(names="item_id"),
        licence=f"{GROUPLENS}\n\n{MMTF}{full}",
    )


def _ratings(path: Path, items: npt.NDArray[np.int64]) -> Interactions:
    frame = _read(path, ("userId", "movieId", "rating", "timestamp"), ("userId", "movieId"))
    rating = pd.to_numeric(frame["rating"], errors="coerce")
    bad = ~(rating.between(0.5, 5.0) & (rating * 2 == (rating * 2).round())).to_numpy()
    if bad.any():
        raise bad_value(frame["rating"], bad, str(path), f"is not usable; allowed are 0.5, 1, ... 5: {REPAIR}")
    frame = frame.assign(clicked=(rating >= CLICK_RATING).to_numpy())
    frame = frame[frame["movieId"].isin(items)]
    return Interactions(frame.rename(columns={"userId": "user_id", "movieId": "item_id"}), source=str(path))


def _read(path: Path, columns: Sequence[str], ids: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a file as text, and some columns of it as integers."""
    frame = read_text(path, columns, optional=optional)
    for column in ids:
        parsed = parse_ids(frame[column])
        if len(frame) and parsed.dtype.kind != "i":
            bad = ~frame[column].str.fullmatch(r"[0-9]+").to_numpy(dtype=bool)
            raise bad_value(frame[column], bad, str(path), f"is no whole number; {REPAIR}")
        frame = frame.assign(**{column: parsed})
    return frame


def trailer_file(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Read one MMTF-14K file as re-published: item ids [R] and vectors [R, dim], infinities included.

    Raises:
        DataError: a value is no number, or a vector has another length; names file and line.
    """
    frame = _read(path, ("itemId", "embedding"), ("itemId",), optional=("title", "genres"))
    if not len(frame):
        raise DataError(f"{path}: there are no rows below the header")
    vectors: list[npt.NDArray[np.float64]] = []
    for row, numbers in enumerate(frame["embedding"]):
        place = row_name(frame.index, row, str(path))
        try:
            vectors.append(np.array(numbers.split(","), dtype=np.float64))
        except ValueError as error:
            raise DataError(f"{place}: embedding: {error}; allowed are numbers") from error
        if len(vectors[row]) != len(vectors[0]):
            sizes = f"{len(vectors[row])} numbers, the first has {len(vectors[0])}"
            raise DataError(f"{place}: embedding has {sizes}; all must have one length: {REPAIR}")
    return frame["itemId"].to_numpy(dtype=np.int64), np.stack(vectors)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _tag_words(tags: pd.DataFrame, items: npt.NDArray[np.int64]) -> list[list[str]]:
    """Collect the words of all users' tags per item; a tag given by several users counts several times."""
    words: dict[int, list[str]] = {int(item): [] for item in items}
    for item, tag in zip(tags["movieId"], tags["tag"], strict=True):
        if item in words:
            words[item].extend(_words(tag))
    return list(words.values())


def tfidf_svd(documents: list[list[str]], dim: int) -> npt.NDArray[np.float32]:
    """Embed bags of words by TF-IDF and a truncated singular value decomposition, without randomness.

    Weight of word w in document d: ``(1 + ln count) * (1 + ln((1 + D) / (1 + documents with w)))``,
    rows scaled to length 1; words of a single document are left out, since they relate it to nothing.
    Signs are fixed (the largest entry of every column is positive) and values rounded to 1e-5, to hide
    most of what linear algebra libraries of different machines differ by.

    Returns:
        float32 [D, min(dim, rank allowed)]; a document without a usable word is a row of zeros.

    >>> tfidf_svd([["war", "epic"], ["love"], ["war", "epic"], ["war", "epic"], ["love"]], 2).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import svds

    seen = Counter(word for document in documents for word in set(document))
    vocabulary = {word: k for k, word in enumerate(sorted(word for word, count in seen.items() if count > 1))}
    rows, columns, weights = [], [], []
    for row, document in enumerate(documents):
        for word, count in sorted(Counter(document).items()):
            if word in vocabulary:
                rows.append(row)
                columns.append(vocabulary[word])
                weights.append((1 + np.log(count)) * (1 + np.log((1 + len(documents)) / (1 + seen[word]))))
    matrix: Any = csr_matrix((weights, (rows, columns)), shape=(len(documents), max(len(vocabulary), 1)))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix = matrix.multiply((1.0 / np.where(length > 0, length, 1.0))[:, None]).tocsr()
    if min(matrix.shape) <= dim:  # small enough for the dense form, which has no limit on the rank
        left, scale, _ = np.linalg.svd(matrix.toarray(), full_matrices=False)
        left, scale = left[:, :dim], scale[:dim]
    else:
        left, scale, _ = svds(matrix, k=dim, tol=0, v0=np.ones(min(matrix.shape)), solver="arpack")
        left, scale = left[:, ::-1], scale[::-1]
    embedded = left * scale
    peak = embedded[np.abs(embedded).argmax(axis=0), np.arange(embedded.shape[1])]
    rounded: npt.NDArray[np.float64] = np.round(embedded * np.where(peak < 0, -1.0, 1.0), 5) + 0.0  # no negative zeros
    rounded[length == 0] = 0.0
    return rounded.astype(np.float32)


def _encode(sentences: list[str], encoder: str) -> npt.NDArray[np.float32]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        fix = "pip install 'hyperctr[text]', or use text='tfidf'"
        raise DataError(f"ml-trailers: text='encoder' needs the package sentence-transformers: {fix}") from error
    try:
        model = SentenceTransformer(encoder)
    except (OSError, ValueError) as error:
        problem = f"the sentence encoder {encoder!r} cannot be loaded ({error})"
        fix = "give the folder of a downloaded one as encoder=..., or use text='tfidf'"
        raise DataError(f"ml-trailers: {problem}; {fix}") from error
    return np.asarray(model.encode(sentences, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)
