"""Kernels from memory, from disk or freshly compiled, and how functions are compiled into them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from types import FunctionType
from typing import Any, Final

import numba
from numba.extending import register_jitable

from gdfast.kernels import folder
from gdfast.kernels.apart import Call, elsewhere
from gdfast.kernels.digest import digest
from gdfast.kernels.numba_internals import Kernel, machine_code
from gdfast.kernels.options import HELPER, INLINED, JIT

MOST_IN_MEMORY: Final = 128
"""Kernels of a process that are in memory; those not used for the longest time are released, and loaded again."""

_kernels: OrderedDict[Hashable, Kernel] = OrderedDict()
_calls: list[Call] = []  # that make what is being made
_lock = threading.RLock()


def remembered(name: Hashable, make: Callable[[], Kernel], call: Call) -> Kernel:
    """Return the kernel of that name from memory, or else make and remember it.

    Whoever takes its address must hold the kernel, too, as long as the address is used. The call is one that makes the
    same kernel in another process.
    """
    with _lock:
        _calls.append(call)
        try:
            kernel = _kernels.get(name) or make()
        finally:
            _calls.pop()
        _kernels[name] = kernel
        _kernels.move_to_end(name)
        while len(_kernels) > MOST_IN_MEMORY:
            _kernels.popitem(last=False)
        return kernel


def compiled(signature: Any) -> Callable[[Any], Kernel]:
    """Load a function compiled for one signature from disk, or compile it and keep it there.

    Parameters
    ----------
    signature
        The types it is compiled for.
    """

    def compile_(function: FunctionType) -> Kernel:
        name = f"{function.__name__}-{digest(function, str(signature))[:40]}"
        code = folder.read(name)
        if code is None and _calls and elsewhere.compiled(_calls[-1]):
            code = folder.read(name)
        if code is None:
            code = machine_code(function, signature, JIT)
            folder.write(name, code)
        return Kernel(code, signature)

    return compile_


def callable_once(function: Callable[..., Any], options: dict[str, Any] = INLINED) -> Any:
    """Make a function callable in the one kernel that is handed it, and released with that.

    What is registered with numba instead stays for good, and so does what is compiled of it.
    """
    return numba.njit(**options)(function)


def register_helpers(function: Callable[..., Any]) -> None:
    """Let the compiler call the plain functions of its own module that a lane kernel calls."""
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if isinstance(helper, FunctionType) and helper.__module__ == function.__module__:
            register_jitable(**HELPER)(helper)
