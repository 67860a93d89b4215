"""Rule + problem → step kernel, compiled on demand and cached on disk.

A step kernel does, for a block of lanes and for several steps: gradient, settle check, update, freeze. There are
two templates. `_fused` does all of it in one pass over the lanes, with the coordinates of a lane in registers: for
landscapes of few coordinates. `_parts` calls a problem's own lane kernel for the gradient, then checks, then
updates coordinate by coordinate: for problems with data and any number of coordinates.

A lane is settled at step t when its gradient is small for the second time running, or too large or not a number.
Both templates look first whether any gradient of a group of lanes may be small or too large, which is rarely so, and
only then at each lane. Where a lane settles its point is kept in `ended`; it goes on being stepped until the driver
takes it out, since lanes cost nothing extra and a choice in every update does. What a measure remembers of it stays as
it is, the loss at that point included.
"""

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import overload, register_jitable
from numba.np.unsafe.ndarray import to_fixed_tuple

from gdfast import noise
from gdfast.kernels import lane_math  # noqa: F401, registers the compiled forms of `elementary`
from gdfast.kernels.chain import in_registers, in_rows
from gdfast.kernels.digest import digest
from gdfast.kernels.grammar import check, single_precision
from gdfast.kernels.lane_math.parts import choose, float_to_bits, single_to_bits
from gdfast.kernels.options import INLINED, JIT, wide
from gdfast.kernels.signatures import DIVERGED, KINDS, LANES, RESTING, SETTLED, STATIONARY, step_signature
from gdfast.measures import Measure
from gdfast.optimizers import Optimizer
from gdfast.problems import Landscape, Problem

_kernels: dict[str, Any] = {}
_lock = threading.Lock()
_LARGEST_FUSED = 8  # coordinates a lane can have in registers


def step_kernel(
    problem: Problem,
    optimizer: Optimizer,
    measure: Measure | None = None,
    dtype: Any = np.float64,
    sparse: bool = False,
) -> Any:
    """Return the compiled step of an optimizer on a problem, from memory, from disk or freshly compiled.

    Parameters
    ----------
    problem, optimizer, measure
        What it steps.
    dtype : dtype
        The type it computes in.
    sparse : bool
        Whether there are steps without a settle check.

    Raises
    ------
    GrammarError
        If the rule or a formula is not in the grammar of rules.
    """
    transforms, plateau = optimizer.transforms, optimizer.plateau
    parts = {"rule": (optimizer.rule, 1 + len(optimizer.state))}
    if optimizer.terms is not None:
        parts["terms"] = (optimizer.terms, len(optimizer.sums))
    if plateau:
        parts["plateau"] = (plateau.rule, len(plateau.initial))
    if measure:
        parts["measure"] = (measure.rule, len(measure.initial))
    for k, transform in enumerate(transforms):
        parts[f"rule{k}"] = (transform.rule, 1)
        if transform.terms is not None:
            parts[f"terms{k}"] = (transform.terms, len(transform.sums))
    lanes = problem.lane_kernel
    if lanes is None:
        assert isinstance(problem, Landscape)
        template: Callable[..., Any] = _fused
        parts["gradient"] = (problem.gradient_formula, problem.dimension)
        parts["objective"] = (problem.loss_formula, 1)
        chain = in_registers(transforms, problem.dimension)
        sources, functions = [], {}
    else:
        template = _parts
        chain = in_rows(transforms)
        sources = [lanes.gradient.__qualname__, lanes.objective.__qualname__, *_texts(lanes.gradient, lanes.objective)]
        functions = {"gradient": lanes.gradient, "objective": lanes.objective}
        if lanes.both:
            functions["both"] = lanes.both
        register_helpers(lanes.gradient)
    sources += [check(function, results) for function, results in parts.values()]
    functions.update({name: function for name, (function, _) in parts.items()})
    sizes = Sizes(
        problem.dimension if template is _fused else 0,  # one kernel serves a problem with data in any dimension
        len(optimizer.state),
        len(optimizer.coefficients),
        len(optimizer.sums),
        sum_rows(optimizer),
        optimizer.uses_loss,
        optimizer.scheduled_by_step,
        len(plateau.coefficients) if plateau else 0,
        len(optimizer.initial_memory),
        sum(len(transform.coefficients) for transform in transforms),
        len(measure.initial) if measure else 0,
        len(measure.coefficients) if measure else 0,
        "both" in functions,
        sparse,
        np.dtype(dtype).name,
    )
    key = digest([template.__name__, repr(sizes), *chain, *sources])
    with _lock:
        if key not in _kernels:
            narrow = single_precision if sizes.real == "float32" else lambda function: function
            made = {name: _unique(narrow(function), key) for name, function in functions.items()}
            called = {name: made.pop(name) for name in [*made] if name[-1].isdigit()}
            called.update(as_tuple=as_tuple, factor=from_memory if plateau else from_schedule, **_NOISE)
            for name, text in (("transform", chain.gradient), ("decay", chain.decay)):
                made[name] = _unique(narrow(_written(text, called)), key)
            for name in ("terms", "plateau", "measure", "both"):
                made.setdefault(name, made["rule"])  # never called where there are none
            _kernels[key] = template(**made, transformed=bool(transforms), sizes=sizes, key=key)
        return _kernels[key]


