"""The one signature of all step kernels and that of all evaluations, and what the status of a lane means."""

import functools
from typing import Any, Final

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

_counts = types.int64[::1]


@functools.cache
def step_signature(real: Any) -> Any:
    """The signature of the steps that compute in a type, ``float64`` or ``float32`` of numba's."""
    matrix = real[:, ::1]
    return types.void(
        types.int64,  # address of the problem's evaluation, if the step does not have it in itself
        matrix,  # theta (d, W)
        matrix,  # grad (d, W), to scribble on
        matrix,  # work (work_rows, W), likewise
        real[:, :, ::1],  # state (s, d, W)
        matrix,  # memory (r, W), of a trajectory as a whole
        matrix,  # lr (groups, W)
        _counts,  # group (d), the row of lr that a coordinate takes
        _counts,  # number (W), which trajectory of the sweep a lane runs
        _counts,  # status (W)
        matrix,  # ended (d, W), where a lane has settled
        matrix,  # table (max_steps + 1, c)
        types.int64,  # t, the updates done by a lane that is not settled
        types.int64,  # n, lanes in use, a multiple of LANES
        types.int64,  # n_steps, how many steps to do
        types.int64,  # check_every, the steps from one settle check to the next
        types.float64,  # gradient_tolerance
        types.float64,  # divergence_limit
        types.float64[::1],  # data
        _counts,  # layout
    )


_matrix = types.float64[:, ::1]
evaluation_signature = types.void(
    types.int64,  # what is wanted: the gradient, the objective or both
    _matrix,  # theta (d, W)
    _matrix,  # grad (d, W), to be filled
    types.float64[::1],  # objective (W), to be filled
    _matrix,  # work (work_rows, W), to scribble on
    types.int64,  # n, lanes in use
    types.float64[::1],  # data
    _counts,  # layout
    types.int64,  # t, the updates done before
)


# Numba's own function-pointer type does what the two calls below do, but spends 0.2 ms at every call of the driver on
# looking a kernel's signature up.
def _call(context, builder, address, signature, arguments):
    convention = context.call_conv
    pointer = convention.get_function_type(signature.return_type, signature.args).as_pointer()
    function = builder.inttoptr(address, pointer)
    returned, _ = convention.call_function(builder, function, signature.return_type, signature.args, arguments)
    with cgutils.if_unlikely(builder, returned.is_error):
        convention.return_status_propagate(builder, returned)
    return context.get_dummy_value()


@intrinsic
def call_step(
    typing_context, address, evaluation, theta, grad, work, state, memory, lr, group, number, status, ended, table, t,
    n, n_steps, check_every, gradient_tolerance, divergence_limit, data, layout,
):  # fmt: skip
    """Call the compiled step at an address, so that one driver serves all pairs."""
    step = step_signature(theta.dtype)

    def generate(context, builder, signature, arguments):
        return _call(context, builder, arguments[0], step, arguments[1:])

    return types.void(types.int64, *step.args), generate


@intrinsic
def call_evaluation(typing_context, address, wanted, theta, grad, out, work, n, data, layout, t):
    """Call the compiled evaluation at an address, so that one step serves all problems with data."""

    def generate(context, builder, signature, arguments):
        return _call(context, builder, arguments[0], evaluation_signature, arguments[1:])

    return types.void(types.int64, *evaluation_signature.args), generate
