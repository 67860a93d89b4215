"""Every label reads back to a value that is equal to the one whose label it is."""

import dataclasses
import pickle

import cases
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import grids, literals, measures, memory, notation, optimizers, problems, schedules, starting, transforms
from gdfast.commands.making import parse_problem, parse_source
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
    try:
        thing = rule.replace(schedule=schedule, transforms=tuple(changes))
    except ValueError as error:  # of a rule to which not all transforms may be given
        assume("transforms: " not in str(error))
        raise
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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "make",
    [
        optimizers.adam,
        schedules.cosine,
        transforms.clip_norm,
        measures.convergence,
        problems.quartic,
        lambda: gdfast.data.load("iris"),
        lambda: gdfast.History("loss"),
        lambda: gdfast.Sweep("quartic", "gd", [0.1], [1.0]),
    ],
)
def test_things_do_not_change(make):
    thing = make()
    for field in dataclasses.fields(thing):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field.name, None)


def plain(theta, grad, lr, beta):
    return theta - lr * beta * grad


def halved(theta, grad, lr):
    return grad / 2


def late(theta, grad, lr, m):
    return theta - lr * m, m


def no_rate(theta, grad, m):
    return theta - m, m


def power(theta, grad, lr):
    return theta - lr * grad**lr


def short(theta, grad, m, lr):
    return theta - lr * grad


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (problems.linear_regression((np.eye(3), np.ones(3))), "array 3×3"),
        (Optimizer(plain, 0.1, parameters={"beta": 1.0}), "of one's own"),
        (optimizers.gd().transformed(Transform(halved)), "of one's own"),
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
        (lambda: Optimizer(power, 0.1), GrammarError, "constant exponent"),
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


@pytest.mark.parametrize(
    ("text", "logarithmic", "values"),
    [
        ("1:100:3", True, [1, 10, 100]),
        ("1:100:3", False, [1, 50.5, 100]),
        ("linear:1:3:3", True, [1, 2, 3]),
        ("log:1:100:3", False, [1, 10, 100]),
        ("log:10:0.1:3", False, [10, 1, 0.1]),
        ("-4:4:3", False, [-4, 0, 4]),
        ("2:2:1", False, [2]),
        ("0.3", True, [0.3]),
        ("-3", False, [-3]),
        ("log:7", False, [7]),
        ("-8e307:8e307:3", False, [-8e307, 0, 8e307]),
    ],
)
def test_axes_are_grids_or_one_number(text, logarithmic, values):
    got = grids.parse_axis("lr", text, logarithmic)
    assert got.shape == (len(values),)
    np.testing.assert_allclose(got, values, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "logarithmic", "words"),
    [
        ("1:2", False, "low:high:count, after log: or linear: if need be, or numbers such as 0.1/0.3/1, not '1:2'"),
        ("1:2:3:4", False, "low:high:count"),
        ("", False, "low:high:count"),
        ("a", False, "low:high:count"),
        ("1:b:3", False, "low:high:count"),
        ("1:2:2.5", False, "low:high:count"),
        ("lin:1:2:3", False, "low:high:count"),
        ("log", False, "low:high:count"),
        ("1:2:0", False, "lr: count"),
        ("0:1:3", True, "lr: low"),
        ("1:-1:3", True, "lr: high"),
        ("1:inf:3", False, "lr: high"),
        ("nan", False, "lr must be"),
        ("0", True, "lr must be"),
        ("log:-1", False, "lr must be"),
        ("-1e308:1e308:3", False, "ends less than 1.8e308 apart"),
    ],
)
def test_axes_of_anything_else_are_refused(text, logarithmic, words):
    with pytest.raises(ValueError, match=words):
        grids.parse_axis("lr", text, logarithmic)


def test_axes_and_grids_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "_SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: 39.9e6)
    with pytest.raises(ValueError, match=r"10,000 combinations, would need 41.0 MB of memory"):
        notation.optimizers(f"adam:beta1={'/'.join(f'0.{n}' for n in range(100, 200))},beta2=0.1:0.9:100")
    with pytest.raises(ValueError, match=r"lr: 1,000,000 values would need 40.0 MB of memory"):
        grids.parse_axis("lr", "1:2:1000000", False)
    with pytest.raises(ValueError, match=r"lr: 10,000 values would need 80.0 MB"):
        grids.parse_axis("lr", "1:2:10000", False, 8000)
    assert len(grids.parse_axis("lr", "1:2:900000", False)) == 900_000
    with pytest.raises(ValueError, match=r"start: 1,000,000 starts would need 80.0 MB"):
        starting.grid_of([np.arange(1000.0)] * 2)


