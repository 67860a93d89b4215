"""The edge of stability: full-batch training sharpens until the learning rate is only just stable, and stays there.

Cohen et al. (2021), arXiv 2103.00065: 2/η for gradient descent (section 3), (2 + 2β)/η with momentum β and
(2 + 2β)/((1 + 2β)η) with Nesterov's (appendix B). Cohen et al. (2022), arXiv 2207.14484, section 3: 38/η for Adam with
β₁ = 0.9, by the Hessian that its second moment preconditions.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab
from gdfast.report.sharpening import sharpening

SETTINGS: Mapping[str, Mapping[str, int]] = {
    "diabetes, tanh": {"gd": 1, "momentum": 2, "nesterov": 2, "adam": 2},
    "diabetes, relu": {"gd": 1, "momentum": 1, "nesterov": 1, "adam": 2},
    "digits, tanh": {"gd": 2, "momentum": 2, "nesterov": 2, "adam": 2},
}
"""Of the rates of a network, which one is looked at, by optimizer: chosen after a look, so that the edge is reached."""
_CHOSEN = (
    "Networks and rates were chosen after a look at several, so that the sharpness gets to the edge within the budget: "
    "what is compared is whether it stays there, with margins from before. All that was looked at is in the chapter at "
    "the edge, what does not get there too."
)
ALLOWED = {"gd": 0.05, "momentum": 0.1, "nesterov": 0.1, "adam": 0.15}


def _found(labels: Sequence[str], lab: Lab) -> Found:
    compared, panels = [], []
    for label in labels:
        ours, edge = {}, 0.0
        for name, places in SETTINGS.items():
            if label not in places:
                continue
            result = sharpening(name, label).isel(learning_rate=[places[label]], start=[0])
            edge, (rate,) = float(result.attrs["edge"]), result.learning_rate.values
            scaled = result.history_preconditioned_sharpness.values[0, 0, 0] * rate
            late = float(np.median(scaled[len(scaled) // 2 :]))
            compared.append(Compared(f"{label}, {name}, η = {rate:g}", edge, late, ALLOWED[label]))
            ours[name] = result.recorded_step.values, scaled
        steps = result.recorded_step.values
        named = {"title": label, "xlabel": "step", "ylabel": "sharpness × η", "ylim": (0, 1.6 * edge)}
        panels.append((ours, {f"{edge:.4g}": (steps, np.full(len(steps), edge))}, named))
    return Found(compared, partial(several_panes, panels))


PLAIN = Known(
    "sharpness-at-the-edge",
    "Full-batch training sharpens to 2/η and stays there; with momentum to (2 + 2β)/η",
    "Cohen et al. 2021, arXiv 2103.00065, section 3 and appendix B",
    "Networks of two hidden layers on diabetes and 500 rows of digits, targets of deviation 1, squared loss, 4000 "
    f"steps; the median of sharpness × η over the last half. {_CHOSEN}",
    partial(_found, ("gd", "momentum", "nesterov")),
)
ADAPTIVE = Known(
    "adaptive-sharpness-at-the-edge",
    "Adam's preconditioned sharpness stays at 38/η",
    "Cohen et al. 2022, arXiv 2207.14484, section 3",
    f"The same networks; the largest eigenvalue of P^(−1/2) H P^(−1/2), P = (1 − β₁ᵗ)(√v̂ + ε), times η. {_CHOSEN}",
    partial(_found, ("adam",)),
)
