"""HyperCTR: click-through rate prediction on micro-videos with multi-modal hypergraphs.

Names are loaded when they are first used, so ``import hyperctr`` costs milliseconds and no torch.

>>> import hyperctr as hc
>>> "load_dataset" in dir(hc)
True
"""

from hyperctr.lazy import lazy_names as _lazy_names

__version__ = "0.2.0"

# Public name -> its module. __init__.pyi repeats the names for type checkers; a test compares the two.
_HOME = {
    "Config": "config",
    "ConfigError": "errors",
    "DataError": "errors",
    "Dataset": "data.dataset",
    "FeatureTable": "data.features",
    "HyperCTRError": "errors",
    "Hypergraph": "hypergraph.incidence",
    "HypergraphConv": "model.convolution",
    "Inspector": "widgets.inspector",
    "Interactions": "data.interactions",
    "Interest": "hypergraph.interest",
    "NegativeSampler": "training.negatives",
    "Run": "runs.run",
    "RunError": "errors",
    "Session": "runs.session",
    "ShapeError": "errors",
    "Slots": "slots",
    "Split": "data.splits",
    "Sweep": "sweeps.sweep",
    "auc": "metrics",
    "build_hypergraphs": "hypergraph.build",
    "candidate_pool": "data.negatives",
    "draw": "display.hypergraph",
    "evaluate_scores": "runs.elsewhere",
    "export_pool": "runs.pairs",
    "gauc": "metrics",
    "load_dataset": "data.registry",
    "load_run": "runs.run",
    "log_loss": "metrics",
    "make_slots": "slots",
    "pretrain_interest": "hypergraph.interest",
    "publish": "display.publish",
    "show": "display.publish",
    "split": "data.splits",
    "train": "runs.experiment",
}

_ROOMS = ("figures", "paper")  # packages that are public names themselves: hc.figures.interest(session)

__all__ = ["__version__", *_HOME, *_ROOMS]
__getattr__, __dir__ = _lazy_names(__name__, _HOME | dict.fromkeys(_ROOMS, ""))
