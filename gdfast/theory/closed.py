"""Stability limits of learning rates as formulas.

Arguments may be numbers, arrays of them, or symbols of SymPy; anything else is refused, and so are curvatures that are
not positive and coefficients outside of what the optimizer accepts.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from gdfast import arguments
from gdfast.arguments import FRACTION, POSITIVE, UNIT, Interval

P = ParamSpec("P")
T = TypeVar("T")


def _of(**accepted: Interval) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Check the arguments of a formula: each a number in its interval, an array of such, or a symbol of SymPy."""

    def decorate(formula: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(formula)

        @functools.wraps(formula)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            bound = signature.bind(*args, **kwargs)
            for name, interval in accepted.items():
                bound.arguments[name] = _value(name, bound.arguments[name], interval)
            return formula(*bound.args, **bound.kwargs)

        return checked

    return decorate


def _value(argument: str, value: Any, accepted: Interval) -> Any:
    if hasattr(value, "free_symbols"):
        return value
    if not isinstance(value, np.ndarray) or not value.ndim:
        return arguments.number(argument, value, accepted)
    values = arguments.array(argument, value)
    for number in values.ravel():
        arguments.number(argument, number, accepted)
    return values


@_of(curvature=POSITIVE)
def gd(curvature: float) -> float:
    """Limit of gradient descent, 2/λ: where |1 − ηλ| = 1.

    Parameters
    ----------
    curvature : float, array or symbol > 0
        λ.

    Returns
    -------
    float, array or symbol
        The largest learning rate.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.theory.gd(curvature=4.0)
    0.5
    """
    return 2.0 / curvature


@_of(curvature=POSITIVE, momentum=FRACTION)
def heavy_ball(curvature: float, momentum: float) -> float:
    """Limit of heavy-ball momentum, 2(1 + μ)/λ (Polyak 1964).

    Parameters
    ----------
    curvature : float, array or symbol > 0
        λ.
    momentum : float, array or symbol in [0, 1)
        μ.

    Returns
    -------
    float, array or symbol
        The largest learning rate.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.theory.heavy_ball(curvature=4.0, momentum=0.5)
    0.75
    """
    return 2.0 * (1.0 + momentum) / curvature


@_of(curvature=POSITIVE, momentum=FRACTION)
def nesterov(curvature: float, momentum: float) -> float:
    """Limit of Nesterov momentum with constant μ, 2(1 + μ)/((1 + 2μ)λ).

    Parameters
    ----------
    curvature : float, array or symbol > 0
        λ.
    momentum : float, array or symbol in [0, 1)
        μ.

    Returns
    -------
    float, array or symbol
        The largest learning rate.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.theory.nesterov(curvature=4.0, momentum=0.5)
    0.375
    """
    return 2.0 * (1.0 + momentum) / ((1.0 + 2.0 * momentum) * curvature)


@_of(curvature=POSITIVE, beta=FRACTION)
def ema_momentum(curvature: float, beta: float) -> float:
    """Limit of momentum as an exponential moving average, 2(1 + β)/((1 − β)λ).

    Parameters
    ----------
    curvature : float, array or symbol > 0
        λ.
    beta : float, array or symbol in [0, 1)
        β.

    Returns
    -------
    float, array or symbol
        The largest learning rate.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.theory.ema_momentum(curvature=4.0, beta=0.5)
    1.5
    """
    return 2.0 * (1.0 + beta) / ((1.0 - beta) * curvature)


@_of(curvature=POSITIVE, momentum=FRACTION, nu=UNIT)
def qhm(curvature: float, momentum: float, nu: float) -> float:
    """Limit of quasi-hyperbolic momentum, 2(1 + μ)/((1 + μ − 2νμ)λ): gd's at ν = 0, `ema_momentum`'s at ν = 1.

    Parameters
    ----------
    curvature : float, array or symbol > 0
        λ.
    momentum : float, array or symbol in [0, 1)
        μ.
    nu : float, array or symbol in [0, 1]
        ν, the weight of the momentum.

    Returns
    -------
    float, array or symbol
        The largest learning rate.

    Examples
    --------
    >>> import gdfast
    >>> gdfast.theory.qhm(curvature=4.0, momentum=0.5, nu=1.0)
    1.5
    """
    return 2.0 * (1.0 + momentum) / ((1.0 + momentum - 2.0 * nu * momentum) * curvature)


@_of(curvature=POSITIVE, beta1=FRACTION)
def adam_frozen(curvature: float, beta1: float) -> float:
    """Limit of Adam with a frozen preconditioner; `curvature` is that of the preconditioned Hessian.

    It is `ema_momentum`'s: 38/λ at β₁ = 0.9 (Cohen et al. 2022, arXiv 2207.14484). In one coordinate of curvature h
    the preconditioned curvature is h/(√v̂ + ε).

    Parameters
    ----------
    curvature : float, array or symbol > 0
        λ, of the preconditioned Hessian.
    beta1 : float, array or symbol in [0, 1)
        β₁.

    Returns
    -------
    float, array or symbol
        The largest learning rate.

    Examples
    --------
    >>> import gdfast
    >>> round(gdfast.theory.adam_frozen(curvature=4.0, beta1=0.9), 6)
    9.5
    """
    return ema_momentum(curvature, beta1)
