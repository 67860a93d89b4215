"""The one signature of all step kernels, and the states a lane can be in."""

from typing import Final

from numba import types

MOVING: Final = 0  # last gradient was not small
RESTING: Final = 1  # last gradient was small: one more and the lane is stationary
STATIONARY: Final = 2
DIVERGED: Final = 3

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
    _counts,  # steps (W), the updates done
    _matrix,  # table (max_steps + 1, c)
    types.int64,  # t, the updates done by a lane that is not settled
    types.int64,  # n, lanes in use
    types.int64,  # n_steps, how many steps to do
    types.float64,  # gradient_tolerance
    types.float64,  # divergence_limit
    _lanes,  # data
    _counts,  # layout
)
