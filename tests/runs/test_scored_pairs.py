"""Scores of exported pairs are read in any order, and every fault in them is named by file, row and value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperctr as hc
from hyperctr.errors import DataError
from hyperctr.runs import pairs as pairs_module
from hyperctr.runs import scored_pairs
from hyperctr.runs.elsewhere import read_scores
from hyperctr.runs.pairs import open_pairs
from tests.conftest import Tiny
from tests.runs.scores import known


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), batch=st.integers(300, 7000), chunk=st.integers(1, 3000))
def test_order_and_pieces_do_not_matter(tiny: Tiny, seed: int, batch: int, chunk: int) -> None:
    config = tiny.run.config
    frame = hc.Session(tiny.data, config).pairs
    scores = frame.assign(score=known(frame).astype(np.float32))
    plain = read_scores(scores, tiny.run.split_data, config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored_pairs, "BATCH", batch)
        patch.setattr(pairs_module, "CHUNK", chunk)
        order = np.random.default_rng(seed).permutation(len(scores))
        shuffled = read_scores(scores.iloc[order], tiny.run.split_data, config)
    for part, expected in plain.items():
        assert shuffled[part].rows.dtype == np.float32
        np.testing.assert_array_equal(shuffled[part].rows, expected.rows)
        np.testing.assert_array_equal(shuffled[part].negatives, expected.negatives)


def with_value(name: str, row: int, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        column = frame[name].to_numpy().copy()
        column[row] = value
        return frame.assign(**{name: column})

    return change


def unknown_pair(frame: pd.DataFrame) -> pd.DataFrame:
    """Move a test pair to an item that the user clicked, which is never a candidate."""
    place = int(np.flatnonzero(frame["part"] == "test")[1])
    same = (
        frame["user_id"].eq(frame["user_id"].iloc[place])
        & frame["label"]
        & frame["click"].ne(frame["click"].iloc[place])
    )
    assert same.any()
    return with_value("item_id", place, frame.loc[same, "item_id"].iloc[0])(frame)


FAULTS: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (with_value("score", 17, np.nan), r"row 17 .*: score nan is not a finite number; .*lowest"),
    (with_value("score", 17, -np.inf), r"row 17 .*: score -inf is not a finite number"),
    (lambda frame: frame.assign(score=frame["score"].astype(str)), "column 'score' is of type .*real numbers"),
    (lambda frame: frame.assign(score=frame["label"]), "column 'score' is of type bool"),
    (lambda frame: frame.rename(columns={"score": "scores"}), r"'score' is missing \(did you mean 'scores'\?\)"),
    (lambda frame: frame.drop(columns="part"), "column 'part' is missing.*part, click, item_id, score are needed"),
    (lambda frame: frame.iloc[:0], "there are no rows; score the pairs of the file that `hyperctr pool export` wrote"),
    (with_value("part", 3, "tset"), r"row 3 .*: part 'tset' is not known; allowed are validation, calibration, test"),
    (with_value("click", 3, 10**6), r"row 3 .*: click 1000000 is none of this part's"),
    (with_value("item_id", 3, -5), r"row 3 .*: item_id -5 is none of this data set's, whose ids are integers"),
    (lambda frame: frame.assign(item_id=frame["item_id"].astype(str)), r"row 0 .*: item_id '\d+' is none of.*integers"),
    (unknown_pair, r"row \d+ .*: part 'test', click \d+, item_id \d+ is none of the pairs to score \(1 such rows\)"),
    (
        lambda frame: pd.concat([frame, frame.iloc[[40]].assign(score=9.0)], ignore_index=True),
        r"row \d+ .*: part 'validation', click \d+, item_id \d+ has a score in row 40 already \(1 rows repeat",
    ),
    (
        lambda frame: frame.drop(index=[5, 6]),
        r"part 'validation', click \d+, item_id \d+ has no score \(2 of [\d,]+ pairs have none\); score all of",
    ),
    (lambda frame: frame[frame["part"] == "test"], r"part 'validation', click \d+, item_id \d+ has no score"),
]


@pytest.mark.parametrize(("spoil", "words"), FAULTS)
def test_every_fault_is_named(
    tiny: Tiny,
    pairs: pd.DataFrame,
    store: Path,
    tmp_path: Path,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    words: str,
) -> None:
    file, there = tmp_path / "scores.parquet", set(store.iterdir())
    spoil(pairs.assign(score=known(pairs))).to_parquet(file, index=False)
    with pytest.raises(DataError, match=rf"scores\.parquet.*{words}"):
        hc.evaluate_scores(tiny.data, tiny.run.config, file, "wrong")
    assert set(store.iterdir()) == there


def test_files_that_cannot_be_read(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nosuch.parquet: there is no such file"):
        hc.evaluate_scores(tiny.data, tiny.run.config, tmp_path / "nosuch.parquet", "x")
    (tmp_path / "text.parquet").write_text("part,click\n")
    with pytest.raises(DataError, match=r"text.parquet: is not a readable parquet file"):
        hc.evaluate_scores(tiny.data, tiny.run.config, tmp_path / "text.parquet", "x")
    for open_what, words in (("nosuch", "no such file"), ("text", "does not say what it was exported from")):
        with pytest.raises(DataError, match=words):
            open_pairs(tmp_path / f"{open_what}.parquet")
