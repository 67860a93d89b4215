"""Records of a lane kernel: the compiled form reads what the plain one does."""

import numba
import numpy as np
import pytest

from gdfast.formulas.records import fields, length, packed, record
from gdfast.kernels import records  # noqa: F401, registers the compiled form

POINT, WEIGHTS = fields(np.int64, "x y z"), fields(np.float64, "low high")


def sums(words, numbers, at):
    point, weights = record(words, at, POINT), record(numbers, 1, WEIGHTS)
    point.x += 1
    return point.x * 100 + point.y * 10 + point.z + weights.high


@pytest.mark.parametrize("at", [0, 3])
def test_fields_are_read_and_written_by_name_in_place(at):
    words = packed(np.array((1, 2, 3), POINT), np.array([(4, 5, 6)], POINT))
    numbers = np.array([9.0, 0.25, 0.5])
    assert len(words) == 2 * length(POINT)
    for function in (sums, numba.njit(sums)):
        copy = words.copy()
        assert function(copy, numbers, at) == {0: 223.5, 3: 556.5}[at]
        assert copy[at] == words[at] + 1
