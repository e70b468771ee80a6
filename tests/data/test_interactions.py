"""What a log of interactions may hold, and what is said when it holds something else."""

from __future__ import annotations

import hashlib
import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.errors import DataError, DataWarning

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def log(**columns: list[Any]) -> pd.DataFrame:
    base: dict[str, list[Any]] = {"user_id": [1, 1, 2], "item_id": [7, 8, 7], "timestamp": [30, 10, 20]}
    return pd.DataFrame(base | columns)


def test_sorts_by_time_and_keeps_ties_in_order() -> None:
    frame = pd.DataFrame({"user_id": [1, 2, 3, 4], "item_id": [1, 1, 1, 1], "timestamp": [5, 1, 5, 1]})
    result = Interactions(frame)
    assert result.frame["user_id"].tolist() == [2, 4, 1, 3]
    assert result.frame["clicked"].tolist() == [True] * 4
    assert result.frame.dtypes.astype(str).tolist() == ["int64", "int64", "int64", "bool"]
    assert result.where(0) == "<memory>, row 1 (counted from 0)"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"timestamp": [1, -5, 3]}, "row 1 .*timestamp -5 is negative"),
        ({"timestamp": [1, 2, 2.5]}, "row 2 .*timestamp 2.5 is not a whole number.*round"),
        ({"timestamp": ["1", "2", "soon"]}, "row 2 .*timestamp 'soon' is missing or no number"),
        ({"timestamp": [1, None, 3]}, "row 1 .*timestamp nan is missing"),
        ({"timestamp": [1, 2, np.inf]}, "row 2 .*inf is not a whole number"),
        ({"timestamp": [1, 2, 964_982_703_000]}, "row 2 .*looks like milliseconds.*divide by 1000.*ordinal"),
        ({"timestamp": pd.to_datetime(["2020-01-01"] * 3)}, "row 0 .*is a date.*astype"),
        ({"timestamp": [True, False, True]}, "truth value"),
        ({"user_id": [1, None, 2]}, "row 1 .*user_id nan is missing.*fill it in"),
        ({"user_id": ["a", " ", "b"]}, "row 1 .*user_id ' ' is empty"),
        ({"user_id": ["a", 1, "b"]}, "row 1 .*user_id 1 mixes strings with numbers"),
        ({"user_id": [1, 2.5, 3]}, "row 1 .*user_id .*2.5 is not a whole number"),
        ({"user_id": [1.0, 2.0, 1e17]}, "row 2 .*too large to be exact"),
        ({"user_id": [True, False, True]}, "row 0 .*bool"),
        ({"user_id": [(1,), (2,), (3,)]}, "of type tuple"),
        (
            {"item_id": ["a", "b", "x" * 10_000_000]},
            "row 2 .*10,000,00[0-9] characters.*longer than 256.*unclosed quote",
        ),
        ({"item_id": ["a", "1\t2\t3", "b"]}, "row 1 .*a tab.*whole row"),
        ({"clicked": [1, 0, 5]}, "row 2 .*clicked .*5.*allowed are 1, 0, true, false.*rating >= 4"),
        ({"clicked": ["yes", "true", "1"]}, "row 0 .*clicked 'yes'"),
        ({"clicked": [True, None, False]}, "row 1 .*clicked None"),
        ({"clicked": [0, 0, 0]}, "none of the 3 rows is a click"),
    ],
)
def test_unusable_values_are_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Interactions(log(**columns), source="log.csv")
    assert str(caught.value).startswith("log.csv")
    assert len(str(caught.value)) < 500


def test_missing_column_empty_frame_and_unknown_clock() -> None:
    with pytest.raises(DataError, match=r"column 'item_id' is missing.*did you mean 'itemid'"):
        Interactions(log().rename(columns={"item_id": "itemid"}))
    with pytest.raises(DataError, match="there are no rows"):
        Interactions(log().iloc[:0])
    with pytest.raises(DataError, match="allowed: 'calendar', 'ordinal'"):
        Interactions(log(), clock="lunar")  # type: ignore[arg-type]


