"""Operations counted from texts, against counts by hand."""

import pytest

from bench.operations import of_pair
from gdfast import optimizers, problems
from gdfast.formulas.elementary import exp, select
from gdfast.formulas.formula import Formula
from gdfast.formulas.operations import Counter


@pytest.mark.parametrize(
    ("problem", "optimizer", "expected"),
    [
        # (4·x·x − 10)·x + 3, η·g; two sums in g, one in the update; one addition, mask and union of the check
        ("quartic", "gd", {"multiply": 4, "add": 3, "logic": 3, "load": 2, "store": 1}),
        # x·x, −2·(1 − x), 400·x·u, 200·u; two η·g; the check takes two absolute values and the larger
        ("rosenbrock", "gd", {"multiply": 7, "add": 5, "logic": 6, "load": 3, "store": 2}),
        # of NovoGrad, ‖g‖², its mean v and √v + ε are the same for both coordinates; v is loaded and stored once
        (
            "rosenbrock",
            "novograd",
            {"multiply": 15, "add": 12, "divide": 2, "root": 1, "logic": 6, "load": 6, "store": 5},
        ),
        # of Adam, η·rate is the same for both coordinates, 1 − β for all lanes
        ("rosenbrock", "adam", {"multiply": 20, "add": 11, "divide": 2, "root": 2, "logic": 6, "load": 7, "store": 6}),
        ("quartic", "momentum", {"multiply": 6, "add": 4, "logic": 3, "load": 3, "store": 2}),
    ],
)
def test_counts_by_hand(problem, optimizer, expected):
    got = of_pair(problems.CATALOGUE[problem](), optimizers.CATALOGUE[optimizer]())
    assert {kind: count for kind, count in got.items() if count} == expected


def count(function, given, shared=(), results=1):
    counter = Counter()
    counter.call(Formula.of(function, results), *(counter.value(name, shared=name in shared) for name in given))
    return {kind: n for kind, n in counter.operations.items() if n}


def test_what_was_computed_before_is_not_counted_again():
    def formula(x, y):
        a = x * y + 1
        return a, y * x + 1, a * a

    assert count(formula, "xy", results=3) == {"multiply": 2, "add": 1}


def test_what_all_lanes_share_is_not_counted():
    def formula(x, beta):
        return (1 - beta) / beta * x

    assert count(formula, ["x", "beta"], shared=["beta"]) == {"multiply": 1}


def test_halving_is_a_product_and_a_choice_goes_with_its_comparison():
    def formula(x, y):
        return select(x > y, x / 2, y / 3), exp(-x)

    assert count(formula, "xy", results=2) == {"compare": 1, "multiply": 1, "divide": 1, "logic": 1, "exp": 1}
