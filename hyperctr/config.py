"""One run's settings: frozen, typed, bounded, and the same in Python, TOML and on the command line."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hyperctr.errors import ConfigError, did_you_mean
from hyperctr.lazy import lazy_function
from hyperctr.models import MODELS, is_known, model_spec
from hyperctr.settings import VARIANTS, ModelSpec, Options, Variant, setting, toml_text, toml_value, validate

REFERENCE_MODEL = "content matrix factorisation"
HYPERCTR = ("hyperctr", "hyperctr+")
# The models HyperCTR is compared with; what every table carries is not among them.
SYSTEMS: dict[str, ModelSpec] = {n: spec for n, spec in MODELS.items() if n not in (*HYPERCTR, REFERENCE_MODEL)}
SMALL = {"embedding_size": 16, "layers": 1, "history_length": 10, "hidden": (32, 16)}
SHORT = {"batch_size": 512, "epochs": 1, "points_per_epoch": 2, "interest_epochs": 1}
FEW = {"validation_clicks": 200, "validation_candidates": 20, "test_candidates": 100}
QUICK = {"batch_size": 512, "epochs": 40, "points_per_epoch": 1, "history_length": 30, "patience": 2}
QUICK["validation_candidates"] = 20  # its AUC is as precise as with 100: the error comes from the clicks
BUDGETS: dict[str, dict[str, Any]] = {"smoke": {**SMALL, **SHORT, **FEW}, "quick": QUICK, "paper": {}}
# Settings that say what is measured, whether it repeats, and what training may know of it; a reference run beside a
# model shares these and no others. It has all modalities and its own slots whatever the model was denied, so it is the
# strongest baseline there is, trained once a split.
MEASURED = (
    *("seed", "deterministic", "protocol", "split", "ratios", "negatives_avoid", "non_click_negatives"),
    *("validation_clicks", "validation_candidates", "test_candidates"),
)

# What settings were called before version 0.2; they are still read, and warn.
FORMER = {"delta": "interest_threshold", "delta_quantile": "threshold_is_quantile", "neighbours": "max_neighbours"}


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
    model: str = setting("hyperctr", "Name of the model; `hyperctr` is the paper's.")
    seed: int = setting(0, "Seed of split, candidates, initial weights, shuffling and negatives.", low=0)
    protocol: Literal["as-published", "causal"] = setting("as-published", "What predictions see (docs/method.md, 3).")
    split: Literal["random", "temporal"] = setting("random", "How clicks are divided into train, validation, test.")
    ratios: tuple[float, ...] = setting(
        (), "Shares of train, validation, test; empty: 7:2:1, or 7:1:2 for a temporal split.", low=0, high=1
    )
    modalities: tuple[str, ...] = setting((), "Modalities used everywhere; empty means all the data set has.")
    slot_months: int = setting(6, "Length of a time slot in calendar months (Figure 5).", low=1, high=18)
    slot_count: int = setting(0, "Number of equal-width slots instead of months; 0 means months.", low=0)

    # Interest and hypergraphs (paper section 2.3).
    interest_epochs: int = setting(15, "Epochs of the user interest pre-training (Eq. 9-10).", low=0)
    interest_threshold: float = setting(
        0.5, "Degree of interest, in (0, 1) or as a quantile, from which a click counts (delta).", low=0, high=1
    )
    threshold_is_quantile: bool = setting(False, "Read the threshold as a quantile per slot and modality.")
    max_neighbours: int = setting(0, "Sampled neighbours K per hyperedge and node (Figure 6); 0 means all.", low=0)
    weighted: bool = setting(True, "Weigh a hyperedge by its members' mean interest; otherwise by 1.")

    # The model (paper section 2.2).
    embedding_size: int = setting(64, "Latent dimension d (Figure 6).", low=2)
    layers: int = setting(3, "Hypergraph convolution layers L (Figure 4).", low=0, high=16)
    graph: Literal["hypergraph", "bipartite", "none"] = setting(
        "hypergraph", "`bipartite` is Table 4's `(-) hypergraph`; `none` drops graphs altogether."
    )
    edge_information: bool = setting(False, "A hyperedge tells its members of the item or user that it stands for.")
    history_length: int = setting(50, "Clicks l the sequence encoder sees.", low=1)
    attention_layers: int = setting(1, "Transformer encoder layers.", low=0, high=8)
    attention_heads: int = setting(2, "Attention heads; divides embedding_size.", low=1)
    hidden: tuple[int, ...] = setting((128, 64), "Widths D1, D2 of the prediction network (Eq. 7).", low=1)
    user_dropout: float = setting(
        0.0, "Share of training clicks that hide the user, as if new (docs/method.md, 6).", low=0, high=0.95
    )
    dropout: float = setting(0.2, "Dropout in the sequence encoder and the prediction network.", low=0, high=0.95)
    # Beyond the paper: off in `hyperctr`, on in `hyperctr+` (docs/method.md, 8).
    matching: bool = setting(False, "Add a dot product of user and item vectors beside the network.")
    # Given as a table or as the model's class; kept as that class.
    options: Options | None = setting(None, "Settings of this model alone, None if it has none.")  # noqa: RUF009

    # Training and evaluation.
    epochs: int = setting(30, "Most epochs; early stopping usually ends before.", low=1)
    batch_size: int = setting(256, "Clicks per step, each with its negatives.", low=1)
    optimiser: Literal["adam", "adagrad"] = setting("adam", "Adam with decoupled weight decay, or Adagrad with L2.")
    learning_rate: float = setting(3e-3, "The optimiser's learning rate.", low=1e-8, high=1)
    weight_decay: float = setting(0.1, "Weight decay: decoupled for Adam, an L2 penalty for Adagrad.", low=0, high=10)
    clip_norm: float = setting(0.0, "Longest gradient, all parameters as one vector; 0 does not clip.", low=0)
    negatives: int = setting(1, "Sampled unobserved items per click, drawn anew every epoch.", low=1)
    negatives_avoid: Literal["training", "all"] = setting(
        "training", "Which clicks these avoid; `all` leaks validation and test clicks, to show what that is worth."
    )
    non_click_negatives: float = setting(
        0.0, "Share of clicks whose first negative is one that the user was shown in training.", low=0, high=1
    )
    rounds_per_epoch: int = setting(
        8, "Convolutions an epoch, each shared by a stretch of steps (docs/method.md, 5.3).", low=1
    )
    average_epochs: float = setting(
        2.0,
        "Epochs over which weights are averaged, which are then judged and kept; 0, usual of others: the last.",
        low=0,
    )
    points_per_epoch: int = setting(20, "Validation points an epoch; 20 is one per 5 % (Figure 8).", low=1)
    patience: int = setting(3, "Epochs without a better validation AUC before stopping.", low=1)
    validation_clicks: int = setting(2000, "Most validation clicks scored at a point.", low=1)
    validation_candidates: int = setting(100, "Unobserved items beside each validation click.", low=1)
    test_candidates: int = setting(1000, "Unobserved items beside each test click.", low=1)
    precision: Literal["auto", "float32", "bfloat16"] = setting("auto", "bfloat16 autocast; auto: on CUDA only.")
    deterministic: bool = setting(False, "Repeat to the bit on CUDA, too, which is slower (docs/method.md, 6).")
    _repr_html_ = lazy_function("display.run_cards:config")

    def __post_init__(self) -> None:
        if str(self.protocol) == "paper":
            warnings.warn("protocol 'paper' is called 'as-published' now", FutureWarning, stacklevel=3)
            object.__setattr__(self, "protocol", "as-published")
        validate(self)
        object.__setattr__(self, "options", self._typed_options())
        if self.embedding_size % self.attention_heads:
            heads = f"attention_heads = {self.attention_heads}"
            raise ConfigError(f"embedding_size = {self.embedding_size} must be a multiple of {heads}")
        if self.max_neighbours == 1:
            raise ConfigError("max_neighbours = 1 leaves no hyperedge with two members: must be 0 (all) or at least 2")
        if self.ratios and (len(self.ratios) != 3 or abs(sum(self.ratios) - 1) > 1e-9 or min(self.ratios) <= 0):
            raise ConfigError(f"ratios = {self.ratios} must be three positive numbers that add up to 1")
        if self.model == "hyperctr+" and not self.matching:
            raise ConfigError("model 'hyperctr+' has its switch `matching` off; write Config.for_model('hyperctr+')")
        if not self.hidden or (len(self.hidden) != 2 and self.model in HYPERCTR):
            raise ConfigError(f"hidden = {self.hidden} must be two widths, as in the paper's three-layer network")

    def _typed_options(self) -> Options | None:
        """Return the options, given as a table or as the model's class, as that class."""
        kind, values = model_spec(self.model).options if is_known(self.model) else None, _table(self.options)
        if kind is None and values:
            raise ConfigError(f"model {self.model!r} has no options of its own, got {values}; remove them")
        try:
            return None if kind is None else kind.from_dict(values)
        except ConfigError as error:
            raise ConfigError(f"model {self.model!r}: {error}") from error

    @classmethod
    def for_model(
        cls, model: str = "hyperctr", budget: str = "paper", variant: Variant = "table2", **changes: Any
    ) -> Config:
        """Return the settings of a model at a budget: ``smoke`` (seconds), ``quick`` (a minute or two) or ``paper``.

        The systems that HyperCTR is compared with have two variants: ``table2``, the paper's settings of them, and
        ``author``, their authors' own.

        Raises:
            ConfigError: no such model, budget, variant or setting.

        >>> Config.for_model("hyperctr+", "quick", seed=2).matching
        True
        >>> Config.for_model("gru4rec", "quick", options={"units": 32}).options
        GRU4RecOptions(units=32, recurrent=True)
        """
        if not is_known(model):
            raise ConfigError(f"there is no model {model!r}; {did_you_mean(model, MODELS)}")
        if budget not in BUDGETS:
            raise ConfigError(f"there is no budget {budget!r}; {did_you_mean(budget, BUDGETS)}")
        if variant not in VARIANTS:
            raise ConfigError(f"there is no variant {variant!r}; {did_you_mean(str(variant), VARIANTS)}")
        spec = model_spec(model)
        if variant not in spec.variants:
            both = ", ".join(name for name, system in SYSTEMS.items() if len(system.variants) > 1)
            raise ConfigError(f"model {model!r} has one variant only; variants belong to {both}")
        settings: dict[str, Any] = {}
        for step in (BUDGETS[budget], _changes(model, variant), spec.budgets.get(budget, {}), changes):
            settings = _merged(settings, step)
        return cls.from_dict({**settings, "model": model})

    @classmethod
    def preset(cls, *args: Any, **changes: Any) -> Config:
        """Return :meth:`for_model`, which is this method's name since version 0.2."""
        warnings.warn("Config.preset is now Config.for_model", FutureWarning, stacklevel=2)
        return cls.for_model(*args, **changes)

    def reference(self) -> Config:
        """Return the settings of the reference model (content matrix factorisation) that is shown beside this one.

        It gets up to four times the epochs, which are cheap, and stops early like any other.
        """
        usual = Config.for_model(REFERENCE_MODEL)
        measured = {name: getattr(self, name) for name in MEASURED}
        return usual.replace(epochs=min(usual.epochs, 4 * self.epochs), **measured)

    def replace(self, **changes: Any) -> Config:
        """Return a copy with some settings changed; unknown names raise ``ConfigError``.

        Options not named keep their values, unless the model changes. One may be named as ``options.<name>``.
        """
        now = dataclasses.asdict(self)
        if changes.get("model", self.model) != self.model:
            now["options"] = None
        return Config.from_dict(_merged(now, changes))

    def with_settings(self, assignments: list[str]) -> Config:
        """Apply command-line ``key=value`` pairs, values written as in TOML (bare words are strings).

        Another model brings its own settings along (variant ``table2``); what is assigned beside it counts more.

        >>> Config().with_settings(["epochs=3", "protocol=causal", "hidden=[64, 32]"]).hidden
        (64, 32)
        """
        changes: dict[str, Any] = {}
        for assignment in assignments:
            key, sign, text = assignment.partition("=")
            if not sign:
                raise ConfigError(f"setting {assignment!r} must be written key=value")
            changes[key.strip()] = toml_value(text)
        model = changes.get("model", self.model)
        if model != self.model and is_known(str(model)):
            changes = _merged(_changes(model), changes)
        return self.replace(**changes)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Config:
        """Build from plain values; unknown keys raise ``ConfigError`` with a hint."""
        return cls(**settings)

    @classmethod
    def from_toml(cls, path: str | Path) -> Config:
        """Read a TOML file of settings; errors name the file."""
        try:
            return cls.from_dict(tomllib.loads(Path(path).read_text(encoding="utf-8")))
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
        plain = dataclasses.asdict(self)
        options = {f"options.{name}": value for name, value in (plain.pop("options") or {}).items()}
        return "".join(f"{name} = {toml_text(value)}\n" for name, value in {**plain, **options}.items())


