"""JavaScript has the bits of the reference and of the kernels, in Node: functions, trajectories, step tables."""

import cases
import numba
import numpy as np
import pytest
from in_node import differing, node, trajectories

import gdfast
from gdfast import optimizers as o
from gdfast import problems as p
from gdfast import schedules as s
from gdfast import transforms as t
from gdfast.formats import FORMATS
from gdfast.formulas import elementary
from gdfast.formulas.formula import Formula, from_text
from gdfast.formulas.javascript import NotWrittenError, Script, trace
from gdfast.kernels import lane_math  # noqa: F401, registers the compiled forms of `elementary`
from gdfast.live import lane_functions, texts
from gdfast.live.limits import packed
from gdfast.live.pairs import formulas_of
from gdfast.live.step_tables import table_of
from gdfast.parts import Parts, step_table

EXACT = [p.quartic(), p.rosenbrock(), p.himmelblau(), p.styblinski_tang(), p.six_hump_camel(), p.booth(), p.beale()]
EXACT += [p.three_hump_camel(), p.monkey_saddle(), p.matyas(), p.flat_quartic(), p.quadratic(rotation=3)]
LANDSCAPES = [problem for problem in (make() for make in p.CATALOGUE.values()) if isinstance(problem, p.Landscape)]
TRANSFORMS = [
    None,
    t.clip_norm(0.5),
    t.clip_value(0.7),
    t.l1(),
    t.l2(0.1),
    t.noise(0.1),
    t.normalize(),
    t.weight_decay(),
]
SCHEDULES = [None, *(make() for make in s.CATALOGUE.values())]


def draws():
    """Numbers of every size and kind."""
    rng = np.random.default_rng(1)
    sizes = rng.normal(size=1500) * 10.0 ** rng.integers(-20, 20, 1500)
    bits = rng.integers(0, 2**63, 1500).view(np.float64)
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, 1e-310, 1e308]
    return np.concatenate([sizes, rng.normal(size=1500) * 5, rng.uniform(-800, 800, 1500), bits, -bits, special])


@pytest.mark.slow
def test_elementary_functions_have_the_bits_of_the_lanes():
    x = draws()
    names = ", ".join(lane_functions.LONG)
    script = (
        f"{texts.engine()}const x = unpacked(GIVEN), called = (f) => x.map((v, i) => f(v, x[(7 * i + 3) % x.length]));"
        f"require('fs').writeFileSync(1, Buffer.concat([{names}].map((f) => Buffer.from(called(f).buffer))));"
    )
    got = np.frombuffer(node(script, packed(x))).reshape(len(lane_functions.LONG), -1)
    for name, values in zip(lane_functions.LONG, got, strict=True):
        function = getattr(elementary, name)

        of_one = numba.njit(lambda a, b, function=function: function(a))
        of_two = numba.njit(lambda a, b, function=function: function(a, b))
        called = of_two if name == "power" else of_one

        @numba.njit(error_model="numpy")
        def lanes(numbers, called=called):
            result, n = np.empty_like(numbers), len(numbers)
            for i in range(n):
                result[i] = called(numbers[i], numbers[(7 * i + 3) % n])
            return result

        normal = (x > 2.3e-308) & (x < np.inf) if name in ("exponent", "mantissa") else np.ones(len(x), bool)
        numbers = ~np.isnan(expected := lanes(x)) & normal
        np.testing.assert_array_equal(values.view(np.int64)[numbers], expected.view(np.int64)[numbers], name)
        np.testing.assert_array_equal(np.isnan(values[normal]), np.isnan(expected[normal]), name)


def random_sweep(rng, several, rates, starts, problems=EXACT):
    """Some optimizers with random schedules and transforms, over random rates and starts of a random landscape."""
    problem = problems[rng.integers(len(problems))]
    chosen = []
    for optimizer in several:
        for transform in (TRANSFORMS[rng.integers(len(TRANSFORMS))] for _ in range(rng.integers(1, 3))):
            optimizer = optimizer.transformed(transform) if transform else optimizer
        schedule = SCHEDULES[rng.integers(len(SCHEDULES))]
        optimizer = optimizer.scheduled(schedule) if schedule else optimizer
        if isinstance(schedule, s.Schedule) and rng.random() < 0.2:
            optimizer = optimizer.scheduled(schedule, s.reduce_on_plateau(patience=3))
        if set(optimizer.needs) <= set(problem.provides):
            chosen.append(optimizer)
    low, high = problem.domain.T
    around = 0.2 * (high - low)
    points = rng.uniform(low - around, high + around, (starts, problem.dimension))
    budget, dtype = int(rng.choice([1, 3, 20, 33, 100, 300])), str(rng.choice(["float64", "float64", "float32"]))
    dtype = "float64" if problem.lane_kernel else dtype
    return gdfast.Sweep(problem, chosen, 10 ** rng.uniform(-4, 1, rates), points, budget, dtype=dtype)


