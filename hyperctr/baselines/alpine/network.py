"""ALPINE: temporal-graph LSTMs over what was clicked and over what was shown and not clicked.

Source: Li et al., Routing micro-videos via a temporal graph-guided recommendation system; the paper's Table 2 and
section 3.2 (vectors of 64, histories of 300, masked).

Deviations from the original: no third side for liked and followed videos, for no data set here tells likes from clicks,
so the two sides have the weights that the authors use without it; a target with nothing shown and not clicked before it
has the clicks' side alone; states start at zeros instead of learned vectors per place in a batch; padding is masked
everywhere; dropout falls on the prediction networks' hidden layer; batches are shuffled and training stops on
validation AUC. An item is a linear layer on id, category and all modalities instead of one visual vector, and the links
compare at most 64 principal components of every modality, standardised; an absent modality counts as average. Links
are found among the visible clicks, so that a hidden one leaves no trace. A click's link is its nearest predecessor but
the direct one, the oldest of several; without modalities all are equally near.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from hyperctr.baselines.alpine import AlpineOptions
from hyperctr.baselines.common import MLP, MOST_NUMBERS, dot_attention, in_pieces, per_item, trimmed
from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.model.base import squared_norm
from hyperctr.model.context import Context
from hyperctr.model.history import ClickHistory, Targets

COMPONENTS = 64  # of a modality, for distances


class Recurrence(torch.autograd.Function):
    """The steps of :class:`GraphLSTM` with their own backward pass, whose memory grows with T and not with T squared.

    Shapes:
        - gates: ``[T, 2, B, 4 h]``, the inputs' part of both gate sets; weight: ``[2, h, 4 h]``; link: int64
          ``[T, B]``, number of the state that a step is linked with, where 0 is the start and t + 1 follows step t;
          output: states ``[T + 1, B, h]``, the start first.
    """

    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor, link: Tensor, linked_cell: bool) -> Tensor:
        """Return all states."""
        steps, _, batch, _ = gates.shape
        states = gates.new_zeros(steps + 1, batch, weight.shape[1])
        cells = gates.new_zeros(steps + 1, 2, batch, weight.shape[1])
        opened = torch.empty_like(gates)
        row = torch.arange(batch, device=gates.device)
        for t in range(steps):
            past = torch.stack([states[t], states[link[t], row]])
            i, f, g, o = torch.baddbmm(gates[t], past, weight).chunk(4, dim=2)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            cells[t + 1] = i * g + f * _cells_before(cells, t, link[t], row, linked_cell)
            states[t + 1] = (o * cells[t + 1].tanh()).sum(0)
            opened[t] = torch.cat([i, f, g, o], 2)
        ctx.save_for_backward(states, cells, opened, weight, link)
        ctx.linked_cell = linked_cell
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients of gates and weight: back through time along both kinds of links."""
        states, cells, opened, weight, link = ctx.saved_tensors
        of_states, of_cells, of_gates = grad.clone(), torch.zeros_like(cells), torch.empty_like(opened)
        row = torch.arange(states.shape[1], device=states.device)
        for t in reversed(range(len(opened))):
            i, f, g, o = opened[t].chunk(4, dim=2)
            squashed = cells[t + 1].tanh()
            of_cell = of_cells[t + 1] + of_states[t + 1] * o * (1 - squashed**2)
            before = _cells_before(cells, t, link[t], row, ctx.linked_cell)
            of_i, of_f, of_g = of_cell * g * i * (1 - i), of_cell * before * f * (1 - f), of_cell * i * (1 - g**2)
            of_o = of_states[t + 1] * squashed * o * (1 - o)
            of_gates[t] = torch.cat([of_i, of_f, of_g, of_o], 2)
            of_past = torch.bmm(of_gates[t], weight.transpose(1, 2))
            of_states[t] += of_past[0]
            of_states[link[t], row] += of_past[1]
            if ctx.linked_cell:
                of_cells[t, 0] += (of_cell * f)[0]
                of_cells[link[t], 1, row] += (of_cell * f)[1]
            else:
                of_cells[t] += of_cell * f
        past = torch.stack([states[:-1], states[link, row]])
        return of_gates, torch.einsum("gtbh,tgbk->ghk", past, of_gates), None, None


def _cells_before(cells: Tensor, t: int, link: Tensor, row: Tensor, linked_cell: bool) -> Tensor:
    """Return the cells that step t goes on from, ``[2, B, h]``."""
    return torch.stack([cells[t, 0], cells[link, 1, row]]) if linked_cell else cells[t]


class GraphLSTM(nn.Module):
    """An LSTM with a second set of gates that reads the state of a linked earlier step.

    With gate sets A on ``(x_t, h_{t-1})`` and G on ``(x_t, h_link)``, each with a cell c as in an LSTM:
    ``h_t = o_A tanh(c_A) + o_G tanh(c_G)``.

    With ``linked_cell`` the graph cell goes on from the linked step's instead of the previous one's.

    Shapes:
        - table: ``[I, width]``; items: int64 ``[B, T]``, rows of it in the order of time; link: int64 ``[B, T]``, see
          :class:`Recurrence`; output: ``[B, T, width]``.
    """

    def __init__(self, width: int, linked_cell: bool = False) -> None:
        super().__init__()
        self.linked_cell = linked_cell
        # Sets A and G one after the other, each with its gates i, f, g, o.
        self.of_input = nn.Linear(width, 8 * width)
        self.of_state = nn.Parameter(torch.empty(2, width, 4 * width))
        for matrix in (self.of_input.weight.T, *self.of_state):
            for block in matrix.detach().split(width, dim=1):
                nn.init.orthogonal_(block)
        nn.init.ones_(self.of_input.bias)

    def forward(self, table: Tensor, items: Tensor, link: Tensor) -> Tensor:
        """Return the states after every step."""
        gates = per_item(self.of_input, table, items)(items)
        gates = gates.to(self.of_state.dtype).unflatten(2, (2, -1)).permute(1, 2, 0, 3).contiguous()
        with torch.autocast(gates.device.type, enabled=False):
            states: Tensor = Recurrence.apply(gates, self.of_state, link.T.contiguous(), self.linked_cell)  # type: ignore[no-untyped-call]
        return states[1:].transpose(0, 1)


