"""What is known of a problem, and how the end points of its trajectories are judged by it.

What trajectories find that is lower than all that was known becomes known too: `Judging.found`. It is no part of the
problem, but of a result: the problem that knows it is equal to no other, and its specification is the same.
"""

import functools
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.problems._curvature import LARGEST_HESSIAN, Products, along_paths, by_hessian, by_products, differences
from gdfast.problems._stationary import FEW, StationaryPoint, find, is_inside, nearest, reaches, search, settle
from gdfast.problems._stepping import Stepping

_LARGEST_SETTLED = 64  # coordinates up to which one looks for the minimum that an end point is near to
_STAYS = {"name", "stationary_points"}


def _knowing(problem: "Judging", points: Sequence[Sequence[float]]) -> "Judging":
    return functools.reduce(lambda known, point: known.knowing(point), points, problem)


class Judging(Stepping):
    """The stationary points of a loss, and which of them an end point is at.

    Attributes
    ----------
    near : array_like, (k, d), optional
        Points from which Newton's method finds the stationary points; if None they are searched for.
    found : tuple of StationaryPoint
        Minima that trajectories found, each lower than all that was known before.
    minimum : float, optional
        The lowest loss, where the user knows it, f*; it need be that of no known minimum.
    """

    near: Any = None
    found: tuple[StationaryPoint, ...] = ()
    minimum: float | None = None

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The known stationary points, lowest loss first: those that Newton's method finds."""
        if self.near is None:
            return search(self.loss, self.gradient, self.hessian, self.domain)
        near = np.array(self.near, dtype=np.float64).reshape(-1, self.dimension).T
        return find(self.loss, self.gradient, self.hessian, self.domain, near)

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        """Tell which stationary point each settled end point is at.

        Parameters
        ----------
        theta, loss : ndarray
            End points ``float64[d, n]`` where the gradient is within `gradient_tolerance`, and their losses.
        gradient_tolerance : float
            The tolerance that settled them, after scaling.

        Returns
        -------
        ndarray
            ``int64[n]``, the index in `stationary_points`, −1 where it is none of them (a plateau).
        """
        points, width = self.stationary_points, float(np.ptp(self.domain, axis=1).max())
        return nearest(points, theta, reaches(points, width, gradient_tolerance))

    @property
    def compares_points(self) -> bool:
        """Whether `locate` and `nearest_minimum` do nothing but compare ends with each stationary point."""
        return True

    def places(self, gradient_tolerance: float) -> tuple[tuple[StationaryPoint, ...], Array]:
        """Return the points that ends are compared with, and within which distance `locate` does, ``float64[k]``.

        None if these are not all that counts, or they are many.
        """
        points, width = self.stationary_points, float(np.ptp(self.domain, axis=1).max())
        few = 0 < len(points) <= FEW and all(point.point for point in points)
        points = points if few and self.compares_points and not self.found else ()
        return points, reaches(points, width, gradient_tolerance)

    @functools.cached_property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The known minima, those inside the domain first, of these the lowest; a *basin* is an index into them."""
        minima = [p for p in self.stationary_points if p.kind == "minimum"]
        if self.found:
            minima = sorted([*minima, *self.found], key=lambda p: p.loss)
        return tuple(sorted(minima, key=lambda p: not is_inside(p, self.domain)))

    def knowing(self, point: Sequence[float]) -> Self:
        """Return the same problem, which knows one more minimum, at ``point (d,)``."""
        loss = float(self.loss(np.array(point)[:, None])[0])
        minimum = StationaryPoint(tuple(point), "minimum", loss, np.inf)
        other = self.copied(found=(*self.found, minimum))
        for name in vars(self):  # what was derived of what is known; where the stationary points are stays the same
            if isinstance(getattr(type(self), name, None), functools.cached_property) and name not in _STAYS:
                del vars(other)[name]
        return other

    def settled(self, end: Array) -> tuple[float, ...] | None:
        """Return the minimum inside the domain that an end point ``(d,)`` is near to; None if there is none."""
        if self.dimension > _LARGEST_SETTLED:
            return None
        return settle(self.loss, self.gradient, self.hessian, self.domain, np.asarray(end, dtype=np.float64))

    def content(self) -> Hashable:
        """Return what two of them must have in common to be equal; what was found among it."""
        return (super().content(), self.found) if self.found else super().content()

    def __reduce__(self) -> Any:
        if not self.found:
            return super().__reduce__()
        return _knowing, (self.copied(found=()), [minimum.point for minimum in self.found])

    @functools.cached_property
    def curvatures(self) -> Array:
        """Eigenvalues of the Hessian at the lowest known minimum, ascending, ``float64[d]``; none if none is known.

        Gradient descent stays there at rates below ``2 / curvatures[-1]``; see `gdfast.theory`.
        """
        if not self.minima or not self.minima[0].point:
            return np.empty(0)
        return np.asarray(np.linalg.eigvalsh(self.hessian(np.array(self.minima[0].point)[:, None])[..., 0]))

    def nearest_minimum(self, theta: Array) -> NDArray[np.int64]:
        """Return the basin of the nearest minimum to each of ``theta (d, n)``, ``int64[n]``; one must be known."""
        if not all(minimum.point for minimum in self.minima):  # one that stands for all has no coordinates
            return np.zeros(theta.shape[1], dtype=np.int64)
        return np.maximum(nearest(self.minima, theta), 0)

    def distance(self, theta: Array) -> Array:
        """Return the Euclidean distance of each of ``theta (d, n)`` to the nearest known minimum, ``float64[n]``.

        Raises
        ------
        ValueError
            If no minimum is known, or not where it is.
        """
        if "minima" not in self.provides:
            raise ValueError(f"distance: {self.label} must have minima of which it is known where they are")
        nearest = np.full(theta.shape[1], np.inf)
        for minimum in self.minima:
            total = np.zeros(theta.shape[1])
            for row, coordinate in zip(theta, minimum.point, strict=True):
                total += (row - coordinate) * (row - coordinate)
            nearest = np.minimum(nearest, total)
        return np.asarray(np.sqrt(nearest))

    def sharpness(self, theta: Array, preconditioner: Any = None) -> Array:
        """Return the largest eigenvalue of the Hessian of `objective` at each of ``theta (d, n)``, ``float64[n]``.

        Gradient descent of the rate η leaves a minimum whose sharpness is above 2/η. Up to 64 coordinates the Hessian
        is taken; beyond, and of networks, products of it with vectors, to about three digits (`gdfast.problems.
        _curvature`): exact ones of networks, else differences of gradients, which across a kink are no derivative. NaN
        where it is not finite.

        Parameters
        ----------
        theta : array_like, (d, n)
            Points.
        preconditioner : array_like, (d, n), optional
            P, positive: of P^(−1/2) H P^(−1/2) the eigenvalue then is; NaN where P is not positive.

        Raises
        ------
        TypeError, ValueError
            If the preconditioner does not have the points' shape.

        Examples
        --------
        >>> from gdfast import problems
        >>> problems.quadratic(condition=10.0).sharpness([[1.0], [1.0]], [[1.0], [2.0]]).round(12).tolist()
        [5.0]
        """
        scale = None if preconditioner is None else _scale(preconditioner)
        if (products := self._hessian_products) is None:
            return by_hessian(self.hessian, theta, scale)
        return by_products(products, theta, scale)

    def sharpness_along(self, paths: Any, preconditioner: Any = None) -> Array:
        """Return the sharpness at the points of paths, one after the other, ``float64[n, k]``, as histories tell it.

        Where it takes products of the Hessian, each point begins with what was found at the last one, and ends at a
        hundredth: this takes a third of the products.

        Parameters
        ----------
        paths : array_like, (n, k, d)
            k points of each of n trajectories.
        preconditioner : array_like, (n, k, d), optional
            As in `sharpness`.

        Raises
        ------
        TypeError, ValueError
            If the paths are no such array, or the preconditioner does not have their shape.

        Examples
        --------
        >>> from gdfast import problems
        >>> problems.quartic().sharpness_along([[[0.0], [1.0], [2.0]]]).round(12).tolist()
        [[-10.0, 2.0, 38.0]]
        """
        accepted = f"(n, k, {self.dimension})"
        paths = arguments.array("paths", paths, accepted)
        if paths.ndim != 3 or paths.shape[2] != self.dimension:
            raise ValueError(f"paths must have shape {accepted}, k points of each of n trajectories, not {paths.shape}")
        scale = None
        if preconditioner is not None:
            preconditioner = arguments.array("preconditioner", preconditioner, accepted)
            if preconditioner.shape != paths.shape:
                raise ValueError(
                    f"preconditioner must have the paths' shape, {paths.shape}, not {preconditioner.shape}"
                )
            scale = _scale(preconditioner)
        if (products := self._hessian_products) is not None:
            return along_paths(products, paths, scale)
        theta, flat = (None if each is None else each.reshape(-1, self.dimension).T for each in (paths, scale))
        return by_hessian(self.hessian, theta, flat).reshape(paths.shape[:2])  # type: ignore[arg-type]

    @property
    def _hessian_products(self) -> Products | None:
        """Products of the Hessian with vectors, where there are too many coordinates to make it."""
        return None if self.dimension <= LARGEST_HESSIAN else differences(self.gradient)

    def judge(self, theta: Array) -> tuple[Array, Array]:
        """Return loss and ``max|gradient|`` of end points, ``float64[n]`` each, summed in the order of the lanes."""
        return self.loss(theta), np.abs(self.gradient(theta)).max(axis=0)

    @functools.cached_property
    def provides(self) -> frozenset[str]:
        """What not every problem has and may be needed.

        ``lowest``, a known minimum; ``minima``, where they all are; ``matrices`` of parameters; ``hessian_product``,
        `step_product` in lanes too; ``gauss_newton_product``, `step_gauss_newton` likewise, and ``fisher_diagonal``,
        `step_fisher`.
        """
        has = {
            "lowest": self.minimum is not None or bool(self.minima),
            "minima": bool(self.minima and all(p.point for p in self.minima)),
            "matrices": self.has_matrices,
            "hessian_product": self.lane_kernel is not None and self.lane_kernel.product is not None,
            "gauss_newton_product": self.lane_kernel is not None and self.lane_kernel.gauss_newton is not None,
            "fisher_diagonal": self.lane_kernel is not None and self.lane_kernel.fisher is not None,
        }
        return frozenset(name for name, is_there in has.items() if is_there)

    @property
    def told_at_ends(self) -> tuple[str, ...]:
        """What a result tells of end points beside loss and gradient, by the names of the methods that tell it."""
        return ()

    @functools.cached_property
    def lowest_objective(self) -> float:
        """The lowest objective: that of `minimum`, or of the lowest known minimum.

        Raises
        ------
        ValueError
            If no minimum is known.
        """
        if self.minimum is not None:
            return self.minimum / self.loss_per_objective
        if not self.minima:
            raise ValueError(
                f"problem {self.label} has no known minimum, which the optimizer needs the loss of; if you know it, "
                "give it as minimum"
            )
        return float(self.objective(np.array(self.minima[0].point)[:, None])[0])


def _scale(preconditioner: Array) -> Array:
    """P^(−1/2), NaN where P is not positive."""
    with np.errstate(all="ignore"):
        return np.asarray(1.0 / np.sqrt(np.where(preconditioner > 0, preconditioner, np.nan)))
