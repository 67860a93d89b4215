"""Where a rule rests at a minimum, and what becomes of a small disturbance there.

Near a minimum with Hessian H a step is the rule on the gradient H u of the displacement u. The rule itself is run, on
arrays. At rest the gradient is zero, and the state is what the rule makes of it in the long run: slots that decay have
decayed, and slots that do not (the largest second moment of AMSGrad, AdaGrad's sum) keep what gradients of the ordinary
size have left in them. Coefficients that depend on the step are those of step `LONG`.

A disturbance is so small, `TINY`, that every ε of a rule is large beside it. A slot that answers to it by its square,
as second moments do, is measured by its root: in such units steps are linear, though a root of nothing has no
derivative. What is linear is a matrix. Rules with kinks at rest (cautious ones, a step by the last two points) are not;
of them it is seen how fast disturbances grow.

What transforms do there, and which are not told, is in `gdfast.theory.near`.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gdfast.formulas.arrays import computed, reduced
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.optimizers._around import Around
from gdfast.theory.near import LONG, TINY, Near, transformed_by

_TINIER = 1e-10  # by how much the second disturbance is smaller, from which degrees are told
_JUMP = 1e20  # times its size that a disturbance becomes where a step does not vanish with the gradient
_ROUNDS = 60  # of looking for the state at rest
_SAME = 1e-9
_DISTURBANCES, _TRANSIENT, _WATCHED = 4, 200, 400  # of a rule with kinks: how many, and the steps
_SEED = 0
_ANYWHERE = 0.7310585786300049  # a point that no coefficient is

State = list[Array]


class _Bowl(NamedTuple):
    """What a rule's columns ask of a problem, seen from its minimum."""

    dimension: int
    lowest_objective: float = 0.0


