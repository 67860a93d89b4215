"""The losses of a model's value on a row, as operations, so that they are differentiated with the model.

With z the model's value, y the target and r = z − y, of two classes y = 0 or 1 and s = 1 − 2 y:

| loss | of a row | |
|---|---|---|
| ``squared`` | r² | |
| ``absolute`` | abs r | |
| ``huber`` | ½ r² where abs r ≤ δ, else δ (abs r − ½ δ) | Huber 1964 |
| ``logistic`` | log(1 + e^{s z}) | z is the logarithm of the odds of class 1 |
| ``poisson`` | e^z − y z | z is the logarithm of the expected count |
| ``hinge`` | max(0, 1 + s z) | Cortes & Vapnik 1995 |

`absolute` and `hinge` have kinks, at which their optimum lies, where Newton's method does not find it. They are also
there without: with abs r as √(r² + w²), and max(0, u) as ½ (u + √(u² + w²)), whose width w goes to zero.
"""

from collections.abc import Callable

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.formulas.graph import Graph

Row = Callable[[Graph, int, int, int], int]
"""From a graph and the nodes of z, of the target (s of classes) and of the width, δ or w, to the node of the loss."""


def _squared(graph: Graph, z: int, y: int, width: int) -> int:
    return graph.power(graph.operation("-", z, y), 2.0)


def _absolute(graph: Graph, z: int, y: int, width: int) -> int:
    return graph.operation("abs", graph.operation("-", z, y))


def _huber(graph: Graph, z: int, y: int, width: int) -> int:
    r, half = graph.operation("-", z, y), graph.number(0.5)
    size = graph.operation("abs", r)
    near = graph.operation("*", half, graph.power(r, 2.0))
    far = graph.operation("*", width, graph.operation("-", size, graph.operation("*", half, width)))
    return graph.operation("choice", graph.operation("<=", size, width), near, far)


def _logistic(graph: Graph, z: int, s: int, width: int) -> int:
    return graph.operation("softplus", graph.operation("*", s, z))


def _poisson(graph: Graph, z: int, y: int, width: int) -> int:
    return graph.operation("-", graph.operation("exp", z), graph.operation("*", y, z))


def _hinge(graph: Graph, z: int, s: int, width: int) -> int:
    return graph.operation("max", graph.number(0.0), _margin(graph, z, s))


def _margin(graph: Graph, z: int, s: int) -> int:
    return graph.operation("+", graph.number(1.0), graph.operation("*", s, z))


LOSSES: dict[str, Row] = {
    "squared": _squared,
    "absolute": _absolute,
    "huber": _huber,
    "logistic": _logistic,
    "poisson": _poisson,
    "hinge": _hinge,
}

CLASSES = {"logistic", "hinge"}
"""Losses of targets that are classes, two of them."""


def _root(graph: Graph, u: int, width: int) -> int:
    return graph.operation("sqrt", graph.operation("+", graph.power(u, 2.0), graph.power(width, 2.0)))


def _smooth_absolute(graph: Graph, z: int, y: int, width: int) -> int:
    return _root(graph, graph.operation("-", z, y), width)


def _smooth_hinge(graph: Graph, z: int, s: int, width: int) -> int:
    u = _margin(graph, z, s)
    return graph.operation("*", graph.number(0.5), graph.operation("+", u, _root(graph, u, width)))


SMOOTH: dict[str, Row] = {"absolute": _smooth_absolute, "hinge": _smooth_hinge}
"""Those of the losses with kinks that have none."""


def best_constant(loss: str, y: Array, delta: float) -> float:
    """Return the mean loss of the best value that is the same for all rows; `y` are targets or classes, 0 and 1."""
    match loss:
        case "squared":
            return float(np.mean((y - y.mean()) ** 2))
        case "absolute":
            return float(np.mean(np.abs(y - np.median(y))))
        case "huber":
            return _best_huber(y, delta)
        case "poisson":
            mean = float(y.mean())
            return mean - mean * float(np.log(mean)) if mean > 0 else 0.0
    share = float(y.mean())
    if loss == "hinge":  # z = −1, 0 or 1
        return 2 * min(share, 1 - share)
    return -share * float(np.log(share)) - (1 - share) * float(np.log1p(-share))


def _best_huber(y: Array, delta: float) -> float:
    low, high = float(y.min()), float(y.max())
    for _ in range(200):  # the slope, the sum of residuals cut at ±δ, grows with the value
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(middle - y, -delta, delta).sum() < 0 else (low, middle)
    size = np.abs(y - high)
    return float(np.mean(np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))))
