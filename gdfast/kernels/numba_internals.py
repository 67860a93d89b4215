"""Machine code out of numba's compiler and into this process: all that rests on numba's unstable internals.

Numba hands what it compiles to one LLVM engine, for good: neither the machine code nor what it was made from is
released, and an object file that is damaged makes LLVM abort the process. Here numba only translates. The machine code
of a kernel is bytes, to be kept anywhere, and each kernel that is loaded has an engine of its own, which is released
with it. Nor can two kernels be bound to each other's symbols (numba#10486), since no engine has two.
"""

import ctypes
import functools
import gc
import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite.binding.newpassmanagers import FunctionPassManager, ModulePassManager, NewPassManager
from numba.core import codegen, config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.typing.templates import builtin_registry, infer_global
from numba.misc.appdirs import user_cache_dir

from gdfast.kernels.estimates import Units, with_estimates

INDEPENDENT = "gdfast.independent"
"""The function whose call marks a loop as one of independent iterations: see `gdfast.formulas.lane_products`."""


def _with_independent_loops(text: str) -> str:
    """Write into LLVM's assembly of a module, in place of the marks, that loops are parallel to their accesses.

    A mark is the last thing in the body of a loop, so that the branch that ends its block goes back to the beginning.
    All accesses of the module are told to be in one group, which means something in the marked loops only.
    """
    first = 1 + max((int(number) for number in re.findall(r"^!(\d+) = ", text, re.MULTILINE)), default=0)
    group, accesses = first, first + 1
    told = [f"!{group} = distinct !{{}}", f'!{accesses} = !{{!"llvm.loop.parallel_accesses", !{group}}}']
    lines, marked = [], False
    for line in text.splitlines():
        if INDEPENDENT in line:
            marked = marked or "call" in line
            continue
        if marked and line.startswith("  br "):
            loop, marked = first + len(told), False
            told.append(f"!{loop} = distinct !{{!{loop}, !{accesses}}}")
            line += f", !llvm.loop !{loop}"
        elif re.match(r"  (%\S+ = load|store) ", line):
            line += f", !llvm.access.group !{group}"
        lines.append(line)
    return "\n".join([*lines, *told, ""])


class _Library(codegen.JITCodeLibrary):
    """What numba makes of a function, without machine code of its own."""

    def _optimize_final_module(self) -> None:
        pass

    def optimize(self) -> None:
        """Let LLVM optimize it with all that it calls: a kernel, once, and not each of its functions by itself, too."""
        text = str(self._final_module)
        if INDEPENDENT in text:
            self._final_module = llvm.parse_assembly(_with_independent_loops(text))
        super()._optimize_final_module()

    def _finalize_specific(self) -> None:
        pass

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 1  # of the Python functions that numba makes of it, which nobody calls


# llvmlite (0.50) never disposes of a pass manager: its classes inherit the `_dispose` that does nothing before the one
# that does. That is three of the four MiB that stay for each kernel which is compiled.
class _ModulePasses(ModulePassManager):
    _dispose = NewPassManager._dispose


class _FunctionPasses(FunctionPassManager):
    _dispose = NewPassManager._dispose


class _Translator(codegen.JITCPUCodegen):
    """Numba's code generator without its engine: what it makes is released when nobody refers to it."""

    _library_class = _Library

    def _add_module(self, module: Any) -> None:
        pass

    def _module_pass_manager(self, **options: Any) -> Any:
        passes, builder = super()._module_pass_manager(**options)
        passes.__class__ = _ModulePasses
        return passes, builder

    def _function_pass_manager(self, **options: Any) -> Any:
        passes, builder = super()._function_pass_manager(**options)
        passes.__class__ = _FunctionPasses
        return passes, builder

    def set_env(self, env_name: str, env: Any) -> None:
        pass


