"""The errors a user can meet, and the one helper that words "did you mean".

Every error is also a ``ValueError``, so callers need not import ours to catch it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HyperCTRError(ValueError):
    """Base of all errors raised on purpose by HyperCTR."""


class DataError(HyperCTRError):
    """A file, row or value of the data cannot be used; the message names it and the fix."""


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