def test_ids_may_be_huge_or_whole_floats_and_clicks_may_be_words() -> None:
    result = Interactions(
        log(user_id=[10**18, -3, 10**18], item_id=[7.0, 8.0, 7.0], clicked=["True", "0", 1]), clock="ordinal"
    )
    assert result.frame["user_id"].tolist() == [-3, 10**18, 10**18]
    assert result.frame["item_id"].tolist() == [8, 7, 7]
    assert result.frame["clicked"].tolist() == [False, True, True]
    data = Dataset("huge", result)  # memory follows the number of ids, not their size
    assert (data.num_users, data.user_index.tolist()) == (2, [0, 1, 1])


def test_repeats_and_contradictions_are_dropped_and_counted() -> None:
    frame = pd.DataFrame(
        [(1, 7, 5, 0), (1, 7, 5, 1), (1, 7, 5, 0), (1, 8, 6, 1), (1, 8, 6, 1), (1, 8, 7, 1)],
        columns=["user_id", "item_id", "timestamp", "clicked"],
    )
    with pytest.warns(DataWarning, match="repeat an earlier row"):
        result = Interactions(frame, source="log.csv")
    assert result.frame.to_numpy().tolist() == [[1, 7, 5, True], [1, 8, 6, True], [1, 8, 7, True]]
    assert [re.sub(r"[^0-9]", "", note.split("rows")[0]) for note in result.warnings] == ["26", "1"]
    assert "2 of 6 rows repeat" in result.warnings[0]
    assert "1 rows say 'not clicked'" in result.warnings[1]


def test_users_with_one_click_or_none_are_kept_and_counted() -> None:
    frame = pd.DataFrame(
        {"user_id": [1, 2, 2, 3], "item_id": [1, 1, 2, 1], "timestamp": [1, 2, 3, 4], "clicked": [1, 1, 1, 0]}
    )
    result = Interactions(frame)
    assert len(result) == 4
    assert [note.split(": ")[1].split(";")[0] for note in result.warnings] == [
        "1 of 3 users have only one click",
        "1 of 3 users have no click",
    ]


def test_nothing_is_said_about_a_clean_log() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Interactions(log(user_id=[1, 1, 1])).warnings == []


rows = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 4), st.integers(0, 6), st.booleans()), min_size=1, max_size=30
).filter(lambda values: any(row[3] for row in values))


@given(rows)
def test_events_and_maps_against_brute_force(values: list[tuple[int, int, int, bool]]) -> None:
    frame = pd.DataFrame(values, columns=["user_id", "item_id", "timestamp", "clicked"])
    data = Dataset("random", Interactions(frame))
    expected = {(u, i, t): any(c for *event, c in values if tuple(event) == (u, i, t)) for u, i, t, _ in values}
    got = data.interactions
    assert dict(zip(zip(got.user_id, got.item_id, got.timestamp, strict=True), got.clicked, strict=True)) == expected
    assert len(got) == len(expected)
    assert got.timestamp.is_monotonic_increasing
    assert data.users[data.user_index].tolist() == got.user_id.tolist()
    assert data.items[data.item_index].tolist() == got.item_id.tolist()
    assert data.users.tolist() == sorted({u for u, *_ in values})
    assert sorted([*data.clicks, *data.non_clicks]) == list(range(len(got)))


def tiny(**options: Any) -> Dataset:
    frame = log(user_id=["b", "b", "a"], timestamp=[3, 1, 2], clicked=[1, 0, 1])
    tables = [FeatureTable("textual", [[1.0], [2.0]]), FeatureTable("visual", [[1.0, 2.0], [0.0, 0.0]], [True, False])]
    return Dataset("tiny", frame, tables, **options)


def test_dataset_orders_modalities_and_counts_for_table_1() -> None:
    data = tiny()
    assert data.modalities == ("visual", "textual")
    assert data.non_clicks.tolist() == [0]
    row = data.table1_row()
    assert (row["users"], row["items"], row["interactions"], row["clicks"]) == (2, 2, 3, 2)
    assert (row["sparsity"], row["visual_dim"], row["visual_coverage"]) == (0.25, 2, 0.5)
    assert (row["first"], row["last"]) == ("1970-01-01", "1970-01-01")
    page = data._repr_html_()
    assert "<b>0.2500</b>" in page and "<td>visual</td><td>2</td><td>1</td>" in page and "50.0%" in page
    with pytest.raises(ValueError, match="read-only"):
        data.timestamp[0] = 1
    frame = data.interactions
    frame.loc[0, "timestamp"] = 99
    assert data.interactions.timestamp[0] == 1