def agree_for_every_rule(seed, rates, starts):
    """All rules of the catalogue and all unusual ones; returns how many trajectories there were."""
    rng, total = np.random.default_rng(seed), 0
    rules = [optimizer for optimizer in cases.ALL_OPTIMIZERS if not optimizer.steps]
    rng.shuffle(rules)
    for k in range(0, len(rules), 12):
        sweep = random_sweep(rng, rules[k : k + 12], rates, starts)
        differences = differing(sweep)
        assert not any(differences.values()), (sweep, [x.label for x in sweep.optimizers], differences)
        total += np.prod(sweep.shape)
    return total


@pytest.mark.slow
def test_every_rule_agrees_with_the_reference_to_the_bit():
    assert agree_for_every_rule(0, 3, 2) > 400


@pytest.mark.slow
def test_every_rule_agrees_with_the_reference_to_the_bit_in_many_trajectories():
    wanted, total, seed = cases.examples(4000), 0, 1
    while total < wanted:
        total += agree_for_every_rule(seed, 8, 8)
        seed += 1


@pytest.mark.slow
@pytest.mark.parametrize("problem", [p.ackley(), p.drop_wave(), p.sigmoid()], ids=cases.label)
def test_landscapes_with_exp_and_its_kin_agree_with_the_kernels(problem):
    sweep = cases.sweep_of(problem, [o.gd()], 12, max_steps=200)
    assert not any(differing(sweep, "numba").values())


@pytest.mark.slow
@pytest.mark.parametrize("problem", [*LANDSCAPES, p.quadratic()], ids=cases.label)
def test_all_landscapes_agree_with_the_kernels(problem):
    if problem.dimension > 2:
        pytest.skip("pages have one or two coordinates")
    sweep = cases.sweep_of(problem, [o.gd(), o.adam()], 20, max_steps=300)
    assert not any(differing(sweep, "numba").values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "adam:beta1=(linear:start=0.9,end=0.5)",
        "gd|cosine|warmup",
        "gd|step|reduce_on_plateau",
        "adam|soft_threshold=0.05|cautious|weight_decay|lookahead:k=3,alpha=0.3|box:low=-2,high=2|mechanic",
        "adam|l1_ball=0.5|lookahead:k=3",
        "momentum|simplex=0.7|weight_decay",
        f"gd|rounded:format={'/'.join(FORMATS)},gradient=True/False,stochastic=True/False",
    ],
)
def test_hyperparameters_that_are_schedules_chains_and_transforms_of_the_point_agree(text):
    for problem, starts in ((p.quartic(), "-3:3:5"), (p.rosenbrock(), p.rosenbrock().random(5, seed=1))):
        assert not any(differing(gdfast.Sweep(problem, text, "1e-3:1:6", starts, 60)).values())


@pytest.mark.slow
def test_a_loss_of_ones_own_agrees():
    problem = p.from_expression("abs(x)**3 - 2*x*y + max(y, x)**2 + a*y**4", domain=(-2, 2), params={"a": 0.3})
    assert not any(differing(cases.sweep_of(problem, [o.gd(), o.adam()], 12)).values())


@pytest.mark.slow
@pytest.mark.parametrize("text", ["x**2 + 1/x", "x**2 + y**2 + 1/(x+y)"])
def test_what_falls_into_a_pole_agrees(text):
    problem = p.from_expression(text, domain=(-3, 3.125))
    starts = -(np.linspace(0.2, 1.2, 6)[:, None] ** np.arange(1, problem.dimension + 1))
    sweep = gdfast.Sweep(problem, "fromage lars", "1e-3:0.1:6", starts, 1000)
    ends = gdfast.run(sweep, backend="numpy", progress=False)
    assert (ends.outcome.sel(optimizer="fromage") == "diverged").any()
    assert not any(differing(sweep).values())


@pytest.mark.slow
def test_a_rule_of_ones_own_agrees():
    rule = from_text(
        "def rule(theta, grad, v, lr, beta):\n    v = beta * v + grad\n    return theta - lr * v / (1 + (v > 1)), v"
    )
    own = o.Optimizer(rule, learning_rate=0.1, parameters={"beta": 0.5})
    assert not any(differing(cases.sweep_of(p.quartic(), own, 16)).values())


