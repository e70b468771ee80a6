"""Scores that anybody could give to exported pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def known(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """A score that anybody can compute from the ids: some of it says something, ties are many."""
    user, item, time = (frame[name].to_numpy() for name in ("user_id", "item_id", "timestamp"))
    return ((user * 7 + item * 13) % 11) / 4.0 - (time % 3) + (item % 5) * 0.7
