"""What compiled functions hand to one another, under names; the signatures made of it; what a lane's status means."""

import functools
from typing import Any, Final, NamedTuple

from numba import types

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
    product: Any  # int64, address of the products with its Hessian; 0 if the step has them in itself or needs none
    group: Any  # int64[d], the row of learning rates that a coordinate takes
    arrays: Any  # int64[d, 3], of the array of parameters that it is of: entries, rows, columns
    data: Any  # (:)
    layout: Any  # int64[:]
    noting: Any = 0  # int64, `OBJECTIVE` where each evaluation is to tell it, too, whatever else is wanted


class Block(NamedTuple):
    """The arrays of a block of W lanes; rows may be longer than that by what stays zero."""

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
    carried: Any  # (all rows of theta, state, memory, lr and ended, W): what a lane takes with it to another place
    leaving: Any  # int64[W], to scribble on


class Settling(NamedTuple):
    """When a lane is settled."""

    check_every: Any  # int64, the steps from one check to the next
    gradient_tolerance: Any  # float64
    divergence_limit: Any  # float64
    begins: Any  # int64, the updates done before which no gradient is small; the driver's to see to


_counts = types.int64[::1]
SETTLING = types.NamedTuple((types.int64, types.float64, types.float64, types.int64), Settling)


def pair_type(real: Any) -> Any:
    """The type of a `Pair` whose lanes compute in a type of numba's."""
    return types.NamedTuple((*[types.int64] * 3, _counts, types.int64[:, ::1], real[::1], _counts, types.int64), Pair)


def block_type(real: Any) -> Any:
    """The type of a `Block` of lanes that compute in a type of numba's."""
    matrix, cube = real[:, ::1], real[:, :, ::1]
    return types.NamedTuple(
        (*[matrix] * 3, cube, *[matrix] * 2, _counts, _counts, matrix, cube, matrix, _counts), Block
    )


@functools.cache
def step_signature(real: Any) -> Any:
    """The signature of the steps that compute in a type, ``float64`` or ``float32`` of numba's."""
    return types.void(
        pair_type(real),
        block_type(real),
        real[:, ::1],  # table (max_steps + 1, c)
        SETTLING,
        types.int64,  # t, the updates done by a lane that is not settled
        types.int64,  # n, lanes in use, a multiple of LANES
        types.int64,  # n_steps to do; 0: only tell the objective, in work[0]; −1: the largest gradient too, in work[1]
    )


@functools.cache
def evaluation_signature(real: Any) -> Any:
    """The signature of the evaluations that compute in a type, ``float64`` or ``float32`` of numba's."""
    matrix = real[:, ::1]
    return types.void(
        pair_type(real),
        types.int64,  # what is wanted: the gradient, the objective or both
        matrix,  # theta (d, W)
        matrix,  # grad (d, W), to be filled
        real[::1],  # objective (W), to be filled
        matrix,  # work (work_rows, W), to scribble on
        types.int64,  # n, lanes in use
        types.int64,  # t, the updates done before
    )


@functools.cache
def product_signature(real: Any) -> Any:
    """The signature of the products with the Hessian that compute in such a type."""
    matrix = real[:, ::1]
    return types.void(
        pair_type(real),
        matrix,  # theta (d, W)
        matrix,  # way (d, W), the vectors
        matrix,  # out (d, W), to be filled with their products
        matrix,  # work (work_rows, W), to scribble on
        types.int64,  # n, lanes in use
        types.int64,  # t, the updates done before
    )


def call_step(pair, block, table, settling, t, n, n_steps):  # what the signature has
    """Call the compiled step of a pair, so that one driver serves all pairs: see `gdfast.kernels.loops`."""
    raise NotImplementedError("for kernels")


def call_evaluation(pair, wanted, theta, grad, out, work, n, t):  # likewise
    """Call the compiled evaluation of a pair, so that one step serves all problems with data."""
    raise NotImplementedError("for kernels")


def call_product(pair, theta, way, out, work, n, t):  # likewise
    """Call the compiled products of a pair with its Hessian."""
    raise NotImplementedError("for kernels")
