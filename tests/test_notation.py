"""Every label reads back to a value that is equal to the one whose label it is."""

import pickle

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import literals, measures, notation, optimizers, problems, schedules, transforms
from gdfast.formulas.grammar import GrammarError
from gdfast.optimizers import Optimizer, named
from gdfast.transforms import Transform

OPTIMIZERS, SCHEDULES, TRANSFORMS, MEASURES = (
    st.sampled_from(list(module.CATALOGUE.values())).flatmap(cases.made_by)
    for module in (optimizers, schedules, transforms, measures)
)


@given(OPTIMIZERS, st.none() | SCHEDULES, st.lists(TRANSFORMS, max_size=3))
@settings(max_examples=60, deadline=None)
def test_labels_of_optimizers_read_back(rule, schedule, changes):
    thing = rule.replace(schedule=schedule, transforms=tuple(changes))
    assert notation.optimizers(notation.written(thing)) == [thing]
    again = pickle.loads(pickle.dumps(thing))
    assert (again, hash(again), again.specification) == (thing, hash(thing), thing.specification)


@given(SCHEDULES.filter(lambda schedule: isinstance(schedule, schedules.Schedule)), MEASURES)
@settings(max_examples=50, deadline=None)
def test_labels_of_warm_ups_and_measures_read_back(then, measure):
    thing = schedules.warmup(steps=50, then=schedules.warmup(steps=5, then=then))
    assert notation.schedule(thing.label) == thing
    assert notation.measure(measure.label) == measure


@given(st.floats())
@settings(max_examples=60, deadline=None)
def test_numbers_read_back_to_the_same_bits(value):
    assert np.float64(literals.read(literals.write(value))).tobytes() == np.float64(value).tobytes() or value != value


@given(st.text() | st.lists(st.text(), max_size=3).map(tuple))
@settings(max_examples=300, deadline=None)
def test_texts_read_back(value):
    assert literals.read(literals.write(value), several_texts=isinstance(value, tuple)) == value


@pytest.mark.parametrize(
    "problem",
    [
        *(make() for make in problems.CATALOGUE.values()),
        problems.from_expression("x**2 + max(x, y)/2 + 1/(y**2+1)"),
        problems.from_expression("x**2 + y**2", [[-2, 2], [-1, 0.1 + 0.2]]),
        problems.from_expression("x**2 + y**2", {"y": (-2, 2), "x": (-1, 3)}),
        problems.mlp(widths=[2, 16, 1], activation=["tanh"]),
        problems.mlp(widths=(2, 3, 3, 1), activation=("tanh", "relu")),
        problems.softmax_regression(data="iris", batch_size=5),
        problems.quadratic(condition=1e6 / 3, dimension=20, rotation=7),
    ],
    ids=lambda problem: problem.label,
)
def test_labels_of_problems_read_back(problem):
    assert notation.problem(notation.written(problem)) == problem
    again = pickle.loads(pickle.dumps(problem))
    assert (again, hash(again)) == (problem, hash(problem))


def plain(theta, grad, lr, beta):
    return theta - lr * beta * grad


def halved(theta, grad, lr):
    return grad / 2


def late(theta, grad, lr, m):
    return theta - lr * m, m


def no_rate(theta, grad, m):
    return theta - m, m


def power(theta, grad, lr):
    return theta - lr * grad**2


def short(theta, grad, m, lr):
    return theta - lr * grad


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (problems.linear_regression((np.eye(3), np.ones(3))), "array 3×3"),
        (Optimizer(plain, 0.1, parameters={"beta": 1.0}), "of one's own"),
        (optimizers.gd().transformed(Transform(halved)), "not known"),
        (named()(lambda: Optimizer(plain, 0.1, parameters={"beta": 1.0}))(), "of one's own"),
    ],
)
def test_what_cannot_be_written_says_so(thing, words):
    with pytest.raises(ValueError, match=words):
        notation.written(thing)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: Optimizer(late, 0.1), GrammarError, "its state slots are the arguments between grad and lr"),
        (lambda: Optimizer(no_rate, 0.1), ValueError, "must have an argument lr"),
        (lambda: Optimizer(plain, 0.1), ValueError, "its argument beta has no value"),
        (lambda: Optimizer(power, 0.1), GrammarError, r"x \* x"),
        (lambda: Optimizer(short, 0.1), GrammarError, "must return 2"),
        (lambda: Transform(plain), ValueError, "its argument beta has no value"),
        (lambda: Transform(late), GrammarError, "no state slots"),
        (lambda: named(beta=optimizers.FRACTION)(lambda: None), TypeError, "beta must be a parameter"),
        (lambda: optimizers.adam(lr=0.1), TypeError, "learning_rates="),
        (lambda: optimizers.adam(learning_rate=0.1), TypeError, "learning_rates="),
        (lambda: optimizers.adam(0.01), TypeError, "learning_rates="),
        (lambda: type("Mine", (problems.Problem,), {})(), TypeError, "Mine must define gradient, hessian, loss"),
        (lambda: gdfast.Sweep("saddle", "polyak_sgd", [0.1], [[1.0, 1.0]]), ValueError, "polyak_sgd needs the loss"),
        (lambda: optimizers.adam().replace(lr=1), ValueError, "adam: parameter 'lr'"),
    ],
)
def test_faults_are_told_when_a_thing_is_made(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_what_is_made_directly_is_a_value_and_runs():
    thing = Optimizer(plain, 0.1, parameters={"beta": 0.5}).transformed(Transform(halved))
    again = pickle.loads(pickle.dumps(thing))
    assert again == thing != thing.replace(beta=0.25)
    assert thing.label == "<plain>:beta=0.5|<halved>"
    sweep = gdfast.Sweep("quartic", thing, [0.01], [1.0], 5)
    cases.assert_same(gdfast.run(sweep, backend="numpy"), gdfast.run(sweep.replace(optimizers=again), backend="numpy"))


def test_a_sweep_takes_what_the_command_line_does():
    rates, starts = np.geomspace(1e-4, 1, 8), np.linspace(-2, 2, 5)
    plain_sweep = gdfast.Sweep(
        problems.quartic(), [optimizers.gd(), optimizers.adam(beta1=0.8)], rates, starts[:, None], 10_000
    )
    for sweep in (
        gdfast.Sweep("quartic", "gd adam:beta1=0.8", "1e-4:1:8", "-2:2:5", 1e4),
        gdfast.Sweep(problems.quartic, [optimizers.gd, "adam:beta1=0.8"], rates, starts, max_steps=1e4),
        pickle.loads(pickle.dumps(plain_sweep)),
    ):
        assert sweep == plain_sweep
        assert hash(sweep) == hash(plain_sweep)
    for array in (plain_sweep.learning_rates, plain_sweep.starts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    starts[0] = 7
    assert sweep == plain_sweep != sweep.replace(max_steps=5)
