"""A formula is what its function is: not what its file has become, nor what its names meant at another time."""

import __future__

import copy
import functools
import importlib
import linecache
import pickle
import sys

import cases
import numba
import numpy as np
import pytest

import gdfast
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.vectors import dot
from gdfast.measures import Measure
from gdfast.named import named
from gdfast.optimizers import Optimizer, gd
from gdfast.problems import Landscape
from gdfast.schedules import LossSchedule
from gdfast.transforms import Transform

RULES = """
FACTOR = 2.0

def half(x, part=0.5):
    return part * x

def rule(theta, grad, lr):
    return theta - FACTOR * lr * half(grad)

def other(theta, grad, lr):
    return theta + lr * grad

shrink = lambda x: x * 0.25
"""


@pytest.fixture
def rules(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "own_rules.py").write_text(RULES)
    importlib.invalidate_caches()
    yield importlib.import_module("own_rules")
    sys.modules.pop("own_rules", None)


def end(rule):
    sweep = gdfast.Sweep(gdfast.problems.from_expression("x**2/2"), Optimizer(rule, 0.1), [0.1], [1.0], 1)
    return float(gdfast.run(sweep, backend="numpy", keep_theta=True).theta.squeeze())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("theta - FACTOR", "theta - 7 * FACTOR"),
        (RULES, ""),
        ("lambda x: x * 0.25", "lambda x: x * 0.5"),
    ],
)
def test_a_file_that_was_edited_since_it_was_imported_is_not_read(rules, tmp_path, old, new):
    (tmp_path / "own_rules.py").write_text(RULES.replace(old, new))
    function = rules.shrink if "lambda" in old[:6] else rules.rule
    cases.refused(lambda: Formula.of(function, 1), GrammarError)


@pytest.mark.parametrize(("old", "new"), [("theta + lr", "theta - lr"), ("FACTOR = 2.0", "\n\nFACTOR = 3.0\n\n\n\n")])
def test_an_edit_elsewhere_in_the_file_does_no_harm(rules, tmp_path, old, new):
    (tmp_path / "own_rules.py").write_text(RULES.replace(old, new))
    assert end(rules.rule) == 1 - 2.0 * 0.1 * 0.5
    assert Formula.of(rules.shrink, 1)(4.0) == 1.0
    assert "FACTOR * lr" in Formula.of(rules.rule, 1).source


def test_another_text_of_the_file_is_told(rules, tmp_path):
    (tmp_path / "own_rules.py").write_text(RULES.replace("theta - FACTOR", "theta + FACTOR"))
    cases.refused(lambda: Optimizer(rules.rule, 0.1), GrammarError, "rule", "own_rules.py", "import it again")


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        (lambda rules: setattr(rules, "FACTOR", 3.0), 1.5),
        (lambda rules: setattr(rules, "half", rules.shrink), 0.5),
        (lambda rules: setattr(rules.half, "__code__", rules.shrink.__code__), 0.5),
        (lambda rules: setattr(rules.rule, "__code__", rules.other.__code__), -1.0),
        (lambda rules: setattr(rules.half, "__defaults__", (0.25,)), 0.5),
    ],
)
def test_what_is_made_stays_what_it_was_made_of_and_what_is_made_then_is_what_it_is_then(rules, change, factor):
    sweep = gdfast.Sweep(gdfast.problems.from_expression("x**2/2"), Optimizer(rules.rule, 0.1), [0.1], [1.0], 1)
    told = sweep.optimizers[0].specification
    change(rules)
    assert end(rules.rule) == 1 - 0.1 * factor
    result = gdfast.run(sweep, backend="numpy", keep_theta=True)
    assert float(result.theta.squeeze()) == 1 - 2.0 * 0.1 * 0.5
    assert sweep.optimizers[0].specification == told != Optimizer(rules.rule, 0.1).specification
    assert sweep.optimizers[0] != Optimizer(rules.rule, 0.1) == Optimizer(rules.rule, 0.1)


@pytest.mark.parametrize(
    "change", [lambda rules: setattr(rules, "FACTOR", "two"), lambda rules: delattr(rules, "FACTOR")]
)
def test_what_is_no_number_by_now_is_told(rules, change):
    before = end(rules.rule)
    change(rules)
    cases.refused(lambda: Optimizer(rules.rule, 0.1), GrammarError, "rule", "FACTOR")
    rules.FACTOR = 2.0
    assert end(rules.rule) == before


def test_the_same_again_is_no_other(rules):
    before = end(rules.rule)
    rules.FACTOR = float("2.0")
    scope = {}
    exec(RULES.partition("def rule")[0], scope)
    rules.half = scope["half"]
    assert end(rules.rule) == before


def made(number):
    def loss(x):
        return (x - number) ** 2

    def change(value):
        nonlocal number
        number = value

    return loss, change


def test_numbers_of_enclosing_functions_are_those_of_the_time():
    loss, change = made(0.5)
    landscape = Landscape(loss, domain=(-1, 1))
    np.testing.assert_array_equal(landscape.gradient([1.0]), [[1.0]])
    change(0.25)
    assert landscape.loss([1.0]) == 0.25
    assert "number = 0.5" in landscape.specification["parameters"]["loss"]
    assert Landscape(loss, domain=(-1, 1)).loss([1.0]) == 0.75**2


