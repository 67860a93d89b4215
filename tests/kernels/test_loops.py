"""Plain loops, translated without numba, do what numba makes of them."""

import importlib
import itertools
import math
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numba import types

from gdfast.formulas.lane_products import independent
from gdfast.kernels.compiling import compiled
from gdfast.kernels.lane_math.parts import bits_to_single, single_to_bits
from gdfast.kernels.loops.kernel import text_of
from gdfast.kernels.options import JIT, apart
from gdfast.kernels.signatures import (
    SETTLING,
    Block,
    Pair,
    Settling,
    block_type,
    call_evaluation,
    call_step,
    evaluation_signature,
    pair_type,
    step_signature,
)
from gdfast.kernels.tuples import entries_of, with_item

HALF, LARGEST = np.float32(0.5), 2**40


class Table(NamedTuple):
    doubles: Any  # float64 (3, k)
    singles: Any  # float32[k]
    small: Any  # int8[k]
    counts: Any  # int32[k]
    at: Any  # int64
    scale: Any  # float32
    is_on: Any  # bool


def _place(numbers, number):
    low, high = 0, len(numbers)
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low


def _choose(row, k, scale):
    apart()
    if row[k] > 1.0:
        return scale
    for j in range(k, -1, -1):
        if row[j] < 0.0:
            return row[j]
    return 0.25 if k % 2 else k


def _halve(row, n):
    for j in range(n):
        row[j] *= HALF


