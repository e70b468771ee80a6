"""Options and settings of GRU4Rec."""

from __future__ import annotations

from dataclasses import dataclass

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class GRU4RecOptions(Options):
    """What GRU4Rec has beyond the shared settings; its network's widths are ``hidden``."""

    units: int = setting(64, "Width of the recurrent state.", low=1)
    recurrent: bool = setting(True, "Off: the state is the mean of the clicks, which tells their order no more.")


ADAGRAD = {"optimiser": "adagrad", "learning_rate": 0.05, "weight_decay": 0.0, "clip_norm": 5.0}
SHARED = {**ADAGRAD, "embedding_size": 16, "hidden": (200, 80)}
TABLE2 = {**SHARED, "batch_size": 200, "dropout": 0.1}
# What the official code's page gives for RetailRocket, which was tuned for ranking: there is none for clicks.
AUTHOR = {**SHARED, "batch_size": 80, "dropout": 0.0, "options": {"units": 224}}
MODEL = ModelSpec("gru4rec", "hyperctr.baselines.gru4rec.network:GRU4Rec", GRU4RecOptions, TABLE2, AUTHOR)
