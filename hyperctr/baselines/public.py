"""Somebody else's model, for the notebook on exported pairs: ALS of the public library ``implicit`` (extra ``rivals``).

It sees what anybody sees who has the exported files: training clicks and pairs, nothing of this library. Where
``implicit`` is not installed, a cosine of items stands in for it.
"""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

# Of ALS. 4 to 64 factors, and confidences of 1, 10 and 40, were tried on the validation pairs of ml-trailers.
FACTORS, ITERATIONS, CONFIDENCE = 8, 15, 10.0


@dataclass(frozen=True)
class PublicModel:
    """A trained model: a score for any user and item among the training clicks; 0 for others.

    Attributes:
        name: what was trained.
        words: a sentence about it.
        scores: float64 [users, items], of the ids in ``users`` and ``items``.
    """

    name: str
    words: str
    scores: NDArray[np.float64]
    users: pd.Index
    items: pd.Index

    def score(self, pairs: pd.DataFrame) -> NDArray[np.float64]:
        """Return the scores of pairs, ``[n]`` in their order, of columns ``user_id, item_id``."""
        user = self.users.get_indexer(pd.Index(pairs["user_id"]))
        item = self.items.get_indexer(pd.Index(pairs["item_id"]))
        return np.where((user >= 0) & (item >= 0), self.scores[user, item], 0.0)


def train_public_model(clicks: pd.DataFrame, seed: int = 0) -> PublicModel:
    """Train ALS of ``implicit`` on clicks (``user_id, item_id``), or compute the cosine of items without it.

    All scores are held at once, 8 bytes for each user and item.

    >>> clicks = pd.DataFrame({"user_id": ["u", "u", "v"], "item_id": [1, 2, 2]})
    >>> model = train_public_model(clicks)
    >>> scores = model.score(pd.DataFrame({"user_id": ["v", "w"], "item_id": [1, 1]}))
    >>> scores.shape, float(scores[1])
    ((2,), 0.0)
    """
    user, users = pd.factorize(clicks["user_id"], sort=True)
    item, items = pd.factorize(clicks["item_id"], sort=True)
    clicked = csr_matrix((np.ones(len(user), np.float32), (user, item)))
    clicked.data[:] = 1.0  # once, however often
    known = {"users": pd.Index(users), "items": pd.Index(items)}
    if importlib.util.find_spec("implicit") is None:
        words = "The library `implicit` is not installed (`pip install 'hyperctr[rivals]'`): a cosine of items instead."
        return PublicModel("item cosine", words, item_cosine(clicked), **known)
    from implicit.als import AlternatingLeastSquares

    with warnings.catch_warnings():  # that BLAS has threads of its own
        warnings.simplefilter("ignore", RuntimeWarning)
        model = AlternatingLeastSquares(
            factors=FACTORS, iterations=ITERATIONS, alpha=CONFIDENCE, random_state=seed, num_threads=1, use_gpu=False
        )
        model.fit(clicked, show_progress=False)
    words = f"ALS of `implicit`, {FACTORS} factors, {ITERATIONS} iterations, confidence {CONFIDENCE:g}."
    return PublicModel(
        "implicit ALS", words, np.asarray(model.user_factors @ model.item_factors.T, np.float64), **known
    )


def item_cosine(clicked: csr_matrix) -> NDArray[np.float64]:
    """Score an item by its cosines to what the user clicked, summed, ``[users, items]``.

    >>> item_cosine(csr_matrix([[1.0, 1.0], [0.0, 1.0]])).round(3).tolist()
    [[1.707, 1.707], [0.707, 1.0]]
    """
    counts = np.asarray(clicked.sum(axis=0)).ravel()
    unit = clicked.multiply(1 / np.sqrt(counts)).tocsr()  # every item's column has length 1
    return np.asarray((clicked @ (unit.T @ unit)).toarray(), dtype=np.float64)