def nearest_earlier(points: Tensor) -> Tensor:
    """Return for each step t the nearest step j <= t - 2, the oldest of equally near ones; 0 for the first two steps.

    Args:
        points: ``[B, T, D]`` in the order of time.

    >>> nearest_earlier(torch.tensor([[[0.0], [5.0], [4.0], [5.0], [0.0]]]))
    tensor([[0, 0, 0, 1, 0]])
    """
    steps, width = points.shape[1:]
    place = torch.arange(steps, device=points.device)
    late = place > place[:, None] - 2
    links = [torch.zeros(0, steps, dtype=torch.int64, device=points.device)]
    for some in points.split(max(1, MOST_NUMBERS // max(1, steps * max(steps, width)))):  # so that memory is bounded
        # Differences, not products: equal points have equal distances, to the bit.
        distance = torch.cdist(some, some, compute_mode="donot_use_mm_for_euclid_dist").masked_fill(late, torch.inf)
        nearest = distance == distance.amin(2, keepdim=True)
        links.append(torch.where(nearest, place, steps).amin(2))
    return torch.cat(links)


def principal_components(data: Dataset, most: int = COMPONENTS) -> NDArray[np.float32]:
    """Return all modalities' standardised features side by side, float32 ``[I, D]``, at most ``most`` of each.

    Every modality enters with the same scale, whatever its width; items that lack it lie at its mean.
    """
    parts = [np.zeros((data.num_items, 1))]
    for table in data.features.values():
        values = table.standardised().values.astype(np.float64) / np.sqrt(table.values.shape[1])
        if values.shape[1] > most:
            values = values @ np.linalg.eigh(values.T @ values)[1][:, -most:]
        parts.append(values)
    return np.concatenate(parts, axis=1).astype(np.float32)


class Alpine(FieldModel):
    """Score a candidate v by ``w s_click([p ; v]) + (1 - w) s_unclick([n ; v])``, each s a network of its own.

    p and n pool the states of two :class:`GraphLSTM` by dot products with v.

    Reads ``embedding_size`` (width of items and states), ``history_length``, ``hidden``, ``dropout`` and its options.
    """

    sees_non_clicks = True

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config, users=False)
        size = config.embedding_size
        self.options = options = AlpineOptions.of(config)
        self.histories: list[tuple[ClickHistory, int]] = [(context.history, config.history_length)]
        if options.non_clicks:
            self.histories.append((context.history.of_non_clicks(), options.non_clicks))
        self.item = nn.Linear(self.items.width, size)
        self.encoders = nn.ModuleList(GraphLSTM(size, options.graph_cell == "linked") for _ in self.histories)
        self.heads = nn.ModuleList(MLP(2 * size, config.hidden, dropout=config.dropout) for _ in self.histories)
        self.points = nn.Buffer(torch.from_numpy(principal_components(context.data)), persistent=False)

    def refresh(self, dropped: Tensor | None = None) -> Tensor:
        """Return the item vectors ``[I, d]``; no graph among users, so nothing is dropped."""
        items: Tensor = self.item(self.items().flatten(1))
        return items

    def encode(self, state: Tensor, targets: Targets) -> list[tuple[Tensor, Tensor]]:
        """Return the states ``[B, T, d]`` and which are real, bool ``[B, T]``, of clicks and of non-clicks."""
        sides = []
        for encoder, (history, length) in zip(self.encoders, self.histories, strict=True):
            window = trimmed(history.window(targets, length).oldest_first())
            link = nearest_earlier(functional.embedding(window.items, self.points)) + 1
            link[:, 0] = 0  # the first step has none: it is linked with the start
            sides.append((encoder(state, window.items, link), window.valid))
        return sides

    def score(self, state: Tensor, encoded: list[tuple[Tensor, Tensor]], targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        weight = state.new_ones(len(items), 1)
        if len(encoded) == 2:
            weight = torch.where(encoded[1][1].any(1, keepdim=True), self.options.click_weight, weight)

        def score(some: Tensor) -> Tensor:
            candidates = functional.embedding(some, state)
            total = candidates.new_zeros(())
            for head, part, (states, valid) in zip(self.heads, (weight, 1 - weight), encoded, strict=False):
                pooled = dot_attention(candidates, states.to(candidates.dtype), valid)
                total = total + part.to(candidates.dtype) * head(torch.cat([pooled, candidates], 2))
            return total

        lengths = (states.shape[1] for states, _ in encoded)
        return in_pieces(score, items, max(*lengths, 2 * state.shape[1], *self.config.hidden))

    def auxiliary_loss(self, state: Any, encoded: Any, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the L2 penalty."""
        weights = (p for p in self.heads.parameters() if p.dim() > 1)
        return self.options.l2 * squared_norm(weights) if self.options.l2 else None
