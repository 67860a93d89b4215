"""The two templates of a step kernel, which does, for a block of lanes and several steps: gradient, check, update.

`in_one_pass` does all of it in one pass over the lanes, with the coordinates of a lane in registers: for landscapes of
few coordinates. Within a call some groups of lanes are ahead of others. `in_parts` calls the problem's evaluation for
the gradient, then checks, then updates coordinate by coordinate: for problems with data and any number of coordinates;
its kernel is the same for all of them.

Where a lane settles its point is kept in `ended`; it goes on being stepped until the driver takes it out, since lanes
cost nothing extra and a choice in every update does. What a measure remembers of it stays as it is, the loss at that
point included.
"""

from typing import Any

from gdfast.formulas.elementary import sqrt, square_scale
from gdfast.formulas.lane_products import independent
from gdfast.kernels import lane_math  # noqa: F401, registers the compiled forms of `elementary`
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import GRADIENT, OBJECTIVE
from gdfast.kernels.norms import euclidean_norm, larger_size, maximum_norm
from gdfast.kernels.options import wide
from gdfast.kernels.settling import (
    either,
    eventful,
    keep_moving,
    largest,
    largest_entries,
    loudest,
    maybe_settled,
    next_status,
    quiet_window,
    settle,
)
from gdfast.kernels.signatures import KINDS, LANES, SETTLED, call_evaluation
from gdfast.kernels.tuples import as_tuple, entries_of, with_item

_AT_A_TIME = (
    4  # groups of lanes that do all steps of a call before the next begin: their rows stay in the nearest cache
)


# What a lane's step is made of, as functions of the module that are handed the rule and the formulas.
def gather(state, i, lane, slots):
    """A coordinate's state, as a tuple like `slots`."""
    for j in range(len(slots)):
        slots = with_item(slots, j, state[j, i, lane])
    return slots


def scatter(state, i, lane, slots, new):
    """Store the new state and return the new parameter."""
    for j in range(len(slots)):
        state[j, i, lane] = new[j + 1]
    return new[0]


def gather_nothing(state, i, lane, slots):
    """`gather` for a rule without state."""
    return slots


def scatter_nothing(state, i, lane, slots, new):
    """`scatter` for a rule without state, which returns a number."""
    return new


def column(matrix, lane, point):
    """A lane's coordinates, as a tuple like `point`."""
    for i in range(len(point)):
        point = with_item(point, i, matrix[i, lane])
    return point


def no_column(matrix, lane, point):
    """`column` for a tuple of nothing."""
    return point


def from_schedule(multiplier, memory, lane):
    """What the learning rate is multiplied by, when it is the same for all lanes."""
    return multiplier


def from_memory(multiplier, memory, lane):
    """What the learning rate is multiplied by, when it depends on the trajectory."""
    return memory[0, lane]


def from_both(multiplier, memory, lane):
    """What the learning rate is multiplied by, when a chain of schedules depends on the step and the trajectory."""
    return multiplier * memory[0, lane]


def norms_of(norm, entries, read, x, g, state, lane, slots, whole, norms):
    """The norms over the coordinates, as a tuple like `norms`."""
    for j in range(len(norms)):
        values = x
        for i in range(len(x)):
            part = as_tuple(entries(x[i], g[i], *(read(state, i, lane, slots) + whole)))
            values = with_item(values, i, part[j])
        norms = with_item(norms, j, norm(values))
    return norms


def sum_terms(terms, read, x, g, state, lane, slots, rate, coefficients, totals):
    """The sums over the coordinates, in their order, added to the tuple `totals`."""
    for i in range(len(x)):
        part = as_tuple(terms(x[i], g[i], *(read(state, i, lane, slots) + rate + coefficients)))
        for j in range(len(totals)):
            totals = with_item(totals, j, totals[j] + part[j])
    return totals


