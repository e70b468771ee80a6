"""What every metric checks before it counts: shapes, NaN, labels 0 or 1, probabilities in [0, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperctr.errors import DataError, ShapeError


def vector(values: ArrayLike, name: str, length: int | None = None, offset: int = 0) -> NDArray[Any]:
    """Return ``values`` as an array [n] without NaN; ``offset`` is added to the index an error names.

    Raises:
        ShapeError: not a vector, or not of ``length``.
        DataError: a NaN.

    >>> vector([1.0, float("nan")], "scores")
    Traceback (most recent call last):
    hyperctr.errors.DataError: scores[1] is NaN (1 of 2 are)
    """
    array = np.asarray(values)
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "a vector" if length is None else f"a vector of {length}"
        raise ShapeError(f"{name} has shape {array.shape}; {wanted} is needed")
    if array.dtype.kind == "f" and (bad := np.isnan(array)).any():
        raise DataError(f"{name}[{offset + int(np.argmax(bad))}] is NaN ({int(bad.sum())} of {len(array)} are)")
    return array


def numbers(values: ArrayLike, name: str, length: int | None = None, offset: int = 0) -> NDArray[Any]:
    """Return ``values`` as :func:`vector` does.

    Raises:
        ShapeError: not a vector, or not of ``length``.
        DataError: a NaN, or something that is no real number.
    """
    array = vector(values, name, length, offset)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} has dtype {array.dtype}; real numbers are needed")
    return array


def labelled(labels: ArrayLike, values: ArrayLike, name: str) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return labels as bool [n] and values as numbers [n].

    Raises:
        ShapeError: not two vectors of one length.
        DataError: a label that is not 0 or 1, a value that is NaN or no number.
    """
    array = numbers(values, name)
    truth = vector(labels, "labels", len(array))
    if truth.dtype != np.bool_:
        wrong = (truth != 0) & (truth != 1)
        if wrong.any():
            index = int(np.argmax(wrong))
            raise DataError(f"labels[{index}] is {truth[index].item()!r}; 0 or 1 is needed")
    return truth.astype(bool), array


def chances(values: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities as float64 [n].

    Raises:
        DataError: a value outside [0, 1].
    """
    chance = numbers(values, "probabilities").astype(np.float64)
    wrong = (chance < 0) | (chance > 1)
    if wrong.any():
        index = int(np.argmax(wrong))
        place = f"probabilities[{index}] is {float(chance[index])}"
        raise DataError(f"{place}, outside [0, 1]; apply the sigmoid to logits")
    return chance
