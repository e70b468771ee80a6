"""One run's settings: frozen, typed, bounded, and the same in Python, TOML and on the command line."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hyperctr.errors import ConfigError, did_you_mean

REFERENCE_MODEL = "content matrix factorisation"

# What a model's preset changes in the defaults. Found on validation AUC only; docs/method.md, section 8, says what the
# parts are worth.
MODEL_PRESETS: dict[str, dict[str, Any]] = {
    "hyperctr": {"matching": False},
    "hyperctr+": {
        "matching": True,
        "embedding_size": 32, "negatives": 4, "weight_decay": 0.3,
    },
    REFERENCE_MODEL: {
        "embedding_size": 32, "negatives": 4, "learning_rate": 5e-3, "weight_decay": 0.3, "history_length": 300,
        "batch_size": 512, "dropout": 0.0, "points_per_epoch": 1, "epochs": 40,
    },
}  # fmt: skip
BUDGETS: dict[str, dict[str, Any]] = {
    "smoke": {
        "embedding_size": 16, "layers": 1, "history_length": 10, "hidden": (32, 16), "epochs": 1, "points_per_epoch": 2,
        "interest_epochs": 1, "batch_size": 512, "validation_clicks": 200, "validation_candidates": 20,
        "test_candidates": 100,
    },
    "quick": {"batch_size": 512, "epochs": 12, "points_per_epoch": 4, "history_length": 30, "patience": 2},
    "paper": {},
}  # fmt: skip
# Settings that say what is measured; a reference run beside a model must share them.
MEASURED = ("seed", "protocol", "split", "ratios", "modalities", "slot_months", "slot_count", "validation_clicks",
            "validation_candidates", "test_candidates")  # fmt: skip


def _setting(default: Any, text: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True)
class Config:
    """Settings of one run; every field has a type, bounds, a default and one sentence.

    Raises:
        ConfigError: unknown key, wrong type, value out of bounds, or fields that contradict each other.

    >>> Config(embedding_size=32).replace(seed=1).seed
    1
    >>> Config.from_dict({"epoch": 3})
    Traceback (most recent call last):
    hyperctr.errors.ConfigError: unknown setting 'epoch': did you mean 'epochs'?
    """

    # What is predicted, and what a prediction may look at.
    model: str = _setting("hyperctr", "Name of the model; `hyperctr` is the paper's.")
    seed: int = _setting(0, "Seed of split, candidates, initial weights, shuffling and negatives.", low=0)
    protocol: Literal["paper", "causal"] = _setting("paper", "What context a prediction sees (docs/method.md, 3).")
    split: Literal["random", "temporal"] = _setting("random", "How clicks are divided into train, validation, test.")
    ratios: tuple[float, ...] = _setting(
        (), "Shares of train, validation, test; empty: 7:2:1 for a random split, 7:1:2 for a temporal one.",
        low=0, high=1,
    )  # fmt: skip
    modalities: tuple[str, ...] = _setting((), "Modalities used everywhere; empty means all the data set has.")
    slot_months: int = _setting(6, "Length of a time slot in calendar months (Figure 5).", low=1, high=18)
    slot_count: int = _setting(0, "Number of equal-width slots instead of months; 0 means months.", low=0)

    # Interest and hypergraphs (paper section 2.3).
    interest_epochs: int = _setting(15, "Epochs of the user interest pre-training (Eq. 9-10).", low=0)
    delta: float = _setting(0.5, "Interest threshold: a degree in (0, 1), or a quantile.", low=0, high=1)
    delta_quantile: bool = _setting(False, "Read delta as a quantile per slot and modality.")
    neighbours: int = _setting(0, "Sampled neighbours K per hyperedge and node (Figure 6); 0 means all.", low=0)
    weighted: bool = _setting(True, "Weigh a hyperedge by its members' mean interest; otherwise by 1.")

    # The model (paper section 2.2).
    embedding_size: int = _setting(64, "Latent dimension d (Figure 6).", low=2)
    layers: int = _setting(3, "Hypergraph convolution layers L (Figure 4).", low=0, high=16)
    graph: Literal["hypergraph", "bipartite", "none"] = _setting(
        "hypergraph", "`bipartite` is Table 4's `(-) hypergraph`; `none` drops graphs altogether."
    )
    history_length: int = _setting(50, "Clicks l the sequence encoder sees.", low=1)
    attention_layers: int = _setting(1, "Transformer encoder layers.", low=0, high=8)
    attention_heads: int = _setting(2, "Attention heads; divides embedding_size.", low=1)
    hidden: tuple[int, ...] = _setting((128, 64), "Widths D1, D2 of the prediction network (Eq. 7).", low=1)
    dropout: float = _setting(0.2, "Dropout in the sequence encoder and the prediction network.", low=0, high=0.95)

    # Beyond the paper: off in `hyperctr`, on in `hyperctr+` (docs/method.md, 8).
    matching: bool = _setting(False, "Add a dot product of user and item vectors beside the network.")

    # Training and evaluation.
    epochs: int = _setting(30, "Most epochs; early stopping usually ends before.", low=1)
    batch_size: int = _setting(256, "Clicks per step, each with its negatives.", low=1)
    learning_rate: float = _setting(3e-3, "Adam's learning rate.", low=1e-8, high=1)
    weight_decay: float = _setting(0.1, "Decoupled weight decay.", low=0, high=10)
    negatives: int = _setting(1, "Sampled unobserved items per click, drawn anew every epoch.", low=1)
    points_per_epoch: int = _setting(20, "Validation points an epoch; 20 is one per 5 % (Figure 8).", low=1)
    patience: int = _setting(3, "Epochs without a better validation AUC before stopping.", low=1)
    validation_clicks: int = _setting(2000, "Most validation clicks scored at a point.", low=1)
    validation_candidates: int = _setting(100, "Unobserved items beside each validation click.", low=1)
    test_candidates: int = _setting(1000, "Unobserved items beside each test click.", low=1)
    precision: Literal["auto", "float32", "bfloat16"] = _setting("auto", "bfloat16 autocast; auto: on CUDA only.")

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for setting in dataclasses.fields(self):
            value = _checked(setting.name, getattr(self, setting.name), hints[setting.name])
            for one in value if isinstance(value, tuple) else (value,):
                low, high = setting.metadata["low"], setting.metadata["high"]
                if (low is not None and one < low) or (high is not None and one > high):
                    bounds = f"at least {low}" if high is None else f"between {low} and {high}"
                    raise ConfigError(f"setting {setting.name} = {value!r} is out of bounds: must be {bounds}")
            object.__setattr__(self, setting.name, value)
        if self.embedding_size % self.attention_heads:
            raise ConfigError(
                f"embedding_size = {self.embedding_size} must be a multiple of attention_heads = {self.attention_heads}"
            )
        if self.neighbours == 1:
            raise ConfigError("neighbours = 1 leaves no hyperedge with two members: must be 0 (all) or at least 2")
        if self.ratios and (len(self.ratios) != 3 or abs(sum(self.ratios) - 1) > 1e-9 or min(self.ratios) <= 0):
            raise ConfigError(f"ratios = {self.ratios} must be three positive numbers that add up to 1")
        if self.model == "hyperctr+" and not self.matching:
            raise ConfigError("model 'hyperctr+' has its switch `matching` off; write Config.preset('hyperctr+')")
        if len(self.hidden) != 2:
            raise ConfigError(f"hidden = {self.hidden} must be two widths, as in the paper's three-layer network")

    @classmethod
    def preset(cls, model: str = "hyperctr", budget: str = "paper", **changes: Any) -> Config:
        """Return the settings of a model at a budget: ``smoke`` (seconds), ``quick`` (a minute or two) or ``paper``.

        >>> Config.preset("hyperctr+", "quick", seed=2).matching
        True
        """
        for name, known in ((model, MODEL_PRESETS), (budget, BUDGETS)):
            if name not in known:
                raise ConfigError(f"there is no preset {name!r}; {did_you_mean(name, known)}")
        return cls.from_dict({**BUDGETS[budget], **MODEL_PRESETS[model], "model": model, **changes})

    def reference(self) -> Config:
        """Return the settings of the reference model (content matrix factorisation) that is shown beside this one.

        It gets up to four times the epochs, which are cheap, and stops early like any other.
        """
        preset = Config.preset(REFERENCE_MODEL)
        measured = {name: getattr(self, name) for name in MEASURED}
        return preset.replace(epochs=min(preset.epochs, 4 * self.epochs), **measured)

    def replace(self, **changes: Any) -> Config:
        """Return a copy with some settings changed; unknown names raise ``ConfigError``."""
        return Config.from_dict({**dataclasses.asdict(self), **changes})

    def with_settings(self, assignments: list[str]) -> Config:
        """Apply command-line ``key=value`` pairs, values written as in TOML (bare words are strings).

        >>> Config().with_settings(["epochs=3", "protocol=causal", "hidden=[64, 32]"]).hidden
        (64, 32)
        """
        changes: dict[str, Any] = {}
        for assignment in assignments:
            key, sign, text = assignment.partition("=")
            if not sign:
                raise ConfigError(f"setting {assignment!r} must be written key=value")
            try:
                changes[key.strip()] = tomllib.loads(f"value = {text}")["value"]
            except tomllib.TOMLDecodeError:
                changes[key.strip()] = text.strip()
        if changes.get("model") in MODEL_PRESETS:
            changes = {**MODEL_PRESETS[changes["model"]], **changes}
        return self.replace(**changes)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Config:
        """Build from plain values; unknown keys raise ``ConfigError`` with a hint."""
        known = [setting.name for setting in dataclasses.fields(cls)]
        for name in settings:
            if name not in known:
                raise ConfigError(f"unknown setting {name!r}: {did_you_mean(name, known)}")
        return cls(**settings)

    @classmethod
    def from_toml(cls, path: str | Path) -> Config:
        """Read a TOML file of settings; errors name the file."""
        try:
            settings = tomllib.loads(Path(path).read_text(encoding="utf-8"))
            return cls.from_dict(settings)
        except FileNotFoundError as error:
            raise ConfigError(f"{path}: no such settings file") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from error
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    def to_toml(self) -> str:
        """Return the settings as TOML text that :meth:`from_toml` reads back unchanged.

        >>> import tomllib; Config.from_dict(tomllib.loads(Config().to_toml())) == Config()
        True
        """
        # A JSON number, boolean, flat list or string is also valid TOML (DEL has to be escaped), and floats round-trip.
        values = {name: json.dumps(value, ensure_ascii=False) for name, value in dataclasses.asdict(self).items()}
        return "".join(f"{name} = {value}\n" for name, value in values.items()).replace("\x7f", "\\u007f")


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` in the declared type, or say which type was expected."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"setting {name} = {value!r}: {did_you_mean(str(value), get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise ConfigError(f"setting {name} = {value!r} must be a list, for example {name} = [...]")
        return tuple(_checked(name, one, get_args(hint)[0]) for one in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint or (hint is float and not abs(value) < float("inf")):
        raise ConfigError(f"setting {name} = {value!r} must be of type {hint.__name__}, got {type(value).__name__}")
    return value