def _everything(table, factor):
    doubles, small, k = table.doubles, table.small, len(table.singles)
    total = found = 0
    first = last = np.inf
    for i in range(doubles.shape[0]):
        row = doubles[i]
        for j in range(k if table.is_on else 0):
            if j == 2:
                continue
            if i == 2 and row[j] != row[j]:
                break
            row[j], small[j] = abs(row[j] - factor) / (1 + j), -(-(row[j] > 0.5) - 3) // 2
            found += 1
            first = row[j] if row[j] < first else first
    doubles[-1, 0], doubles[1, -1] = _choose(doubles[0], k - 1, table.scale), _choose(doubles[1], 2, table.scale)
    _halve(table.singles[1:], k - 1)
    table.singles[0] = table.singles[1] * HALF - table.at * table.singles[2]
    table.counts[:-1][1] += LARGEST
    is_near = table.at > 3 or (not table.is_on and 0.0 < first < np.inf)
    is_odd = (table.at & 1 != 0) | (factor < -1.0)
    other = doubles[0] if table.at > 2 else doubles[1]
    other[2] -= k
    place, whole = _place(doubles[2], 0.5), -7 // min(4, table.at) + -7 % 4 + min(2, 9)
    last = math.sqrt(first if is_near and not is_odd else -first)
    table.counts[0] = place if is_odd else whole
    doubles[2, 1] = last if last == last else np.nan
    j = 7
    for j in range(3, k // 9):
        total += j
    one, other_one = (1, factor) if table.at > 2 else (2, 0.5)
    total += one + (other_one > 0.6) + j
    while True:
        total += small[total % k] + 1
        if total > 9 or total < -9:
            break
    for j in range(1, k, 2):
        small[j] |= 8
    for j in range(k - 1, 0, -table.at):
        total += j * small[j]
    return total * 100 + found + is_near


@pytest.mark.slow
def test_loops_do_what_numba_makes_of_them():
    kinds = (types.float64[:, ::1], types.float32[::1], types.int8[::1], types.int32[::1])
    kind = types.NamedTuple((*kinds, types.int64, types.float32, types.boolean), Table)
    translated = compiled(types.int64(kind, types.float64))(_everything)
    for helper in (_place, _choose, _halve):
        numba.extending.register_jitable(helper)
    of_numba = numba.njit(types.int64(kind, types.float64), **JIT)(_everything)
    for at, is_on in itertools.product((2, 5), (True, False)):
        both = []
        for function in (translated, of_numba):
            table = Table(
                np.array([[0.3, -1.5, 2.5, 0.0, 7.25], [4.0, 3.5, -0.125, 1e-300, 0.1], [-1, 2, 3, np.nan, 5]]),
                np.array([0.1, 0.2, 0.3, 0.7, 1e-40], dtype=np.float32),
                np.array([1, -3, 5, 7, 2], dtype=np.int8),
                np.array([1, -3, 5, 7, 2], dtype=np.int32),
                at,
                np.float32(0.1),
                is_on,
            )
            both.append((function(table, 0.7), [array.tobytes() for array in table[:4]]))
        assert both[0] == both[1]


def test_arrays_of_other_types_are_refused():
    kernel = compiled(types.int64(types.float64[::1], types.int64))(_place)
    assert kernel(np.array([1.0, 2.0, 3.0]), 2) == 1
    for other in (np.zeros(3, np.float32), np.zeros((1, 3)), np.zeros(6)[::2]):
        with pytest.raises(TypeError, match="a kernel takes a contiguous float64 array of 1 dimensions, not array"):
            kernel(other, 2)


def _truncates(numbers):
    found = 0
    for j in range(len(numbers)):
        found = numbers[j]
    return found


def _loses_all(numbers):
    is_long = len(numbers) > 2
    if is_long:
        is_long = len(numbers)
    return is_long + 0


def test_a_number_never_loses_its_fraction():
    for function, kind in ((_truncates, "double"), (_loses_all, "i64")):
        with pytest.raises(TypeError, match=f"a number of {kind} is no i"):
            compiled(types.int64(types.float64[::1]))(function)


def _first(both):
    return both.first


def test_the_order_of_fields_is_in_the_name_of_a_kernel():
    for names in ("first second", "second first"):
        kind = namedtuple("Both", names)
        kernel = compiled(types.int64(types.NamedTuple((types.int64, types.int64), kind)))(_first)
        assert kernel(kind(first=1, second=2)) == 1


def test_a_file_that_has_changed_since_is_not_read(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "loops_of_a_test.py"
    file.write_text("def count(n):\n    return n + 1\n")
    count = importlib.import_module(file.stem).count
    file.write_text("def count(n):\n    return n + 22\n")
    with pytest.raises(RuntimeError, match=r"loops_of_a_test\.py is not what it was when it was imported"):
        text_of(count, types.int64(types.int64))


def _steps(pair, block, table, settling):
    for t in range(5):
        call_step(pair, block, table, settling, t, 64, 1)
    return 5


def _steps_until(pair, block, table, settling, stop):
    while True:
        call_step(pair, block, table, settling, 0, 64, 1)
        if stop[0] != 0:
            break
    return 1


def _evaluating(pair, block, table, settling, t, n, n_steps):
    block.theta[0, 0] += n_steps
    block.work[0, 0] = table[t, 0]
    call_evaluation(pair, 1, block.theta, block.grad, block.work[0], block.work, n, t)


def test_what_an_evaluation_of_numbas_raises_is_raised():
    @compiled(evaluation_signature(types.float64), may_be_anything=True)
    def fails_late(pair, wanted, theta, grad, out, work, n, t):
        if out[0] > 2.0:
            raise ValueError("too large")

    matrix = types.float64[:, ::1]
    step = compiled(step_signature(types.float64))(_evaluating)
    drive = compiled(types.int64(pair_type(types.float64), block_type(types.float64), matrix, SETTLING))(_steps)
    counts, flat, cube = np.zeros(64, np.int64), np.zeros((1, 64)), np.zeros((1, 1, 64))
    block = Block(flat, flat, np.zeros((1, 64)), cube, flat, flat, counts, counts, flat, cube, flat, counts)
    pair = Pair(step.address, fails_late.address, 0, counts, np.zeros((1, 3), np.int64), np.zeros(1), counts)
    settling = Settling(1, 1e-9, 1e9, 0)
    assert drive(pair, block, np.zeros((6, 1)), settling) == 5
    assert flat[0, 0] == 5

    # Where it is called: another call meanwhile goes well.
    several = types.int64(pair_type(types.float64), block_type(types.float64), matrix, SETTLING, types.int64[::1])
    until, stop = compiled(several)(_steps_until), np.zeros(1, np.int64)
    other = block._replace(work=np.zeros((1, 64)))
    with ThreadPoolExecutor(1) as pool:
        failing = pool.submit(until, pair, block, np.full((1, 1), 3.0), settling, stop)
        try:
            while flat[0, 0] < 1000 and not failing.done():
                pass
            assert until(pair, other, np.zeros((1, 1)), settling, np.ones(1, np.int64)) == 1
        finally:
            stop[0] = 1
        with pytest.raises(ValueError, match="too large"):
            failing.result()

    for _ in range(2):
        with pytest.raises(ValueError, match="too large"):
            drive(pair, block, np.arange(6.0)[:, None].copy(), settling)
    assert drive(pair, block, np.zeros((6, 1)), settling) == 5


# Tuples, functions that stand in their callers, integers of other kinds.


def _swapped(pair, scale):
    first, second = pair
    return second * scale, first


def _sums(values, start):
    total, last = start, values[0]
    for i in range(len(values)):
        total += values[i]
        last = values[i] if values[i] > last else last
    return total, last


def _mixed(number):
    z = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) + np.uint64(7)
    return float(z >> np.uint64(11)) * 2.0**-53


def _single(bits):
    return bits_to_single((single_to_bits(bits) & 0x7FFFFFFF) | 0x1000)


def _of_tuples(function, zeros):
    def run(rows, singles, out):
        values = zeros
        for i in range(len(values)):
            values = with_item(values, i, rows[i, 0])
        here, there = rows[0], rows[1]
        for k in range(3):
            here, there = there, here
            here[k] += float(k)
        for lane in range(rows.shape[1]):
            point = (*entries_of(rows[2], 2), rows[0, lane])
            pair = function(point[1:], 2.0)
            pair = pair if rows[1, lane] > 0.0 else (0.0, pair[0])
            total, last = _sums((*pair, *values), 0.25)
            out[0, lane], out[1, lane] = total, last
            out[2, lane] = _mixed(lane + 3) + _single(singles[lane]) - ~lane
            independent()
        flat = out.reshape(-1)
        for k in range(len(flat)):
            flat[k] = max(k, 2) + flat[k]

    return run


def _of_tuples_in_python(rows, singles, out):
    values = tuple(rows[i, 0] for i in range(3))
    for k in range(3):
        rows[1 - k % 2][k] += k
    for lane in range(rows.shape[1]):
        point = (rows[2, 0], rows[2, 1], rows[0, lane])
        pair = (point[2] * 2.0, point[1])
        pair = pair if rows[1, lane] > 0.0 else (0.0, pair[0])
        total = 0.25
        for value in (*pair, *values):
            total += value
        out[0, lane], out[1, lane] = total, max(*pair, *values)
        z = (lane + 3) * 0x9E3779B97F4A7C15 % 2**64
        z = ((z ^ (z >> 30)) + 7) % 2**64
        single = np.uint32((singles[lane].view(np.uint32) & 0x7FFFFFFF) | 0x1000).view(np.float32)
        out[2, lane] = float(z >> 11) * 2.0**-53 + float(single) + lane + 1
    out.reshape(-1)[:] += np.maximum(np.arange(out.size), 2)


def test_tuples_and_integers_of_all_kinds():
    matrix = types.float64[:, ::1]
    kernel = compiled(types.void(matrix, types.float32[::1], matrix))(_of_tuples(_swapped, (0.0,) * 3))
    random = np.random.default_rng(1)
    rows, singles = random.normal(size=(3, 40)), random.normal(size=40).astype(np.float32)
    both = []
    for function in (kernel, _of_tuples_in_python):
        given = rows.copy(), singles, np.zeros((3, 40))
        function(*given)
        both.append([array.tobytes() for array in given])
    assert both[0] == both[1]


def _grows(numbers):
    both = (numbers[0], numbers[1])
    for j in range(2, len(numbers)):
        both = (both[0], both[1], numbers[j])
    return both[0]


def test_a_name_does_not_become_another_tuple_in_a_loop():
    with pytest.raises(TypeError, match="both of _grows is of another type here than before"):
        compiled(types.float64(types.float64[::1]))(_grows)


def _shadows(numbers, out):
    both = (numbers[0], numbers[1])
    total = both[0]
    for j in range(len(numbers)):
        both = (numbers[j], 2.0, 3.0)
        total += both[0] * both[1] * both[2]
    for j in range(len(numbers)):
        both = (numbers[j],)
        total += both[0]
    out[0] = total


def _shadows_and_reads(numbers, out):
    both = (numbers[0], numbers[1])
    for j in range(len(numbers)):
        both = (numbers[j], 2.0, 3.0)
    out[0] = both[0]


def test_a_name_of_another_type_in_an_inner_block_is_another_name():
    signature = types.void(types.float64[::1], types.float64[::1])
    out = np.zeros(1)
    compiled(signature)(_shadows)(np.array([1.0, 2.0, 4.0]), out)
    assert out[0] == 1.0 + 6 * 7.0 + 7.0
    with pytest.raises(TypeError, match="both of _shadows_and_reads may have no value yet"):
        compiled(signature)(_shadows_and_reads)
