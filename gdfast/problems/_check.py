"""Is a gradient the derivative of its loss? Central differences, extrapolated, tell."""

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.problems._problem import Problem

_HALVINGS = 10  # of the difference step
_NOISE = 20.0  # times the estimated error of the differences, which is no evidence against a gradient


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradient` found. It is true if the gradient is right, and prints as sentences.

    Attributes
    ----------
    problem : Problem
        What was checked.
    points : ndarray
        Where, ``float64[n, d]``.
    gradient, differences : ndarray
        What the problem gives and what differences of its loss give, ``float64[n, d]``.
    errors : ndarray
        Relative errors, ``float64[n, d]``: the distance of the two, over the larger one of them and of the largest
        entry of the gradient at the point times 10⁻⁶. Not a number where the loss is none.
    wrong : ndarray
        ``bool[n, d]``: where the error is above the tolerance, and above what rounding lets differences see.

    Examples
    --------
    >>> import gdfast
    >>> bool(gdfast.check_gradient(gdfast.problems.quartic()))
    True
    """

    problem: Problem
    points: Array
    gradient: Array
    differences: Array
    errors: Array
    wrong: Any

    def __bool__(self) -> bool:
        return not self.wrong.any()

    @property
    def largest_error(self) -> float:
        """The largest relative error of the wrong entries, or of all if none is wrong; NaN if none was checked."""
        of = self.errors[self.wrong] if self.wrong.any() else self.errors[np.isfinite(self.errors)]
        return float(of.max()) if of.size else float("nan")

    def __str__(self) -> str:
        names, n = self.problem.coordinates, len(self.points)
        if self:
            checked = int(np.isfinite(self.errors).all(axis=1).sum())
            others = "; at the others the loss is not a number" if checked < n else ""
            return (
                f"The gradient of {self.problem.label} is the derivative of its loss at {checked} of {n} points, to "
                f"{self.largest_error:.2g} relative{others}."
            )
        lines = [f"The gradient of {self.problem.label} is wrong:"]
        for i, name in enumerate(names):
            wrong = np.flatnonzero(self.wrong[:, i])
            if not wrong.size:
                continue
            k = wrong[np.argmax(np.nan_to_num(self.errors[wrong, i], nan=np.inf))]
            where = ", ".join(f"{n}={v:.6g}" for n, v in zip(names, self.points[k], strict=True))
            lines.append(
                f"  its entry {i}, for {name}, at {wrong.size} of {n} points; at {where} it is "
                f"{self.gradient[k, i]:.9g}, but differences of the loss say {self.differences[k, i]:.9g} "
                f"(relative error {self.errors[k, i]:.2g})"
            )
        return "\n".join(lines)


def check_gradient(problem: Problem, points: ArrayLike | int = 64, tolerance: float = 1e-6) -> GradientCheck:
    """Compare a problem's gradient with differences of what it is the gradient of.

    Differences are central, with steps halved from a thousandth of the domain's width, and extrapolated (Ridders
    1982), which also estimates their error.

    Parameters
    ----------
    problem : Problem
        Any problem.
    points : array_like, (n, d), or int
        Where to look; a number draws that many points from the domain.
    tolerance : float
        The relative error from which on an entry counts as wrong.

    Returns
    -------
    GradientCheck
        True if no entry is wrong; ``print`` it to read which coordinate is wrong, where, what it is and what
        differences say.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it.

    Examples
    --------
    >>> import gdfast
    >>> bool(gdfast.check_gradient(gdfast.problems.himmelblau()).wrong.any())
    False
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a problem, such as gdfast.problems.quartic(), not {arguments.shown(problem)}")
    tolerance = arguments.number("tolerance", tolerance, arguments.POSITIVE)
    if isinstance(points, numbers.Integral):
        at = problem.random(arguments.integer("points", points))
    else:
        at = arguments.array("points", points, f"(n, {problem.dimension})")
    if at.ndim != 2 or at.shape[1] != problem.dimension or not len(at):
        raise ValueError(f"points must be a number or have shape (n, {problem.dimension}), not {at.shape}")
    theta = np.ascontiguousarray(at.T)
    with np.errstate(all="ignore"):
        gradient = problem.gradient(theta)
        if gradient.shape != theta.shape:
            raise ValueError(
                f"gradient must have shape {theta.shape} for {problem.dimension} coordinates, not {gradient.shape}"
            )
        slopes = [_slope(problem, theta, i) for i in range(problem.dimension)]
        differences, uncertain = (np.stack(part) for part in zip(*slopes, strict=True))
        distance = np.abs(gradient - differences)
        largest = np.abs(differences).max(axis=0)
        size = np.maximum(np.maximum(np.abs(gradient), np.abs(differences)), 1e-6 * largest)
        errors = np.where(distance == 0, 0.0, distance / size)
        seen = np.isfinite(differences)
        wrong = seen & ~((distance <= tolerance * size) | (distance <= _NOISE * uncertain))
    return GradientCheck(problem, at, gradient.T, differences.T, np.where(seen, errors, np.nan).T, wrong.T)


def _slope(problem: Problem, theta: Array, i: int) -> tuple[Array, Array]:
    """The derivative of the objective along coordinate `i` by Ridders' method, and its error, ``float64[n]`` each."""
    best = np.full(theta.shape[1], np.nan)
    error = np.full(theta.shape[1], np.inf)
    step = 1e-3 * float(np.ptp(problem.domain[i]))
    rows: list[Array] = []
    noise = np.fmax(np.finfo(float).eps * np.abs(problem.objective(theta)), _noise(problem, theta, i, step))
    for k in range(_HALVINGS):
        up, down = theta.copy(), theta.copy()
        up[i] += step / 2**k
        down[i] -= step / 2**k
        width = up[i] - down[i]
        previous, rows = rows, [(problem.objective(up) - problem.objective(down)) / width]
        for j, coarser in enumerate(previous):
            finer = rows[j] + (rows[j] - coarser) / (4.0 ** (j + 1) - 1)
            estimate = np.maximum(np.abs(finer - rows[j]), np.abs(finer - coarser)) + noise / width
            better = estimate < error
            best, error = np.where(better, finer, best), np.where(better, estimate, error)
            rows.append(finer)
    return best, error


def _noise(problem: Problem, theta: Array, i: int, step: float) -> Array:
    """How much rounding makes the objective vary, ``float64[n]``: fourth differences, which a smooth one has not.

    Source: Hamming (1973), "Numerical methods for scientists and engineers", chapter on roundoff.
    """
    values = []
    for k in range(-3, 4):
        beside = theta.copy()
        beside[i] += k * step / 2 ** (_HALVINGS - 1)
        values.append(problem.objective(beside))
    return np.asarray(np.abs(np.diff(values, 4, axis=0)).max(axis=0) / math.sqrt(70.0))  # Σ binomial(4, k)² = 70
