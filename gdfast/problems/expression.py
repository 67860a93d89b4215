"""Landscapes from a line of mathematics, such as ``(1 - x)**2 + 100*(y - x**2)**2``."""

import functools
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.formulas.derivatives import NoDerivativeError, derived
from gdfast.formulas.mathematics import flat_name, read
from gdfast.formulas.writer import Writer
from gdfast.named import named
from gdfast.problems._landscape import MOST_COORDINATES, Landscape, checked_domain

DEFAULT_RANGE = (-5.0, 5.0)


@named()
def from_expression(expression: str, domain: Any = None, params: Any = None, minimum: float | None = None) -> Landscape:
    """Make a landscape of an expression of its coordinates.

    Parameters
    ----------
    expression : str
        Numbers, names of coordinates, ``+ - * /``, powers as ``**`` or ``^``, parentheses, ``pi``, ``e``, and the
        functions abs, acos, asin, atan, cos, cosh, erf, exp, ln or log, log10, log1p, log2, max, min, relu, sigmoid,
        sign, sin, sinh, softplus, sqrt, tan, tanh; ``where(x < 1, a, b)``, ``a if x < 1 else b`` or
        ``piecewise((a, x < 1), (b, x < 2), (c, True))``, with ``and``, ``or``, ``not``. NumPy's names are understood,
        with ``np.`` before them or not, and so are ``math.``'s. Every other name is a coordinate; ``x[0]``, ``x[1]``,
        … are the coordinates x0, x1, …. A product needs its sign. Outside the domain of a function, its value is that
        of NumPy: NaN for the logarithm of a negative number, as for a power with a fractional or variable exponent.
    domain : array_like, (d, 2), or mapping, optional
        Lowest and highest value of each coordinate, or one pair for all of them. The coordinates are in alphabetical
        order, x2 before x10, unless this is a mapping from their names to pairs, whose order is then theirs. [−5, 5]
        each if not given.
    params : mapping, optional
        Values of names that are no coordinates but numbers: ``from_expression("a*x**2", params={"a": 0.1})``. One
        compiled kernel serves for all values.
    minimum : float, optional
        The lowest loss, f*, if it is known and is that of no minimum that can be found, as of ``exp(-x)``.

    Returns
    -------
    Landscape
        With the gradient and the Hessian derived, and the stationary points found numerically where they can be.
        Where abs, max or min has a kink, the derivative is that of one side, or 0 for abs.

    Raises
    ------
    TypeError, ValueError
        If the expression is not one or is the name of a problem, if it has not 1 to 100 coordinates, or if the domain
        does not fit them.

    Examples
    --------
    >>> from_expression("x[0]^2 + np.cos(x[1])", domain=(-2, 2)).gradient([[3.0], [0.0]])[:, 0]
    array([ 6., -0.])
    """
    values = arguments.mapping("params", {} if params is None else params, "a mapping from names to numbers")
    all_names = read(expression).names
    for name in values:
        arguments.choice("params: name", name, all_names)
    names = tuple(name for name in all_names if name not in values)
    return landscape_of(expression, names, domain, values, minimum)


def landscape_of(
    expression: str, names: Sequence[str], domain: Any, params: Mapping[str, Any], minimum: float | None = None
) -> Landscape:
    """Return the landscape of an expression of these coordinates, which it need not name all; see `from_expression`.

    Raises
    ------
    TypeError, ValueError
        If it is the name of a problem, has not 1 to 100 coordinates, or the domain does not fit them.
    """
    from gdfast.problems import CATALOGUE  # of which what makes expressions is one

    name = expression.strip()
    if name in CATALOGUE:  # it would be a line with a coordinate of this name
        raise ValueError(
            f"expression must be a formula, not {name!r}, the name of a problem, which is given as "
            f"gdfast.problems.{name}(), as --problem {name} or, among the parameters of another, as ({name})"
        )
    if not 1 <= len(names) <= MOST_COORDINATES:
        listed = ", ".join(names[:9]) + (", …" if len(names) > 9 else "") if names else "none"
        raise ValueError(f"expression must have 1 to {MOST_COORDINATES} coordinates, not {len(names)}: {listed}")
    domain = _for_each(domain, names)
    pairs = dict(zip(names, map(tuple, checked_domain("expression", domain, names).tolist()), strict=True))
    order = tuple(domain) if isinstance(domain, Mapping) else tuple(names)
    loss, gradient = _formulas(expression, order, tuple(params))
    return Landscape(loss, gradient, [pairs[name] for name in order], params=params, minimum=minimum)


def _for_each(domain: Any, names: Sequence[str]) -> Any:
    """A domain as a mapping or one pair for each coordinate, whatever is not."""
    if domain is None:
        return dict.fromkeys(names, DEFAULT_RANGE)
    if isinstance(domain, Mapping):
        return {flat_name(name) if isinstance(name, str) else name: pair for name, pair in domain.items()}
    pair = isinstance(domain, tuple | list | np.ndarray) and getattr(domain, "ndim", 1) > 0 and len(domain) == 2
    if pair and all(isinstance(end, numbers.Real) for end in domain):
        return [domain] * len(names)
    return domain


@functools.lru_cache(maxsize=64)
def _formulas(expression: str, coordinates: Sequence[str], params: Sequence[str]) -> tuple[Any, Any]:
    # Kept, since every tile that another process runs makes its problem again.
    graph, loss, _ = read(expression)
    names = (*coordinates, *params)
    try:
        gradient = derived("gradient", graph, [loss], names, coordinates)
    except NoDerivativeError as error:
        raise ValueError(f"expression: {error}") from None
    return Writer(graph).formula("loss", names, loss), gradient
