"""Curves along trajectories."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from gdfast.plot.style import LINE_COLOURS

if TYPE_CHECKING:
    import xarray


def loss_curves(paths: "Mapping[str, xarray.Dataset]", ax: Axes | None = None, above: float | None = None) -> Axes:
    """Draw loss against step for some trajectories.

    Parameters
    ----------
    paths : mapping
        From label to a dataset of `gdfast.trajectory`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    above : float, optional
        Draw the loss above this value, on a logarithmic axis.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=(5.2, 3.6), dpi=120, layout="constrained").subplots()
    for i, (label, path) in enumerate(paths.items()):
        loss = path.loss.values if above is None else np.maximum(path.loss.values - above, 1e-18)
        finite = np.isfinite(loss)
        colour, dash = LINE_COLOURS[i % len(LINE_COLOURS)], ["-", "--", "-.", ":"][i % 4]
        ax.plot(path.step.values[finite], loss[finite], dash, color=colour, label=label, linewidth=1.6)
    if above is not None:
        ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("loss" if above is None else "loss above the minimum")
    ax.legend(fontsize=8, frameon=False)
    return ax
