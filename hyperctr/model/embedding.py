"""Item vectors: a learned embedding plus one projection per modality, absent modalities learned, never zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.runtime import shared_tensor
from hyperctr.sparse_adam import lookup, settled

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset


class ItemEncoder(nn.Module):
    """Static item vectors ``M_I[i] + mean_m P_m a_{i,m}`` of all items.

    Features are frozen, standardised buffers that a checkpoint leaves out (the data set has them) and that on a CPU
    are the data set's own memory; only the projections are trained. An item without modality m gets a learned vector
    for "absent" in its place.

    Shapes:
        - items: int64 ``[n]``, all by default; output: ``[n, d]``, ``[I, d]``.

    Paper: embedding layer of section 2.2.1.
    """

    marks: Tensor

    def __init__(self, data: Dataset, size: int) -> None:
        super().__init__()
        self.modalities = tuple(data.modalities)
        self.embedding = nn.Parameter(torch.empty(data.num_items, size))
        self.projection = nn.ModuleDict()
        self.absent = nn.ParameterDict()
        # Which of a bias and of a vector for "absent" an item has of each modality. [I, 2M]
        has = np.stack([data.features[name].present for name in self.modalities], 1) if self.modalities else None
        self.register_buffer("marks", None if has is None else torch.from_numpy(np.hstack([has, ~has])).float(), False)
        for name in self.modalities:
            table = data.features[name]
            self.register_buffer(f"values_{name}", shared_tensor(table.standardised().values), persistent=False)
            self.projection[name] = nn.Linear(table.dim, size)
            self.absent[name] = nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw embeddings and projections from a Gaussian, as the paper does."""
        nn.init.normal_(self.embedding, std=0.1)
        for name in self.modalities:
            projection = self.projection[name]
            assert isinstance(projection, nn.Linear)  # for the type checker
            nn.init.normal_(projection.weight, std=0.1)
            nn.init.zeros_(projection.bias)
            nn.init.normal_(self.absent[name], std=0.1)

    def project(self, name: str, layer: nn.Module, items: Tensor | None = None) -> Tensor:
        """Return a linear layer of one modality's features divided by the root of their number, ``[n, ...]``.

        Rows then have unit length on average: every modality enters with the same scale whatever its width.
        """
        assert isinstance(layer, nn.Linear)  # for the type checker
        values = self._features(name, items)
        return functional.linear(values, layer.weight * values.shape[1] ** -0.5, layer.bias)

    def _features(self, name: str, items: Tensor | None) -> Tensor:
        """Return the standardised features of one modality, ``[n, D]``."""
        values: Tensor = getattr(self, f"values_{name}")
        return values if items is None else functional.embedding(items, values)

    def modality(self, name: str, items: Tensor | None = None) -> Tensor:
        """Return the projected features of one modality, ``[n, d]``."""
        return self.or_absent(name, self.project(name, self.projection[name], items), items)

    def or_absent(self, name: str, projected: Tensor, items: Tensor | None = None) -> Tensor:
        """Return the vectors, with the learned one in place of those whose item lacks the modality."""
        mark = self.marks[:, self.modalities.index(name), None]
        present = mark if items is None else mark[items]
        return torch.where(present > 0, projected, self.absent[name].to(projected.dtype))

    def forward(self, items: Tensor | None = None) -> Tensor:
        """Return the static vectors of the items, ``[n, d]``; a batch that needs few pays for few."""
        vectors = settled(self.embedding) if items is None else lookup(self.embedding, items)
        if not self.modalities:
            return vectors
        # The mean of modality(): features are 0 where absent, so products are summed as they are made, and all biases
        # and vectors for "absent" are one product more.
        count = len(self.modalities)
        layers = {name: cast(nn.Linear, self.projection[name]) for name in self.modalities}
        constant = torch.stack([*(layer.bias for layer in layers.values()), *self.absent.values()]) / count
        mean = (self.marks if items is None else functional.embedding(items, self.marks)) @ constant
        for name, layer in layers.items():
            values = self._features(name, items)
            mean = torch.addmm(mean, values, layer.weight.T * (values.shape[1] ** -0.5 / count))
        return vectors + mean

    def table_of(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return static vectors ``[k, d]`` with those of items of any shape, each computed once, and where these are.

        The place of an item's vector is int64 of the shape of ``items``.
        """
        if items.numel() >= len(self.embedding):
            return self.forward(), items
        if items.is_cuda or items.dim() < 2:  # how many differ is unknown on a GPU without waiting for it
            return self.forward(items.flatten()), torch.arange(items.numel(), device=items.device).view_as(items)
        used, index = torch.unique(items, return_inverse=True)
        return self.forward(used), index

    def look_up(self, items: Tensor) -> Tensor:
        """Return the static vectors of items of any shape, ``[*, d]`` for int64 ``[*]``."""
        table, index = self.table_of(items)
        return functional.embedding(index, table)
