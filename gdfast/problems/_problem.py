"""What a problem is: a loss with its gradient, its dimension, its start domain, its stationary points.

Arrays of points have the coordinates first and the lanes last: ``theta`` is ``float64[d, n]``, a loss is
``float64[n]``, a gradient ``float64[d, n]``.
"""

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, memory
from gdfast.formulas.elementary import Array
from gdfast.named import Named
from gdfast.problems._stationary import StationaryPoint, find, nearest, search

_AT_POINTS = (
    "loss",
    "gradient",
    "hessian",
    "objective",
    "judge",
    "locate",
    "step_gradient",
    "step_objective",
    "predict",
    "accuracy",
    "layer_gradient_norms",
)
"""Methods whose first argument are points; every class of problems has them checked."""

_BYTES_OF_A_NUMBER = 24  # of a coordinate of a start while it is made, with temporaries


@dataclass(frozen=True)
class LaneKernel:
    """The gradient of a problem with data, as loops over lanes for the compiler.

    Attributes
    ----------
    gradient : callable, optional
        ``gradient(theta, grad, work, n, data, layout, t)`` fills ``grad[:, :n]``; ``theta`` and ``grad`` are
        ``float64[d, W]``, ``work`` is ``float64[work_rows, W]`` to scribble on, ``t`` the updates done before. Not
        needed where there is `both`.
    objective : callable
        ``objective(theta, out, work, n, data, layout, t)`` fills ``out[:n]`` with what the gradient is the gradient of.
    work_rows : int
        How many numbers a lane needs for intermediate results.
    lanes : int, optional
        How many lanes it takes best at a time, a divisor of 64; any number, if None.
    both : callable, optional
        ``both(theta, grad, out, work, n, data, layout, t)`` does both, if that takes less time, and the gradient alone
        where `out` is empty; with the same bits.
    """

    gradient: Callable[..., None] | None
    objective: Callable[..., None]
    work_rows: int
    lanes: int | None = None
    both: Callable[..., None] | None = None


