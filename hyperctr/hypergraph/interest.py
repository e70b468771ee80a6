"""User interest pre-training (UIP, Eq. 9-10) and the interest matrix of every slot (paper, section 2.3.1).

1. A critic says how well one modality of an item suits a user, Eq. 10 with the shapes closed:
   ``g_m(u, i, a) = < (W_m^T e_i) * (P_m a), e_u >``, one ``W_m`` and one projection ``P_m`` per modality.
2. It is trained so that the clicked item's own attribute scores above the attributes of other items, Eq. 9 as
   InfoNCE, one contrast per modality. The contrast uses the logits ``g``: bounded ones saturate.
3. The degree of interest of a click is a sigmoid of its logits; the interest matrix ``F^t[u, m]`` is the mean
   over the user's training clicks of slot ``t``.

Only training clicks are read: as positives, and as each other's negatives. Validation and test clicks have no
influence, not even by being avoided.

Where this goes beyond the letter of the paper (what each is worth is in docs/method.md, section 4.1, measured by
tests/benchmarks/bench_interest.py):

- ``e_i`` starts at 1 and is pulled back to 1, because a free ``e_i`` learns by heart which attribute is its own,
  which solves the contrast without the user.
- ``e_u`` and ``P_m`` are pulled to 0, because a user has few clicks and they fit by chance.
- Negatives are the attributes of the batch's other clicks rather than of items drawn uniformly, because items are
  then negatives as often as they are clicked, so that popularity cancels.
- The degrees come from weights averaged over about two epochs, because those of any one step follow its batch.
- The degree is ``sigma(g_m - mean over the item's modalities of g)``, because delta is to tell "which modality
  contributes the most", and a click that suits the user in every respect says little about that. A single modality
  has no others: the mean over the training clicks is subtracted, so that 0.5 is still the average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hyperctr.averaging import WeightAverage
from hyperctr.errors import ConfigError, DataError, ShapeError, counted
from hyperctr.lazy import lazy_function
from hyperctr.progress import begin_stage
from hyperctr.runtime import choose_device, derive_seed, shared_tensor
from hyperctr.sparse_adam import SparseAdamW, large_tables, lookup, settled

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split
    from hyperctr.slots import Slots

Float32 = NDArray[np.float32]

# Pull per click towards e_u = 0 and e_i = 1, and per step towards P_m = 0; chosen on `planted`, seed 0.
USER_DECAY, ITEM_DECAY, PROJECTION_DECAY = 2.0, 1.0, 0.05
# Weights are averaged over about so many epochs, as training does by default; taken in at most so often in each.
AVERAGE_EPOCHS, AVERAGED_AN_EPOCH = 2.0, 8
CLICKS_AT_A_TIME = 200_000  # whose logits are computed, once the critic is trained


@dataclass(frozen=True)
class Interest:
    """What the pre-training found.

    Attributes:
        degree: float32 ``[C, M]`` in (0, 1), the degree of interest of every training click, in the order of
            ``split.train``; nan where the item lacks the modality.
        matrix: float32 ``[T, U, M]``, F: mean degree over the user's training clicks of the slot; nan where
            there are none (or none with the modality).
        modalities: the M names.
        user_embedding: float32 ``[U, d]``.
        item_embedding: float32 ``[I, d]``.
        projections: per modality float32 ``[dim, d]``, P_m, for the standardised features.
        weights: per modality float32 ``[d, d]``, W_m.
        losses: UIP loss of each epoch, mean per click and modality.
        threshold: delta of the settings that it is to serve, around which it is shown; nothing else reads it.

    >>> none, degree = np.zeros((0, 4), np.float32), np.array([[0.25], [0.75]], np.float32)
    >>> matrix = interest_matrix(degree, user=np.array([0, 0]), slot=np.array([0, 1]), num_users=1, num_slots=2)
    >>> interest = Interest(degree, matrix, ("visual",), none, none, projections={}, weights={}, losses=())
    >>> interest.matrix[1, 0].tolist()
    [0.75]
    """

    degree: Float32
    matrix: Float32
    modalities: tuple[str, ...]
    user_embedding: Float32
    item_embedding: Float32
    projections: Mapping[str, Float32]
    weights: Mapping[str, Float32]
    losses: tuple[float, ...]
    threshold: float = 0.5

    _repr_html_ = lazy_function("display.cards:interest")

    def __repr__(self) -> str:
        slots, users, _ = self.matrix.shape
        sizes = f"{counted(users, 'user')}, {counted(slots, 'slot')}, {counted(len(self.degree), 'training click')}"
        return f"Interest({sizes}; {', '.join(self.modalities)})"


def pretrain_interest(
    data: Dataset,
    split: Split,
    slots: Slots,
    *,
    embedding_size: int = 64,
    epochs: int = 15,
    learning_rate: float = 0.01,
    batch_size: int = 512,
    seed: int = 0,
    device: str | None = None,
) -> Interest:
    """Train the critic on the training clicks and fill the interest matrix of every slot.

    Args:
        data: at least one modality.
        split: its training clicks are all that is learned from.
        slots: the slots of the matrix; they do not influence the degrees.
        embedding_size: the latent dimension d.
        epochs: passes over the training clicks; 0 leaves the critic as drawn.
        learning_rate: Adam's.
        batch_size: clicks per step; the others in the batch are a click's negatives.
        seed: of initial weights and batches; bit-identical results for a seed on one machine's CPU.
        device: as in :func:`hyperctr.runtime.choose_device`.

    Raises:
        ConfigError: a size is out of bounds.
        DataError: the data set has no modality, or the split no training click.
        ShapeError: split or slots belong to other data.

    >>> from hyperctr.data.planted import planted
    >>> from hyperctr.data.splits import split
    >>> from hyperctr.slots import make_slots
    >>> data = planted(num_users=20, num_items=60, num_interactions=300, months=12, groups=2)
    >>> parts, slots = split(data), make_slots(data, months=6)
    >>> interest = pretrain_interest(data, parts, slots, embedding_size=8, epochs=1, device="cpu")
    >>> interest.matrix.shape, interest.degree.shape == (len(parts.train), 3)
    ((2, 20, 3), True)
    """
    _check(data, split, slots, embedding_size, epochs, learning_rate, batch_size)
    place = choose_device(device)
    clicks = split.train
    user = torch.from_numpy(data.user_index[clicks].copy()).to(place)
    item = torch.from_numpy(data.item_index[clicks].copy()).to(place)
    features = [table.standardised() for table in data.features.values()]
    values = [shared_tensor(table.values).to(place) for table in features]
    present = torch.from_numpy(np.stack([table.present for table in features], axis=1)).to(place)  # [I, M]

    # Parameters: e_u, e_i, and per modality P_m and W_m.
    draw = torch.Generator().manual_seed(derive_seed(seed, "interest"))
    size = embedding_size
    users = nn.Parameter((0.1 * torch.randn(data.num_users, size, generator=draw)).to(place))
    items = nn.Parameter(torch.ones(data.num_items, size, device=place))
    drawn = [torch.randn(len(x[0]), size, generator=draw) / len(x[0]) ** 0.5 for x in values]
    projections = [nn.Parameter(matrix.to(place)) for matrix in drawn]
    weights = [nn.Parameter(torch.eye(size, device=place)) for _ in values]
    parameters = [users, items, *projections, *weights]
    batches = -(-len(clicks) // batch_size)
    stretch = -(-batches // AVERAGED_AN_EPOCH)
    average = WeightAverage(nn.ParameterList(parameters), AVERAGE_EPOCHS * min(batches, AVERAGED_AN_EPOCH))
    large = large_tables([users, items])
    rest = [parameter for parameter in parameters if all(parameter is not table for table in large)]
    optimisers: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, learning_rate, weight_decay=0.0, fused=True)]
    if large:
        optimisers.append(SparseAdamW(large, learning_rate))

    losses = []
    with begin_stage("pre-training", epochs, "epoch") as shown:
        for epoch in range(epochs):
            total = torch.zeros((), device=place)
            for number, batch in enumerate(torch.randperm(len(clicks), generator=draw).split(batch_size), 1):
                b_user, b_item = user[batch], item[batch]
                e_u, e_i = lookup(users, b_user), lookup(items, b_item)
                loss = torch.zeros((), device=place)
                for m, x in enumerate(values):
                    attribute = x[b_item] @ projections[m]  # [B, d]
                    # [B, B]: user and item of the row's click, attribute of the column's.
                    logits = (e_u * (e_i @ weights[m])) @ attribute.T
                    loss = loss + uip_loss(logits, b_item, present[b_item, m])
                total += loss.detach() * len(batch) / len(clicks) / len(values)
                loss = loss + USER_DECAY * e_u.square().sum(1).mean()
                loss = loss + ITEM_DECAY * (e_i - 1).square().sum(1).mean()
                loss = loss + PROJECTION_DECAY * sum((p.square().sum() for p in projections), start=0.0)
                for optimiser in optimisers:
                    optimiser.zero_grad()
                loss.backward()
                for optimiser in optimisers:
                    optimiser.step()
                if number % stretch == 0 or number == batches:
                    for table in (users, items):
                        settled(table)
                    average.update()
                shown.step(epoch + number / batches)
            losses.append(float(total))
            shown.note = f"loss {losses[-1]:.4f}"

    with torch.no_grad(), average.in_place():
        sides = [(items @ w) * (x @ p) for x, p, w in zip(values, projections, weights, strict=True)]
        parts = [
            torch.stack([(users[u] * side[i]).sum(1) for side in sides], dim=1)
            for u, i in zip(user.split(CLICKS_AT_A_TIME), item.split(CLICKS_AT_A_TIME), strict=True)
        ]
        degree = degree_of_interest(torch.cat(parts).cpu(), present[item].cpu()).numpy()
        arrays = [p.detach().cpu().numpy().copy() for p in parameters]
    matrix = interest_matrix(degree, data.user_index[clicks], slots.index[clicks], data.num_users, slots.count)
    names = data.modalities
    projection_of = dict(zip(names, arrays[2 : 2 + len(names)], strict=True))
    weight_of = dict(zip(names, arrays[2 + len(names) :], strict=True))
    return Interest(degree, matrix, names, arrays[0], arrays[1], projection_of, weight_of, tuple(losses))


def uip_loss(logits: Tensor, item: Tensor, present: Tensor) -> Tensor:
    """Return the InfoNCE loss of one modality in a batch (Eq. 9, sign restored), a scalar.

    ``- mean_b [ g_bb - log sum_c exp(g_bc) ]`` over the clicks ``b`` whose item has the modality; ``c`` runs
    over ``b`` itself and the clicks of other items that have it.

    Args:
        logits: ``[B, B]``, ``g_m`` of the user and item of click b (row), attribute of click c (column).
        item: int64 ``[B]``, the item of each click.
        present: bool ``[B]``, whether the item has the modality.

    >>> logits, item = torch.zeros(3, 3), torch.tensor([4, 4, 7])  # two clicks of item 4 do not compete
    >>> loss = uip_loss(logits, item, torch.ones(3, dtype=torch.bool))
    >>> bool(np.isclose(loss.item(), (2 * np.log(2) + np.log(3)) / 3))
    True
    """
    itself = torch.eye(len(item), dtype=torch.bool, device=item.device)
    other = (item[:, None] != item[None, :]) & present[None, :]
    kept = logits.masked_fill(~(itself | other), -torch.inf)
    each = torch.logsumexp(kept, dim=1) - logits.diagonal()
    return torch.where(present, each, 0.0).sum() / present.sum().clamp(min=1)


def degree_of_interest(logits: Tensor, present: Tensor) -> Tensor:
    """Turn the critic's logits ``[C, M]`` into degrees in (0, 1); nan where the modality is not ``present``.

    0.5 is the mean logit of the click's modalities; of one modality alone, that of all clicks.

    >>> degree_of_interest(torch.tensor([[2.0, 0.0, 9.0]]), torch.tensor([[True, True, False]])).tolist()
    [[0.7310585975646973, 0.2689414322376251, nan]]
    >>> degree_of_interest(torch.tensor([[4.0], [2.0]]), torch.ones(2, 1, dtype=torch.bool)).tolist()
    [[0.7310585975646973], [0.2689414322376251]]
    """
    known, among = torch.where(present, logits, 0.0), 1 if logits.shape[1] > 1 else 0
    mean = known.sum(among, keepdim=True) / present.sum(among, keepdim=True).clamp(min=1)
    return torch.where(present, torch.sigmoid(logits - mean), torch.nan)


def interest_matrix(
    degree: Float32, user: NDArray[np.int64], slot: NDArray[np.int64], num_users: int, num_slots: int
) -> Float32:
    """Return F, float32 ``[T, U, M]``: the mean degree ``[C, M]`` over each user's clicks of each slot.

    Degrees that are nan are left out of the mean, which is nan without any; ``user`` and ``slot`` are ``[C]``.

    >>> degree = np.array([[0.25], [0.75], [np.nan]], np.float32)
    >>> interest_matrix(degree, np.array([0, 0, 1]), np.array([0, 0, 0]), 2, 1).tolist()
    [[[0.5], [nan]]]
    """
    return slot_means(degree, user, slot, num_users, num_slots).astype(np.float32)


def slot_means(
    values: NDArray[Any], user: NDArray[np.int64], slot: NDArray[np.int64], num_users: int, num_slots: int
) -> NDArray[np.float64]:
    """Return :func:`interest_matrix` of any values ``[C, M]``, in float64."""
    cell, cells, columns = slot * num_users + user, num_slots * num_users, []
    for column in values.T:
        known = ~np.isnan(column)
        count = np.bincount(cell[known], minlength=cells)
        total = np.bincount(cell[known], column[known].astype(np.float64), minlength=cells)
        columns.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    return np.stack(columns, axis=1).reshape(num_slots, num_users, -1)


def _check(
    data: Dataset, split: Split, slots: Slots, size: int, epochs: int, learning_rate: float, batch_size: int
) -> None:
    """Refuse what cannot work, before minutes are spent on it."""
    if not data.modalities:
        raise DataError(f"{data.name}: there is no modality, and interest is interest in modalities")
    rows = (len(data.timestamp), len(split.part), len(slots.index))
    if len(set(rows)) > 1:
        sizes = f"{data.name} has {rows[0]:,} rows, the split {rows[1]:,}, the slots {rows[2]:,}"
        raise ShapeError(f"{sizes}; make both from this data set")
    if not len(split.train):
        raise DataError(f"{data.name}: the split has no training click to learn interest from")
    for name, value, low in (("embedding_size", size, 1), ("epochs", epochs, 0), ("batch_size", batch_size, 2)):
        if value < low:
            raise ConfigError(f"{name} = {value} must be at least {low}")
    if not 0 < learning_rate < 1:
        raise ConfigError(f"learning_rate = {learning_rate} must be between 0 and 1")
