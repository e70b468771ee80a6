"""Each row's own order of the items: whole, uniform, its own, and the same however rows are put into blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.data import shuffle
from hyperctr.data.shuffle import Shuffles, first_prime_from, hashed, inverse, modulo


def keys(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64 - 1, rows, dtype=np.uint64, endpoint=True)


def some_barred(draw: np.random.Generator, rows: int, num_items: int) -> tuple[list[np.ndarray], tuple]:
    """Sets of items, one a row, and the same as `first` takes them."""
    sets = [draw.permutation(num_items)[: draw.integers(0, num_items + 1)] for _ in range(rows)]
    sizes = np.array([len(barred) for barred in sets], dtype=np.int64)
    return sets, (np.concatenate([np.empty(0, np.int64), *sets]), np.cumsum(sizes) - sizes, np.cumsum(sizes))


def in_turn(num_items: int, row_keys: np.ndarray, seed: int, count: int, sets: list[np.ndarray]) -> np.ndarray:
    """The definition, one item after the other, with what comes later where one is not allowed."""
    made = Shuffles(num_items, row_keys, seed)
    p, rows = made.prime, np.full((len(sets), count), -1)
    for row, barred in enumerate(sets):
        a, b, c = (int(values[row]) for values in (made._first, made._step, made._shift))
        order = [int(made._item[(c + int(made._inner[(a + b * j) % p])) % p]) for j in range(p)]
        good = [item < num_items and item not in barred for item in order]
        spare = iter([item for item, fine in zip(order[count:], good[count:], strict=True) if fine])
        filled = [item if fine else next(spare, -1) for item, fine in zip(order[:count], good, strict=False)]
        kept = [item for item in filled if item >= 0]
        rows[row, : len(kept)] = kept
    return rows


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    num_items=st.integers(1, 70),
    rows=st.integers(0, 9),
    count=st.integers(1, 90),
    cells=st.sampled_from([1, 60, 1 << 18]),
)
def test_items_are_those_of_the_definition(seed, num_items, rows, count, cells):
    draw = np.random.default_rng(seed)
    sets, barred = some_barred(draw, rows, num_items)
    row_keys = keys(rows, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "CELLS", cells)  # blocks change nothing
        drawn = Shuffles(num_items, row_keys, seed).first(count, *barred)[:]
    assert drawn.dtype == np.int32
    np.testing.assert_array_equal(drawn, in_turn(num_items, row_keys, seed, count, sets))
    for row, none in zip(drawn, sets, strict=True):
        there = min(count, num_items - len(none))
        assert (row[there:] == -1).all()
        assert len(set(row[:there])) == there
        assert set(row[:there]) <= set(range(num_items)) - set(none)


def test_a_row_keeps_its_items_in_any_company():
    draw = np.random.default_rng(1)
    _, (barred, begin, end) = some_barred(draw, 40, 300)
    row_keys, order = keys(40), draw.permutation(40)[:25]
    whole = Shuffles(300, row_keys, 5).first(60, barred, begin, end)[:]
    part = Shuffles(300, row_keys[order], 5).first(60, barred, begin[order], end[order])[:]
    np.testing.assert_array_equal(part, whole[order])
    other = Shuffles(300, row_keys, 6).first(60, barred, begin, end)[:]
    assert (other != whole).mean() > 0.5


@pytest.mark.parametrize(("num_items", "bar"), [(13, 0), (97, 0), (96, 20), (150, 30)])  # 13 and 97 are primes
@pytest.mark.parametrize("places", [(0, 1), (2, 6)])
def test_any_two_places_hold_any_two_items_equally_often(num_items, bar, places):
    rows, barred = 100_000, np.random.default_rng(0).permutation(num_items)[:bar]
    begin, end = np.zeros(rows, np.int64), np.full(rows, bar)
    drawn = Shuffles(num_items, keys(rows), 3).first(7, barred, begin, end)[:]
    free = np.setdiff1d(np.arange(num_items), barred)
    single = np.bincount(drawn[:, places[1]], minlength=num_items)[free]
    chi = ((single - single.mean()) ** 2 / single.mean()).sum()
    assert chi < len(free) + 5 * np.sqrt(2 * len(free))
    table = np.zeros((num_items, num_items))
    np.add.at(table, tuple(drawn[:, places].T), 1)
    assert table.sum() == table[np.ix_(free, free)].sum() == rows and not table.diagonal().any()
    pairs = table[np.ix_(free, free)][~np.eye(len(free), dtype=bool)]
    chi = ((pairs - pairs.mean()) ** 2 / pairs.mean()).sum()
    assert chi < len(pairs) + 5 * np.sqrt(2 * len(pairs))


def test_rows_share_no_more_items_than_chance_has_them_share():
    drawn = Shuffles(997, keys(300), 0).first(100, np.empty(0, np.int64), *np.zeros((2, 300), np.int64))[:]
    has = np.zeros((300, 997))
    has[np.arange(300)[:, None], drawn] = 1
    shared = (has @ has.T)[~np.eye(300, dtype=bool)]
    assert shared.mean() == pytest.approx(100 * 100 / 997, rel=0.01)  # hypergeometric
    assert shared.var() == pytest.approx(100 * 100 / 997 * (897 / 997) ** 2, rel=0.1)


def test_hash_depends_on_every_column_and_its_bits_are_even():
    a, b = np.arange(20_000), np.arange(20_000) % 7
    bits = hashed(0, "x", a, b)
    assert len(np.unique(bits)) == 20_000
    for other in (hashed(1, "x", a, b), hashed(0, "y", a, b), hashed(0, "x", a, b + 1), hashed(0, "x", a + 20_000, b)):
        flipped = np.unpackbits((bits ^ other).view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
        assert abs(flipped - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)


def test_arithmetic_modulo_a_prime():
    for prime in (2, 3, 13, 10_687, 3_239_539):
        assert first_prime_from(prime) == prime
        values = np.unique(np.r_[1, prime - 1, np.random.default_rng(0).integers(1, prime, 50)])
        np.testing.assert_array_equal(values * inverse(values, prime) % prime, 1)
        np.testing.assert_array_equal(modulo(values - prime, prime), values % prime)
    assert [first_prime_from(number) for number in (0, 1, 4, 14, 24)] == [2, 2, 5, 17, 29]
