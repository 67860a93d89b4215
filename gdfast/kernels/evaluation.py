"""Gradient and objective of a problem with data as a kernel of their own, which the step of any optimizer calls.

Products with the Hessian are another kernel, which is compiled where an optimizer asks for them.

So there are as many kernels to compile as problems and optimizers together, not as pairs of them; and all problems of a
family, such as networks, have the same lane functions and thus one kernel.
"""

from typing import TYPE_CHECKING, Any, Final

from numba import types

from gdfast.formulas.lane_readings import lanes_in
from gdfast.kernels import lane_math, lane_products  # noqa: F401, registers the compiled forms of what lanes call
from gdfast.kernels.compiling import compiled, remembered
from gdfast.kernels.loops.kernel import Kernel
from gdfast.kernels.options import wide
from gdfast.kernels.signatures import evaluation_signature, product_signature

if TYPE_CHECKING:
    from gdfast.problems import LaneKernel


GRADIENT: Final = 1
OBJECTIVE: Final = 2


def evaluation_kernel(lanes: "LaneKernel", real: str = "float64") -> Kernel:
    """Return the compiled evaluation that lane functions make in a type, from memory, from disk or freshly compiled.

    It is called with what is wanted: `GRADIENT`, `OBJECTIVE`, or both, added.
    """
    given = {"objective": lanes.objective, "gradient": lanes.gradient, "both": lanes.both}
    functions = {name: lanes_in(function, real) for name, function in given.items() if function}
    signature = evaluation_signature(getattr(types, real))

    def make() -> Kernel:
        return (_at_once if lanes.both else _apart)(signature, **functions)

    return remembered(("evaluation", real, *functions.items()), make, (evaluation_kernel, (lanes, real)))


def product_kernel(lanes: "LaneKernel", real: str = "float64", of: str = "product") -> Kernel:
    """Return the compiled products that a lane function, by its field in `lanes`, makes in a type, likewise."""
    function = lanes_in(getattr(lanes, of), real)
    signature = product_signature(getattr(types, real))

    def make() -> Kernel:
        return _products(signature, function)

    return remembered(("product", real, function), make, (product_kernel, (lanes, real, of)))


def _products(signature: Any, product: Any) -> Kernel:
    @compiled(signature, may_be_anything=True)
    def multiplied(pair, theta, way, out, work, n, t):
        wide()
        product(theta, way, out, work, n, pair.data, pair.layout, t)

    return multiplied


def _apart(signature: Any, gradient: Any, objective: Any) -> Kernel:
    @compiled(signature, may_be_anything=True)
    def evaluate(pair, wanted, theta, grad, out, work, n, t):
        wide()
        if wanted & GRADIENT:
            gradient(theta, grad, work, n, pair.data, pair.layout, t)
        if wanted & OBJECTIVE:
            objective(theta, out, work, n, pair.data, pair.layout, t)

    return evaluate


def _at_once(signature: Any, both: Any, objective: Any) -> Kernel:
    @compiled(signature, may_be_anything=True)
    def evaluate(pair, wanted, theta, grad, out, work, n, t):
        wide()
        told = out if (wanted | pair.noting) & OBJECTIVE else out[:0]
        if wanted & GRADIENT:
            both(theta, grad, told, work, n, pair.data, pair.layout, t)
        else:
            objective(theta, out, work, n, pair.data, pair.layout, t)

    return evaluate
