"""What theory tells of transforms, at minima at the origin and off it, against what trajectories do."""

import re

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems, theory, transforms
from gdfast.theory.attracting import Attraction, Minimum, attractions

PLACES = {"at the origin": (0.0, 0.0), "off the origin": (1.4, -0.8), "one coordinate at 0": (0.0, -0.8)}
AT, OFF, MIXED = PLACES
TOLD = {
    "clip_norm=0.1": {*PLACES},
    "clip_value=0.1": {*PLACES},
    "normalize": {*PLACES},
    "l1=1e-5": {*PLACES},
    "l1=1e-7": {*PLACES},
    "l2=0.001": {*PLACES},
    "l2=1e-10": {*PLACES},
    "weight_decay=0.001": {*PLACES},
    "weight_decay=1e-10": {*PLACES},
    "noise": set(),
    "sam=0.1": {*PLACES},
    "sam:rho=0.1,adaptive=True": {AT},
    "soft_threshold=0.01": {AT},
    "box:low=-3,high=3": {*PLACES},
    "box:low=0,high=3": {AT},
    "box:low=-0.8,high=3": {AT},
    "ball=3": {*PLACES},
    "l1_ball=3": {*PLACES},
    "simplex": set(),
    "lookahead": set(),
    "mechanic": set(),
    "rounded": set(),
    "l2=0.2|weight_decay=0.3": {AT},
    "weight_decay=0.5": {AT},
}
"""At which minima something is told; at others a penalty is too large, or it is none of what theory sees."""
OTHERS = {"centralize": "of networks", "cautious": "which rests from some starts at rates beyond the limit"}


def bowl(point):
    (a, b), (x, y) = (1.85, 0.65), point
    return problems.from_expression(f"{a}*(x - {x})**2 + {b}*(y - {y})**2", domain=(-3, 3))


def unrest(problem, rule, rate, point, away=(1e-7, -0.7e-7)):
    """By how much the last of 600 steps from near a minimum moves; how far it is off, if that is not near any more."""
    start, ends = np.add(point, away), []
    for steps in (600, 601):
        sweep = gdfast.Sweep(problem, rule, [rate], [start], steps, settle=False)
        ends.append(gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False).theta.values.ravel())
    off = np.abs(ends[1] - point).max()
    return np.abs(ends[1] - ends[0]).max() if off < 0.01 else np.inf


def test_every_transform_is_tried():
    assert {re.match(r"\w+", text)[0] for text in (*TOLD, *OTHERS)} == set(transforms.CATALOGUE)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("base", ["gd", "momentum"])
@pytest.mark.parametrize("text", TOLD)
def test_a_limit_parts_rates_at_which_trajectories_rest_from_others(text, base, place):
    problem, rule, point = bowl(PLACES[place]), f"{base}|{text}", PLACES[place]
    limit = theory.limits(problem, rule).iloc[0, 0]
    assert np.isnan(limit) == (place not in TOLD[text])
    if np.isnan(limit):
        return
    if limit == np.inf:
        rests, others = [0.1, 1.0, 30.0], []
    else:
        rests, others = [share * limit for share in (0.5, 0.97) if limit], [1.03 * limit or 0.1, 2 * limit or 1.0]
    for rate in rests:
        assert unrest(problem, rule, rate, point) < 1e-12
    for rate in others:
        assert unrest(problem, rule, rate, point) > 1e-9


def test_decay_adds_to_the_curvature_at_the_origin_too():
    assert theory.spectral_radius("gd|weight_decay=0.5", [0.5], 3.7) == pytest.approx(0.5 * 4.2 - 1)
    for rule in ("gd|weight_decay=0.5", "gd|l2=0.5", "averaged:of=(gd|l2=0.5)"):
        assert theory.limit(rule, 3.7) == pytest.approx(2 / 4.2, rel=1e-6)
    # The characteristic polynomial of the step, (1 - η (h + λ), -η β; h, β), is 0 at -1.
    assert theory.limit("momentum|weight_decay=0.5", 3.7) == pytest.approx(3.8 / (4.2 * 1.9 - 0.9 * 3.7), rel=1e-6)
    assert theory.edge("gd|weight_decay=0.5") is None  # no number is that of all curvatures


def test_what_is_added_to_an_average_counts():
    added = optimizers.averaged(of=optimizers.gd()).transformed(transforms.l2(0.5))
    assert theory.limit(added, 3.7) == pytest.approx(2 / 4.2, rel=1e-6)


def test_decay_is_seen_beside_rates_at_which_it_is_lost_in_the_last_place():
    got = theory.spectral_radius("gd|weight_decay=0.5", [1e-20, 0.5], 3.7)
    np.testing.assert_allclose(got, [1.0, 1.1])


@pytest.mark.sampled(1)
@pytest.mark.parametrize("weight", [10.0**power for power in range(-13, -1)])
@pytest.mark.parametrize("name", ["l1", "l2", "weight_decay"])
def test_a_penalty_however_small_leaves_the_limit(name, weight):
    plain, penalized = theory.limits("quartic", ["gd", f"gd|{name}={weight}"]).to_numpy()
    np.testing.assert_allclose(penalized, plain if name == "l1" else 2 / (2 / plain + weight), rtol=1e-6)


def test_a_sign_holds_where_the_penalty_leaves_the_minimum_on_its_side_of_0():
    rates = np.full((1, 1), 0.1)
    for point, expected in ((1e-3, Attraction.attracts), (1e-5, Attraction.not_told), (0.0, Attraction.repels)):
        near = Minimum(np.array([point]), np.eye(1), slack=1e-2)
        assert attractions(optimizers.gd().transformed(transforms.l1(1e-4)), rates, near, np.ones(2)).codes == expected


def test_a_threshold_holds_the_origin_at_any_rate_and_of_other_minima_nothing_is_told():
    assert theory.limit("gd|soft_threshold=0.5", 3.7) == np.inf
    assert theory.limits("quartic", "gd|soft_threshold=1e-5").isna().all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("base", "product"), [("gd", 2.0), ("momentum", 3.8)])
def test_caution_multiplies_by_2_what_is_left_when_one_of_two_coordinates_is_lost(base, product, place):
    problem, rule, point = bowl(PLACES[place]), f"{base}|cautious", PLACES[place]
    limit = theory.limits(problem, rule).iloc[0, 0]
    assert limit == pytest.approx(product / (2 * 3.7), rel=1e-6)
    for share in (0.5, 0.97):
        assert unrest(problem, rule, share * limit, point) < 1e-12
    assert unrest(problem, rule, 1.03 * limit, point, (1e-7, 0.0)) > 1e-9
