"""What is easily translated into something else than Python does with it, or refused."""

import functools
import math
from typing import NamedTuple

import numpy as np
import pytest
from numba import types

from gdfast.kernels.loops.kernel import Kernel, UntranslatableError, text_of
from gdfast.kernels.numba_internals import engine_of, machine_code

last = 7.0  # a name that some of the functions have, too
TWICE = np.float32(-0.0)


class Two(NamedTuple):
    first: float
    is_on: bool

    @property
    def either(self):
        return self.first if self.is_on else 0.0

    def chosen(self):
        return self.first if self.is_on else 0.0


def places(values, out):
    point, i = (values[0], values[1], values[2]), 5
    for i in range(3):
        if point[i] > 1.0:
            break
    out[0] = i
    if values[0] > 100.0:
        for i in range(3):
            out[1] += point[i]
    out[2] = i


def rounds(values, out):
    point = (values[0], values[1], values[2])
    found = other = -1
    for i in range(3):
        if point[i] > 2.0:
            continue
        found = i
    for i in range(3):
        if point[i] < 2.0:
            other = i
    out[0], out[1] = found, other


def given_on_all_ways(values, out):
    if values[0] > values[1]:
        larger = values[0]
        if larger > 1e300:
            return
    elif values[1] > -1e300:
        larger = values[1]
    else:
        return
    k = 0
    while True:
        place = k
        if values[k] == larger:
            break
        k += 1
        if k > 1:
            continue
    point = (values[0], values[1], values[2])
    for i in range(3):
        last_place = i
        if point[i] == larger:
            break
    else_ = (larger, place) if place > 0 else (larger, -1)
    out[0], out[1], out[2] = else_[0] + place, last_place, else_[1]


def zeros(values, out):
    out[0], out[1] = _signed(0.0, values, 1), _signed(-0.0, values, 1)
    out[2] = 1.0 / (TWICE * 0.5)


def _signed(zero, values, n):
    for _ in range(n):
        zero = zero * values[1]
    return 1.0 / zero


def statements(values, out):
    _stored(out, 0) if values[0] > 0.0 else _stored(out, 1)
    values[0] < 0.0 and _is_stored(out, 2)
    values[0] > 0.0 and _is_stored(out, 3)
    _perhaps(values, out)


def _stored(out, k):
    out[k] = 1.0
    return 1.0


def _is_stored(out, k):
    out[k] = 1.0
    return k > 0


def _perhaps(values, out):  # noqa: RET503
    for k in range(len(values)):
        if values[k] > 100.0:
            return 1.0
    out[1] = 3.0


