"""The loops of a textbook: one trajectory at a time, in plain Python floats.

They are what the timings compare with. They settle as `gdfast.Sweep` describes, and return steps and end points.
"""

from collections.abc import Callable, Iterable
from math import sqrt

Loop = Callable[[float, float, int], tuple[int, float]]
TOLERANCE = 1e-8
LIMIT = 1e12


def quartic_gd(x: float, lr: float, max_steps: int) -> tuple[int, float]:
    """Gradient descent on x⁴ − 5x² + 3x; return the updates done and the end point."""
    was_small = False
    for t in range(max_steps + 1):
        g = 4 * x * x * x - 10 * x + 3
        small = abs(g) <= TOLERANCE
        if (small and was_small) or not abs(g) <= LIMIT:
            return t, x
        was_small = small
        if t < max_steps:
            x -= lr * g
    return max_steps, x


def quartic_adam(x: float, lr: float, max_steps: int) -> tuple[int, float]:
    """Adam with its defaults on x⁴ − 5x² + 3x; return the updates done and the end point."""
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    m = v = 0.0
    was_small = False
    for t in range(max_steps + 1):
        g = 4 * x * x * x - 10 * x + 3
        small = abs(g) <= TOLERANCE
        if (small and was_small) or not abs(g) <= LIMIT:
            return t, x
        was_small = small
        if t < max_steps:
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            x -= lr / (1 - beta1 ** (t + 1)) * m / (sqrt(v) / sqrt(1 - beta2 ** (t + 1)) + eps)
    return max_steps, x


def over_grid(
    loop: Loop,
    learning_rates: Iterable[float],
    starts: Iterable[float],
    max_steps: int,
) -> list[list[tuple[int, float]]]:
    """Run a loop for every learning rate (rows) and start (columns)."""
    starts = [float(x) for x in starts]
    return [[loop(x, float(lr), max_steps) for x in starts] for lr in learning_rates]
