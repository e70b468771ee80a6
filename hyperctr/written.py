"""How numbers are written, everywhere: a real minus, none before a zero, thousands apart, a dash for what is missing.

What numbers something (an id, a seed, a place in a list) is no quantity: it is written as it is, with ``str``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

EMPTY = "–"  # an en dash: nothing to print here, which is not the same as zero
MINUS = "\u2212"


def show_number(value: Any, digits: int = 4, *, sign: bool = False) -> str:
    """Write one value as plain text; what rounds to zero has no sign.

    Args:
        value: a number, a truth value, a text, or nothing (None, nan, infinite, pandas' NA).
        digits: after the point; whole numbers have none.
        sign: also write the sign of what is above zero.

    >>> show_number(1234), show_number(0.98765, 3), show_number(float("nan")), show_number(True)
    ('1,234', '0.988', '–', 'yes')
    >>> show_number(-0.00004), show_number(-0.0123), show_number(0.0123, sign=True), show_number(-1e-9, sign=True)
    ('0.0000', '−0.0123', '+0.0123', '0.0000')
    """
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        text = f"{int(value):,}"
    elif isinstance(value, float | np.floating):
        if not math.isfinite(value):
            return EMPTY
        text = f"{float(value):,.{digits}f}"
    else:
        return EMPTY if value is None or type(value).__name__ == "NAType" else str(value)  # pandas is not imported here
    if not text.strip("-0.,"):  # rounds to zero
        return text.lstrip("-")
    if text[0] == "-":
        return MINUS + text[1:]
    return f"+{text}" if sign else text


def show_interval(low: float, high: float, digits: int = 4, *, sign: bool = False) -> str:
    """Write an interval; empty where there is none.

    >>> show_interval(-0.00001, 0.02), show_interval(float("nan"), 0.02)
    ('[0.0000, 0.0200]', '')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{show_number(float(low), digits, sign=sign)}, {show_number(float(high), digits, sign=sign)}]"
