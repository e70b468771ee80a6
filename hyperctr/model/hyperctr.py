"""The HyperCTR model: temporal attention, hypergraph convolution per slot, fusion, prediction (paper, section 2.2).

Scoring runs in three stages so that work is shared: :meth:`HyperCTR.refresh` convolves the hypergraphs once for a
batch, :meth:`HyperCTR.encode` makes the tokens of each target's history, :meth:`HyperCTR.score` lets any number of
candidates attend over them. All that stands between attention and the prediction network is linear, and its first layer
is split into a user and an item part, which is what makes 1000 candidates per click cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.model.attention import SequenceEncoder, Tokens
from hyperctr.model.base import ClickModel
from hyperctr.model.context import Context
from hyperctr.model.dropout import dropout
from hyperctr.model.embedding import ItemEncoder
from hyperctr.model.fusion import TensorFusion
from hyperctr.model.history import Targets
from hyperctr.model.slot_convolution import ITEM, USER, Inputs, PairVectors, SlotConvolution, SlotVectors
from hyperctr.sparse_adam import lookup, settled

if TYPE_CHECKING:
    from hyperctr.config import Config
    from hyperctr.hypergraph.interest import Interest

PAIRS_AT_A_TIME = 8192  # of target and candidate, compared at once on a CPU


@dataclass(frozen=True)
class State:
    """What all targets of a batch share.

    Attributes:
        static_items: ``[I, d]``; None computes only the items that are looked up.
        slots: convolved vectors; None without graphs.
    """

    static_items: Tensor | None
    slots: SlotVectors | PairVectors | None


@dataclass(frozen=True)
class Encoded:
    """What a candidate is compared with.

    Attributes:
        tokens: of the targets' histories, similar lengths together.
        group: group-aware embeddings, ``[B, d]``.
        matching: with the setting of that name, the vector to match, ``[B, d]``.
    """

    tokens: list[Tokens]
    group: Tensor
    matching: Tensor | None


class HyperCTR(ClickModel):
    """Predict the click logit of (user, time, item); see the module docstring for the three stages.

    Embeddings and projections start from those of ``interest``; without it they are Gaussian.

    Paper: section 2.2, Eq. 1-8.
    """

    needs_interest = True

    def __init__(self, context: Context, config: Config, interest: Interest | None = None) -> None:
        super().__init__()
        data, size = context.data, config.embedding_size
        self.context, self.config = context, config
        self.user_embedding = nn.Parameter(torch.randn(data.num_users, size) * 0.1)
        self.items = ItemEncoder(data, size)
        self.sequence = SequenceEncoder(
            size, config.attention_heads, config.attention_layers, config.history_length, config.dropout
        )
        self.convolution = SlotConvolution(context.graphs, config)
        self.fusion = TensorFusion(size)
        self.query = nn.Linear(size, size, bias=False)
        first, second = config.hidden
        self.from_user = nn.Linear(size, first)
        self.from_item = nn.Linear(size, first, bias=False)
        self.second, self.last = nn.Linear(first, second), nn.Linear(second, 1)
        if interest is not None:
            self._start_from(interest)
        with torch.no_grad():  # of whom nothing is known: not a draw at random, and no step will change it
            self.user_embedding[~context.history.has_clicks().cpu()] = 0.0

    def _start_from(self, interest: Interest) -> None:
        """Start embeddings and projections where the pre-training ended, rescaled to the usual Gaussian's spread.

        An item vector of 1, from which no e_i is far, leaves ``<(W_m^T 1) * (P_m a), e_u>`` of the critic: what brings
        an attribute to a user is P_m, its columns scaled by ``W_m^T 1``. What has another size, or is all alike (no
        pre-training), is left as drawn.
        """
        pairs: list[tuple[Tensor, NDArray[np.float32]]] = [
            (self.user_embedding, interest.user_embedding - interest.user_embedding.mean(0)),
            (self.items.embedding, interest.item_embedding - interest.item_embedding.mean(0)),
        ]
        for name, projection in interest.projections.items():
            scaled = projection * interest.weights[name].sum(0)
            pairs.append((cast(nn.Linear, self.items.projection[name]).weight, scaled.T))
        with torch.no_grad():
            for parameter, learned in pairs:
                if learned.shape == tuple(parameter.shape) and np.ptp(learned, axis=0).any():
                    values = torch.from_numpy(np.ascontiguousarray(learned))
                    parameter.copy_(0.1 * values / values.std())

    def tables(self) -> tuple[nn.Parameter, ...]:
        """Return the embeddings of users and items."""
        return self.user_embedding, self.items.embedding

    # ---- stage 1: what a batch shares
    def inputs(self, static: Tensor | None = None) -> Inputs:
        """Return what enters the convolution: embeddings of users, static vectors of items, which may be known."""
        return (
            lambda users: functional.embedding(users, settled(self.user_embedding)),
            lambda items: self.items.look_up(items) if static is None else functional.embedding(items, static),
        )

    def refresh(self, dropped: Tensor | None = None) -> State:
        """Convolve the hypergraphs of all slots, without the training clicks ``dropped`` (numbers 0..C-1)."""
        static = self.items()
        return State(static, self.convolution(self.inputs(static), dropped))

    def begin_round(self, clicks: Tensor, steps: int) -> None:
        """Convolve once for the next steps; see :meth:`SlotConvolution.begin_round`."""
        if steps > 1:
            self._settle()
        self.convolution.begin_round(self.inputs(), clicks, steps)

    def end_round(self) -> None:
        """Add the gradients of the round's steps with respect to its convolution to those of the parameters."""
        if self.convolution.round is not None:
            self._settle()
        self.convolution.end_round(self.inputs())

    def _settle(self) -> None:
        """Bring the embeddings up to date: all of them, whichever slots this process convolves."""
        for table in self.tables():
            settled(table)

    def training_state(self, targets: Targets) -> State:
        """Return what the step of ``targets`` shares: the round's convolution, or one without their own clicks."""
        if self.convolution.round is None and self.convolution.graphs is not None:
            return self.refresh(targets.hidden)
        vectors = None if self.convolution.round is None else self.convolution.round.vectors
        few = len(targets) * self.config.history_length < len(self.items.embedding)
        return State(None if few else self.items(), vectors)

    # ---- stage 2: tokens of each target
    def encode(self, state: State, targets: Targets) -> Encoded:
        """Return what all candidates of a target share."""
        user = lookup(self.user_embedding, targets.user)
        window = self.context.history.window(targets, self.config.history_length)
        known = None  # targets whose user is not hidden; None: all
        if self.training and self.config.user_dropout:
            known = torch.rand(len(targets), device=user.device) >= self.config.user_dropout
            user, window = user * known[:, None], window.only(known)
        table, index = self._static_table(state, window.items)
        # Step 1: tokens of the clicks, by length. -> [b, W, d]   (Eq. 1-4)
        tokens = self.sequence(user, table, index, window, targets.timestamp)
        # Step 2: group-aware embedding E_g^{t_n}. -> [B, d]   (Eq. 5)
        group = self.convolution.look_up(state.slots, USER, targets.user, targets.slot, user)
        group = group if known is None else group * known[:, None]
        matching = user + window.summed(table, index) if self.config.matching else None
        return Encoded(tokens, group, matching)

    def _static_table(self, state: State, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return static vectors ``[k, d]`` among which those of the items are, and where, int64 as ``items``."""
        return self.items.table_of(items) if state.static_items is None else (state.static_items, items)

    # ---- stage 3: candidates
    def item_vectors(self, state: State, items: Tensor, slot: Tensor) -> Tensor:
        """Return static plus convolved item vectors ``[n, d]`` for items ``[n]`` as seen from slots ``[n]``."""
        table, index = self._static_table(state, items)
        static = functional.embedding(index, table)
        if self.convolution.graphs is None:
            return static
        return static + self.convolution.look_up(state.slots, ITEM, items, slot, static)

    def score(self, state: State, encoded: Encoded, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]`` of the candidates ``items`` (int64 ``[B, n]``).

        Paper: Eq. 7, its sigmoid left to the loss.
        """
        if not len(targets):
            return items.new_zeros(items.shape, dtype=torch.float32)
        slots = targets.slot[:, None].expand_as(items)
        table, index = self._item_table(state, items, slots)
        query, first = self.query(table), self.from_item(table)
        targets_by_length = [part.target for part in encoded.tokens if part.target is not None]
        order = torch.cat(targets_by_length) if targets_by_length else None
        group = encoded.group
        if order is not None:  # targets of similar length together, as their tokens are
            index, group = index.index_select(0, order), group.index_select(0, order)
        sizes = [len(part.values) for part in encoded.tokens]
        parts = zip(encoded.tokens, index.split(sizes), group.split(sizes), strict=True)
        # All that stands between attention and the hidden layer is linear in the tokens, so the fewer of tokens and
        # candidates go through the fusion.   (Eq. 1-4, 6)
        if items.shape[1] > self.config.history_length:
            logits = torch.cat([self._compare_many(part, rows, g, query, first) for part, rows, g in parts])
        else:
            seen = torch.cat([part.attended(functional.embedding(rows, query), part.values) for part, rows, _ in parts])
            logits = self._compare(self._from_user(seen, group), functional.embedding(index, first))
        if order is not None:
            logits = logits.index_select(0, order.argsort())
        if encoded.matching is not None:
            logits = logits + self._matched(state, items, encoded.matching)
        return logits

    def _compare_many(self, tokens: Tokens, index: Tensor, group: Tensor, query: Tensor, first: Tensor) -> Tensor:
        """Return logits ``[b, n]`` of many candidates a target; ``index`` [b, n] is their place in both tables.

        On a CPU some targets are compared at a time, so that their hidden layer stays in the cache.
        """
        step = max(1, (PAIRS_AT_A_TIME if index.device.type == "cpu" else index.numel()) // max(index.shape[1], 1))
        logits = []
        for some, rows, g in zip(tokens.split(step), index.split(step), group.split(step), strict=True):
            user = some.attended(functional.embedding(rows, query), self._from_user(some.values, g))
            logits.append(self._compare(user, functional.embedding(rows, first)))
        return torch.cat(logits)

    def _matched(self, state: State, items: Tensor, vector: Tensor) -> Tensor:
        """Return the product of each candidate's static vector with the target's ``vector`` [B, d], ``[B, n]``."""
        table, index = self._static_table(state, items)
        return torch.bmm(functional.embedding(index, table).to(vector.dtype), vector[:, :, None]).squeeze(2)

    def _from_user(self, sequential: Tensor, group: Tensor) -> Tensor:
        """Return the user part of the first layer ``[B, n, D1]`` from sequential and group-aware embeddings."""
        fused = self.fusion(sequential, self.fusion.contract(group))
        part: Tensor = self.from_user(dropout(fused, self.config.dropout, self.training))
        return part

    def _compare(self, from_user: Tensor, from_item: Tensor) -> Tensor:
        """Return logits ``[B, n]`` from both parts of the first layer, ``[B, n, D1]``; the item's is overwritten."""
        hidden = from_item.add_(from_user).relu_()
        hidden = dropout(hidden, self.config.dropout, self.training)
        logits: Tensor = self.last(self.second(hidden).relu_()).squeeze(-1)
        return logits

    def _item_table(self, state: State, items: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
        """Return item vectors ``[k, d]`` and, for each candidate, which of them is its own, ``[B, n]``.

        Many candidates per slot share few (item, slot) combinations, so each is computed once.
        """
        num_items = self.context.data.num_items
        if items.numel() < num_items or (self.training and items.is_cuda):  # a GPU would be waited for
            flat = self.item_vectors(state, items.flatten(), slots.flatten())
            return flat, torch.arange(items.numel(), device=items.device).view_as(items)
        key, index = torch.unique(slots * num_items + items, return_inverse=True)
        return self.item_vectors(state, key % num_items, key // num_items), index
