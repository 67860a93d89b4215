"""Landscapes that know what Newton's method cannot tell: which stationary points count, and where kinks are minima."""

import functools
from dataclasses import dataclass

import numpy as np

from gdfast.problems._landscape import Landscape
from gdfast.problems._stationary import StationaryPoint, is_inside


@dataclass(frozen=True, eq=False, repr=False)
class OfItsDomain(Landscape):
    """A landscape of which the stationary points in the domain are known.

    Some starts of Newton's method are led beyond it, but to which of the many points there depends on the last bits.
    """

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """Those between the lowest and highest values of the coordinates, lowest loss first."""
        return tuple(q for q in super().stationary_points if is_inside(q, self.domain))


@dataclass(frozen=True, eq=False, repr=False)
class WithKinks(Landscape):
    """A landscape with minima at kinks, where the gradient is not zero or is none.

    Attributes
    ----------
    kinks : sequence of tuple of float
        Where they are.
    """

    kinks: tuple[tuple[float, ...], ...] = ()

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """Those that Newton's method finds, and the minima at kinks, lowest loss first."""
        at = np.array(self.kinks).T
        points = [
            StationaryPoint(kink, "minimum", loss, np.inf)
            for kink, loss in zip(self.kinks, self.loss(at).tolist(), strict=True)
        ]
        return tuple(sorted([*super().stationary_points, *points], key=lambda q: (q.loss, q.point)))