def update(rule, read, store, x, g, theta, state, lane, slots, whole):
    """Apply the rule to every coordinate of a lane."""
    for i in range(len(x)):
        new = rule(x[i], g[i], *(read(state, i, lane, slots) + whole))
        theta[i, lane] = store(state, i, lane, slots, new)


def update_with_scalars(rule, read, store, x, g, theta, state, lane, slots, whole):
    """`update` that returns what the rule returned last, scalars among it."""
    new = rule(x[0], g[0], *(read(state, 0, lane, slots) + whole))
    theta[0, lane] = store(state, 0, lane, slots, new)
    for i in range(1, len(x)):
        new = rule(x[i], g[i], *(read(state, i, lane, slots) + whole))
        theta[i, lane] = store(state, i, lane, slots, new)
    return new


def keep_last(new, matrix, lane, scalars):
    """Store the last of what a rule returned, as many as there are scalars."""
    for j in range(len(scalars)):
        matrix[j, lane] = new[len(new) - len(scalars) + j]


def count(tried, counts, status, lane):
    """Keep how much a step asked for, and add it to that of the steps before, until the lane settles."""
    counts[0, lane] = tried
    counts[1, lane] = counts[1, lane] if status[lane] & SETTLED else counts[1, lane] + tried


def count_back(counts, status, lane, t):
    """Take off what a lane asked for in the step at whose beginning it has settled."""
    if status[lane] & SETTLED and status[lane] // KINDS == t:
        counts[1, lane] = counts[1, lane] - counts[0, lane]


def keep(x, matrix, lane):
    """Store a lane's coordinates."""
    for i in range(len(x)):
        matrix[i, lane] = x[i]


def numbers_of(data, real, numbers):
    """The numbers that formulas take behind the coordinates, as a tuple like `numbers`, in their type."""
    for i in range(len(numbers)):
        numbers = with_item(numbers, i, real(data[i]))
    return numbers


def factor_of(shape):
    """What tells a lane's multiplier of the learning rate."""
    if shape.parts.plateau_memory.size:
        return from_both if shape.parts.schedule.size else from_memory
    return from_schedule


