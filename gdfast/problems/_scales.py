"""The units of a problem: what its losses and gradients are measured in, and what counts as its lowest loss."""

import functools
from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.problems._judging import Judging
from gdfast.problems._stationary import is_inside

_TYPICAL, _FEWEST = 1024, 16  # starts by which losses and gradients are measured: of a formula, and at least
TIGHT, LOOSE = 1e-6, 1e-2
USUAL_LIMIT = 1e12
"""Times what losses and gradients ordinarily are from which on trajectories have diverged."""


class Scales(Judging):
    """What end points are judged by, in the problem's own units.

    Attributes
    ----------
    loss_tolerance : float
        The excess, (loss − `lowest`) / `loss_scale`, up to which a loss counts as the lowest, unless a sweep says
        otherwise: 1e-6; 1e-2 where steps see a part of the data only, and for networks.
    """

    loss_tolerance: float = TIGHT

    @functools.cached_property
    def lowest(self) -> float:
        """The loss of the lowest minimum that is known inside the domain; −∞ if there is none."""
        inside = (point.loss for point in self.minima if is_inside(point, self.domain))
        return min(inside, default=-np.inf)

    @functools.cached_property
    def loss_scale(self) -> float:
        """The median of loss − lowest over random starts in the domain; 1 if that is zero or not finite."""
        losses = self._typical[0][~np.isnan(self._typical[0])]
        if not np.isfinite(losses).any():
            return 1.0
        middle = np.median(losses)  # where the loss overflows it is large
        return _positive((middle if np.isfinite(middle) else np.median(losses[np.isfinite(losses)])) - self.base)

    @functools.cached_property
    def base(self) -> float:
        """The lowest loss or, where no minimum is known, that of random starts: what losses are measured from."""
        if np.isfinite(self.lowest):
            return self.lowest
        losses = self._typical[0][np.isfinite(self._typical[0])]
        return float(losses.min()) if losses.size else 0.0

    @functools.cached_property
    def gradient_scale(self) -> float:
        """The root of the mean square of ``max|g|`` over random starts in the domain; 1 if it is zero or not finite.

        It is at most a hundred times what a straight way down would have, `loss_scale` over the domain's width: where
        a loss is very steep, little of that remains. The median would be nothing where most of a domain is a plateau.
        """
        sizes = self._typical[1]
        sizes = sizes[np.isfinite(sizes)]
        largest = sizes.max(initial=0.0)
        mean = largest * np.sqrt(np.mean((sizes / _positive(largest)) ** 2)) if sizes.size else 0.0
        return _positive(min(mean, 100.0 * self.loss_scale / float(np.ptp(self.domain, axis=1).max())))

    @functools.cached_property
    def divergence_scales(self) -> tuple[float, float]:
        """What losses and gradients beyond the limit of divergence are multiples of: `loss_scale`, `gradient_scale`.

        They are larger where a problem's own starts would else have diverged at the usual limit, as where a loss goes
        through hundreds of decades.
        """
        losses, sizes = (np.abs(values[np.isfinite(values)]).max(initial=0.0) for values in self._typical)
        return max(self.loss_scale, losses / USUAL_LIMIT), max(self.gradient_scale, sizes / USUAL_LIMIT)

    @functools.cached_property
    def _typical(self) -> tuple[Array, Array]:
        problem: Any = self
        theta = problem.random(max(_TYPICAL // problem.step_work, _FEWEST)).T
        with np.errstate(all="ignore"):
            return problem.loss(theta), np.abs(problem.gradient(theta)).max(axis=0)


def _positive(value: Any) -> float:
    return float(value) if np.isfinite(value) and value > 0 else 1.0
