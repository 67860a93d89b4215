"""Poles, to which a loss falls without bound, are no minima; minima are, however sharp."""

import itertools
import re

import numpy as np
import pytest

from gdfast import problems
from gdfast.problems._poles import towards_poles
from gdfast.tiles import falling

POLES = {  # of u, the distance from the pole
    "1/u": [0.0],
    "-1/abs(u)": [0.0],
    "-1/u**2": [0.0],
    "1/u**2": [0.0],  # up
    "1/u**3": [0.0],
    "-abs(u)**-0.5": [0.0],
    "log(abs(u))": [0.0],
    "log(u**2)": [0.0],
    "-log(abs(u))": [0.0],  # up
    "log(1-cos(u))": [0.0],
    "-tan(pi/2-u)": [-np.pi, 0.0, np.pi],
    "-1/(u**2-2*u+1)": [1.0],  # as it is typed: noise beside the pole
    "1/(u**2-2*u+1)": [1.0],
    "1/(u**2-1)": [-1.0, 1.0],
    "log(abs(sin(u)))": [-np.pi, 0.0, np.pi],
}
PLACES = [0.0, 0.1, -1 / 3, 1e-9]
UNITS = [(0, 0), (300, 0), (-300, 0), (0, 60), (0, -60)]  # powers of two: of the loss, of the coordinate
LOW, HIGH = -2.75, 2.875


def of_distance(text, place):
    return re.sub(r"\bu\b", f"(x-({place!r}))", text)


def in_units(text, loss_power, power, low=LOW, high=HIGH):
    """The loss of x in other units."""
    scaled = re.sub(r"\bx\b", f"(x*2.0**{-power})", text)
    return problems.from_expression(f"2.0**{loss_power}*({scaled})", domain=(low * 2.0**power, high * 2.0**power))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("kind", "place", "units"), [*itertools.product(POLES, PLACES, UNITS)], ids=lambda x: str(x).replace("/", "÷")
)
def test_a_pole_is_no_stationary_point_and_honest_minima_keep_their_places(kind, place, units):
    text = f"x**2 + {of_distance(kind, place)}"
    problem = in_units(text, *units)
    poles = place + np.array(POLES[kind])
    x = np.linspace(LOW, HIGH, 40_000)
    with np.errstate(all="ignore"):
        loss = problem.loss(x[None] * 2.0 ** units[1]) * 2.0 ** -units[0]
    is_lowest = (loss[1:-1] < loss[:-2]) & (loss[1:-1] < loss[2:])
    expected = x[1:-1][is_lowest]
    expected = expected[np.abs(expected[:, None] - poles).min(axis=1) > 0.01]
    minima = [p for p in problem.minima if LOW <= p.point[0] * 2.0 ** -units[1] <= HIGH]
    points = np.array([p.point[0] for p in problem.stationary_points]) * 2.0 ** -units[1]
    assert not (np.abs(points[:, None] - poles) < 1e-3).any()
    np.testing.assert_allclose(sorted(p.point[0] * 2.0 ** -units[1] for p in minima), expected, atol=2e-4)
    lowest = loss[np.isin(x, expected)].min(initial=np.inf)
    assert problem.lowest * 2.0 ** -units[0] == (pytest.approx(lowest, abs=1e-6) if len(expected) else -np.inf)
    assert 0.1 < problem.loss_scale * 2.0 ** -units[0] < 500
    assert problem.gradient_scale * 2.0 ** (units[1] - units[0]) <= 100.0001 * 500 / (HIGH - LOW)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(x**2+y**2) + 1/(x+y)", [(0.5, 0.5)]),
        ("x**2 + y**2 - 1/abs(x-2*y)", []),
        ("log(x**2+y**2) + x**2 + y**2", []),
        ("log((x-1/3)**2+(y-.7)**2) + x**2 + y**2", []),
        ("1/(x**2+y**2-1) + x", []),  # a circle
        ("1/x - 1/y + x**2 + y**2", [(0.5 ** (1 / 3), -(0.5 ** (1 / 3)))]),
        ("log(abs(y)) + abs(x-.3)", []),
        ("(x-.3)**2 + 1/y + y**2", [(0.3, 0.5 ** (1 / 3))]),
    ],
)
def test_poles_of_two_coordinates(text, expected):
    problem = problems.from_expression(text, domain=(-2, 2.125))
    got = [p.point for p in problem.minima if max(np.abs(p.point)) < 2]
    np.testing.assert_allclose(got, expected or np.empty(0), atol=1e-6)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("text", "point"),
    [("2*abs(x-1) + 1/x", 1.0), ("abs(x-1) - 0.01/x**2", 1.0), ("abs(x+1) + 0.2*log(abs(x-0.1))", -1.0)],
)
def test_a_kink_beside_a_pole_is_found(text, point):
    problem = problems.from_expression(text, domain=(-3, 3))
    assert [p.point[0] for p in problem.minima] == pytest.approx([point], abs=1e-9)


