"""What compiled functions hand to one another, under names; the signatures made of it; what a lane's status means."""

import functools
from typing import Any, Final, NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# A lane's status is one number, KINDS × (updates done) + kind: when its gradient was last small, or when and how it
# settled. A lane that was never small is 0. The kinds of settled lanes, and only they, have the bit SETTLED.
MOVING: Final = 0
RESTING: Final = 1
STATIONARY: Final = 2
DIVERGED: Final = 3
SETTLED: Final = 2
KINDS: Final = 4

LANES: Final = 64  # lanes are stepped in groups of so many: the unrolled vector loop


class Pair(NamedTuple):
    """An optimizer on a problem, for the compiled code: where its functions lie, and what the problem's reads."""

    step: Any  # int64, address of the step
    evaluation: Any  # int64, address of the problem's evaluation; 0 if the step has it in itself
    group: Any  # int64[d], the row of learning rates that a coordinate takes
    data: Any  # float64[:]
    layout: Any  # int64[:]


class Block(NamedTuple):
    """The arrays of a block of W lanes."""

    theta: Any  # (d, W)
    grad: Any  # (d, W), to scribble on
    work: Any  # (work_rows, W), likewise
    state: Any  # (s, d, W)
    memory: Any  # (r, W), of a trajectory as a whole
    lr: Any  # (groups, W)
    number: Any  # int64[W], which trajectory of the sweep a lane runs
    status: Any  # int64[W]
    ended: Any  # (d, W), where a lane has settled
    tail: Any  # (window + 1, d, W), the last points of the budget


class Settling(NamedTuple):
    """When a lane is settled."""

    check_every: Any  # int64, the steps from one check to the next
    gradient_tolerance: Any  # float64
    divergence_limit: Any  # float64


class Grid(NamedTuple):
    """Where the trajectories of a tile begin."""

    starts: Any  # (d, m)
    learning_rates: Any  # (groups, k)
    first: Any  # int64, the tile's first trajectory
    state: Any  # (s,), the first value of each state slot
    memory: Any  # (r,), of each memory slot


class Ends(NamedTuple):
    """What the driver tells of the n trajectories of a tile."""

    theta: Any  # (d, n)
    steps: Any  # int32[n], updates done
    ending: Any  # int8[n]
    period: Any  # int8[n]
    samples: Any  # (k, n), the objective at some points of the middle and of the end of the budget, if it was spent
    loss: Any  # (n,), the objective
    gradient_norm: Any  # (n,), the largest entry of the gradient
    memory: Any  # (slots of the measure, n)


class Recording(NamedTuple):
    """What the driver notes of the n trajectories of a tile at the k steps that a history records."""

    steps: Any  # int64[k]
    loss: Any  # (k, n), the objective
    gradient_norm: Any  # (k, n), the largest entry of the gradient
    theta: Any  # (k, d, n); (0, d, n) where points are not asked for


_counts = types.int64[::1]
_pair = types.NamedTuple((types.int64, types.int64, _counts, types.float64[::1], _counts), Pair)
_settling = types.NamedTuple((types.int64, types.float64, types.float64), Settling)


def _block(real: Any) -> Any:
    matrix, cube = real[:, ::1], real[:, :, ::1]
    return types.NamedTuple((*[matrix] * 3, cube, *[matrix] * 2, _counts, _counts, matrix, cube), Block)


@functools.cache
def step_signature(real: Any) -> Any:
    """The signature of the steps that compute in a type, ``float64`` or ``float32`` of numba's."""
    return types.void(
        _pair,
        _block(real),
        real[:, ::1],  # table (max_steps + 1, c)
        _settling,
        types.int64,  # t, the updates done by a lane that is not settled
        types.int64,  # n, lanes in use, a multiple of LANES
        types.int64,  # n_steps, how many steps to do
    )


@functools.cache
def driver_signature(real: Any) -> Any:
    """The signature of the driver of tiles that compute in a type, ``float64`` or ``float32`` of numba's."""
    matrix = real[:, ::1]
    ends = (matrix, types.int32[::1], types.int8[::1], types.int8[::1], matrix, real[::1], real[::1], matrix)
    return types.int64(
        _pair,
        _pair,  # the same with the layout of all rows, by which end points are judged
        types.NamedTuple((matrix, matrix, types.int64, real[::1], real[::1]), Grid),
        matrix,  # table
        _settling,
        _block(real),
        types.NamedTuple(ends, Ends),
        types.NamedTuple((_counts, matrix, matrix, real[:, :, ::1]), Recording),
        _counts,  # stop (1): a number other than zero ends the tile early
    )


_matrix = types.float64[:, ::1]
evaluation_signature = types.void(
    _pair,
    types.int64,  # what is wanted: the gradient, the objective or both
    _matrix,  # theta (d, W)
    _matrix,  # grad (d, W), to be filled
    types.float64[::1],  # objective (W), to be filled
    _matrix,  # work (work_rows, W), to scribble on
    types.int64,  # n, lanes in use
    types.int64,  # t, the updates done before
)


# Numba's own function-pointer type does what the two calls below do, but spends 0.2 ms at every call of the driver on
# looking a kernel's signature up.
def _call(context: Any, builder: Any, address: Any, signature: Any, arguments: Any) -> Any:
    convention = context.call_conv
    pointer = convention.get_function_type(signature.return_type, signature.args).as_pointer()
    function = builder.inttoptr(address, pointer)
    returned, _ = convention.call_function(builder, function, signature.return_type, signature.args, arguments)
    with cgutils.if_unlikely(builder, returned.is_error):
        convention.return_status_propagate(builder, returned)
    return context.get_dummy_value()


@intrinsic
def call_step(typing_context, pair, block, table, settling, t, n, n_steps):
    """Call the compiled step of a pair, so that one driver serves all pairs."""
    step = step_signature(table.dtype)

    def generate(context, builder, signature, arguments):
        address = builder.extract_value(arguments[0], Pair._fields.index("step"))
        return _call(context, builder, address, step, arguments)

    return step, generate


@intrinsic
def call_evaluation(typing_context, pair, wanted, theta, grad, out, work, n, t):
    """Call the compiled evaluation of a pair, so that one step serves all problems with data."""

    def generate(context, builder, signature, arguments):
        address = builder.extract_value(arguments[0], Pair._fields.index("evaluation"))
        return _call(context, builder, address, evaluation_signature, arguments)

    return evaluation_signature, generate
