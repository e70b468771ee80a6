"""The errors a user can meet, and helpers that word them: "did you mean", "say", "1 click".

Every error is also a ``ValueError``, so callers need not import ours to catch it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from difflib import get_close_matches


class HyperCTRError(ValueError):
    """Base of all errors raised on purpose by HyperCTR."""


class DataError(HyperCTRError):
    """A file, row or value of the data cannot be used; the message names it and the fix.

    Attributes:
        faults: what is wrong, one text each; the message has a line for each.

    >>> print(DataError("a.csv: is empty", "b.csv: is empty"))
    a.csv: is empty
    b.csv: is empty
    """

    def __init__(self, *faults: str) -> None:
        super().__init__(*faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


class Faults:
    """Gathers the errors of parts of the data that do not depend on each other, so that all are told at once.

    >>> faults = Faults()
    >>> for name in ("a.csv", "b.csv"):
    ...     with faults:
    ...         raise DataError(f"{name}: is empty")
    >>> faults.tell()
    Traceback (most recent call last):
    hyperctr.errors.DataError: a.csv: is empty
    b.csv: is empty
    """

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, DataError):
            self.texts += [text for text in error.faults if text not in self.texts]
        return isinstance(error, DataError)

    def tell(self) -> None:
        """Raise what was gathered, if anything."""
        if self.texts:
            raise DataError(*self.texts)


class ConfigError(HyperCTRError):
    """A setting is unknown, of the wrong type or out of bounds."""


class ShapeError(HyperCTRError):
    """A tensor or array does not have the documented shape."""


class RunError(HyperCTRError):
    """A run is missing, incomplete or damaged."""


class DataWarning(UserWarning):
    """Data that was usable only after something was dropped or masked; counted in the message."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for a mistyped name, or the list of allowed ones.

    >>> did_you_mean("epoch", ["epochs", "seed"])
    "did you mean 'epochs'?"
    >>> did_you_mean("zzz", ["epochs", "seed"])
    'allowed: epochs, seed'
    """
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "allowed: " + ", ".join(names)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one.

    >>> counted(1, "click"), counted(2000, "click"), counted(0, "user")
    ('1 click', '2,000 clicks', '0 users')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def say(key: str, value: object) -> str:
    """Word the advice to give an option of a data set, as it is typed in Python and on the command line.

    >>> say("time", "ms"), say("click", "rating >= 4")
    ("say time='ms' (--option time=ms)", "say click='rating >= 4' (--option 'click=rating >= 4')")
    """
    text = str(value)
    if isinstance(value, list):
        plain = all(word and "," not in word for word in value)
        text = ",".join(value) if plain else json.dumps(value, ensure_ascii=False)
    name, _, entry = key.partition(".")
    return f"say {name}={ ({entry: value} if entry else value)!r} (--option {shlex.quote(f'{key}={text}')})"
