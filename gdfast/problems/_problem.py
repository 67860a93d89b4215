"""What a problem is: a loss with its gradient, its dimension, its start domain, its stationary points.

Arrays of points have the coordinates first and the lanes last: ``theta`` is ``float64[d, n]``, a loss is
``float64[n]``, a gradient ``float64[d, n]``.
"""

import functools
import inspect
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.elementary import Array
from gdfast.named import Named

Kind = Literal["minimum", "maximum", "saddle", "degenerate"]


@dataclass(frozen=True)
class StationaryPoint:
    """A point where the gradient is zero.

    Attributes
    ----------
    point : tuple of float
        Its coordinates.
    kind : str
        ``minimum``, ``maximum``, ``saddle`` or ``degenerate``.
    loss : float
        The loss there.
    flattest : float
        Smallest absolute eigenvalue of the Hessian there.
    """

    point: tuple[float, ...]
    kind: Kind
    loss: float
    flattest: float


@dataclass(frozen=True)
class LaneKernel:
    """The gradient of a problem with data, as loops over lanes for the compiler.

    Attributes
    ----------
    gradient : callable
        ``gradient(theta, grad, work, n, data, layout, t)`` fills ``grad[:, :n]``; ``theta`` and ``grad`` are
        ``float64[d, W]``, ``work`` is ``float64[work_rows, W]`` to scribble on, ``t`` the updates done before.
    objective : callable
        ``objective(theta, out, work, n, data, layout, t)`` fills ``out[:n]`` with what the gradient is the gradient of.
    work_rows : int
        How many numbers a lane needs for intermediate results.
    """

    gradient: Callable[..., None]
    objective: Callable[..., None]
    work_rows: int


