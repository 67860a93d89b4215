"""The units of a problem: what its losses and gradients are measured in, and what counts as its lowest loss."""

import functools
from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.problems._judging import Judging
from gdfast.problems._stationary import is_inside

_ROUNDING = 1e-9  # share of ordinary losses by which a known minimum may be lower than what the user knows
_TYPICAL, _FEWEST = 1024, 16  # starts by which losses and gradients are measured: of a formula, and at least
_FAR_BELOW = 100.0  # times what starts ordinarily are below their median
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
        """The loss of the lowest minimum that is known inside the domain, or `minimum`; −∞ if there is none.

        Raises
        ------
        ValueError
            If a minimum inside the domain is lower than `minimum`.
        """
        inside = [point for point in self.minima if is_inside(point, self.domain)]
        if self.minimum is None:
            return min((point.loss for point in inside), default=-np.inf)
        known = [point for point in inside if point not in self.found]
        if known:
            point = min(known, key=lambda point: point.loss)
            rounding = _ROUNDING * float(np.nanmedian(np.abs(self._typical[0])))
            if point.loss < self.minimum - rounding:
                where = ", ".join(f"{n}={v:.6g}" for n, v in zip(self.coordinates, point.point, strict=False))
                raise ValueError(
                    f"{self.label}: minimum must be at most the loss of every minimum inside the domain, "
                    f"{point.loss:.9g} at {where}, not {self.minimum:g}"
                )
        return min([self.minimum, *(point.loss for point in self.found)])

    @functools.cached_property
    def loss_scale(self) -> float:
        """The median of loss − lowest over random starts in the domain; 1 if that is zero or not finite.

        Where some of a domain is lower than the lowest minimum, as beside a pole, it is the median of how far from it
        losses are on either side.
        """
        losses = self._typical[0][~np.isnan(self._typical[0])]
        finite = losses[np.isfinite(losses)]
        if not finite.size:
            return 1.0
        losses = losses if np.isfinite(np.median(losses)) else finite  # where the loss overflows it is large
        if finite.min() < self.base:
            return _positive(np.median(np.abs(losses - self.base)))
        return _positive(np.median(losses) - self.base)

    @functools.cached_property
    def base(self) -> float:
        """The lowest loss or, where no minimum is known, that of random starts: what losses are measured from.

        Starts near to a pole are as low as they are near: it is at most a hundred times as far below the median as the
        lowest quarter.
        """
        if np.isfinite(self.lowest):
            return self.lowest
        losses = self._typical[0][np.isfinite(self._typical[0])]
        if not losses.size:
            return 0.0
        quarter, middle = np.quantile(losses, [0.25, 0.5])
        farthest = _FAR_BELOW * (middle - quarter) or np.inf  # on a plateau it is nothing
        return float(max(losses.min(), middle - farthest))

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