_NOISE = {f.__name__: register_jitable(**INLINED)(f) for f in (noise.mixed, noise.uniform, noise.quantile)}


def _written(text: str, called: dict[str, Any]) -> Any:
    """Make the function that a text defines."""
    namespace = {"__name__": __name__, "__text__": text, **called}
    exec(text, namespace)
    return namespace[text.split("(")[0].removeprefix("def ")]


@functools.cache
def address(kernel: Any) -> int:
    """Where the machine code of a step kernel lies, for `call_step`."""
    (result,) = kernel.overloads.values()
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


class Sizes(NamedTuple):
    """What a template is specialized to."""

    d: int  # coordinates, if they are to be in registers
    s: int  # state slots
    c: int  # coefficients of the rule
    q: int  # sums over the coordinates
    sum_rows: int  # sums that a rule or a transform needs at a time
    uses_loss: bool  # whether the rule does
    scheduled: bool  # by the step alone
    plateau: int  # coefficients of a schedule that looks at the loss
    memory: int  # memory slots of that schedule, the first of a trajectory
    transforms: int  # coefficients of the transforms
    measured: int  # memory slots of a measure, the last of a trajectory
    measure: int  # coefficients of the measure
    at_once: bool  # whether the problem has gradient and objective in one
    sparse: bool  # whether there are steps without a settle check
    real: str  # the type of all numbers

    @property
    def signature(self) -> Any:
        """The signature of the kernel."""
        return step_signature(getattr(types, self.real))

    @property
    def number(self) -> Any:
        """NumPy's type of that name, in which constants are given: others would widen what they are combined with."""
        return getattr(np, self.real)


def sum_rows(optimizer: Optimizer) -> int:
    """How many sums over the coordinates a lane needs at a time."""
    return max(len(optimizer.sums), *(len(transform.sums) for transform in optimizer.transforms), 0)


def work_rows(problem: Problem, optimizer: Optimizer) -> int:
    """Rows of scratch space of the step of a pair: the problem's, the sums, the largest gradient entry, the loss."""
    return (problem.lane_kernel.work_rows if problem.lane_kernel else 0) + sum_rows(optimizer) + 2


@functools.lru_cache(maxsize=256)
def _texts(*functions: FunctionType) -> list[str]:
    """The texts of all files in which functions stand that these call, or that those call."""
    found, waiting = set(functions), list(functions)
    while waiting:
        function = waiting.pop()
        named = (function.__globals__.get(name) for name in function.__code__.co_names)
        fresh = {other for other in named if isinstance(other, FunctionType)} - found
        found |= fresh
        waiting += fresh
    return [Path(file).read_text(encoding="utf-8") for file in sorted({inspect.getfile(f) for f in found})]


def register_helpers(function: Callable[..., Any]) -> None:
    """Let the compiler call the plain functions of its own module that a lane kernel calls."""
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if isinstance(helper, FunctionType) and helper.__module__ == function.__module__:
            register_jitable(helper)


