"""Distinct random items for many rows at once: each row has its own order of the items, of which it takes the first.

To shuffle the catalogue for every row would cost the catalogue every time. A row's order is computed instead: the item

    pi(c + rho(a + b j)), all modulo p,

stands at place j, where p is the first prime from the number of items on, pi and rho are two shuffles of 0..p-1 shared
by all rows, and a, c and 0 < b < p are drawn for the row. Any two places of a row hold any two items equally often, and
no two places the same one; over seeds every order is equally likely, since pi is. The formula can be inverted: the few
items that a row must not have know their places, and those places alone are filled anew, with what comes after the
places asked for.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hyperctr.runtime import derive_seed, rng

CELLS = 1 << 19  # places looked at in one go: memory beyond the result is some 30 bytes for each
TILE = 1 << 16  # of which so many are computed at a time, as they stay in the cache then
Integers = NDArray[np.int64]
Items = NDArray[np.int32]


def hashed(seed: int, purpose: str, *columns: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return 64 random bits a row that depend on the seed, the purpose and the row's values: splitmix64 over columns.

    >>> a, b = np.array([3, 5]), np.array([7, 9])
    >>> bool((hashed(0, "x", a, b)[1:] == hashed(0, "x", a[1:], b[1:])).all())
    True
    """
    state = np.full(len(columns[0]), derive_seed(seed, purpose), dtype=np.uint64)
    for column in columns:
        state = (state ^ column.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def first_prime_from(number: int) -> int:
    """Return the smallest prime that is not below ``number``.

    >>> first_prime_from(2), first_prime_from(1807)
    (2, 1811)
    """
    candidate = max(number, 2)
    while any(candidate % divisor == 0 for divisor in range(2, int(candidate**0.5) + 1)):
        candidate += 1
    return candidate


def modulo(values: Integers, prime: int) -> Integers:
    """Return ``values % prime``, for negative values too; numpy divides by a constant much faster than it takes ``%``.

    >>> modulo(np.array([7, -1]), 5)
    array([2, 4])
    """
    return values - values // prime * prime


def reduced(values: NDArray[np.uint32], prime: int) -> NDArray[np.uint32]:
    """Return sums of two numbers below ``prime`` modulo it; below it, the subtraction makes them huge. In place."""
    np.minimum(values, values - np.uint32(prime), out=values)
    return values


def inverse(values: Integers, prime: int) -> Integers:
    """Return what ``values`` (1..prime-1) have to be multiplied with to give 1 modulo the prime: their power p - 2.

    >>> inverse(np.array([1, 2, 3, 4]), 5)
    array([1, 3, 2, 4])
    """
    result = np.ones_like(values)
    for bit in bin(prime - 2)[2:]:
        result = modulo(result * result, prime)
        if bit == "1":
            result = modulo(result * values, prime)
    return result


class Shuffles:
    """An order of the items for each row; see the module.

    Args:
        num_items: I, below 2^31.
        keys: uint64 [P], 64 random bits for each row, which decide its order together with ``seed``.
        seed: of the shuffle that all rows share.
    """

    def __init__(self, num_items: int, keys: NDArray[np.uint64], seed: int) -> None:
        self.num_items, self.prime = num_items, first_prime_from(num_items)
        generator = rng(seed, "shuffled items")
        self._inner, self._item = (generator.permutation(self.prime).astype(np.uint32) for _ in range(2))  # rho, pi
        self._inner_back, place = (np.argsort(shuffle) for shuffle in (self._inner, self._item))
        self._place, self._no_item = place[:num_items], place[num_items:]
        first, step, shift = (hashed(seed, purpose, keys) for purpose in ("first", "step", "shift"))
        self._first, self._shift = ((bits % np.uint64(self.prime)).astype(np.int64) for bits in (first, shift))
        self._step = (step % np.uint64(self.prime - 1) + np.uint64(1)).astype(np.int64)
        self._back = inverse(self._step, self.prime)

    def first(self, count: int, barred: Integers, begin: Integers, end: Integers) -> FirstItems:
        """Return the first ``count`` items of each row that are not barred, [P, count]; -1 where they run out.

        Args:
            count: at least 1.
            barred: int [C], items.
            begin: int [P]; row r must not have ``barred[begin[r]:end[r]]``, which are distinct.
            end: int [P].
        """
        return FirstItems(self, count, self._place[barred].astype(np.int32), begin, end)

    def draw(self, rows: slice, count: int, barred: NDArray[np.int32], begin: Integers, end: Integers) -> Items:
        """Return the first items of some rows, int32 [rows, count]; ``barred`` are places of pi."""
        drawn, width = np.empty((len(begin), count), dtype=np.int32), min(count, self.prime)
        drawn[:, width:] = -1
        work = np.cumsum(end - begin + len(self._no_item) + width)
        cuts = np.searchsorted(work, np.arange(0, work[-1], CELLS)) if len(work) else np.empty(0, np.int64)
        for first, last in pairwise([*np.unique(cuts), len(begin)]):
            part, these = slice(first, last), slice(rows.start + first, rows.start + last)
            self._fill(drawn[part, :width], these, barred, begin[part], end[part])
        return drawn

    def _items(self, first: Integers, step: Integers, shift: Integers, width: int) -> NDArray[np.uint32]:
        """Return what stands at places 0..width-1, [rows, width]."""
        # a + b j for j = side h + l is the sum of an entry of each of two short tables.
        side, prime = int(np.ceil(np.sqrt(width))), self.prime
        low = modulo(step * np.arange(side), prime).astype(np.uint32)
        high = modulo(first + step * (np.arange(side) * side % prime), prime).astype(np.uint32)
        at = reduced(high[:, :, None] + low[:, None, :], prime).reshape(len(low), side * side)
        at = self._inner.take(at)
        at += shift.astype(np.uint32)
        items: NDArray[np.uint32] = self._item.take(reduced(at, prime))
        return items[:, :width]

    def _fill(self, drawn: Items, rows: slice, barred: NDArray[np.int32], begin: Integers, end: Integers) -> None:
        """Write the first items of some rows into ``drawn`` [rows, width]; ``barred`` are places of pi."""
        prime, (count, width) = self.prime, drawn.shape
        first, step, back, shift = (values[rows] for values in (self._first, self._step, self._back, self._shift))
        # Step 1: items at places 0..width-1
        tile = max(1, TILE // width)
        for top in range(0, count, tile):
            part = slice(top, top + tile)
            drawn[part] = self._items(first[part, None], step[part, None], shift[part, None], width)

        # Step 2: places that must not be used: of barred items, and of what is no item
        size = end - begin
        owner = np.repeat(np.arange(count), size)
        which = np.arange(len(owner)) + np.repeat(begin - np.cumsum(size) + size, size)
        places = self._inner_back.take(modulo(barred[which] - np.repeat(shift, size), prime))
        places = modulo((places - np.repeat(first, size)) * np.repeat(back, size), prime)
        absent = self._inner_back.take(modulo(self._no_item - shift[:, None], prime))
        absent = modulo((absent - first[:, None]) * back[:, None], prime)
        limit = width + size + len(self._no_item)  # no row has to look further
        near = np.flatnonzero(places < np.repeat(limit, size))
        keys = owner[near] * prime + places[near]
        keys = np.append(keys, (np.arange(count)[:, None] * prime + absent)[absent < limit[:, None]])
        owner, places = np.divmod(np.sort(keys), prime)

        # Step 3: the k-th of them in a row takes the item at the k-th good place from `width` on
        inside = places < width
        hole_owner, hole = owner[inside], places[inside]
        number = np.arange(len(hole)) - np.searchsorted(hole_owner, np.arange(count))[hole_owner]
        owner, places = owner[~inside], places[~inside]
        start = np.searchsorted(owner, np.arange(count))
        good_before = owner * prime + places - width - (np.arange(len(owner)) - start[owner])
        passed = np.searchsorted(good_before, hole_owner * prime + number, side="right") - start[hole_owner]
        spare = width + number + passed
        inner = self._inner[(first[hole_owner] + step[hole_owner] * spare) % prime]
        items = self._item[(inner + shift[hole_owner]) % prime].astype(np.int32)
        drawn[hole_owner, hole] = np.where(spare < prime, items, -1)

        # Step 4: where a row has run out, what is missing goes to its end
        out = np.unique(hole_owner[spare >= prime])
        if len(out):
            drawn[out] = np.take_along_axis(drawn[out], np.argsort(drawn[out] < 0, axis=1, kind="stable"), axis=1)


class FirstItems:
    """The first items of each row's order, drawn anew wherever rows are read: a matrix [P, count] that holds none.

    ``[first:last]`` gives these rows as int32 [last - first, count], -1 at the end of a row that runs out of items; a
    row is the same whatever is read with it. Memory: 48 bytes a row and 4 for each barred item.

    >>> none = np.zeros(2, dtype=np.int64)
    >>> items = Shuffles(7, np.array([1, 2], dtype=np.uint64), seed=0).first(3, none[:0], none, none)
    >>> items.shape, bool((items[1:2] == items[:][1]).all()), items.sizes
    ((2, 3), True, array([3, 3]))
    """

    def __init__(self, shuffles: Shuffles, count: int, barred: Items, begin: Integers, end: Integers) -> None:
        self._shuffles, self._barred, self._begin, self._end = shuffles, barred, begin, end
        self.shape = (len(begin), count)

    def __len__(self) -> int:
        return len(self._begin)

    def __getitem__(self, rows: slice) -> Items:
        first, last, _ = rows.indices(len(self))
        rows = slice(first, max(first, last))
        return self._shuffles.draw(rows, self.shape[1], self._barred, self._begin[rows], self._end[rows])

    @property
    def sizes(self) -> Integers:
        """How many items each row has, int64 [P]."""
        return np.asarray(np.minimum(self.shape[1], self._shuffles.num_items - (self._end - self._begin)))
