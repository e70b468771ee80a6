"""The embedded default data set ``planted``: generated, with the truth kept beside it.

How users, items, impressions and clicks come about is told in :mod:`hyperctr.data.planted_world`. This module
checks the sizes, runs that world and returns only what a real log would show: rows with dates, noisy feature
vectors of another dimension per modality (missing for some items), titles. The truth is ``Dataset.truth``.

Everything is drawn from generators derived from ``seed`` and a purpose: equal arguments give identical data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from hyperctr.data.dataset import Dataset, modality_rank
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.data.planted_world import CONTENT_DIM, Int, PlantedTruth, click, make_world, show
from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.runtime import rng

DIMS: Mapping[str, int] = {"visual": 128, "acoustic": 48, "textual": 64}
MISSING: Mapping[str, float] = {"visual": 0.02, "acoustic": 0.10, "textual": 0.05}
FIRST_USER, FIRST_ITEM = 1, 10_000  # public ids differ from indices, so that mixing them up shows

WORDS: Mapping[str, tuple[str, ...]] = {
    "visual": ("Neon", "Sunlit", "Misty", "Painted", "Slow", "Aerial", "Undersea", "Grey"),
    "acoustic": ("piano", "drums", "ocean waves", "synth", "street noise", "guitar", "choir", "silence"),
    "textual": ("cooking", "football", "travel", "comedy", "repair", "dance", "animals", "news"),
}


def planted(
    seed: int = 0,
    *,
    num_users: int = 1000,
    num_items: int = 2000,
    num_interactions: int = 60_000,
    months: int = 36,
    groups: int = 12,
    dims: Mapping[str, int] | None = None,
    missing: float | Mapping[str, float] | None = None,
    noise: float = 0.4,
    drift: float = 1.0,
    start: str = "2018-01-01",
) -> Dataset:
    """Generate the embedded data set.

    Args:
        seed: everything drawn depends on it and on the sizes, on nothing else.
        num_users: 2 to 1,000,000.
        num_items: 20 to 1,000,000.
        num_interactions: rows shown, clicked or not; per user at least 5, at most a quarter of the items.
        months: length of the calendar, 1 to 240.
        groups: number of groups sharing taste, 1 to ``num_users``.
        dims: observed feature dimension (1 to 4096) per modality; its keys are the modalities.
        missing: share of items lacking a modality, in [0, 0.5]; one number, or one per modality. No item lacks all,
            unless there is one modality only.
        noise: size of the noise in an observed feature relative to the signal, 0 to 10.
        drift: size of the drift of modality interest, 0 (frozen) to 10.
        start: first day of the calendar, ``YYYY-MM-DD`` (UTC).

    Returns:
        The data set with ``truth`` attached.

    Raises:
        ConfigError: a size is outside its range; the message names the range.

    >>> data = planted(num_users=30, num_items=100, num_interactions=600, months=6, groups=3)
    >>> data.num_users, data.num_items, len(data.interactions), data.modalities
    (30, 100, 600, ('visual', 'acoustic', 'textual'))
    >>> data.truth.interest.shape
    (30, 6, 3)
    """
    names = sorted(DIMS if dims is None else dims, key=modality_rank)
    dims = {name: (DIMS if dims is None else dims)[name] for name in names}
    if not dims:
        raise ConfigError("dims is empty; name at least one modality, like {'visual': 128}")
    shares = _shares(dims, missing)
    _check("num_users", num_users, 2, 1_000_000)
    _check("num_items", num_items, 20, 1_000_000)
    _check("months", months, 1, 240)
    first = _first_day(start)
    _check("num_interactions", num_interactions, 5 * num_users, num_users * (num_items // 4))
    _check("groups", groups, 1, num_users)
    _check("noise", noise, 0.0, 10.0)
    _check("drift", drift, 0.0, 10.0)
    for name in dims:
        _check(f"dims[{name!r}]", dims[name], 1, 4096)
        _check(f"missing[{name!r}]", shares[name], 0.0, 0.5)

    world = make_world(seed, num_users, num_items, months, groups, tuple(dims), drift)
    users, items, month = show(seed, world, num_interactions)
    clicked, offset = click(seed, world, users, items, month)
    time = _timestamps(seed, first, months, month)
    order = np.argsort(time, kind="stable")
    truth = replace(world, month=month[order], click_offset=offset)
    columns = {"user_id": users + FIRST_USER, "item_id": items + FIRST_ITEM, "timestamp": time, "clicked": clicked}
    catalogue = np.arange(num_items) + FIRST_ITEM
    return Dataset(
        "planted",
        Interactions(pd.DataFrame(columns).iloc[order].reset_index(drop=True), source="planted"),
        _observe(seed, world, dims, shares, noise),
        items=catalogue,
        item_table=pd.DataFrame({"item_id": catalogue, "title": _titles(truth)}),
        licence="Generated by HyperCTR; free of rights (CC0-1.0).",
        truth=truth,
    )


def _shares(dims: Mapping[str, int], missing: float | Mapping[str, float] | None) -> dict[str, float]:
    if missing is None:
        return {name: MISSING.get(name, 0.05) for name in dims}
    if isinstance(missing, Mapping):
        for name in missing:
            if name not in dims:
                raise ConfigError(f"missing: modality {name!r} is not known; {did_you_mean(name, dims)}")
        return {name: missing.get(name, 0.0) for name in dims}
    return dict.fromkeys(dims, missing)


def _check(name: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside its range, and a fraction where the range is given in whole numbers."""
    kind = "a whole number" if isinstance(low, int) else "a number"
    allowed = (int, np.integer) if isinstance(low, int) else (int, float, np.number)
    if not isinstance(value, allowed) or not low <= value <= high:
        raise ConfigError(f"{name}={value!r} is not possible; {name} must be {kind} from {low:,} to {high:,}")