def _changes(model: str, variant: Variant = "table2") -> Mapping[str, Any]:
    """Return a model's changes to the defaults; those that HyperCTR is compared with keep the last weights."""
    return {**({} if model in HYPERCTR else {"average_epochs": 0.0}), **model_spec(model).variants[variant]}


def _merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``settings`` with ``changes``; options are added to those that are there."""
    merged = {**settings}
    for name, value in changes.items():
        if name in FORMER:
            warnings.warn(f"setting {name!r} is called {FORMER[name]!r} now", FutureWarning, stacklevel=4)
            name = FORMER[name]
        if name.startswith("options."):
            name, value = "options", {name.removeprefix("options."): value}
        merged[name] = {**_table(merged.get("options")), **_table(value)} if name == "options" else value
    return merged


def _table(options: Any) -> dict[str, Any]:
    """Return options as a table of values."""
    if isinstance(options, Options):
        return dataclasses.asdict(options)
    if options is None or isinstance(options, Mapping):
        return dict(options or {})
    raise ConfigError(f"options = {options!r} must be a table of a model's own settings, such as options.units = 64")


def _named(init: Callable[..., None]) -> Callable[..., None]:
    """Let a constructor refuse unknown settings with a hint, and take former names."""

    @functools.wraps(init)
    def checked(self: Config, *values: Any, **settings: Any) -> None:
        settings, known = _merged({}, settings), Config.__dataclass_fields__
        for name in settings:
            if name not in known:
                raise ConfigError(f"unknown setting {name!r}: {did_you_mean(name, known)}")
        init(self, *values, **settings)

    return checked


Config.__init__ = _named(Config.__init__)  # type: ignore[method-assign]
