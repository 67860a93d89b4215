"""Figures of results, each drawn onto given matplotlib axes, which it returns, or as a figure of pyplot's.

All of them take ``title``, ``size``, ``palette`` and ``legend``, see `Look`, and follow matplotlib's style:
``with plt.style.context("dark_background")`` makes them dark. ``plt.show()`` shows them; a notebook does, once.
"""

from gdfast.plot.animations import animate_map, race
from gdfast.plot.curves import bifurcation, ecdf, loss_curves, lr_sensitivity, profile
from gdfast.plot.figures import delta_maps, maps
from gdfast.plot.film import Film
from gdfast.plot.histories import history_curves, history_map
from gdfast.plot.look import Look
from gdfast.plot.maps import basin_map, delta_map, outcome_image, outcome_map, steps_map
from gdfast.plot.paths import trajectory
from gdfast.plot.style import outcome_legend

__all__ = [
    "Film",
    "Look",
    "animate_map",
    "basin_map",
    "bifurcation",
    "delta_map",
    "delta_maps",
    "ecdf",
    "history_curves",
    "history_map",
    "loss_curves",
    "lr_sensitivity",
    "maps",
    "outcome_image",
    "outcome_legend",
    "outcome_map",
    "profile",
    "race",
    "steps_map",
    "trajectory",
]
