"""Formulas in lanes: of more coordinates than a step keeps in registers, or where losses take turns."""

import functools
from collections.abc import Callable
from typing import Any

from gdfast.formulas.derivatives import NoDerivativeError, product_of
from gdfast.formulas.formula import Formula
from gdfast.formulas.lane_products import independent
from gdfast.formulas.source import defined
from gdfast.problems._stepping import LaneKernel


@functools.lru_cache(maxsize=64)
def lane_kernel(
    loss_formula: Callable[..., Any], gradient_formula: Callable[..., Any], dimension: int, params: int
) -> LaneKernel:
    """The lane kernel of a loss and its gradient, formulas of so many coordinates and then numbers, lane by lane."""
    numbers = [f"data[{i}]" for i in range(params)]
    at, along = ([f"{name}[{i}, lane]" for i in range(dimension)] for name in ("theta", "way"))
    point = ", ".join([*at, *numbers])
    entries = ["slope"] if dimension == 1 else [f"slope[{i}]" for i in range(dimension)]
    slopes = "\n        ".join(f"grad[{i}, lane] = {entry}" for i, entry in enumerate(entries))
    scope: dict[str, Any] = {
        "__name__": __name__,
        "independent": independent,
        "loss": Formula.of(loss_formula, 1).reading("float64"),
        "gradient": Formula.of(gradient_formula, dimension).reading("float64"),
    }
    text = f"""
def gradient_of_lanes(theta, grad, work, n, data, layout, t):
    for lane in range(n):
        slope = gradient({point})
        {slopes}
        independent()

def objective_of_lanes(theta, out, work, n, data, layout, t):
    for lane in range(n):
        out[lane] = loss({point})
        independent()
"""
    try:
        product = product_of(gradient_formula, dimension)
    except NoDerivativeError:
        scope["product_of_lanes"] = None
    else:
        scope["product"] = Formula.of(product, dimension).reading("float64")
        bends = slopes.replace("grad[", "out[")
        text += f"""
def product_of_lanes(theta, way, out, work, n, data, layout, t):
    for lane in range(n):
        slope = product({", ".join([*at, *along, *numbers])})
        {bends}
        independent()
"""
    defined(text, scope, "<formulas in lanes>")
    gradient, objective, product = (scope[f"{name}_of_lanes"] for name in ("gradient", "objective", "product"))
    return LaneKernel(gradient, objective, work_rows=0, single=True, product=product)
