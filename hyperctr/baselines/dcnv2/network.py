"""DCNv2: products of fields by cross layers, beside or below a plain network.

Source: Wang et al., DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank
systems (WWW 2021). The paper has no such row; DCNv2 is what a reader would try today.

Deviations from the original: no mixture of low-rank experts, only a rank; all fields have one width; no moving
average of the parameters. The original knows no history: the visible clicks enter as one mean per field of the items,
so that they can be multiplied with the candidate's fields.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.baselines.common import MLP, in_pieces
from hyperctr.baselines.dcnv2 import DCNv2Options
from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets


class CrossLayer(nn.Module):
    """``x0 * (W x + b) + x``: every entry of the input times a sum over the layer before, and that layer itself.

    Args:
        width: of x0, x and the output, each ``[..., width]``.
        rank: of W; 0 means full.

    >>> layer = CrossLayer(2)
    >>> _ = layer.load_state_dict({"weight.weight": torch.eye(2), "weight.bias": torch.ones(2)})
    >>> layer(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 4.0])).tolist()
    [5.0, 19.0]
    """

    def __init__(self, width: int, rank: int = 0) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, rank, bias=False) if rank else None
        self.weight = nn.Linear(rank or width, width)

    def forward(self, start: Tensor, x: Tensor) -> Tensor:
        """Return the next layer."""
        inner = x if self.narrow is None else self.narrow(x)
        return torch.addcmul(x, start, self.weight(inner))


class DCNv2(FieldModel):
    """Score a candidate by cross layers and a network on ``[user ; candidate's fields ; means of the clicks' fields]``.

    Reads ``embedding_size`` (width of a field), ``history_length``, ``hidden``, ``dropout`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        options = DCNv2Options.of(config)
        width = config.embedding_size + 2 * self.items.width
        self.cross = nn.ModuleList(CrossLayer(width, options.rank) for _ in range(options.cross_layers))
        self.deep = MLP(width, config.hidden, dropout=config.dropout)
        # The output layer of both parts together is the sum of one for each; stacked, the deep part has the last word.
        beside = options.cross_layers > 0 and options.structure == "parallel"
        self.last = nn.Linear(width, 1, bias=False) if beside else None
        self.numbers = max(2 * width, *config.hidden)

    def encode(self, state: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        """Return the user's vector ``[B, k]`` and the mean of the clicks' fields ``[B, F k]``."""
        return functional.embedding(targets.user, self.user), self.mean_click(state, targets)

    def score(self, state: Tensor, encoded: tuple[Tensor, Tensor], targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""

        def score(some: Tensor) -> Tensor:
            user, clicks = (part[:, None].expand(-1, some.shape[1], -1) for part in encoded)
            start = crossed = torch.cat([user, functional.embedding(some, state), clicks], 2)
            for layer in self.cross:
                crossed = layer(start, crossed)
            return self.deep(crossed) if self.last is None else self.deep(start) + self.last(crossed).squeeze(2)

        return in_pieces(score, items, self.numbers)
