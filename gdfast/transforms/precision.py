"""Transforms that round parameters or gradients to formats of fewer bits."""

from collections.abc import Callable
from typing import Any

from gdfast import arguments, formats
from gdfast.named import named
from gdfast.transforms._transform import Transform


def _nearest(theta, grad, before, lr, ulp, smallest, largest):
    return formats.nearest(theta, ulp, smallest, largest)


def _nearest_gradient(theta, grad, lr, ulp, smallest, largest):
    return formats.nearest(grad, ulp, smallest, largest)


def _by_chance(theta, grad, before, lr, chance, ulp, smallest, largest):
    return formats.by_chance(theta, chance, ulp, smallest, largest)


def _gradient_by_chance(theta, grad, lr, chance, ulp, smallest, largest):
    return formats.by_chance(grad, chance, ulp, smallest, largest)


_ROUNDINGS: dict[bool, tuple[Callable[..., Any], Callable[..., Any]]] = {
    False: (_nearest, _nearest_gradient),
    True: (_by_chance, _gradient_by_chance),
}


@named()
def rounded(format: str = "bfloat16", gradient: bool = False, stochastic: bool = False, seed: int = 0) -> Transform:
    """Round to a format of fewer bits: what is kept in it while the arithmetic is that of the sweep's `dtype`.

    With u the distance of neighbouring numbers of the format at x, it is the nearest multiple of u, of two the even
    one; or, with `stochastic`, x goes up to the next multiple with the probability x/u − ⌊x/u⌋, else down, so that its
    mean is x. Below the smallest normal number the format has subnormal ones; beyond the largest it is infinite.

    Parameters are rounded after each update, so that an update by less than u/2 changes nothing, unless by chance; the
    start is as it is given, and what an optimizer remembers is not rounded. Random numbers depend on the seed, the
    trajectory's number in the sweep, the step and the coordinate, and on nothing else; of several such transforms each
    should have a seed of its own.

    Source: Gupta, Agrawal, Gopalakrishnan & Narayanan (2015), "Deep learning with limited numerical precision".

    Parameters
    ----------
    format : str
        ``bfloat16`` (8 significant binary digits), ``float16`` (11), ``float8_e5m2`` (3) or ``float8_e4m3`` (4, with
        infinities).
    gradient : bool
        Whether the gradient is rounded, where the transform stands among others, instead of the parameters.
    stochastic : bool
        Whether it is rounded by chance.
    seed : int
        Of the random numbers, below 2⁶³.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these.
    """
    numbers = formats.FORMATS[arguments.choice("rounded: format", format, formats.FORMATS)].numbers
    of_gradient = arguments.flag("rounded: gradient", gradient)
    arguments.integer("rounded: seed", seed, low=0, high=2**63 - 1)
    rule = _ROUNDINGS[arguments.flag("rounded: stochastic", stochastic)][of_gradient]
    return Transform(rule, step_table=lambda t: numbers, after=not of_gradient, jumps=True)
