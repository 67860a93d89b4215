"""Gradient and objective of a problem with data as a kernel of their own, which the step of any optimizer calls.

So there are as many kernels to compile as problems and optimizers together, not as pairs of them; and all problems of a
family, such as networks, have the same lane functions and thus one kernel.
"""

import threading
from typing import Any, Final

from gdfast.kernels import lane_math, lane_products  # noqa: F401, registers the compiled forms of what lanes call
from gdfast.kernels.compiling import address, compiled, register_helpers, texts, unique
from gdfast.kernels.digest import digest
from gdfast.kernels.options import wide
from gdfast.kernels.signatures import evaluation_signature
from gdfast.problems import LaneKernel, Problem

GRADIENT: Final = 1
OBJECTIVE: Final = 2

_kernels: dict[str, Any] = {}
_lock = threading.Lock()


def evaluation_address(problem: Problem) -> int:
    """Where the evaluation of a problem lies, freshly compiled if need be; 0 if the steps have it in them."""
    return address(evaluation_kernel(problem.lane_kernel)) if problem.lane_kernel else 0


def evaluation_kernel(lanes: LaneKernel) -> Any:
    """Return the compiled evaluation that lane functions make, from memory, from disk or freshly compiled.

    It is called with what is wanted: `GRADIENT`, `OBJECTIVE`, or both, added.
    """
    given = {"objective": lanes.objective, "gradient": lanes.gradient, "both": lanes.both}
    functions = {name: function for name, function in given.items() if function}
    names = [function.__qualname__ for function in functions.values()]
    key = digest(["evaluation", *names, *texts(*functions.values())])
    with _lock:
        if key not in _kernels:
            for function in functions.values():
                register_helpers(function)
            made = {name: unique(function, key) for name, function in functions.items()}
            _kernels[key] = (_at_once if lanes.both else _apart)(**made, key=key)
        return _kernels[key]


def _apart(gradient: Any, objective: Any, key: str) -> Any:
    @compiled(evaluation_signature, key)
    def evaluate(pair, wanted, theta, grad, out, work, n, t):
        wide()  # type: ignore[call-arg]
        if wanted & GRADIENT:
            gradient(theta, grad, work, n, pair.data, pair.layout, t)
        if wanted & OBJECTIVE:
            objective(theta, out, work, n, pair.data, pair.layout, t)

    return evaluate


def _at_once(both: Any, objective: Any, key: str) -> Any:
    @compiled(evaluation_signature, key)
    def evaluate(pair, wanted, theta, grad, out, work, n, t):
        wide()  # type: ignore[call-arg]
        if wanted & GRADIENT:
            both(theta, grad, out if wanted & OBJECTIVE else out[:0], work, n, pair.data, pair.layout, t)
        else:
            objective(theta, out, work, n, pair.data, pair.layout, t)

    return evaluate
