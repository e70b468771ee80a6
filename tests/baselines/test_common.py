"""Shared parts against the formulas written out, and what masked entries may not do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hyperctr.baselines import common
from hyperctr.baselines.common import (
    MLP,
    DINAttention,
    PairMLP,
    VectorAttention,
    by_length,
    dot_attention,
    in_pieces,
    masked_mean,
    masked_softmax,
    masked_sum,
    per_item,
    trimmed,
)
from hyperctr.model.history import Window

B, N, T, D = 3, 4, 5, 6
VALID = torch.tensor([[True] * 5, [True, False, True, False, False], [False] * 5])


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_masked_softmax_is_the_softmax_of_what_is_valid() -> None:
    scores = (draw(B, T) * 300).requires_grad_()
    found = masked_softmax(scores, VALID)
    for b in range(2):
        close(found[b][VALID[b]], scores[b][VALID[b]].softmax(0))
    assert not found[~VALID].any()
    found.square().sum().backward()
    assert scores.grad is not None and scores.grad.isfinite().all() and not scores.grad[2].any()


def test_pooling_counts_valid_rows_only() -> None:
    x = draw(B, T, D).masked_fill(~VALID[..., None], torch.nan)
    close(masked_sum(x, VALID), torch.stack([x[b][VALID[b]].sum(0) for b in range(B)]))
    close(masked_mean(x, VALID), torch.stack([x[0].mean(0), x[1][[0, 2]].mean(0), torch.zeros(D).double()]))


def test_dot_attention_equals_the_sum_written_out() -> None:
    query, keys = draw(B, N, D), draw(B, T, D, seed=1)
    found = dot_attention(query, keys, VALID)
    for b in range(B):
        rows = keys[b][VALID[b]]
        for n in range(N):
            weight = (rows @ query[b, n] / D**0.5).softmax(0)
            close(found[b, n], (weight[:, None] * rows).sum(0))


@pytest.mark.parametrize("softmax", [True, False])
def test_din_attention_equals_a_network_on_the_four_parts(softmax: bool) -> None:
    torch.manual_seed(0)
    layer = DINAttention(D, (7, 3), softmax=softmax).double()
    query, keys = draw(B, N, D), draw(B, T, D, seed=1)
    found = layer(query, keys, VALID)
    for b in range(B):
        rows = keys[b][VALID[b]]
        for n in range(N):
            q = query[b, n].expand_as(rows)
            scores = layer.rest(torch.sigmoid(layer.first(torch.cat([q, rows, q - rows, q * rows], 1))))
            weight = scores.softmax(0) if softmax else scores
            close(found[b, n], (weight[:, None] * rows).sum(0))
    keys[~VALID] = 1e3
    close(layer(query, keys, VALID), found)


def test_vector_attention_weighs_every_feature_by_itself() -> None:
    torch.manual_seed(0)
    layer = VectorAttention(D).double()
    x, query = draw(B, T, D), draw(B, T, D, seed=1)
    found = layer(x, query, VALID)
    for b in range(B):
        rows, asked = x[b][VALID[b]], query[b][VALID[b]]
        inner = torch.relu(rows @ layer.of_x.weight.T + asked @ layer.of_query.weight.T + layer.of_x.bias)
        close(found[b], ((inner @ layer.last.weight.T + layer.last.bias).softmax(0) * rows).sum(0))
    shared = layer(x, query[:, :1], VALID)
    close(shared, layer(x, query[:, :1].expand(-1, T, -1), VALID))


def test_a_network_is_its_layers() -> None:
    torch.manual_seed(0)
    net = MLP(D, (5, 3), activation="sigmoid").double()
    x = draw(B, N, D) * 3 + 1
    first, _, _, second, _, _, last = net.layers
    expected = last(torch.sigmoid(second(torch.sigmoid(first(x))))).squeeze(-1)
    assert net(x).shape == (B, N)
    close(net(x), expected)
    assert MLP(D, ())(torch.zeros(B, D)).shape == (B,)
    dropped = MLP(D, (50,), dropout=0.5).double()
    assert not torch.equal(dropped(x), dropped(x)) and torch.equal(dropped.eval()(x), dropped(x))


def test_a_split_first_layer_is_the_network_on_both_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = PairMLP(D, 2, (7, 3)).double()
    whole = MLP(D + 2, (7, 3)).double()
    with torch.no_grad():
        whole.layers[0].weight.copy_(torch.cat([net.from_user.weight, net.from_item.weight], 1))
        whole.layers[0].bias.copy_(net.from_user.bias)
        for ours, theirs in zip(net.rest.layers, [whole.layers[k] for k in (3, 4, 5, 6)], strict=True):
            theirs.load_state_dict(ours.state_dict())
    user, table = draw(B, D), draw(9, 2, seed=1)
    for count, most in ((2, 2**24), (8, 2**24), (8, 50)):  # gathered, through the table, in pieces
        monkeypatch.setattr(common, "IN_CACHE", most)
        items = torch.arange(B * count).view(B, count) % 9
        both = torch.cat([user[:, None].expand(-1, count, -1), table[items]], 2)
        for training in (True, False):
            close(net.train(training)(user, table, items), whole(both))


def test_what_every_row_lacks_is_cut_off_a_window() -> None:
    valid = torch.tensor([[True, True, False, False], [True, False, False, False]])
    numbers = torch.arange(8).view(2, 4)
    window = trimmed(Window(numbers, valid, valid, numbers, numbers))
    assert torch.equal(window.items, numbers[:, :2]) and torch.equal(window.short, valid[:, :2])
    for rows in (slice(0, 0), slice(2)):  # without targets, and without clicks
        empty = Window(numbers[rows], valid[rows] & False, valid[rows], numbers[rows], numbers[rows])
        assert trimmed(empty).timestamp.shape == (len(numbers[rows]), 1)


@pytest.mark.parametrize(("rows", "calls"), [(2, [2]), (6, [9])])
def test_a_layer_runs_once_an_item_where_candidates_are_more(rows: int, calls: list[int]) -> None:
    table, items, asked = draw(9, D), torch.arange(2 * rows).view(rows, 2) % 9, []

    def layer(x: Tensor) -> Tensor:
        asked.append(len(x))
        return x * 2

    close(per_item(layer, table, items)(items), table[items] * 2)
    assert asked == calls
    close(per_item(layer, table, items, once=False)(items), table[items] * 2)
    assert asked[1:] == [rows]


def test_targets_of_similar_length_go_together_and_come_back_in_order() -> None:
    lengths, asked = torch.tensor([5, 0, 3, 1, 5, 2, 0]), []

    def make(rows: Tensor, longest: int) -> Tensor:
        asked.append((sorted(rows.tolist()), longest))
        assert (lengths[rows] <= longest).all()
        return torch.stack([rows, lengths[rows]], 1)

    found = by_length(make, lengths, 9, groups=3)
    assert torch.equal(found, torch.stack([torch.arange(7), lengths], 1))
    assert asked == [([1, 3, 6], 1), ([2, 5], 3), ([0, 4], 5)]
    assert torch.equal(by_length(make, lengths, 9, groups=8), found) and asked[-1] == (list(range(7)), 9)
    assert by_length(make, lengths[:0], 9).shape == (0, 2)


def test_pieces_hold_no_more_than_they_may() -> None:
    asked = []

    def score(items: Tensor) -> Tensor:
        asked.append(items.numel() * 10)
        return items.double() ** 2

    items = torch.arange(60).view(3, 20)
    assert torch.equal(in_pieces(score, items, 10, most=100), items.double() ** 2)
    assert max(asked) <= 100 and len(asked) == 7
    asked.clear()
    in_pieces(score, items, 10, most=5)  # one candidate at a time is the least
    assert asked == [30] * 20
