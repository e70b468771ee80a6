"""ml-trailers: a tiny folder in the genuine layout, and the genuine files where they are at hand."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyperctr.data.download import ACOUSTIC_FILE, ML_TRAILERS, VISUAL_FILE, sha256
from hyperctr.data.ml_trailers import tfidf_svd
from hyperctr.data.registry import load_dataset
from hyperctr.errors import DataError, DataWarning

RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,100
1,2,3.5,90
2,1,5.0,80
2,3,4.5,70
2,4,5.0,60
1,3,0.5,50
"""
MOVIES = """movieId,title,genres
1,"Alpha, The (1990)",Comedy|War
2,Beta War (1991),War
3,Gamma (1992),(no genres listed)
4,Delta (1993),Comedy
"""
TAGS = "userId,movieId,tag,timestamp\n1,1,Space Opera,5\n2,2,space,6\n"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Movies 1 to 3 have both trailer features, movie 4 only one."""
    files = {"ratings.csv": RATINGS, "movies.csv": MOVIES, "tags.csv": TAGS, "README.txt": "the licence"}
    (tmp_path / "ml-latest-small").mkdir()
    (tmp_path / "mmtf-14k").mkdir()
    for name, text in files.items():
        (tmp_path / "ml-latest-small" / name).write_bytes(text.replace("\n", "\r\n").encode())
    trailer(tmp_path / VISUAL_FILE, {3: [5.0, 6.0], 1: [1.0, 2.0], 2: [3.0, 4.0]})
    trailer(tmp_path / ACOUSTIC_FILE, {1: [0.1], 2: [0.2], 3: [0.3], 4: [0.4]})
    return tmp_path


def trailer(path: Path, vectors: dict[int, list[float]]) -> None:
    lines = [f'{k},"Alpha, The (1990)",War,"{",".join(map(str, v))}"' for k, v in vectors.items()]
    path.write_text("\n".join(["itemId,title,genres,embedding", *lines]) + "\n")


@pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
def test_tiny_folder_is_read_as_documented(raw: Path) -> None:
    data = load_dataset("ml-trailers", data_dir=raw)
    expected = [[1, 3, 50, False], [2, 3, 70, True], [2, 1, 80, True], [1, 2, 90, False], [1, 1, 100, True]]
    assert data.interactions.to_numpy().tolist() == expected
    assert data.items.tolist() == [1, 2, 3]
    assert data.item_table.title.tolist() == ["Alpha, The (1990)", "Beta War (1991)", "Gamma (1992)"]
    assert data.features["visual"].values.tolist() == [[1, 2], [3, 4], [5, 6]]
    np.testing.assert_allclose(data.features["acoustic"].values, [[0.1], [0.2], [0.3]], rtol=1e-6)
    assert data.features["textual"].present.tolist() == [True, True, False]  # no word of Gamma is shared
    assert "GroupLens" in data.licence
    assert "Apache-2.0" in data.licence
    assert data.licence.endswith("the licence")
    for where in (raw / "ml-trailers", raw / "raw"):  # the other places it is looked for
        where.mkdir()
        (where / "raw").symlink_to(raw)
    assert load_dataset("ml-trailers", data_dir=raw / "raw").fingerprint == data.fingerprint


@pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
def test_infinite_features_are_masked_and_placed(raw: Path) -> None:
    trailer(raw / VISUAL_FILE, {3: [5.0, math.inf], 1: [1.0, 2.0], 2: [math.nan, 4.0]})
    with pytest.warns(DataWarning, match=rf"{VISUAL_FILE}: modality 'visual', item 2, column 0 .* is nan; 2 items"):
        data = load_dataset("ml-trailers", data_dir=raw)
    assert data.features["visual"].present.tolist() == [True, False, False]
    assert data.items.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "ml-latest-small/ratings.csv",
            "2,1,5.0,80",
            "2,1,6.0,80",
            "ratings.csv, line 4: rating '6.0' .*allowed are 0.5",
        ),
        (
            "ml-latest-small/ratings.csv",
            "2,1,5.0,80",
            "2,1,5.0,-80",
            "ratings.csv, line 4: timestamp '-80' is negative",
        ),
        ("ml-latest-small/ratings.csv", "2,1,5.0,80", "2,one,5.0,80", "ratings.csv, line 4: movieId 'one' is no whole"),
        ("ml-latest-small/ratings.csv", "userId,movieId,rating,timestamp\r\n", "", "line 1: expected a header"),
        ("ml-latest-small/movies.csv", "genres", "genre", "movies.csv, line 1: column 'genres' .did you mean 'genre'"),
        (VISUAL_FILE, "1.0,2.0", "1.0,2.0,3.0", r"avf_med.csv, line 3: embedding has 3 numbers, the first has 2"),
        (VISUAL_FILE, "1.0,2.0", "1.0,two", r"avf_med.csv, line 3: embedding: could not convert .*'two'"),
    ],
)
def test_mistakes_are_named_with_their_line(raw: Path, file: str, old: str, new: str, message: str) -> None:
    content = (raw / file).read_bytes()
    (raw / file).write_bytes(content.replace(old.encode(), new.encode(), 1))
    with pytest.raises(DataError, match=message):
        load_dataset("ml-trailers", data_dir=raw)


def test_options_and_missing_extra(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="allowed: 'tfidf', 'encoder'"):
        load_dataset("ml-trailers", data_dir=raw, text="bert")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(DataError, match=r"pip install 'hyperctr\[text\]'"):
        load_dataset("ml-trailers", data_dir=raw, text="encoder")
    (raw / VISUAL_FILE).unlink()
    with pytest.raises(DataError, match="holds no ml-latest-small/ratings.csv with .*avf_med.csv .*download=True"):
        load_dataset("ml-trailers", data_dir=raw)


@pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
def test_sentence_encoder_gives_the_textual_feature(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Encoder:
        def __init__(self, name: str) -> None:
            assert name == "some-folder"

        def encode(self, sentences: list[str], **options: Any) -> np.ndarray[Any, Any]:
            seen.extend(sentences)
            return np.arange(1, 7, dtype=np.float32).reshape(3, 2)

    module = type(sys)("sentence_transformers")
    monkeypatch.setattr(module, "SentenceTransformer", Encoder, raising=False)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    data = load_dataset("ml-trailers", data_dir=raw, text="encoder", encoder="some-folder")
    assert data.features["textual"].values.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert seen == ["alpha the comedy war space opera", "beta war war space", "gamma"]


def test_tfidf_svd_keeps_the_inner_products_of_the_weights() -> None:
    """At full rank, the inner products of the embedding equal those of the TF-IDF rows, written out here."""
    documents = [["a", "b", "b"], ["a", "c"], ["b", "c", "c", "c"], ["a", "b", "c"], ["lonely"]]
    idf = 1 + math.log(6 / 4)  # each of a, b, c stands in three of five documents
    weights = np.array([[1, 1 + math.log(2), 0], [1, 0, 1], [0, 1, 1 + math.log(3)], [1, 1, 1], [0, 0, 0]]) * idf
    weights[:4] /= np.linalg.norm(weights[:4], axis=1, keepdims=True)
    embedded = tfidf_svd(documents, 3)
    np.testing.assert_allclose(embedded @ embedded.T, weights @ weights.T, atol=1e-4)
    assert (embedded[4] == 0).all()
    assert (embedded[np.abs(embedded).argmax(axis=0), np.arange(3)] > 0).all()


def test_sparse_and_dense_decomposition_agree() -> None:
    rng = np.random.default_rng(0)
    documents = [[f"w{w}" for w in rng.zipf(1.5, 12) % 40] for _ in range(60)]
    few, many = tfidf_svd(documents, 5), tfidf_svd(documents, 1000)  # the first by ARPACK, the second dense
    np.testing.assert_allclose(few, many[:, :5], atol=2e-5)
    assert (few == tfidf_svd(documents, 5)).all()


def test_genuine_files(shared_dir: Path) -> None:
    raw = shared_dir / "data" / "raw"
    for source in ML_TRAILERS:
        for name, expected in source.files.items():
            assert sha256(raw / name) == expected, name
    with pytest.warns(DataWarning, match="users have only one click"):
        data = load_dataset("ml-trailers", data_dir=raw)
    row = data.table1_row()
    assert (row["users"], row["items"], row["clicks"], row["non_clicks"]) == (610, 1807, 25170, 24577)
    assert (row["visual_dim"], row["acoustic_dim"], row["textual_dim"]) == (107, 20, 128)
    assert (row["first"], row["last"]) == ("1996-03-29", "2018-09-24")
    assert all(np.isfinite(table.standardised().values).all() for table in data.features.values())
    title = data.item_table.title[data.items_to_index([150])[0]]
    assert title == "Apollo 13 (1995)"
    # Related movies lie near each other in the textual space.
    titles, textual = data.item_table.title.to_numpy(), data.features["textual"].values
    unit = textual / np.linalg.norm(textual, axis=1, keepdims=True)
    first = int(np.argmax(titles == "Star Wars: Episode IV - A New Hope (1977)"))
    nearest = int(np.argsort(-unit @ unit[first])[1])
    assert titles[nearest] == "Star Wars: Episode V - The Empire Strikes Back (1980)"