def test_grids_are_all_combinations_the_last_axis_fastest():
    got = starting.grid_of([np.array([1.0, 2]), np.array([3.0, 4, 5])])
    assert got.tolist() == [[1, 3], [1, 4], [1, 5], [2, 3], [2, 4], [2, 5]]


def test_points_and_places_are_as_many_finite_numbers_as_there_are_names():
    assert grids.parse_numbers("at", "1, -2e3", ["x", "y"]) == (1, -2000)
    assert grids.parse_point("from", "1.5,2") == (1.5, 2)
    for text in ("1", "1,2,3", "1,x", "1,nan", "inf,1", ""):
        with pytest.raises(ValueError, match=f"from must be 2 finite numbers, x,y, not '{text}'"):
            grids.parse_point("from", text)
    with pytest.raises(ValueError, match="a must be a finite number, not 'x'"):
        grids.parse_numbers("a", "x", ["x"])
    with pytest.raises(ValueError, match="a must be 8 finite numbers, 0,1,2,3,4,5,6,7, not"):
        grids.parse_numbers("a", "x", [str(i) for i in range(8)])
    with pytest.raises(ValueError, match="a must be 9 finite numbers, 0,1,…,8, not"):
        grids.parse_numbers("a", "x", [str(i) for i in range(9)])


def test_axes_of_starts_are_named_all_or_none():
    first, second = grids.parse_starts(["1:3:3", "5"])
    assert (first.tolist(), second.tolist()) == ([1, 2, 3], [5])
    named_axes = grids.parse_starts(["y = -1:1:3", "x=log:1:100:3"])
    assert {name: axis.tolist() for name, axis in named_axes.items()} == {"y": [-1, 0, 1], "x": [1, 10, 100]}
    assert grids.parse_starts([]) == []
    for texts in (["x=1", "2"], ["1", "x=2"], ["x=1", "x=2"]):
        with pytest.raises(ValueError, match="start must be name=low:high:count for each coordinate once"):
            grids.parse_starts(texts)
    with pytest.raises(ValueError, match="start 'x' must be low:high:count"):
        grids.parse_starts(["x=1=2"])


def test_starts_stand_on_one_axis_a_coordinate():
    plane, one, two = problems.himmelblau(), np.array([1.0, 2]), np.array([5.0])
    assert starting.starts_on(plane, [one, two]).tolist() == [[1, 5], [2, 5]]
    assert starting.starts_on(plane, {"y": two, "x": one}).tolist() == [[1, 5], [2, 5]]
    assert starting.starts_on(plane, [two]).tolist() == [[5, 5]]
    for axes, words in (
        ([one], "once a coordinate, 2 times for himmelblau, or be one number for all, not 1"),
        ({"x": one}, "once a coordinate, 2 times for himmelblau, or be one number for all, not 1"),
        ({"z": one}, "start: coordinate 'z'"),
        ([one] * 3, "not 3"),
    ):
        with pytest.raises(ValueError, match=words):
            starting.starts_on(plane, axes)
    for axes in ([], {}):
        assert starting.starts_on(problems.quartic(), axes) is None
    sweep = gdfast.Sweep("quartic", "gd", [0.1])
    np.testing.assert_array_equal(sweep.starts, problems.quartic().default_starts(256))