class Problem(Named, ABC):
    """A loss to be minimized.

    Methods take points ``theta`` as ``float64[d, n]``, a column a point; one point may be ``float64[d]``, which is the
    same as ``float64[d, 1]``. Anything else is refused by a `TypeError` or `ValueError` that tells the shape.

    Attributes
    ----------
    dimension : int
        d, the number of parameters.
    domain : ndarray
        ``float64[d, 2]``: where starts are drawn and maps are shown, lowest and highest value of a coordinate.
    near : array_like, (k, d), optional
        Points from which Newton's method finds the stationary points; if None they are searched for.
    gradient_scale : float
        The size of an ordinary gradient; settling tolerances are multiplied by it. 1 except for problems with
        data, where it makes outcomes independent of the data's units.
    groups : tuple of str
        Names of the groups of coordinates that have a learning rate of their own, such as layers. One for all
        unless a problem says otherwise.
    loss_per_objective : float
        What `objective` is multiplied by to give `loss`.
    layout_of_all : ndarray
        ``int64[:]``, the layout with which the lane kernel takes all rows at once, to judge end points by.
    lane_kernel : LaneKernel, optional
        Gradient and objective for the compiler, where they are more than formulas of few coordinates.
    rows_each_step : int
        How many rows of data a step reads; 0 without data.
    bytes_each_step : int
        How many bytes `lane_data` takes for each step while it is made.
    batch_size : int, optional
        Rows of a mini-batch, which is another one each step; None where each step reads all rows, or there are none.
    """

    domain: Array
    near: Any = None
    gradient_scale: float = 1.0
    groups: tuple[str, ...] = ("all",)
    loss_per_objective: float = 1.0
    layout_of_all: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    lane_kernel: LaneKernel | None = None
    rows_each_step: int = 0
    bytes_each_step: int = 0
    batch_size: int | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _check_points(cls)

    def __new__(cls, *_: Any, **__: Any) -> "Problem":
        """Refuse to make what is only half written."""
        missing = sorted(getattr(cls, "__abstractmethods__", ()))
        if missing:
            raise TypeError(f"{cls.__name__} must define {', '.join(missing)} to be a problem")
        return super().__new__(cls)

    @property
    def dimension(self) -> int:
        """d, the number of parameters."""
        return len(self.domain)

    @functools.cached_property
    def group(self) -> NDArray[np.int64]:
        """The index in `groups` of each coordinate, ``int64[d]``."""
        return np.zeros(self.dimension, dtype=np.int64)

    @property
    def step_work(self) -> int:
        """About how many times as long as a formula's its step takes, of one trajectory."""
        return max(1, self.rows_each_step * self.dimension // 16)

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

    def judge(self, theta: Array) -> tuple[Array, Array]:
        """Return loss and ``max|gradient|`` of end points, ``float64[n]`` each, summed in the order of the lanes."""
        return self.loss(theta), np.abs(self.gradient(theta)).max(axis=0)

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient that the update after `t` others takes: `gradient`, unless it depends on the step."""
        return self.gradient(theta)

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return what `step_gradient` is the gradient of, ``float64[n]``."""
        return self.objective(theta)

    @functools.cached_property
    def provides(self) -> frozenset[str]:
        """What not every problem has, of what optimizers may need: ``lowest``, a known minimum."""
        return frozenset({"lowest"} if self.minima else ())

    @functools.cached_property
    def lowest_objective(self) -> float:
        """The objective at the lowest known minimum.

        Raises
        ------
        ValueError
            If no minimum is known.
        """
        if not self.minima:
            raise ValueError(f"problem {self.label} has no known minimum, which the optimizer needs the loss of")
        return float(self.objective(np.array(self.minima[0].point)[:, None])[0])

    @abstractmethod
    def hessian(self, theta: Array) -> Array:
        """Return the Hessians ``float64[d, d, n]`` at the points ``theta`` (``float64[d, n]``)."""

    @classmethod
    def from_expression(cls, expression: str, domain: Any = None) -> "Problem":
        """Make a landscape of an expression; see `gdfast.problems.from_expression`."""
        from gdfast.problems.expression import from_expression

        return from_expression(expression, domain)

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
        return nearest(self.stationary_points, theta, float(np.ptp(self.domain, axis=1).max()), gradient_tolerance)

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
            If the grid would hold more than 2³¹ − 1 starts, or more than fit into memory.
        """
        n = arguments.integer("grid: n", n)
        count = arguments.integer(f"grid: n**{self.dimension}, the number of starts,", n**self.dimension)
        memory.fits(f"grid: {count:,} starts", _BYTES_OF_A_NUMBER * count * self.dimension)
        axes = [np.linspace(low, high, n) for low, high in self.domain]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dimension)

    def default_starts(self, n: int) -> Any:
        """Return about `n` starts for when none are given: a regular grid, random ones beyond 8 coordinates."""
        n = arguments.integer("n", n)
        return self.grid(max(2, round(n ** (1 / self.dimension)))) if self.dimension <= 8 else self.random(n)

    def random(self, n: int, seed: int = 0) -> Array:
        """Return `n` starts drawn uniformly over the domain from `seed`, ``float64[n, d]``.

        Raises
        ------
        TypeError, ValueError
            If a number is not whole or out of range, or the starts would not fit into memory.
        """
        n = arguments.integer("random: n", n)
        memory.fits(f"random: {n:,} starts", _BYTES_OF_A_NUMBER * n * self.dimension)
        rng = np.random.default_rng(arguments.integer("random: seed", seed, low=0, high=2**63 - 1))
        return rng.uniform(self.domain[:, 0], self.domain[:, 1], (n, self.dimension))


def _at_points(method: Callable[..., Any]) -> Callable[..., Any]:
    """The same method, with its arguments checked: points, and the numbers that go with them."""
    others = [name for name in list(inspect.signature(method).parameters)[2:] if name in _BESIDE_POINTS]

    @functools.wraps(method)
    def checked(self: Problem, theta: Any, *more: Any, **named: Any) -> Any:
        # Every step of the reference passes here: what is right already costs a fraction of a microsecond.
        right = type(theta) is np.ndarray and theta.ndim == 2 and theta.dtype.kind == "f"
        if not right or theta.shape[0] != self.dimension:
            theta = _points(theta, self.dimension)
        if others:
            named.update(zip(others, more, strict=False))
            named.update({name: _BESIDE_POINTS[name](value, theta) for name, value in named.items() if name in others})
            more = more[len(others) :]
        return method(self, theta, *more, **named)

    return checked


def _check_points(cls: type) -> None:
    """Have the points checked that the methods of this class itself take."""
    for name in set(_AT_POINTS) & set(vars(cls)):
        setattr(cls, name, _at_points(vars(cls)[name]))


def _points(values: Any, dimension: int) -> Array:
    """Points as ``float64[d, n]``."""
    theta = arguments.array("theta", values, f"({dimension}, n)")
    if theta.shape == (dimension,) or (dimension == 1 and theta.ndim == 0):
        return theta.reshape(dimension, 1)
    if theta.ndim != 2 or len(theta) != dimension:
        raise ValueError(
            f"theta must have shape ({dimension}, n), a column a point, or ({dimension},) for one point, "
            f"not {theta.shape}"
        )
    return theta


def _losses(values: Any, theta: Array) -> Array:
    loss = arguments.array("loss", values, f"({theta.shape[1]},)")
    if loss.shape != theta.shape[1:]:
        raise ValueError(f"loss must have shape ({theta.shape[1]},), one for each point, not {loss.shape}")
    return loss


_BESIDE_POINTS: dict[str, Callable[[Any, Array], Any]] = {
    "t": lambda value, theta: value if type(value) is int and value >= 0 else arguments.integer("t", value, low=0),
    "loss": _losses,
    "gradient_tolerance": lambda value, theta: arguments.number("gradient_tolerance", value, arguments.NONNEGATIVE),
}
"""How arguments beside the points are checked, by their name."""

_check_points(Problem)
