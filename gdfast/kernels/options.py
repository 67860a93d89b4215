"""What is asked of the compiler: of numba by options, each with its reason, and of loops by calls in their text."""

from typing import Any, NoReturn

# Functions that compiled ones call have no form that C could call: it would take a tenth of all compiling.
HELPER: Any = {"no_cfunc_wrapper": True}

JIT: dict[str, Any] = {
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

# For small functions that lane loops call: a loop with a call in it does not vectorize, and LLVM leaves calls of
# larger functions if it is not told.
INLINED: Any = {"forceinline": True, **HELPER}


def apart() -> None:
    """Keep the function that calls this by itself in machine code, for loops so long that a call is nothing to them.

    Written into all that call it, LLVM would optimize its loops at each place anew.
    """
    _for_kernels()


def wide() -> None:
    """Let LLVM use 512-bit vectors in the function that calls this, where the CPU has them.

    LLVM prefers 256 bits on such CPUs by default. The attribute belongs to the one function, so that no other
    code of the process is compiled differently; it is ignored where there are no such vectors.
    """
    _for_kernels()


def few() -> None:
    """Tell LLVM that the loop whose body ends with this has few rounds, or ones at scattered places: no vectors.

    They would not be worth their code, on which it would spend half of the time that it takes over a loop.
    """
    _for_kernels()


def _for_kernels() -> NoReturn:
    raise NotImplementedError("for kernels")
