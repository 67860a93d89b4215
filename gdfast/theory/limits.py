"""The largest learning rates at which minima attract, and by what factor disturbances grow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from gdfast import arguments
from gdfast.arguments import POSITIVE
from gdfast.called import optimizer_of, optimizers_of, problem_of
from gdfast.formulas.elementary import Array
from gdfast.formulas.formula import Formula
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.theory import closed
from gdfast.theory.attracting import (
    HOLDS,
    LARGEST,
    Minimum,
    is_curved,
    minimum_of,
    motion_near,
    radii_at_rest,
    remembers,
)
from gdfast.theory.near import LONG, Near, followed
from gdfast.theory.resting import Motion, NoRestError, motion_of, rest, spectral_radii

if TYPE_CHECKING:
    import pandas

_DECADES, _A_DECADE = 20, 4  # of learning rates around that of the curvature, and how many rates in each
_REFINEMENTS, _A_REFINEMENT = 5, 47  # of the place where the spectral radius passes 1
_SAME, _AS_STEEP = 1e-9, 1e-3  # relative
_LATER, _STAYS = 4, 0.02  # times the steps, and share by which a spectral radius that stays may be another then
_STEEP = 1e6  # a curvature beside which weight decay is nothing


def spectral_radius(
    optimizer: Optimizer | str,
    learning_rates: ArrayLike,
    hessian: ArrayLike,
    state: Mapping[str, ArrayLike] | None = None,
) -> Array:
    """By what factor a small disturbance grows with each step near a minimum at the origin.

    Parameters
    ----------
    optimizer : Optimizer or str
        Its rule, hyperparameters and transforms. Coefficients that depend on the step are at their limit.
    learning_rates : array_like, (k,)
        Positive; with the multiplier of a schedule, if there is one.
    hessian : array_like, (d, d)
        The curvature of the loss there; a number will do in one dimension.
    state : mapping, optional
        State slots that are held at values, which may be one for each coordinate, ``(d, 1)``: ``{"v": 4.0}`` for a
        second moment that gradients of the size 2 keep up. Others are at rest. A memory that does not decay is
        otherwise of gradients of the size 1.

    Returns
    -------
    ndarray
        ``float64[k]``; infinite where steps do not vanish with the gradient, as those of `gdfast.transforms.l1` there,
        NaN where no rest is found, chance is in the steps, or a transform that remembers points, such as Lookahead, or
        that is at an edge there, such as a projection.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> from gdfast import optimizers
    >>> spectral_radius(optimizers.gd(), [0.1, 1.0, 3.0], 1.0).round(6).tolist()
    [0.9, 0.0, 2.0]
    >>> bool(spectral_radius(optimizers.adam(), [0.001], 1.0)[0] > 1)  # at rest
    True
    >>> bool(spectral_radius(optimizers.adam(), [0.001], 1.0, {"v": 1.0})[0] < 1)  # as long as v lasts
    True
    """
    optimizer = optimizer_of(optimizer)
    rates = np.atleast_1d(arguments.array("learning_rates", learning_rates, "(k,)"))
    bend = np.atleast_2d(arguments.array("hessian", hessian, "(d, d)"))
    if rates.ndim != 1 or not rates.size or not (np.isfinite(rates) & (rates > 0)).all():
        raise ValueError(f"learning_rates must be positive and finite, (k,) with k >= 1, not {arguments.shown(rates)}")
    if bend.ndim != 2 or bend.shape[0] != bend.shape[1] or not 1 <= len(bend) <= LARGEST or not np.isfinite(bend).all():
        raise ValueError(
            f"hessian must be finite, and of the shape (d, d) with 1 <= d <= {LARGEST}, not {arguments.shown(hessian)}"
        )
    several = np.tile(rates, (len(bend), 1))
    near = followed(optimizer, np.zeros(len(bend)), several)
    rule = optimizer.carrier or optimizer
    held, slots = {}, rule.state + rule.scalars
    told = {} if state is None else arguments.mapping("state", state, "a mapping from state slots to values")
    for name, value in told.items():
        arguments.choice("state: slot", name, slots)
        values = arguments.array(f"state: {name}", value, f"() or ({len(bend)}, 1)")
        if values.shape not in ((), (len(bend), 1)):
            raise ValueError(f"state: {name} must have the shape () or ({len(bend)}, 1), not {values.shape}")
        held[slots.index(name)] = np.broadcast_to(values, several.shape)
    if near is None:
        return np.full(len(rates), np.nan)
    motion = motion_of(near, several, bend, np.ones(2))
    with np.errstate(all="ignore"):
        try:
            return spectral_radii(motion, rest(motion, 1.0).holding(held))
        except NoRestError:
            return np.full(len(rates), np.nan)


def edge(optimizer: Optimizer | str) -> float | None:
    """The edge of stability of an optimizer: learning rate × sharpness beyond which it leaves a minimum.

    It is 2 for gradient descent, 2 + 2β for momentum, (2 + 2β)/(1 + 2β) for Nesterov's (Cohen et al. 2021, arXiv
    2103.00065, appendix B). Of rules that divide by a preconditioner it is that of the preconditioned sharpness, with
    the preconditioner held: (2 + 2β₁)/(1 − β₁), 38, for Adam (Cohen et al. 2022, arXiv 2207.14484, section 3).

    Parameters
    ----------
    optimizer : Optimizer or str
        Its rule and hyperparameters.

    Returns
    -------
    float or None
        None where theory gives no such number, as `limit`, and for rules that see the size of gradients otherwise than
        by a preconditioner that is known, as signs and norms do.

    Raises
    ------
    TypeError
        If it is no optimizer.

    Examples
    --------
    >>> from gdfast import optimizers
    >>> [round(edge(optimizers.CATALOGUE[name]()), 4) for name in ("gd", "momentum", "nesterov", "rmsprop", "adam")]
    [2.0, 3.8, 1.3571, 2.0, 38.0]
    """
    still = np.zeros((1, 1))
    near = followed(optimizer_of(optimizer), still[0], still + 1.0)
    if near is None:
        return None
    optimizer = near.optimizer
    if optimizer.preconditioner is None:
        found, steeper = (limit(optimizer, bend) or 0.0 for bend in (1.0, 4.0)) if _is_proportional(near) else (0, 0)
        # Where steps are scaled by the curvature, as Newton's are, no number is the edge of all curvatures.
        return found if 0 < found < np.inf and abs(4 * steeper - found) <= _AS_STEEP * found else None
    second, *others = (n for n in Formula.of(optimizer.preconditioner, 1).arguments if n in optimizer.state)
    held = {second: 1.0, **dict.fromkeys(others, 0.0)}
    rates = np.geomspace(1e-3, 1e3, 61) / _STEEP
    motion, still = motion_of(near, rates[None], np.full((1, 1), _STEEP), np.ones(2)), np.zeros((1, len(rates)))
    state = [np.full_like(still, held.get(name, 0.0)) for name in optimizer.state + optimizer.scalars]
    divided = optimizer.preconditioners(
        np.stack(motion.step(still, still, state)[1][: len(optimizer.state)]), motion.row
    )
    for _ in range(6):
        grows = ~(spectral_radius(optimizer, rates, _STEEP, held) <= 1.0)
        first = int(np.argmax(grows))
        if not grows.any() or first == 0:
            return None
        rates = np.geomspace(rates[first - 1], rates[first], 33)
    return float(rates[0] * _STEEP / np.asarray(divided)[0, 0])


def _is_proportional(near: Near) -> bool:
    """Whether twice the gradients make twice the steps: no size of gradients is in them."""
    optimizer = near.optimizer
    if optimizer.search:
        return False
    still = np.zeros((1, 1))
    motion, ends = motion_of(near, still + 1.0, still + 1.0, np.ones(2)), []
    for size in (1.0, 2.0):
        first = [*optimizer.initial_state, *optimizer.initial_scalars]
        theta, state = still, [np.full_like(still, value) for value in first]
        with np.errstate(all="ignore"):
            for grad in (1.0, -2.0, 3.0, 1.0):
                before = theta
                theta, state = motion.step(theta, still + size * grad, state)
        ends.append(float((theta - before)[0, 0]))
    return not optimizer.norms and bool(abs(ends[1] - 2 * ends[0]) <= _SAME * abs(ends[1]))


def limit(optimizer: Optimizer | str, curvature: float) -> float | None:
    """The largest stable learning rate of an optimizer at a minimum, None where theory gives no number.

    It is the formula's where there is one, and else found from the spectral radius of the rule. There is none for an
    optimizer with a schedule, with noise, whose rate falls for ever, as ASGD's, or whose state does not come to rest.

    Of rules with kinks, such as Grams, LAMB and cautious ones, the growth of a few disturbances is watched for some
    hundred steps, so that it is good to about one percent. They may hold a minimum again at rates beyond it, in windows
    between others; it is where the first window of growth begins, if that is wider than a twentieth of the rate.

    Parameters
    ----------
    optimizer : Optimizer or str
        Its rule and hyperparameters.
    curvature : float
        λ, the largest eigenvalue of the Hessian at the minimum.

    Returns
    -------
    float or None
        0 for a rule that never comes to rest, as with an L1 penalty's sign about the minimum, which is at the origin;
        infinite for one with a memory that grows until the minimum attracts, or a threshold that holds the origin.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> from gdfast import optimizers
    >>> limit(optimizers.gd(), 4.0)
    0.5
    >>> f"{limit(optimizers.adam(), 1.0):.3g}"  # 38 ε / λ
    '3.8e-07'
    >>> limit(optimizers.signsgd(), 1.0), limit(optimizers.amsgrad(), 1.0)
    (0.0, inf)
    """
    optimizer = optimizer_of(optimizer)
    curvature = arguments.number("curvature", curvature, POSITIVE)
    minimum = Minimum(np.zeros(1), np.array([[curvature]]))
    found = _limit(optimizer, minimum)
    return None if np.isnan(found) else float(found)


def limits(problem: Problem | str, optimizers: Optimizer | str | Sequence[Optimizer | str]) -> "pandas.DataFrame":
    """The largest learning rate at which each minimum of a problem attracts, for every optimizer.

    Parameters
    ----------
    problem : Problem or str
        Its known minima, as `gdfast.run` numbers them: those inside the domain first, of these the lowest.
    optimizers : Optimizer or str, or a sequence of them
        The rules, as in `Sweep`.

    Returns
    -------
    DataFrame
        One row an optimizer (the index), one column a minimum. 0 for a rule that never comes to rest there, as with an
        L1 penalty where a coordinate of the minimum is 0, infinite for one with a memory that grows until the minimum
        attracts, or a threshold that holds the origin. NaN where nothing is told: of flat minima, or of more than 16
        coordinates, with schedules, noise or rates that fall for ever, where a penalty moves the minimum by more than
        the problem's tolerance of the loss or to another side of 0, of projections at whose edge the minimum is, of a
        threshold or an adaptive ball of `gdfast.transforms.sam` off the origin.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> from gdfast import optimizers
    >>> table = limits("quartic", ["gd", optimizers.adam()])
    >>> [f"{rate:.3g}" for rate in table.loc["gd"]], [f"{rate:.3g}" for rate in table.loc["adam"]]
    (['0.0792', '0.147'], ['1.5e-08', '2.8e-08'])
    """
    import pandas

    problem, rules = problem_of(problem), optimizers_of(optimizers)
    minima = [minimum_of(problem, index, problem.loss_tolerance) for index in range(len(problem.minima))]
    rows = [[np.nan if minimum is None else _limit(rule, minimum) for minimum in minima] for rule in rules]
    index = pandas.Index([rule.label for rule in rules], name="optimizer")
    return pandas.DataFrame(rows, index=index, columns=pandas.RangeIndex(len(minima), name="minimum"), dtype=float)


def _limit(optimizer: Optimizer, minimum: Minimum) -> float:
    """The formula's where there is one, and else where the spectral radius passes 1; NaN where it is not told."""
    return _formula(optimizer, minimum) or _scanned(optimizer, minimum)