def test_landscapes_of_a_loop_have_each_its_number():
    several = [Landscape(lambda x: scale * x * x, domain=(-1, 1)) for scale in (1.0, 2.0, 3.0)]  # noqa: B023
    for number, landscape in zip((1.0, 2.0, 3.0), several, strict=True):
        for each in (landscape, landscape.replace(name="other")):
            assert each.loss([1.0]) == number
            assert f"scale = {number}" in each.specification["parameters"]["loss"]
    assert copy.deepcopy(landscape) == landscape
    with pytest.raises(pickle.PicklingError, match="make it again"):
        copy.deepcopy(several[0])


SIZE = 2.0


def scaled(x, SIZE=SIZE):  # the name of an argument is that of a number of the module
    return SIZE * x


def doubled(x, size=2 * SIZE):
    return size * x


def with_array(x, size=np.ones(2)):  # noqa: B008
    return size * x


def by_scaled(theta, grad, lr):
    SIZE = 100.0
    return theta - lr * scaled(grad) * (SIZE / SIZE)


def by_doubled(theta, grad, lr):
    return theta - lr * doubled(grad)


def by_array(theta, grad, lr):
    return theta - lr * with_array(grad)


def test_defaults_of_functions_are_those_that_python_keeps():
    assert end(by_scaled) == 1 - 0.1 * 2.0
    assert end(by_doubled) == 1 - 0.1 * 4.0
    cases.refused(lambda: Optimizer(by_array, 0.1), GrammarError, "default", "size", "number")


def bowls(number):
    return [
        Landscape(lambda x, number=number: (x - number) ** 2, domain=(-1, 1)),
        Landscape(lambda x, y, scale=2 * number: (x - scale) ** 2 + y * y, domain=[(-1, 1)] * 2),
    ]


@pytest.mark.parametrize("number", [0.25, 0.375])
def test_defaults_of_losses_are_values_whatever_their_text(number):
    narrow, wide = bowls(number)
    assert narrow.loss([1.0]) == (1 - number) ** 2
    assert wide.loss([1.0, 2.0]) == (1 - 2 * number) ** 2 + 4
    np.testing.assert_array_equal(wide.gradient([1.0, 2.0])[:, 0], [2 * (1 - 2 * number), 4.0])
    np.testing.assert_array_equal(wide.hessian([1.0, 2.0])[..., 0], 2 * np.eye(2))
    result = gdfast.run(gdfast.Sweep(narrow, "gd", [0.25], [1.0], 3, settle=False), backend="numpy", keep_theta=True)
    x = 1.0
    for _ in range(3):
        x = x - 0.25 * (2 * (x - number))
    assert float(result.theta.squeeze()) == x


@pytest.mark.slow
def test_defaults_of_losses_are_values_in_kernels_too():
    for number in (0.25, 0.375):
        for bowl in bowls(number):
            cases.agree(gdfast.Sweep(bowl, "gd", [0.1, 0.25], bowl.random(3), 5))


def twice(function):
    @functools.wraps(function)
    def around(*values):
        return 2 * function(*values)

    return around


@twice
def decorated(x):
    return x * x


def uses_decorated(x):
    return decorated(x)


def test_what_a_decorator_has_made_is_not_taken_for_what_it_was_made_of():
    assert decorated(3.0) == 18
    for loss in (decorated, uses_decorated):
        cases.refused(lambda loss=loss: Landscape(loss, domain=(-1, 1)), GrammarError, "decorated", "decorator")


def faded(t):
    return SIZE / 4


class Faded:
    def __init__(self):
        self.size = 0.5

    def __call__(self, t):
        return self.size


def test_schedules_are_asked_anew_when_what_they_use_is_another(monkeypatch):
    of_object = Faded()
    for schedule, change in ((faded, lambda: monkeypatch.setitem(globals(), "SIZE", 1.0)), (of_object, None)):
        for factor in (0.5, 0.25):
            optimizer = gdfast.optimizers.gd().scheduled(schedule)
            sweep = gdfast.Sweep(gdfast.problems.from_expression("x**2/2"), optimizer, [0.1], [1.0], 1)
            result = gdfast.run(sweep, backend="numpy", keep_theta=True)
            assert float(result.theta.squeeze()) == 1 - 0.1 * factor
            assert ("SIZE = 2.0" in result.attrs["specification"]) == (schedule is faded and factor == 0.5)
            if change:
                change()
            of_object.size = 0.25 if schedule is of_object else 0.5


ARGUMENT = 0.5


def by_argument(theta, grad, lr):
    return theta - ARGUMENT * lr * grad


def scaled_gradient(theta, grad, lr):
    return ARGUMENT * grad


def scaled_way(theta, grad, before, lr):
    return before + ARGUMENT * (theta - before)


def scaled_count(loss, count):
    return count + ARGUMENT


def scaled_factor(loss, factor):
    return ARGUMENT * factor


