"""Random formulas and rules: what they are in compiled lanes, and on arrays, is the same to the bit."""

import ast
import re

import cases
import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import gdfast
from gdfast import measures, optimizers, problems, schedules, transforms
from gdfast.formulas.elementary import minimum, select, sqrt
from gdfast.formulas.formula import Formula, from_text
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.source import defined
from gdfast.kernels import lane_math  # noqa: F401, registers the compiled forms of `elementary`
from gdfast.kernels.compiling import compiled
from gdfast.named import named
from gdfast.optimizers import Optimizer

NUMBERS = ["0", "1", "2", "3", "7", "-1", "10", "0.5", "1.5", "0.1", "1e3", "-2.5", "123456789012345678901", "1e-30"]
COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]


@st.composite
def bodies(draw, names, results):
    """Assignments and results of a formula of these names, in which only what is exact occurs."""
    names, conditions = list(names), ["True"]

    def number(depth):
        kind = draw(st.sampled_from("nnccaaafffsxkpt" if depth else "nnc"))
        if kind == "n":
            return draw(st.sampled_from(names))
        if kind == "c":
            return draw(st.sampled_from(NUMBERS))
        if kind == "a":
            return f"({number(depth - 1)} {draw(st.sampled_from('+-*/'))} {number(depth - 1)})"
        if kind == "f":
            name = draw(st.sampled_from(["absolute", "abs", "sign", "sqrt", "minimum", "maximum", "min", "max"]))
            values = [number(depth - 1) for _ in range(3 if len(name) == 3 and "m" in name else 1 + ("imum" in name))]
            return f"{name}({', '.join(values)})"
        if kind == "s":
            return f"select({condition(depth - 1)}, {number(depth - 1)}, {number(depth - 1)})"
        if kind == "p":
            base = f"({number(depth - 1)} + {draw(st.sampled_from(names))})"
            return f"{base} ** {draw(st.sampled_from(['0', '1', '2', '3', '7', '-1', '-2', '0.5', '1.5', '-2.5']))}"
        if kind == "t":
            return f"({number(depth - 1)} if {condition(depth - 1)} else {number(depth - 1)})"
        return f"(-{number(depth - 1)})" if kind == "x" else condition(depth - 1)

    def condition(depth):
        kind = draw(st.sampled_from("ccjnbri" if depth > 0 else "c"))
        if kind == "n":
            return draw(st.sampled_from(conditions))
        if kind == "b":
            return f"({condition(depth - 1)} {draw(st.sampled_from(['and', 'or']))} {condition(depth - 1)})"
        if kind == "i":
            return f"(not {condition(depth - 1)})"
        if kind == "r":
            low, middle, high = (number(depth - 1) for _ in range(3))
            return f"({low} < {middle} <= {high})"
        if kind == "j":
            return f"({condition(depth - 1)} {draw(st.sampled_from('&|'))} {condition(depth - 1)})"
        depth = max(depth - 1, 0)
        return f"({number(depth)} {draw(st.sampled_from(COMPARISONS))} {number(depth)})"

    lines = []
    for k in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            lines.append(f"u{k}{draw(st.sampled_from(['', ': float']))} = {number(2)}")
            if draw(st.booleans()):
                lines.append(f"u{k} {draw(st.sampled_from(['+=', '-=', '*=', '/=']))} {number(1)}")
            names.append(f"u{k}")
        else:
            lines.append(f"c{k} = {condition(2)}")
            conditions.append(f"c{k}")
            names.append(f"c{k}")  # a condition is 1 or 0 where a number is wanted
    return [*lines, f"return {', '.join(number(3) for _ in range(results))}"]


def written(name, arguments, body):
    return from_text("\n    ".join([f"def {name}({', '.join(arguments)}):", *body]) + "\n")


@st.composite
def formulas(draw):
    """A formula of one to four coordinates, some of which may be unused, with one to four results."""
    coordinates = ["x", "y", "z", "w"][: draw(st.integers(1, 4))]
    return coordinates, draw(bodies(coordinates, draw(st.integers(1, 4))))


