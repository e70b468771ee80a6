"""Names of a package that are loaded when they are first used."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its full name.
        home: public name -> the module that defines it; empty if it is a module itself.
    """

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{home[name] or name}")
        value = getattr(module, name) if home[name] else module
        setattr(sys.modules[package], name, value)
        return value

    return load, lambda: sorted(sys.modules[package].__all__)


def lazy_function(place: str) -> Callable[..., Any]:
    """Return a function of this package, ``module:name``, that is imported when it is first called.

    How a class looks in a notebook stands in :mod:`hyperctr.display`, after the class in the order of imports; the
    class names it, and a kernel that shows nothing loads nothing.

    >>> lazy_function("runtime:duration")(125)
    '2 min 5 s'
    """
    module, _, name = place.partition(":")

    def late(*values: Any, **named: Any) -> Any:
        return getattr(import_module(f"hyperctr.{module}"), name)(*values, **named)

    late.__doc__ = f"See :func:`hyperctr.{module}.{name}`."
    return late
