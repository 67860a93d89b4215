"""A landscape upside down: gradient ascent is gradient descent on −f.

The loss that is told is −f, and its minima are the maxima of f. The steps are those of torch's ``maximize=True``, which
changes the sign of the gradient before anything else.
"""

from typing import Any

from gdfast.arguments import shown
from gdfast.formulas.families import define
from gdfast.formulas.formula import Formula
from gdfast.named import named
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._stepwise import made
from gdfast.problems.expression import from_expression


@named(problem=made)
def maximized(problem: Problem | str = "exp(-x^2 - y^2)") -> Landscape:
    """Turn a landscape upside down, so that optimizers climb it.

    Parameters
    ----------
    problem : Landscape, factory or str
        What is to be maximized; a text is an expression, as of `from_expression`.

    Returns
    -------
    Landscape
        Of −f, which is the loss that is told.

    Raises
    ------
    TypeError, ValueError
        If it is no landscape of formulas.

    Examples
    --------
    >>> import gdfast
    >>> path = gdfast.trajectory(maximized("exp(-(x-1)^2)"), "gd", [0.0], 0.5, 100)
    >>> path.theta.values[-1].round(6).tolist(), path.loss.values[-1].round(6).tolist()
    ([1.0], -1.0)
    """
    of: Any = problem
    try:
        of = from_expression(of) if isinstance(of, str) else of
    except (TypeError, ValueError) as error:
        raise type(error)(f"maximized: problem: {error}") from None
    if not isinstance(of, Landscape):
        raise TypeError(
            "maximized: problem must be a landscape, whose loss is a formula, such as gdfast.problems.quartic(), not "
            f"{shown(of)}"
        )
    loss, gradient = (_negated(of, role) for role in ("loss_formula", "gradient_formula"))
    told: dict[str, Any] = {"near": of.near, "representative": of.representative, "params": dict(of.params)}
    return Landscape(loss, gradient, domain=of.domain, **told)


def _negated(problem: Landscape, role: str) -> Any:
    formula = getattr(problem, role)
    results = problem.dimension if role == "gradient_formula" else 1
    names = (*problem.coordinates, *problem.params)
    lines, texts = Formula.of(formula, results).inlined(names, "_")
    values = [f"-({text})" for text in texts]
    return define(role.partition("_")[0], names, lines, values[0] if len(values) == 1 else values)
