"""Throughput of single operations in lanes on this machine, by micro-kernels on one core, in the first-level cache.

Each kernel is a lane loop like those of `gdfast.kernels`, with the same compiler options, width of vectors and groups
of lanes. Operations stand in several independent chains, so that throughput and not waiting for results decides, and
in two lengths: the difference of their times is that of the operations alone. Pairs of kinds, half and half, tell
which of them are done by the same units of the processor.
"""

import argparse
import time
from typing import Any

import numba
import numpy as np

from bench import tables
from gdfast.formulas import elementary
from gdfast.formulas.operations import FUNCTIONS
from gdfast.kernels import compiling, lane_math  # noqa: F401, register the compiled forms
from gdfast.kernels.lane_math.parts import bits_to_float, float_to_bits
from gdfast.kernels.options import JIT, wide
from gdfast.kernels.signatures import LANES as GROUP

SIZE, ROWS = 5 * GROUP, 8  # of the arrays, which fit the first-level cache
PASSES = 200  # over the lanes, in one call

# One round on four numbers a, b, c, e and two bit patterns i, j; and how many operations that is. The compiler can
# neither merge the chains, which begin with different numbers, nor the rounds.
ROUNDS = {
    "add": ("a = a + p; b = b - q; c = c + q; e = e - p", 4),
    "multiply": ("a = a * p; b = b * q; c = c * q; e = e * p", 4),
    "logic": ("i = (i ^ m) + n; j = (j + n) ^ m", 4),
    "compare": ("a = b if a > p else q; b = c if b > q else p; c = e if c > p else q; e = a if e > q else p", 4),
    "add, multiply": ("a = a * p; b = b - q; c = c * q; e = e - p", 4),
    "add, logic": ("a = a + p; b = b - q; i = (i ^ m) + n", 4),
    "multiply, logic": ("a = a * p; b = b * q; i = (i ^ m) + n", 4),
    "compare, multiply": ("a = a * p; b = b * q; c = e if c > p else q; e = c if e > q else p", 4),
    "add, compare": ("a = a + p; b = b - q; c = e if c > p else q; e = c if e > q else p", 4),
    "divide": ("a = p / a; b = q / b; c = p / c; e = q / e", 4),
    "root": ("a = sqrt(a); b = sqrt(b); c = sqrt(c); e = sqrt(e)", 4),
}
SHORT, LONG = 4, 16  # rounds
_LOOP = """
def loop(rows, p, q, m, n, passes):
    wide()
    for _ in range(passes):
        for group in range(SIZE // GROUP):
            for member in range(GROUP):
                lane = group * GROUP + member
                {body}
"""
_CHAINS = """a, b, c, e = rows[0, lane], rows[1, lane], rows[2, lane], rows[3, lane]
                i, j = float_to_bits(a), float_to_bits(b)
                {rounds}
                rows[4, lane] = ((a + b) + (c + e)) + bits_to_float(i ^ j)"""


def _kernel(body: str) -> Any:
    names: dict[str, Any] = {name: getattr(elementary, name) for name in elementary.__all__}
    names.update(wide=wide, float_to_bits=float_to_bits, bits_to_float=bits_to_float, SIZE=SIZE, GROUP=GROUP)
    exec(_LOOP.format(body=body), names)
    signature = "void(float64[:, ::1], float64, float64, int64, int64, int64)"
    return numba.njit(signature, **JIT)(names["loop"])  # type: ignore[call-overload]


def _bodies() -> dict[str, tuple[str, str | None, int]]:
    """Of each kind a long loop body, a short one to take the difference to, and how many operations that is."""
    bodies: dict[str, tuple[str, str | None, int]] = {}
    for kind, (line, count) in ROUNDS.items():
        long, short = (_CHAINS.format(rounds="; ".join([line] * n)) for n in (LONG, SHORT))
        bodies[kind] = long, short, count * (LONG - SHORT)
    loads = [f"float_to_bits(rows[{i}, lane])" for i in range(ROWS)]
    long, short = (f"rows[0, lane] = bits_to_float({' | '.join(loads[:n])})" for n in (ROWS, 2))
    bodies["load"] = long, short, ROWS - 2
    stores = [f"rows[{i}, lane] = a" for i in range(1, ROWS)]
    long, short = (f"a = rows[0, lane] + p; {'; '.join(stores[:n])}" for n in (ROWS - 1, 1))
    bodies["store"] = long, short, ROWS - 2
    more = {"power": ", p"}  # its exponent
    calls = {
        name: " + ".join(f"{f}(rows[0, lane]{more.get(f, '')})" for f in name.split(" and ")) for name in FUNCTIONS
    }
    return bodies | {name: (f"rows[1, lane] = {call}", None, 1) for name, call in calls.items()}


def rows(count: int, size: int) -> np.ndarray:
    """An array ``float64[count, size]`` that begins at a cache line.

    With a size that is an odd multiple of 64, rows are never a multiple of 4096 bytes apart, where loads and stores
    would be taken for one another.
    """
    line = 64 // 8
    room = np.empty(count * size + line)
    first = (-room.ctypes.data // room.itemsize) % line
    return room[first : first + count * size].reshape(count, size)


def measure(rounds: int = 15) -> dict[str, float]:
    """Nanoseconds that an operation of each kind takes a lane, the least of several rounds.

    "compare" is a comparison with the choice that follows from it; of two kinds joined by a comma it is the time of
    one operation where they alternate.
    """
    bodies = _bodies()
    kernels = {kind: [_kernel(body) for body in (long, short) if body] for kind, (long, short, _) in bodies.items()}
    numbers = rows(ROWS, SIZE)
    best = {kind: [np.inf] * len(pair) for kind, pair in kernels.items()}
    for _ in range(rounds):
        for kind, pair in kernels.items():
            for k, kernel in enumerate(pair):
                numbers[:] = 1.25
                began = time.perf_counter()
                kernel(numbers, 1.0000001, 0.9999999, 3, 5, PASSES)
                best[kind][k] = min(best[kind][k], time.perf_counter() - began)
    nanoseconds = 1e9 / PASSES / SIZE
    return {
        kind: (times[0] - (times[1] if len(times) > 1 else 0.0)) / bodies[kind][2] * nanoseconds
        for kind, times in best.items()
    }


def main(arguments: list[str]) -> None:
    """Measure and print."""
    argparse.ArgumentParser(prog="python -m bench throughput", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    rows = [{"operation": kind, "ns": ns} for kind, ns in measure().items()]
    tables.show("one core, nanoseconds of one operation a lane", rows)
