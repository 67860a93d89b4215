"""The line searches that optimizers have a parameter for, each a round as a formula.

``value`` is φ(a), ``slope`` φ′(a), ``loss`` φ(0) and ``descent`` φ′(0) of the loss φ(a) at θ + a p; sufficient is c₁,
curvature c₂. Where rounding leaves nothing to be found a search ends after its rounds: by backtracking with a step of
almost nothing, the strong Wolfe search with the lowest point of its bracket, which may be none.

Sources: Armijo (1966), Pacific Journal of Mathematics 16; Nocedal & Wright (2006), Numerical Optimization, section 3.5,
with interpolation, bounds and bracketing of the ``strong_wolfe`` of ``torch.optim.LBFGS``. ``zoom`` is that of
``optax.scale_by_zoom_linesearch``, which has Armijo's condition or, after Hager & Zhang (2006), ACM Transactions on
Mathematical Software 32, the approximate one: φ′(a) ≤ (2 c₁ − 1) φ′(0) and φ(a) ≤ φ(0) + 10⁻⁶ |φ(0)|.
"""

from typing import Any

from gdfast import arguments
from gdfast.formulas.elementary import absolute, maximum, minimum, select, sqrt
from gdfast.optimizers._search import Search

__all__ = ["SEARCHES", "name_of_search"]

MOST, HALVINGS, ZOOMS = 25, 60, 20


def backtrack(step, value, loss, descent, sufficient, shrink):
    """Armijo's condition, φ(a) ≤ φ(0) + c₁ a φ′(0); where it does not hold a is made shorter by a factor."""
    holds = value <= loss + sufficient * step * descent
    return select(holds, step, shrink * step), select(holds, 1.0, 0.0)


def secant(step, slope, descent):
    """The a where the slope would be 0 if it changed evenly: exact on quadratics, whatever the first a."""
    return step * descent / (descent - slope), 1.0


def cubic(x1, f1, g1, x2, f2, g2, low, high):
    """Where the cubic with these values and slopes at x₁ ≤ x₂ is least, within bounds; their middle if nowhere."""
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    d2 = sqrt(select(square >= 0, square, 0.0))
    place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    return select(square >= 0, minimum(maximum(place, low), high), (low + high) / 2)


def wolfe(
    step, past, past_value, past_slope, zooms, low, low_value, low_slope, high, high_value, high_slope, stuck, tried,
    value, slope, loss, descent, sufficient, curvature,
):  # fmt: skip
    """The strong Wolfe conditions, Armijo's and |φ′(a)| ≤ c₂ |φ′(0)|: first a bracket, then ever smaller ones."""
    zooming, spent, first = zooms > 0, tried >= MOST, tried == 0
    past_value, past_slope = select(first, loss, past_value), select(first, descent, past_slope)
    above = value > loss + sufficient * step * descent
    flat = absolute(slope) <= -curvature * descent
    # Looking for a bracket: this trial and the one before may be one.
    fails = above | ((tried > 1) & (value >= past_value))
    brackets = fails | (slope >= 0)
    found = (not fails) & flat
    past_lower = past_value <= value
    # Within a bracket: this trial becomes an end of it.
    fails_inside = above | (value >= low_value)
    found_inside = (not fails_inside) & flat
    below = value < low_value
    turns = slope * (high - low) >= 0
    done = select(zooming, found_inside, found)
    # The ends of the bracket; at the last trial without one, 0 and it.
    begin, begin_value, begin_slope = (
        select(spent, 0.0, past), select(spent, loss, past_value), select(spent, descent, past_slope)
    )  # fmt: skip
    past_lower = select(spent, loss <= value, past_lower) > 0
    old, old_value, old_slope = low, low_value, low_slope
    moves = (not fails_inside) | below
    keeps = (not fails_inside) & (not turns)
    low = select(zooming, select(moves, step, old), select(past_lower, begin, step))
    low_value = select(zooming, select(moves, value, old_value), select(past_lower, begin_value, value))
    low_slope = select(zooming, select(moves, slope, old_slope), select(past_lower, begin_slope, slope))
    high = select(zooming, select(keeps, high, select(moves, old, step)), select(past_lower, step, begin))
    high_value = select(
        zooming, select(keeps, high_value, select(moves, old_value, value)), select(past_lower, value, begin_value)
    )
    high_slope = select(
        zooming, select(keeps, high_slope, select(moves, old_slope, slope)), select(past_lower, slope, begin_slope)
    )
    # The next trial: inside of the bracket, not too near to its ends twice, or farther than this one.
    left = low < high
    x1, f1, g1 = select(left, low, high), select(left, low_value, high_value), select(left, low_slope, high_slope)
    x2, f2, g2 = select(left, high, low), select(left, high_value, low_value), select(left, high_slope, low_slope)
    inside = cubic(x1, f1, g1, x2, f2, g2, x1, x2)
    margin = 0.1 * (x2 - x1)
    near = minimum(x2 - inside, inside - x1) < margin
    pushed = near & ((stuck > 0) | (inside >= x2) | (inside <= x1))
    inward = select(absolute(inside - x2) < absolute(inside - x1), x2 - margin, x1 + margin)
    zooms = select(zooming | brackets, 1.0, 0.0)
    stuck = select((zooms > 0) & near & (not pushed), 1.0, 0.0)
    farther = cubic(
        past, past_value, past_slope, step, value, slope, step + 0.01 * (step - past), 10 * step
    )  # fmt: skip
    trial = select(zooms > 0, select(pushed, inward, inside), farther)
    stays = (done > 0) | (step == 0)  # a rate of 0 has no search
    ends = select(stays, step, low)
    over = stays | spent
    return (
        select(over, ends, trial), step, value, slope, zooms, low, low_value, low_slope, high, high_value, high_slope,
        stuck, tried + 1, select(over, 1.0, 0.0),
    )  # fmt: skip


