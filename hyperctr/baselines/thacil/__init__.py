"""Options and settings of THACIL."""

from __future__ import annotations

from dataclasses import dataclass

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class ThacilOptions(Options):
    """What THACIL has beyond the shared settings; its blocks share ``history_length`` clicks."""

    block_size: int = setting(20, "Clicks of a block; the newest block is full before an older one begins.", low=1)
    heads: int = setting(8, "Heads of the attention over earlier blocks; divides twice embedding_size.", low=1)
    forward: bool = setting(True, "Off: no block hears of earlier ones.")
    l2: float = setting(5e-5, "L2 penalty on weight matrices and the category table, ids left out.", low=0)


# The paper's settings are the authors' own: 160 clicks in 8 blocks, 64 numbers for the item and 64 for its category.
SIZES = {"embedding_size": 64, "history_length": 160, "hidden": (128,)}
SAME = {**SIZES, "batch_size": 128, "dropout": 0.2, "learning_rate": 1e-3, "weight_decay": 0.0, "clip_norm": 5.0}
SMALL = {"embedding_size": 16, "history_length": 20, "hidden": (32,)}
BUDGETS = {"smoke": {**SMALL, "batch_size": 512, "options": {"block_size": 5}}}
MODEL = ModelSpec("thacil", "hyperctr.baselines.thacil.network:Thacil", ThacilOptions, SAME, SAME, BUDGETS)
