"""Which rates a tuning tries, and which of them it takes, by hand."""

import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast.optimizers import Optimizer
from gdfast.running.bracket import Search, Tried

INF = np.inf
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame(RNG.normal(size=(40, 3)), columns=["a", "b", "c"])
TABLE["y"] = TABLE @ [1.0, -2.0, 0.5] + 0.3 * RNG.normal(size=40)


def tried(*curves, initial=INF, spread=0.0):
    """Rates with the mean loss of each at some steps; two seeds are so much below and above it."""
    losses = np.array(curves, dtype=float)[:, None, :] + np.array([-spread, spread])[None, :, None]
    found = Tried(initial=initial)
    found.add(np.arange(1.0, len(curves) + 1), losses)
    return found


def test_what_tells_nothing_does_not_grow_with_an_offset_of_the_targets():
    for make in (gdfast.problems.linear_regression, gdfast.problems.ridge_regression):
        scales = [
            Search([make((TABLE[["a", "b", "c"]].values, TABLE.y.values + offset), validation=0.25)], 10).scale
            for offset in (0.0, 300.0, -1e6)
        ]
        assert scales == pytest.approx(scales[:1] * 3, rel=1e-6)
        assert scales[0] == pytest.approx(np.var(TABLE.y), rel=0.3)  # of the rows that are learned


@pytest.mark.parametrize(
    ("them", "best"),
    [
        (tried([3, 3], [1, 1], [2, 2]), (1, 0)),
        (tried([1, 1], [2, 2], [3, 3]), (0, -1)),
        (tried([3, 3], [2, 2], [1, 1]), (2, 1)),
        (tried([1, 1]), (0, 0)),  # the first and the last of all
        # What diverges is no better than anything, and if all do, lower rates are to be tried.
        (tried([2, 2], [1, 1], [INF, INF]), (1, 0)),
        (tried([INF, INF], [INF, INF]), (0, -1)),
        # Of what is as good the quickest, then the lowest.
        (tried([9, 9, 9], [5, 5, 1], [5, 1.005, 1.005], [9, 9, 9]), (2, 0)),
        (tried([9, 9, 9], [5, 5, 1], [5, 1.02, 1.02], [9, 9, 9]), (1, 0)),
        (tried([9, 9], [1.005, 1.005], [1, 1], [1.006, 1.006], [9, 9]), (2, 0)),
        (tried([9, 9, 9], [5, 5, 1], [5, 1.02, 1.02], [9, 9, 9], spread=0.5), (1, 0)),  # the same in both seeds
        # Not at an end, if others are as good, be they slower.
        (tried([1, 1], [2, 1.005], [9, 9]), (1, 0)),
        (tried([9, 9], [2, 1.005], [1, 1]), (1, 0)),
        # Where nothing is learned at any rate, not even at the last, higher ones are to be tried.
        (tried([1, 1], [0.995, 0.995], [1, 0.991], initial=1.0), (2, 1)),
        (tried([1, 1], [0.98, 0.98], [0.99, 0.981], initial=1.0), (1, 0)),
        (tried([1, 1], [0.995, 0.995], [INF, INF], initial=1.0), (1, 0)),
    ],
)
def test_the_best_rate(them, best):
    assert them.best(1e-9) == best


def test_losses_that_differ_by_less_than_their_error_are_alike():
    means, apart = np.array([9.0, 1.0, 1.03, 9.0]), np.array([[0, 0], [0, 0], [-0.05, 0.05], [0, 0]])
    for scatter, best in ((1.0, 2), (0.1, 1)):  # of the difference between the seeds: an error of 0.05 and 0.005
        found = Tried()
        slow = np.stack([means + 4, means], axis=1)  # the second rate takes another step
        slow[2] = means[2]
        found.add(np.arange(1.0, 5.0), slow[:, None, :] + scatter * apart[:, :, None])
        assert found.best(1e-9) == (best, 0)


def test_rates_are_put_among_the_others_with_their_losses():
    found = tried([3], [1])
    found.add(np.array([1.5, 0.5]), np.array([[[4.0], [4.0]], [[5.0], [5.0]]]))
    assert found.rates.tolist() == [0.5, 1, 1.5, 2]
    assert found.lowest.tolist() == found.accuracies.mean(axis=(1, 2)).tolist() == [5, 3, 4, 1]


def in_units(theta, grad, lr, unit):
    """Gradient descent whose rates are in units of one's own."""
    return theta - lr * unit * grad


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("unit", "first", "last"),
    [
        (1.0, -3, 1),  # two decades to each side of 0.1
        (1e-6, -3, 7),  # up to six more above,
        (1e6, -9, 1),  # or below,
        (1e-30, -3, 7),  # and no more, though nothing is learned
    ],
)
def test_rates_are_tried_a_decade_apart_and_then_between(unit, first, last):
    rule = Optimizer(in_units, 0.1, parameters={"unit": unit})
    found = gdfast.tune(TABLE, "y", optimizers=[rule], batch_sizes=[0], seeds=2, max_steps=64)
    decades = 10.0 ** np.arange(first, last + 1)
    between = np.setdiff1d(np.round(found.rates["learning rate"], 15), np.round(decades, 15))
    rates = np.sort(found.rates["learning rate"].to_numpy())
    best = min(decades, key=lambda middle: abs(np.log10(middle) - np.log10(between).mean()))
    expected = np.sort([*decades, *(best * 10.0 ** (np.array([-3, -2, -1, 1, 2, 3]) / 4))])
    np.testing.assert_allclose(rates, expected)
    assert found.trajectories == 2 * len(rates)
    assert found.best["at the edge"] == (unit == 1e-30)