def test_unknown_ids_are_named_with_the_reason() -> None:
    data = tiny()
    assert data.users_to_index(["a", "b", "a"]).tolist() == [0, 1, 0]
    with pytest.raises(DataError, match=r"item id 9 is unknown \(1 of 2 asked for are\)"):
        data.items_to_index([7, 9])
    with pytest.raises(DataError, match=r"item id '7' is unknown.*item ids of this data set are integers"):
        data.items_to_index(["7"])


def test_catalogue_and_item_table() -> None:
    titles = pd.DataFrame({"item_id": [9, 8, 7], "title": ["nine", "eight", "seven"]})
    data = Dataset("catalogue", log(), items=np.array([7, 8, 9]), item_table=titles)
    assert data.item_table.title.tolist() == ["seven", "eight", "nine"]
    with pytest.raises(DataError, match=r"log.csv, row 1 .*item_id 8 is not in the catalogue of 2 items"):
        Dataset("catalogue", Interactions(log(), source="log.csv"), items=np.array([7, 9]))
    with pytest.raises(DataError, match="sorted and unique"):
        Dataset("catalogue", log(), items=np.array([8, 7]))
    with pytest.raises(DataError, match="has 3 rows for 2 items"):
        Dataset("catalogue", log(), [FeatureTable("visual", np.ones((3, 1)))])


def test_fingerprint_follows_content_only() -> None:
    one, other = (tiny(), tiny(licence="other", item_table=pd.DataFrame({"item_id": [7, 8], "title": ["x", "y"]})))
    assert one.fingerprint == other.fingerprint
    subset = one.subset_modalities(["textual"])
    assert subset.modalities == ("textual",)
    assert len({one.fingerprint, subset.fingerprint, Dataset("t", log()).fingerprint}) == 3
    assert one.modalities == ("visual", "textual")
    with pytest.raises(DataError, match="did you mean 'visual'"):
        one.subset_modalities(["visal"])
    with pytest.raises(DataError, match="at least one"):
        one.subset_modalities([])


def test_ids_that_differ_in_blanks_alone_are_one() -> None:
    data = Dataset("blanks", log(user_id=["b", " a", "a"], item_id=["x ", "x", "y"]))
    assert (data.users.tolist(), data.items.tolist()) == (["a", "b"], ["x", "y"])
    assert data.interactions["user_id"].tolist() == ["a", "a", "b"]
    assert data.user_index.tolist() == [0, 0, 1] and data.item_index.tolist() == [0, 1, 0]


def test_the_columns_exist_once() -> None:
    rows = Interactions(log())
    data = Dataset("rows", rows)
    for name in ("users", "items", "user_index", "item_index", "timestamp", "clicked"):
        assert getattr(data, name) is getattr(rows, name)
        assert not getattr(data, name).flags.writeable
    listed = Dataset("rows", rows, items=np.array([6, 7, 8]))
    assert listed.item_index.tolist() == [2, 1, 1] and listed.user_index is rows.user_index
    pd.testing.assert_frame_equal(listed.interactions, rows.frame)


def test_fingerprint_is_the_digest_of_all_that_a_model_reads() -> None:
    data = Dataset("t", log(user_id=["é", "b", "b"]), [FeatureTable("visual", [[1.5], [0.0]], [True, False])])
    digest = hashlib.sha256(b"hyperctr dataset 1, clock calendar")
    digest.update("\x1dO\x1fb\x1fé".encode() + b"\x1di\x1f7\x1f8")
    for rows in ([0, 0, 1], [1, 0, 0], [10, 20, 30]):
        digest.update(np.array(rows, dtype="<i8").tobytes())
    digest.update(b"\x01\x01\x01" + b"\x1dvisual\x1f1\x1f" + np.array([1.5, 0], "<f4").tobytes() + b"\x01\x00")
    assert data.fingerprint == digest.hexdigest()
