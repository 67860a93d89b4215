"""Figures of results, each drawn onto given matplotlib axes and returning them."""

from gdfast.plot.curves import loss_curves
from gdfast.plot.maps import maps, outcome_image, outcome_map, steps_map
from gdfast.plot.style import outcome_legend

__all__ = ["loss_curves", "maps", "outcome_image", "outcome_legend", "outcome_map", "steps_map"]
