"""AdamW for large embedding tables: a step costs what its rows cost, and the result is that of dense AdamW.

Dense AdamW moves every row at every step: one without gradient still decays and follows its momentum. Nothing of that
depends on what happens meanwhile, so it can be made up for when the row is next read, in closed form. The one
difference to dense AdamW, beyond rounding, is that epsilon is not rescaled while a row waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

SPARSE_FROM = 50_000  # rows from which reading some and stepping those is cheaper than stepping all
TINY = 1e-30  # a row that never had a gradient divides nothing by nothing
SETTLED = 20_000  # steps after which the bias corrections of Adam are 1 to float32's precision


class SparseAdamW(torch.optim.Optimizer):
    """AdamW over tables ``[n, d]`` that are read through :func:`lookup`; at any time :func:`settled` gives them whole.

    Args:
        tables: the parameters. Their gradients may be sparse, of the rows read, or dense.
        lr, weight_decay: as in ``torch.optim.AdamW``.
        betas, eps: as there.

    >>> table = torch.nn.Parameter(torch.ones(1000, 2))
    >>> optimiser = SparseAdamW([table], lr=0.1)
    >>> lookup(table, torch.tensor([7, 7])).sum().backward()
    >>> optimiser.step()
    >>> settled(table).sum(1)[6:8]
    tensor([2.0000, 1.8000], grad_fn=<SliceBackward0>)
    """

    def __init__(
        self,
        tables: Iterable[Tensor],
        lr: float,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(tables, {"lr": lr, "weight_decay": weight_decay, "betas": betas, "eps": eps})
        self._last: dict[Tensor, Tensor] = {}  # the step up to which each row of a table is right, int64 [n]
        self._decay = 1 - lr * weight_decay
        self._ratio = betas[0] / betas[1] ** 0.5 / self._decay
        rates = [lr * (1 - betas[1] ** t) ** 0.5 / (1 - betas[0] ** t) for t in range(1, SETTLED + 1)]
        # G(s) = sum over i >= 1 of ratio^i * rate(s + i): how far a row without gradients will still go after step s.
        to_come = [rates[-1] * self._ratio / (1 - self._ratio)]
        for rate in reversed(rates):
            to_come.append(self._ratio * (rate + to_come[-1]))
        self._to_come = torch.tensor(to_come[::-1], dtype=torch.float64)
        for table in self._tables():
            table.stepper = self  # type: ignore[attr-defined]

    def _tables(self) -> list[Tensor]:
        return [table for group in self.param_groups for table in group["params"]]

    def _moments(self, table: Tensor) -> tuple[dict[str, Any], Tensor]:
        """Return the state of a table and the step up to which each of its rows is right."""
        state = self.state[table]
        if not state:
            state |= {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(table),
                "exp_avg_sq": torch.zeros_like(table),
            }
        if table not in self._last:
            self._last[table] = torch.full((len(table),), int(state["step"]), device=table.device)
        return state, self._last[table]

    @torch.no_grad()
    def catch_up(self, table: Tensor, rows: Tensor | slice = slice(None)) -> None:
        """Make up for the steps that ``rows`` (int64, repeats allowed) sat out; by default all rows."""
        state, last = self._moments(table)
        step = int(state["step"])
        since = last[rows]
        waited = (step - since).double()
        if not step or (isinstance(rows, slice) and not bool(waited.any())):
            return
        first, second = self.defaults["betas"]
        to_come = self._to_come.to(table.device)
        ahead, behind = to_come[since.clamp(max=SETTLED)], to_come[min(step, SETTLED)]
        reach = self._decay**waited * (ahead - self._ratio**waited * behind)
        momentum, square, value = state["exp_avg"][rows], state["exp_avg_sq"][rows], table[rows]
        epsilon = self.defaults["eps"] * (1 - second ** since.double()).sqrt()
        direction = momentum / (square.sqrt() + epsilon.to(square.dtype)[:, None]).clamp(min=TINY)

        def scaled(x: Tensor, factor: Tensor) -> Tensor:
            return x * factor.to(x.dtype)[:, None]

        table[rows] = scaled(value, self._decay**waited) - scaled(direction, reach)
        state["exp_avg"][rows] = scaled(momentum, first**waited)
        state["exp_avg_sq"][rows] = scaled(square, second**waited)
        last[rows] = step

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Step the rows that have a gradient; the others are left for :meth:`catch_up`."""
        first, second = self.defaults["betas"]
        for table in self._tables():
            if table.grad is None:
                continue
            rows: Tensor | slice = slice(None)
            gradient = table.grad
            if gradient.is_sparse:
                gradient = gradient.coalesce()
                rows, gradient = gradient.indices()[0], gradient.values()
            self.catch_up(table, rows)
            state, last = self._moments(table)
            state["step"] += 1
            step = int(state["step"])
            momentum = state["exp_avg"][rows].lerp(gradient, 1 - first)
            square = (state["exp_avg_sq"][rows] * second).addcmul(gradient, gradient, value=1 - second)
            size = self.defaults["lr"] / (1 - first**step)
            spread = square.sqrt() / (1 - second**step) ** 0.5 + self.defaults["eps"]
            table[rows] = (table[rows] * self._decay).addcdiv(momentum, spread, value=-size)
            state["exp_avg"][rows], state["exp_avg_sq"][rows] = momentum, square
            last[rows] = step

    def settle(self) -> None:
        """Bring all tables up to date, as before they are read as a whole or saved."""
        for table in self._tables():
            self.catch_up(table)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Read a state that was saved after :meth:`settle`."""
        super().load_state_dict(state_dict)
        self._last.clear()


def large_tables(tables: Iterable[Tensor]) -> list[Tensor]:
    """Return the tables that a :class:`SparseAdamW` steps faster than ``torch.optim.AdamW``: on a GPU, none."""
    return [table for table in tables if len(table) >= SPARSE_FROM and table.device.type == "cpu"]


def lookup(table: Tensor, rows: Tensor) -> Tensor:
    """Return rows of an embedding table ``[n, d]``, ``[*, d]`` for int64 ``[*]``.

    Where a :class:`SparseAdamW` learns the table, the rows are brought up to date first and get a sparse gradient.
    """
    stepper = getattr(table, "stepper", None)
    if stepper is None or not torch.is_grad_enabled():
        return functional.embedding(rows, table)
    stepper.catch_up(table, rows.flatten())
    return functional.embedding(rows, table, sparse=True)


def settled(table: Tensor) -> Tensor:
    """Return an embedding table with all rows up to date."""
    stepper = getattr(table, "stepper", None)
    if stepper is not None:
        stepper.catch_up(table)
    return table