class Problem(Named):
    """A loss to be minimized.

    Attributes
    ----------
    dimension : int
        d, the number of parameters.
    domain : ndarray
        ``float64[d, 2]``: where starts are drawn and maps are shown, lowest and highest value of a coordinate.
    gradient_scale : float
        The size of an ordinary gradient; settling tolerances are multiplied by it. 1 except for problems with
        data, where it makes outcomes independent of the data's units.
    groups : tuple of str
        Names of the groups of coordinates that have a learning rate of their own, such as layers. One for all
        unless a problem says otherwise.
    lane_kernel : LaneKernel, optional
        Gradient and objective for the compiler, where they are more than formulas of few coordinates.
    """

    domain: Array
    gradient_scale: float = 1.0
    groups: tuple[str, ...] = ("all",)
    lane_kernel: LaneKernel | None = None

    @property
    def dimension(self) -> int:
        """d, the number of parameters."""
        return len(self.domain)

    @functools.cached_property
    def group(self) -> NDArray[np.int64]:
        """The index in `groups` of each coordinate, ``int64[d]``."""
        return np.zeros(self.dimension, dtype=np.int64)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return what the lane kernel reads: ``data float64[:]`` and ``layout int64[:]``, which tells its shape.

        Called once a tile: what is long in the making is to be kept.
        """
        return np.empty(0), np.empty(0, dtype=np.int64)

    @abstractmethod
    def loss(self, theta: Array) -> Array:
        """Return the loss ``float64[n]`` at the points ``theta`` (``float64[d, n]``)."""

    @abstractmethod
    def gradient(self, theta: Array) -> Array:
        """Return the gradient ``float64[d, n]`` at the points ``theta`` (``float64[d, n]``)."""

    def objective(self, theta: Array) -> Array:
        """Return what `gradient` is the gradient of, ``float64[n]``: the loss, unless a problem scales it."""
        return self.loss(theta)

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient that the update after `t` others takes: `gradient`, unless it depends on the step."""
        return self.gradient(theta)

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return what `step_gradient` is the gradient of, ``float64[n]``."""
        return self.objective(theta)

    @functools.cached_property
    def lowest_objective(self) -> float:
        """The objective at the lowest known minimum."""
        return float(self.objective(np.array(self.minima[0].point)[:, None])[0])

    @abstractmethod
    def hessian(self, theta: Array) -> Array:
        """Return the Hessians ``float64[d, d, n]`` at the points ``theta`` (``float64[d, n]``)."""

    @property
    @abstractmethod
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The known stationary points, lowest loss first."""

    @abstractmethod
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

    @functools.cached_property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The known minima, lowest first; a *basin* is an index into them."""
        return tuple(p for p in self.stationary_points if p.kind == "minimum")

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(f"theta{i}" for i in range(self.dimension))

    def grid(self, n: int) -> Array:
        """Return starts on a regular grid over the domain, ``float64[n**d, d]``, the last coordinate fastest.

        Raises
        ------
        ValueError
            If the grid would hold more than 2³¹ − 1 starts.
        """
        n = arguments.integer("grid: n", n)
        arguments.integer(f"grid: n**{self.dimension}, the number of starts,", n**self.dimension)
        axes = [np.linspace(low, high, n) for low, high in self.domain]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dimension)

    def default_starts(self, n: int) -> Any:
        """Return about `n` starts for when none are given: a regular grid, with at least two points a coordinate."""
        return self.grid(max(2, round(n ** (1 / self.dimension))))

    def random(self, n: int, seed: int = 0) -> Array:
        """Return `n` starts drawn uniformly over the domain from `seed`, ``float64[n, d]``."""
        n = arguments.integer("random: n", n)
        rng = np.random.default_rng(arguments.integer("random: seed", seed, low=0, high=2**63 - 1))
        return rng.uniform(self.domain[:, 0], self.domain[:, 1], (n, self.dimension))


@dataclass(frozen=True, eq=False, repr=False)
class Landscape(Problem):
    """A problem whose loss is a formula of its coordinates.

    The formulas are written once, in the grammar of `gdfast.kernels`, as functions of the coordinates.

    Parameters
    ----------
    loss_formula : callable
        From the coordinates to the loss.
    gradient_formula : callable
        From the coordinates to the gradient: one expression for d = 1, a tuple of d expressions otherwise.
    hessian_formula : callable
        From the coordinates to the Hessian: one expression for d = 1, otherwise a nested d × d tuple.
    domain : ndarray
        ``float64[d, 2]``.
    near : sequence of points
        For each stationary point, a point from which Newton's method finds it.
    """

    loss_formula: Callable[..., Any]
    gradient_formula: Callable[..., Any]
    hessian_formula: Callable[..., Any]
    domain: Array
    near: Sequence[Sequence[float]]

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: the arguments of the loss formula."""
        return tuple(inspect.signature(self.loss_formula).parameters)

    def loss(self, theta: Array) -> Array:
        return np.asarray(self.loss_formula(*theta), dtype=np.float64)

    def gradient(self, theta: Array) -> Array:
        parts = self.gradient_formula(*theta)
        parts = (parts,) if self.dimension == 1 else parts
        return np.stack([np.broadcast_to(part, theta.shape[1:]) for part in parts])

    def hessian(self, theta: Array) -> Array:
        rows = self.hessian_formula(*theta)
        rows = ((rows,),) if self.dimension == 1 else rows
        return np.stack([[np.broadcast_to(part, theta.shape[1:]) for part in row] for row in rows])

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The stationary points near the given ones, found by Newton's method; kinds from the Hessian's signs."""
        return tuple(sorted((self._stationary_point(p) for p in self.near), key=lambda p: p.loss))

    def _stationary_point(self, near: Sequence[float]) -> StationaryPoint:
        point = np.array(near, dtype=np.float64)[:, None]
        for _ in range(50):
            step = np.linalg.solve(self.hessian(point)[..., 0], self.gradient(point)[:, 0])
            point = point - step[:, None]
        curvatures = np.linalg.eigvalsh(self.hessian(point)[..., 0])
        kind: Kind = "minimum" if curvatures[0] > 0 else "maximum" if curvatures[-1] < 0 else "saddle"
        return StationaryPoint(
            tuple(point[:, 0].tolist()), kind, float(self.loss(point)[0]), float(np.abs(curvatures).min())
        )

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        # A point with a gradient within the tolerance lies within tolerance/curvature of a stationary point to
        # first order; a thousandth of the domain allows for the higher orders.
        nearest = np.full(theta.shape[1], -1)
        best = np.full(theta.shape[1], np.inf)
        width = float(np.ptp(self.domain, axis=1).max())
        for index, point in enumerate(self.stationary_points):
            distance = np.abs(theta - np.array(point.point)[:, None]).max(axis=0)
            reach = max(1e-3 * width, 4 * gradient_tolerance / point.flattest)
            closer = (distance <= reach) & (distance < best)
            nearest[closer] = index
            best[closer] = distance[closer]
        return nearest
