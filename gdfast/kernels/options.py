"""The only place that names compiler options, each with its reason."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gdfast.kernels.numba_internals import INDEPENDENT

# Functions that compiled ones call have no form that C could call: it would take a tenth of all compiling.
HELPER: Any = {"no_cfunc_wrapper": True}

MAY_ALLOCATE: dict[str, Any] = {
    **HELPER,
    # Division by zero gives inf or nan as in NumPy, instead of a branch and an exception in every lane.
    "error_model": "numpy",
    # Tiles run on several threads of one process.
    "nogil": True,
    # Contraction and reassociation would change bits; nnan and ninf would break the test for divergence.
    "fastmath": False,
    # Lanes index arrays by trusted loop counters.
    "boundscheck": False,
}

# Steps and the driver allocate nothing, so that nobody counts references: who calls them holds their arrays. What
# a problem's lanes call may be anything.
JIT = {**MAY_ALLOCATE, "_nrt": False}

# For small functions that lane loops call: a loop with a call in it does not vectorize, and LLVM leaves calls of
# larger functions if it is not told.
INLINED: Any = {"forceinline": True, **HELPER}


@intrinsic
def apart(typing_context):
    """Keep the function that calls this by itself in machine code, for loops so long that a call is nothing to them.

    Written into all that call it, LLVM would optimize its loops at each place anew.
    """

    def generate(context, builder, signature, arguments):
        if "alwaysinline" not in builder.function.attributes:  # asked for where there is no loop
            builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def wide(typing_context):
    """Let LLVM use 512-bit vectors in the function that calls this, where the CPU has them.

    LLVM prefers 256 bits on such CPUs by default. The attribute belongs to the one function, so that no other
    code of the process is compiled differently; it is ignored where there are no such vectors.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite's own `add` accepts only attributes that it lists, and string attributes are not among them.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def independent(typing_context):
    """Tell LLVM that the iterations of the loop whose body ends with this do not touch each other's memory.

    Else it compares the addresses of all rows in every group of lanes before it takes vectors, which takes longer than
    the steps themselves where a rule has many rows, and of very many it takes no vectors at all. Lanes never read what
    another lane has written. `gdfast.kernels.numba_internals` makes it metadata of the loop.
    """

    def generate(context, builder, signature, arguments):
        mark = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), INDEPENDENT)
        builder.call(mark, [])
        return context.get_dummy_value()

    return types.void(), generate
