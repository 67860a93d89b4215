"""How long this machine's units take for a root or a quotient, by the divider and by estimate: measured once, and kept.

What is measured stands beside the kernels, under the name of the machine's instructions. Kernels depend on it only as
far as their choice does: the times are rounded, and where no estimate is ever quicker all such machines count as one.
"""

import contextlib
import functools
import itertools
import json
import math
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from gdfast.kernels import estimates, numba_internals
from gdfast.kernels.estimates import QUOTIENT, ROOT, Units
from gdfast.kernels.folder import folders, plain_content, put

_VECTORS = 64  # of numbers in the nearest cache, which loops go through again and again
_ITERATIONS, _REPEATS = 4096, 40
_OPERATIONS: Final = 16  # on each vector in the loops of products, which all else is compared with, and of a mixture

_LOOP = """
define void @{name}(ptr %from, ptr %to, i64 %n) "prefer-vector-width"="512" nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%j, %loop]
  %k = and i64 %i, {last}
  %p = getelementptr <8 x double>, ptr %from, i64 %k
  %q = getelementptr <8 x double>, ptr %to, i64 %k
  %x = load <8 x double>, ptr %p, align 8
  {body}
  store <8 x double> %y, ptr %q, align 8
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


def _chain(*kinds: str) -> str:
    """Operations of these kinds in turn, each on what came of the one before."""
    names = ["%x", *(f"%x{k}" for k in range(1, _OPERATIONS)), "%y"]
    operations = zip(names[1:], itertools.cycle(kinds), names, strict=False)
    return "\n  ".join(f"{to} = {kind} <8 x double> {of}, %x" for to, kind, of in operations)


_THREE = "<8 x double> splat (double 3.000000e+00)"
_BODIES: Final = {
    "root": "%y = call <8 x double> @llvm.sqrt.v8f64(<8 x double> %x)",
    "quotient": f"%y = fdiv {_THREE}, %x",
    "root_by_estimate": f"%y = call <8 x double> @{ROOT}(<8 x double> %x)",
    "quotient_by_estimate": f"%y = call <8 x double> @{QUOTIENT}({_THREE}, <8 x double> %x)",
    "product": _chain("fmul"),
    "other": _chain("fmul", "fadd"),
}


@functools.cache
def units() -> Units | None:
    """What was measured on this machine, or is measured now; None where estimates can't be had or never are quicker."""
    if "+avx512f" not in numba_internals.instructions():
        return None
    name = f"units-{numba_internals.processor()}"
    kept = _read(name)
    if kept is None:
        kept = measured()
        _write(name, kept)
    rounded = Units(*(2.0 ** (round(4 * math.log2(value)) / 4) for value in kept))
    return rounded if rounded.ever else None


def measured() -> Units:
    """Measure, in a few milliseconds and by the quickest of many times."""
    text = "".join(_LOOP.format(name=name, body=body, last=_VECTORS - 1) for name, body in _BODIES.items())
    loops = numba_internals.functions_of(estimates.complete(text), [*_BODIES])
    values, results = np.linspace(1.0, 4.0, 8 * _VECTORS), np.empty(8 * _VECTORS)
    best = dict.fromkeys(_BODIES, math.inf)
    for _ in range(_REPEATS):  # alternating, so that what disturbs one disturbs all
        for name, loop in loops.items():
            best[name] = min(best[name], _time(loop, values, results))
    best["other"] /= _OPERATIONS
    product = best.pop("product") / _OPERATIONS
    return Units(**{name: taken / product for name, taken in best.items()})


def _time(loop: Callable[[int, int, int], None], values: np.ndarray, results: np.ndarray) -> float:
    begin = time.perf_counter()
    loop(values.ctypes.data, results.ctypes.data, _ITERATIONS)
    return time.perf_counter() - begin


def _read(name: str) -> Units | None:
    """What is kept under a name; None where it is not kept, or is not what was written."""
    for folder in folders():
        with contextlib.suppress(OSError, ValueError, TypeError):
            kept = Units(**json.loads(plain_content(folder / name)))
            if all(math.isfinite(value) and value > 0 for value in kept):
                return kept
    return None


def _write(name: str, kept: Units) -> None:
    for folder in folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            put(folder / name, json.dumps(kept._asdict()).encode())
            return
