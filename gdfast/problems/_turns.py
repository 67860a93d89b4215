"""Lane functions of losses that take turns: each step calls those of one part, ends are judged by the mean of all."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.formulas.lane_products import independent
from gdfast.formulas.records import fields, length, packed, record
from gdfast.problems._stepping import LaneKernel

HEAD = fields(np.int64, "parts together scratch")
"""The layout begins with it: how many parts there are, whether the mean of all is asked for, and the first row to
scribble on that no part needs."""
PART = fields(np.int64, "kind data data_end layout layout_end")
"""One a part follows: which of the lane functions it has, and where its numbers and its layout are. Behind them stands
the part of each step, unless all are asked for."""
HEAD_LENGTH, PART_LENGTH = length(HEAD), length(PART)

_Lanes = Callable[..., None]


def _of_part(functions: Sequence[_Lanes]) -> _Lanes:
    """Lane functions of several kinds of parts as one, which takes the number of the part first."""
    one_of_kind = _of_kind(functions)

    def of_part(number, theta, out, work, n, data, layout, t):
        part = record(layout, HEAD_LENGTH + PART_LENGTH * number, PART)
        numbers, own = data[part.data : part.data_end], layout[part.layout : part.layout_end]
        one_of_kind(part.kind, theta, out, work, n, numbers, own, t)

    return of_part


def _of_kind(functions: Sequence[_Lanes]) -> _Lanes:
    first = functions[0]
    if len(functions) == 1:

        def last_kind(kind, theta, out, work, n, data, layout, t):
            first(theta, out, work, n, data, layout, t)

        return last_kind

    others = _of_kind(functions[1:])

    def one_of_kind(kind, theta, out, work, n, data, layout, t):
        if kind == 0:
            first(theta, out, work, n, data, layout, t)
        else:
            others(kind - 1, theta, out, work, n, data, layout, t)

    return one_of_kind


def _gradient_of(kernel: LaneKernel) -> _Lanes:
    if kernel.gradient is not None:
        return kernel.gradient
    both = kernel.both
    assert both

    def gradient_alone(theta, grad, work, n, data, layout, t):
        both(theta, grad, work[0][:0], work, n, data, layout, t)

    return gradient_alone


@functools.lru_cache(maxsize=64)
def lanes_in_turn(kinds: tuple[LaneKernel, ...], dimension: int) -> LaneKernel:
    """The lane kernel of parts that have these lane functions.

    Parameters
    ----------
    kinds : tuple of LaneKernel
        Those of the parts, each once.
    dimension : int
        Coordinates.
    """
    gradient_of_part = _of_part([_gradient_of(kind) for kind in kinds])
    objective_of_part = _of_part([kind.objective for kind in kinds])

    def gradient(theta, grad, work, n, data, layout, t):
        head = record(layout, 0, HEAD)
        if head.together == 0:
            number = layout[HEAD_LENGTH + PART_LENGTH * head.parts + t]
            gradient_of_part(number, theta, grad, work, n, data, layout, t)
        else:
            d = theta.shape[0]
            own = work[head.scratch : head.scratch + d]
            for i in range(d):
                for lane in range(n):
                    grad[i, lane] = 0.0
                    independent()
            for number in range(head.parts):
                weight = data[number]
                if weight > 0.0:
                    gradient_of_part(number, theta, own, work, n, data, layout, t)
                    for i in range(d):
                        for lane in range(n):
                            grad[i, lane] += weight * own[i, lane]
                            independent()
            total = data[head.parts]
            for i in range(d):
                for lane in range(n):
                    grad[i, lane] = grad[i, lane] / total
                    independent()

    def objective(theta, out, work, n, data, layout, t):
        head = record(layout, 0, HEAD)
        if head.together == 0:
            number = layout[HEAD_LENGTH + PART_LENGTH * head.parts + t]
            objective_of_part(number, theta, out, work, n, data, layout, t)
        else:
            own = work[head.scratch]
            for lane in range(n):
                out[lane] = 0.0
                independent()
            for number in range(head.parts):
                weight = data[number]
                if weight > 0.0:
                    objective_of_part(number, theta, own, work, n, data, layout, t)
                    for lane in range(n):
                        out[lane] += weight * own[lane]
                        independent()
            total = data[head.parts]
            for lane in range(n):
                out[lane] = out[lane] / total
                independent()

    rows = max(kind.work_rows for kind in kinds) + dimension
    one_vector, single = any(kind.one_vector for kind in kinds), all(kind.single for kind in kinds)
    return LaneKernel(gradient, objective, rows, one_vector, single=single)


Numbers = tuple[Array, NDArray[np.int64]]
"""What a lane kernel reads: data and layout."""


def in_turn_numbers(
    given: Sequence[Numbers], kinds: Sequence[int], weights: Array, scratch: int, turns: NDArray[np.int64] | None
) -> Numbers:
    """Return what the lane kernel of parts reads.

    Parameters
    ----------
    given : sequence of tuple
        What that of each part reads.
    kinds : sequence of int
        The number of each part's lane functions.
    weights : ndarray
        Of each part in the mean, ``float64[parts]``.
    scratch : int
        Rows to scribble on that the parts need.
    turns : ndarray, optional
        The part of each step, ``int64[max_steps + 1]``; the mean of all is asked for if not given.
    """
    numbers: list[Array] = [weights, np.array([total_of(weights)])]
    layouts: list[NDArray[np.int64]] = [] if turns is None else [turns]
    parts = np.zeros(len(given), dtype=PART)
    data_end = len(given) + 1
    layout_end = HEAD_LENGTH + PART_LENGTH * len(given) + (0 if turns is None else len(turns))
    for number, (data, layout) in enumerate(given):
        begins = data_end, layout_end
        data_end, layout_end = data_end + len(data), layout_end + len(layout)
        parts[number] = (kinds[number], begins[0], data_end, begins[1], layout_end)
        numbers.append(data)
        layouts.append(layout)
    head = np.array((len(given), turns is None, scratch), dtype=HEAD)
    return np.concatenate(numbers), np.concatenate([packed(head, parts), *layouts])


def total_of(weights: Array) -> float:
    """The sum of weights, one after another."""
    total = 0.0
    for weight in weights.tolist():
        total += weight
    return total
