"""Reads pickles of plain data without running any code that they name: numbers, text, lists, tuples, dicts, arrays.

A pickle is a program that may call anything. Here the names that numpy's numbers and arrays need stand for small
functions of this module, and every other name is refused. Python's own interpreter of pickles is used rather than the
one in C, which reserves as much memory as a damaged file asks for.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from hyperctr.errors import DataError


class _DType:
    """What stands for a numpy dtype while a pickle is read."""

    def __init__(self, code: str, *_: object) -> None:
        if not re.fullmatch(r"[<>|]?(?:b1|[iu][1248]|f[248])", str(code)):
            raise ValueError(f"an array of type {code!r}, which is no plain number")
        self.code, self.order = str(code).lstrip("<>|"), "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class PlainArray:
    """An array that stood in a pickle.

    Attributes:
        values: the array, read-only.
    """

    def __init__(self, *_: object) -> None:
        self.values: npt.NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, content = state
        flat = np.frombuffer(_bytes(content), kind.dtype)
        self.values = flat.reshape(shape, order="F" if fortran else "C")


def _scalar(kind: _DType, content: object) -> int | float | bool:
    number: int | float | bool = np.frombuffer(_bytes(content), kind.dtype, count=1)[0].item()
    return number


def _bytes(content: object) -> bytes:
    return content.encode("latin-1") if isinstance(content, str) else bytes(memoryview(content))  # type: ignore[arg-type]


def _encode(text: str, encoding: str = "latin-1") -> bytes:
    """Stand for ``_codecs.encode``, by which protocol 2 writes bytes."""
    return text.encode("latin-1")


STAND_INS = {
    ("numpy", "dtype"): _DType,
    ("numpy", "ndarray"): PlainArray,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy.core.multiarray", "_reconstruct"): PlainArray,
    ("numpy._core.multiarray", "_reconstruct"): PlainArray,
    ("_codecs", "encode"): _encode,
}


class _Plain(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STAND_INS:
            raise DataError(
                f"names {module}.{name}, which would run code; only numbers, text, lists, tuples, dicts and numpy "
                "arrays are read: get the file again from its authors, or convert it to csv where you trust it"
            )
        return STAND_INS[module, name]


def load_plain(file: IO[bytes], path: Path) -> Any:
    """Read the next pickle of an open file; arrays come as :class:`PlainArray`.

    Args:
        file: opened for reading bytes; several pickles may follow one another.
        path: named in messages.

    Raises:
        DataError: the pickle would run code (names what), or is damaged.

    >>> import io
    >>> load_plain(io.BytesIO(pickle.dumps([((1, 2), 0.5), "a"])), Path("x.pkl"))
    [((1, 2), 0.5), 'a']
    >>> load_plain(io.BytesIO(pickle.dumps(print)), Path("x.pkl"))
    Traceback (most recent call last):
    ...
    hyperctr.errors.DataError: x.pkl: names builtins.print, which would run code; only numbers, ...
    """
    try:
        return _Plain(file, encoding="latin-1").load()
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # a damaged pickle fails in any way at all
        raise DataError(f"{path}: is not a readable pickle ({type(error).__name__}: {error}); get it again") from error
