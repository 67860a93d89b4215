"""The update of a network's parameters array by array: a rule for matrices, in its stages, and one for what is none.

An array of parameters, with all its lanes, goes through stage after stage, while it is in the cache. Of the memory to
scribble on, the results of the stages come first, then what the functions of matrices take, as many rows as
`rows_for`. What they keep of each matrix lies behind all state slots, in the order of the matrices.
"""

from collections.abc import Sequence
from typing import Any

from gdfast.formulas.factors import kept
from gdfast.formulas.lane_products import independent, lanes_of
from gdfast.formulas.lane_readings import lanes_in
from gdfast.formulas.staged import Stage
from gdfast.kernels.lane_factors import spare_rows
from gdfast.kernels.lane_matrices import FUNCTIONS
from gdfast.kernels.templates import factor_of, gather, gather_nothing, scatter, scatter_nothing
from gdfast.kernels.tuples import as_tuple, with_item
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem


def _found(work, i, size, lane, results):
    """What stages have found of the i-th entry of so many, as a tuple like `results`."""
    for j in range(len(results)):
        results = with_item(results, j, work[j * size + i, lane])
    return results


def _nothing_found(work, i, size, lane, results):
    """`_found` before there are results."""
    return results


def _chosen(own, places, numbers):
    """The numbers at some places of a tuple, as a tuple like `numbers`."""
    for j in range(len(places)):
        numbers = with_item(numbers, j, own[places[j]])
    return numbers


def _nothing_chosen(own, places, numbers):
    """`_chosen` of no places."""
    return numbers


def _reading_of(shape: Any) -> tuple[Any, Any, Any, tuple[Any, ...]]:
    """What reads slots and stores what a rule returns, what tells the rate's multiplier, and zeros as slots."""
    slots = (shape.number(0.0),) * shape.state
    return (
        (gather, scatter, factor_of(shape), slots) if slots else (gather_nothing, scatter_nothing, factor_of(shape), ())
    )


def rows_for(problem: Problem, optimizer: Optimizer) -> int:
    """How many numbers a lane needs for the stages of the rule for matrices."""
    assert optimizer.for_matrices
    stages, largest = len(optimizer.for_matrices.stages), int(problem.arrays[:, 0].max())
    spare = 4 * largest + 1
    if optimizer.for_matrices.keeps:
        spare = max(spare, *(spare_rows(rows, columns) for rows, columns in problem.matrices))
    return stages * largest + spare


