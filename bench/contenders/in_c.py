"""A fused loop in C with vector extensions, on one core: what the hardware allows."""

import ctypes
import functools
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.ctypeslib import ndpointer

from bench.contenders.common import BETA1, BETA2, COMPILER, LIMIT, TOLERANCE, Ends, Grid, debiasing

VECTORS = 4  # independent ones in flight; the best of 1, 2, 4 and 8 for quartic × gd
SOURCE = Path(__file__).with_name("fused.c")


def c_fused(grid: Grid) -> Ends:
    """The same arithmetic as everybody's."""
    return _run(grid, debiasing(grid.max_steps))


def c_textbook(grid: Grid) -> Ends:
    """Adam by the textbook's formula, whose bias corrections are divided by in every lane."""
    t = np.arange(1, grid.max_steps + 2, dtype=np.float64)
    return _run(grid, (1 - BETA1**t, 1 - BETA2**t), "TEXTBOOK")


def _run(grid: Grid, tables: tuple[np.ndarray, np.ndarray], *macros: str) -> Ends:
    lr, theta = grid.trajectories
    n = len(lr)
    steps, settled = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    sweep = _compiled(grid.problem, grid.optimizer, macros)
    lane_steps = sweep(n, lr, theta, grid.max_steps, *tables, TOLERANCE, LIMIT, steps, settled)
    return grid.ends(steps, theta, settled, lane_steps)


@functools.cache
def _compiled(problem: str, optimizer: str, macros: tuple[str, ...]) -> Any:
    assert COMPILER is not None
    wide = "+avx512f" in numba.core.codegen.get_host_cpu_features().split(",")
    values = {"D": {"quartic": 1, "rosenbrock": 2}[problem], "WIDTH": 8 if wide else 4, "VECTORS": VECTORS}
    names = [problem.upper(), optimizer.upper(), *macros]
    flags = ["-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC"]
    flags += ["-mprefer-vector-width=512"] if wide else []
    defined = [f"-D{name}={value}" for name, value in values.items()] + [f"-D{name}" for name in names]
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "fused.so"
        subprocess.run([COMPILER, *flags, *defined, str(SOURCE), "-o", str(library), "-lm"], check=True)
        function = ctypes.CDLL(str(library)).sweep
    numbers, counts = ndpointer(np.float64, flags="C"), ndpointer(np.int64, flags="C")
    length, number = ctypes.c_longlong, ctypes.c_double
    function.restype = length
    function.argtypes = [length, numbers, numbers, length, numbers, numbers, number, number, counts, counts]
    return function
