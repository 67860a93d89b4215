"""The one signature of all step kernels, and what the status of a lane means."""

from typing import Final

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

LANES: Final = 32  # lanes are stepped in groups of so many: the unrolled vector loop

_matrix = types.float64[:, ::1]
_lanes = types.float64[::1]
_counts = types.int64[::1]

STEP = types.void(
    _matrix,  # theta (d, W)
    _matrix,  # grad (d, W), to scribble on
    _matrix,  # work (work_rows, W), likewise
    types.float64[:, :, ::1],  # state (s, d, W)
    _matrix,  # memory (r, W), of a trajectory as a whole
    _matrix,  # lr (groups, W)
    _counts,  # group (d), the row of lr that a coordinate takes
    _counts,  # number (W), which trajectory of the sweep a lane runs
    _counts,  # status (W)
    _matrix,  # ended (d, W), where a lane has settled
    _matrix,  # table (max_steps + 1, c)
    types.int64,  # t, the updates done by a lane that is not settled
    types.int64,  # n, lanes in use, a multiple of LANES
    types.int64,  # n_steps, how many steps to do
    types.float64,  # gradient_tolerance
    types.float64,  # divergence_limit
    _lanes,  # data
    _counts,  # layout
)


@intrinsic
def call_step(
    typing_context, address, theta, grad, work, state, memory, lr, group, number, status, ended, table, t, n, n_steps,
    gradient_tolerance, divergence_limit, data, layout,
):  # fmt: skip
    """Call the compiled step at an address, so that one driver serves all pairs."""
    # Numba's own function-pointer type does the same, but spends 0.2 ms at every call of the driver on looking the
    # kernel's signature up.

    def generate(context, builder, signature, arguments):
        convention = context.call_conv
        function = builder.inttoptr(
            arguments[0], convention.get_function_type(STEP.return_type, STEP.args).as_pointer()
        )  # fmt: skip
        returned, _ = convention.call_function(builder, function, STEP.return_type, STEP.args, arguments[1:])
        with cgutils.if_unlikely(builder, returned.is_error):
            convention.return_status_propagate(builder, returned)
        return context.get_dummy_value()

    return types.void(types.int64, *STEP.args), generate