@functools.cache
def _translator() -> _Translator:
    return _Translator("gdfast")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage."""
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if usual:
            gc.enable()


@contextmanager
def _translating() -> Iterator[None]:
    """Let numba translate only. All its compiling, in any thread, waits for the lock that is held meanwhile.

    Garbage is not looked for meanwhile: among the many small things that numba makes and keeps while it compiles, that
    takes a sixth of the time.
    """
    with global_compiler_lock, _uncollected():
        context = cpu_target.target_context
        context.refresh()
        usual = context._internal_codegen
        context._internal_codegen = _translator()
        try:
            yield
        finally:
            context._internal_codegen = usual


def machine_code_by_numba(
    function: Callable[..., Any],
    signature: Any,
    options: dict[str, Any],
    around: Callable[[str], str],
    units: Units | None = None,
) -> bytes:
    """Let numba compile a function for one signature.

    Parameters
    ----------
    function, signature, options
        What numba is given.
    around : callable
        Of the symbol that numba gives the function, the assembly of what is called instead, and calls it.
    units
        Those of the machine, by which estimates are taken for roots and quotients where they are quicker.
    """
    with _translating():
        (result,) = numba.njit(signature, **options)(function).overloads.values()
        result.library._final_module.link_in(llvm.parse_assembly(around(result.fndesc.llvm_func_name)))
        result.library.optimize()
    # Constants in an environment would have to be kept with the machine code. Kernels have none.
    assert not any(environment.consts for environment in (result.environment, *result._find_referenced_environments()))
    with global_compiler_lock:
        return _emitted(result.library, units)


def machine_code(text: str, units: Units | None = None) -> bytes:
    """Compile an assembly as what numba makes of a function."""
    with global_compiler_lock:
        library = _translator().create_library("gdfast")
        library.add_llvm_module(llvm.parse_assembly(text))
        library.optimize()
        return _emitted(library, units)


def _emitted(library: Any, units: Units | None) -> bytes:
    """The machine code of a library, with estimates in the place of roots and quotients where they are quicker."""
    text = units and with_estimates(str(library._final_module), units)
    machine = library.codegen._tm
    module = _inlined(machine, text) if text else library._final_module
    if config.DUMP_ASSEMBLY:
        print(machine.emit_assembly(module))
    return machine.emit_object(module)  # type: ignore[no-any-return]


def _inlined(machine: Any, text: str) -> Any:
    """The module of an assembly, with what is to stand in its callers there."""
    module = llvm.parse_assembly(text)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(config.OPT))
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_new_gvn_pass()  # the same sign of the same number is taken once
    passes.add_simplify_cfg_pass()
    passes.__class__ = _ModulePasses
    passes.run(module, builder)
    return module


def functions_of(text: str, names: Iterable[str]) -> dict[str, Callable[[int, int, int], None]]:
    """Compile an assembly; return its functions of two addresses and a count."""
    with global_compiler_lock:
        machine = cpu_target.target_context.codegen()._tm
        engine = engine_of(machine.emit_object(_inlined(machine, text)))
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    functions: dict[str, Any] = {name: kind(engine.get_function_address(name)) for name in names}
    for function in functions.values():
        function.engine = engine  # as long as it is called
    return functions


def engine_of(object_file: bytes) -> Any:
    """An engine that has loaded machine code, undamaged: LLVM aborts the process otherwise."""
    if b"NRT_" in object_file:
        rtsys.initialize(cpu_target.target_context)  # the symbols that numba's machine code refers to
    options = {"opt": config.OPT}
    cpu_target.target_context.codegen()._customize_tm_options(options)
    triple = llvm.get_process_triple()
    module = llvm.parse_assembly(f'target triple = "{triple}"')
    machine = llvm.Target.from_triple(triple).create_target_machine(**options)
    engine = llvm.create_mcjit_compiler(module, machine, use_lmm=config.USE_LLVMLITE_MEMORY_MANAGER)
    engine.add_object_file(llvm.ObjectFileRef.from_data(object_file))
    engine.finalize_object()
    return engine


def compile_as(intrinsic: Any, function: Callable[..., Any]) -> None:
    """Have compiled code take a function for an intrinsic: its instructions stand in the caller itself.

    A function that calls the intrinsic would be typed and written into its caller at each place anew, which takes as
    long again as all else that is compiled of a formula.
    """
    infer_global(function, dict(builtin_registry.globals)[intrinsic])


def toolchain() -> str:
    """Everything of the machine and the tools that machine code depends on."""
    generator = cpu_target.target_context.codegen()
    versions = [numba.__version__, llvmlite.__version__, np.__version__, sys.implementation.cache_tag, sys.abiflags]
    return repr([*versions, *generator.magic_tuple(), config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE])


def instructions() -> str:
    """The extensions of the instruction set that machine code uses, as LLVM writes them: ``+avx2,+avx512f,…``."""
    return str(cpu_target.target_context.codegen().magic_tuple()[2])


def processor() -> str:
    """A digest of the processor and the instructions that machine code is made for."""
    return hashlib.sha256(repr(cpu_target.target_context.codegen().magic_tuple()).encode()).hexdigest()[:40]


def user_folder() -> str:
    """Where programs keep what they can make again, by the custom of the operating system; not absolute if unknown."""
    return str(user_cache_dir("gdfast", appauthor=False))
