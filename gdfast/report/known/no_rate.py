"""Rules that find their rate: linear rates on quadratics, and no need to choose."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab

CONDITIONS = (10.0, 1e3, 1e6)
STEPS, DIMENSION, GOAL = 1000, 8, 1e-6
FLAT = 2.0  # times more steps, at most
MOST = 60  # steps: convergence that does not feel the condition number
DECADES = np.geomspace(1e-8, 1e-3, 6)


def path_of(problem: Problem, rule: Optimizer, rate: float) -> Array:
    """The losses of each step."""
    start = np.ones(problem.dimension)
    return np.asarray(gdfast.trajectory(problem, rule, start, rate, STEPS, gradient_tolerance=1e-100).loss.values)


def steps_to(losses: Array) -> float:
    """After how many steps the loss is a millionth of the first."""
    below = losses <= GOAL * losses[0]
    return float(np.argmax(below)) if below.any() else np.inf


def of_first_rate(factory: Callable[[], Optimizer]) -> Callable[[float], tuple[Optimizer, float]]:
    """What is run where the first rate is all that is left to choose."""
    return lambda x: (factory(), x)


LEFT: dict[str, Callable[[float], tuple[Optimizer, float]]] = {
    "AdGD, first rate": of_first_rate(optimizers.adgd),
    "Barzilai–Borwein, first rate": of_first_rate(optimizers.barzilai_borwein),
    "DoG, r_ε": lambda x: (optimizers.dog(r_eps=x), 1.0),
    "Prodigy, d₀": lambda x: (optimizers.prodigy(d0=x), 1.0),
}
"""By what is left to choose: the rule and its learning rate."""


def find(lab: Lab) -> Found:
    """Contractions by condition number, and the steps that it takes by the number that is left to choose."""
    compared: list[Compared] = []
    lines: dict[str, tuple[ArrayLike, ArrayLike]] = {}
    for condition in CONDITIONS:
        problem = problems.quadratic(condition=condition, dimension=DIMENSION)
        path = gdfast.trajectory(
            problem, optimizers.polyak_sgd(), np.ones(DIMENSION), 1.0, STEPS, gradient_tolerance=1e-100
        )
        square = (path.theta.values**2).sum(axis=1)
        square = square[square > 1e-25 * square[0]]
        left, bound = float((square[1:] / square[:-1]).max()), 1 - 0.25 / condition
        compared.append(Compared(f"most of ‖x‖² left by Polyak's step, κ = {condition:g}", bound, left, 0, "at most"))
        lines[f"Polyak, κ = {condition:g}"] = np.arange(len(square)) * 1.0, square
        two = problems.quadratic(condition=condition, dimension=2)
        losses = path_of(two, optimizers.barzilai_borwein(), 1e-3 / condition)
        taken = steps_to(losses)
        compared.append(Compared(f"steps of Barzilai–Borwein in 2-D, κ = {condition:g}", MOST, taken, 0, "at most"))
        losses = losses[losses > 0]
        lines[f"Barzilai–Borwein in 2-D, κ = {condition:g}"] = np.arange(len(losses)) * 1.0, losses / losses[0]
    named = {"yscale": "log", "xscale": "symlog", "ylim": (1e-26, 10), "xlabel": "step", "title": "‖x‖², or loss"}

    problem, choices = problems.quadratic(condition=10.0, dimension=DIMENSION), {}
    for name, made in LEFT.items():
        steps = np.array([steps_to(path_of(problem, *made(float(x)))) for x in DECADES])
        more = float(steps.max() / steps.min())
        compared.append(Compared(f"most steps over fewest, {name} over 5 decades", 1, more, FLAT - 1))
        choices[name] = DECADES, steps
    axes = {"xscale": "log", "yscale": "log", "xlabel": "what is left to choose"}
    return Found(
        compared,
        partial(
            several_panes,
            [(lines, None, named), (choices, None, {**axes, "title": "steps to 10⁻⁶ of the loss, κ = 10"})],
        ),
        reason="DoG's distance begins at r_ε and takes its time to grow, and the gradients of that time stay in its "
        "sum: its theorem has the logarithm of the distance over r_ε as a factor, too.",
    )


KNOWN = Known(
    "no-rate",
    "Rules that find their rate converge linearly, and what is left to choose hardly matters",
    "Polyak 1969; Barzilai & Borwein 1988; Malitsky & Mishchenko 2020; Ivgi, Hinder & Carmon 2023; Mishchenko & "
    "Defazio 2023",
    f"Quadratics with κ = 10, 10³ and 10⁶ from (1, …, 1), {STEPS} steps.",
    find,
)
