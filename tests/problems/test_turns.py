"""Losses that depend on the step, landscapes upside down, and a lowest loss that the user knows."""

import pickle
import types

import cases
import numpy as np
import pytest

import gdfast
from gdfast import notation, optimizers, problems
from gdfast.tiles.ending import Ending
from gdfast.tiles.outcomes import Outcome

QUARTIC = "x^4 - 5*x^2 + 3*x"
TURNS = [
    problems.in_turn(["x^2", "y^2 + x", "x*y + a"], lengths=[3, 1, 2], params={"a": 2.0}),
    problems.phases(["(x + 2)^2", QUARTIC, problems.quartic()], until=[50, 120]),
    problems.phases([problems.quadratic(dimension=9), problems.rosenbrock(dimension=9)], until=50),
    problems.drawn([problems.from_expression("(x - a)^2", params={"a": a}) for a in range(5)], [4, 1, 2, 1, 1], seed=3),
    problems.drawn([problems.ridge_regression(alpha=1.0, batch_size=7), problems.ridge_regression(alpha=9.0)]),
]
"""Of formulas, of many coordinates, of one formula in other numbers, of rows and mini-batches: none rounds but once."""


@pytest.mark.slow
@pytest.mark.parametrize("problem", TURNS, ids=lambda problem: f"{problem.name}{problem.dimension}")
def test_kernel_and_reference_agree_to_the_bit(problem):
    chosen = [optimizers.gd(), optimizers.adam(amsgrad=True), optimizers.sam()]
    told = {"history": "loss,gradient_norm:6", "measure": "convergence"}
    cases.agree(cases.sweep_of(problem, chosen, 16, max_steps=130, **told))
    cases.agree(cases.sweep_of(problem, chosen[:1], 16, max_steps=130, check_every=3, dtype="float32", **told))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("problem", TURNS, ids=lambda problem: f"{problem.name}{problem.dimension}")
def test_they_are_values(problem):
    assert notation.problem(problem.label) == problem == pickle.loads(pickle.dumps(problem))
    assert problem != problem.replace(minimum=-1e9)
    assert gdfast.check_gradient(problem)
    order = [problem.turn(t) for t in range(3000)]
    fresh = notation.problem(problem.label)
    assert [fresh.turn(t) for t in range(3000)] == order  # whatever was asked for before


def test_each_step_takes_the_gradient_of_its_turn():
    slopes = [lambda x: 2 * (x - 1), lambda x: 0.5, lambda x: 4 * x**3]
    losses = ["(x - 1)^2", "x/2", "x^4"]
    drawn = problems.drawn(losses, [1, 2, 1], seed=7)
    for problem, turns in (
        (problems.in_turn(losses, lengths=[2, 1, 3]), [0, 0, 1, 2, 2, 2] * 10),
        (problems.phases(losses, until=[5, 30]), [0] * 5 + [1] * 25 + [2] * 30),
        (drawn, [drawn.turn(t) for t in range(60)]),
    ):
        path, x = [], 1.5
        for turn in turns:
            path.append(x)
            x = x - 0.05 * slopes[turn](x)
        got = gdfast.trajectory(problem, "gd", [1.5], 0.05, 60).theta.values[:-1, 0]
        np.testing.assert_allclose(got, path, rtol=1e-13)
    counts = np.bincount([drawn.turn(t) for t in range(40_000)])
    np.testing.assert_allclose(counts / 10_000, [1, 2, 1], atol=0.05)


def test_ends_are_judged_by_the_mean_or_by_the_last():
    x = np.array([[0.5, -2.0]])
    np.testing.assert_allclose(problems.in_turn(["x", "x^2"], lengths=[1, 3]).loss(x), (x[0] + 3 * x[0] ** 2) / 4)
    np.testing.assert_allclose(problems.drawn(["x", "x^2"], [0.1, 0.4]).loss(x), 0.2 * x[0] + 0.8 * x[0] ** 2)
    last = problems.phases(["log(x)", problems.quartic()], until=1)  # whose first loss is no number where x < 0
    np.testing.assert_array_equal(last.loss(x), problems.quartic().loss(x))
    assert last.minima == problems.quartic().minima
    path = gdfast.sweep(last, "gd", [0.01], [0.5, 1.0], 300)
    assert (path.outcome == Outcome.local_minimum).all()
    assert problems.drawn(["(x - 1)^2", "(x + 1)^2"], [3, 1]).minima[0].point == pytest.approx((0.5,))


