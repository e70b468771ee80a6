"""Content matrix factorisation: its settings; the model is :mod:`hyperctr.baselines.matrix_factorisation.network`."""

from hyperctr.settings import ModelSpec

MODEL = ModelSpec(
    "content matrix factorisation",
    "hyperctr.baselines.matrix_factorisation.network:ContentMF",
    settings={
        "embedding_size": 32,
        "negatives": 4,
        "learning_rate": 5e-3,
        "weight_decay": 0.3,
        "history_length": 300,
        "batch_size": 512,
        "dropout": 0.0,
        "points_per_epoch": 1,
        "epochs": 40,
    },
)
