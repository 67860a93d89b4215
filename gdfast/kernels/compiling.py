"""Compiling a function for one signature, cached on disk, under a name that occurs nowhere else."""

import functools
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
from numba.extending import register_jitable

from gdfast.kernels.options import HELPER, INLINED, JIT


def compiled(signature: Any, key: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for one signature, cached on disk where a cache folder can be written.

    Parameters
    ----------
    signature
        The types it is compiled for.
    key : str
        A digest of all that it depends on. It becomes part of its name, and so of its symbols and cache files.
    """

    def compile_(function: Callable[..., Any]) -> Any:
        function.__qualname__ = function.__name__ = f"{function.__name__}_{key[:16]}"
        try:
            return numba.njit(signature, cache=True, **JIT)(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            warn_uncached()
            return numba.njit(signature, **JIT)(function)

    return compile_


@functools.cache
def warn_uncached() -> None:
    """Warn, once in a process, that kernels cannot be kept."""
    warnings.warn(
        "no folder for compiled kernels can be written, so they are compiled anew in every process; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        stacklevel=2,
    )


@functools.cache
def address(kernel: Any) -> int:
    """Where the machine code of a kernel lies, for `call_step` and `call_evaluation`."""
    (result,) = kernel.overloads.values()
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


def unique(function: Callable[..., Any], key: str) -> Any:
    """Make a copy of a function, callable in kernels, whose name occurs nowhere else."""
    # Cached machine code keeps its symbols, which hold a function's name and a number counted in the process that
    # compiled it. Two kernels from two processes can so have the same symbol, and the second one loaded is then
    # silently bound to the code of the first (numba#10486). A name with the digest in it cannot collide.
    name = f"{function.__name__}_{key[:16]}"
    copy = FunctionType(function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
    copy.__qualname__ = name
    copy.__module__ = function.__module__
    return register_jitable(**INLINED)(copy)


def register_helpers(function: Callable[..., Any]) -> None:
    """Let the compiler call the plain functions of its own module that a lane kernel calls."""
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if isinstance(helper, FunctionType) and helper.__module__ == function.__module__:
            register_jitable(**HELPER)(helper)


@functools.lru_cache(maxsize=256)
def texts(*functions: FunctionType) -> list[str]:
    """The texts of all files in which functions stand that these call, or that those call."""
    found, waiting = set(functions), list(functions)
    while waiting:
        function = waiting.pop()
        named = (function.__globals__.get(name) for name in function.__code__.co_names)
        fresh = {other for other in named if isinstance(other, FunctionType)} - found
        found |= fresh
        waiting += fresh
    return [Path(file).read_text(encoding="utf-8") for file in sorted({inspect.getfile(f) for f in found})]
