"""The models that a run can name; each is imported when it is first built."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hyperctr.config import REFERENCE_MODEL
from hyperctr.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from hyperctr.model.base import ClickModel

# Name -> "module:Class". The class is called with (context, config, interest).
MODELS: dict[str, str] = {
    "hyperctr": "hyperctr.model.hyperctr:HyperCTR",
    "hyperctr+": "hyperctr.model.hyperctr:HyperCTR",
    REFERENCE_MODEL: "hyperctr.baselines.matrix_factorisation:ContentMF",
    "gru4rec": "hyperctr.baselines.gru4rec:GRU4Rec",
    "thacil": "hyperctr.baselines.thacil:Thacil",
    "dstn": "hyperctr.baselines.dstn:DSTN",
    "mimn": "hyperctr.baselines.mimn:Mimn",
    "din": "hyperctr.baselines.din:DIN",
    "dcnv2": "hyperctr.baselines.dcnv2:DCNv2",
    "alpine": "hyperctr.baselines.alpine:Alpine",
    "autofis": "hyperctr.baselines.autofis:AutoFIS",
    "ubr4ctr": "hyperctr.baselines.ubr4ctr:UBR4CTR",
    "lightgcn": "hyperctr.baselines.lightgcn:LightGCN",
    "ease": "hyperctr.baselines.ease:Ease",
}


def model_place(name: str) -> str:
    """Return where the model ``name`` is defined, as ``module:Class``.

    Raises:
        ConfigError: there is no such model.

    >>> model_place("hyperctr")
    'hyperctr.model.hyperctr:HyperCTR'
    """
    if name not in MODELS:
        raise ConfigError(f"model {name!r} is not known; {did_you_mean(name, MODELS)}")
    return MODELS[name]


def model_class(name: str) -> type[ClickModel] | Any:
    """Import and return the class of the model ``name``.

    Raises:
        ConfigError: there is no such model.

    >>> model_class("hyperctr").__name__
    'HyperCTR'
    """
    module, _, attribute = model_place(name).partition(":")
    return getattr(import_module(module), attribute)