def updating(rules: tuple[Any, Any, Any], stages: Sequence[tuple[Stage, Any]], optimizer: Optimizer, shape: Any) -> Any:
    """Return the compiled update of all parameters.

    Parameters
    ----------
    rules : tuple
        The rule for what is no matrix, what it sums, and what is left of the rule for matrices after its stages.
    stages : sequence of tuple
        Its stages, each with its formula.
    optimizer : Optimizer
        What they are of.
    shape : Shape
        What the template is specialized to.
    """
    rule, terms, last = rules
    read, store, factor, slots = _reading_of(shape)
    assert optimizer.for_matrices
    shaped, names = optimizer.for_matrices.takes_shape, optimizer.matrix_coefficients
    real, zero = shape.number, shape.number(0.0)
    results, zeros, sums = (zero,) * len(stages), (zero,) * len(optimizer.sums), len(optimizer.sums)
    keeps, vector = optimizer.for_matrices.keeps, lanes_of(shape.real)
    begin = len(optimizer.initial_state)  # slots, those of transforms among them
    sized = [k for k, name in enumerate(optimizer.coefficients) if name == "dimension"]
    size_at = sized[0] if sized else -1
    find, total = _found if results else _nothing_found, _found if zeros else _nothing_found
    chain: Any = _nothing
    for k, (stage, value) in enumerate(stages):
        of_matrix = lanes_in(FUNCTIONS[stage.function], shape.real)
        places = tuple(names.index(name) for name in stage.numbers)
        apply = _with_factors(of_matrix) if stage.keeps else _without_factors(of_matrix)
        chain = _then(chain, _stage(value, apply, k, places, len(stages), shape))

    def update(pair, theta, grad, work, state, memory, lr, n, multiplier, coefficients, own):
        first, at, numbers_of_lanes = 0, begin * theta.shape[0] * vector, state.reshape(-1)
        while first < theta.shape[0]:
            size, rows, columns = pair.arrays[first, 0], pair.arrays[first, 1], pair.arrays[first, 2]
            rates = lr[pair.group[first]]
            if rows > 0:
                given = ((real(rows), real(columns)) if shaped else ()) + own
                factors = numbers_of_lanes[at:]
                at += kept(rows, columns) * vector if keeps else 0
                chain(theta, grad, work, state, memory, factors, rates, first, rows, columns, n, multiplier, given, own)
                for i in range(size):
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        whole = (
                            read(state, first + i, lane, slots) + (rate,) + given + find(work, i, size, lane, results)
                        )
                        new = last(theta[first + i, lane], grad[first + i, lane], *whole)
                        theta[first + i, lane] = store(state, first + i, lane, slots, new)
                        independent()
            else:
                numbers = coefficients
                if size_at >= 0:
                    numbers = with_item(coefficients, size_at, real(size))
                for j in range(sums):
                    for lane in range(n):
                        work[j, lane] = zero
                        independent()
                if sums:
                    for i in range(first, first + size):
                        for lane in range(n):
                            rate = factor(multiplier, memory, lane) * rates[lane]
                            given_terms = read(state, i, lane, slots) + (rate,) + numbers
                            part = as_tuple(terms(theta[i, lane], grad[i, lane], *given_terms))
                            for j in range(sums):
                                work[j, lane] += part[j]
                            independent()
                for i in range(first, first + size):
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        summed = read(state, i, lane, slots) + (rate,) + total(work, 0, 1, lane, zeros) + numbers
                        new_plain = rule(theta[i, lane], grad[i, lane], *summed)
                        theta[i, lane] = store(state, i, lane, slots, new_plain)
                        independent()
            first += size

    return update


def _nothing(theta, grad, work, state, memory, factors, rates, first, rows, columns, n, multiplier, given, own):
    return


def _then(before: Any, after: Any) -> Any:
    """Two parts, one after the other."""

    def both(theta, grad, work, state, memory, factors, rates, first, rows, columns, n, multiplier, given, own):
        before(theta, grad, work, state, memory, factors, rates, first, rows, columns, n, multiplier, given, own)
        after(theta, grad, work, state, memory, factors, rates, first, rows, columns, n, multiplier, given, own)

    return both


def _with_factors(function: Any) -> Any:
    """A function of matrices that keeps something of them."""

    def apply(entries, spare, factors, rows, columns, numbers):
        function(entries, spare, factors, rows, columns, *numbers)

    return apply


def _without_factors(function: Any) -> Any:
    """One that does not."""

    def apply(entries, spare, factors, rows, columns, numbers):
        function(entries, spare, rows, columns, *numbers)

    return apply


def _stage(value: Any, apply: Any, k: int, places: tuple[int, ...], stages: int, shape: Any) -> Any:
    """The k-th stage of so many: what the function is given, then the function, in the k-th place of the memory."""
    read, _, factor, slots = _reading_of(shape)
    results, blank, vector = (shape.number(0.0),) * k, (shape.number(0.0),) * len(places), lanes_of(shape.real)
    find, choose = _found if results else _nothing_found, _chosen if places else _nothing_chosen

    def run(theta, grad, work, state, memory, factors, rates, first, rows, columns, n, multiplier, given, own):
        size = rows * columns
        for i in range(size):
            for lane in range(n):
                rate = factor(multiplier, memory, lane) * rates[lane]
                whole = read(state, first + i, lane, slots) + (rate,) + given + find(work, i, size, lane, results)
                work[k * size + i, lane] = value(theta[first + i, lane], grad[first + i, lane], *whole)
                independent()
        numbers = choose(own, places, blank)
        flat = work.reshape(-1)
        entries, spare = flat[k * size * vector : (k + 1) * size * vector], flat[stages * size * vector :]
        apply(entries, spare, factors, rows, columns, numbers)

    return run
