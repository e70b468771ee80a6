"""Somebody else's model for the notebook on exported pairs: with the public library, and what stands in without it."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from hyperctr.baselines.public import item_cosine, train_public_model


def some_clicks() -> pd.DataFrame:
    """Two circles of users, each with items of its own; a user who clicked twice counts once."""
    rows = [(user, item) for user in range(12) for item in range(10) if (user + item) % 2 == 0 and (user * item) % 5]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id"]).astype({"user_id": str})
    return pd.concat([frame, frame.iloc[:5]], ignore_index=True)


def test_item_cosine_is_the_cosine_summed_over_clicks() -> None:
    clicked = (np.random.default_rng(0).random((7, 5)) < 0.5).astype(float)
    clicked[0] = 1
    norm = np.sqrt((clicked**2).sum(axis=0))
    cosine = np.array([[clicked[:, i] @ clicked[:, j] / norm[i] / norm[j] for i in range(5)] for j in range(5)])
    expected = [[sum(cosine[i, j] for j in np.flatnonzero(row)) for i in range(5)] for row in clicked]
    np.testing.assert_allclose(item_cosine(csr_matrix(clicked)), expected, rtol=1e-12)


@pytest.mark.parametrize("installed", [False, True])
def test_it_learns_who_clicks_what_and_knows_nothing_of_strangers(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if installed:
        pytest.importorskip("implicit")
    else:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    clicks = some_clicks()
    model, again = train_public_model(clicks), train_public_model(clicks)
    assert model.name == ("implicit ALS" if installed else "item cosine")
    assert ("pip install 'hyperctr[rivals]'" in model.words) is not installed
    pairs = pd.DataFrame([("2", 6), ("2", 7), ("2", 99), ("x", 6)], columns=["user_id", "item_id"])
    own, other, *strange = model.score(pairs)
    assert own > other and strange == [0.0, 0.0]
    np.testing.assert_array_equal(model.scores, again.scores)
    once = train_public_model(clicks.drop_duplicates())
    np.testing.assert_array_equal(model.scores, once.scores)