def in_one_pass(rule, entries, terms, plateau, measure, transform, after, gradient, objective, shape, advance):
    """Return the compiled step of functions of a landscape and of rules, which are called once each."""
    parts, real = shape.parts, shape.number
    zero, one = real(0.0), real(1.0)
    point, slots, params = (zero,) * shape.coordinates, (zero,) * shape.state, (zero,) * shape.params
    no_norms, zeros, no_scalars = (zero,) * shape.norms, (zero,) * shape.sums, (zero,) * parts.scalars.size
    norm = euclidean_norm if shape.euclidean else maximum_norm
    memories, measured = (zero,) * parts.plateau_memory.size, (zero,) * parts.measure_memory.size
    has_norms, sums, remembers, measures = len(no_norms), len(zeros), len(memories), len(measured)
    has_scalars, scalars_from = len(no_scalars), parts.scalars.begin
    of_vectors, asks, counts_from = shape.of_vectors, shape.counts, parts.counts.begin
    transformed, moved, later_from = shape.transformed, shape.moved, parts.later_scalars.begin
    scheduled, uses_loss, sparse = bool(parts.schedule.size), shape.uses_loss, shape.sparse
    settings_from, settings_to = parts.settings
    plateau_from, plateau_to = parts.plateau
    rule_from, rule_to = parts.rule
    measure_from, measured_from, width = parts.measure.begin, parts.measure_memory.begin, parts.width
    read, store = gather if slots else gather_nothing, scatter if slots or no_scalars else scatter_nothing
    hold = column if no_scalars else no_column
    factor = factor_of(shape)
    updating = update_with_scalars if has_scalars else update

    @compiled(shape.signature)
    def step(pair, block, table, settling, t, n, n_steps):
        wide()
        theta, grad, work, state, memory, lr, number, status, ended, _, _, _ = block
        check_every, gradient_tolerance, divergence_limit, _ = settling
        window = quiet_window(gradient_tolerance, divergence_limit, zero)
        tolerance, limit, seen = real(gradient_tolerance), real(divergence_limit), memory[measured_from:]
        scalars, later, counts = memory[scalars_from:], memory[later_from:], memory[counts_from:]
        fixed = numbers_of(pair.data, real, params) if params else ()
        if n_steps <= 0:  # the objective is asked for
            for block_of_lanes in range(n // LANES):
                for j in range(LANES):
                    lane = block_of_lanes * LANES + j
                    work[0, lane] = objective(*(column(theta, lane, point) + fixed))
                    independent()
        if n_steps < 0:  # the gradient too
            for block_of_lanes in range(n // LANES):
                for j in range(LANES):
                    lane = block_of_lanes * LANES + j
                    work[1, lane] = largest(as_tuple(gradient(*(column(theta, lane, point) + fixed))))
                    independent()
        groups = n // LANES
        for first in range(0, groups, _AT_A_TIME):
            for k in range(n_steps):
                row: Any = entries_of(table[t + k], width) if width else ()
                multiplier = row[0] if scheduled else one
                settings, coefficients = row[settings_from:settings_to], row[rule_from:rule_to]
                checked = not sparse or (t + k) % check_every == 0
                for block_of_lanes in range(first, min(first + _AT_A_TIME, groups)):
                    events = window[0] & 0
                    for j in range(LANES):
                        lane = block_of_lanes * LANES + j
                        x = column(theta, lane, point)
                        g = as_tuple(gradient(*(x + fixed)))
                        if checked:
                            events = either(events, eventful(loudest(g), window))
                            keep(x, grad, lane)
                        rate = factor(multiplier, memory, lane) * lr[0, lane]
                        if transformed:
                            g = transform(x, g, fixed, rate, number[lane], settings)
                        loss = (objective(*(x + fixed)),) if uses_loss else ()
                        if remembers:
                            old = column(memory, lane, memories)
                            keep(
                                as_tuple(plateau(objective(*(x + fixed)), *(old + row[plateau_from:plateau_to]))),
                                memory,
                                lane,
                            )
                        if measures:
                            noted = column(seen, lane, measured)
                            remembered = as_tuple(measure(objective(*(x + fixed)), *(noted + row[measure_from:])))
                            keep_moving(remembered, seen, status, lane)
                        if of_vectors:
                            tried = advance(
                                x, g, theta, state, lane, scalars, rate, loss, fixed, number[lane], settings,
                                coefficients,
                            )  # fmt: skip
                            if asks:
                                count(tried, counts, status, lane)
                            if moved:
                                after(x, g, theta, state, lane, later, rate, number[lane], settings)
                            independent()
                            continue
                        own = hold(scalars, lane, no_scalars) + (rate,)
                        norms = (
                            norms_of(norm, entries, read, x, g, state, lane, slots, own + coefficients, no_norms)
                            if has_norms
                            else ()
                        )
                        whole = own + norms
                        totals = (
                            sum_terms(terms, read, x, g, state, lane, slots, whole, coefficients, zeros) if sums else ()
                        )
                        whole = whole + totals + loss + coefficients
                        new = updating(rule, read, store, x, g, theta, state, lane, slots, whole)
                        if has_scalars:
                            keep_last(new, scalars, lane, no_scalars)
                        if moved:
                            after(x, g, theta, state, lane, later, rate, number[lane], settings)
                        independent()
                    if events:
                        for j in range(LANES):
                            lane = block_of_lanes * LANES + j
                            x = column(grad, lane, point)
                            g = as_tuple(gradient(*(x + fixed)))
                            settle(x, g, ended, status, lane, t + k, check_every, tolerance, limit)
                            if asks:
                                count_back(counts, status, lane, t + k)
                            independent()

    return step


def in_parts(rule, entries, terms, plateau, measure, transform, after, shape, advance, by_arrays=None):
    """Return the compiled step of rules, which are called once each, for any problem with an evaluation.

    Where there is a rule for matrices, `by_arrays` does the update.
    """
    parts, real = shape.parts, shape.number
    zero, one = real(0.0), real(1.0)
    together = by_arrays is None
    slots, no_norms, zeros = (zero,) * shape.state, (zero,) * shape.norms, (zero,) * shape.sums
    no_scalars, scalars_from = (zero,) * parts.scalars.size, parts.scalars.begin
    of_vectors, by_coordinate = shape.of_vectors, together and not shape.of_vectors
    asks, counts_from = shape.counts, parts.counts.begin
    has_scalars = 0 if of_vectors else len(no_scalars)
    vectors, numbers = shape.whole or (0, 0)
    transformed, moved, later_from = shape.transformed, shape.moved, parts.later_scalars.begin
    memories, measured = (zero,) * parts.plateau_memory.size, (zero,) * parts.measure_memory.size
    n_norms, sums, euclidean, sum_rows = shape.norms, together * shape.sums, shape.euclidean, shape.sum_rows
    matrix_from, matrix_to = parts.matrix_rule
    aside = int(shape.elsewhere)
    remembers, measures = len(memories), len(measured)
    scheduled, uses_loss, sparse = bool(parts.schedule.size), shape.uses_loss, shape.sparse
    settings_from, settings_to = parts.settings
    plateau_from, plateau_to = parts.plateau
    rule_from, rule_to = parts.rule
    measure_from, measured_from, width = parts.measure.begin, parts.measure_memory.begin, parts.width
    read, store = gather if slots else gather_nothing, scatter if slots or no_scalars else scatter_nothing
    hold = column if no_scalars else no_column
    factor = factor_of(shape)
    wanted = GRADIENT + OBJECTIVE if uses_loss or remembers or measures else GRADIENT

    @compiled(shape.signature)
    def step(pair, block, table, settling, t, n, n_steps):
        wide()
        theta, grad, work, state, memory, lr, number, status, ended, _, _, _ = block
        check_every, gradient_tolerance, divergence_limit, _ = settling
        tolerance, limit = real(gradient_tolerance), real(divergence_limit)
        group = pair.group
        of_whole, of_sums = vectors * theta.shape[0] + numbers, sum_rows + aside * theta.shape[0]
        own = work.shape[0] - of_sums - of_whole - moved * theta.shape[0] - 2  # rows of the problem's
        rows, tried = work[own + of_sums : own + of_sums + of_whole], own + of_sums + vectors * theta.shape[0]
        totals, size, losses = work[own : own + of_sums], work[-2], work[-1]
        scales = work[own + n_norms + sums : own + 2 * n_norms + sums]
        fresh, scalars, counts = work[own + 2 * n_norms + sums :], memory[scalars_from:], memory[counts_from:]
        before, later = work[own + of_sums + of_whole : -2], memory[later_from:]
        if n_steps <= 0:  # the objective is asked for, or the gradient too
            call_evaluation(pair, OBJECTIVE if n_steps == 0 else GRADIENT + OBJECTIVE, theta, grad, losses, work, n, t)
            if n_steps < 0:
                largest_entries(grad, size, n)
            for lane in range(n):
                work[0, lane], work[1, lane] = losses[lane], size[lane]
                independent()
        for k in range(n_steps):
            row: Any = entries_of(table[t + k], width) if width else ()
            multiplier = row[0] if scheduled else one
            settings, coefficients = row[settings_from:settings_to], row[rule_from:rule_to]
            call_evaluation(pair, wanted, theta, grad, losses, work, n, t + k)
            if measures:
                for lane in range(n):
                    noted = column(memory[measured_from:], lane, measured)
                    remembered = as_tuple(measure(losses[lane], *(noted + row[measure_from:])))
                    keep_moving(remembered, memory[measured_from:], status, lane)
                    independent()
            checked = not sparse or (t + k) % check_every == 0
            if checked and maybe_settled(grad, size, n, tolerance, limit):
                largest_entries(grad, size, n)
                for i in range(theta.shape[0]):
                    for lane in range(n):
                        ended[i, lane] = ended[i, lane] if status[lane] & SETTLED else theta[i, lane]
                        independent()
                for lane in range(n):
                    status[lane] = next_status(status[lane], size[lane], t + k, check_every, tolerance, limit)
                    independent()
            if transformed:
                transform(pair, theta, grad, totals, lr, number, memory, n, multiplier, settings, work, t + k)
            if moved:
                for i in range(theta.shape[0]):
                    for lane in range(n):
                        before[i, lane] = theta[i, lane]
                        independent()
            if n_norms:
                for i in range(theta.shape[0]):
                    rates = lr[group[i]]
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        held = hold(scalars, lane, no_scalars)
                        given = read(state, i, lane, slots) + held + (rate,) + coefficients
                        part = as_tuple(entries(theta[i, lane], grad[i, lane], *given))
                        for j in range(n_norms):
                            totals[j, lane] = larger_size(totals[j, lane] if i else zero, part[j])
                        independent()
            if n_norms and euclidean:
                for j in range(n_norms):
                    for lane in range(n):
                        scales[j, lane], totals[j, lane] = square_scale(totals[j, lane]), zero
                        independent()
                for i in range(theta.shape[0]):
                    rates = lr[group[i]]
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        held = hold(scalars, lane, no_scalars)
                        given = read(state, i, lane, slots) + held + (rate,) + coefficients
                        part = as_tuple(entries(theta[i, lane], grad[i, lane], *given))
                        for j in range(n_norms):
                            totals[j, lane] += (part[j] * scales[j, lane]) * (part[j] * scales[j, lane])
                        independent()
                for j in range(n_norms):
                    for lane in range(n):
                        totals[j, lane] = sqrt(totals[j, lane]) / scales[j, lane]
                        independent()
            if sums:
                for j in range(n_norms, n_norms + sums):
                    for lane in range(n):
                        totals[j, lane] = zero
                        independent()
                for i in range(theta.shape[0]):
                    rates = lr[group[i]]
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        norms = column(totals, lane, no_norms) if n_norms else ()
                        held = hold(scalars, lane, no_scalars)
                        known = read(state, i, lane, slots) + held + (rate,) + norms + coefficients
                        added = as_tuple(terms(theta[i, lane], grad[i, lane], *known))
                        for j in range(sums):
                            totals[n_norms + j, lane] += added[j]
                        independent()
            if of_vectors:
                advance(
                    pair, theta, grad, state, scalars, memory, multiplier, lr, losses, number, settings, coefficients,
                    rows, totals, work, n, t + k,
                )  # fmt: skip
                for lane in range(n if asks else 0):
                    count(work[tried, lane], counts, status, lane)
                    independent()
            if not together:
                by_arrays(
                    pair, theta, grad, work, state, memory, lr, n, multiplier, coefficients, row[matrix_from:matrix_to]
                )
            if by_coordinate:
                for i in range(theta.shape[0]):
                    rates = lr[group[i]]
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        loss = (losses[lane],) if uses_loss else ()
                        summed = column(totals, lane, no_norms + zeros) if n_norms + sums else ()
                        held = hold(scalars, lane, no_scalars)
                        whole = held + (rate,) + summed + loss + coefficients
                        new = rule(theta[i, lane], grad[i, lane], *(read(state, i, lane, slots) + whole))
                        theta[i, lane] = store(state, i, lane, slots, new)
                        if has_scalars:
                            keep_last(new, fresh, lane, no_scalars)
                        independent()
            for j in range(has_scalars):
                for lane in range(n):
                    scalars[j, lane] = fresh[j, lane]
                    independent()
            if moved:
                after(pair, theta, grad, before, state, later, totals, lr, number, memory, n, multiplier, settings)
            if remembers:
                for lane in range(n):
                    old = column(memory, lane, memories)
                    keep(as_tuple(plateau(losses[lane], *(old + row[plateau_from:plateau_to]))), memory, lane)
                    independent()

    return step
