"""The sequence encoder against torch's own layers, and what padding and emptiness may not do."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest
import torch
from torch import nn

from hyperctr.model.attention import DOUBLINGS, EncoderLayer, SequenceEncoder, Tokens, time_distance
from hyperctr.model.history import Window


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def twin(layer: EncoderLayer, size: int) -> nn.TransformerEncoderLayer:
    """Torch's post-norm layer with the weights of ours."""
    theirs = nn.TransformerEncoderLayer(size, layer.heads, 2 * size, dropout=0.0, batch_first=True).double()
    state = {
        "self_attn.in_proj_weight": torch.cat([layer.query.weight, layer.key.weight, layer.value.weight]),
        "self_attn.in_proj_bias": torch.cat([layer.query.bias, layer.key.bias, layer.value.bias]),
        "self_attn.out_proj.weight": layer.output.weight,
        "self_attn.out_proj.bias": layer.output.bias,
        "linear1.weight": layer.first.weight,
        "linear1.bias": layer.first.bias,
        "linear2.weight": layer.second.weight,
        "linear2.bias": layer.second.bias,
        "norm1.weight": layer.norm_attention.weight,
        "norm1.bias": layer.norm_attention.bias,
        "norm2.weight": layer.norm_feedforward.weight,
        "norm2.bias": layer.norm_feedforward.bias,
    }
    theirs.load_state_dict(state)
    return theirs


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_layer_equals_torchs_post_norm_encoder(heads):
    layer = EncoderLayer(8, heads).double()
    for k, parameter in enumerate(layer.parameters()):
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(k))
    x = draw(3, 5, 8)
    valid = torch.tensor([[True] * 5, [True, True, False, True, False], [True] + [False] * 4])
    theirs = twin(layer, 8)
    expected = theirs(x, src_key_padding_mask=~valid)
    torch.testing.assert_close(layer(x, valid)[valid], expected[valid], rtol=0, atol=1e-12)
    assert layer(x, torch.zeros_like(valid)).isfinite().all()  # no history at all: finite, and replaced later


NOW = 1000  # when the targets are


def encoder(layers: int = 2, length: int = 6) -> SequenceEncoder:
    torch.manual_seed(3)
    sequence = SequenceEncoder(8, heads=2, layers=layers, length=length, dropout=0.5).double().eval()
    nn.init.normal_(sequence.distance)  # as if trained: it starts at zero
    return sequence


def window(valid: torch.Tensor) -> Window:
    position = (valid.long().cumsum(1) - 1).clamp(min=0)
    items = torch.where(valid, torch.arange(valid.numel()).view(valid.shape) % 7, 0)
    return Window(items, valid, valid & (position < 2), position, 900 - 7 * position)


def encoded(
    sequence: SequenceEncoder, user: torch.Tensor, items: torch.Tensor, made: Window
) -> tuple[torch.Tensor, torch.Tensor]:
    """The tokens of all targets in order, and which are there."""
    parts = sequence(user, items, made.items, made, torch.full((len(user),), NOW))
    tokens = user.new_zeros(*made.items.shape, user.shape[1])
    there = torch.zeros_like(made.valid)
    for part in parts:
        width = part.there.shape[1]
        tokens[part.target, :width], there[part.target, :width] = part.values, part.there
    assert sorted(torch.cat([part.target for part in parts]).tolist()) == [*range(len(user))]
    return tokens, there


def test_encoder_encodes_the_tokens_in_front():
    sequence, user, items = encoder(), draw(2, 8), draw(7, 8, seed=1)
    made = window(torch.tensor([[True, False, True, True], [False, True, False, False]]))
    for b, count in ((0, 3), (1, 1)):
        kept = made.valid[b]
        token = user[b] + items[made.items[b][kept]] + sequence.position[torch.arange(count)]
        token = token + sequence.distance[[(100 + 7 * k + 1).bit_length() - 1 for k in range(count)]]
        token = sequence.norm(token + sequence.tag[made.short[b][kept].long()])[None]
        for layer in sequence.layers:
            token = twin(layer, 8)(token)
        tokens, there = encoded(sequence, user, items, made)
        assert torch.equal(there, made.valid)
        torch.testing.assert_close(tokens[b][kept], token[0], rtol=0, atol=1e-12)


