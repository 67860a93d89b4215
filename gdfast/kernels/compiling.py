"""Kernels from memory, from disk or freshly compiled, and how functions are compiled into them."""

import dis
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from types import FunctionType
from typing import Any, Final, TypeVar

import numba
from numba.extending import register_jitable

from gdfast.formulas import elementary, lane_products, records
from gdfast.kernels import folder, units
from gdfast.kernels.apart import Call, elsewhere
from gdfast.kernels.digest import digest, functions
from gdfast.kernels.estimates import Units
from gdfast.kernels.loops.kernel import ENTRY, LoopKernel, text_of
from gdfast.kernels.numba_internals import Kernel, MachineCode, engine_of, machine_code, machine_code_of
from gdfast.kernels.options import HELPER, INLINED, JIT

MOST_IN_MEMORY: Final = 128
"""Kernels of a process that are in memory; those not used for the longest time are released, and loaded again."""

_COMPILED_HERE: Final = {elementary.__name__, lane_products.__name__, records.__name__}
"""Modules whose functions have compiled forms of their own in this package, instead of their plain texts."""

AnyKernel = TypeVar("AnyKernel", Kernel, LoopKernel)

_registered: set[FunctionType] = set()
_kernels: OrderedDict[Hashable, Any] = OrderedDict()
_calls: list[Call] = []  # that make what is being made
_lock = threading.RLock()


def remembered(name: Hashable, make: Callable[[], AnyKernel], call: Call) -> AnyKernel:
    """Return the kernel of that name from memory, or else make and remember it.

    Whoever takes its address must hold the kernel, too, as long as the address is used. The call is one that makes the
    same kernel in another process.
    """
    with _lock:
        _calls.append(call)
        try:
            kernel: AnyKernel = _kernels.get(name) or make()
        finally:
            _calls.pop()
        _kernels[name] = kernel
        _kernels.move_to_end(name)
        while len(_kernels) > MOST_IN_MEMORY:
            _kernels.popitem(last=False)
        return kernel


def compiled(signature: Any, options: dict[str, Any] = JIT) -> Callable[[Any], Kernel]:
    """Load a function compiled for one signature from disk, or compile it and keep it there.

    Parameters
    ----------
    signature
        The types it is compiled for.
    options : dict
        The compiler's.
    """

    def compile_(function: FunctionType) -> Kernel:
        return Kernel(
            _kept(function, signature, lambda costs: machine_code(function, signature, options, costs)), signature
        )

    return compile_


def compiled_loops(signature: Any) -> Callable[[Any], LoopKernel]:
    """`compiled` of plain loops, which are translated without numba: see `gdfast.kernels.loops`."""

    def compile_(function: FunctionType) -> LoopKernel:
        def make(costs: Units | None) -> MachineCode:
            return machine_code_of(text_of(function, signature), ENTRY, costs)

        return LoopKernel(engine_of(_kept(function, signature, make).object_file), signature)

    return compile_


def _kept(function: FunctionType, signature: Any, make: Callable[[Units | None], MachineCode]) -> MachineCode:
    """Machine code of a function from disk, or as it is made, and kept there then."""
    costs = units.units()
    name = f"{function.__name__}-{digest(function, str(signature), *_fields(signature.args), str(costs))[:40]}"
    code = folder.read(name)
    if code is None and _calls and elsewhere.compiled(_calls[-1]):
        code = folder.read(name)
    if code is None:
        code = make(costs)
        folder.write(name, code)
    return code


def _fields(kinds: Iterable[Any]) -> Iterator[str]:
    """The names of the fields of tuples, by which code takes what stands at some place: types do not tell them."""
    for kind in kinds:
        yield repr(getattr(kind, "fields", ()))
        yield from _fields(getattr(kind, "types", ()))


def callable_once(function: Callable[..., Any], options: dict[str, Any] = INLINED) -> Any:
    """Make a function callable in the one kernel that is handed it, and released with that.

    What is registered with numba instead stays for good, and so does what is compiled of it.
    """
    return numba.njit(**options)(function)


def register_helpers(function: Any) -> None:
    """Let the compiler call the plain functions that a lane kernel calls, and those that they call.

    One without a loop stands inside the loops of others, which would not vectorize with a call in them.
    """
    for helper in functions(function)[1:]:
        if helper.__module__ not in _COMPILED_HERE and helper not in _registered:
            loops = any("JUMP_BACKWARD" in instruction.opname for instruction in dis.get_instructions(helper))
            register_jitable(**(HELPER if loops else INLINED))(helper)
            _registered.add(helper)
