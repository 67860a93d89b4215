"""What transforms do near a minimum, where motion is of displacements from it, far smaller than its last place.

A transform sees the point itself. One whose answer to a displacement is the same wherever the minimum is, but for a
constant, is run on displacements: decay, caution, all that see the gradient alone. One that does nothing near the
minimum, as a projection to a box around it does, or adds the same to the gradient everywhere there, as the sign of a
coordinate that is not 0 does, is left out. Of others nothing is told: a threshold off the origin, a projection that the
minimum is at the edge of, an adaptive ball of `sam` off the origin. Nor is of those that remember points, jump or draw.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.transforms import Transform
from gdfast.transforms._arrays import changed

LONG = 100_000
"""The step whose coefficients stand for their limit."""
TINY = 1e-60
"""The size of a disturbance."""
_NEAR = 1e-6  # share of a coordinate, or of 1
_ROUNDING = 64 * np.finfo(np.float64).eps
_SMALLER = 1024.0  # times, a power of 2
_DRAWS = 4
_SEED = 0


class Near(NamedTuple):
    """An optimizer near a minimum.

    Attributes
    ----------
    optimizer : Optimizer
        Without transforms that do nothing there; of an average, the one whose points are averaged.
    still : tuple of ndarray
        Of each transform, in which coordinates it does nothing or adds the same everywhere there, ``bool[d, 1]``.
    """

    optimizer: Optimizer
    still: tuple[NDArray[np.bool_], ...]


def transformed_by(transform: Transform, at: Sequence[Array], rate: Array) -> Array:
    """What a transform without a memory makes of gradients or points ``[d, n]``, in the long run."""
    d, n = at[0].shape
    row = transform.columns(LONG if transform.courses else 0)[-1]
    (new,) = changed(transform, at, (), rate, row, np.arange(n), np.tile([d, 0, 0], (d, 1)))
    return new


def followed(optimizer: Optimizer, point: Array, rates: Array) -> Near | None:
    """The optimizer near a minimum; None if what a transform does there is not told.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer.
    point : ndarray
        The minimum, ``float64[d]``.
    rates : ndarray
        Learning rates, ``float64[d, k]``.
    """
    transforms, several = [], []
    for transform in optimizer.transforms:
        if transform.noisy or transform.jumps or transform.state or transform.scalars:
            return None
        with np.errstate(all="ignore"):
            still = _still(transform, point[:, None], rates)
        if still is None:
            return None
        if not (transform.after and still.all()):
            transforms.append(transform)
            several.append(still)
    carrier = optimizer.carrier or optimizer
    return Near(carrier.copied(transforms=tuple(transforms), schedule=optimizer.schedule), tuple(several))


def _still(transform: Transform, point: Array, rates: Array) -> Any:
    """Where a transform does nothing near a minimum, or adds the same everywhere; None where it is not told."""
    (d, k), rate = rates.shape, np.tile(rates, 2 * _DRAWS)
    draws = np.random.default_rng(_SEED).uniform(-1.0, 1.0, (3, d, _DRAWS))
    draws = np.repeat(np.concatenate([draws, -draws], axis=2), k, axis=2)  # each coordinate to both sides
    reach = _NEAR * (1.0 + np.abs(point))
    away, slope, behind = draws[0] * reach, draws[1] * TINY, draws[2] * reach  # of which theta and before are

    def answer(point: Array | float) -> Array:
        at = (point + away, slope, point + behind) if transform.after else (point + away, slope)
        return transformed_by(transform, at, rate)

    def alike(here: Array, there: Array) -> NDArray[np.bool_]:
        """In which coordinates two differ by the same, but for rounding, in all draws."""
        largest = np.maximum(np.abs(here), np.abs(there)).reshape(d, -1, k).max(axis=1)
        return np.asarray((np.ptp((here - there).reshape(d, -1, k), axis=1) <= _ROUNDING * largest).all(axis=1))

    near = answer(point)
    fits = alike(near, answer(0.0))
    if transform.after:
        still = (near == point + away).all(axis=1)
        small, large = (transformed_by(transform, [*(size * TINY * draws)], rate) for size in (1 / _SMALLER, 1.0))
        fits &= (small * _SMALLER == large).all(axis=1)
    else:
        still = ~fits & alike(near, slope)
    return still[:, None] if (still | fits).all() else None
