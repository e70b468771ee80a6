"""MIMN: a neural Turing memory with balanced writing and a recurrent channel per slot, read out for the candidate.

Source: Pi et al., Practice on long sequential user behavior modeling for click-through rate prediction; the paper's
Table 2 and section 3.2 (network of 200 and 80, embeddings of 16, induction unit of 32).

Deviations from the original, mostly mends of its code: padding changes no state; the channels keep their states, where
the code lost all but the last touched; writes are balanced by the published formula instead of the code's shift and
sharpening, and scaled to add up to 1 again; the penalty is a mean over targets; no auxiliary loss on the next click, as
published; no batch normalisation; the memory starts at zeros instead of noise of 1e-5; the heads see no usage and are
not clipped, gradients are; weights start as the framework's; the learning rate is constant; the channels see a slot as
it is after the step's write. As in the code, and unlike the published formula, an address compares a key with a learned
key of each slot as well as with what the slot holds, without which empty slots would be all the same. The fields of an
item become one vector of the memory's width by a linear layer; dropout falls on the network's hidden layers only.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from hyperctr.baselines.common import MLP, DINAttention, in_pieces, masked_sum, trimmed
from hyperctr.baselines.items import FieldModel
from hyperctr.baselines.mimn import MimnOptions
from hyperctr.config import Config
from hyperctr.model.context import Context
from hyperctr.model.history import Targets


class Trace(NamedTuple):
    """What a history leaves behind; ``held`` is without gradient."""

    past: Tensor  # [B, 2 d], the controller's state and what was read last
    slots: Tensor  # [B, m, d], the memory
    usage: Tensor  # [B, m], sums of the write weights
    added: Tensor  # [B, d], sum of what was written
    channel: Tensor  # int64 [B, T], the slot that each step read most of
    held: Tensor  # [B, T, d], what that slot held after the step's write


class Memory(nn.Module):
    """Controller, read head and write head over m slots.

    Per step, with the controller ``h_t = GRU([x_t ; r_{t-1}], h_{t-1})``, whose linear layer gives two keys k, an
    erase vector e, an added vector a and strengths b: ``w = softmax_i((softplus(b) + 1) (cos(k, K_i) + cos(k, M_i)))``,
    for writing times ``P = softmax(W g)`` and scaled to 1 (with ``balance``); ``r_t = sum w_i M_i``;
    ``M_i <- M_i (1 - w_i e) + w_i a``; ``g <- g + w``.

    Shapes:
        - gates: ``[B, T, 3 d]`` from :meth:`gates`; valid: bool ``[B, T]``; output: :class:`Trace`.
    """

    def __init__(self, width: int, slots: int, balance: bool = True) -> None:
        super().__init__()
        self.width = width
        self.cell = nn.GRUCell(2 * width, width)
        self.heads = nn.Linear(width, 4 * width + 2)  # read key, write key, added, erase, strengths
        self.keys = nn.Parameter(torch.tanh(torch.randn(slots, width) * 0.5))
        self.start = nn.Parameter(torch.randn(width) * 0.1)
        self.balance = nn.Linear(slots, slots, bias=False) if balance else None
        self.output = nn.Linear(2 * width, width)

    def gates(self, x: Tensor) -> Tensor:
        """Return the inputs' part of the controller's gates, ``[..., 3 d]``."""
        return functional.linear(x, self.cell.weight_ih[:, : self.width], self.cell.bias_ih)

    def shared(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return what all steps share: weight and bias of ``[h ; r]``'s part of the gates, and the keys' directions.

        That part is ``[..., 4 d]``: of both gates, of the new state from r, and of the new state from h.
        """
        d, of_past = self.width, torch.cat([self.cell.weight_hh, self.cell.weight_ih[:, self.width :]], 1)
        new = torch.block_diag(of_past[2 * d :, :d], of_past[2 * d :, d:]).roll(d, 0)
        both, last = self.cell.bias_hh.split([2 * d, d])
        return (
            torch.cat([of_past[: 2 * d], new]),
            torch.cat([both, torch.zeros_like(last), last]),
            _direction(self.keys),
        )

    def control(self, gates: Tensor, past: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return the controller's next state ``[..., d]`` from gates ``[..., 3 d]`` and past ``[h ; r]``."""
        d = self.width
        (both, new), hidden = gates.split([2 * d, d], -1), past[..., :d]
        by_past, by_read, by_hidden = functional.linear(past, weight, bias).split([2 * d, d, d], -1)
        reset, update = torch.sigmoid(both + by_past).chunk(2, -1)
        return torch.lerp(torch.tanh(torch.addcmul(new + by_read, reset, by_hidden)), hidden, update)

    def address(self, keys: Tensor, strength: Tensor, slots: Tensor, fixed: Tensor) -> Tensor:
        """Return weights before the softmax ``[B, n, m]`` of keys ``[B, n, d]`` with strengths ``[B, n]``."""
        # cos(k, K) + cos(k, M) is one product of directions; the 1/2 of their mean cancels the 2 of the strength.
        directions = (_direction(slots) + fixed).transpose(1, 2)
        return torch.bmm(_direction(keys), directions) * (functional.softplus(strength) + 1)[..., None]

    def forward(self, gates: Tensor, valid: Tensor) -> Trace:
        """Read a history in the order of time; steps that are not valid change nothing."""
        batch, d, m = len(gates), self.width, len(self.keys)
        past = torch.cat([gates.new_zeros(batch, d), torch.tanh(self.start).expand(batch, d)], 1)
        slots, usage = gates.new_zeros(batch, m, d), gates.new_zeros(batch, m)
        row, (weight, bias, fixed) = torch.arange(batch, device=gates.device), self.shared()
        added, channel, held = [], [], []
        for step, now in zip(gates.unbind(1), valid[..., None].unbind(1), strict=True):
            hidden = self.control(step, past, weight, bias)
            signals, erase, strength = self.heads(hidden).split([3 * d, d, 2], 1)
            keys, add = torch.tanh(signals).split([2 * d, d], 1)
            to_read, to_write = self.address(keys.unflatten(1, (2, d)), strength, slots, fixed).unbind(1)
            if self.balance is not None:  # a product with a softmax, scaled to 1, is a sum before the softmax
                to_write = to_write + self.balance(usage)
            reading, writing = to_read.softmax(1), torch.where(now, to_write.softmax(1), 0.0)
            past = torch.where(now, torch.cat([hidden, torch.bmm(reading[:, None], slots).squeeze(1)], 1), past)
            change = torch.addcmul(add[:, None], torch.sigmoid(erase)[:, None], slots, value=-1)
            slots, usage = torch.addcmul(slots, writing[..., None], change), usage + writing
            added.append(add)
            channel.append(reading.argmax(1))
            held.append(slots.detach()[row, channel[-1]])
        sums, chosen = masked_sum(torch.stack(added, 1), valid), torch.stack(channel, 1)
        return Trace(past, slots, usage, sums, chosen, torch.stack(held, 1))

    def recall(self, gates: Tensor, trace: Trace) -> Tensor:
        """Return o, a linear layer on ``[h ; r]`` after one step more with gates ``[B, n, 3 d]``: ``[B, n, d]``."""
        d, (weight, bias, fixed) = self.width, self.shared()
        hidden = self.control(gates, trace.past[:, None], weight, bias)
        wanted = [*range(d), 4 * d]  # the read head alone
        key, strength = functional.linear(hidden, self.heads.weight[wanted], self.heads.bias[wanted]).split([d, 1], 2)
        reading = self.address(torch.tanh(key), strength[..., 0], trace.slots, fixed).softmax(2)
        output: Tensor = self.output(torch.cat([hidden, torch.bmm(reading, trace.slots)], 2))
        return output


def _direction(x: Tensor) -> Tensor:
    return functional.normalize(x, dim=-1, eps=1e-3)  # zeros for an empty slot, and no steep slope near one


class Induction(nn.Module):
    """A GRU per slot that steps on the clicks that read most of it: ``C_i <- GRU([x ; M_i], C_i)``, shared weights.

    Shapes:
        - table: ``[I, d]``; items, channel: int64 ``[B, T]`` and valid: bool ``[B, T]``, in the order of time; held:
          ``[B, T, d]``; output: ``[B, m, d]``, zeros for a channel that was never chosen.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gru = nn.GRU(2 * width, width, batch_first=True)
        self.attention = DINAttention(width)

    def forward(self, table: Tensor, items: Tensor, held: Tensor, channel: Tensor, valid: Tensor) -> Tensor:
        """Return the channels' last states."""
        # A channel waits where it is not chosen, so it is a GRU over its own clicks: each is a sequence of its own.
        chosen = functional.one_hot(channel, self.channels).bool() & valid[..., None]
        steps = chosen.transpose(1, 2).flatten(0, 1)
        lengths = steps.sum(1)
        order = steps.byte().argsort(stable=True, dim=1, descending=True)[:, : max(1, int(lengths.max()))]
        row = torch.arange(len(items), device=items.device).repeat_interleave(self.channels)[:, None]
        x = torch.cat([functional.embedding(items[row, order], table), held[row, order]], 2)
        packed = pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        return torch.where(lengths[:, None] > 0, self.gru(packed)[1][0], 0.0).view(len(items), self.channels, -1)


class Encoded(NamedTuple):
    """A target's side: the sum of its clicks ``[B, d]``, what they left in the memory, and channels ``[B, m, d]``."""

    total: Tensor
    trace: Trace | None
    channels: Tensor | None


class Mimn(FieldModel):
    """Score a candidate q by ``MLP([q ; sum of clicks ; o ; mean_i(S_i) * q ; channels pooled for q])``.

    o is a linear layer on ``[h ; r]`` after one step more, with q as the input; S_i sums what was written to slot i, so
    that the mean over slots is the sum of all that was written over m.

    Reads ``embedding_size`` (width of a field), ``history_length``, ``hidden``, ``dropout`` and its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config, users=False)
        self.options = options = MimnOptions.of(config)
        width, slots, first = options.units, options.slots, config.hidden[0]
        self.item = nn.Linear(self.items.width, width)
        self.memory = Memory(width, slots, options.balance) if options.memory else None
        self.induction = Induction(width, slots) if options.memory and options.induction else None
        parts = 1 + 2 * (self.memory is not None) + (self.induction is not None)
        self.from_total = nn.Linear(width, first)
        self.from_candidate = nn.Linear(parts * width, first, bias=False)
        last = MLP(first, config.hidden[1:], dropout=config.dropout, activation="prelu")
        self.rest = nn.Sequential(nn.PReLU(), nn.Dropout(config.dropout), last)

    def refresh(self, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the item vectors and their part of the gates, ``[I, d]`` and ``[I, 3 d]``; nothing is dropped."""
        table = self.item(self.items().flatten(1))
        return table, table if self.memory is None else self.memory.gates(table)

    def encode(self, state: tuple[Tensor, Tensor], targets: Targets) -> Encoded:
        """Read the visible clicks, the oldest first."""
        window = trimmed(self.window(targets).oldest_first())
        items, valid = window.items, window.valid
        total = masked_sum(functional.embedding(items, state[0]), valid)
        trace = channels = None
        if self.memory is not None:
            with torch.autocast(state[0].device.type, enabled=False):
                table, gates = (part.to(self.memory.keys.dtype) for part in state)
                trace = self.memory(functional.embedding(items, gates), valid)
                if self.induction is not None:
                    channels = self.induction(table, items, trace.held, trace.channel, valid)
        return Encoded(total, trace, channels)

    def score(self, state: tuple[Tensor, Tensor], encoded: Encoded, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        (table, gates), (total, trace, channels) = state, encoded
        of_total = self.from_total(total)[:, None]

        def score(some: Tensor) -> Tensor:
            parts = [candidate := functional.embedding(some, table)]
            if self.memory is not None and trace is not None:
                written = trace.added[:, None] / self.options.slots
                parts += [self.memory.recall(functional.embedding(some, gates), trace), written * candidate]
            if self.induction is not None and channels is not None:
                parts.append(self.induction.attention(candidate, channels, channels.new_ones(channels.shape[:2]) > 0))
            logits: Tensor = self.rest(self.from_candidate(torch.cat(parts, 2)) + of_total)
            return logits

        return in_pieces(score, items, max(80 * self.options.slots, *self.config.hidden))

    def auxiliary_loss(self, state: object, encoded: Encoded, targets: Targets, items: Tensor) -> Tensor | None:
        """Return the penalty on slots used more or less than the mean, summed over slots, mean over targets."""
        weight = self.options.balance_weight if self.options.balance else 0.0
        if encoded.trace is None or not weight:
            return None
        return weight * self.options.slots * encoded.trace.usage.var(1, correction=0).mean()