def moved(optimizer, knobs):
    """The optimizer with other values of what can be moved, and these values."""
    parts = [optimizer.replace(schedule=None, transforms=()), optimizer.schedule, *optimizer.transforms]
    values = []
    for knob in knobs:
        other = knob.value + 1 if knob.whole else knob.value * 0.9 if knob.value else 0.05
        other = other if other in knob.accepted else knob.value * 1.1
        parts[knob.part] = parts[knob.part].replace(**{knob.name: int(other) if knob.whole else other})
        values.append(float(other))
    rule, schedule, *transforms = parts
    return rule.copied(schedule=schedule, transforms=tuple(transforms)), values


def written_tables(problem, optimizers, budget=60):
    """Step tables that JavaScript makes for moved hyperparameters, and those of Python for the same."""
    fills, tasks, expected = [], [], []
    for optimizer in optimizers:
        own = step_table(optimizer, None, problem, budget)
        table = table_of(optimizer, own)
        other, values = moved(optimizer, table.knobs)
        expected.append(step_table(other, None, problem, budget))
        fills.append(f"(T, p, own, last, width) => {{\n{table.text}\n}}")
        tasks.append({"p": values, "own": packed(own), "width": own.shape[1]})
    script = (
        f"{texts.engine()}const tasks = unpacked(GIVEN);"
        f"const out = [{', '.join(fills)}].map((fill, k) => {{ const {{ p, own, width }} = tasks[k], "
        f"T = new Float64Array(own.length); fill(T, p, own, {budget}, width); return Buffer.from(T.buffer); }});"
        "require('fs').writeFileSync(1, Buffer.concat(out));"
    )
    got = np.frombuffer(node(script, tasks))
    ends = np.cumsum([table.size for table in expected])[:-1]
    return [part.reshape(table.shape) for part, table in zip(np.split(got, ends), expected, strict=True)], expected


@pytest.mark.slow
def test_step_tables_of_moved_hyperparameters_are_those_of_python():
    rules = [rule for rule in (make() for make in o.CATALOGUE.values()) if not rule.steps]
    scheduled = [o.gd().scheduled(plan) for plan in SCHEDULES if plan] + [
        o.gd().transformed(x) for x in TRANSFORMS if x
    ]
    for got, expected, optimizer in zip(
        *written_tables(p.quartic(), rules + scheduled), rules + scheduled, strict=True
    ):
        end = Parts.of(optimizer, None).rule.end  # beyond is what is of matrices, which landscapes have none of
        np.testing.assert_allclose(got[:, :end], expected[:, :end], rtol=4e-15, atol=1e-15, err_msg=optimizer.label)


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (o.adam(), {"beta1", "beta2", "eps"}),
        (o.momentum(), {"momentum", "dampening"}),
        (o.radam(), {"beta1", "beta2", "eps", "threshold"}),
        (o.schedule_free_sgd(), {"momentum"}),
        (o.gd().scheduled(s.exponential()).transformed(t.clip_norm()), {"gamma", "max_norm", "eps"}),
        (o.adagrad(), {"lr_decay", "eps"}),  # its first accumulator is no coefficient
    ],
    ids=cases.label,
)
def test_what_can_be_moved(optimizer, names):
    table = table_of(optimizer, step_table(optimizer, None, p.quartic(), 10))
    assert {knob.name for knob in table.knobs} == names


def test_what_depends_on_a_number_is_not_written():
    script = Script()
    with pytest.raises(NotWrittenError):
        bool(script.argument("x") > 0)


def test_a_formula_reads_like_itself():
    script = Script()
    formula = Formula.of(from_text("def f(x, y): return x * y + x * y * y"), 1)
    result = trace(formula, lane_functions.functions(script), script, [script.argument("x"), script.argument("y")])
    assert script.lines == ["const v1 = x * y;", "const v2 = v1 * y;", "const v3 = v1 + v2;"]
    assert result.text == "v3"


def test_only_landscapes_of_few_coordinates_run_in_a_page():
    with pytest.raises(ValueError, match="one or two coordinates"):
        formulas_of(p.linear_regression())
    for name in ("in_turn", "phases", "drawn"):
        with pytest.raises(ValueError, match=f"{name} must be a landscape .* on the step: give one of its losses"):
            gdfast.live(name, "gd")
    for name, words in (("linear_regression", "its loss is no formula"), ("mlp", "it has 33 coordinates")):
        with pytest.raises(ValueError, match=f"{name} must be a landscape of one or two coordinates.*{words}"):
            gdfast.live(name, "gd")
    with pytest.raises(ValueError, match="optimizers: newton asks for functions of whole vectors"):
        gdfast.live("quartic", "newton")
    assert trajectories(cases.sweep_of(p.quartic(), o.gd(), 2, max_steps=3)).shape == (1, 2, 2, 7)
