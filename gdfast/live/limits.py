"""What ends are judged by, for the page: the numbers of `gdfast.tiles.outcomes.Limits`, and where the points are."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.javascript import Number, Script
from gdfast.problems import Problem
from gdfast.problems._stationary import StationaryPoint, reaches
from gdfast.problems._sum import Combinations
from gdfast.tiles.falling import STEEP
from gdfast.tiles.lower import below_known
from gdfast.tiles.outcomes import Judge
from gdfast.tiles.sweep import Sweep


def packed(values: Any, kind: str = "<f8") -> dict[str, str]:
    """An array as text: ``Float64Array`` (``<f8``) or ``Int16Array`` (``<i2``) in base64."""
    data = np.ascontiguousarray(values, dtype=kind).tobytes()
    return {"kind": kind[1:], "data": base64.b64encode(data).decode("ascii")}


def limits_of(sweep: Sweep) -> dict[str, Any]:
    """Return what the page judges ends of a sweep's trajectories by, as plain data."""
    judge, problem = Judge(sweep), sweep.problem
    with np.errstate(all="ignore"):
        limits = judge.limits
        outcomes, basins = judge._known
    tolerance = judge._stationary_within
    part = problem.part if isinstance(problem, Combinations) else None
    compared = {} if part is not None else _places(problem, tolerance)
    return {
        "heights": packed(limits.heights),
        "slack": limits.slack,
        "low": _finite(limits.low),
        "highest": _finite(limits.highest),
        "creeping": limits.creeping,
        "steep": STEEP * problem.gradient_scale,
        "inside": problem.domain.T.tolist(),
        "below": _finite(below_known(sweep)),
        "around": limits.around.tolist(),
        "middle": problem.domain.mean(axis=1).tolist(),
        "width": float(np.ptp(problem.domain, axis=1).max()),
        "stationary": tolerance,
        "outcomes": packed(outcomes[:-1], "<i2"),
        "basins": packed(basins[:-1], "<i2"),
        "wells": {
            "points": packed(_points(problem.minima, problem.dimension)),
            "losses": packed([m.loss for m in problem.minima]),
        },
        "part": None if part is None else _part(problem, part, tolerance),
        **compared,
    }


def representative_of(problem: Problem) -> str:
    """The function of JavaScript from a point to that which stands for all like it; ``null`` where there is none."""
    function = getattr(problem, "representative", None)
    if function is None:
        return "null"
    script = Script()

    class Points(tuple[Number, ...]):
        shape = (problem.dimension, 1)

    points = function(Points(script.argument(f"theta[{i}]") for i in range(problem.dimension)))
    result = ", ".join(script.number(value).text for value in points)
    return f"(theta) => {{\n{script.body()}  return [{result}];\n}}"


def _finite(value: float) -> float | str:
    return float(value) if np.isfinite(value) else repr(float(value)).replace("inf", "Infinity")


def _points(points: tuple[StationaryPoint, ...], d: int) -> NDArray[np.float64]:
    return np.array([point.point for point in points], dtype=np.float64).reshape(-1, d)


def _places(problem: Problem, tolerance: float) -> dict[str, Any]:
    points, width = problem.stationary_points, float(np.ptp(problem.domain, axis=1).max())
    where = _points(points, problem.dimension)
    return {
        "points": packed(where),
        "reach": packed(reaches(points, width, tolerance)),
        "order": packed(_order(where), "<i2"),
    }


def _part(problem: Any, part: Any, tolerance: float) -> dict[str, Any]:
    """Of a sum over single coordinates: the points of its part, and which combination is which point of the sum."""
    points = part.stationary_points
    return {
        **_places(part, tolerance),
        "wells": [points.index(point) for point in part.minima],
        "place": packed(problem._table[1], "<i2"),
    }


def _order(where: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order in which points are compared with an end, as `gdfast.problems._stationary.nearest` does."""
    return np.argsort(where[:, 0], kind="stable") if len(where) > 16 else np.arange(len(where))
