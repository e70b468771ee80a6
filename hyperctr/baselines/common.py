"""Parts that several systems share: networks, masked pooling, attentions, and scoring candidates in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.model.history import Window

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "prelu": nn.PReLU, "sigmoid": nn.Sigmoid}
MOST_NUMBERS = 2**24  # in one intermediate tensor: 64 MiB of float32
IN_CACHE = 2**20  # the same on a CPU, where what a piece makes is read again before it leaves the cache


class Layer(nn.Module):
    """A module that returns a tensor, which a type checker cannot know of other modules."""

    __call__: Callable[..., Tensor]


class MLP(Layer):
    """Linear layers with an activation and dropout between them; the last layer is linear and gives one logit.

    The activation is ``relu``, ``prelu`` or ``sigmoid``.

    Shapes:
        - x: ``[..., width]``; output: ``[...]``.
    """

    def __init__(self, width: int, hidden: Sequence[int], *, dropout: float = 0.0, activation: str = "relu") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Linear(width, size), ACTIVATIONS[activation](), nn.Dropout(dropout)]
            width = size
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return torch.squeeze(self.layers(x), -1)


class PairMLP(Layer):
    """An :class:`MLP` on ``[user ; item]`` whose first layer is split, so that 1000 candidates cost little.

    Dropout falls on both inputs and after each of the hidden layers, of which there is at least one.

    Shapes:
        - user: ``[B, user_width]``; table: ``[I, item_width]``; items: int64 ``[B, n]``; output: ``[B, n]``.
    """

    def __init__(self, user_width: int, item_width: int, hidden: Sequence[int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.width, self.drop = hidden[0], nn.Dropout(dropout)
        self.from_user = nn.Linear(user_width, hidden[0])
        self.from_item = nn.Linear(item_width, hidden[0], bias=False)
        self.rest = MLP(hidden[0], hidden[1:], dropout=dropout)

    def forward(self, user: Tensor, table: Tensor, items: Tensor) -> Tensor:
        """Return logits of the items as numbers of rows of ``table``."""
        user = self.from_user(self.drop(user))[:, None]
        # Only without dropout is an item's part the same wherever it is a candidate.
        item = per_item(lambda rows: self.from_item(self.drop(rows)), table, items, once=not self.training)
        return in_pieces(lambda some: self.rest(self.drop(torch.relu(user + item(some)))), items, self.width)


def per_item(
    layer: Callable[[Tensor], Tensor], table: Tensor, items: Tensor, *, once: bool = True
) -> Callable[[Tensor], Tensor]:
    """Return a function of some of the items, rows of ``table``, that looks them up and applies a layer.

    Where they are more than the rows, the layer is applied once a row, unless ``once`` is false.
    """
    if not once or items.numel() <= len(table):
        return lambda some: layer(functional.embedding(some, table))
    shared = layer(table)
    return lambda some: functional.embedding(some, shared)


def in_pieces(score: Callable[[Tensor], Tensor], items: Tensor, numbers: int, most: int = 0) -> Tensor:
    """Return ``score(items)`` computed for some candidates of all targets at a time, so that memory stays bounded.

    Args:
        score: items ``[B, k]`` to logits ``[B, k]``, each candidate on its own; both may be vectors instead.
        items: ``[B, n]``.
        numbers: how many numbers the largest intermediate tensor holds per target and candidate, such as ``T * d``.
        most: how many it may hold in all; 0: what suits the device.

    >>> in_pieces(lambda items: items * 2.0, torch.tensor([[1, 2, 3]]), numbers=10, most=20)
    tensor([[2., 4., 6.]])
    """
    most = most or (MOST_NUMBERS if items.is_cuda else IN_CACHE)
    size = max(1, most // max(1, len(items) * numbers))
    if items.shape[1] <= size:
        return score(items)
    return torch.cat([score(part) for part in items.split(size, dim=1)], dim=1)


def by_length(make: Callable[[Tensor, int], Tensor], lengths: Tensor, most: int, groups: int = 8) -> Tensor:
    """Return ``make(rows, longest)`` computed for targets of similar length at a time, so that padding costs little.

    Args:
        make: some targets int64 ``[b]`` and the longest of their lengths, at least 1, to ``[b, ...]``.
        lengths: int64 ``[B]``, how much of each is not padding.
        most: the greatest length. On a GPU, where small steps cost more than padding, all targets go at once with it.
        groups: how many to make of them.

    >>> by_length(lambda rows, longest: rows * 10 + longest, torch.tensor([3, 0, 2, 1]), 5, groups=2)
    tensor([ 3, 11, 23, 31])
    """
    if lengths.is_cuda or len(lengths) < groups:
        return make(torch.arange(len(lengths), device=lengths.device), most)
    order = lengths.argsort(stable=True)
    made = torch.cat([make(rows, max(1, int(lengths[rows[-1]]))) for rows in order.tensor_split(groups)])
    return made.index_select(0, order.argsort())


def trimmed(window: Window) -> Window:
    """Return the window without the columns that are padding in all rows; one stays at least."""
    longest = max(1, int(window.valid.any(0).sum()))
    parts = (window.items, window.valid, window.short, window.position, window.timestamp)
    return Window(*(part[:, :longest] for part in parts))


def pairwise_loss(logits: Tensor) -> Tensor:
    """Return BPR's loss of logits ``[B, 1 + n]``: the mean of ``-log sigmoid(clicked - negative)`` over all pairs.

    >>> pairwise_loss(torch.tensor([[1.0, 0.0, 2.0]]))
    tensor(0.8133)
    """
    return functional.softplus(logits[:, 1:] - logits[:, :1]).mean()


def masked_softmax(scores: Tensor, valid: Tensor, dim: int = -1) -> Tensor:
    """Return the softmax over the valid entries; the others get 0, and so do all where none is valid."""
    weight = scores.masked_fill(~valid, torch.finfo(scores.dtype).min).softmax(dim)
    return weight.masked_fill(~valid, 0.0)  # they have it already where another is valid


def masked_sum(x: Tensor, valid: Tensor) -> Tensor:
    """Return the sum of the valid rows of ``[B, T, d]``, ``[B, d]``; zeros where none is valid."""
    return torch.where(valid[..., None], x, 0.0).sum(1)


def masked_mean(x: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of the valid rows of ``[B, T, d]``, ``[B, d]``; zeros where none is valid."""
    return masked_sum(x, valid) / valid.sum(1, keepdim=True).clamp(min=1).to(x.dtype)


