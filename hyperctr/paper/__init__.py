"""What belongs to one paper: its tables and figures on any sweep, beside its published numbers.

Names are loaded when they are first used, so that a table does not load plotly.

>>> import hyperctr.paper
>>> "table3" in dir(hyperctr.paper)
True
"""

from importlib import import_module as _import_module

# Public name -> its module. __init__.pyi repeats the names for type checkers; a test compares the two.
_HOME = {
    **dict.fromkeys(("claim_reasons", "claims"), "tables.claims"),
    "costs": "tables.costs",
    **dict.fromkeys(("figure4", "figure5", "figure6"), "figures.figures4to6_settings"),
    "figure7": "figures.figure7_scaling",
    "figure8": "figures.figure8_curves",
    "protocols": "figures.protocols",
    **dict.fromkeys(("table1", "table2"), "tables.tables1and2"),
    "table3": "tables.table3_overall",
    "table4": "tables.table4_modalities",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> object:
    """Import the module that defines ``name`` and keep the object for the next time."""
    if name not in _HOME:
        raise AttributeError(f"module 'hyperctr.paper' has no attribute {name!r}")
    value = getattr(_import_module(f"hyperctr.paper.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
