"""Figures of any data set and run: each takes a session and returns a figure with the numbers that it draws.

Below each stands a pure function from those numbers to a plotly figure (``draw_...``), so that a figure can be drawn
again from the CSV beside it, on a machine without torch.

>>> import hyperctr as hc
>>> popularity(hc.Session("planted", budget="smoke")).frame["rank"].max()
np.int64(300)
"""

from hyperctr.figures.data import activity, popularity
from hyperctr.figures.hypergraphs import degrees, hypergraph, sizes
from hyperctr.figures.interest import interest, interest_over_slots, recovery
from hyperctr.figures.model_drawing import model
from hyperctr.figures.six_clicks import six_clicks
from hyperctr.figures.training import learning_curve
from hyperctr.figures.why import clicks, effects, hyperedges, waterfall, what_if

__all__ = ["activity", "clicks", "degrees", "effects", "hyperedges", "hypergraph", "interest", "interest_over_slots"]
__all__ += ["learning_curve", "model", "popularity", "recovery", "six_clicks", "sizes", "waterfall", "what_if"]