def dot_attention(query: Tensor, keys: Tensor, valid: Tensor) -> Tensor:
    """Pool keys ``[B, T, d]`` by scaled dot products with each query ``[B, n, d]``: ``[B, n, d]``, zeros if none."""
    scores = torch.bmm(query, keys.transpose(1, 2)) / keys.shape[-1] ** 0.5
    return torch.bmm(masked_softmax(scores, valid[:, None].expand_as(scores)), keys)


class DINAttention(Layer):
    """Pool a history by a small network on ``[q, k, q - k, q * k]``, as in Deep Interest Network.

    Without ``softmax`` the weights are used as they come instead of normalised over the history.

    Shapes:
        - query: ``[B, n, d]``; keys: ``[B, T, d]``; valid: bool ``[B, T]``; output: ``[B, n, d]``, zeros where no key
          is valid.
    """

    def __init__(self, width: int, hidden: Sequence[int] = (80, 40), *, softmax: bool = True) -> None:
        super().__init__()
        self.softmax, self.width = softmax, width
        self.first = nn.Linear(4 * width, hidden[0])
        self.rest = MLP(hidden[0], hidden[1:], activation="sigmoid")

    def forward(self, query: Tensor, keys: Tensor, valid: Tensor) -> Tensor:
        """Return one pooled vector per query."""
        # W [q; k; q - k; q * k] = (Wq + Wd) q + (Wk - Wd) k + Wp (q * k): no [B, n, T, 4 d] is ever made.
        of_query, of_key, of_difference, of_product = self.first.weight.split(self.width, dim=1)
        key_part = functional.linear(keys, of_key - of_difference, self.first.bias)[:, None]

        def pool(query: Tensor) -> Tensor:
            query_part = functional.linear(query, of_query + of_difference)[:, :, None]
            hidden = functional.linear(query[:, :, None] * keys[:, None], of_product) + query_part + key_part
            scores = self.rest(torch.sigmoid(hidden))
            mask = valid[:, None].expand_as(scores)
            weight = masked_softmax(scores, mask) if self.softmax else scores.masked_fill(~mask, 0.0)
            return torch.bmm(weight, keys)

        return in_pieces(pool, query, keys.shape[1] * max(self.width, len(of_product)))


class VectorAttention(Layer):
    """Additive attention with a weight per position AND feature: ``softmax(ReLU(X W1 + Q W2 + b1) W3 + b3)``.

    Dropout falls after the ReLU.

    Shapes:
        - x: ``[..., m, width]``; query: ``[..., m, width]`` or ``[..., 1, width]``; valid: bool ``[..., m]``; output:
          ``[..., width]``, zeros where nothing is valid.
    """

    def __init__(self, width: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.of_x = nn.Linear(width, width)
        self.of_query = nn.Linear(width, width, bias=False)
        self.drop, self.last = nn.Dropout(dropout), nn.Linear(width, width)

    def scores(self, x: Tensor, query: Tensor) -> Tensor:
        """Return the scores before the softmax; each position's depends on that position and the query alone."""
        scores: Tensor = self.last(self.drop(torch.relu(self.of_x(x) + self.of_query(query))))
        return scores

    def forward(self, x: Tensor, query: Tensor, valid: Tensor) -> Tensor:
        """Return the pooled vector."""
        return vector_sum(self.scores(x, query), x, valid)


def vector_sum(scores: Tensor, x: Tensor, valid: Tensor) -> Tensor:
    """Return the sum over m of x ``[..., m, d]`` by the softmax of scores ``[..., m, d]`` over the valid positions."""
    valid = valid[..., None].expand_as(scores)
    return (masked_softmax(scores, valid, dim=-2) * torch.where(valid, x, 0.0)).sum(-2)
