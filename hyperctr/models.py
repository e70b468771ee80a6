"""The models that a run can name: those of the library, and any other as ``module:Class``.

A model of the library is a folder of ``hyperctr/baselines/``: its ``__init__.py`` declares ``MODEL`` without importing
torch, so that plans are laid out fast, and a module beside it holds the class. Your own model is one module with both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.settings import ModelSpec


def _specs() -> Iterator[ModelSpec]:
    place = "hyperctr.model.hyperctr:HyperCTR"
    # Found on validation AUC only; docs/method.md, sections 6 and 8, says what they are worth.
    training = {"embedding_size": 32, "negatives": 4, "weight_decay": 0.3}
    quick = {"batch_size": 256}
    yield ModelSpec("hyperctr", place, settings={"matching": False}, budgets={"quick": {**training, **quick}})
    yield ModelSpec("hyperctr+", place, settings={**training, "matching": True}, budgets={"quick": quick})
    for file in sorted((Path(__file__).parent / "baselines").glob("*/__init__.py")):
        yield import_module(f"hyperctr.baselines.{file.parent.name}").MODEL


ELSEWHERE = "elsewhere:"  # stands before the name of a model that other software trained and scored
MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in _specs()}


def own_models() -> tuple[str, ...]:
    """Return your models that plans and reports show, too: ``module:Class`` names in ``HYPERCTR_MODELS``."""
    return tuple(os.environ.get("HYPERCTR_MODELS", "").split())


def is_known(name: str) -> bool:
    """Tell whether a name is a model of the library, or one that is written as ``module:Class``."""
    return name in MODELS or ":" in name


def model_spec(name: str) -> ModelSpec:
    """Return what a model declares. One outside the library is imported; the current folder is looked in, too.

    Raises:
        ConfigError: there is no such model.

    >>> model_spec("hyperctr").place
    'hyperctr.model.hyperctr:HyperCTR'
    """
    if name in MODELS:
        return MODELS[name]
    if name.startswith(ELSEWHERE):
        return ModelSpec(name, "hyperctr.runs.elsewhere:evaluate_scores")
    if not is_known(name):
        raise ConfigError(f"model {name!r} is not known; {did_you_mean(name, MODELS)}")
    spec, module = getattr(_module_of(name), "MODEL", None), name.partition(":")[0]
    if not isinstance(spec, ModelSpec):
        line = 'MODEL = ModelSpec(f"{__name__}:' + name.partition(":")[2] + '")'
        raise ConfigError(f"model {name!r}: module {module!r} declares none; write {line} there")
    if spec.name != name:
        raise ConfigError(f"model {name!r}: module {module!r} declares {spec.name!r}; name that one")
    return spec


def model_class(name: str) -> Any:
    """Import and return the class of a model, which is called with (context, config, interest).

    Raises:
        ConfigError: there is no such model, no such class, or it was scored elsewhere.

    >>> model_class("hyperctr").__name__
    'HyperCTR'
    """
    if name.startswith(ELSEWHERE):
        raise ConfigError(f"{name.removeprefix(ELSEWHERE)!r} was scored elsewhere: there is no model here to use")
    place = model_spec(name).place
    module, attribute = _module_of(place), place.partition(":")[2]
    if not hasattr(module, attribute):
        raise ConfigError(f"model {name!r}: {module.__file__} has no class {attribute!r}")
    return getattr(module, attribute)


def _module_of(place: str) -> Any:
    """Import the module of ``module:Class``."""
    if os.getcwd() not in sys.path:  # a command's own folder comes first there, not the one it is called in
        sys.path.append(os.getcwd())
    module = place.partition(":")[0]
    try:
        if not all(part.isidentifier() for part in module.split(".")):
            raise ModuleNotFoundError(name=module)
        return import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, and something that it imports is not
        fix = "write it as module:Class, and run where Python finds the module (its folder, or PYTHONPATH)"
        raise ConfigError(f"model {place!r}: there is no module {module!r}; {fix}") from error
