"""The catapult: beyond 2/λ₀ the loss of a wide network grows first, and training ends where it is flatter.

Lewkowycz et al. (2020), arXiv 2003.02218, section 2: f = n^(−1/2) Σ vᵢ uᵢ x with normal weights, one data point (1, 0),
loss f²/2, whose curvature at the start is λ₀ = (|u|² + |v|²)/n. gdfast's squared loss is f², so that its learning rate
is half of theirs.
"""

from functools import partial

import numpy as np

import gdfast
from gdfast import problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab

WIDTH, STEPS, SEEDS = 512, 400, 4
RATES = np.array([0.5, 1.0, 1.5, 1.9, 2.2, 2.6, 3.0, 3.4, 3.8, 4.4, 5.0])
"""η λ₀."""
RISES = 1.001


def find(lab: Lab) -> Found:
    """Rates below 2/λ₀ with falling loss, between with a loss that grew, beyond 4/λ₀ without an end."""
    problem = problems.mlp(
        (1, WIDTH, 1), "identity", bias=False, fan_in_scaling=True, data=gdfast.data.Data(
            np.ones((1, 1)), np.zeros(1), ("x",), "y", standardize=False
        )
    )  # fmt: skip
    starts = np.asarray(problem.starts("normal", seeds=range(SEEDS)))
    rise, end, flatter = np.empty((3, SEEDS, len(RATES)))
    curves = {}
    for seed, start in enumerate(starts):
        curvature = float((start**2).sum()) / WIDTH
        sweep = gdfast.Sweep(
            problem, "gd", RATES / curvature / 2, [start], STEPS, settle=False, history="loss,theta:linear:401"
        )
        result = gdfast.run(sweep, progress=False)
        loss, theta = result.history_loss.values[0, :, 0], result.history_theta.values[0, :, 0]
        rise[seed] = np.nanmax(np.where(np.isfinite(loss), loss, np.inf), axis=1) / loss[:, 0]
        end[seed] = loss[:, -1] / loss[:, 0]
        flatter[seed] = (theta[:, -1] ** 2).sum(axis=1) / WIDTH / curvature
        if not seed:
            steps, shown = np.arange(loss.shape[1]), (1, 4, 6, 8)
            curves = {f"η λ₀ = {RATES[i]:g}": (steps, loss[i] / loss[i, 0]) for i in shown}
    converged = end < 1e-6
    below, between, beyond = RATES < 2, (RATES > 2) & (RATES < 4), RATES > 4
    caught = between & converged
    compared = [
        Compared("share with falling loss below 2/λ₀", 1.0, float(((rise <= RISES) & converged)[:, below].mean()), 0.0),
        Compared("share whose loss grew and came down, 2/λ₀ to 4/λ₀", 1.0,
                 float(((rise > RISES) & converged)[:, between].mean()), 0.0),
        Compared("share that converged beyond 4/λ₀", 0.0, float(converged[:, beyond].mean()), 0.0, "absolute"),
        Compared("largest curvature at the end × η, 2/λ₀ to 4/λ₀", 2.0,
                 float((flatter * RATES)[caught].max()), 0.0, "at most"),
    ]  # fmt: skip
    axes = {"xlabel": "step", "ylabel": "loss over the first", "yscale": "log", "xlim": (0, 60), "ylim": (1e-8, 1e4)}
    medians = np.median(np.where(converged, flatter, np.nan), axis=0)
    return Found(
        compared,
        partial(
            several_panes,
            [
                (curves, None, axes),
                (
                    {"λ at the end over λ₀": (RATES, medians)},
                    {"2/η": (RATES[RATES > 2], 2 / RATES[RATES > 2])},
                    {"xlabel": "η λ₀", "ylabel": "curvature at the end over λ₀"},
                ),
            ],
        ),
    )


KNOWN = Known(
    "catapult",
    "Between 2/λ₀ and 4/λ₀ the loss grows first, and gradient descent ends flatter than it began",
    "Lewkowycz et al. 2020, arXiv 2003.02218, section 2",
    f"An identity network 1–{WIDTH}–1 on the point (1, 0), {SEEDS} draws, {STEPS} steps at η λ₀ from 0.5 to 5.",
    find,
)
