"""What belongs to one paper: its tables and figures on any sweep, beside its published numbers.

Names are loaded when they are first used, so that a table does not load plotly.

>>> import hyperctr.paper
>>> "table3" in dir(hyperctr.paper)
True
"""

from hyperctr.lazy import lazy_names as _lazy_names

# Public name -> its module. __init__.pyi repeats the names for type checkers; a test compares the two.
_HOME = {
    **dict.fromkeys(("claim_reasons", "claims"), "tables.claims"),
    "costs": "tables.costs",
    **dict.fromkeys(("ablation", "overall"), "figures.forests"),
    **dict.fromkeys(("figure4", "figure5", "figure6"), "figures.figures4to6_settings"),
    "figure7": "figures.figure7_scaling",
    "figure8": "figures.figure8_curves",
    "protocols": "figures.protocols",
    "reliability": "figures.reliability",
    **dict.fromkeys(("table1", "table2"), "tables.tables1and2"),
    "table3": "tables.table3_overall",
    "table4": "tables.table4_modalities",
    "your_model": "tables.your_model",
}

__all__ = [*_HOME]
__getattr__, __dir__ = _lazy_names(__name__, _HOME)