def wholes(values, out):
    large = np.uint64(2**63) + np.uint64(len(values))
    out[0], out[1] = float(large // np.uint64(3)), float(large % np.uint64(10))
    out[2] = 1.0 if large > np.uint64(5) else 0.0


@pytest.mark.parametrize("function", [places, rounds, given_on_all_ways, zeros, statements, wholes])
@pytest.mark.parametrize("is_checked", [False, True])
def test_it_is_what_python_does(function, is_checked):
    signature = types.void(types.float64[::1], types.float64[::1])
    kernel = Kernel(engine_of(machine_code(text_of(function, signature, is_checked))), signature)
    one, other = np.zeros(4), np.zeros(4)
    with np.errstate(all="ignore"):
        kernel(np.array([0.5, 1.5, 2.5]), one)
        function(np.array([0.5, 1.5, 2.5]), other)
    assert one.tobytes() == other.tobytes()


def of_a_global(values, out):
    for k in range(len(values)):
        if k > 0:
            out[0] += last  # noqa: F823
        last = values[k]  # noqa: F841


def of_different_arrays(values, out):
    row = values if out[0] > 0.0 else out[1:].reshape(-1)
    pair = ((row[0], row[1]), row[2]) if out[0] > 0.0 else (row[0], (row[1], row[2]))
    out[0] = pair[1]


def of_one_way(values, out):
    if values[0] > 1.0:
        found = values[0]
    out[0] = found


def of_one_way_to_a_known_number(values, out):
    if values[0] > 1.0:
        found = 3.0
    out[0] = found


def of_one_way_to_a_tuple(values, out):
    if values[0] > 1.0:
        found = (values[0], values[1])
    else:
        out[1] = 2.0
    out[0] = found[0]


def of_one_way_that_adds(values, out):
    for k in range(len(values)):
        if k > 0:
            total += values[k]  # noqa: F821
        else:
            total = 0.0  # noqa: F841
    out[0] = 1.0


def of_some_rounds(values, out):
    for k in range(len(values)):
        found = k
    out[0] = found


def of_a_counter_without_rounds(values, out):
    for k in range(len(values)):
        out[0] = k
    out[0] = k


def of_a_while(values, out):
    n = 0
    while values[n] < 1.0:
        found = n
        n += 1
    out[0] = found


def of_a_round_that_is_left(values, out):
    point = (values[0], values[1], values[2])
    for i in range(3):
        if point[i] > 2.0:
            break
        found = i
    out[0] = found


def of_a_round_that_goes_on(values, out):
    point = (values[0], values[1], values[2])
    for i in range(3):
        if point[i] > 2.0:
            continue
        found = i
    out[0] = found


def of_a_list(values, out):
    out[0] = [values[0], 1.0][0]


def of_one_of_numbers(values, out):
    out[0] = (values[0] or 2.0) * 3.0


def of_another_loop(values, out):
    for k in _signed(0.0, values, 3):
        out[0] = k


def of_an_argument_by_name(values, out):
    out[0] = min(values[0], values[1], key=abs)


def of_another_shape(values, out):
    out[0] = values.reshape(1, 3)[0, 1]


def of_many_indices(values, out):
    out[0] = values[0, 1]


def of_steps_of_nothing(values, out):
    for k in range(0, len(values), 0):
        out[k] = k


def of_large_numbers(values, out):
    out[0] = values[0] * 2**64


def of_a_division(values, out):
    out[0] = values[0] + 1 / 0


def of_places_of_a_tuple(values, out):
    out[0] = (1.0, 2.0)[2]


def _again(n):
    return n * _again(n - 1) if n > 1 else n


def _again_in_a_loop(n):
    for k in range(n):
        return _again_in_a_loop(k)
    return 1


def of_itself(values, out):
    out[0] = _again(len(values))


def of_itself_in_a_loop(values, out):
    out[0] = _again_in_a_loop(len(values))


def _around(function):
    @functools.wraps(function)
    def twice(x):
        return 2.0 * function(x)

    return twice


@_around
def _wrapped(x):
    return x + 1.0


def of_what_stands_around(values, out):
    out[0] = _wrapped(values[0])


def of_a_single_that_becomes_double(values, out):
    total = np.float32(0.0)
    for k in range(len(values)):
        total = total + values[k]
    out[0] = total


def _nothing_or_one(values):
    for k in range(len(values)):
        if values[k] > 1.0:
            return  # noqa: RET502
        if values[k] > 0.0:
            return 1.0
    return 2.0


def of_nothing(values, out):
    _nothing_or_one(values)


def of_a_tuple_in_the_next_round(values, out):
    both = (values[0], values[1])
    for k in range(len(values)):
        out[0] += both[0]
        if values[k] > 1.0:
            both = (values[k], 2.0, 3.0)


def of_a_tuple_in_a_condition(values, out):
    both, k = (values[0], values[1]), 0
    while both[0] < 1.0 and k < 3:
        both = (2.0, 3.0, 4.0)
        k += 1


def of_a_counter(values, out):
    point = (values[0], values[1], values[2])
    for i in range(3):
        out[0] += point[i]
        i += 1


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (of_a_global, "last of of_a_global may have no value yet"),
        (of_one_way, "found of of_one_way may have no value yet"),
        (of_one_way_to_a_known_number, "may have no value yet"),
        (of_one_way_to_a_tuple, "may have no value yet"),
        (of_one_way_that_adds, "total of of_one_way_that_adds may have no value yet"),
        (of_some_rounds, "may have no value yet"),
        (of_a_counter_without_rounds, "k of of_a_counter_without_rounds may have no value yet"),
        (of_a_while, "may have no value yet"),
        (of_a_round_that_is_left, "may have no value yet"),
        (of_a_round_that_goes_on, "may have no value yet"),
        (of_a_list, r"`\[values\[0\], 1.0\]`, which plain loops do not have"),
        (of_different_arrays, "made up in different ways"),
        (of_one_of_numbers, "`and` and `or` of numbers"),
        (of_another_loop, "no range"),
        (of_an_argument_by_name, "arguments by name"),
        (of_another_shape, "reshape"),
        (of_many_indices, "more indices than axes"),
        (of_steps_of_nothing, "a step of 0"),
        (of_large_numbers, "more than 64 bits"),
        (of_a_division, "division by zero"),
        (of_places_of_a_tuple, "out of range"),
        (of_itself, "calls itself"),
        (of_itself_in_a_loop, "calls itself"),
        (of_what_stands_around, "stands within another function"),
        (of_a_single_that_becomes_double, "a number of double is no float"),
        (of_nothing, "returns a number or nothing"),
        (of_a_tuple_in_the_next_round, "of another type here than before"),
        (of_a_tuple_in_a_condition, "of another type here than before"),
        (of_a_counter, "i of of_a_counter is assigned in its own loop"),
    ],
)
def test_what_would_be_something_else_is_refused(function, words):
    with pytest.raises(UntranslatableError, match=words):
        text_of(function, types.void(types.float64[::1], types.float64[::1]))


def of_a_property(two, out):
    out[0] = two.either


def of_a_method(two, out):
    out[0] = two.chosen()


@pytest.mark.parametrize("function", [of_a_property, of_a_method])
def test_properties_and_methods_are_not_run_on_what_is_not_known_yet(function):
    pair = types.NamedTuple((types.float64, types.boolean), Two)
    with pytest.raises(UntranslatableError, match="is no field of a tuple"):
        text_of(function, types.void(pair, types.float64[::1]))


def _root(x):
    return math.sqrt(x)


@pytest.mark.parametrize("kind", [types.uint64, types.int32, types.bool_[::1], types.unicode_type])
def test_arguments_of_other_types_are_refused(kind):
    with pytest.raises(UntranslatableError):
        text_of(_first, types.int64(kind))
    with pytest.raises(UntranslatableError, match="it returns a number of double"):
        text_of(_root, types.int64(types.float64))


def _first(value):
    return 1
