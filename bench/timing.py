"""Two contenders timed in turn, so that the machine's drift cancels in their ratio."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Pair(NamedTuple):
    """Median seconds of two contenders, and the median of the ratios of their neighbouring times."""

    first: float
    second: float
    ratio: float


def alternating(first: Callable[[], Any], second: Callable[[], Any], rounds: int = 7, patience: float = 5.0) -> Pair:
    """Time two callables in turn; fewer rounds, but three at least, once `patience` seconds have passed."""
    times: list[tuple[float, float]] = []
    began = time.perf_counter()
    while len(times) < rounds and (len(times) < 3 or time.perf_counter() - began < patience):
        start = time.perf_counter()
        first()
        middle = time.perf_counter()
        second()
        times.append((middle - start, time.perf_counter() - middle))
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )
