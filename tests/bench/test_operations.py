"""Operations counted from texts, against counts by hand."""

import collections

import pytest

from bench.operations import of_pair
from bench.roofline import limit, pairs
from gdfast import optimizers, problems
from gdfast.formulas.elementary import exp, select
from gdfast.formulas.formula import Formula
from gdfast.formulas.operations import FUNCTIONS, Counter
from gdfast.kernels.estimates import Units


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


@pytest.mark.slow
def test_every_pair_of_the_roofline_has_a_count():
    counts = [of_pair(*pair) for pair in pairs(everything=False)]
    assert len(counts) > 200
    assert all(each["load"] and each["store"] for each in counts)


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


def test_the_roofline_takes_estimates_where_the_divider_is_what_is_waited_for():
    each = dict.fromkeys(("add", "multiply", "logic", "compare", "load", "store", "add, multiply"), 0.1)
    each |= {"divide": 1.0, "root": 2.0, **dict.fromkeys(FUNCTIONS, 1.0)}
    operations = collections.Counter(add=10, multiply=10, root=2, divide=2)
    costs = Units(root=20.0, quotient=10.0, root_by_estimate=8.0, quotient_by_estimate=12.0, other=1.0)
    assert limit(operations, each) == (6.0, "divider")
    least, binding = limit(operations, each, costs)
    assert least == pytest.approx(3.6)  # 2 of sums and products, 0.8 of each root; the quotients take 2
    assert binding.startswith("estimates, ")
    sums = collections.Counter(add=90)
    assert limit(sums, each, costs) == limit(sums, each)
