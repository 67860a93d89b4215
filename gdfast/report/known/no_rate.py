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


def share_of_dogs_bound(problem: Problem, rule: Optimizer) -> float:
    """The most that DoG's mean of points leaves of the loss, as a share of what is proved of it (Lemma 1 there).

    With r the largest distance from the start so far, D that from the minimum, and G the sum of squared gradients,

        f(mean of x_k by r_k over k < t) − f* ≤ r_t (2 D_t + r_t) √G_{t−1} / Σ_{k<t} r_k
    """
    path = gdfast.trajectory(problem, rule, np.ones(problem.dimension), 1.0, STEPS, gradient_tolerance=1e-100)
    points = path.theta.values
    first = rule.parameters["r_eps"] * (1 + np.linalg.norm(points[0]))
    far = np.maximum.accumulate(np.maximum(np.linalg.norm(points - points[0], axis=1), first))
    away = np.maximum.accumulate(np.linalg.norm(points, axis=1))
    squares = np.cumsum((problem.gradient(points.T) ** 2).sum(axis=0))
    weights = np.cumsum(far[:-1])
    mean = np.cumsum(far[:-1, None] * points[:-1], axis=0) / weights[:, None]
    bound = far[1:] * (2 * away[1:] + far[1:]) * np.sqrt(squares[:-1]) / weights
    return float((problem.loss(mean.T) / bound).max())


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


def _times(values: Array) -> float:
    return float(values.max() / values.min())


def _span(values: Array) -> str:
    return f"{values.min():.1f} to {values.max():.1f}"


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
        shares = [share_of_dogs_bound(problem, optimizers.dog(r_eps=float(x))) for x in DECADES]
        compared.append(
            Compared(f"DoG's mean over its bound, every r_ε, κ = {condition:g}", 1, max(shares), 0, "at most")
        )
        losses = losses[losses > 0]
        lines[f"Barzilai–Borwein in 2-D, κ = {condition:g}"] = np.arange(len(losses)) * 1.0, losses / losses[0]
    named = {"yscale": "log", "xscale": "symlog", "ylim": (1e-26, 10), "xlabel": "step", "title": "‖x‖², or loss"}

    problem, choices = problems.quadratic(condition=10.0, dimension=DIMENSION), {}
    for name, made in LEFT.items():
        steps = np.array([steps_to(path_of(problem, *made(float(x)))) for x in DECADES])
        compared.append(Compared(f"most steps over fewest, {name} over 5 decades", 1, _times(steps), FLAT - 1))
        choices[name] = DECADES, steps
    first = DECADES * (1 + np.sqrt(DIMENSION))  # DoG's first distances; the minimum is √d away
    logarithms = np.log(np.sqrt(DIMENSION) / first)
    of_logarithm = choices["DoG, r_ε"][1] / logarithms
    axes = {"xscale": "log", "yscale": "log", "xlabel": "what is left to choose"}
    return Found(
        compared,
        partial(
            several_panes,
            [(lines, None, named), (choices, None, {**axes, "title": "steps to 10⁻⁶ of the loss, κ = 10"})],
        ),
        [
            f"DoG takes {_span(of_logarithm)} steps for each unit of log(D/r) over all five decades, with D the "
            "distance to the minimum and r the first distance.",
        ],
        reason="What is proved of DoG has log(D/r) as a factor, and it is there: over these decades of r_ε the "
        f"logarithm grows {_times(logarithms):.2f} times, and the steps {_times(choices['DoG, r_ε'][1]):.2f} times. "
        "Its distance takes some log² steps to grow, and the gradients of that time stay in the sum that divides all "
        "later rates. The factor of 2 is asked for here, not by its authors.",
    )


KNOWN = Known(
    "no-rate",
    "Rules that find their rate converge linearly, and what is left to choose hardly matters",
    "Polyak 1969; Barzilai & Borwein 1988; Malitsky & Mishchenko 2020; Ivgi, Hinder & Carmon 2023; Mishchenko & "
    "Defazio 2023",
    f"Quadratics with κ = 10, 10³ and 10⁶ from (1, …, 1), {STEPS} steps.",
    find,
)