@st.composite
def rules(draw):
    """A rule of none to three state slots."""
    slots = draw(st.integers(0, 3))
    arguments = ["theta", "grad", *(f"s{i}" for i in range(slots)), "lr", "beta"]
    return arguments, draw(bodies(arguments, 1 + slots))


def together(formulas):
    """One formula that does what several do, one after the other."""
    names = dict.fromkeys(name for arguments, _ in formulas for name in arguments)
    lines, results = [], []
    for k, (_, body) in enumerate(formulas):
        *assigned, returned = (re.sub(r"\b([uc]\d)\b", rf"\1_{k}", line) for line in body)
        lines += assigned
        results.append(returned.removeprefix("return "))
    return list(names), [*lines, f"return {', '.join(results)}"]


def same_bits(got, expected):
    """Where arrays have the same bits; one NaN is as good as another."""
    kind = np.int64 if expected.dtype == np.float64 else np.int32
    assert got.dtype == expected.dtype
    return (got.view(kind) == expected.view(kind)) | (np.isnan(got) & np.isnan(expected))


def assert_lanes_are_arrays(formula, real):
    """Compile a formula, given by its arguments and lines, and run it on numbers of every kind."""
    arguments, body = formula
    count, results = len(arguments), len(ast.parse(f"{body[-1][7:]},").body[0].value.elts)
    read = Formula(written("formula", arguments, body), results).reading(real)
    values = np.array([-3.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 1e30, np.inf, np.nan], real)
    points = np.random.default_rng(0).choice(values, (count, 128)).astype(real)
    points[:, 64:] = np.random.default_rng(1).normal(size=(count, 64))
    with np.errstate(all="ignore"):
        parts = read(*points)
    assert isinstance(parts, tuple) == (results > 1)
    parts = parts if results > 1 else (parts,)
    expected = np.stack([np.broadcast_to(np.asarray(part), 128) for part in parts])
    assert expected.dtype == real, "a result has another type"
    names = ", ".join(f"p[{i}, lane]" for i in range(count))
    targets = "out[0, lane] = values" if results == 1 else "for j in range(len(values)): out[j, lane] = values[j]"
    text = f"def loop(p, out):\n for lane in range(p.shape[1]):\n  values = read({names})\n  {targets}"
    loop = defined(text, {"read": read}, "<loop>")
    array = numba.from_dtype(np.dtype(real))[:, ::1]
    signature = numba.void(array, array)
    got = np.empty_like(expected)
    compiled(signature)(loop)(points, got)
    assert same_bits(got, expected).all(), np.flatnonzero(~same_bits(got, expected).all(axis=1))


@pytest.mark.sampled(1)
@pytest.mark.parametrize("real", ["float64", "float32"])
@seed(1)
@given(formula=formulas())
@settings(max_examples=5)
def test_a_formula_is_the_same_in_lanes_and_on_arrays(real, formula):
    assert_lanes_are_arrays(formula, real)


@seed(2)
@given(rule=rules(), real=st.sampled_from(["float64", "float32"]))
@settings(max_examples=5)
def test_a_rule_is_the_same_in_lanes_and_on_arrays(rule, real):
    assert_lanes_are_arrays(rule, real)


