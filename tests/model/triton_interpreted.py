"""Run by a test in a process of its own, where TRITON_INTERPRET=1 lets Triton's kernels run on CPU tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyperctr.errors import ConfigError
from hyperctr.hypergraph.incidence import Hypergraph
from hyperctr.hypergraph.propagation import Hiding
from hyperctr.model import convolution, row_sums
from tests.model.test_convolution_backends import check_close, convolved


def main() -> None:
    """Compare with Eq 5: narrow and wide, with whole rows and cut ones, nothing and a lot, any number of columns."""
    from hyperctr.model import triton_sums  # only here is there a triton for sure

    random = np.random.default_rng(0)
    triton_sums.SEGMENT = 8
    sizes = [(0, 0, 3, 3), (3, 0, 3, 1), (1, 1, 1, 3), (20, 9, 64, 3), (7, 20, 3, 65)]
    for nodes, edges, size, out in sizes:
        member = random.random((nodes, edges)) < 0.4
        H = Hypergraph(np.stack(np.nonzero(member)), nodes, edges, random.random(edges) * (random.random(edges) > 0.2))
        dropped = torch.from_numpy(random.random(H.nnz) < 0.3)
        hidden = Hiding(H.propagation).hide(dropped.nonzero()[:, 0])
        for wide in (False, True):
            row_sums.is_wide = convolution.is_wide = lambda P, wide=wide: wide
            for triton_sums.CUT_FROM, graph, same in ((0, H, H), (1000, H, H), (0, hidden, H.without(dropped))):
                check_close(convolved(graph, "triton", size, out), same, size, out)
    P, x = H.propagation, torch.randn(7, 33, dtype=torch.bfloat16)
    short = triton_sums.propagate(x, P)
    assert short.dtype == torch.bfloat16
    torch.testing.assert_close(short.float(), row_sums.propagate(x.float(), P), rtol=0.02, atol=0.02)
    with pytest.raises(ConfigError, match=r"has no torch\.float64"):
        triton_sums.up(x.double(), P)


if __name__ == "__main__":
    main()