def _first_day(start: str) -> pd.Timestamp:
    try:
        first = pd.Timestamp(start)
    except ValueError as error:
        raise ConfigError(f"start={start!r} is not a date; write it like '2018-01-01'") from error
    if first.day != 1 or first != first.normalize() or first.tz is not None or not 1970 <= first.year <= 2200:
        raise ConfigError(f"start={start!r} must be the first day of a month of 1970-2200, like '2018-01-01'")
    return first


def _timestamps(seed: int, first: pd.Timestamp, months: int, month: Int) -> Int:
    """Return a UTC second within each row's calendar month, ``[rows]``."""
    edges = pd.date_range(first, periods=months + 1, freq="MS").as_unit("s").asi8
    inside = rng(seed, "planted", "times").random(len(month))
    seconds: Int = edges[month] + (inside * (edges[month + 1] - edges[month])).astype(np.int64)
    return seconds


def _observe(
    seed: int, world: PlantedTruth, dims: Mapping[str, int], shares: Mapping[str, float], noise: float
) -> list[FeatureTable]:
    """Return what a model sees of the items: a noisy linear image per modality, missing for some items."""
    bare = np.ones(len(world.popularity), dtype=bool)
    tables = []
    for k, (name, dim) in enumerate(dims.items()):
        draw = rng(seed, "planted", "features", name)
        image = draw.standard_normal((CONTENT_DIM, dim)) / np.sqrt(CONTENT_DIM)
        values = draw.standard_normal((len(bare), dim), dtype=np.float32)
        values *= noise
        values += (world.looks[name] @ image).astype(np.float32)[world.styles[name]]
        may_lack = draw.permutation(len(bare))
        if 0 < k == len(dims) - 1:
            may_lack = may_lack[~bare[may_lack]]
        present = np.ones(len(bare), dtype=bool)
        present[may_lack[: round(shares[name] * len(bare))]] = False
        bare &= ~present
        tables.append(FeatureTable(name, values, present, source="planted"))
    return tables


def _titles(world: PlantedTruth) -> list[str]:
    """Name each item by its topics, for the inspector: ``Neon / cooking / piano #17``."""
    names = sorted(world.modalities, key=lambda name: {"visual": 0, "textual": 1, "acoustic": 2}.get(name, 3))
    parts = []
    for name in names:
        words = WORDS.get(name) or tuple(f"{name}-{topic}" for topic in range(CONTENT_DIM))
        parts.append([words[topic] for topic in world.topics[name]])
    return [f"{' / '.join(words)} #{i}" for i, words in enumerate(zip(*parts, strict=True))]
