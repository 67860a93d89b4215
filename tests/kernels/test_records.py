"""Records of a lane kernel: the compiled form reads what the plain one does."""

import numba
import numpy as np
import pytest

from gdfast.formulas.records import fields, length, packed, record
from gdfast.kernels.compiling import compiled

POINT, WEIGHTS = fields(np.int64, "x y z"), fields(np.float64, "low high")


def sums(words, numbers, at, out):
    point, weights = record(words, at, POINT), record(numbers, 1, WEIGHTS)
    point.x += 1
    out[0] = point.x * 100 + point.y * 10 + point.z + weights.high


@pytest.mark.parametrize("at", [0, 3])
def test_fields_are_read_and_written_by_name_in_place(at):
    words = packed(np.array((1, 2, 3), POINT), np.array([(4, 5, 6)], POINT))
    numbers = np.array([9.0, 0.25, 0.5])
    assert len(words) == 2 * length(POINT)
    signature = numba.void(numba.int64[::1], numba.float64[::1], numba.int64, numba.float64[::1])
    for function in (sums, compiled(signature)(sums)):
        copy, out = words.copy(), np.zeros(1)
        function(copy, numbers, at, out)
        assert out[0] == {0: 223.5, 3: 556.5}[at]
        assert copy[at] == words[at] + 1
