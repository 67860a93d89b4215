"""What is told of functions and classes of one's own: whatever changes what they return, and nothing else."""

import dataclasses
import enum
import functools
import json
import os
import subprocess
import sys
import threading
import types
import typing

import cases
import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast import optimizers, schedules
from gdfast.formulas.reach import full_text
from gdfast.optimizers import Optimizer, named
from gdfast.problems import Landscape, Problem
from gdfast.schedules import Schedule
from gdfast.tiles import environment

NUMBER = 0.5


class Kept:
    number = 0.5

    def __init__(self, number):
        self.number = number
        self.inner = types.SimpleNamespace(more=[number])

    def __call__(self, t):
        return self.number

    def method(self, t):
        return self.inner.more[0]

    @property
    def told(self):
        return self.number

    @functools.cached_property
    def twice(self):
        return 2 * self.number


class Slotted:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


@dataclasses.dataclass(frozen=True)
class Fields:
    number: float


class Pair(typing.NamedTuple):
    first: float
    second: float = 0.0


def plain(number, t):
    return number


def through(function):
    return lambda t: function(t)


def by_value(value, read):
    """A function that reads a number out of a value that it closes over."""
    return lambda t: read(value)


def with_default(number):
    def function(t, number=number):
        return number

    return function


def with_keyword(number):
    def function(t, *, number=number):
        return number

    return function


def with_attribute(number):
    def function(t):
        return function.number

    function.number = number
    return function


def cached(number):
    return functools.lru_cache(lambda t: number)


def decorated(number):
    def decorate(function):
        @functools.wraps(function)
        def around(t):
            return number * function(t)

        return around

    @decorate
    def function(t):
        return 1.0

    return function


def of_class(number):
    kind = type("Kind", (), {"number": number})
    return lambda t: kind.number


def of_base(number):
    class Kind(type("Base", (), {"number": number})):
        pass

    return lambda t: Kind.number


def of_enum(number):
    kind = enum.Enum("Kind", {"number": number})
    return lambda t: kind.number.value


def of_code_without_text(number):
    scope = {}
    exec(f"def function(t): return {number}", scope)
    return scope["function"]


def of_module(number):
    module = types.ModuleType("mine")
    module.inner = types.ModuleType("mine.inner")
    module.inner.number = number
    return lambda t: module.inner.number


def imports(number):
    sys.modules["own_numbers"] = types.ModuleType("own_numbers")
    sys.modules["own_numbers"].number = number

    def function(t):
        import own_numbers

        return own_numbers.number

    return function


def imports_from(number):
    imports(number)

    def function(t):
        from own_numbers import number as n

        return n

    return function


def swapped(number):
    one = abs if number == 0.5 else np.square
    return lambda t: one(-0.5)


def table(number):
    return pd.DataFrame({"a": np.r_[np.zeros(200), number, np.zeros(200)], "b": pd.Categorical(["x"] * 401)})


def holding_itself(number):
    values = [number]
    values.append(values)
    return lambda t: values[1][0]


