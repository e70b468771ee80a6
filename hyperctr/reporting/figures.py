"""Every figure of the reports under one name: pure functions from plain data to a plotly figure.

A figure can be drawn again from the CSV beside it, on a machine without torch.
"""

from hyperctr.reporting.data_figures import activity_over_time, popularity_figure
from hyperctr.reporting.drawing import hypergraph_figure
from hyperctr.reporting.hypergraph_figures import degree_distribution, sizes_over_slots
from hyperctr.reporting.interest_figures import interest_heatmap, interest_over_slots, recovery_figure
from hyperctr.reporting.tables import frame_table, metrics_table
from hyperctr.reporting.training_figures import learning_curve

__all__ = [
    "activity_over_time",
    "degree_distribution",
    "frame_table",
    "hypergraph_figure",
    "interest_heatmap",
    "interest_over_slots",
    "learning_curve",
    "metrics_table",
    "popularity_figure",
    "recovery_figure",
    "sizes_over_slots",
]
