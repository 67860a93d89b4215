"""Operations of one step of a lane, counted from the formulas of a pair (`gdfast.formulas.operations`)."""

import collections

from gdfast.formulas.formula import Formula
from gdfast.formulas.operations import Counter, Value
from gdfast.optimizers import Optimizer
from gdfast.problems import Landscape


def of_pair(problem: Landscape, optimizer: Optimizer) -> collections.Counter[str]:
    """Operations that a checked step of a lane needs: gradient, settle check and update.

    The check takes the absolute values of the gradient's entries, the largest of them, and three operations on bits
    to see whether it is outside of the quiet window, in any lane of a group. Loaded are the point, the state and the
    learning rate, stored the point and the state; scalars are state, once for all coordinates.
    """
    counter, d = Counter(), problem.dimension
    x = [counter.value(("x", i)) for i in range(d)]
    slope, height = Formula.of(problem.gradient_formula, d), Formula.of(problem.loss_formula, 1)
    numbers = [counter.value(("of the problem", name), shared=True) for name in slope.arguments[d:]]
    g = counter.call(slope, *x, *numbers)
    loss = counter.call(height, *x, *numbers) if optimizer.uses_loss else ()
    counter.operations["logic"] += 3 if d == 1 else 3 + d + (d - 1)
    rate = counter.value("rate")
    coefficients = [counter.value(name, shared=True) for name in optimizer.coefficients]
    scalars = [counter.value(scalar) for scalar in optimizer.scalars]
    state = [[*(counter.value((slot, i)) for slot in optimizer.state), *scalars] for i in range(d)]
    totals: list[Value] = []
    if optimizer.entries is not None:
        entries = Formula.of(optimizer.entries, len(optimizer.norms))
        parts = [counter.call(entries, x[i], g[i], *state[i], rate, *coefficients) for i in range(d)]
        for j, name in enumerate(optimizer.norms):
            counter.operations["logic"] += 2 * d - 1  # the largest
            if optimizer.euclidean:
                counter.operations.update(compare=2, multiply=2 * d + 1, add=d - 1, root=1)
            totals.append(counter.value(("norm", name, *(part[j].key for part in parts))))
    if optimizer.terms is not None:
        given = *totals, *coefficients
        terms = Formula.of(optimizer.terms, len(optimizer.sums))
        parts = [counter.call(terms, x[i], g[i], *state[i], rate, *given) for i in range(d)]
        for j, name in enumerate(optimizer.sums):
            counter.operations["add"] += d - 1
            totals.append(counter.value(("sum", name, *(part[j].key for part in parts))))
    rule = Formula.of(optimizer.rule, 1 + len(optimizer.state) + len(optimizer.scalars))
    for i in range(d):
        counter.call(rule, x[i], g[i], *state[i], rate, *totals, *loss, *coefficients)
    counter.operations["load"] += d * (1 + len(optimizer.state)) + len(optimizer.scalars) + 1
    counter.operations["store"] += d * (1 + len(optimizer.state)) + len(optimizer.scalars)
    return counter.operations