WAYS = {
    "cell": lambda c: by_value(c, float),
    "partial": lambda c: functools.partial(plain, c),
    "partial in a cell": lambda c: through(functools.partial(plain, c)),
    "callable": lambda c: Kept(c),
    "callable in a cell": lambda c: through(Kept(c)),
    "method": lambda c: Kept(c).method,
    "method in a cell": lambda c: through(Kept(c).method),
    "method written in C": lambda c: through(([c] * 9).__getitem__),
    "object": lambda c: by_value(Kept(c), lambda kept: kept.told),
    "slots": lambda c: by_value(Slotted(c), lambda slotted: slotted.number),
    "namespace": lambda c: by_value(types.SimpleNamespace(c=c), lambda namespace: namespace.c),
    "dataclass": lambda c: by_value(Fields(c), lambda fields: fields.number),
    "named tuple": lambda c: by_value(Pair(1.0, c), lambda pair: pair[1]),
    "long array in a list": lambda c: by_value([np.r_[np.zeros(2000), c, np.zeros(2000)]], lambda x: x[0][2000]),
    "array of objects": lambda c: by_value(np.array([c, None], dtype=object), lambda x: x[0]),
    "long series": lambda c: by_value(table(c)["a"], lambda series: series[200]),
    "long table": lambda c: by_value(table(c), lambda frame: frame["a"].max()),
    "set": lambda c: by_value({c, "a", "b", (1, "c")}, lambda numbers: min(n for n in numbers if type(n) is float)),
    "number of NumPy": lambda c: by_value(np.float32(c), float),
    "polynomial": lambda c: by_value(np.polynomial.Polynomial([c, 1.0]), lambda polynomial: polynomial(0.0)),
    "course of a schedule": lambda c: by_value(schedules.exponential(c), lambda schedule: schedule.multipliers(1)[1]),
    "text of a lambda": lambda c: through((lambda t: 0.5) if c == 0.5 else (lambda t: 0.25)),
    "decorator": decorated,
    "default": with_default,
    "default of what is called": lambda c: through(with_default(c)),
    "keyword": with_keyword,
    "attribute of the function": with_attribute,
    "lru_cache": lambda c: cached(c),
    "lru_cache in a cell": lambda c: through(cached(c)),
    "class": of_class,
    "base": of_base,
    "enumeration": of_enum,
    "code without a text": of_code_without_text,
    "module": of_module,
    "import when called": imports,
    "import from when called": imports_from,
    "functions of libraries": swapped,
    "what holds itself": holding_itself,
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_function_gets_a_number_from_is_told(way):
    told = []
    for number in (0.5, 0.5, 0.25):
        function = WAYS[way](number)
        told.append(full_text(function))
        assert function(3) == number
    assert told[0] == told[1] != told[2]
    assert " at 0x" not in told[0]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("way", WAYS)
def test_workers_tell_the_same_apart(way):
    told = [environment.digest(WAYS[way](number)) for number in (0.5, 0.5, 0.25)]
    assert told[0] == told[1] != told[2]


def test_what_was_only_kept_is_not_told():
    kept = Kept(0.5)
    before = full_text(kept)
    assert kept.twice == 1
    assert full_text(kept) == before


def test_what_nothing_is_known_of_is_the_same_as_itself():
    one, other = threading.Lock(), threading.Lock()
    first, second = (by_value(lock, lambda lock: 0.5) for lock in (one, other))
    assert full_text(first) == full_text(first) != full_text(second)
    assert environment.digest(first) == environment.digest(second)


@pytest.mark.slow
def test_the_same_is_told_in_every_process():
    line = "import sys, json; sys.path[:0] = {!r}; import test_reach; print(json.dumps(test_reach.told()))"
    line = line.format([os.path.dirname(__file__), *sys.path])
    texts = [
        subprocess.run(
            [sys.executable, "-c", line], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    ]
    assert texts[0] == texts[1]
    assert len(json.loads(texts[0])) == len(WAYS)


def told():
    return {name: full_text(way(0.5)) for name, way in WAYS.items()}


def of_factory(number):
    @named()
    def mine(size: float = 1.0) -> Problem:
        return Landscape(lambda x, number=number: (x - number) ** 2, domain=(-2, 2))

    return mine()


class Bowl(Problem):
    domain = np.array([[-2.0, 2.0]])
    lowest_point = 0.5

    def loss(self, theta):
        return (theta[0] - self.lowest_point) ** 2

    def gradient(self, theta):
        return 2 * (theta - self.lowest_point)

    def hessian(self, theta):
        return np.full((1, 1, theta.shape[1]), 2.0)


class BowlOf(Bowl):
    def __init__(self, number):
        self.lowest_point = number


def with_rule(number):
    @named()
    def mine(size: float = 1.0) -> Optimizer:
        def rule(theta, grad, lr):
            return theta - number * lr * grad

        return Optimizer(rule, learning_rate=0.1)

    return mine()


def with_schedule(number):
    @named()
    def mine(size: float = 1.0) -> Schedule:
        return Schedule(lambda t, budget: number + 0 * t)

    return optimizers.gd().scheduled(mine())


def exponential(x):
    return np.exp(-x)


def mirrored(number):
    return lambda theta: theta * number


PROBLEMS = {
    "factory": of_factory,
    "class": lambda c: type("Mine", (Bowl,), {"lowest_point": c, "__module__": __name__})(),
    "object": BowlOf,
    "lowest loss": lambda c: Landscape(exponential, domain=(-1, 1), minimum=c - 1),
    "starts of the search": lambda c: Landscape(lambda x: (x * x - 1) ** 2, domain=(-2, 2), near=[[4 * c - 1]]),
    "symmetry": lambda c: Landscape(lambda x: (x * x - 1) ** 2, domain=(-2, 2), representative=mirrored(c)),
}
OPTIMIZERS = {
    "factory": with_rule,
    "schedule of a factory": with_schedule,
    **{f"schedule: {name}": lambda c, way=way: optimizers.gd().scheduled(way(c)) for name, way in WAYS.items()},
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("way", PROBLEMS)
def test_a_store_is_not_completed_by_another_problem_of_the_same_name(way, tmp_path):
    refused_by_the_store(lambda c: gdfast.Sweep(PROBLEMS[way](c), "gd", [0.01], [1.0], 3), tmp_path)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("way", OPTIMIZERS)
def test_a_store_is_not_completed_by_another_optimizer_of_the_same_name(way, tmp_path):
    refused_by_the_store(lambda c: gdfast.Sweep("quartic", OPTIMIZERS[way](c), [0.01], [1.0], 3), tmp_path)


def refused_by_the_store(sweep, folder):
    run = functools.partial(gdfast.run, backend="numpy", store=folder / "mine.zarr", progress=False)
    before = run(sweep(0.5)).load()
    cases.assert_same(run(sweep(0.5)), before)
    cases.refused(lambda: run(sweep(0.25)), ValueError, "store", "another sweep")
    other = functools.partial(gdfast.run, sweep(0.25), backend="numpy", progress=False)
    cases.refused(lambda: other(reuse=folder / "mine.zarr"), ValueError, "reuse", "nothing")
