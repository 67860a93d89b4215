"""The same tile in plain NumPy.

All trajectories of a tile advance together as arrays; those that settle are taken out, so that the arrays shrink.
The rule and the gradient are the very texts that the kernels are compiled from.
"""

import functools
import itertools

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.arrays import computed, reduced
from gdfast.formulas.elementary import Array
from gdfast.optimizers._around import Around
from gdfast.parts import Span
from gdfast.tiles.by_arrays import updated_by_arrays
from gdfast.tiles.ending import (
    LONGEST_PERIOD,
    RECENT,
    REPEATS_WITHIN,
    STILL_WITHIN,
    TAIL,
    Ending,
    Endings,
    sampled_steps,
    trend_of,
)
from gdfast.tiles.prepared import Plan, Prepared
from gdfast.tiles.record import Record
from gdfast.tiles.sweep import Sweep, Tile
from gdfast.transforms import Transform
from gdfast.transforms._arrays import changed


def run_tile(prepared: Prepared, tile: Tile, stop: Array, first_number: int = 0) -> Endings:
    """Run one tile in NumPy; the arguments are those of the compiled `gdfast.tiles.tile.run_tile`.

    Trajectories are numbered from `first_number` on.
    """
    sweep, plan = prepared.sweep, prepared.plan(tile.optimizer)
    index = np.arange(tile.first, tile.last)
    n, m = len(index), len(sweep.starts)
    sampled = [*itertools.chain(*sampled_steps(sweep.max_steps))]
    end = Endings(
        theta=np.empty((sweep.problem.dimension, n), sweep.dtype),
        steps=np.zeros(n, dtype=np.int32),
        ending=np.full(n, Ending.moving, dtype=np.int8),
        outcome=np.empty(0, dtype=np.int8),
        basin=np.full(n, -1, dtype=np.int16),
        near=np.empty(0, dtype=np.int8),
        untold=np.ones(n, dtype=np.int8),
        period=np.zeros(n, dtype=np.int8),
        trend=np.zeros(n, dtype=np.int8),
        recent=np.zeros(n),
        loss=np.empty(0),
        gradient_norm=np.empty(0),
        memory=np.empty((plan.parts.told.size, n), sweep.dtype),
        record=Record.of(sweep, plan.optimizer, n),
        lane_steps=0,
    )
    theta, rates = prepared.starts[:, index % m], prepared.learning_rates(tile.optimizer)[:, index // m]
    path = Trajectories(sweep, plan, theta, rates, first_number + index)
    samples = np.empty((len(sampled), n))
    active, was_small = np.arange(n), np.zeros(n, dtype=bool)
    tail: list[Array] = []

    with np.errstate(all="ignore"):
        for t in range(sweep.max_steps + 1):
            if not active.size or stop[0]:
                break
            for row in np.flatnonzero(np.equal(sampled, t)):
                samples[row, active] = path.told_objective(t)
            for row in np.flatnonzero(end.record.steps == t):
                if t < sweep.max_steps:
                    path.note(end.record, int(row), active)
                if end.record.state.size:
                    end.record.state[:, :, active, row] = path.state
            raw = path.gradient(t)
            grad = path.transformed(raw, t)
            if sweep.measure and t < sweep.max_steps:
                path.remember(t)
            size = np.abs(raw).max(axis=0)
            checked = t % sweep.check_every == 0
            tolerance = prepared.gradient_tolerance if t >= prepared.settles_from else -1.0
            small = size <= tolerance if checked else was_small
            diverged = ~(size <= prepared.divergence_limit) & checked
            settled = diverged | (small & was_small & checked)
            if settled.any():
                out = active[settled]
                end.theta[:, out] = path.theta[:, settled]
                end.steps[out] = t
                end.ending[out] = np.where(diverged[settled], Ending.diverged, Ending.stationary)
                end.memory[:, out] = path.told[:, settled]
                live = ~settled
                active, grad, small = active[live], grad[:, live], small[live]
                path.keep(live)
                tail = [point[:, live] for point in tail]
            if t >= sweep.max_steps - TAIL:
                tail.append(path.theta)
            if t < sweep.max_steps:
                end.lane_steps += active.size
                path.update(grad, t)
            was_small = small
    if active.size and not stop[0]:
        samples = samples[:, active]
        if sweep.problem.batch_size is not None:  # see `gdfast.tiles.ending.trend_of`
            samples -= np.stack([path.objective(t) for t in sampled])
        end.trend[active] = trend_of(samples, sweep.max_steps, sweep.dtype)
        with np.errstate(all="ignore"):
            end.recent[active] = samples[-RECENT:].mean(axis=0)
        end.theta[:, active] = path.theta
        end.memory[:, active] = path.told
        end.steps[active] = sweep.max_steps
        still, period = _tails(np.stack(tail))
        end.period[active] = period
        end.ending[active[period > 0]] = Ending.cycling
        end.ending[active[still]] = Ending.fixed
    with np.errstate(all="ignore"):
        end.loss, end.gradient_norm = sweep.problem.judge(end.theta)
        for noted, last in zip(end.record[1:4], (end.loss, end.gradient_norm, end.theta.T), strict=True):
            if noted.size:
                over = np.nonzero(end.steps[:, None] <= end.record.steps)
                noted[over] = last[over[0]]
        end.outcome, end.near = prepared.judge.elsewhere(end, index % m)
    return end


class Trajectories:
    """Trajectories that advance together: where they are, and what their optimizer remembers.

    Parameters
    ----------
    sweep : Sweep
        What they are of.
    plan : Plan
        What their optimizer needs.
    theta : ndarray
        Initial points, ``dtype[d, n]``.
    lr : ndarray
        Learning rates, ``dtype[groups, n]``.
    number : ndarray
        Which trajectory of the sweep each is, ``int64[n]``.
    """

    def __init__(self, sweep: Sweep, plan: Plan, theta: Array, lr: Array, number: NDArray[np.int64]) -> None:
        self.problem, self.optimizer, self.measure = sweep.problem, plan.optimizer, sweep.measure
        self.parts, self.table, self.theta, self.number = plan.parts, plan.table, theta, number
        self.lr = lr if len(lr) == 1 else lr[self.problem.group]
        memory = np.repeat(plan.memory[:, None], theta.shape[1], axis=1)
        parts = plan.parts
        slots = iter([theta if np.isnan(value) else np.full_like(theta, value) for value in plan.state])
        self.state, later = (
            [*itertools.islice(slots, len(self.optimizer.state))],
            iter(memory[parts.later_scalars.places]),
        )
        self.later = [  # what each transform remembers
            [*itertools.islice(slots, len(each.state)), *itertools.islice(later, len(each.scalars))]
            for each in self.optimizer.transforms
        ]
        self.behind = [*slots]  # what the rule keeps of matrices
        self.memory, self.scalars = list(memory[parts.plateau_memory.places]), list(memory[parts.scalars.places])
        self.measured = memory[parts.measure_memory.places]
        self.counts = memory[parts.counts.places]
        self.around = Around(sweep.problem, self.optimizer, sweep.dtype) if self.optimizer.steps else None

    def keep(self, live: NDArray[np.bool_]) -> None:
        """Drop the trajectories that are not live."""
        self.theta, self.lr, self.number = self.theta[:, live], self.lr[:, live], self.number[live]
        self.state, self.behind = ([slot[:, live] for slot in slots] for slots in (self.state, self.behind))
        self.later = [[slot[..., live] for slot in slots] for slots in self.later]
        self.memory, self.scalars = [slot[live] for slot in self.memory], [slot[live] for slot in self.scalars]
        self.measured, self.counts = self.measured[:, live], self.counts[:, live]

    @property
    def told(self) -> Array:
        """What results are made of: what was counted, if anything, and the measure's memory."""
        return np.concatenate([self.counts[1:], self.measured])

    def note(self, record: Record, row: int, places: NDArray[np.int64]) -> None:
        """Note where trajectories are, with loss and gradient, at their places in a column of a record."""
        if record.loss.size or record.gradient_norm.size:
            for noted, values in zip((record.loss, record.gradient_norm), self.problem.judge(self.theta), strict=True):
                if noted.size:
                    noted[places, row] = values
        if record.theta.size:
            record.theta[places, row] = self.theta.T

    def rate(self, t: int) -> Array:
        """The learning rates of the update after `t` others."""
        if not self.parts.schedule.size:
            return self.memory[0] * self.lr if self.memory else self.lr
        factor = self.table[t, self.parts.schedule.begin]
        return np.asarray((factor * self.memory[0] if self.memory else factor) * self.lr)

    def objective(self, t: int) -> Array:
        """What the gradient of the update after `t` others is the gradient of, ``dtype[n]``."""
        return self.problem.step_objective(self.theta, t)

    def told_objective(self, t: int) -> Array:
        """The same, or of losses in turn what ends are judged by: their course tells a trend."""
        return self.problem.objective(self.theta) if self.problem.takes_turns else self.objective(t)

    def gradient(self, t: int) -> Array:
        """The gradient at the point after `t` updates, ``float64[d, n]``."""
        return self.problem.step_gradient(self.theta, t)

    def transformed(self, grad: Array, t: int) -> Array:
        """The transformed gradient that the update after `t` others takes, ``float64[d, n]``."""
        return self.transformed_at(self.theta, grad, t)

    def transformed_at(self, theta: Array, grad: Array, t: int) -> Array:
        """The same of the gradient at other points."""
        return self._transformed_by(len(self.optimizer.transforms), theta, grad, t)

    def _transformed_by(self, count: int, theta: Array, grad: Array, t: int) -> Array:
        """The same by the first transforms alone."""
        for k, transform in enumerate(self.optimizer.transforms[:count]):
            if not transform.after:
                (grad,) = self._changed(transform, [theta, grad], [], self.parts.transforms[k], t)
                if transform.elsewhere:
                    grad = self._transformed_by(k, grad, self.problem.step_gradient(grad, t), t)
        return grad

    def _changed(self, transform: Transform, at: list[Array], slots: list[Array], span: Span, t: int) -> list[Array]:
        return changed(transform, at, slots, self.rate(t), self.table[t, span.places], self.number, self.problem.arrays)

    def remember(self, t: int) -> None:
        """Let the measure see the losses before the update after `t` others."""
        assert self.measure
        given = self.objective(t), *self.measured, *self.table[t, self.parts.measure.places]
        self.measured = np.stack(computed(self.measure.rule, len(self.measured), *given))

    def update(self, grad: Array, t: int) -> None:
        """Apply the optimizer's rule once, given the transformed gradient, then the transforms of the point."""
        before, rate = self.theta, self.rate(t)
        loss = self.objective(t) if self.optimizer.uses_loss or self.memory else None
        self._advance(grad, rate, loss, t)
        for k, transform in enumerate(self.optimizer.transforms):
            if transform.after:
                at, span = [self.theta, grad, before], self.parts.transforms[k]
                self.theta, *self.later[k] = self._changed(transform, at, self.later[k], span, t)
        if self.memory:
            assert self.optimizer.plateau
            given = loss, *self.memory, *self.table[t, self.parts.plateau.places]
            self.memory = computed(self.optimizer.plateau.rule, len(self.memory), *given)

    def _advance(self, grad: Array, rate: Array, loss: Array | None, t: int) -> None:
        """Apply the optimizer's rule once."""
        coefficients = self.table[t, self.parts.rule.places]
        if self.optimizer.matrix_rule and self.problem.has_matrices:
            own = self.table[t, self.parts.matrix_rule.places]
            slots = [*self.state, *self.behind]
            given = self.optimizer, self.problem.arrays, self.theta, grad, slots, rate, coefficients, own
            self.theta, slots = updated_by_arrays(*given)
            self.state, self.behind = slots[: len(self.state)], slots[len(self.state) :]
            return
        slots = [*self.state, *self.scalars]
        if self.around:
            numbers = {"lr": rate[0], "loss": loss, **dict(zip(self.optimizer.coefficients, coefficients, strict=True))}
            there = functools.partial(self.transformed_at, t=t)
            self.theta, *slots = self.around.step(self.theta, grad, slots, numbers, there, t, self.number)
            self.state, self.scalars = slots[: len(self.state)], slots[len(self.state) :]
            if self.counts.size:
                self.counts = np.stack([self.around.tried, self.counts[1] + self.around.tried])
            return
        whole = reduced(self.optimizer, (self.theta, grad, *slots, rate), coefficients)
        if self.optimizer.uses_loss:
            whole.append(loss)
        given = self.theta, grad, *slots, rate, *whole, *coefficients
        self.theta, *slots = computed(self.optimizer.rule, 1 + len(slots), *given)
        self.state, self.scalars = slots[: len(self.state)], [rows[0] for rows in slots[len(self.state) :]]


def _tails(tail: Array) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Whether each lane of ``tail (window + 1, d, n)`` stands still, and the smallest period > 1 with which it repeats.

    The period is 0 if there is none, and where it stands still.
    """
    window = len(tail) - 1
    amplitude = np.abs(tail - tail[-1]).max(axis=(0, 1))
    eps = tail.dtype.type(STILL_WITHIN * np.finfo(tail.dtype).eps)
    still = amplitude <= eps * np.abs(tail[-1]).max(axis=0)
    period = np.zeros(tail.shape[2], dtype=np.int8)
    moving = ~still & (amplitude < np.inf)
    for p in range(2, min(LONGEST_PERIOD, window // 2) + 1):
        lanes = np.flatnonzero(moving & (period == 0))
        # Most lanes fail at the last gap already; only those that do not are looked at in full.
        gap = np.abs(tail[-1][:, lanes] - tail[-1 - p][:, lanes]).max(axis=0)
        lanes = lanes[gap <= REPEATS_WITHIN * amplitude[lanes]]
        gaps = np.abs(tail[p:, :, lanes] - tail[:-p, :, lanes]).max(axis=(0, 1))
        period[lanes[gaps <= REPEATS_WITHIN * amplitude[lanes]]] = p
    return still, period
