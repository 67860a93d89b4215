"""Initialization schemes of networks, and starts that know how they were made.

A scheme draws the weights W (fan_in, fan_out) of one layer:

| scheme | W | |
|---|---|---|
| ``zeros`` | 0 | |
| ``constant`` | gain | |
| ``normal`` | gain · N(0, 1) | |
| ``uniform`` | gain · U(−1, 1) | |
| ``xavier_normal``, ``xavier_uniform`` | gain · variance 2 / (fan_in + fan_out) | Glorot & Bengio 2010 |
| ``he_normal``, ``he_uniform`` | gain · variance 2 / fan_in | He et al. 2015, eq. 10 |
| ``lecun_normal``, ``lecun_uniform`` | gain · variance 1 / fan_in | LeCun et al. 1998, 4.6 |
| ``orthogonal`` | gain · rows or columns orthonormal | Saxe et al. 2014 |

The factors of the schemes are torch's for ``nonlinearity="linear"`` (Xavier, LeCun) and ``"relu"`` (He); `gain` comes
on top. Normal draws are not truncated (Keras truncates them).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array


class Starts:
    """Initial points with labels, which become coordinates of a sweep's result.

    Parameters
    ----------
    points : ndarray
        ``float64[m, d]``; `Sweep` takes a `Starts` for such an array.
    labels : mapping
        Arrays of length m by name, such as ``init`` and ``seed``.

    Raises
    ------
    TypeError, ValueError
        If the points are no numbers of this shape, or there is not one label a point.
    """

    def __init__(self, points: Array, labels: Mapping[str, Any]) -> None:
        self.points = arguments.array("points", points, "(m, d)")
        if self.points.ndim != 2:
            raise ValueError(f"points must have shape (m, d), not {self.points.shape}")
        self.labels = {}
        for name, values in arguments.mapping("labels", labels, "a mapping from names to values").items():
            label = f"labels[{arguments.shown(name)}]"
            self.labels[name] = np.asarray(arguments.several(label, values, "values, one for each start", least=0))
            if self.labels[name].shape != (len(self.points),):
                raise ValueError(f"{label} must have a value for each of {len(self.points)} starts")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.points, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"<starts {self.points.shape}, labelled by {', '.join(self.labels) or 'nothing'}>"


def _of_variance(numerator: float, fan: Callable[[int, int], int], uniform: bool) -> Callable[..., Array]:
    def draw(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
        deviation = math.sqrt(numerator / fan(fan_in, fan_out))
        if uniform:
            return rng.uniform(-1.0, 1.0, (fan_in, fan_out)) * (math.sqrt(3.0) * deviation)
        return rng.normal(size=(fan_in, fan_out)) * deviation

    return draw


def _orthogonal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    shape = max(fan_in, fan_out), min(fan_in, fan_out)
    q, r = np.linalg.qr(rng.normal(size=shape))
    q = q * np.sign(np.diag(r))  # else not uniform over the orthogonal matrices
    return q if fan_in >= fan_out else q.T


def _in(fan_in: int, fan_out: int) -> int:
    return fan_in


def _both(fan_in: int, fan_out: int) -> int:
    return fan_in + fan_out


SCHEMES: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "zeros": lambda rng, fan_in, fan_out: np.zeros((fan_in, fan_out)),
    "constant": lambda rng, fan_in, fan_out: np.ones((fan_in, fan_out)),
    "normal": lambda rng, fan_in, fan_out: rng.normal(size=(fan_in, fan_out)),
    "uniform": lambda rng, fan_in, fan_out: rng.uniform(-1.0, 1.0, (fan_in, fan_out)),
    "xavier_normal": _of_variance(2.0, _both, uniform=False),
    "xavier_uniform": _of_variance(2.0, _both, uniform=True),
    "he_normal": _of_variance(2.0, _in, uniform=False),
    "he_uniform": _of_variance(2.0, _in, uniform=True),
    "lecun_normal": _of_variance(1.0, _in, uniform=False),
    "lecun_uniform": _of_variance(1.0, _in, uniform=True),
    "orthogonal": _orthogonal,
}
"""Each draws one layer's weights with gain 1 from a random generator, fan-in and fan-out."""

ALIASES = {
    f"{other}_{law}": f"{name}_{law}"
    for other, name in (("glorot", "xavier"), ("kaiming", "he"))
    for law in ("normal", "uniform")
}
"""Other names of schemes."""