def _unique(function: Callable[..., Any], key: str) -> Any:
    """Make a copy of a function, callable in kernels, whose name occurs nowhere else."""
    # Cached machine code keeps its symbols, which hold a function's name and a number counted in the process that
    # compiled it. Two kernels from two processes can so have the same symbol, and the second one loaded is then
    # silently bound to the code of the first (numba#10486). A name with the digest in it cannot collide.
    name = f"{function.__name__}_{key[:16]}"
    copy = FunctionType(function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
    copy.__qualname__ = name
    copy.__module__ = function.__module__
    return register_jitable(**INLINED)(copy)


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
            return numba.njit(signature, cache=True, **JIT)(function)  # type: ignore[call-overload]
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            warn_uncached()
            return numba.njit(signature, **JIT)(function)  # type: ignore[call-overload]

    return compile_


@functools.cache
def warn_uncached() -> None:
    """Warn, once in a process, that kernels cannot be kept."""
    warnings.warn(
        "no folder for compiled kernels can be written, so they are compiled anew in every process; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        stacklevel=2,
    )


@register_jitable
def next_status(status, size, t, check_every, gradient_tolerance, divergence_limit):
    """What becomes of a lane whose gradient after `t` updates has the largest entry `size` (NaN if any is)."""
    again = status == KINDS * (t - check_every) + RESTING
    small = KINDS * t + (STATIONARY if again else RESTING)
    after = small if size <= gradient_tolerance else status
    after = after if size <= divergence_limit else KINDS * t + DIVERGED
    return status if status & SETTLED else after


@register_jitable
def larger(a, b):
    """The larger of two numbers, NaN if either is."""
    return b if (b > a) | (b != b) else a


def as_tuple(value):
    """A tuple as itself, a number as a tuple of one."""
    return value if isinstance(value, tuple) else (value,)


@overload(as_tuple)
def _as_tuple(value):
    return (lambda value: value) if isinstance(value, types.BaseTuple) else (lambda value: (value,))


# What a lane's step is made of, as functions of the module that are handed the rule and the formulas. Inside one
# function the loops over coordinates would keep LLVM from vectorizing the loop over lanes (it peels the lane loop
# for the sake of their counters); in a closure, intrinsics would be pickled into numba's cache key with a random
# number.
@register_jitable
def gather(state, i, lane, slots):
    """A coordinate's state, as a tuple like `slots`."""
    for j in range(len(slots)):
        slots = tuple_setitem(slots, j, state[j, i, lane])  # type: ignore[call-arg]
    return slots


@register_jitable
def scatter(state, i, lane, new):
    """Store the new state and return the new parameter."""
    for j in range(len(new) - 1):
        state[j, i, lane] = new[j + 1]
    return new[0]


@register_jitable
def gather_nothing(state, i, lane, slots):
    """`gather` for a rule without state."""
    return slots


@register_jitable
def scatter_nothing(state, i, lane, new):
    """`scatter` for a rule without state, which returns a number."""
    return new


@register_jitable
def column(matrix, lane, point):
    """A lane's coordinates, as a tuple like `point`."""
    for i in range(len(point)):
        point = tuple_setitem(point, i, matrix[i, lane])  # type: ignore[call-arg]
    return point


@register_jitable
def largest(g):
    """The largest absolute entry of a tuple, NaN if any is."""
    size = abs(g[0])
    for i in range(1, len(g)):
        size = larger(size, abs(g[i]))
    return size


def quiet_window(gradient_tolerance, divergence_limit, zero):
    """What `eventful` needs to know of the tolerances: a range between them, as numbers for integer arithmetic.

    Numbers in the order of their size are in the order of their bits, read as integers. Of the bits between those of
    the two tolerances the window is 2ᵏ wide, so that an addition and a mask tell what is outside. It is the lowest
    that reaches to 10⁻⁸ of the divergence limit at least: gradients are seldom larger. `zero` is of the type of the
    gradients; the numbers have as many bits.
    """
    raise NotImplementedError("for kernels")


def loudest(g):
    """The bits of the largest absolute entry of a tuple, NaN above all; of a single entry with its sign."""
    raise NotImplementedError("for kernels")


def eventful(bits, window):
    """0 where a gradient whose largest entry has these bits settles no lane, another number where it may."""
    raise NotImplementedError("for kernels")


def either(a, b):
    """The bits of two integers together, as an integer of the type of the first."""
    raise NotImplementedError("for kernels")


@register_jitable
def _window(low, high, reached):
    width = 1 << ((float_to_bits(float(high - low)) >> 52) - 1023)
    top = min(max(low + width, reached), high)
    return top - width, ~(width - 1)


@overload(quiet_window)
def _quiet_window(gradient_tolerance, divergence_limit, zero):
    if zero == types.float64:

        def double(gradient_tolerance, divergence_limit, zero):
            low, high = float_to_bits(gradient_tolerance) + 1, float_to_bits(divergence_limit) + 1
            bottom, mask = _window(low, high, float_to_bits(1e-8 * divergence_limit))
            return (1 << 62) - bottom + (1 << 62), ((1 << 62) - 1 + (1 << 62)) & mask

        return double

    def single(gradient_tolerance, divergence_limit, zero):
        low, high = single_to_bits(gradient_tolerance) + 1, single_to_bits(divergence_limit) + 1
        bottom, mask = _window(low, high, single_to_bits(1e-8 * divergence_limit))
        return np.int32((1 << 31) - bottom), np.int32(((1 << 31) - 1) & mask)

    return single


# Numba widens integers of 32 bits to 64 in every operation. LLVM narrows them again where the result is narrow.
@overload(loudest, jit_options=INLINED)
def _loudest(g):
    if g.dtype == types.float64:
        largest_number = (1 << 62) - 1 + (1 << 62)

        def double(g):
            bits = float_to_bits(g[0])
            for i in range(1, len(g)):
                bits &= largest_number
                other = float_to_bits(g[i]) & largest_number
                bits = choose(other > bits, other, bits)
            return bits

        return double

    def single(g):
        bits = single_to_bits(g[0])
        for i in range(1, len(g)):
            bits = np.int32(bits & 0x7FFFFFFF)
            other = np.int32(single_to_bits(g[i]) & 0x7FFFFFFF)
            bits = choose(other > bits, other, bits)
        return bits

    return single


@overload(eventful, jit_options=INLINED)
def _eventful(bits, window):
    if bits == types.int64:
        return lambda bits, window: (bits + window[0]) & window[1]
    return lambda bits, window: np.int32(np.int32(bits + window[0]) & window[1])


@overload(either, jit_options=INLINED)
def _either(a, b):
    if a == types.int64:
        return lambda a, b: a | b
    return lambda a, b: np.int32(a | b)


@register_jitable
def largest_entries(grad, size, n):
    """Put the largest absolute entry of each lane's gradient into ``size[:n]``, NaN if any is."""
    for lane in range(n):
        size[lane] = abs(grad[0, lane])
    for i in range(1, len(grad)):
        for lane in range(n):
            size[lane] = larger(size[lane], abs(grad[i, lane]))


@register_jitable
def maybe_settled(grad, size, n, gradient_tolerance, divergence_limit):
    """Whether any lane's gradient may be small or too large: not, if each has an entry that is neither.

    Entries that are too large are looked for everywhere; that every lane has one that is not small shows in the first
    few rows, as a rule. `size` is scratch space.
    """
    flat = grad.reshape(-1) if n == grad.shape[1] else grad[0, :n]
    quiet = float_to_bits(divergence_limit)
    events = 0
    for k in range(len(flat)):
        events |= quiet - float_to_bits(abs(flat[k]))  # negative, if larger or not a number
    if n < grad.shape[1]:
        for i in range(1, len(grad)):
            for lane in range(n):
                events |= quiet - float_to_bits(abs(grad[i, lane]))
    if events < 0:
        return True
    for i in range(len(grad)):
        small = 0
        for lane in range(n):
            size[lane] = larger(abs(grad[i, lane]), size[lane] if i > 0 else 0.0)
            small += size[lane] <= gradient_tolerance
        if small == 0:
            return False
    return True


@register_jitable
def from_schedule(multiplier, memory, lane):
    """What the learning rate is multiplied by, when it is the same for all lanes."""
    return multiplier


@register_jitable
def from_memory(multiplier, memory, lane):
    """What the learning rate is multiplied by, when it depends on the trajectory."""
    return memory[0, lane]


@register_jitable
def decayed(decay, x, g, rate, c):
    """The point that the rule starts from, after decoupled transforms."""
    y = x
    for i in range(len(x)):
        y = tuple_setitem(y, i, decay(x[i], g[i], rate, c))  # type: ignore[call-arg]
    return y


@register_jitable
def sum_terms(terms, read, x, g, state, lane, slots, rate, coefficients, totals):
    """The sums over the coordinates, in their order, added to the tuple `totals`."""
    for i in range(len(x)):
        part = as_tuple(terms(x[i], g[i], *(read(state, i, lane, slots) + rate + coefficients)))
        for j in range(len(totals)):
            totals = tuple_setitem(totals, j, totals[j] + part[j])  # type: ignore[call-arg]
    return totals


@register_jitable
def update(rule, read, store, x, g, theta, state, lane, slots, whole):
    """Apply the rule to every coordinate of a lane."""
    for i in range(len(x)):
        theta[i, lane] = store(state, i, lane, rule(x[i], g[i], *(read(state, i, lane, slots) + whole)))


@register_jitable
def keep(x, matrix, lane):
    """Store a lane's coordinates."""
    for i in range(len(x)):
        matrix[i, lane] = x[i]


@register_jitable
def settle(x, g, ended, status, lane, t, check_every, gradient_tolerance, divergence_limit):
    """Tell what becomes of a lane with gradient `g` at `x`, and keep the point of one that is not settled."""
    for i in range(len(x)):
        ended[i, lane] = ended[i, lane] if status[lane] & SETTLED else x[i]
    status[lane] = next_status(status[lane], largest(g), t, check_every, gradient_tolerance, divergence_limit)


@register_jitable
def keep_moving(x, matrix, status, lane):
    """Store what a lane remembers unless it is settled."""
    for i in range(len(x)):
        matrix[i, lane] = matrix[i, lane] if status[lane] & SETTLED else x[i]


def _fused(rule, terms, plateau, measure, transform, decay, gradient, objective, both, transformed, sizes, key):
    d, s, c, q, _, uses_loss, scheduled, p, r, z, w, y, _, sparse, _ = sizes
    first, second, third = int(scheduled), scheduled + z, scheduled + z + p
    fourth, width = third + c, third + c + y
    real = sizes.number
    zero, one = real(0.0), real(1.0)
    point, slots, zeros, memories, measured = (zero,) * d, (zero,) * s, (zero,) * q, (zero,) * r, (zero,) * w
    read, store = (gather, scatter) if s else (gather_nothing, scatter_nothing)
    factor = from_memory if r else from_schedule

    @compiled(sizes.signature, key)
    def step(
        theta, grad, work, state, memory, lr, group, number, status, ended, table, t, n, n_steps, check_every,
        gradient_tolerance, divergence_limit, data, layout,
    ):  # fmt: skip
        wide()  # type: ignore[call-arg]
        window = quiet_window(gradient_tolerance, divergence_limit, zero)
        tolerance, limit = real(gradient_tolerance), real(divergence_limit)
        if n_steps == 0:  # loss and gradient are asked for
            for lane in range(n):
                x = column(theta, lane, point)
                work[0, lane] = objective(*x)
                work[1, lane] = largest(as_tuple(gradient(*x)))
        for k in range(n_steps):
            row = to_fixed_tuple(table[t + k], width) if width else ()
            multiplier = row[0] if scheduled else one
            settings, coefficients = row[first:second], row[third:fourth]
            checked = not sparse or (t + k) % check_every == 0
            for block in range(n // LANES):
                events = window[0] & 0
                for j in range(LANES):
                    lane = block * LANES + j
                    x = column(theta, lane, point)
                    g = as_tuple(gradient(*x))
                    rate = factor(multiplier, memory, lane) * lr[0, lane]
                    if transformed:
                        work[0, lane] = rate
                        g = transform(x, g, rate, number[lane], t + k, settings)
                    if checked:
                        events = either(events, eventful(loudest(g), window))
                        keep(x, grad, lane)
                    loss = (objective(*x),) if uses_loss else ()
                    if r:
                        old = column(memory, lane, memories)
                        keep(plateau(objective(*x), *(old + row[second:third])), memory, lane)
                    if w:
                        old = column(memory[r:], lane, measured)
                        keep_moving(measure(objective(*x), *(old + row[fourth:])), memory[r:], status, lane)
                    y = decayed(decay, x, g, rate, settings) if transformed else x
                    totals = sum_terms(terms, read, y, g, state, lane, slots, (rate,), coefficients, zeros) if q else ()
                    update(rule, read, store, y, g, theta, state, lane, slots, (rate,) + totals + loss + coefficients)
                if events:
                    for j in range(LANES):
                        lane = block * LANES + j
                        x = column(grad, lane, point)
                        g = as_tuple(gradient(*x))
                        if transformed:
                            g = transform(x, g, work[0, lane], number[lane], t + k, settings)
                        settle(x, g, ended, status, lane, t + k, check_every, tolerance, limit)

    return step


def _parts(rule, terms, plateau, measure, transform, decay, gradient, objective, both, transformed, sizes, key):
    _, s, c, q, sums, uses_loss, scheduled, p, r, z, w, y, at_once, sparse, _ = sizes
    first, second, third = int(scheduled), scheduled + z, scheduled + z + p
    fourth, width = third + c, third + c + y
    slots, zeros, memories, measured = (0.0,) * s, (0.0,) * q, (0.0,) * r, (0.0,) * w
    read, store = (gather, scatter) if s else (gather_nothing, scatter_nothing)
    factor = from_memory if r else from_schedule
    needs_loss = uses_loss or bool(r + w)  # by itself, so that the compiler sees a constant
    in_one = needs_loss and at_once

    @compiled(sizes.signature, key)
    def step(
        theta, grad, work, state, memory, lr, group, number, status, ended, table, t, n, n_steps, check_every,
        gradient_tolerance, divergence_limit, data, layout,
    ):  # fmt: skip
        wide()  # type: ignore[call-arg]
        own = work.shape[0] - sums - 2  # rows of the problem's
        totals, size, losses = work[own : own + sums], work[own + sums], work[own + sums + 1]
        if n_steps == 0:  # loss and gradient are asked for
            gradient(theta, grad, work, n, data, layout, t)
            objective(theta, losses, work, n, data, layout, t)
            largest_entries(grad, size, n)
            for lane in range(n):
                work[0, lane], work[1, lane] = losses[lane], size[lane]
        for k in range(n_steps):
            row = to_fixed_tuple(table[t + k], width) if width else ()
            multiplier = row[0] if scheduled else 1.0
            settings, coefficients = row[first:second], row[third:fourth]
            if in_one:
                both(theta, grad, losses, work, n, data, layout, t + k)
            else:
                gradient(theta, grad, work, n, data, layout, t + k)
                if needs_loss:
                    objective(theta, losses, work, n, data, layout, t + k)
            if w:
                for lane in range(n):
                    old = column(memory[r:], lane, measured)
                    keep_moving(measure(losses[lane], *(old + row[fourth:])), memory[r:], status, lane)
            if transformed:
                transform(theta, grad, totals, lr, group, number, memory, t + k, n, multiplier, settings)
            checked = not sparse or (t + k) % check_every == 0
            if checked and maybe_settled(grad, size, n, gradient_tolerance, divergence_limit):
                largest_entries(grad, size, n)
                for i in range(theta.shape[0]):
                    for lane in range(n):
                        ended[i, lane] = ended[i, lane] if status[lane] & SETTLED else theta[i, lane]
                for lane in range(n):
                    status[lane] = next_status(
                        status[lane], size[lane], t + k, check_every, gradient_tolerance, divergence_limit
                    )
            if transformed:
                for i in range(theta.shape[0]):
                    rates = lr[group[i]]
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        theta[i, lane] = decay(theta[i, lane], grad[i, lane], rate, settings)
            if q:
                for j in range(q):
                    for lane in range(n):
                        totals[j, lane] = 0.0
                for i in range(theta.shape[0]):
                    rates = lr[group[i]]
                    for lane in range(n):
                        rate = factor(multiplier, memory, lane) * rates[lane]
                        given = read(state, i, lane, slots) + (rate,) + coefficients
                        part = as_tuple(terms(theta[i, lane], grad[i, lane], *given))
                        for j in range(q):
                            totals[j, lane] += part[j]
            for i in range(theta.shape[0]):
                rates = lr[group[i]]
                for lane in range(n):
                    rate = factor(multiplier, memory, lane) * rates[lane]
                    loss = (losses[lane],) if uses_loss else ()
                    summed = column(totals, lane, zeros) if q else ()
                    whole = (rate,) + summed + loss + coefficients
                    new = rule(theta[i, lane], grad[i, lane], *(read(state, i, lane, slots) + whole))
                    theta[i, lane] = store(state, i, lane, new)
            if r:
                for lane in range(n):
                    old = column(memory, lane, memories)
                    keep(plateau(losses[lane], *(old + row[second:third])), memory, lane)

    return step