AT_ONCE = 50  # formulas that are compiled together: one by one, most of the time would go into what is around them


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "share"), [(formulas(), 1.0), (rules(), 0.1)], ids=["formulas", "rules"])
def test_many_formulas_and_rules_are_the_same_in_lanes_and_on_arrays(kind, share):
    waiting, done = [], 0

    def compare():
        real = ["float64", "float32"][done // AT_ONCE % 2]
        try:
            assert_lanes_are_arrays(together(waiting), real)
        except Exception:
            for formula in waiting:
                print(formula, real, flush=True)
                assert_lanes_are_arrays(formula, real)
            raise

    @seed(3)
    @given(formula=kind)
    @settings(
        max_examples=round(share * cases.examples(2000)),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def gathered(formula):
        nonlocal done
        waiting.append(formula)
        if len(waiting) == AT_ONCE:
            compare()
            done += len(waiting)
            waiting.clear()
            from_text.cache_clear()

    gathered()
    if waiting:
        compare()


def agreed(problem, optimizer, real, **options):
    """A sweep of few trajectories, compiled and in NumPy."""
    cases.agree(gdfast.Sweep(problem, [optimizer], [0.01, 0.3], problem.random(6), 60, dtype=real, **options))


def loss_of_two(x, y):
    return x * x + 3 * y


def constant_slope(x, y):
    return 2 * x, 3


def slopes_of_choices(x, y):
    inside = (x > 0) & (y < 1)
    return (x > y) + (x < 2) * 3 - inside, select(x > y, 1, 2) / select(inside, 3, 7)


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("gradient", [constant_slope, slopes_of_choices], ids=lambda gradient: gradient.__name__)
def test_a_sweep_of_whole_numbers_is_the_same_compiled_and_in_numpy(gradient, real):
    problem = problems.Landscape(loss_of_two, gradient, domain=[[-2, 2], [-1, 3]])
    agreed(problem, optimizers.gd(), real)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("text", ["max(0, 1 - x)", "x**2 + y", "x**2 + max(0, 1 - y)"])
def test_a_sweep_of_an_expression_of_whole_numbers_is_the_same_compiled_and_in_numpy(text):
    agreed(problems.from_expression(text), optimizers.gd(), "float64")


def counting_rule(theta, grad, count, side, lr, norm, loss):
    turned = grad * side < 0
    theta = theta - lr * select(turned, 1, 2) * grad / (1 + sqrt(norm)) + turned * lr / (1 + loss * loss)
    return theta, count + 1, 1


def counting_terms(theta, grad, count, side, lr):
    return 1


def constant_transform(theta, grad, lr):
    return 1


def sign_transform(theta, grad, lr):
    return select(grad > 0, 1, 0) - (grad < 0)


def shrinking(theta, grad, before, lr):
    return theta - (theta > 1) / 1000


def lowered(loss, factor, best):
    return select(loss < best, 1, factor / 2), minimum(loss, best)


def halved(loss, factor):
    return (loss > 1) / 2


def counted(loss, count, one):
    return count + (loss > one)


@named()
def counting():
    return Optimizer(counting_rule, learning_rate=0.1, sums=("norm",), terms=counting_terms)


@named()
def signs():
    return transforms.Transform(sign_transform)


@named()
def ones():
    return transforms.Transform(constant_transform)


@named()
def shrink():
    return transforms.Transform(shrinking, after=True)


@named()
def lowering():
    return schedules.LossSchedule(lowered, {"factor": 1.0, "best": np.inf})


@named()
def halving():
    return schedules.LossSchedule(halved, {"factor": 1.0})


@named()
def losses_above_one():
    return measures.Measure(counted, {"count": 0.0}, lambda t, _: {"one": 0 * t + 1}, lambda memory, *_: memory[0])


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("schedule", [lowering(), halving()], ids=lambda schedule: schedule.label)
def test_rules_transforms_schedules_and_measures_of_whole_numbers(schedule, real):
    optimizer = counting().scheduled(schedule).transformed(signs(), shrink())
    agreed(problems.rosenbrock(), optimizer, real, measure=losses_above_one())
    if schedule.name == "halving":
        agreed(problems.rosenbrock(), optimizers.gd().transformed(ones()), real)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("schedule", [lowering(), halving()], ids=lambda schedule: schedule.label)
def test_rules_transforms_schedules_and_measures_of_whole_numbers_with_data(schedule):
    optimizer = counting().scheduled(schedule).transformed(signs(), shrink())
    agreed(problems.linear_regression(), optimizer, "float64", measure=losses_above_one())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("return x & 1", "condition"),
        ("return select(x, 1, 2)", "condition"),
        ("return select(1, 1, 2)", "condition"),
        ("return x is 3", "accepted"),
        ("return x in x", "accepted"),
        ("return select(x > 1, 2)", "3 values"),
        ("return sqrt()", "1 values"),
        ("return x,", "comma"),
        ("sqrt = x\n    return sqrt(x)", "sqrt"),
        ("return x + " + "9" * 400, "large"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*is.*literal:SyntaxWarning")
def test_what_would_differ_is_refused_with_what_to_write(line, words):
    function = written("formula", ["x"], [line])
    with pytest.raises(GrammarError, match=words):
        Formula(function, 1)
