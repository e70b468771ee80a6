"""The names of the inspector's views, and which one suits how many hyperedges."""

from __future__ import annotations

import warnings

from hyperctr.errors import ConfigError, did_you_mean

VIEWS = ("panels", "trees", "matrix", "density", "bipartite", "overlap", "difference", "slots")
OLD = {"outlines": "trees", "incidence": "matrix"}  # names until 0.1, which warn for one release
# the view where none was chosen, and up to how many hyperedges it can be read
AUTOMATIC: tuple[tuple[str, int | None], ...] = (("panels", 40), ("matrix", 3000), ("density", None))


def automatic_view(hyperedges: int) -> str:
    """Return the view for this many hyperedges where none was chosen.

    >>> [automatic_view(many) for many in (15, 400, 20_000)]
    ['panels', 'matrix', 'density']
    """
    return next(name for name, most in AUTOMATIC if most is None or hyperedges <= most)


def known_view(name: str | None, views: tuple[str, ...] = VIEWS) -> str | None:
    """Return the present name of a view; None, for the automatic choice, stays None.

    Warns:
        FutureWarning: an old name.

    Raises:
        ConfigError: an unknown one.

    >>> known_view("matrx")
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: view 'matrx': did you mean 'matrix'?
    """
    if name in OLD:
        warnings.warn(f"the view {name!r} is called {OLD[name]!r} now", FutureWarning, stacklevel=3)
        name = OLD[name]
    if name is not None and name not in views:
        raise ConfigError(f"view {name!r}: {did_you_mean(name, views)}")
    return name
