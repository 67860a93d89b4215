"""Transforms of the point, after the update."""

import numpy as np

from gdfast import arguments
from gdfast.arguments import ANY, NONNEGATIVE, POSITIVE, UNIT
from gdfast.formulas.elementary import absolute, maximum, minimum, select, sign
from gdfast.named import named
from gdfast.transforms._transform import THE_START, Transform, extent, part


def _decayed(theta, grad, before, lr, weight):
    return theta - lr * weight * before


@named(weight=NONNEGATIVE, of=part)
def weight_decay(weight: float = 0.01, of: str = "all") -> Transform:
    """Decoupled weight decay: θ − ηλ times the point before the update, whatever the gradient (AdamW's).

    Source: Loshchilov & Hutter (2019), "Decoupled weight decay regularization".

    Parameters
    ----------
    weight : float >= 0
        λ.
    of : {"all", "matrices"}
        Which parameters decay: all, or weights alone, and no biases, scales and shifts.
    """
    return Transform(_decayed, after=True, of=of)


def _looked_ahead(theta, grad, before, slow, lr, meets, alpha):
    slow = select(meets > 0, slow + alpha * (theta - slow), slow)
    return select(meets > 0, slow, theta), slow


@named(alpha=UNIT)
def lookahead(k: int = 5, alpha: float = 0.5) -> Transform:
    """Lookahead: at every k-th step slow weights take a share of the way, and the optimizer goes on from there.

        s ← s + α (θ − s),  θ ← s   at the steps k, 2k, …

    s begins at the start. θ, which is judged, are the fast weights, which are the slow ones after each k-th step: with
    a budget that is a multiple of k it ends at these. The optimizer's state stays as it is. Source: Zhang, Lucas,
    Hinton & Ba (2019), "Lookahead optimizer: k steps forward, 1 step back", arXiv 1907.08610.

    Parameters
    ----------
    k : int >= 1
        The steps from one meeting to the next.
    alpha : float in [0, 1]
        α, the share of the way.
    """
    k = arguments.integer("lookahead: k", k)
    return Transform(
        _looked_ahead,
        after=True,
        initial={"slow": THE_START},
        step_table=lambda t: {"meets": (t % k == 0).astype(np.float64)},
    )


def _agreeing(theta, grad, before, lr):
    return select((before - theta) * grad > 0, 1.0, 0.0), 1.0


def _cautious(theta, grad, before, lr, kept, size):
    scale = size / maximum(kept, 0.001 * size)
    return before + scale * select((before - theta) * grad > 0, theta - before, 0.0)


@named(over=extent)
def cautious(over: str = "all") -> Transform:
    """Caution: only the coordinates whose update agrees with the gradient move, and farther.

    With u the way from the point before the update, it keeps uᵢ where −uᵢ gᵢ > 0, times d / max(number kept, d/1000).
    Of what stands before it: a decay that is not to be masked stands after it. Source: Liang et al. (2024), "Cautious
    optimizers", arXiv 2411.16085, as in the authors' code, which counts in each array of parameters;
    ``pytorch_optimizer``'s ``cautious=True`` multiplies by d / (number kept + 1).

    Parameters
    ----------
    over : {"all", "arrays", "units"}
        In what d and the number kept are counted: all parameters, each array, or the inputs of each unit.
    """
    return Transform(_cautious, after=True, sums=("kept", "size"), terms=_agreeing, over=over)


def _in_box(theta, grad, before, lr, low, high):
    return maximum(minimum(theta, high), low)


@named(low=ANY, high=ANY)
def box(low: float = -1.0, high: float = 1.0) -> Transform:
    """Projection to a box after the update: each coordinate to the nearest number of [low, high].

    It is optax's ``projections.projection_box``; with ``low=0, high=1e300`` its ``projection_non_negative``.

    Parameters
    ----------
    low, high : float
        The ends, the same for all coordinates.
    """
    if np.any(low > high):
        raise ValueError(f"box: low must be at most high, {arguments.shown(high)}, not {arguments.shown(low)}")
    return Transform(_in_box, after=True)


def _point_entries(theta, grad, before, lr, radius):
    return theta


def _in_ball(theta, grad, before, lr, size, radius):
    return select(size > radius, theta * (radius / size), theta)


@named(radius=POSITIVE, over=extent)
def ball(radius: float = 1.0, over: str = "all") -> Transform:
    """Projection to a ball about the origin after the update: θ · min(1, r/‖θ‖).

    It is optax's ``projections.projection_l2_ball``; over units it is the max-norm constraint of Srivastava et al.
    (2014), "Dropout", section 5.1.

    Parameters
    ----------
    radius : float > 0
        r.
    over : {"all", "arrays", "units"}
        Of what the norm is: of all parameters, of each array, or of the inputs of each unit.
    """
    return Transform(_in_ball, after=True, norms=("size",), entries=_point_entries, over=over)


