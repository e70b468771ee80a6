"""Every figure of the reports under one name: pure functions from plain data to a plotly figure.

A figure can be drawn again from the CSV beside it, on a machine without torch.
"""

from hyperctr.display.hypergraph import hypergraph_figure
from hyperctr.figures.data import activity_over_time, popularity_figure
from hyperctr.figures.hypergraphs import degree_distribution, sizes_over_slots
from hyperctr.figures.interest import interest_heatmap, interest_over_slots, recovery_figure
from hyperctr.figures.training import learning_curve

__all__ = [
    "activity_over_time",
    "degree_distribution",
    "hypergraph_figure",
    "interest_heatmap",
    "interest_over_slots",
    "learning_curve",
    "popularity_figure",
    "recovery_figure",
    "sizes_over_slots",
]
