"""EASE: items predict each other by one ridge regression with a closed form; the baseline that is hard to beat.

Source: Steck, Embarrassingly shallow autoencoders for sparse data. With X the users' training clicks (0 or 1) and
``P = (X'X + lambda I)^-1``, weights are ``B_ij = -P_ij / P_jj`` off the diagonal and 0 on it, and a candidate's score
is the sum of its weights from the items that the target sees.

Deviations from the original: a prediction sums over the clicks that its protocol shows, the newest ``history_length``,
instead of over a user's whole row; the click logit is ``a s + b`` with a > 0 and b learnt like any model's parameters,
which moves the log loss and no ranking. It knows neither modalities nor ids of users. Two stages: the closed form and
the first steps of a and b, whose validation points do not count, and more steps, whose points do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from hyperctr.baselines.common import in_pieces, trimmed
from hyperctr.baselines.ease import EaseOptions
from hyperctr.config import Config
from hyperctr.errors import ConfigError
from hyperctr.model.base import ClickModel, Fitting, Stage
from hyperctr.model.context import Context
from hyperctr.model.history import Targets

MOST_ITEMS = 20_000  # 3 GiB for the matrix to invert


def item_products(user: NDArray[np.int64], item: NDArray[np.int64], num_items: int) -> NDArray[np.float64]:
    """Return X'X: how many users clicked both of two items, float64 ``[I, I]``; a repeated click counts once.

    >>> item_products(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), 2)
    array([[1., 1.],
           [1., 2.]])
    """
    clicked = csr_matrix((np.ones(len(user)), (user, item)), shape=(int(user.max(initial=0)) + 1, num_items))
    clicked.data[:] = 1.0  # scipy adds repeated entries up
    return np.asarray((clicked.T @ clicked).toarray())


def ease_weights(products: NDArray[np.float64], l2: float) -> NDArray[np.float64]:
    """Return the weights B that best predict each item by the others, float64 ``[I, I]``; column j predicts item j.

    By a Cholesky factor, in the memory of one matrix beside the products.
    """
    weights: NDArray[np.float64] = np.array(products, dtype=np.float64)
    np.fill_diagonal(weights, np.diag(weights) + l2)
    # LAPACK reads rows as columns, which a symmetric matrix does not mind, and leaves half of the inverse.
    factor, _ = dpotrf(weights.T, overwrite_a=True, clean=False)
    weights = dpotri(factor, overwrite_c=True)[0]
    for i, row in enumerate(weights):
        weights[i + 1 :, i] = row[i + 1 :]
    weights /= -np.diag(weights)
    np.fill_diagonal(weights, 0.0)
    return np.ascontiguousarray(weights)


def cosine_weights(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine of every two items' clicks, float64 ``[I, I]``; 0 on the diagonal and where nobody clicked."""
    length = np.sqrt(np.maximum(np.diag(products), 1.0))
    weights = products / length / length[:, None]
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


class Ease(ClickModel):
    """Score a candidate i by ``a * (sum of B_ji over the distinct items j that the target sees) + b``.

    Reads ``history_length`` and its options.

    Raises:
        ConfigError: the data set has too many items for a matrix of all pairs.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__()
        count = context.data.num_items
        if count > MOST_ITEMS:
            why = f"{count} items are more than the {MOST_ITEMS} that fit; choose another model, such as lightgcn"
            raise ConfigError(f"model 'ease' keeps a weight for every pair of items: {why}")
        self.context, self.config = context, config
        self.options = EaseOptions.of(config)
        self.weights = nn.Buffer(torch.zeros(count, count))
        self.log_scale, self.shift = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def fit_plan(self, trainer: Fitting) -> Sequence[Stage]:
        """Return the two stages."""
        return (Stage("calibrate", judged=False, begin=self.solve), Stage())

    def solve(self) -> None:
        """Compute the weights from the training clicks, in float64; of items without any, they are 0."""
        history = self.context.history
        clicked, item = np.unique(history.item.cpu().numpy(), return_inverse=True)
        products = item_products(history.user.cpu().numpy(), item, len(clicked))
        cosine, l2 = self.options.weights == "cosine", self.options.l2
        weights = torch.from_numpy(cosine_weights(products) if cosine else ease_weights(products, l2))
        where = torch.from_numpy(clicked).to(self.weights.device)
        self.weights.zero_()
        self.weights[where[:, None], where] = weights.to(self.weights)

    def refresh(self, dropped: Tensor | None = None) -> None:
        """Return nothing: targets share the weights alone, which are fixed like learnt parameters."""

    def encode(self, state: None, targets: Targets) -> tuple[Tensor, Tensor]:
        """Return the items that each target sees, int64 ``[B, T]`` in ascending order, and where they are new ones."""
        window = trimmed(self.context.history.window(targets, self.config.history_length))
        none = len(self.weights)
        items = torch.where(window.valid, window.items, none).sort(1).values
        # An item that was clicked twice counts once, as in X.
        new = (items != none) & (items != torch.cat([torch.full_like(items[:, :1], -1), items[:, :-1]], 1))
        return items.clamp(max=none - 1), new

    def score(self, state: None, encoded: tuple[Tensor, Tensor], targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        (seen, new), scale = encoded, self.log_scale.exp()

        def score(some: Tensor) -> Tensor:
            weights = self.weights[seen[:, :, None], some[:, None]]
            return scale * torch.where(new[:, :, None], weights, 0.0).sum(1) + self.shift

        return in_pieces(score, items, seen.shape[1])
