"""Statistics by value on the literal hypergraphs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperctr.hypergraph import stats


def test_nodes_and_hyperedges(modal):
    assert stats.nodes(modal).as_frame()["hyperedges"].tolist() == [2, 3, 1, 1, 0]
    np.testing.assert_allclose(stats.nodes(modal).as_frame()["degree"], [1.75, 1.85, 1.0, 0.1, 0.0], rtol=1e-6)
    frame = stats.hyperedges(modal).as_frame()
    assert frame.index.name == "hyperedge"
    assert frame["size"].tolist() == [3, 2, 2, 0]
    assert frame["modality"].tolist() == ["visual", "visual", "acoustic", "acoustic"]
    assert frame["label"].tolist() == [7, 9, 7, 9]


def test_modalities_ignore_empty_hyperedges(modal):
    frame = stats.modalities(modal).as_frame()
    assert frame.loc["visual"].round(6).to_dict() == {
        "hyperedges": 2,
        "incidences": 5,
        "covered": 0.8,
        "mean_size": 2.5,
        "max_size": 3,
        "mean_weight": 0.55,
    }
    assert frame.loc["acoustic"].round(6).to_dict() == {
        "hyperedges": 1,
        "incidences": 2,
        "covered": 0.4,
        "mean_size": 2.0,
        "max_size": 2,
        "mean_weight": 0.75,
    }


def test_overlap_counts_who_stands_where_in_both(modal):
    # visual (0,7) (1,7) (2,7) (1,9) (3,9); acoustic (0,7) (1,7): two of five
    np.testing.assert_allclose(stats.overlap(modal).as_frame(), [[1.0, 0.4], [0.4, 1.0]])
    assert stats.overlap(modal).as_frame().loc["visual", "acoustic"] == 0.4


def test_summary_has_a_row_per_slot_and_modality(modal, empty):
    frame = stats.summary([empty, modal])
    assert list(zip(frame["slot"], frame["modality"], strict=True)) == [(0, "group 0"), (3, "visual"), (3, "acoustic")]
    assert frame["incidences"].tolist() == [0, 5, 2]
    assert np.isnan(frame["mean_size"][0])
    assert isinstance(stats.summary([]), pd.DataFrame)
