"""Options and settings of MIMN."""

from __future__ import annotations

from dataclasses import dataclass

from hyperctr.settings import ModelSpec, Options, setting


@dataclass(frozen=True)
class MimnOptions(Options):
    """What MIMN has beyond the shared settings; it reads ``history_length`` clicks."""

    units: int = setting(32, "Width of items, of memory slots and of both recurrent states.", low=1)
    slots: int = setting(4, "Memory slots, and as many channels of the induction unit.", low=2)
    balance: bool = setting(True, "Weigh writes by how much each slot has been used; off: no penalty either.")
    balance_weight: float = setting(1e-3, "Weight of the penalty on unequal use of the slots.", low=0)
    induction: bool = setting(True, "Off: no channels beside the memory.")
    memory: bool = setting(True, "Off: the sum of the clicks alone, and no channels.")


# The paper leaves slots and history open: the authors' 4, and their 100 clicks.
SIZES = {"embedding_size": 16, "history_length": 100, "hidden": (200, 80)}
SHARED = {**SIZES, "learning_rate": 1e-3, "weight_decay": 0.0, "clip_norm": 5.0}
TABLE2 = {**SHARED, "batch_size": 200, "dropout": 0.2}
AUTHOR = {**SHARED, "batch_size": 128, "dropout": 0.0}
SMOKE = {"batch_size": 512, "history_length": 10, "hidden": (32, 16), "options": {"units": 16}}
BUDGETS: dict[str, dict[str, object]] = {"quick": {"history_length": 30}, "smoke": SMOKE}
MODEL = ModelSpec("mimn", "hyperctr.baselines.mimn.network:Mimn", MimnOptions, TABLE2, AUTHOR, BUDGETS)
