"""Settings of content matrix factorisation."""

from hyperctr.settings import ModelSpec

SIZES = {"embedding_size": 32, "history_length": 300, "negatives": 4, "batch_size": 512}
LEARNING = {"learning_rate": 5e-3, "weight_decay": 0.3, "dropout": 0.0, "points_per_epoch": 1, "epochs": 40}
MODEL = ModelSpec(
    "content matrix factorisation",
    "hyperctr.baselines.matrix_factorisation.network:ContentMF",
    settings={**SIZES, **LEARNING},
)
