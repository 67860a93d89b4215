"""Functions as people write them: what they become, and that it is the same in NumPy and in compiled lanes."""

import ast
import math

import cases
import numpy as np
import pytest

import gdfast
from gdfast.formulas.elementary import absolute, maximum, minimum, select, sqrt
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import GrammarError
from gdfast.optimizers import Optimizer
from gdfast.problems import Landscape

DECAY, HALF, WHOLE, ON = 0.01, np.float64(0.5), 3, True


def bounded(value: float, size: float = 2.0) -> float:
    """A helper with a default, and a name that the rule has too."""
    m = min(value, size)
    return max(m, -size)


def pair(a, b):
    a, b = b, a * b
    return a, b


def twice_bounded(value):
    return bounded(bounded(value, size=4), HALF)


def as_written(theta: float, grad: float, m: float, v: float, lr: float, beta: float) -> tuple[float, ...]:
    """An update with everything that is translated."""
    grad += DECAY * theta
    m: float = beta * m + (1 - beta) * bounded(grad)
    v = beta * v + (1 - beta) * grad**2
    first = second = abs(m) ** WHOLE
    first, second = pair(first, 2 * second)
    scale = np.sqrt(v) + math.fabs(m) ** 0.5 if v > 0 and not m < 1e-9 < 1 else 1e-3
    theta -= lr * m / (scale + DECAY) ** 2
    theta -= 1e-4 * lr * twice_bounded(first - second) * ON * (-1 < theta < 1)
    return theta, m, v


def by_hand(theta, grad, m, v, lr, beta):
    """The same in the grammar."""
    grad = grad + 0.01 * theta
    m = beta * m + (1 - beta) * maximum(minimum(grad, 2.0), -2.0)
    v = beta * v + (1 - beta) * (grad * grad)
    size = absolute(m)
    cube = size * size * size
    first = 2 * cube
    second = cube * (2 * cube)
    scale = select((v > 0) & (m >= 1e-9), sqrt(v) + sqrt(absolute(m)), 1e-3)
    s = scale + 0.01
    theta = theta - lr * m / (s * s)
    d = first - second
    d = maximum(minimum(d, 4), -4)
    inside = (theta > -1) & (theta < 1)
    theta = theta - 1e-4 * lr * maximum(minimum(d, 0.5), -0.5) * True * inside
    return theta, m, v


def test_a_rule_as_it_is_written_is_the_rule_in_the_grammar():
    written = Optimizer(as_written, 0.1, parameters={"beta": 0.9})
    text = ast.unparse(Formula.of(as_written, 3).tree)
    assert not any(word in text for word in ("**", "abs(", "bounded", " if ", " and ", "+=", "float", "np.", "DECAY"))
    assert set(Formula.of(as_written, 3).constants.values()) >= {0.01, 3}
    start = np.random.default_rng(0).normal(size=(5, 200))
    with np.errstate(invalid="ignore"):
        results = [Formula.of(rule, 3)(*start, 0.9) for rule in (as_written, by_hand)]
    for got, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)
    cases.agree(gdfast.Sweep("rosenbrock", written, [1e-3, 0.1], [[-1.0, 1.0], [2.0, 0.5]], 200))


def powers(x):
    return x**2, x**3, x**4, (x + 1) ** 5, x**-2, x**0, x**1.5, x**-0.5, 2**10 * x, 10**-8 * x


def test_powers_are_products_by_repeated_squaring():
    x = np.random.default_rng(1).uniform(0.1, 3, 1000)
    y, fourth = x + 1, (x * x) * (x * x)
    expected = [x * x, x * x * x, fourth, (y * y) * (y * y) * y, 1 / (x * x), 1.0, x * sqrt(x), 1 / sqrt(x), 1024 * x]
    for got, value in zip(Formula(powers, 10)(x), [*expected, 1e-8 * x], strict=True):
        np.testing.assert_array_equal(got, value)


def made(size):
    def inside(theta, grad, lr):
        return theta - lr * grad / size

    return inside


def test_numbers_of_an_enclosing_function_are_folded():
    one, other = Formula(made(2.0), 1), Formula(made(3.0), 1)
    assert one != other
    assert one(0.0, 6.0, 1.0) == -3
    assert other(0.0, 6.0, 1.0) == -2


def test_lambdas_are_formulas():
    bowls = [
        Landscape(lambda x, y: (x - 1) ** 2 + y**2 / 2, domain=[[-2, 2]] * 2),
        Landscape(lambda z: abs(z), domain=(-1, 1)),
    ]
    assert bowls[0].minima[0].point == (1, 0)
    assert bowls[1].coordinates == ("z",)
    assert bowls[1].loss([[-3.0]]) == 3
    assert "lambda x, y: (x - 1) ** 2" in bowls[0].specification["parameters"]["loss"]
    path = gdfast.trajectory("quartic", Optimizer(lambda theta, grad, lr: theta - lr * grad**3, 0.1), [1.5], 1e-3, 3)
    assert path.sizes["step"] == 4


def calls_itself(x):
    return calls_itself(x - 1)


def in_turn(x):
    return back(x)


def back(x):
    return in_turn(x) + 1


def with_loop(x):
    for _ in range(3):
        x = x * x
    return x


def uses_loop(x):
    return with_loop(x) + 1


def of_pair(x):
    return pair(x, x) + 1


def too_many(x):
    return bounded(x, 1, 2)


def early(x):
    y = DECAY_OF_LATER + x  # noqa: F821, which is what is tried
    DECAY_OF_LATER = 3
    return y + DECAY_OF_LATER


def infinite(x):
    return x + math.inf


def of_library(x):
    return np.linalg.norm(x)


def variable(x, y):
    return x**y


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (calls_itself, ["calls_itself, line 2", "calls itself"]),
        (in_turn, ["back, line 2", "in_turn(x)", "calls itself"]),
        (uses_loop, ["with_loop, line 2", "no loops"]),
        (of_pair, ["of_pair, line 2", "2 values"]),
        (too_many, ["too_many, line 2", "bounded takes value, size"]),
        (early, ["early, line 2", "'DECAY_OF_LATER'", "nor assigned before"]),
        (infinite, ["infinite, line 2", "math.inf"]),
        (of_library, ["of_library, line 2", "np.linalg.norm()"]),
        (variable, ["variable, line 2", "constant exponent", "step_table"]),
        (math.exp, ["exp", "def"]),
    ],
)
def test_what_cannot_be_translated_is_told_in_a_sentence(function, words):
    with pytest.raises(GrammarError) as error:
        Formula(function, 1)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)


def test_rules_are_translated_when_the_optimizer_is_made():
    cases.refused(lambda: Optimizer(variable_rule, learning_rate=0.1), ValueError, "variable_rule, line 2", "exponent")
    assert Optimizer(simple_rule, learning_rate=0.1).label == "<simple_rule>"


def variable_rule(theta, grad, lr):
    return theta - lr**grad


def simple_rule(theta, grad, lr):
    return theta - lr * grad
