"""Formulas in lanes: of more coordinates than a step keeps in registers, or where losses take turns."""

import functools
from collections.abc import Callable
from typing import Any

from gdfast.formulas.formula import Formula
from gdfast.problems._stepping import LaneKernel


@functools.lru_cache(maxsize=64)
def lane_kernel(
    loss_formula: Callable[..., Any], gradient_formula: Callable[..., Any], dimension: int, params: int
) -> LaneKernel:
    """The lane kernel of a loss and its gradient, formulas of so many coordinates and then numbers, lane by lane."""
    point = ", ".join([*(f"theta[{i}, lane]" for i in range(dimension)), *(f"data[{i}]" for i in range(params))])
    entries = ["slope"] if dimension == 1 else [f"slope[{i}]" for i in range(dimension)]
    slopes = "\n        ".join(f"grad[{i}, lane] = {entry}" for i, entry in enumerate(entries))
    scope: dict[str, Any] = {
        "__name__": __name__,
        "loss": Formula.of(loss_formula, 1).reading("float64"),
        "gradient": Formula.of(gradient_formula, dimension).reading("float64"),
    }
    text = f"""
def gradient_of_lanes(theta, grad, work, n, data, layout, t):
    for lane in range(n):
        slope = gradient({point})
        {slopes}

def objective_of_lanes(theta, out, work, n, data, layout, t):
    for lane in range(n):
        out[lane] = loss({point})
"""
    exec(compile(text, "<formulas in lanes>", "exec"), scope)
    return LaneKernel(scope["gradient_of_lanes"], scope["objective_of_lanes"], work_rows=0, single=True)
