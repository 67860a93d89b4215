"""What the steps of a problem's trajectories take: a gradient, what it is the gradient of, and both in lanes."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.problems._loss import Loss

NEVER = 2**62
"""A number of updates that no budget has."""


@dataclass(frozen=True)
class LaneKernel:
    """The gradient of a problem with data, as loops over lanes for the compiler.

    They are written for float64. What they are in float32 `gdfast.formulas.lane_readings` says: numbers with a point
    in them, ``float(…)``, and results of `gdfast.formulas.elementary` are of that type then. A loop over lanes, none of
    which reads what another writes, best ends with a call of `gdfast.formulas.lane_products.independent`.

    Attributes
    ----------
    gradient : callable, optional
        ``gradient(theta, grad, work, n, data, layout, t)`` fills ``grad[:, :n]``; ``theta`` and ``grad`` are
        ``dtype[d, W]``, ``work`` is ``dtype[work_rows, W]`` to scribble on, ``t`` the updates done before. Not needed
        where there is `both`.
    objective : callable
        ``objective(theta, out, work, n, data, layout, t)`` fills ``out[:n]`` with what the gradient is the gradient of.
    work_rows : int
        How many numbers a lane needs for intermediate results.
    one_vector : bool
        Whether it takes best one vector of lanes at a time, 8 of float64 or 16 of float32; else any number.
    both : callable, optional
        ``both(theta, grad, out, work, n, data, layout, t)`` does both, if that takes less time, and the gradient alone
        where `out` is empty; with the same bits.
    single : bool
        Whether the problem runs in float32, too: whether its own `loss` and `gradient` compute in the type of points.
    product : callable, optional
        ``product(theta, way, out, work, n, data, layout, t)`` fills ``out[:, :n]`` with the Hessian of what the
        gradient is the gradient of times ``way``; all three are ``dtype[d, W]``.
    product_rows : int
        How many numbers a lane needs for intermediate results of products, if more than `work_rows`.
    gauss_newton : callable, optional
        As `product`, with the matrix of Gauss and Newton in place of the Hessian.
    fisher : callable, optional
        As `product`, the estimate of this matrix's diagonal by targets that are drawn, whose random numbers are by the
        first row of ``way``; see `Stepping.step_fisher`.
    """

    gradient: Callable[..., None] | None
    objective: Callable[..., None]
    work_rows: int
    one_vector: bool = False
    both: Callable[..., None] | None = None
    single: bool = False
    product: Callable[..., None] | None = None
    product_rows: int = 0
    gauss_newton: Callable[..., None] | None = None
    fisher: Callable[..., None] | None = None


class Stepping(Loss):
    """What the steps on a loss take, and what they cost.

    What users name and read is the loss. A step takes `gradient`, which is that of the objective, and

        loss = loss_per_objective · objective.

    The two are one except where textbooks take the gradient of something else than they report: least squares report
    the mean of squares and step by the gradient of half of it. The gradient of a step may be that of a part of the
    objective, such as the rows of its mini-batch: `step_gradient` is the gradient of `step_objective`, and where there
    are no such parts they are `gradient` and `objective`. Optimizers and lanes know of the objective only; wherever a
    result tells a loss, it is the loss.

    Attributes
    ----------
    loss_per_objective : float
        What `objective` is multiplied by to give `loss`.
    groups : tuple of str
        Names of the groups of coordinates that have a learning rate of their own, such as layers. One for all
        unless a problem says otherwise.
    lane_kernel : LaneKernel, optional
        Gradient and objective for the compiler, where they are more than formulas of few coordinates.
    layout_of_all : ndarray
        ``int64[:]``, the layout with which the lane kernel takes all rows at once, to judge end points by.
    rows_each_step : int
        How many rows of data a step reads; 0 without data.
    bytes_each_step : int
        How many bytes `lane_data` takes for each step while it is made.
    batch_size : int, optional
        Rows of a mini-batch, which is another one each step; None where each step reads all rows, or there are none.
    takes_turns : bool
        Whether steps are taken by the gradients of several losses in turn, while `objective` is one.
    settles_from : int
        The updates done from which on a small gradient means that a trajectory has settled, since no turn is taken any
        more; `NEVER`, if they are.
    """

    loss_per_objective: float = 1.0
    groups: tuple[str, ...] = ("all",)
    lane_kernel: LaneKernel | None = None
    layout_of_all: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    rows_each_step: int = 0
    bytes_each_step: int = 0
    batch_size: int | None = None
    takes_turns: bool = False
    settles_from: int = 0

    def objective(self, theta: Array) -> Array:
        """Return the loss over `loss_per_objective`, ``float64[n]``, which `gradient` is the gradient of."""
        return self.loss(theta)

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient that the update after `t` others takes: `gradient`, unless it depends on the step."""
        return self.gradient(theta)

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return what `step_gradient` is the gradient of, ``float64[n]``."""
        return self.objective(theta)

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        """Return the Hessian of `step_objective` at each point times its column of `way`, ``float64[d, n]``.

        Problems that provide ``hessian_product`` have it, in the order of their lane kernel.

        Raises
        ------
        NotImplementedError
            If the problem does not.
        """
        raise NotImplementedError(f"{self.label} has no products of its Hessian with vectors")

    def step_gauss_newton(self, theta: Array, way: Array, t: int) -> Array:
        """Return the matrix of Gauss and Newton of `step_objective` times `way`, ``float64[d, n]``, likewise.

        It is Jᵀ B J, with J the derivatives of a model's outputs by the parameters and B those of the loss, the second
        ones, by the outputs. Problems that provide ``gauss_newton_product`` have it.

        Raises
        ------
        NotImplementedError
            If the problem does not.
        """
        raise NotImplementedError(f"{self.label} has no outputs whose derivatives make a matrix of Gauss and Newton")

    def step_fisher(self, theta: Array, seeds: Array, t: int) -> Array:
        """Return B ĝ ⊙ ĝ of the B rows of step `t`, with ĝ by targets that are drawn, ``float64[d, n]``.

        The random numbers of a point's rows are by its number of `seeds`, ``float64[n]`` in (0, 1). Problems that
        provide ``fisher_diagonal`` have it; see `gdfast.formulas.vectors.fisher_diagonal`.

        Raises
        ------
        NotImplementedError
            If the problem does not.
        """
        raise NotImplementedError(f"{self.label} has no likelihood that targets are drawn from")

    @functools.cached_property
    def group(self) -> NDArray[np.int64]:
        """The index in `groups` of each coordinate, ``int64[d]``."""
        return np.zeros(self.dimension, dtype=np.int64)

    @functools.cached_property
    def arrays(self) -> NDArray[np.int64]:
        """Of the array of parameters that each coordinate is of, the entries, rows and columns, ``int64[d, 3]``.

        Those of rows and columns are 0 for what is no matrix. Entries stand side by side, row by row.
        """
        return np.tile(np.array([self.dimension, 0, 0], dtype=np.int64), (self.dimension, 1))

    @functools.cached_property
    def has_matrices(self) -> bool:
        """Whether some of the coordinates are matrices, to which an optimizer may have a rule of their own."""
        return bool(self.matrices)

    @functools.cached_property
    def matrices(self) -> list[tuple[int, int]]:
        """Rows and columns of each matrix among the coordinates, in their order."""
        found, first = [], 0
        while first < len(self.arrays):
            size, rows, columns = (int(number) for number in self.arrays[first])
            found += [(rows, columns)] if rows else []
            first += size
        return found

    @property
    def step_work(self) -> int:
        """About how many times as long as a formula's its step takes, of one trajectory."""
        return max(1, self.rows_each_step * self.dimension // 16)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return what the lane kernel reads: ``data float64[:]`` and ``layout int64[:]``, which tells its shape.

        Called once a tile: what is long in the making is to be kept.
        """
        return np.empty(0), np.empty(0, dtype=np.int64)


def real_of(theta: Array) -> Any:
    """The type to compute in at these points: float32 if they have it, else float64."""
    return np.result_type(theta, np.float32)