def _formula(optimizer: Optimizer, minimum: Minimum) -> float | None:
    """The limit where there is a formula for it."""
    given, curvature = optimizer.parameters, float(np.linalg.eigvalsh(minimum.hessian)[-1])
    if optimizer.schedule or optimizer.courses or optimizer.transforms or not is_curved(minimum.hessian):
        return None
    if optimizer.name == "gd":
        return closed.gd(curvature)
    if optimizer.name == "momentum" and given["dampening"] < 1:
        # Dampening scales the gradient's entry into the buffer, from the second step on.
        return closed.heavy_ball(curvature, given["momentum"]) / float(1.0 - given["dampening"])
    if optimizer.name == "nesterov":
        return closed.nesterov(curvature, given["momentum"])
    if optimizer.name == "qhm":
        return closed.qhm(curvature, given["momentum"], given["nu"])
    return None


def _scanned(optimizer: Optimizer, minimum: Minimum) -> float:
    """Where the spectral radius first passes 1, from small rates on; NaN where it is not told."""
    if optimizer.schedule is not None or not is_curved(minimum.hessian):
        return np.nan
    steepest = float(np.linalg.eigvalsh(minimum.hessian)[-1])
    rates = np.logspace(-_DECADES, _DECADES, 2 * _DECADES * _A_DECADE + 1) / steepest
    for step in range(_REFINEMENTS):
        motion = motion_near(optimizer, np.tile(rates, (len(minimum.point), 1)), minimum, np.ones(2))
        if motion is None:
            return np.nan
        radii = radii_at_rest(motion, minimum)
        beyond = np.flatnonzero(~(radii <= HOLDS))
        if not step and not beyond.size:
            return np.inf if _lasts(optimizer, motion, minimum, radii) else np.nan
        if not step and beyond[0] == 0:
            return np.nan if np.isnan(radii[0]) else 0.0
        first = max(int(beyond[0]), 1) if beyond.size else len(rates) - 1
        if np.isnan(radii[first]):
            return np.nan
        if radii[first] < np.inf and remembers(motion.at([first]), minimum.size):
            return np.inf
        about = [first - 1, first]
        if step == _REFINEMENTS - 1 and not _lasts(optimizer, motion.at(about), minimum, radii[about]):
            return np.nan
        # Of rules with kinks there may be windows of growth below, narrower than rates are apart at first.
        rates = np.geomspace(rates[max(first - (1 if step else _A_DECADE), 0)], rates[first], _A_REFINEMENT)
    return float(np.sqrt(rates[0] * rates[-1]))


def _lasts(optimizer: Optimizer, motion: Motion, minimum: Minimum, radii: Array) -> bool:
    """Whether spectral radii are not seen to be others at later steps, as those of a rate are that falls for ever."""
    if np.allclose(motion.row, motion.earlier, rtol=_SAME, atol=0):
        return True
    later = motion_near(optimizer, motion.rates, minimum, np.ones(2), _LATER * LONG)
    return later is None or not (np.abs(radii_at_rest(later, minimum) - radii) > _STAYS * radii).any()
