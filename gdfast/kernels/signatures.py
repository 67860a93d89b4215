"""The one signature of all step kernels, and what the status of a lane means."""

from typing import Final

from numba import types

# A lane's status is one number. Below SETTLED the lane is live and the number says whether its last gradient was
# small. From SETTLED on the lane has settled, and the number is KINDS × (updates done) + how it did.
MOVING: Final = 0
RESTING: Final = 1
SETTLED: Final = 2
STATIONARY: Final = 2
DIVERGED: Final = 3
KINDS: Final = 4

_matrix = types.float64[:, ::1]
_lanes = types.float64[::1]
_counts = types.int64[::1]

STEP = types.void(
    _matrix,  # theta (d, W)
    _matrix,  # grad (d, W), used by problems with a lane kernel only
    _matrix,  # work (work_rows, W), likewise
    types.float64[:, :, ::1],  # state (s, d, W)
    _lanes,  # lr (W)
    _counts,  # status (W)
    _matrix,  # table (max_steps + 1, c)
    types.int64,  # t, the updates done by a lane that is not settled
    types.int64,  # n, lanes in use
    types.int64,  # n_steps, how many steps to do
    types.float64,  # gradient_tolerance
    types.float64,  # divergence_limit
    _lanes,  # data
    _counts,  # layout
)
