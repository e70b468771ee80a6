"""Options and settings of EASE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class EaseOptions(Options):
    """What EASE has beyond the shared settings; it reads ``history_length`` clicks."""

    l2: float = setting(250.0, "The ridge penalty lambda of the regression.", low=1e-6)
    weights: Literal["ease", "cosine"] = setting("ease", "From the regression, or the plain cosine of items.")


# Only a scale and a shift are learnt by steps: two short stages (docstring of the model), one point each.
TABLE2 = {"learning_rate": 0.05, "weight_decay": 0.0, "history_length": 300, "epochs": 1, "points_per_epoch": 1}
AUTHOR = {**TABLE2, "options": {"l2": 500.0}}  # of the authors' three data sets, MovieLens-20M
# The paper has no EASE, so table2 is what libraries start from.
MODEL = ModelSpec("ease", "hyperctr.baselines.ease.network:Ease", EaseOptions, TABLE2, AUTHOR)
