"""Options and presets of GRU4Rec (:mod:`hyperctr.baselines.gru4rec`)."""

from __future__ import annotations

from dataclasses import dataclass

from hyperctr.settings import Options, System, setting


@dataclass(frozen=True)
class GRU4RecOptions(Options):
    """What GRU4Rec has beyond the shared settings; its network's widths are ``hidden``."""

    units: int = setting(64, "Width of the recurrent state.", low=1)
    recurrent: bool = setting(True, "Off: the state is the mean of the clicks, which tells their order no more.")


SHARED = {
    "optimiser": "adagrad",
    "learning_rate": 0.05,
    "weight_decay": 0.0,
    "embedding_size": 16,
    "hidden": (200, 80),
    "clip_norm": 5.0,
}
SYSTEM = System(
    GRU4RecOptions,
    table2={**SHARED, "batch_size": 200, "dropout": 0.1},
    # What the official code's page gives for RetailRocket, which was tuned for ranking: there is none for clicks.
    author={**SHARED, "batch_size": 80, "dropout": 0.0, "options": {"units": 224}},
)
