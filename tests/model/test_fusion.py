"""Eq 6 against the explicit outer product."""

from __future__ import annotations

import pytest
import torch

from hyperctr.model.fusion import TensorFusion


@pytest.mark.parametrize(("size", "batch"), [(1, 1), (5, 3), (8, 0)])
def test_fusion_contracts_the_outer_product(size, batch):
    fusion = TensorFusion(size).double()
    draw = torch.Generator().manual_seed(0)
    s, g = (torch.randn(batch, size, generator=draw, dtype=torch.float64) for _ in range(2))
    one = torch.ones(batch, 1, dtype=torch.float64)
    outer = torch.stack(
        [torch.outer(a, b) for a, b in zip(torch.cat([s, one], 1), torch.cat([g, one], 1), strict=True)]
        or [torch.zeros(size + 1, size + 1).double()]
    )[:batch]
    expected = outer.flatten(1) @ fusion.weight.transpose(0, 1).flatten(0, 1)
    torch.testing.assert_close(fusion(s[:, None], fusion.contract(g))[:, 0], expected, rtol=0, atol=1e-12)


def test_constants_carry_each_vector_alone():
    fusion = TensorFusion(3).double()
    zero, s = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
    weight = fusion.weight.detach().transpose(0, 1)
    alone = 2 * weight[0, 3] - weight[2, 3] + weight[3, 3]
    torch.testing.assert_close(fusion(s[:, None], fusion.contract(zero))[0, 0].detach(), alone, rtol=0, atol=1e-15)
    torch.testing.assert_close(
        fusion(zero[:, None], fusion.contract(zero))[0, 0].detach(), weight[3, 3], rtol=0, atol=1e-15
    )


def test_first_weights_keep_the_scale():
    torch.manual_seed(0)
    fusion = TensorFusion(64)
    out = fusion(torch.randn(500, 3, 64), fusion.contract(torch.randn(500, 64))).detach()
    assert 0.8 < float(out.std()) < 1.2
