"""UBR4CTR: search a user's long archive with a query that is learned, then attend to what was found.

Source: Qin et al., User behavior retrieval for click-through rate prediction (SIGIR 2020); the paper's Table 2 and
section 3.2 (a click is a document of discrete features). A selector chooses by which of the candidate's features to
search: item id, category, one k-means code per modality, and the time slot, which every clock has.

Deviations from the original. Learning of the selector, where the authors' code differs from its formula: the reward
belongs to the action that was drawn, its log-likelihood counts the features left out too, and the reward of the
thresholded action is subtracted, which changes no expectation. Both are scored without the network's dropout. Features
with p >= 0.5 are searched by in evaluation, the likeliest if there is none; no action is drawn there and nothing drops
out. The selector reads the network's vectors detached, and has a vector per feature to tell them apart; it starts at p
near 0.73. An idf counts the catalogue, not clicks (:mod:`hyperctr.baselines.ubr4ctr.retrieval`). Padding has no share
of the attention. No batch normalisation: in the authors' code it kept its first statistics, a part of the next layer's
weights. The network reads dense modality vectors beside the codes' search. An L2 penalty falls on the network alone.
The archive holds the latest clicks, too, which the original leaves out. The network learns for all epochs but two a
round before the selector's first, in the original for one; rounds have a fixed number of epochs, and early stopping
judges the network's ones, for in between it does not know what the new selector finds. Gradients are clipped all
together instead of one by one. The selector's rate in variant table2 is ours, ten times the authors' largest. One logit
instead of two. First layers are split by their inputs, which changes no value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from hyperctr.baselines.common import MLP, in_pieces, masked_softmax, trimmed
from hyperctr.baselines.items import FieldModel
from hyperctr.baselines.ubr4ctr import UBR4CTROptions
from hyperctr.baselines.ubr4ctr.retrieval import CodeIndex, Selector, thresholded, top_records
from hyperctr.config import Config
from hyperctr.model.base import Fitting, Stage, squared_norm
from hyperctr.model.context import Context
from hyperctr.model.history import Targets


def reward(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the relative information gain of each prediction, ``1 - loss / ln 2``, at least -1."""
    loss = functional.binary_cross_entropy_with_logits(logits.float(), labels, reduction="none")
    return (1 - loss / math.log(2)).clamp(min=-1)


class State(NamedTuple):
    """Item fields ``[I, F - 1, k]``, and in evaluation the weight of every search ``[S I, F]``."""

    fields: Tensor
    weights: Tensor | None


class Encoded(NamedTuple):
    """User and slot ``[B, 2 k]``; of the archive: keys ``[B, T, F k]``, codes ``[F - 1, B, T]``, masks ``[B, T]``."""

    known: Tensor
    keys: Tensor
    codes: Tensor
    valid: Tensor
    same_slot: Tensor


