"""Item vectors: a learned embedding plus one projection per modality, absent modalities learned, never zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyperctr.sparse_adam import lookup, settled

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset


class ItemEncoder(nn.Module):
    """Static item vectors ``M_I[i] + mean_m P_m a_{i,m}`` of all items.

    Features are frozen, standardised buffers that a checkpoint leaves out (the data set has them); only the
    projections are trained. An item without modality m gets a learned vector for "absent" in its place.

    Shapes:
        - output: ``[I, d]``.

    Paper: embedding layer of section 2.2.1.
    """

    def __init__(self, data: Dataset, size: int) -> None:
        super().__init__()
        self.modalities = tuple(data.modalities)
        self.embedding = nn.Parameter(torch.empty(data.num_items, size))
        self.projection = nn.ModuleDict()
        self.absent = nn.ParameterDict()
        for name in self.modalities:
            table = data.features[name]
            values = torch.from_numpy(table.standardised().values.copy())
            # Unit-length rows on average, so that every modality enters with the same scale whatever its width.
            self.register_buffer(f"values_{name}", values / values.shape[1] ** 0.5, persistent=False)
            self.register_buffer(f"present_{name}", torch.from_numpy(table.present.copy())[:, None], persistent=False)
            self.projection[name] = nn.Linear(values.shape[1], size)
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

    def modality(self, name: str, items: Tensor | slice = slice(None)) -> Tensor:
        """Return the projected features of one modality, ``[n, d]`` for items ``[n]``, by default all."""
        projected = self.projection[name](getattr(self, f"values_{name}")[items])
        return torch.where(getattr(self, f"present_{name}")[items], projected, self.absent[name].to(projected.dtype))

    def forward(self) -> Tensor:
        """Return the static vectors of all items, ``[I, d]``."""
        return self._vectors(settled(self.embedding), slice(None))

    def look_up(self, items: Tensor) -> Tensor:
        """Return the static vectors of some items, ``[*, d]`` for int64 ``[*]``; many that share few cost few."""
        if items.numel() >= len(self.embedding):
            return functional.embedding(items, self._vectors(settled(self.embedding), slice(None)))
        if items.is_cuda or items.dim() < 2:  # how many differ is unknown on a GPU without waiting for it
            flat = items.flatten()
            return self._vectors(lookup(self.embedding, flat), flat).view(*items.shape, -1)
        used, index = torch.unique(items, return_inverse=True)
        return functional.embedding(index, self._vectors(lookup(self.embedding, used), used))

    def _vectors(self, embedded: Tensor, items: Tensor | slice) -> Tensor:
        if not self.modalities:
            return embedded
        return embedded + torch.stack([self.modality(name, items) for name in self.modalities]).mean(0)
