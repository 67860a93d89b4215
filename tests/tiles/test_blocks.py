"""Where the rows of a block of lanes lie."""

import itertools

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.tiles.prepared import Prepared
from gdfast.tiles.tile import WIDTHS, new_block


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("problem", "optimizer"),
    [
        (problems.quartic(), optimizers.gd()),
        (problems.rosenbrock(), optimizers.prodigy()),
        (problems.colville(), optimizers.adam()),
        (problems.rosenbrock(60), optimizers.adam()),
        (problems.rosenbrock(400), optimizers.adam()),
        (problems.logistic_regression(), optimizers.momentum()),
    ],
    ids=lambda value: value.label if hasattr(value, "label") else str(value),
)
def test_rows_begin_at_lines_that_no_near_row_shares(problem, optimizer, dtype):
    sweep = gdfast.Sweep(problem, optimizer, [0.1], problem.random(2), 20, dtype=dtype)
    block = new_block(sweep, Prepared(sweep).plan(0))
    width = len(block.number)
    assert width in WIDTHS or problem.lane_kernel
    begins = []
    for name, array in block._asdict().items():
        rows = array.reshape(-1, array.shape[-1])
        assert rows.shape[1] >= width
        assert rows.flags.c_contiguous
        assert not rows.any(), name
        begins += [row.ctypes.data for row in rows if name != "carried"]
    taken = block.theta, block.state, block.memory, block.lr, block.ended
    assert sorted(row.ctypes.data for row in block.carried) == sorted(
        row.ctypes.data for rows in taken for row in rows.reshape(-1, rows.shape[-1])
    )
    begins.sort()
    assert all(at % 64 == 0 for at in begins)
    assert min(after - before for before, after in itertools.pairwise(begins)) >= width * np.dtype(dtype).itemsize
    if block.theta.shape[1] > width:  # not one vector a row
        near = [(a, b) for i, a in enumerate(begins) for b in begins[i + 1 : i + 30]]
        assert not [pair for pair in near if (pair[1] - pair[0]) % 4096 == 0]