def quadratic_place(a, value, slope, b, other):
    """Where the parabola with this value and slope at a and the other value at b is flat."""
    return a - slope / (2 * ((other - value - slope * (b - a)) / ((b - a) * (b - a))))


def cubic_place(a, value, slope, b, other, c, third):
    """Where the cubic with this value and slope at a and the other values at b and c is least; NaN if nowhere."""
    x, y = b - a, c - a
    u, v = other - value - slope * x, third - value - slope * y
    square = x * y * (x * y) * (x - y)
    p, q = (y * y * u - x * x * v) / square, (x * x * x * v - y * y * y * u) / square
    return a + (sqrt(q * q - 3 * p * slope) - q) / (3 * p)


def zoom(
    step, past, past_value, past_slope, zooms, low, low_value, low_slope, high, high_value, high_slope, third,
    third_value, safe, safe_value, tried, value, slope, loss, descent, sufficient, curvature,
):  # fmt: skip
    """The strong Wolfe conditions, or the approximate ones: lengths are doubled to a bracket, which is made smaller.

    Of a bracket of at most 1e-5, and after 20 trials, what lowers the loss enough is taken, though the slope be steep.
    """
    zooming, first = zooms > 0, tried == 0
    past_value, past_slope = select(first, loss, past_value), select(first, descent, past_slope)
    safe_value = select(first, loss, safe_value)
    close = maximum(slope - (2 * sufficient - 1) * descent, value - loss - 1e-6 * absolute(loss))
    error = minimum(close, value - loss - sufficient * step * descent)
    falls = error <= 0
    done = falls & (absolute(slope) <= curvature * absolute(descent))
    saves = falls & ((not zooming) | (value < safe_value))
    safe, safe_value = select(saves, step, safe), select(saves, value, safe_value)
    narrow = zooming & (absolute(high - low) <= 1e-5)
    # Looking for a bracket: this trial and the one before may be one.
    above = (not falls) | ((value >= past_value) & (not first))
    turns = (slope >= 0) & (not above)
    # Within a bracket: this trial becomes an end of it.
    outside = (not falls) | (value >= low_value)
    swaps = (slope * (high - low) >= 0) & (not outside)
    third = select(zooming, select(outside | swaps, high, low), select(turns, step, past))
    third_value = select(zooming, select(outside | swaps, high_value, low_value), select(turns, value, past_value))
    old, old_value, old_slope = low, low_value, low_slope
    low = select(zooming, select(outside, old, step), select(turns, step, past))
    low_value = select(zooming, select(outside, old_value, value), select(turns, value, past_value))
    low_slope = select(zooming, select(outside, old_slope, slope), select(turns, slope, past_slope))
    high = select(zooming, select(outside, step, select(swaps, old, high)), select(turns, past, step))
    high_value = select(
        zooming, select(outside, value, select(swaps, old_value, high_value)), select(turns, past_value, value)
    )
    high_slope = select(
        zooming, select(outside, slope, select(swaps, old_slope, high_slope)), select(turns, past_slope, slope)
    )
    zooms = select(zooming | above | turns, 1.0, 0.0)
    # The next trial: inside of the bracket, not too near to its ends, or twice as far as this one.
    left, right, width = minimum(low, high), maximum(low, high), absolute(high - low)
    by_cubic = cubic_place(low, low_value, low_slope, high, high_value, third, third_value)
    by_square = quadratic_place(low, low_value, low_slope, high, high_value)
    inside = select((by_square > left + 0.1 * width) & (by_square < right - 0.1 * width), by_square, (low + high) / 2)
    inside = select((by_cubic > left + 0.2 * width) & (by_cubic < right - 0.2 * width), by_cubic, inside)
    trial = select(zooms > 0, inside, 2 * step)
    finite = error - error == 0
    taken = select(done | ((safe == 0) & finite), step, safe)
    over = done | (tried + 1 >= ZOOMS) | (narrow & (safe > 0)) | (step == 0)  # a rate of 0 has no search
    return (
        select(over, taken, trial), step, value, slope, zooms, low, low_value, low_slope, high, high_value, high_slope,
        third, third_value, safe, safe_value, tried + 1, select(over, 1.0, 0.0),
    )  # fmt: skip


_SLOTS = (
    "past", "past_value", "past_slope", "zooms", "low", "low_value", "low_slope", "high", "high_value", "high_slope",
    "stuck", "tried",
)  # fmt: skip
_ZOOM_SLOTS = (*_SLOTS[:-2], "third", "third_value", "safe", "safe_value", "tried")

SEARCHES = {
    "fixed": Search(secant, most=0),
    "exact": Search(secant, most=1),
    "backtracking": Search(backtrack, most=HALVINGS),
    "strong_wolfe": Search(wolfe, dict.fromkeys(_SLOTS, 0.0), most=MOST + 1),
    "zoom": Search(zoom, dict.fromkeys(_ZOOM_SLOTS, 0.0), most=ZOOMS),
}
"""The searches by name: the first length as it is, the secant's, Armijo's condition, strong Wolfe ones in two ways."""


def name_of_search(value: Any) -> str:
    """Read the name of a search.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    return arguments.choice("search", value, SEARCHES)
