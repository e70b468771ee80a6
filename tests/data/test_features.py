"""Features: aligned by id, missing ones masked, bad values named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperctr.data import features, files
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.errors import DataError, DataWarning


def bad_values() -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.ones((4, 3))
    values[1, 2], values[1, 0], values[3, 1] = np.nan, np.inf, 1e300  # the last is infinite as float32
    return values


def test_nan_and_infinity_name_modality_item_and_column() -> None:
    with pytest.raises(
        DataError, match=r"v.npz: modality 'visual', item 20, column 0 .* is inf \(3 such values in 2 items\)"
    ):
        FeatureTable("visual", bad_values(), source="v.npz", items=np.array([10, 20, 30, 40]))


def test_mask_makes_bad_items_missing_and_counts_them() -> None:
    with pytest.warns(DataWarning, match="2 items with 3 values that are NaN or infinite were masked"):
        table = FeatureTable("visual", bad_values(), on_bad="mask")
    assert table.present.tolist() == [True, False, True, False]
    assert table.values.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 0]]
    assert len(table.warnings) == 1


def test_absent_rows_hold_zeros_whatever_was_given() -> None:
    table = FeatureTable("visual", [[np.nan], [2.0]], [False, True])
    assert (table.values.tolist(), table.present.tolist(), table.values.dtype) == (
        [[0], [2]],
        [False, True],
        np.float32,
    )
    with pytest.raises(ValueError, match="read-only"):
        table.values[0] = 1


@pytest.mark.parametrize(
    ("name", "values", "present", "message"),
    [
        ("visual", [1.0, 2.0], None, "shape .items, dim"),
        ("visual", np.ones((2, 0)), None, "dim >= 1"),
        ("visual", [["a"], ["b"]], None, "needs numbers"),
        ("visual", [[1.0], [1.0, 2.0]], None, "differ in length"),
        ("visual", [[1.0]], [1], "must be bool of shape"),
        ("visual", [[1.0]], [True, True], "must be bool of shape"),
        ("../visual", [[1.0]], None, "modality name"),
    ],
)
def test_wrong_shapes(name: str, values: Any, present: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        FeatureTable(name, values, present)


def test_from_rows_aligns_masks_and_reports() -> None:
    items = np.array(["a", "b", "c"], dtype=object)
    ids = np.array(["c", "x", "a", "c"], dtype=object)
    vectors = [[3.0, 1.0], [9.0, 9.0], [0.0, 0.0], [3.0, 1.0]]
    with pytest.warns(DataWarning) as caught:
        table = FeatureTable.from_rows("acoustic", ids, vectors, items, source="a.parquet")
    assert table.present.tolist() == [True, False, True]
    assert table.values.tolist() == [[0, 0], [0, 0], [3, 1]]
    assert [str(w.message).split(": ")[1][:22] for w in caught] == [
        "1 rows of modality 'ac",
        "1 of 3 items of modali",
        "1 vectors of modality ",
    ]
    with pytest.raises(DataError, match="two different vectors for item 'c'"):
        FeatureTable.from_rows("acoustic", ids, [[1.0], [2.0], [3.0], [4.0]], items)
    with pytest.raises(DataError, match=r"none of the 1 items .* look like 'a', here like 7"):
        FeatureTable.from_rows("acoustic", np.array([7]), [[1.0]], items)


def test_items_without_any_feature_are_kept_and_counted() -> None:
    log = pd.DataFrame({"user_id": [1, 1], "item_id": [7, 8], "timestamp": [1, 2]})
    with pytest.warns(DataWarning, match="1 of 2 items have no feature in any modality; they were kept"):
        data = Dataset("bare", log, [FeatureTable("visual", [[1.0], [1.0]], [True, False])])
    assert data.num_items == 2
    assert len(data.warnings) == 1


@given(
    st.lists(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3), min_size=2, max_size=12),
    st.integers(0, 2**12 - 1),
)
def test_standardised_against_numpy(values: list[list[float]], bits: int) -> None:
    present = np.array([bool(bits >> k & 1) for k in range(len(values))])
    table = FeatureTable("visual", values, present).standardised()
    assert (table.values[~present] == 0).all()
    if present.any():
        seen = np.array(values, dtype=np.float64)[present]
        for column, original in zip(table.values[present].T, seen.T, strict=True):
            if (original == original[0]).all():
                assert (column == 0).all()
            else:
                np.testing.assert_allclose(column, (original - original.mean()) / original.std(), rtol=1e-5, atol=1e-6)


def test_standardising_in_blocks_gives_what_one_pass_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    values = (draw.standard_normal((1000, 6)) * [1, 1e-3, 1e3, 1, 1, 1] + [0, 5, -1e5, 3, 0, 0]).astype(np.float32)
    values[:, 3] = 3.3
    present = draw.random(1000) < 0.8
    whole = FeatureTable("visual", values, present).standardised()
    seen = values[present].astype(np.float64)
    seen = (seen - seen.mean(axis=0)) / np.where(np.arange(6) == 3, np.inf, seen.std(axis=0))
    np.testing.assert_allclose(whole.values[present], seen, rtol=1e-6, atol=1e-7)
    assert not whole.values[:, 3].any() and not whole.values[~present].any()
    monkeypatch.setattr(features, "BLOCK", 100)
    in_blocks = FeatureTable("visual", values, present).standardised()
    np.testing.assert_allclose(in_blocks.values, whole.values, rtol=2e-7, atol=1e-7)
    assert in_blocks.standardised() is not in_blocks
    empty = FeatureTable("visual", values, np.zeros(1000, bool))
    assert empty.standardised() is empty and not empty.values.any()


def test_bad_values_are_found_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "BLOCK", 3)
    test_nan_and_infinity_name_modality_item_and_column()
    test_mask_makes_bad_items_missing_and_counts_them()
    test_absent_rows_hold_zeros_whatever_was_given()
    test_from_rows_aligns_masks_and_reports()


def test_a_read_only_array_is_adopted_and_any_other_is_copied() -> None:
    given = np.arange(6, dtype=np.float32).reshape(3, 2)
    copied = FeatureTable("visual", given)
    assert not np.shares_memory(copied.values, given) and given.flags.writeable
    given.flags.writeable = False
    assert FeatureTable("visual", given).values is given
    ids = np.array([4, 5, 6])
    assert FeatureTable.from_rows("visual", ids, given, ids).values is given
    assert FeatureTable.from_rows("visual", ids[::-1], given, ids).values.tolist() == given[::-1].tolist()
    masked = FeatureTable("visual", given, [True, False, True])  # it holds something where nothing may be
    assert masked.values.tolist() == [[0, 1], [0, 0], [4, 5]] and given[1].tolist() == [2, 3]


def test_large_arrays_of_an_archive_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAPPED", 8)
    given = {"values": np.arange(6, dtype=np.float32).reshape(3, 2), "f": np.asfortranarray(np.ones((2, 3))), "c": "a"}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "some.npz", **given)
        read = files.read_arrays(tmp_path / "some.npz")
        assert isinstance(read["values"], np.memmap) == isinstance(read["f"], np.memmap) == (save is np.savez)
        for name, array in given.items():
            np.testing.assert_array_equal(read[name], array)
            assert not read[name].flags.writeable
    np.savez(tmp_path / "some.npz", **given)
    mapped = files.read_arrays(tmp_path / "some.npz")["values"]
    ids = np.array([4, 5, 6])
    assert np.shares_memory(FeatureTable.from_rows("visual", ids, mapped, ids).values, mapped)
    (tmp_path / "torn.npz").write_bytes((tmp_path / "some.npz").read_bytes()[:-30])
    with pytest.raises(DataError, match=r"torn.npz: is not a readable .npz file"):
        files.read_arrays(tmp_path / "torn.npz")
