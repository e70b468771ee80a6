"""AutoFIS: a factorisation machine that searches for the pairs of fields worth multiplying, then learns with these.

Source: Liu et al., AutoFIS: automatic feature interaction selection in factorization models for click-through rate
prediction (KDD 2020); the paper's Table 2 and section 3.2 (two stages, based on FM). The paper does not say which
variant: AutoDeepFM of second order is the default, AutoFM an option. Its dropout of 0.6 and learning rate of 0.005
equal the authors' initial weight of a pair and GRDA's constant; they are taken as written.

Deviations from the original: dense fields, one per modality, whose first-order weights are linear in the features; the
original knows no history, so the visible clicks enter as a field each for the means of their ids, categories and
modalities, with first-order weights linear in these means. The search takes some epochs instead of one pass, and its
threshold is set by the number of its steps: the authors' constant is made for 16,000 of them and prunes nothing in a
few hundred. Step sizes do not decay. Which pairs are kept passes from the search to the retraining in the model, not by
hand; the weight of a pruned pair is masked, and still counted among the parameters. Embeddings start as all systems'
here, first-order weights and slots at zero; no third order.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from hyperctr.baselines.autofis import AutoFISOptions
from hyperctr.baselines.autofis.pairs import START, DeepNetwork, PairProducts
from hyperctr.baselines.items import FieldModel
from hyperctr.config import Config
from hyperctr.errors import DataWarning
from hyperctr.model.base import Fitting, Stage
from hyperctr.model.context import Context
from hyperctr.model.history import Targets


class GRDA(Optimizer):
    """Gradient descent seen through a soft threshold that grows, so that parameters end at exactly zero.

    From the start ``a_0``, with step size g: ``v_t = v_{t-1} - g grad_t``, ``v_0 = a_0``, and
    ``a_t = sign(v_t) max(|v_t| - l_t, 0)`` with ``l_t = c g^(0.5 + mu) t^mu``. A group's ``lr``, which is g, may change
    on the way: the threshold grows by its difference at the present g.

    Source: Chao et al., Directional pruning of deep neural networks, without momentum as in AutoFIS.

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


class Side(NamedTuple):
    """Fields ``[..., F, k]`` and first-order weight ``[...]`` of items, or of targets.

    A target's fields are the user, the slot and the means of the clicks' fields.
    """

    fields: Tensor
    order: Tensor


class AutoFIS(FieldModel):
    """Score a candidate by ``sum of first-order weights + pairs + deep network``, see :class:`PairProducts`.

    Reads ``embedding_size`` (width of a field), ``history_length``, ``hidden``, ``dropout``, ``epochs``, its options.
    """

    def __init__(self, context: Context, config: Config, interest: object = None) -> None:
        super().__init__(context, config)
        data, size = context.data, config.embedding_size
        self.options = options = AutoFISOptions.of(config)
        # At zero a slot without training clicks, as after a temporal split, adds no noise to the pairs.
        self.slot = nn.Parameter(torch.zeros(context.slots.count, size))
        counts = {"user": data.num_users, "slot": context.slots.count, "id": data.num_items}
        counts["category"] = len(self.items.category_embedding)
        self.order = nn.ParameterDict({name: nn.Parameter(torch.zeros(count)) for name, count in counts.items()})
        widths = {name: getattr(self.items, f"values_{name}").shape[1] for name in self.items.modalities}
        self.order_of = nn.ModuleDict({name: nn.Linear(width, 1, bias=False) for name, width in widths.items()})
        self.order_of["clicked"] = nn.Linear(self.items.width, 1)
        for weight in self.order_of.parameters():
            nn.init.zeros_(weight)
        names = ("user", "slot", *(f"clicked {name}" for name in self.items.names))
        self.pairs = PairProducts((*names, *self.items.names), len(names))
        if options.select == "none":
            self.pairs.kept.fill_(False)
        user_width = len(names) * size
        deep = options.base == "deepfm"
        self.deep = DeepNetwork(user_width, self.items.width, config.hidden, config.dropout) if deep else None

    def fit_plan(self, trainer: Fitting) -> Sequence[Stage]:
        """Return the search and the retraining, an epoch each at least, which share the settings' epochs."""
        options, epochs = self.options, trainer.config.epochs
        if options.select != "search":
            return (Stage(),)
        search = min(options.search_epochs, max(1, epochs - 1))
        scale = options.step ** (0.5 + options.mu) * (search * trainer.steps_per_epoch) ** options.mu

        def optimisers() -> list[Optimizer]:
            weights = [weight for weight in self.parameters() if weight is not self.pairs.alpha]
            grda = GRDA([self.pairs.alpha], options.step, options.rho * START / scale, options.mu)
            return [trainer.optimiser(weights), grda]

        return (
            Stage("search", epochs=search, judged=False, optimisers=optimisers),
            Stage("retrain", epochs=max(1, epochs - search), begin=self.prune),
        )

    def prune(self) -> None:
        """Keep the pairs whose alpha is not zero and start everything anew; warn where that selects nothing."""
        kept = self.pairs.alpha.detach() != 0
        if kept.all() or not kept.any():
            what, change = ("no pair", "raise") if kept.all() else ("every pair", "lower")
            note = f"the search of AutoFIS pruned {what} of fields; {change} options.rho = {self.options.rho}"
            warnings.warn(note, DataWarning, stacklevel=2)
        fresh = AutoFIS(self.context, self.config)
        fresh.pairs.kept.copy_(kept)
        self.load_state_dict(fresh.state_dict())
        self.pairs.alpha.data.mul_(kept)

    def refresh(self, dropped: Tensor | None = None) -> Side:
        """Return the items; no graph, so nothing is dropped."""
        order = self.order["id"] + self.order["category"][self.items.category]
        for name in self.items.modalities:  # absent features are zeros: no weight
            order = order + self.items.project(name, self.order_of[name]).squeeze(1)
        return Side(self.items(), order)

    def encode(self, state: Side, targets: Targets) -> Side:
        """Return the targets."""
        clicked = self.mean_click(state.fields.flatten(1), targets)
        single = functional.embedding(targets.user, self.user), functional.embedding(targets.slot, self.slot)
        clicked_fields = clicked.unflatten(1, state.fields.shape[1:]).to(self.user.dtype)
        fields = torch.cat([torch.stack(single, 1), clicked_fields], 1)
        order = self.order["user"][targets.user] + self.order["slot"][targets.slot]
        return Side(fields, order + self.order_of["clicked"](clicked).squeeze(1))

    def score(self, state: Side, encoded: Side, targets: Targets, items: Tensor) -> Tensor:
        """Return logits ``[B, n]``."""
        logits = encoded.order[:, None] + state.order[items] + self.pairs(encoded.fields, state.fields, items)
        if self.deep is None:
            return logits
        return logits + self.deep(encoded.fields.flatten(1), state.fields.flatten(1), items)

    def diagnostics(self) -> dict[str, Any]:
        """Return which pairs it kept, by falling size of their weights."""
        names, alpha, chosen = self.pairs.names, self.pairs.alpha.tolist(), self.pairs.kept.tolist()
        kept = {names[p]: alpha[p] for p in sorted(range(len(names)), key=lambda p: -abs(alpha[p])) if chosen[p]}
        shares = {"pairs": len(names), "share_kept": len(kept) / len(names), "kept": kept}
        return {"select": self.options.select, **shares}