def test_optimizers_are_parted_by_spaces_but_not_around_joints():
    text = " gd  adam : beta1 = 0.8 , eps=1e-3 | cosine\t|clip_norm = 1\nmomentum:momentum=0.5 / 0.9 "
    adam = optimizers.adam(beta1=0.8, eps=1e-3).scheduled(schedules.cosine()).transformed(transforms.clip_norm(1.0))
    expected = [optimizers.gd(), adam, *optimizers.grid(optimizers.momentum, momentum=[0.5, 0.9])]
    assert notation.optimizers(text) == expected
    on_axes = notation.optimizers("momentum:momentum=0:0.9:4,dampening=0/0.5|l2=0.1|clip_value=2")
    changes = transforms.l2(0.1), transforms.clip_value(2.0)
    grid = optimizers.grid(optimizers.momentum, momentum=np.linspace(0, 0.9, 4), dampening=[0.0, 0.5])
    assert on_axes == [rule.transformed(*changes) for rule in grid]
    for wrong, words in (
        ("", "at least one, not ''"),
        (" \t", "at least one, not ''"),
        ("adma", "optimizer 'adma'"),
        ("gd|reduce_on_plateau|reduce_on_plateau", "one that looks at losses at most"),
        ("gd|cosin", "optimizer: schedule or transform 'cosin'"),
        ("gd:3", "optimizer 'gd:3'"),
        ("adam:beta1=x", "beta1"),
        ("<plain>:beta=1", "a formula of one's own"),
        ("momentum:momentum=0:1", "momentum: momentum must be low:high:count"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            notation.optimizers(wrong)


def test_schedules_and_transforms_are_read_by_name():
    then = schedules.cosine(end=0.1)
    assert notation.schedule("warmup:steps=50,then=(cosine:end=0.1)") == schedules.warmup(50, then=then)
    assert notation.schedule("warmup:then=cosine") == schedules.warmup(then=schedules.cosine())
    assert notation.schedule("warmup:steps=5") == schedules.warmup(5)
    for text in ("clip_norm=2", " clip_norm = 2", "clip_norm:max_norm=2", "clip_norm:max_norm=2,eps=1e-6"):
        assert notation.transform(text) == transforms.clip_norm(2.0)
    assert notation.transform("noise:sigma=0.5,seed=3") == transforms.noise(0.5, seed=3)
    assert notation.transform("normalize") == transforms.normalize()
    with pytest.raises(ValueError, match="transform centralize takes no value, not '2'"):
        notation.transform("centralize=2")
    with pytest.raises(ValueError, match="transform 'clip'"):
        notation.transform("clip=2")


def test_problems_are_made_of_a_name_or_of_a_loss():
    assert notation.problem("rosenbrock:dimension=3") == problems.rosenbrock(dimension=3)
    assert notation.problem("mlp:widths=2/3/3/1,activation=tanh/relu").parameters["activation"] == ("tanh", "relu")
    iris = problems.softmax_regression(data="iris", batch_size=5)
    assert parse_problem("softmax_regression:batch_size=5", [], [], {"data": "iris"}) == iris
    assert parse_problem("quartic", [], [], {}) == problems.quartic()
    line = parse_problem(None, ["x**2"], [np.array([1.0, 3.0])], {})
    assert line == problems.from_expression("x**2", [(1.0, 3.0)])
    point = parse_problem(None, ["x**2 + y"], {"y": np.array([1.0]), "x": np.array([2.0, 1.0])}, {})
    assert point == problems.from_expression("x**2 + y", {"y": (-4.0, 6.0), "x": (1.0, 2.0)})
    assert parse_problem(None, ["x**2"], [], {}) == problems.from_expression("x**2", None)
    for arguments, words in (
        ((None, [], [], {}), "problem, loss or model must be given, one of them"),
        (("quartic", ["x"], [], {}), "problem, loss or model must be given, one of them"),
        (("quartic", [], [], {"data": "iris"}), "data must be given with .*mlp.*, not with quartic"),
        (("quarti", [], [], {"data": "iris"}), "problem 'quarti'"),
        ((None, ["x"], [], {"target": "y"}), "target must not be given beside a loss"),
        (("softmax_regression:data=iris", [], [], {"data": "iris"}), "data is given twice, here and as --data"),
    ):
        with pytest.raises(ValueError, match=words):
            parse_problem(*arguments)


def test_a_header_is_told_of_csv_files_only(tmp_path):
    def parsed(data, target=None, header=None):
        return parse_source(data, target=target, header=header)

    assert parsed(None) == {}
    assert parsed("iris") == {"data": "iris"}
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n3,4\n5,7\n")
    (data,) = parsed(str(path), "b", True).values()
    assert data is not None
    for wrong, words in (
        ((None, "b", True), "target must be given with a CSV file"),
        ((None, None, False), "header must be given with a CSV file"),
        (("iris", "b", True), "target must not be given with iris"),
        (("iris", None, False), "header must not be given with iris"),
        ((str(path), None, True), "target.* must be given with .*x.csv"),
    ):
        with pytest.raises(ValueError, match=words):
            parsed(*wrong)


def test_schedules_and_transforms_take_several_values_as_optimizers_do():
    gd = optimizers.gd()
    each = notation.optimizers("momentum:momentum=0.5/0.9|cosine:end=0/0.1|clip_norm=1:3:3")
    assert each == [
        rule.scheduled(schedules.cosine(end=end)).transformed(transforms.clip_norm(norm))
        for rule in optimizers.grid(optimizers.momentum, momentum=[0.5, 0.9])
        for end in (0.0, 0.1)
        for norm in (1.0, 2.0, 3.0)
    ]
    assert notation.optimizers("gd|rounded=bfloat16/float16|lookahead:k=2:4:2") == [
        gd.transformed(transforms.rounded(name), transforms.lookahead(k=k))
        for name in ("bfloat16", "float16")
        for k in (2, 4)
    ]
    assert [rule.parameters["history"] for rule in notation.optimizers("lbfgs:history=1:3:2")] == [1, 3]
    tails = schedules.cosine(end=0.5), schedules.linear()
    assert notation.schedules("warmup:steps=5,then=(cosine:end=0.5)/(linear)") == [
        schedules.warmup(5, then=then) for then in tails
    ]
    assert notation.schedule("sequence:schedules=(cosine:end=0.5)/(linear),milestones=9/") == schedules.sequence(
        tails, (9,)
    )
    assert notation.schedules("multi_step:milestones=3/5|cosine") == [
        schedules.chained(schedules.multi_step((3, 5)), schedules.cosine())
    ]
    on_way = notation.transforms("clip_norm=(linear:start=1,end=0.5)/2")
    assert [one.label for one in on_way] == ["clip_norm:max_norm=(linear:end=0.5)", "clip_norm:max_norm=2"]
    for one, words in (
        (lambda: notation.transform("clip_norm=1/2"), "transform 'clip_norm=1/2' must be one, .* not 2"),
        (lambda: notation.schedule("cosine:end=0/1"), "schedule 'cosine:end=0/1' must be one, .* not 2"),
    ):
        with pytest.raises(ValueError, match=words):
            one()


@pytest.mark.parametrize("values", [[1, 2], (1, 2), range(1, 3), np.array([1, 2])], ids=repr)
def test_whoever_gives_several_values_where_one_is_taken_reads_how_they_are_compared(values):
    for factory, name, way in (
        (transforms.clip_norm, "max_norm", "gd|clip_norm=1/2/3"),
        (transforms.lookahead, "k", "gd|clip_norm=1/2/3"),
        (transforms.rounded, "format", "gd|clip_norm=1/2/3"),
        (schedules.cosine, "end", "gd|cosine:end=0/0.1"),
        (schedules.step, "every", "gd|cosine:end=0/0.1"),
        (schedules.reduce_on_plateau, "factor", "gd|cosine:end=0/0.1"),
        (optimizers.adam, "beta1", "gdfast.optimizers.grid"),
        (problems.quadratic, "condition", "gdfast.run_over"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"{factory.__name__}: {name} .* several values, make .*"):
            factory(**{name: values})
        with pytest.raises((TypeError, ValueError)) as caught:
            factory(**{name: values})
        assert way in str(caught.value)
        assert "schedule of the step" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "name", "kind"),
    [
        (notation.problem, "gd", "an optimizer"),
        (notation.optimizers, "quartic", "a problem"),
        (notation.optimizers, "cosine", "a schedule"),
        (notation.schedule, "clip_norm", "a transform"),
        (notation.transform, "convergence", "a measure"),
        (notation.measure, "adam", "an optimizer"),
    ],
)
def test_a_name_in_the_place_of_another_kind_is_told_what_it_is(read, name, kind):
    with pytest.raises(ValueError, match=f"'{name}' is not known: in gdfast that is {kind}$"):
        read(name)