def _above(value, kept, total, radius):
    """What a value is above the threshold that the values kept so far call for; all are kept at first."""
    return value - select(kept > 0, (total - radius) / kept, value)


def _least_and_largest(theta, grad, before, lr, radius):
    return maximum(theta, 0), 1 / maximum(-theta, 0)


def _below_largest(theta, grad, before, lr, largest, nearest, kept, total, radius):
    """How many are kept, and their sum, from the largest downwards: of negative ones 1 / nearest is the size of it."""
    value = theta - (largest - 1 / nearest)
    keeps = _above(value, kept, total, radius) >= 0
    return select(keeps, 1.0, 0.0), select(keeps, value, 0.0)


def _on_simplex(theta, grad, before, lr, largest, nearest, kept, total, radius):
    return maximum(_above(theta - (largest - 1 / nearest), kept, total, radius), 0.0)


@named(radius=POSITIVE, over=extent)
def simplex(radius: float = 1.0, over: str = "all") -> Transform:
    """Projection to a simplex after the update: the nearest point of nonnegative coordinates whose sum is r.

        θᵢ ← max(θᵢ − τ, 0),  τ = (Σ θⱼ − r) / n over the n coordinates above τ

    τ is found in rounds, from all coordinates on: those below it are left out of the next, until none is. It is optax's
    ``projections.projection_simplex``. Sources: Michelot (1986), "A finite algorithm for finding the projection of a
    point onto the canonical simplex of Rⁿ"; Duchi, Shalev-Shwartz, Singer & Chandra (2008), "Efficient projections onto
    the ℓ1-ball for learning in high dimensions".

    Parameters
    ----------
    radius : float > 0
        r.
    over : {"all", "arrays", "units"}
        Whose sum it is: of all parameters, of each array, or of the inputs of each unit.
    """
    return Transform(
        _on_simplex,
        after=True,
        norms=("largest", "nearest"),
        entries=_least_and_largest,
        euclidean=False,
        sums=("kept", "total"),
        terms=_below_largest,
        rounds=True,
        over=over,
    )


def _sizes_below_largest(theta, grad, before, lr, largest, kept, total, size, radius):
    value = absolute(theta) - largest
    keeps = _above(value, kept, total, radius) >= 0
    return select(keeps, 1.0, 0.0), select(keeps, value, 0.0), absolute(theta)


def _in_l1_ball(theta, grad, before, lr, largest, kept, total, size, radius):
    value = maximum(_above(absolute(theta) - largest, kept, total, radius), 0.0)
    return select(size > radius, sign(theta) * value, theta)


@named(radius=POSITIVE, over=extent)
def l1_ball(radius: float = 1.0, over: str = "all") -> Transform:
    """Projection to an ℓ1 ball about the origin after the update: the nearest point with ‖θ‖₁ ≤ r.

        θ ← sign θ · max(|θ| − τ, 0) where ‖θ‖₁ > r,  with τ such that ‖θ‖₁ = r

    It is the projection of |θ| to a `simplex`, with τ found likewise, and optax's ``projections.projection_l1_ball``.
    With gradient descent its limit is the lasso in its first form, least squares under a bound of ‖θ‖₁ (Tibshirani
    1996). Source: Duchi, Shalev-Shwartz, Singer & Chandra (2008), "Efficient projections onto the ℓ1-ball for learning
    in high dimensions".

    Parameters
    ----------
    radius : float > 0
        r.
    over : {"all", "arrays", "units"}
        Of what the norm is: of all parameters, of each array, or of the inputs of each unit.
    """
    return Transform(
        _in_l1_ball,
        after=True,
        norms=("largest",),
        entries=_point_entries,
        euclidean=False,
        sums=("kept", "total", "size"),
        terms=_sizes_below_largest,
        rounds=True,
        over=over,
    )


def _shrunk(theta, grad, before, lr, weight):
    return sign(theta) * maximum(absolute(theta) - lr * weight, 0.0)


@named(weight=NONNEGATIVE, of=part)
def soft_threshold(weight: float = 0.01, of: str = "all") -> Transform:
    """Soft threshold after the update: sign θ · max(|θ| − ηλ, 0), the proximal step of an L1 penalty λ‖θ‖₁.

    With gradient descent it is ISTA, whose limit is the lasso. η is the learning rate with its schedule: the proximal
    step of a rule that scales coordinates by themselves would take theirs. Source: Daubechies, Defrise & De Mol
    (2004), "An iterative thresholding algorithm for linear inverse problems", and Beck & Teboulle (2009).

    Parameters
    ----------
    weight : float >= 0
        λ.
    of : {"all", "matrices"}
        Which parameters shrink: all, or weights alone, and no biases, scales and shifts.
    """
    return Transform(_shrunk, after=True, of=of)
