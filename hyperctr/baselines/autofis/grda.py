"""GRDA, an optimiser that ends with parameters at exactly zero.

Source: Chao et al., Directional pruning of deep neural networks, in the form that AutoFIS uses: without momentum.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Optimizer


class GRDA(Optimizer):
    """Generalised regularised dual averaging: plain gradient descent seen through a soft threshold that grows.

    From the start ``a_0``, with step size g: ``v_t = v_{t-1} - g grad_t``, ``v_0 = a_0``, and
    ``a_t = sign(v_t) max(|v_t| - l_t, 0)`` with ``l_t = c g^(0.5 + mu) t^mu``.

    Args:
        parameters: what to learn.
        step_size: g. A group's ``lr`` may change on the way: the threshold grows by its difference at the present g.
        c, mu: of the threshold.

    >>> a = nn.Parameter(torch.tensor([0.6]))
    >>> optimiser = GRDA([a], step_size=1.0, c=0.25, mu=1.0)
    >>> for _ in range(2):
    ...     a.grad = torch.tensor([0.05])
    ...     optimiser.step()
    >>> a.data  # 0.6 - 2 * 0.05 has not outgrown 2 * 0.25
    tensor([0.])
    """

    def __init__(self, parameters: Iterable[nn.Parameter], step_size: float, c: float, mu: float) -> None:
        super().__init__(parameters, {"lr": step_size, "c": c, "mu": mu})

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        """Take a step; a closure is not supported and ignored."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.zeros(())
                    # In the parameter's type, as what is restored from a checkpoint would be cast to it.
                    state["total"], state["threshold"] = parameter.detach().clone(), parameter.new_zeros(())
                state["step"] += 1
                t, mu = int(state["step"]), group["mu"]
                state["threshold"] += group["c"] * group["lr"] ** (0.5 + mu) * (t**mu - (t - 1) ** mu)
                total = state["total"].sub_(parameter.grad, alpha=group["lr"])
                parameter.copy_(total.sign() * (total.abs() - state["threshold"]).clamp(min=0))
