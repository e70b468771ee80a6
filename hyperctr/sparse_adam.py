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
        # Steps up to which each row of a table, and each row of its moments, is right: int64 [n] each.
        self._values_at: dict[Tensor, Tensor] = {}
        self._moments_at: dict[Tensor, Tensor] = {}
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

    def _moments(self, table: Tensor) -> dict[str, Any]:
        """Return the state of a table; with the first call it begins."""
        state: dict[str, Any] = self.state[table]
        if not state:
            state |= {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(table),
                "exp_avg_sq": torch.zeros_like(table),
            }
        if table not in self._values_at:
            for stamps in (self._values_at, self._moments_at):
                stamps[table] = torch.full((len(table),), int(state["step"]), device=table.device)
        return state

    @torch.no_grad()
    def catch_up(self, table: Tensor, rows: Tensor | None = None) -> None:
        """Make up for the steps that ``rows`` (int64, repeats allowed) sat out; by default all rows.

        Their moments wait on: the next gradient scales them.
        """
        state, values_at, moments_at = self._moments(table), self._values_at[table], self._moments_at[table]
        step, since = int(state["step"]), _read(values_at, rows)
        waited = (step - since).double()
        if not bool(waited.any()):
            return
        first, second = self.defaults["betas"]
        to_come = self._to_come.to(table.device)
        ahead, behind = to_come[since.clamp(max=SETTLED)], to_come[min(step, SETTLED)]
        reach = self._decay**waited * (ahead - self._ratio**waited * behind)
        # Both moments shrank since theirs were right: so does their ratio, and epsilon weighs more beside them.
        behind_values = (since - _read(moments_at, rows)).double()
        reach *= (first / second**0.5) ** behind_values
        epsilon = self.defaults["eps"] * (1 - second ** since.double()).sqrt() / second ** (behind_values / 2)
        spread = _read(state["exp_avg_sq"], rows).sqrt_().add_(_column(epsilon, table)).clamp_(min=TINY)
        way = _read(state["exp_avg"], rows).mul_(_column(reach, table)).div_(spread)
        _write(table, rows, _read(table, rows).mul_(_column(self._decay**waited, table)).sub_(way))
        _write(values_at, rows, torch.full_like(since, step))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Step the rows that have a gradient; the others are left for :meth:`catch_up`."""
        first, second = self.defaults["betas"]
        for table in self._tables():
            if table.grad is None:
                continue
            rows, gradient = None, table.grad
            if gradient.is_sparse:
                gradient = gradient.coalesce()
                rows, gradient = gradient.indices()[0], gradient.values()
            self.catch_up(table, rows)
            state = self._moments(table)
            state["step"] += 1
            step = int(state["step"])
            momentum, square = self._shrunk(table, rows)
            momentum.add_(gradient, alpha=1 - first)
            square.addcmul_(gradient, gradient, value=1 - second)
            size = self.defaults["lr"] / (1 - first**step)
            spread = square.sqrt().div_((1 - second**step) ** 0.5).add_(self.defaults["eps"])
            _write(table, rows, _read(table, rows).mul_(self._decay).addcdiv_(momentum, spread, value=-size))
            self._keep(table, rows, momentum, square)
            _write(self._values_at[table], rows, torch.full((len(gradient),), step, device=table.device))

    def _shrunk(self, table: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return both moments of some rows as they are at the present step before its gradient is added."""
        state, (first, second) = self.state[table], self.defaults["betas"]
        waited = (int(state["step"]) - _read(self._moments_at[table], rows)).double()
        momentum, square = _read(state["exp_avg"], rows), _read(state["exp_avg_sq"], rows)
        return momentum.mul_(_column(first**waited, table)), square.mul_(_column(second**waited, table))

    def _keep(self, table: Tensor, rows: Tensor | None, momentum: Tensor, square: Tensor) -> None:
        """Write both moments of some rows, which are those of the present step."""
        state = self.state[table]
        _write(state["exp_avg"], rows, momentum)
        _write(state["exp_avg_sq"], rows, square)
        step = torch.full((len(momentum),), int(state["step"]), device=table.device)
        _write(self._moments_at[table], rows, step)

    @torch.no_grad()
    def settle(self) -> None:
        """Bring all tables and moments up to date, as before they are saved."""
        for table in self._tables():
            self.catch_up(table)
            self._keep(table, None, *self._shrunk(table, None))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Read a state that was saved after :meth:`settle`."""
        super().load_state_dict(state_dict)
        self._values_at.clear()
        self._moments_at.clear()


def _read(x: Tensor, rows: Tensor | None) -> Tensor:
    """Return a copy of some rows, by default of all."""
    return x.clone() if rows is None else x.index_select(0, rows)


def _write(x: Tensor, rows: Tensor | None, values: Tensor) -> None:
    """Put values in the place of some rows, by default of all; rows named twice have the same values."""
    if rows is None:
        x.copy_(values)
    else:
        x.index_copy_(0, rows, values)


def _column(factors: Tensor, table: Tensor) -> Tensor:
    """Return a factor a row, ``[n]``, as a column of the table's type."""
    return factors.to(table.dtype)[:, None]


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