def test_nothing_settles_where_the_next_step_may_pull():
    """At 0 two steps in a row have no slope, or fifty; the next one has."""
    turning = gdfast.sweep(problems.in_turn(["x^2", "(x - 1)^2"], lengths=[2, 1]), "gd", [0.1], [0.0], 300).squeeze()
    assert (int(turning.ending), int(turning.steps)) == (Ending.cycling, 300)
    told = gdfast.sweep(problems.phases(["x^2", "(x - 1)^2"], until=50), "gd", [0.1], [0.0], 1000).squeeze()
    assert (int(told.ending), int(told.outcome)) == (Ending.stationary, Outcome.global_minimum)
    assert 50 < int(told.steps) < 200
    early = gdfast.sweep(problems.phases(["x^2", "(x - 1)^2"], until=50), "gd", [0.1], [0.0], 40).squeeze()
    assert (int(early.ending), int(early.steps), float(early.loss)) == (Ending.fixed, 40, 1.0)
    both = gdfast.sweep(problems.in_turn(), "gd", [0.25], problems.in_turn().grid(4), 200)  # where both are flat
    assert (both.outcome == Outcome.global_minimum).all()
    assert (both.steps == 200).all()


@pytest.mark.slow
def test_networks_have_curricula():
    rows = [gdfast.data.load((np.eye(3)[:n, :2], np.arange(n)), standardize=False) for n in (2, 3)]
    easy, hard = (problems.mlp((2, 3, 1), data=data) for data in rows)
    problem = problems.phases([easy, hard], until=20)
    assert problem.coordinates == hard.coordinates
    got = gdfast.sweep(problem, "gd momentum", [0.1, 0.3], problem.default_starts(8), 60, keep_theta=True)
    expected = gdfast.sweep(problem, "gd momentum", [0.1, 0.3], problem.default_starts(8), 60, backend="numpy")
    np.testing.assert_allclose(got.loss, expected.loss, rtol=1e-9)
    np.testing.assert_allclose(got.loss, hard.loss(got.theta), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("in_turn:losses=x/(rosenbrock:dimension=3)", "coordinate 'x'"),
        ("in_turn:losses=(quadratic)/(mlp)", "same coordinates"),
        ("in_turn:losses=x/y,lengths=1/", "lengths must be one for each of 2 losses, not 1"),
        ("in_turn:losses=x/y,lengths=1/0", "lengths must be"),
        ("phases:losses=x/y/x*y,until=5/3", "ascending, not 5, 3"),
        ("phases:losses=x/y,until=5/7", "one number for each loss but the last, 1, not 2"),
        ("drawn:losses=x/x^2,probabilities=0/1", "probabilities must be"),
        ("drawn:losses=x/x^2,seed=-1", "seed must be"),
        ("in_turn:losses=x+/y", "in_turn: expression 'x+'"),
        ("in_turn:losses=x/y,params=(a=3)", "name 'a'"),
        ("in_turn:losses=(quartic)/(quartic),params=(a=3)", "params must not be given without expressions"),
        ("in_turn:losses=x/y,domain=1/0", "the lowest first"),
        ("in_turn:losses=x^2/y^2,minimum=3", "minimum must be at most the loss of every minimum"),
        ("maximized:problem=(linear_regression)", "must be a landscape"),
        ("maximized:problem=himmelblau", "not 'himmelblau', the name of a problem"),
        ("in_turn:losses=rosenbrock/mlp", "as (rosenbrock)"),
    ],
)
def test_what_does_not_fit_is_refused(text, words):
    cases.refused(lambda: gdfast.Sweep(text, "gd", [0.1], [[0.1, 0.1]]), (TypeError, ValueError), words)


@pytest.mark.slow
def test_what_a_step_of_them_has_not_is_refused():
    problem = problems.drawn()
    cases.refused(lambda: gdfast.Sweep(problem, "newton"), ValueError, "Hessian")
    cases.refused(lambda: gdfast.live(problem), ValueError, "must be a landscape")
    rows = gdfast.data.load(([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0]))
    parts = [problems.linear_regression(data=rows), problems.logistic_regression(data=rows)]
    cases.refused(lambda: problems.in_turn(parts), ValueError, "all be mean squares")
    many = [f"x*{k}" for k in range(2, 67)]
    cases.refused(lambda: problems.in_turn(many), ValueError, "at most 64 formulas")
    assert problems.in_turn([problems.from_expression("a*x^2", params={"a": k}) for k in range(1, 100)]).minima


# What is up, and what is low.