@dataclass(frozen=True, eq=False)
class Motion:
    """Steps of an optimizer near a minimum.

    Parameters
    ----------
    optimizer : Optimizer
        Without noise.
    hessian : ndarray
        At the minimum, ``float64[d, d]``.
    rates : ndarray
        Learning rates with the multiplier of a schedule, ``float64[d, k]``.
    row, earlier, early : ndarray
        The rule's coefficients in the long run, at a quarter of its steps, which are others where there is no limit,
        and at the second step, where a memory is made, ``float64[c]`` each.
    height : float
        The loss of the minimum above the lowest, for rules that ask for it.
    origin : ndarray
        What is added to displacements where norms are taken of the parameters, ``float64[d, 1]``.
    still : tuple of ndarray
        Of each transform, in which coordinates it is left out of steps of displacements, ``bool[d, 1]``.
    """

    optimizer: Optimizer
    hessian: Array
    rates: Array
    row: Array
    earlier: Array
    early: Array
    height: float
    origin: Array
    still: tuple[Any, ...]

    def at(self, places: Any) -> "Motion":
        """The same at some of the learning rates."""
        return replace(self, rates=self.rates[:, places])

    def of_points(self) -> "Motion":
        """The same with all that transforms do, for steps from points instead of displacements."""
        return replace(self, still=(False,) * len(self.still))

    def gradient(self, theta: Array) -> Array:
        """The gradient at displacements, ``[d, n]``."""
        grad: Array = np.einsum("ij,jn->in", self.hessian, theta)
        return grad

    def step(self, theta: Array, grad: Array, state: State, away: Array | None = None) -> tuple[Array, State]:
        """Apply transforms and rule once: arrays ``[d, n]``, n being k or a multiple, learning rates fastest.

        A scalar is a slot like others here; its first row is what counts.

        `away` is the displacement from the minimum, where that is not `theta`.
        """
        rate = np.tile(self.rates, theta.shape[1] // self.rates.shape[1])
        loss = self.height + 0.5 * ((theta if away is None else away) * grad).sum(axis=0)
        grad = self.transformed(len(self.optimizer.transforms), theta, grad, rate)
        own, before = len(self.optimizer.state), theta
        slots = *state[:own], *(scalar[0] for scalar in state[own:])
        if self.optimizer.steps:
            theta, state = self._step_of_vectors(theta, grad, [*slots], rate, loss)
        else:
            whole = reduced(self.optimizer, (theta + self.origin, grad, *slots, rate), self.row)
            whole += [loss] if self.optimizer.uses_loss else []
            theta, *state = computed(self.optimizer.rule, 1 + len(slots), theta, grad, *slots, rate, *whole, *self.row)
        for transform, still in zip(self.optimizer.transforms, self.still, strict=True):
            if transform.after:
                theta = np.where(still, theta, transformed_by(transform, (theta, grad, before), rate))
        return theta, state

    def transformed(self, count: int, theta: Array, grad: Array, rate: Array) -> Array:
        """What the first transforms make of gradients, of which curvature tells what they are elsewhere."""
        at = grad
        for k, transform in enumerate(self.optimizer.transforms[:count]):
            if not transform.after:
                new = transformed_by(transform, (theta, grad), rate)
                new = self.transformed(k, new, at + self.gradient(new - theta), rate) if transform.elsewhere else new
                grad = np.where(self.still[k], grad, new)
        return grad

    def _step_of_vectors(
        self, theta: Array, grad: Array, slots: State, rate: Array, loss: Array
    ) -> tuple[Array, State]:
        """Apply a rule of whole vectors once."""
        if self.optimizer.search:
            raise NoRestError  # a search tells no lengths where losses differ by nothing
        numbers = {"lr": rate[0], "loss": loss, **dict(zip(self.optimizer.coefficients, self.row, strict=True))}
        around = Around(_Paraboloid(self), self.optimizer, "float64")
        every = functools.partial(self.transformed, len(self.optimizer.transforms), rate=rate)
        theta, *slots = around.step(theta, grad, slots, numbers, every, 0)
        return theta, [np.broadcast_to(slot, theta.shape) for slot in slots]


class _Paraboloid(NamedTuple):
    """The loss about a minimum, as rules see it that ask for it elsewhere."""

    motion: Motion

    def step_gradient(self, theta: Array, t: int) -> Array:
        return self.motion.gradient(theta)

    def step_objective(self, theta: Array, t: int) -> Array:
        return np.asarray(self.motion.height + 0.5 * (theta * self.motion.gradient(theta)).sum(axis=0))

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        return self.motion.gradient(way)

    def step_gauss_newton(self, theta: Array, way: Array, t: int) -> Array:
        return self.motion.gradient(way)  # where the residuals are 0

    def step_fisher(self, theta: Array, seeds: Array, t: int) -> Array:
        return np.broadcast_to(np.diag(self.motion.hessian)[:, None], theta.shape)  # what it is in the mean

    def hessian_rows(self, theta: Array) -> list[list[Array]]:
        return [[np.full(theta.shape[1:], entry) for entry in row] for row in self.motion.hessian.tolist()]


def motion_of(
    near: Near,
    rates: Array,
    hessian: Array,
    multipliers: Array,
    height: float = 0.0,
    point: Array | None = None,
    long: int = LONG,
) -> Motion:
    """The motion at learning rates ``float64[d, k]``; the last of a schedule's multipliers, of a budget, stays.

    Coefficients in the long run are those of step `long`.

    `point` is where the minimum is, on which norms of the parameters depend. A rule that keeps points among its slots
    takes norms of differences of them, which do not.
    """
    optimizer = near.optimizer
    several = np.full(long + 1, multipliers[-1])
    several[: min(len(multipliers), long + 1)] = multipliers[: long + 1]
    with np.errstate(all="ignore"):
        columns = optimizer.columns(long, several, _Bowl(len(hessian)))  # type: ignore[arg-type]
        if "due" in optimizer.coefficients:  # what is seen at some steps only is the same at all of them
            columns[:, optimizer.coefficients.index("due")] = 1.0
        row, earlier, early = (columns[step].copy() for step in (-1, long // 4, 1))
        nowhere = np.zeros((len(hessian), 1))
        motion = Motion(optimizer, hessian, rates, row, earlier, early, height, nowhere, near.still)
        absolute = point is not None and bool(optimizer.norms) and not positional(motion)
    return replace(motion, origin=point[:, None]) if absolute and point is not None else motion


def positional(motion: Motion) -> set[int]:
    """The slots that are where the point is: one before it, an average of points."""
    rule = motion.optimizer
    first = rule.columns(0, np.ones(1), _Bowl(len(motion.rates)))[0]  # type: ignore[arg-type]
    begin = replace(motion, optimizer=rule.copied(transforms=()), still=(), row=first)
    theta = np.full_like(motion.rates, _ANYWHERE)
    state = _initial(rule, theta)
    state = begin.step(theta, np.zeros_like(theta), state)[1]
    return {i for i, slot in enumerate(state) if (np.abs(slot - theta) <= _SAME).all()}


def _initial(rule: Optimizer, theta: Array) -> State:
    return [np.full_like(theta, value) for value in (*rule.initial_state, *rule.initial_scalars)]


class Rest(NamedTuple):
    """A state at rest.

    Attributes
    ----------
    state : list of ndarray
        The value of each slot, ``float64[d, k]``.
    degrees : list of int
        By which power of a disturbance each slot answers to it; 0 for what stays as it is.
    """

    state: State
    degrees: list[int]

    def holding(self, values: dict[int, Array]) -> "Rest":
        """The same with some slots held at values."""
        return Rest(
            [values.get(i, slot) for i, slot in enumerate(self.state)],
            [0 if i in values else degree for i, degree in enumerate(self.degrees)],
        )


def fed(motion: Motion, size: float | Array) -> State:
    """The state after two gradients of a size and of opposite signs, at the minimum."""
    theta, begin = np.zeros_like(motion.rates), replace(motion, row=motion.early)
    state = _initial(motion.optimizer, theta)
    for grad in (theta + size, theta - size):
        state = begin.step(theta, grad, state)[1]
    return state


def state_at_rest(motion: Motion, size: float | Array, theta: Array | float = 0.0, grad: Array | float = 0.0) -> State:
    """What a constant gradient, none by default, makes of the state in the long run.

    Slots that change by a constant factor are followed to their limit at once, by the last three values.

    Raises
    ------
    NoRestError
        If the state does not come to rest.
    """
    there, pull = np.zeros_like(motion.rates) + theta, np.zeros_like(motion.rates) + grad
    state = fed(motion, size)
    for _ in range(_ROUNDS):
        after = motion.step(there, pull, state)[1]
        if all((np.abs(b - a) <= _SAME * np.abs(a)).all() for a, b in zip(state, after, strict=True)):
            return state
        later = motion.step(there, pull, after)[1]
        state = [_limit(*values) for values in zip(state, after, later, strict=True)]
    raise NoRestError


class NoRestError(ValueError):
    """A rule's state does not come to rest."""


def _limit(first: Array, second: Array, third: Array) -> Array:
    """Where three values of a geometric approach lead; the third where they are none."""
    ratio = (third - second) / (second - first)
    limit = first + (second - first) / (1.0 - ratio)
    limit = np.where(np.abs(limit) <= _SAME * np.abs(first), 0.0, limit)  # what is left is rounding
    return np.where((np.abs(ratio) < 1.0) & np.isfinite(limit), limit, third)


def rest(motion: Motion, size: float | Array) -> Rest:
    """The state at rest at a minimum, and how each slot answers to a disturbance.

    A slot that stays as it is and answers in proportion, as a sum of gradients does, is taken where it is nothing.

    Raises
    ------
    NoRestError
        If there is none, or what rate there is the trajectory has made: a scalar stays what it is, as a distance does,
        or without a slot that stays there would be no step, as without COCOB's largest gradient.
    """
    state = state_at_rest(motion, size)
    theta, degrees = np.zeros_like(motion.rates), []
    disturbed = np.random.default_rng(_SEED).uniform(0.5, 1.0, motion.rates.shape) * TINY
    for i, slot in enumerate(state):
        emptied = [np.zeros_like(slot) if i == j else other for j, other in enumerate(state)]
        stays = not motion.step(theta, theta, emptied)[1][i].any()
        if stays and slot.any() and i >= len(motion.optimizer.state):
            raise NoRestError
        large, small = (
            float(np.abs(motion.step(u, motion.gradient(u), emptied)[1][i]).max())
            for u in (disturbed, disturbed * _TINIER)
        )
        degree = 2 if small < _TINIER**1.5 * large else 1
        if slot.any() and not (stays and degree == 1):
            degrees.append(0)
        elif stays and slot.any() and np.isnan(motion.step(theta, theta, emptied)[0]).any():
            raise NoRestError
        else:
            degrees.append(degree)
            state = emptied
    return Rest(state, degrees)


def spectral_radii(motion: Motion, resting: Rest) -> Array:
    """By what factor a small disturbance grows with each step, ``float64[k]``; infinite where steps do not vanish.

    The spectral radius of the matrix of a step, where that is linear.
    """
    system = _System(motion, resting)
    columns = system.columns()
    largest = np.abs(columns).max(axis=(0, 1, 2, 3))
    radii = np.full(motion.rates.shape[1], np.inf)
    quiet = np.flatnonzero(largest <= _JUMP)
    if not quiet.size:
        return radii
    names = _acting(columns[..., quiet])
    size = len(names) * len(motion.hessian)
    matrix = np.moveaxis(columns[names][:, :, names][..., quiet].reshape(size, size, -1), -1, 0)
    radii[quiet] = np.abs(np.linalg.eigvals(matrix)).max(axis=1)
    bent = quiet[~system.is_linear(columns, names)[quiet]]
    if bent.size:
        held = Rest([slot[:, bent] for slot in resting.state], resting.degrees)
        radii[bent] = _System(motion.at(bent), held).growth(names)
    return radii


class _System:
    """Disturbances of a rest in units in which steps are linear: ``[v, d, n]``, displacement first, then slots."""

    def __init__(self, motion: Motion, resting: Rest) -> None:
        self.motion, self.resting = motion, resting
        self.slots = [i for i, degree in enumerate(resting.degrees) if degree]
        self.d, self.k = motion.rates.shape

    def stepped(self, z: Array) -> Array:
        """The disturbance after a step."""
        theta, copies = TINY * z[0], z.shape[2] // self.k
        state = [np.tile(slot, copies) for slot in self.resting.state]
        for part, i in zip(z[1:], self.slots, strict=True):
            state[i] = TINY * part if self.resting.degrees[i] == 1 else TINY * part * (TINY * np.abs(part))
        theta, state = self.motion.step(theta, self.motion.gradient(theta), state)
        return np.stack([theta, *(self._root(state[i], self.resting.degrees[i]) for i in self.slots)]) / TINY

    @staticmethod
    def _root(slot: Array, degree: int) -> Array:
        return slot if degree == 1 else np.sign(slot) * np.sqrt(np.abs(slot))

    def columns(self) -> Array:
        """What becomes of a disturbance in each coordinate alone, ``[v, d, v, d, k]``, results first."""
        v = 1 + len(self.slots)
        units = np.eye(v * self.d).reshape(v, self.d, -1)
        after = self.stepped(np.repeat(units, self.k, axis=2))
        return np.nan_to_num(after.reshape(v, self.d, v, self.d, self.k), nan=np.inf)

    def is_linear(self, columns: Array, names: Sequence[int]) -> Any:
        """At which learning rates what becomes of two disturbances is the sum of what the columns tell."""
        draws = np.random.default_rng(_SEED).uniform(-1.0, 1.0, (4, *columns.shape[:2], 1)) + np.zeros(self.k)
        roots = [1 + j for j, i in enumerate(self.slots) if self.resting.degrees[i] == 2]
        draws[:, roots] = np.abs(draws[:, roots])
        linear = np.ones(self.k, dtype=bool)
        for z in draws:
            got, expected = self.stepped(z)[names], np.einsum("vdwek,wek->vdk", columns, z)[names]
            linear &= (np.abs(got - expected) <= 1e-6 * (1.0 + np.abs(expected))).all(axis=(0, 1))
        return linear

    def growth(self, names: Sequence[int]) -> Array:
        """By what factor disturbances grow with each step, the largest of a few, in the long run.

        Some are of one coordinate alone, as they become when others are lost in rounding.
        """
        z = np.random.default_rng(_SEED).normal(size=(1 + len(self.slots), self.d, _DISTURBANCES))
        alone = np.eye(self.d)[None, :, : self.d if self.d > 1 else 0] + 0.0 * z[:, :, :1]
        z = np.concatenate([z, alone], axis=2)
        z = np.repeat(z, self.k, axis=2)  # the same at each rate, whichever others there are
        z[1:] = 0.0
        total = np.zeros(z.shape[2])
        for t in range(_TRANSIENT + _WATCHED):
            z = self.stepped(z)
            size = np.abs(z[list(names)]).max(axis=(0, 1))
            total += np.log(size) if t >= _TRANSIENT else 0.0
            z = z / np.where(size > 0, size, 1.0)
        rates: Array = total.reshape(-1, self.k).max(axis=0) / _WATCHED
        return np.exp(np.where(np.isnan(rates), np.inf, rates))


def _acting(columns: Array) -> list[int]:
    """The displacement, and the slots that depend on it and on which it depends, by way of others or not."""
    depends = np.abs(columns).max(axis=(1, 3, 4)) > 0
    return sorted(_reached(depends) & _reached(depends.T))


def _reached(leads: Any) -> set[int]:
    """What the first leads to, itself included."""
    names = {0}
    while more := {int(b) for a in names for b in np.flatnonzero(leads[a])} - names:
        names |= more
    return names
