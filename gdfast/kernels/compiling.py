"""Kernels from memory, from disk or freshly compiled, and how functions are compiled into them."""

import dis
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from types import FunctionType
from typing import Any, Final

from numba.extending import overload, register_jitable

from gdfast.formulas import elementary, lane_products, records
from gdfast.kernels import folder, units
from gdfast.kernels.apart import Call, elsewhere
from gdfast.kernels.digest import digest, functions
from gdfast.kernels.estimates import Units
from gdfast.kernels.loops.kernel import Kernel, UntranslatableError, text_around, text_of
from gdfast.kernels.numba_internals import engine_of, machine_code, machine_code_by_numba
from gdfast.kernels.options import HELPER, INLINED, JIT, apart, few, wide

MOST_IN_MEMORY: Final = 128
"""Kernels of a process that are in memory; those not used for the longest time are released, and loaded again."""

_COMPILED_HERE: Final = {elementary.__name__, lane_products.__name__, records.__name__}
"""Modules whose functions have compiled forms of their own in this package, instead of their plain texts."""

for _asked in (apart, wide, few, lane_products.wide_vectors, lane_products.independent):
    overload(_asked)(lambda: lambda: None)  # in what numba compiles, LLVM decides

_registered: set[FunctionType] = set()
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


def compiled(signature: Any, may_be_anything: bool = False) -> Callable[[Any], Kernel]:
    """Load a function compiled for one signature from disk, or compile it and keep it there.

    Parameters
    ----------
    signature
        The types it is compiled for.
    may_be_anything : bool
        Whether numba compiles what is no function of plain loops.

    Raises
    ------
    UntranslatableError
        If it is none, and must be one: see `gdfast.kernels.loops`.
    """

    def compile_(function: FunctionType) -> Kernel:
        costs = units.units()
        name = f"{function.__name__}-{digest(function, str(signature), *_fields(signature.args), str(costs))[:40]}"
        code = folder.read(name)
        if code is None and _calls and elsewhere.compiled(_calls[-1]):
            code = folder.read(name)
        if code is None:
            try:
                code = machine_code(text_of(function, signature), costs)
            except UntranslatableError:
                if not may_be_anything:
                    raise
                code = _by_numba(function, signature, costs)
            folder.write(name, code)
        return Kernel(engine_of(code), signature)

    return compile_


def _by_numba(function: FunctionType, signature: Any, costs: Units | None) -> bytes:
    """What numba makes of a function and of the plain functions that it calls, under the symbols of a kernel.

    Helpers without a loop stand inside the loops of others, which would not vectorize with a call in them.
    """
    for helper in functions(function)[1:]:
        if helper.__module__ not in _COMPILED_HERE and helper not in _registered:
            loops = any("JUMP_BACKWARD" in instruction.opname for instruction in dis.get_instructions(helper))
            register_jitable(**(HELPER if loops else INLINED))(helper)
            _registered.add(helper)
    return machine_code_by_numba(function, signature, JIT, lambda symbol: text_around(symbol, signature), costs)


def _fields(kinds: Iterable[Any]) -> Iterator[str]:
    """The names of the fields of tuples, by which code takes what stands at some place: types do not tell them."""
    for kind in kinds:
        yield repr(getattr(kind, "fields", ()))
        yield from _fields(getattr(kind, "types", ()))
