"""The update of a network's parameters array by array, in NumPy, as `gdfast.kernels.matrices` does it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.arrays import computed, reduced
from gdfast.formulas.elementary import Array
from gdfast.formulas.factors import Factors, kept
from gdfast.formulas.matrices import FUNCTIONS
from gdfast.optimizers import Optimizer


def updated_by_arrays(
    optimizer: Optimizer,
    arrays: NDArray[np.int64],
    theta: Array,
    grad: Array,
    state: list[Array],
    rate: Array,
    coefficients: Array,
    own: Array,
) -> tuple[Array, list[Array]]:
    """Return the new points and state slots after one update; eight arguments are what an update takes.

    Parameters
    ----------
    optimizer : Optimizer
        It has a rule for matrices.
    arrays : ndarray
        As a problem tells them.
    theta, grad : ndarray
        Points and transformed gradients, ``float64[d, n]``.
    state : list of ndarray
        The state slots, ``float64[d, n]`` each, and behind them those that hold what is kept of matrices.
    rate : ndarray
        Learning rates, ``float64[groups or d, n]``.
    coefficients, own : ndarray
        Those of the rule, and those of the rule for matrices.
    """
    parts, first, slots = [], 0, len(optimizer.state)
    state, behind = state[:slots], state[slots:]
    factors = np.concatenate(behind) if behind else np.empty((0, theta.shape[1]))
    at = 0
    while first < len(theta):
        size, rows, columns = (int(number) for number in arrays[first])
        place = slice(first, first + size)
        given = theta[place], grad[place], *(slot[place] for slot in state), rate[place] if len(rate) > 1 else rate
        if rows:
            count = kept(rows, columns) if behind else 0
            parts.append(_of_matrix(optimizer, given, own, (rows, columns), factors[at : at + count]))
            at += count
        else:
            parts.append(_of_vector(optimizer, given, coefficients))
        first += size
    new_theta, *new_state = (np.concatenate(column) for column in zip(*parts, strict=True))
    return new_theta, [*new_state, *(np.split(factors, len(behind)) if behind else [])]


def _of_vector(optimizer: Optimizer, given: Any, coefficients: Array) -> list[Array]:
    numbers = [
        len(given[0]) if name == "dimension" else number
        for name, number in zip(optimizer.coefficients, coefficients, strict=True)
    ]
    sums = reduced(optimizer, given, np.array(numbers, coefficients.dtype))
    return computed(optimizer.rule, 1 + len(optimizer.state), *given, *sums, *numbers)


def _of_matrix(
    optimizer: Optimizer, given: Any, coefficients: Array, shape: tuple[int, int], factors: Array
) -> list[Array]:
    rule = optimizer.for_matrices
    assert rule
    numbers = dict(zip(optimizer.matrix_coefficients, coefficients, strict=True))
    named = (*(map(float, shape) if rule.takes_shape else ()), *coefficients)
    results: list[Array] = []
    for stage in rule.stages:
        (value,) = computed(stage.value, 1, *given, *named, *results)
        matrix = value.reshape(*shape, value.shape[1])
        own = (Factors.within(factors, *shape),) if stage.keeps else ()
        found = FUNCTIONS[stage.function](matrix, *own, *(numbers[name] for name in stage.numbers))
        results.append(found.reshape(value.shape))
    return computed(rule.rule, 1 + len(optimizer.state), *given, *named, *results)