def test_padding_changes_nothing_and_may_hold_anything():
    sequence, user, items = encoder(), draw(3, 8), draw(7, 8, seed=1)
    valid = torch.tensor([[True, True, False], [False, True, False], [False, False, False]])
    made, longer = window(valid), window(torch.cat([valid, torch.zeros(3, 2, dtype=torch.bool)], 1))
    longer = replace(longer, items=torch.where(longer.valid, longer.items, 5))
    longer.items[:, :3] = torch.where(valid, made.items, 4)
    (here, there), (padded, also) = (encoded(sequence, user, items, w) for w in (made, longer))
    assert torch.equal(also[:, :3], there) and not also[:, 3:].any()
    torch.testing.assert_close(padded[also], here[there], rtol=0, atol=1e-14)


def test_empty_history_is_a_learned_vector_whoever_the_user_is():
    sequence = encoder()
    made = window(torch.tensor([[False, False], [True, False], [False, False]]))
    tokens, there = encoded(sequence, draw(3, 8), draw(7, 8, seed=1), made)
    assert there.tolist() == [[True, False]] * 3
    assert torch.equal(tokens[0, 0], sequence.empty) and torch.equal(tokens[2, 0], sequence.empty)
    tokens[there].sum().backward()
    assert sequence.empty.grad.tolist() == [2.0] * 8
    assert all(parameter.grad.isfinite().all() for parameter in sequence.parameters())


def test_order_counts_only_through_positions():
    """Attention is symmetric in the tokens: shuffling items with their positions shuffles the tokens."""
    sequence, user, items = encoder(length=4), draw(1, 8), draw(7, 8, seed=1)
    short, valid = torch.tensor([[True, True, False, False]]), torch.ones(1, 4, dtype=torch.bool)
    made = Window(torch.tensor([[3, 1, 6, 2]]), valid, short, torch.arange(4)[None], torch.arange(4)[None])
    to = torch.tensor([2, 0, 3, 1])
    moved = Window(made.items[:, to], valid, short[:, to], made.position[:, to], made.timestamp)
    tokens = encoded(sequence, user, items, made)[0][:, to]
    torch.testing.assert_close(encoded(sequence, user, items, moved)[0], tokens, rtol=0, atol=1e-14)
    swapped = replace(made, items=made.items[:, to])
    assert (encoded(sequence, user, items, swapped)[0] - tokens).abs().max() > 1e-3


def test_distances_in_time_double():
    after = torch.tensor([[0, 1, 2, 3, 6, 7, 2**31 - 2, 2**31 - 1, 2**40, 2**62]])
    for sign, first in ((-1, 0), (1, DOUBLINGS)):
        times = NOW + sign * after
        made = Window(times, times > 0, times > 0, times, times)
        expected = [first + (int(s) + 1).bit_length() - 1 if s else 0 for s in after[0]]
        assert max(expected) < 2 * DOUBLINGS
        assert time_distance(made, torch.tensor([NOW])).tolist() == [expected]


def test_candidates_attend_over_the_tokens_that_are_there():
    query, tokens, there = draw(2, 3, 8), draw(2, 4, 8, seed=1), torch.tensor([[True] * 4, [True, True, False, False]])
    values = draw(2, 4, 5, seed=2)
    found = Tokens(None, tokens, there).attended(query, values)
    for b, count in ((0, 4), (1, 2)):
        weight = torch.exp(query[b] @ tokens[b, :count].T / 8**0.5)
        expected = weight / weight.sum(1, keepdim=True) @ values[b, :count]
        torch.testing.assert_close(found[b], expected, rtol=0, atol=1e-14)


def test_many_targets_are_encoded_as_few_are():
    """In groups of similar length, without the padding: each as on its own, gradients too."""
    sequence = encoder()
    lengths = torch.randint(0, 5, (300,), generator=torch.Generator().manual_seed(0))
    made = window(torch.arange(6) < lengths[:, None])
    user, items = draw(300, 8), draw(7, 8, seed=1).requires_grad_()
    together, there = encoded(sequence, user, items, made)
    stretches = [slice(k, k + 50) for k in range(0, 300, 50)]
    parts = [Window(*(part[k] for part in astuple(made))) for k in stretches]
    apart = [encoded(sequence, user[k], items, part)[0] for k, part in zip(stretches, parts, strict=True)]
    together, alone = together[there], torch.cat(apart)[there]
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-13)
    gradients = [torch.autograd.grad(out.square().sum(), items)[0] for out in (together, alone)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-11)