SHARP = [
    ("abs(x)", 0.0),
    ("abs(x-.3)", 0.3),
    ("1e10*abs(x-1/3)", 1 / 3),
    ("sqrt(abs(x))", 0.0),
    ("sqrt(abs(x-.3))", 0.3),
    ("abs(x)**.1", 0.0),
    ("abs(x-.3)**.1", 0.3),
    ("abs(x-.3)**.05 + x**2", 0.3),
    ("abs(x-.3)**(2/3)", 0.3),
    ("max(-1/(.3-x),1/(.3-x),0)*0 + abs(x-.3)", 0.3),
    ("max(1e8*(x-.3),.3-x)", 0.3),
    ("where(x<.5,1-x,x-1)", 0.5),  # a leap down
    ("abs(x-1)*log(abs(x-1)+1)", 1.0),
    ("1/log(abs(x-.3)/8)*-1", 0.3),
    ("x**2-2*exp(-((x-1)/1e-2)**2)", 1 - 5e-5),
    ("x**2-2*exp(-((x-.75)/1e-4)**2)", 0.75),
    ("-1/(x**2+1e-10)", 0.0),
    ("-1/(x**2+1e-20)", 0.0),
    ("-1/((x-.3)**2+1e-14)", 0.3),
    ("log((x-.3)**2+1e-14)", 0.3),
    ("-1/sqrt((x-.3)**2+1e-14)", 0.3),
    ("1/(x+3)+abs(x-1)", 1.0),  # the pole is outside
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("sharp", "units"), [*itertools.product(SHARP, UNITS)], ids=str)
def test_sharp_minima_are_minima(sharp, units):
    text, point = sharp
    problem = in_units(text, *units)
    assert problem.minima[0].point[0] * 2.0 ** -units[1] == pytest.approx(point, abs=1e-6)


ENDS = 10.0 ** -np.arange(4, 9)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("place", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["-1/abs(u)", "-1/u**2", "log(abs(u))", "-abs(u)**-.5"])
def test_the_way_into_a_pole_is_told_from_that_into_a_kink(kind, place, side):
    problem = problems.from_expression(f"x**2 + {of_distance(kind, place)}", domain=(-3, 3))
    ends = (place + side * ENDS)[None]
    assert falling.into_pole(problem, ends).all()
    assert towards_poles(problem.loss, problem.domain, np.array([[place]]), 2.0**-52).all()
    assert problem.settled(ends[:, 0]) is None
    for kink in ("abs(u)", "sqrt(abs(u))", "abs(u)**.1", "-1/(u**2+1e-20)"):
        honest = problems.from_expression(f"x**2 + {of_distance(kink, place)}", domain=(-3, 3))
        assert not falling.into_pole(honest, ends).any()
        assert not towards_poles(honest.loss, honest.domain, np.array([[place]]), 2.0**-52).any()


def test_an_odd_pole_is_fallen_into_from_below_only():
    problem = problems.from_expression("1/x + x**2", domain=(-3, 3))
    assert falling.into_pole(problem, -ENDS[None]).all()
    assert not falling.into_pole(problem, ENDS[None]).any()


@pytest.mark.sampled(9)
@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize(
    "text", ["2.32*x + 1.48/(x-0.09)", "x**2 + 1/(x-.1)", "1.65*tanh(5*(x+0.66)) + 1.11*exp(-2*x)", "x**3 - x"]
)
def test_where_some_of_a_domain_is_lower_than_the_minimum_the_scale_is_how_far_it_is_on_either_side(text, units):
    problem = in_units(text, *units)
    losses = problem.loss(problem.random(1024).T)
    assert losses.min() < problem.lowest
    assert problem.loss_scale == pytest.approx(np.median(np.abs(losses - problem.lowest)))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", ["1/x", "x**2 - 1/x**2", "x**2 - 1/x**4", "x**2 - 1/abs(x)", "log(abs(x)) + x**2"])
def test_where_nothing_but_a_pole_is_low_starts_beside_it_set_no_scale(text):
    problem = problems.from_expression(text, domain=(-1, 2))
    quarter, middle = np.quantile(problem.loss(problem.random(1024).T), [0.25, 0.5])
    assert middle - quarter < problem.loss_scale <= 101 * (middle - quarter)


def test_a_plateau_of_most_of_a_domain_leaves_the_scale_to_the_rest():
    problem = problems.from_expression("-max(0,x-1)", domain=(-2, 2))
    assert problem.minima == ()
    assert problem.loss_scale == pytest.approx(1.0, abs=0.01)
