"""What the functions of whole vectors are in NumPy, for the rule of trajectories that advance together."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from gdfast.formulas import linear, truncated, vectors
from gdfast.formulas.elementary import Array
from gdfast.formulas.formula import Formula
from gdfast.formulas.noise import random_sign, uniform
from gdfast.optimizers._optimizer import Optimizer


class Ground(Protocol):
    """What a rule may ask for besides the gradient at its point: a problem's steps."""

    def step_gradient(self, theta: Array, t: int) -> Array:
        """Return gradients at points ``[d, n]`` in the update after `t` others."""

    def step_objective(self, theta: Array, t: int) -> Array:
        """Return what they are the gradients of, ``[n]``."""

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        """Return the Hessians of that times vectors, ``[d, n]``."""

    def step_gauss_newton(self, theta: Array, way: Array, t: int) -> Array:
        """Return the matrices of Gauss and Newton of that times vectors, ``[d, n]``."""

    def step_fisher(self, theta: Array, seeds: Array, t: int) -> Array:
        """Return the estimates of the diagonals of these by drawn targets, ``[d, n]``."""


class Around:
    """The surroundings of a step: gradient, loss, line search and Hessian, for the rule that asks for them.

    Parameters
    ----------
    problem : Ground
        Whose they are. One without a lane kernel has ``hessian_rows`` too, the entries of the Hessian.
    optimizer : Optimizer
        What asks.
    real : str
        The type that is computed in.

    Attributes
    ----------
    tried : ndarray
        How much is counted of what the last step asked for, ``dtype[n]``.
    """

    def __init__(self, problem: Ground, optimizer: Optimizer, real: str) -> None:
        self.problem, self.optimizer, self.real = problem, optimizer, real
        meanings: dict[str, Callable[..., Any]] = {
            "dot": vectors.dot,
            "norm": vectors.norm,
            "gradient_at": self.gradient_at,
            "loss_at": self.loss_at,
            "line_search": self.line_search,
            "hessian_product": self.hessian_product,
            "hessian_diagonal": self.hessian_diagonal,
            "fisher_diagonal": self.fisher_diagonal,
            "hessian_cg": functools.partial(self.truncated, self.hessian_product),
            "gauss_newton_cg": functools.partial(self.truncated, self.gauss_newton_product),
            "gauss_newton_product": self.gauss_newton_product,
            **{name: functools.partial(self.with_hessian, solve) for name, solve in linear.SOLVERS.items()},
        }
        results = 1 + len(optimizer.state) + len(optimizer.scalars)
        self.rule = Formula.of(optimizer.rule, results, of_vectors=True).where(meanings, real)
        self.has_entries = getattr(problem, "lane_kernel", None) is None
        self.tried: Array = np.zeros(0)

    def step(
        self,
        theta: Array,
        grad: Array,
        slots: list[Array],
        numbers: Mapping[str, Any],
        transform: Callable[[Array, Array], Array],
        t: int,
        number: Any = 0,
    ) -> list[Array]:
        """Return the new point, the new state slots, ``dtype[d, n]``, and the new scalars, ``dtype[n]``.

        Parameters
        ----------
        theta, grad : ndarray
            Point and transformed gradient, ``dtype[d, n]``.
        slots : list of ndarray
            State slots and scalars.
        numbers : mapping
            ``lr``, ``loss`` and coefficients, by name.
        transform : callable
            From point and gradient to the transformed gradient.
        t : int
            The updates done before.
        number : ndarray
            Which trajectories they are, ``int64[n]``.
        """
        self.theta, self.grad, self.numbers, self.transform, self.t = theta, grad, numbers, transform, t
        self.number = number
        self.tried = np.zeros_like(theta[0])
        coefficients = [numbers[name] for name in self.optimizer.arguments_after_slots]
        values = self.rule(theta, grad, *slots, *coefficients)
        values = values if isinstance(values, tuple) else (values,)
        shapes = [theta.shape] * (1 + len(self.optimizer.state)) + [theta.shape[1:]] * len(self.optimizer.scalars)
        return [
            np.broadcast_to(np.asarray(value, theta.dtype), shape) for value, shape in zip(values, shapes, strict=True)
        ]

    def gradient_at(self, point: Any) -> Array:
        """The transformed gradient at points, ``dtype[d, n]``."""
        there = np.broadcast_to(point, self.theta.shape)
        return self.transform(there, self.problem.step_gradient(there, self.t))

    def loss_at(self, point: Any) -> Array:
        """The objective at points, ``dtype[n]``."""
        return self.problem.step_objective(np.broadcast_to(point, self.theta.shape), self.t)

    def line_search(self, direction: Any, first: Any) -> Array:
        """How many times a direction each goes, ``dtype[n]``."""
        search = self.optimizer.search
        assert search
        rule = Formula.of(search.rule, search.results).reading(self.real)
        zero = np.zeros_like(self.theta[0])
        step, way = zero + first, np.broadcast_to(direction, self.theta.shape)
        memory = [zero + zero.dtype.type(value) for value in search.initial.values()]
        descent, done = vectors.dot(self.grad, way), np.zeros(zero.shape, dtype=bool)
        coefficients = [self.numbers[name] for name in search.coefficients]
        for _ in range(search.most):
            there = self.theta + step * way
            seen = {"loss": self.numbers.get("loss"), "descent": descent}
            if "value" in search.seen:
                seen["value"] = self.loss_at(there)
            if "slope" in search.seen:
                seen["slope"] = vectors.dot(self.gradient_at(there), way)
            new = rule(step, *memory, *(seen[name] for name in search.seen), *coefficients)
            self.tried = np.where(done, self.tried, self.tried + 1)
            step, *memory = (np.where(done, old, one) for old, one in zip((step, *memory), new[:-1], strict=True))
            done = done | (new[-1] != 0)
            if done.all():
                break
        return np.asarray(step)

    def _hessian(self) -> linear.Matrix:
        rows: linear.Matrix = self.problem.hessian_rows(self.theta)  # type: ignore[attr-defined]
        return rows

    def with_hessian(self, solve: linear.Solver, vector: Any, number: Any) -> Array:
        """What a solver makes of the Hessian, a vector and a number, ``dtype[d, n]``."""
        right = [*np.broadcast_to(vector, self.theta.shape)]
        return np.stack(solve(self._hessian(), right, number, _ARITHMETIC))

    def hessian_product(self, vector: Any) -> Array:
        """The Hessian times vectors, ``dtype[d, n]``."""
        way = np.broadcast_to(vector, self.theta.shape)
        if not self.has_entries:
            return self.problem.step_product(self.theta, way, self.t)
        return np.stack([linear.product(row, [*way]) for row in self._hessian()])

    def gauss_newton_product(self, vector: Any) -> Array:
        """The matrix of Gauss and Newton times vectors, ``dtype[d, n]``."""
        return self.problem.step_gauss_newton(self.theta, np.broadcast_to(vector, self.theta.shape), self.t)

    def truncated(
        self, product: Callable[[Any], Array], gradient: Any, damping: Any, radius: Any, rounds: Any, tolerance: Any
    ) -> Array:
        """What conjugate gradients find, cut short, ``dtype[d, n]``."""
        length_along = Formula.of(truncated.length_along, 2).reading(self.real)
        residual = np.broadcast_to(gradient, self.theta.shape)
        found, way, left = np.zeros_like(self.theta), -residual, vectors.dot(residual, residual)
        limit, one = tolerance * tolerance * left, np.ones_like(left)
        live = (left > limit) & (rounds > 0)
        for k in range(truncated.MOST):
            if not live.any():
                break
            image = product(way) + damping * way
            sums = (vectors.dot(a, b) for a, b in ((way, image), (found, found), (found, way), (way, way)))
            length, ends = length_along(left, *sums, radius, one if k == 0 else 0 * one)
            found = np.where(live, found + length * way, found)
            residual = residual + length * image
            self.tried = self.tried + live
            before, left = left, vectors.dot(residual, residual)
            live = live & (ends == 0) & (left > limit) & (k + 1 < rounds)
            way = left / before * way - residual
        return found

    def hessian_diagonal(self, due: Any, low: Any, middle: Any, high: Any) -> Array:
        """The diagonal of the Hessian, or Hutchinson's estimate, where it is due, ``dtype[d, n]``."""
        wanted = np.broadcast_to(np.not_equal(due, 0), self.theta.shape[1:])
        self.tried = self.tried + wanted
        if not wanted.any():
            return np.zeros_like(self.theta)
        if self.has_entries:
            diagonal = np.stack([row[i] for i, row in enumerate(self._hessian())])
        else:
            with np.errstate(over="ignore"):  # integers wrap around
                signs = [random_sign(low, middle, high, self.number, i) for i in range(len(self.theta))]
            way = np.broadcast_to(np.array(signs, self.theta.dtype), self.theta.shape)
            diagonal = way * self.hessian_product(way)
        return np.where(wanted, diagonal, np.zeros_like(self.theta))

    def fisher_diagonal(self, due: Any, low: Any, middle: Any, high: Any) -> Array:
        """The estimate of the diagonal by targets that are drawn, where it is due, ``dtype[d, n]``."""
        wanted = np.broadcast_to(np.not_equal(due, 0), self.theta.shape[1:])
        self.tried = self.tried + wanted
        if not wanted.any():
            return np.zeros_like(self.theta)
        with np.errstate(over="ignore"):  # integers wrap around
            seeds = np.asarray(uniform(low, middle, high, self.number, 0), self.theta.dtype)
            diagonal = self.problem.step_fisher(self.theta, np.broadcast_to(seeds, wanted.shape), self.t)
        return np.where(wanted, diagonal, np.zeros_like(self.theta))


def _repeat(times: int, numbers: linear.Row, body: Callable[[linear.Row], linear.Row]) -> linear.Row:
    for _ in range(times):
        numbers = body(numbers)
    return numbers


_ARITHMETIC = linear.Arithmetic(np.where, np.abs, np.sqrt, _repeat)