@pytest.mark.slow
def test_a_landscape_upside_down_has_its_maxima_for_minima():
    for problem in (problems.quartic(), problems.himmelblau(), problems.rosenbrock(dimension=3)):
        down = problems.maximized(problem)
        points = problem.random(50).T
        np.testing.assert_array_equal(down.loss(points), -problem.loss(points))
        np.testing.assert_array_equal(down.gradient(points), -problem.gradient(points))
        np.testing.assert_allclose(down.hessian(points), -problem.hessian(points), rtol=1e-13, atol=1e-9)
        kinds = {"minimum": "maximum", "maximum": "minimum"}
        turned = sorted((point.point, kinds.get(point.kind, point.kind)) for point in down.stationary_points)
        known = sorted((point.point, point.kind) for point in problem.stationary_points)
        assert [kind for _, kind in turned] == [kind for _, kind in known]
        assert notation.problem(down.label) == down
    cases.agree(cases.sweep_of(problems.maximized(problems.quartic()), ["gd", "adam"], 16))


def test_climbing_is_what_torch_does():
    torch = pytest.importorskip("torch")
    climbed = problems.maximized("2*exp(-(x - 1)^2 - (y + x)^2) - x^2/10")
    for text, make in (
        ("momentum:momentum=0.8|l2=0.1", lambda p: torch.optim.SGD(p, 0.05, 0.8, weight_decay=0.1, maximize=True)),
        ("adamw:weight_decay=0.1", lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.1, maximize=True)),
    ):
        theta = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)
        optimizer = make([theta])
        path = [theta.detach().numpy().copy()]
        for _ in range(300):
            optimizer.zero_grad()
            x, y = theta
            (2 * torch.exp(-((x - 1) ** 2) - (y + x) ** 2) - x**2 / 10).backward()
            optimizer.step()
            path.append(theta.detach().numpy().copy())
        got = gdfast.trajectory(climbed, text, [0.3, 0.4], 0.05, 300, gradient_tolerance=0.0).theta.values
        np.testing.assert_allclose(got, path[: len(got)], rtol=1e-10, atol=1e-12)


def test_a_lowest_loss_that_is_known_is_what_polyaks_step_goes_to():
    unknown = problems.from_expression("exp(-x)", (0, 30))
    cases.refused(lambda: gdfast.Sweep(unknown, "polyak_sgd"), ValueError, "lowest minimum")
    problem = unknown.replace(minimum=0.0)
    assert (problem.lowest, problem.lowest_objective) == (0.0, 0.0)
    path = gdfast.trajectory(problem, "polyak_sgd:largest=inf", [0.5], 1.0, 10).theta.values[:, 0]
    np.testing.assert_allclose(path, 0.5 + np.arange(len(path)), rtol=1e-12)  # (e⁻ˣ − 0)/e⁻²ˣ · e⁻ˣ = 1
    got = gdfast.sweep(problem, "polyak_sgd:largest=inf", [1.0], [0.5, 3.0], 40)
    assert (got.outcome == Outcome.global_minimum).all()
    assert (got.basin == -1).all()
    assert notation.problem(problem.label) == problem
    # A minimum that is lower than it refuses it, rounding aside; one that is higher is a local one.
    wrong = problems.from_expression(QUARTIC, minimum=0.0)
    cases.refused(lambda: wrong.lowest, ValueError, "at most the loss of every minimum", "-11.2003")
    exact = problems.quartic().lowest
    assert problems.from_expression(QUARTIC, minimum=exact + 1e-12).lowest == exact + 1e-12
    below = gdfast.sweep(problems.from_expression(QUARTIC, minimum=-20.0), "gd", [0.01], [-1.0, 2.0], 500)
    assert (below.outcome == Outcome.local_minimum).all()
    assert below.basin.values.ravel().tolist() == [0, 1]


def test_steps_that_kernels_know_nothing_of_are_refused():
    domain = np.array([[-1.0, 1.0]])
    methods = {
        "loss": lambda self, theta: theta[0] ** 2,
        "gradient": lambda self, theta: 2 * theta,
        "hessian": lambda self, theta: np.full((1, *theta.shape), 2.0),
        "step_gradient": lambda self, theta, t: 2 * theta * (1 + t % 2),
    }
    plain = types.new_class("Plain", (problems.Problem,), {}, lambda space: space.update(methods, domain=domain))()
    sweep = gdfast.Sweep(plain, "gd", [0.2], [1.0], 60)
    assert gdfast.run(sweep, backend="numpy").outcome.item() == Outcome.global_minimum
    cases.refused(lambda: gdfast.run(sweep), TypeError, "lane_kernel", "backend='numpy'")
    step = {"step_gradient": methods["step_gradient"]}
    own = types.new_class("Bowl", (problems.Landscape,), {}, lambda space: space.update(step))
    bowl = own(problems.from_expression("x^2").loss_formula, domain=(-1, 1))
    cases.refused(lambda: gdfast.run(sweep.replace(problem=bowl)), TypeError, "step_gradient of its own", "in_turn")
