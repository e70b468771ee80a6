"""Metrics in numpy only: AUC (pooled, per user), log loss, prior correction and calibration error."""

from hyperctr.metrics.calibration import calibration_error, log_loss, prior_corrected
from hyperctr.metrics.ranking import PerUser, auc, auc_centred, auc_from_scores, gauc, per_user_auc

__all__ = [
    "PerUser",
    "auc",
    "auc_centred",
    "auc_from_scores",
    "calibration_error",
    "gauc",
    "log_loss",
    "per_user_auc",
    "prior_corrected",
]
