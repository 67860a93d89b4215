"""The program of a page: the engine, the functions that formulas call, the landscape, and each optimizer on it."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.formulas.javascript import written
from gdfast.live.lane_functions import library
from gdfast.live.limits import packed
from gdfast.live.pairs import initial_lane, landscape, stepping
from gdfast.live.step_tables import Table, table_of
from gdfast.optimizers import Optimizer
from gdfast.parts import step_table
from gdfast.problems import Problem


def text(name: str) -> str:
    """A file of this folder."""
    return files("gdfast.live").joinpath(name).read_text(encoding="utf-8")


def engine() -> str:
    """What all pages have."""
    return text("engine.js") + library()


def landscape_text(problem: Problem, real: str = "float64") -> str:
    """The landscape as an object of JavaScript, in an expression."""
    before = "const before = objective;\n"
    if real != "float64":
        double = landscape(problem)[: landscape(problem).index("function gradient")]
        before = double.replace("function objective", "function before")
    return (
        f"(() => {{\n{landscape(problem, real)}{before}"
        f"return {{ objective, gradient, hessian, before, single: {str(real != 'float64').lower()} }};\n}})()"
    )


def optimizer_text(problem: Problem, optimizer: Optimizer, table: Table, real: str = "float64") -> str:
    """An optimizer on it as such an object."""
    advance = stepping(problem, optimizer, table.constant, real)
    first = np.array(initial_lane(problem, optimizer), dtype=real).astype(np.float64)
    initial = ", ".join(map(written, first.tolist()))
    fill = f"function fill(T, p, own, last, width) {{\n{table.text}\n}}\n"
    return f"(() => {{\n{advance}{fill}return {{ advance, fill, initial: [{initial}] }};\n}})()"


def own_table(optimizer: Optimizer, problem: Problem, max_steps: int, dtype: str = "float64") -> Array:
    """The step table of an optimizer as it is."""
    return step_table(optimizer, None, problem, max_steps).astype(dtype).astype(np.float64)


def columns_of(table: Table, own: Array) -> dict[str, Any]:
    """The table as plain data: constant columns as numbers, the others in full."""
    constant = (own == own[0]).all(axis=0)
    return {
        "width": own.shape[1],
        "first": packed(own[0]),
        "moving": np.flatnonzero(~constant).tolist(),
        "columns": packed(own[:, ~constant].T),
    }


def tables_of(problem: Problem, optimizers: Sequence[Optimizer], max_steps: int) -> list[tuple[Table, Array]]:
    """The step table of each, in JavaScript and as it is."""
    found = []
    for optimizer in optimizers:
        own = own_table(optimizer, problem, max_steps)
        found.append((table_of(optimizer, own), own))
    return found
