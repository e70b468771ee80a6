"""Options and settings of DCNv2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class DCNv2Options(Options):
    """What DCNv2 has beyond the shared settings; its deep network's widths are ``hidden``."""

    cross_layers: int = setting(3, "Cross layers; L of them reach products of L + 1 fields, none leaves an MLP.", low=0)
    rank: int = setting(0, "Rank of the cross matrices, W = U V; 0 means full.", low=0)
    structure: Literal["parallel", "stacked"] = setting(
        "parallel", "The deep network stands beside the cross layers, or on top of them."
    )


# The paper has no such row: the usual widths under the settings that HyperCTR has.
TABLE2 = {"learning_rate": 1e-3, "embedding_size": 16, "hidden": (200, 80)}
# As in its authors' example on MovieLens in TensorFlow Recommenders: 8192 rows a step, half of them negatives here.
SIZES = {"learning_rate": 0.01, "embedding_size": 32, "hidden": (192, 192), "batch_size": 4096}
AUTHOR = {**SIZES, "dropout": 0.0, "weight_decay": 0.0, "options": {"cross_layers": 1, "structure": "stacked"}}
BUDGETS = {"smoke": {"embedding_size": 8, "hidden": (32, 16)}}
MODEL = ModelSpec("dcnv2", "hyperctr.baselines.dcnv2.network:DCNv2", DCNv2Options, TABLE2, AUTHOR, BUDGETS)