class UBR4CTR(FieldModel):
    """Score a candidate by ``MLP([sum_t a_t key_t ; q])`` over the records t that the selector's query finds.

    ``a = softmax(<key_t, W q + b>)``, q = [user ; slot ; candidate].

    Reads ``embedding_size``, ``history_length`` (of the archive), ``attention_heads``, ``hidden``, ``dropout`` and its
    options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        size, slots = config.embedding_size, context.slots
        self.options = UBR4CTROptions.of(config)
        self.names = (*self.items.names, "time slot")
        self.index = CodeIndex(context.data, slots.count)
        self.edges = nn.Buffer(torch.from_numpy(slots.edges[1:-1].copy()), persistent=False)
        self.slot = nn.Parameter(torch.randn(slots.count, size) * 0.1)
        self.selector = Selector(len(self.names), size, config.attention_heads)
        width, key, first = self.items.width, self.items.width + size, config.hidden[0]
        # The query of the attention, and the first layer of the network.
        self.query_known, self.query_item = nn.Linear(2 * size, key), nn.Linear(width, key, bias=False)
        self.from_known, self.from_item = nn.Linear(2 * size, first), nn.Linear(width, first, bias=False)
        self.from_records = nn.Linear(key, first, bias=False)
        rest = MLP(first, config.hidden[1:], dropout=config.dropout)
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(config.dropout), rest)

    # ---- what to search by
    def wishes(self, fields: Tensor, slot: Tensor) -> Tensor:
        """Return the selector's logits ``[..., F]`` for item fields ``[..., F - 1, k]`` in slots ``[...]``."""
        of_slot = functional.embedding(slot, self.slot)[..., None, :]
        return self.selector(torch.cat([fields, of_slot], -2).detach())

    def catalogue(self, fields: Tensor) -> Tensor:
        """Return the selector's logits of all items in all slots, ``[S, I, F]``."""
        slots = torch.arange(len(self.slot), device=fields.device)
        return torch.stack([self.wishes(fields, slot.expand(len(fields))) for slot in slots])

    def refresh(self, dropped: Tensor | None = None) -> State:
        """Return the items' fields and, outside training, all searches; neither reads a click, so none is dropped."""
        fields = self.items()
        if self.training:
            return State(fields, None)
        with torch.no_grad():
            return State(fields, (thresholded(self.catalogue(fields)) * self.index.idf).flatten(0, 1))

    # ---- scoring
    def encode(self, state: State, targets: Targets) -> Encoded:
        """Return the user, the slot and the archive."""
        window = trimmed(self.window(targets))
        slot = torch.bucketize(window.timestamp.contiguous(), self.edges, right=True)
        keys = [functional.embedding(window.items, state.fields.flatten(1)), functional.embedding(slot, self.slot)]
        known = [functional.embedding(targets.user, self.user), functional.embedding(targets.slot, self.slot)]
        codes = self.index.records(window.items, window.valid)
        return Encoded(torch.cat(known, 1), torch.cat(keys, 2), codes, window.valid, window.short)

    def retrieve(self, encoded: Encoded, items: Tensor, weight: Tensor) -> Tensor:
        """Return the records found for candidates ``[B, k]`` by feature weights ``[B, k, F]``: bool ``[B, k, T]``."""
        if self.options.retrieve == "recent":
            latest = torch.arange(encoded.valid.shape[1], device=items.device) < self.options.records
            return (encoded.valid & latest)[:, None].expand(-1, items.shape[1], -1)
        return top_records(self.index(items, weight, encoded.codes, encoded.same_slot), self.options.records)

    def predict(self, state: State, encoded: Encoded, items: Tensor, weight: Tensor) -> Tensor:
        """Return logits ``[B, k]`` of candidates, searched for by feature weights ``[B, k, F]``."""
        known, keys = encoded.known, encoded.keys
        candidate = functional.embedding(items, state.fields.flatten(1))
        query = self.query_known(known)[:, None] + self.query_item(candidate)
        records_found = self.retrieve(encoded, items, weight)
        # Over the whole archive, of which only what was found counts: cheaper than a copy of 20 keys per candidate.
        shares = masked_softmax(torch.bmm(query, keys.transpose(1, 2)), records_found)
        records = torch.bmm(shares.to(keys.dtype), keys)
        first = self.from_known(known)[:, None] + self.from_item(candidate) + self.from_records(records)
        logits: Tensor = self.head(first)
        return logits

    def score(self, state: State, encoded: Encoded, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``; in training the features to search by are drawn."""
        slot = targets.slot[:, None]

        def score(some: Tensor) -> Tensor:
            if state.weights is not None:
                weight = functional.embedding(slot * len(state.fields) + some, state.weights)
            else:
                with torch.no_grad():
                    wishes = self.wishes(state.fields[some], slot.expand_as(some))
                    weight = torch.bernoulli(wishes.sigmoid()) * self.index.idf[some]
            return self.predict(state, encoded, some, weight)

        return in_pieces(score, items, max(encoded.keys.shape[1], self.config.hidden[0]))

    # ---- training
    def fit_plan(self, trainer: Fitting) -> Sequence[Stage]:
        """Return some epochs of the network, then rounds of one of the selector and one of the network."""
        chosen = {id(parameter) for parameter in self.selector.parameters()}

        def network() -> list[Optimizer]:
            return [trainer.optimiser([p for p in self.parameters() if id(p) not in chosen])]

        def selector() -> list[Optimizer]:
            return [trainer.optimiser(self.selector.parameters(), self.options.select_rate)]

        epochs = trainer.config.epochs
        rounds = min(self.options.rounds, (epochs - 1) // 2) if self.options.retrieve == "relevant" else 0
        search = Stage("select", epochs=1, judged=False, optimisers=selector)
        return (
            Stage("predict", epochs=epochs - 2 * rounds, optimisers=network),
            *rounds * (search, Stage("predict", epochs=1, optimisers=network)),
        )

    def training_loss(self, stage: str, targets: Targets, items: Tensor, labels: Tensor) -> Tensor:
        """Return the network's cross-entropy, or what has the policy gradient of the selector's reward."""
        if stage != "select":
            return super().training_loss(stage, targets, items, labels)
        self.head.eval()
        with torch.no_grad():
            state = self.refresh(targets.hidden)
            encoded = self.encode(state, targets)
        wishes = self.wishes(state.fields[items], targets.slot[:, None].expand_as(items))
        with torch.no_grad():
            action, idf = torch.bernoulli(wishes.sigmoid()), self.index.idf[items]
            predictions = (self.predict(state, encoded, items, use * idf) for use in (action, thresholded(wishes)))
            gain, usual = (reward(logits, labels) for logits in predictions)
        self.head.train(self.training)
        likelihood = -functional.binary_cross_entropy_with_logits(wishes, action, reduction="none").sum(-1)
        return -((gain - usual) * likelihood).mean()

    def auxiliary_loss(self, state: State, encoded: Encoded, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the L2 penalty on the weight matrices of attention and network."""
        parts = (self.query_known, self.query_item, self.from_known, self.from_item, self.from_records, self.head)
        weights = [p for part in parts for p in part.parameters() if p.dim() > 1]
        return self.options.l2 * squared_norm(weights) if self.options.l2 else None

    @torch.no_grad()
    def diagnostics(self) -> dict[str, Any]:
        """Return how likely each feature is searched by, on average over all items and slots."""
        likely = self.catalogue(self.items()).sigmoid().mean((0, 1)).tolist()
        return {"searched_by": dict(zip(self.names, (round(p, 4) for p in likely), strict=True))}