def scaled_loss(x):
    return ARGUMENT * x * x


def no_columns(t, budget):
    return {}


def first_of(memory, *others):
    return memory[0]


OF_NUMBERS = {
    "rule": lambda: {"optimizers": Optimizer(by_argument, 0.1)},
    "rule of matrices": lambda: {"optimizers": Optimizer(by_scaled, 0.1, matrix_rule=by_argument)},
    "transform": lambda: {"optimizers": gd().transformed(Transform(scaled_gradient))},
    "transform of the point": lambda: {"optimizers": gd().transformed(Transform(scaled_way, after=True))},
    "schedule of the loss": lambda: {"optimizers": gd().scheduled(LossSchedule(scaled_factor, {"factor": 1.0}))},
    "measure": lambda: {"measure": Measure(scaled_count, {"count": 0.0}, no_columns, first_of)},
    "loss": lambda: {"problem": Landscape(scaled_loss, domain=(-1, 1))},
}


@pytest.mark.parametrize("kind", OF_NUMBERS)
def test_whatever_is_made_of_a_formula_stays_what_it_was(kind, monkeypatch):
    settings = {"problem": "quadratic", "optimizers": "gd", "learning_rates": [0.1], "max_steps": 3}
    first, second = (gdfast.Sweep(**{**settings, **OF_NUMBERS[kind]()}) for _ in range(2))
    before = gdfast.run(first, backend="numpy")
    assert pickle.loads(pickle.dumps(first)) == first
    monkeypatch.setitem(globals(), "ARGUMENT", 0.25)
    cases.assert_same(gdfast.run(second, backend="numpy"), before)
    with pytest.raises(pickle.PicklingError, match="make it again"):  # another process would make another
        pickle.dumps(first)
    after = gdfast.run(gdfast.Sweep(**{**settings, **OF_NUMBERS[kind]()}), backend="numpy")
    assert after.attrs["specification"] != before.attrs["specification"]
    monkeypatch.setitem(globals(), "ARGUMENT", 0.5)
    cases.assert_same(gdfast.run(gdfast.Sweep(**{**settings, **OF_NUMBERS[kind]()}), backend="numpy"), before)


@named()
def of_factory() -> Optimizer:
    def rule(theta, grad, lr):
        return theta - ARGUMENT * lr * dot(grad, grad) * grad

    return Optimizer(rule, 0.1)


@pytest.mark.slow
def test_what_factories_make_is_equal_where_their_functions_use_the_same(monkeypatch):
    def ends(optimizer):
        sweep = gdfast.Sweep(gdfast.problems.from_expression("x**2/2"), optimizer, [0.1], [1.0], 1)
        return [float(gdfast.run(sweep, backend=each, keep_theta=True).theta.squeeze()) for each in ("numpy", "numba")]

    old, text = of_factory(), of_factory().specification
    assert old == of_factory() == pickle.loads(pickle.dumps(old))
    assert ends(old) == [1 - 0.5 * 0.1] * 2
    monkeypatch.setitem(globals(), "ARGUMENT", 0.25)
    assert old != of_factory()
    assert ends(of_factory()) == [1 - 0.25 * 0.1] * 2
    assert ends(old) == [1 - 0.5 * 0.1] * 2
    assert "ARGUMENT = 0.5" in old.specification["code"]
    assert text["code"] != of_factory().specification["code"] != old.specification["code"]
    with pytest.raises(pickle.PicklingError, match=r"of_factory.*again"):
        pickle.dumps(old)


@functools.cache
def cached(x):
    return SIZE * x


def uses_cached(x):
    return cached(x) * x


def test_functions_that_are_cached_are_what_they_are_made_of():
    assert Landscape(uses_cached, domain=(-1, 1)).loss([3.0]) == uses_cached(3.0)
    assert Landscape(cached, domain=(-1, 1)).loss([3.0]) == cached(3.0)


def test_cells_of_a_notebook_are_read(monkeypatch):
    scope, flags = {}, 0
    for number, text in enumerate(
        ("from __future__ import annotations", "level = 0.5", "def loss(x: float) -> float:\n    return level * x")
    ):
        name = f"<cell {number}>"
        monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(True), name))
        code = compile(text, name, "exec", flags, dont_inherit=True)
        flags |= code.co_flags & __future__.annotations.compiler_flag  # it holds for all later cells
        exec(code, scope)
    for level in (0.5, 0.25):
        scope["level"] = level
        assert Landscape(scope["loss"], domain=(-1, 1)).loss([1.0]) == level


@numba.njit
def of_numba(x, size=SIZE):
    return size * x


@numba.njit
def compiled_loss(x):
    return of_numba(x) * x / 4


@pytest.mark.slow
def test_functions_of_numba_are_what_they_are_made_of():
    landscape = Landscape(compiled_loss, domain=(-1, 1))
    assert landscape.loss([3.0]) == compiled_loss(3.0) == 4.5
    np.testing.assert_array_equal(landscape.gradient([3.0]), [[3.0]])
    assert "size * x" in landscape.specification["parameters"]["loss"]
