"""The parts of a step, and where each lies: in a row of the step table, and among a trajectory's memory slots.

A step is made of the schedule's multiplier, the transforms, a schedule that looks at the loss, the optimizer's rule and
the sweep's measure. What they need that depends on the step alone stands side by side in a row of the table, what they
remember of a trajectory side by side in its memory. Kernels and reference read both by the places that are told here.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from gdfast.formulas.elementary import Array
from gdfast.formulas.factors import kept
from gdfast.measures import Measure
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem


class Span(NamedTuple):
    """Places from `begin` up to but not including `end`."""

    begin: int
    end: int

    @property
    def places(self) -> slice:
        """The same as an index."""
        return slice(*self)

    @property
    def size(self) -> int:
        """How many places."""
        return self.end - self.begin


def _side_by_side(widths: Sequence[int]) -> list[Span]:
    ends = itertools.accumulate(widths, initial=0)
    return [Span(*pair) for pair in itertools.pairwise(ends)]


@dataclass(frozen=True)
class Parts:
    """Where the parts of a step lie.

    Attributes
    ----------
    schedule : Span
        In a row of the table, the multiplier of the learning rate; empty unless it depends on the step alone.
    transforms : tuple of Span
        In a row, each transform's coefficients.
    plateau, rule, matrix_rule, measure : Span
        In a row, the coefficients of a schedule that looks at the loss, of the rule, of that for matrices, and of the
        measure.
    plateau_memory, scalars, later_scalars, counts, measure_memory : Span
        Among a trajectory's memory slots, those of such a schedule, the rule's scalars, those of transforms, of a rule
        whose requests are counted how many the last step had and how many all did, and those of the measure.
    """

    schedule: Span
    transforms: tuple[Span, ...]
    plateau: Span
    rule: Span
    matrix_rule: Span
    measure: Span
    plateau_memory: Span
    scalars: Span
    later_scalars: Span
    counts: Span
    measure_memory: Span

    @classmethod
    def of(cls, optimizer: Optimizer, measure: Measure | None) -> "Parts":
        """The parts of an optimizer's step, in a sweep that asks for a measure or none."""
        plateau = optimizer.plateau
        widths = [int(optimizer.scheduled_by_step), *(len(t.coefficients) for t in optimizer.transforms)]
        widths += [len(plateau.coefficients) if plateau else 0, len(optimizer.coefficients)]
        widths += [len(optimizer.matrix_coefficients), len(measure.coefficients) if measure else 0]
        slots = [len(plateau.initial) if plateau else 0, len(optimizer.scalars)]
        slots += [sum(len(t.scalars) for t in optimizer.transforms), 2 if optimizer.counts else 0]
        return _parts(tuple(widths), (*slots, len(measure.initial) if measure else 0))

    @property
    def settings(self) -> Span:
        """In a row, the coefficients of all transforms."""
        return Span(self.schedule.end, self.plateau.begin)

    @property
    def told(self) -> Span:
        """Among the memory slots, those that results are made of: what was counted, and the measure's."""
        return Span(max(self.counts.begin, self.counts.end - 1), self.measure_memory.end)

    @property
    def width(self) -> int:
        """The length of a row."""
        return self.measure.end


@functools.lru_cache(maxsize=256)
def _parts(widths: tuple[int, ...], slots: tuple[int, ...]) -> Parts:
    """The parts of such widths; a run asks for the same again and again."""
    schedule, *transforms, plateau, rule, matrix_rule, measure = _side_by_side(widths)
    return Parts(schedule, tuple(transforms), plateau, rule, matrix_rule, measure, *_side_by_side(slots))


def step_table(optimizer: Optimizer, measure: Measure | None, problem: Problem, max_steps: int) -> Array:
    """The coefficients of every step, ``float64[max_steps + 1, width]``; row ``t`` belongs to update ``t + 1``.

    The last row serves the check after the last update.
    """
    parts = Parts.of(optimizer, measure)
    table = np.empty((max_steps + 1, parts.width))
    with np.errstate(all="ignore"):  # a table may overflow; what comes of it is the trajectory's fate
        multipliers = optimizer.multipliers(max_steps)
        if parts.schedule.size:
            table[:, parts.schedule.begin] = multipliers
        for span, transform in zip(parts.transforms, optimizer.transforms, strict=True):
            table[:, span.places] = transform.columns(max_steps)
        if optimizer.plateau:
            table[:, parts.plateau.places] = optimizer.plateau.columns(max_steps)
        table[:, parts.rule.places] = optimizer.columns(max_steps, multipliers, problem)
        table[:, parts.matrix_rule.places] = optimizer.columns(max_steps, multipliers, problem, of_matrices=True)
        if measure:
            table[:, parts.measure.places] = measure.columns(max_steps, problem)
    return table


def initial_state(optimizer: Optimizer, problem: Problem, dtype: DTypeLike) -> Array:
    """First value of each state slot, ``dtype[s]``; a slot has a number for each coordinate.

    Behind those of rule and transforms come as many slots of zeros as hold the factors that it keeps of matrices.
    """
    behind = 0
    if optimizer.for_matrices and optimizer.for_matrices.keeps:
        behind = -(-sum(kept(rows, columns) for rows, columns in problem.matrices) // problem.dimension)
    return np.concatenate([optimizer.initial_state, np.zeros(behind)]).astype(dtype)


def initial_memory(optimizer: Optimizer, measure: Measure | None, dtype: DTypeLike) -> Array:
    """First value of each memory slot of a trajectory, ``dtype[r]``."""
    of_plateau, of_measure = ([*part.initial.values()] if part else [] for part in (optimizer.plateau, measure))
    counts = [0.0, 0.0] if optimizer.counts else []
    return np.array([*of_plateau, *optimizer.initial_scalars, *counts, *of_measure], dtype=dtype)
