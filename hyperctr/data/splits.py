"""Which rows are for training, which for validation, which for testing (paper, section 3.1).

The part of EVERY row is drawn, clicked or not: rows shown and not clicked are the negatives of the ``impressions``
labelling, and what was trained on must not be tested on. A split is one array with a checksum: it can be published.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.data.files import BROKEN_ARCHIVE
from hyperctr.errors import ConfigError, DataError, counted, did_you_mean
from hyperctr.lazy import lazy_function
from hyperctr.runtime import atomic_path, rng

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

SplitKind = Literal["random", "temporal"]
Ratios = tuple[float, float, float]
PARTS = ("train", "validation", "test")
DEFAULT_RATIOS: dict[str, Ratios] = {"random": (0.7, 0.2, 0.1), "temporal": (0.7, 0.1, 0.2)}

EVEN_RATIOS: Ratios = (0.4, 0.3, 0.3)  # of three clicks or more they leave one for each part


@dataclass(frozen=True, eq=False)
class Split:
    """A part for every interaction row.

    Attributes:
        kind: "random" or "temporal".
        ratios: share of the clicks in train, validation and test, as asked for.
        seed: what the permutation was drawn from (not used by "temporal").
        part: int8 [n], 0 train, 1 validation, 2 test, for every row of ``Dataset.interactions``; in a sample 3, none.
        clicked: bool [n], the rows that are clicks.
        user, item: int64 [n], whose and of what each row is, to count them; None: not known, as of a split from a file.

    >>> import numpy as np
    >>> part, clicked = np.array([0, 0, 1, 2, 2], np.int8), np.array([1, 1, 1, 1, 0], bool)
    >>> s = Split("random", (0.5, 0.25, 0.25), 0, part, clicked)
    >>> s.train, s.test, s.non_clicks("test")
    (array([0, 1]), array([3]), array([4]))
    """

    kind: SplitKind
    ratios: Ratios
    seed: int
    part: NDArray[np.int8]
    clicked: NDArray[np.bool_]
    user: NDArray[np.int64] | None = None
    item: NDArray[np.int64] | None = None

    _repr_html_ = lazy_function("display.cards:split")

    def __post_init__(self) -> None:
        """Freeze the arrays: a split that changes under a model is a leak."""
        if self.part.shape != self.clicked.shape or self.part.ndim != 1:
            raise DataError(f"split: part {self.part.shape} and clicked {self.clicked.shape} must be [rows]")
        for name, dtype in (("part", np.int8), ("clicked", np.bool_)):
            frozen = np.array(getattr(self, name), dtype=dtype)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    def rows(self, part: str) -> NDArray[np.int64]:
        """Return the row numbers of the clicks of ``part``, int64, ascending (hence in time order)."""
        return np.flatnonzero((self.part == part_number(part)) & self.clicked)

    def non_clicks(self, part: str) -> NDArray[np.int64]:
        """Return the row numbers shown and not clicked of ``part``, int64, ascending."""
        return np.flatnonzero((self.part == part_number(part)) & ~self.clicked)

    @cached_property
    def train(self) -> NDArray[np.int64]:
        """Row numbers of the training clicks, int64, ascending."""
        return self.rows("train")

    @cached_property
    def validation(self) -> NDArray[np.int64]:
        """Row numbers of the validation clicks, int64, ascending."""
        return self.rows("validation")

    @cached_property
    def test(self) -> NDArray[np.int64]:
        """Row numbers of the test clicks, int64, ascending."""
        return self.rows("test")

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over the kind, the part of every row and which rows are clicks."""
        return hashlib.sha256(self.kind.encode() + self.part.tobytes() + self.clicked.tobytes()).hexdigest()

    def as_frame(self, data: Dataset) -> pd.DataFrame:
        """Return ``data.interactions`` with a column ``part``: the form to publish (ids, no row numbers).

        Raises:
            DataError: the split is over another number of rows.
        """
        if len(data.timestamp) != len(self.part):
            sizes = f"{len(self.part)} rows, data set {data.name!r} has {len(data.timestamp)}"
            raise DataError(
                f"the split is over {sizes}; load the data set with the options that the split was made with"
            )
        return data.interactions.assign(part=np.array(PARTS)[self.part])

    def save(self, path: str | Path) -> None:
        """Write the split to ``path`` (.npz, about one byte a row or less, no pickle)."""
        metadata: dict[str, Any] = {name: getattr(self, name) for name in ("kind", "ratios", "seed", "checksum")}
        with atomic_path(path) as aside, open(aside, "wb") as handle:
            np.savez_compressed(handle, part=self.part, clicked=np.packbits(self.clicked), **metadata)

    @classmethod
    def load(cls, path: str | Path) -> Split:
        """Read a split written by :meth:`save`.

        Raises:
            DataError: the file is missing, is no split, or its checksum does not fit its content.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                part = file["part"]
                clicked = np.unpackbits(file["clicked"], count=len(part)).astype(bool)
                ratios = cast(Ratios, tuple(map(float, file["ratios"])))
                saved = cls(cast(SplitKind, str(file["kind"])), ratios, int(file["seed"]), part, clicked)
                written = str(file["checksum"])
        except BROKEN_ARCHIVE as reason:
            raise DataError(f"{path}: not readable as a split ({reason}); write it with Split.save") from reason
        if saved.checksum != written:
            sums = f"its content has checksum {saved.checksum[:12]}..., it says {written[:12]}..."
            raise DataError(f"{path} is damaged: {sums}; fetch it again")
        return saved


def split(data: Dataset, kind: SplitKind = "random", ratios: Ratios | None = None, seed: int = 0) -> Split:
    """Split the interactions of ``data`` into train, validation and test.

    Kind ``random``: a seeded permutation of the clicks is cut in the given ratios (paper 3.1: 7:2:1); rows
    shown and not clicked are permuted and cut the same way, apart from the clicks.

    Kind ``temporal``: rows are cut by time alone, clicked or not. Cuts stand between two instants, as near to the
    quantiles of the clicks' timestamps as they can, so rows of one instant are never in different parts.

    Ratios are the shares of train, validation and test, by default (.7, .2, .1), for ``temporal`` (.7, .1, .2).

    Raises:
        ConfigError: unknown kind, or ratios that are not three positive numbers with sum 1.
        DataError: a part would hold no click.

    >>> from hyperctr.data.dataset import Dataset
    >>> clicks = {"user_id": list("aaaaabbbbb"), "item_id": [1, 2, 3, 4, 5] * 2, "timestamp": range(10)}
    >>> data = Dataset("tiny", pd.DataFrame(clicks))
    >>> made = split(data, seed=1)
    >>> len(made.train), len(made.validation), len(made.test)
    (7, 2, 1)
    >>> split(data, "temporal").test
    array([8, 9])
    """
    if kind not in get_args(SplitKind):
        raise ConfigError(f"split kind {kind!r} is not known; {did_you_mean(str(kind), get_args(SplitKind))}")
    shares = _checked_ratios(DEFAULT_RATIOS[kind] if ratios is None else ratios)
    part = _temporal(data, shares) if kind == "temporal" else _random(data, shares, seed)
    made = Split(kind, shares, int(seed), part, data.clicked, data.user_index, data.item_index)
    for name in PARTS:
        if len(made.rows(name)) == 0:
            clicks, instants = int(data.clicked.sum()), len(np.unique(data.timestamp[data.clicked]))
            found = f"{counted(clicks, 'click')} at {counted(instants, 'instant')}, ratios {shares}"
            problem = f"the {kind} split leaves no click for {name} ({found})"
            raise DataError(f"data set {data.name!r}: {problem}; {_way_out(kind, clicks, shares)}")
    return made


def _random(data: Dataset, ratios: Ratios, seed: int) -> NDArray[np.int8]:
    part = np.empty(len(data.clicked), dtype=np.int8)
    for label, mask in (("clicks", data.clicked), ("non_clicks", ~data.clicked)):
        rows = np.flatnonzero(mask)
        order = rng(seed, "split", label).permutation(rows)
        first, second = _cuts(len(rows), ratios)
        part[order[:first]], part[order[first:second]], part[order[second:]] = 0, 1, 2
    return part


def _temporal(data: Dataset, ratios: Ratios) -> NDArray[np.int8]:
    moments, clicks = np.unique(data.timestamp[data.clicked], return_counts=True)
    passed = np.cumsum(clicks)[:-1]  # clicks up to and including each instant but the last: where a cut may be
    part = np.zeros(len(data.timestamp), dtype=np.int8)
    if len(passed) < 2:
        return part  # split() reports the empty parts
    distance = np.abs(passed - np.array(_cuts(int(clicks.sum()), ratios))[:, None])
    first, second = distance.argmin(axis=1)
    if first == second:  # both quantiles lie next to one instant: move the cut that then strays less
        pairs = [(k, k + 1) for k in (first - 1, first) if 0 <= k < len(passed) - 1]
        first, second = min(pairs, key=lambda pair: distance[0, pair[0]] + distance[1, pair[1]])
    for cut in (first, second):
        part += (data.timestamp > moments[cut]).astype(np.int8)
    return part


def _way_out(kind: str, clicks: int, ratios: Ratios) -> str:
    """Say what would leave a click for each part; by time only more instants would, whatever the ratios."""
    first, second = _cuts(clicks, ratios)
    if kind == "temporal":
        other = "use kind='random' or more data" if 0 < first < second < clicks else "use more data"
        return f"{other}: three parts need clicks at three instants"
    if clicks < len(PARTS):
        return "use more data: three parts need three clicks"
    return f"use more data, or other ratios such as {EVEN_RATIOS}"


def _cuts(count: int, ratios: Ratios) -> tuple[int, int]:
    # 1e-9: 0.7 + 0.2 is a little under 0.9, and half a row must not tip over because of it.
    return int(ratios[0] * count + 0.5 + 1e-9), int((ratios[0] + ratios[1]) * count + 0.5 + 1e-9)


def _checked_ratios(ratios: Ratios) -> Ratios:
    try:
        shares = tuple(float(share) for share in ratios)
    except (TypeError, ValueError):
        shares = ()
    if len(shares) != 3 or not all(share > 0 for share in shares) or abs(sum(shares) - 1) > 1e-6:
        needed = "three positive shares (train, validation, test) with sum 1 are needed, such as (.7, .2, .1)"
        raise ConfigError(f"ratios {ratios!r}: {needed}")
    return shares


def part_number(part: str) -> int:
    """Return 0 for train, 1 for validation, 2 for test, as in ``Split.part``.

    Raises:
        ConfigError: an unknown part.
    """
    if part not in PARTS:
        raise ConfigError(f"part {part!r} is not known; {did_you_mean(str(part), PARTS)}")
    return PARTS.index(part)
