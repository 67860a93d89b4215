"""What is said of rules that find their rate, and of Newton's basins, from results that a reader can count."""

import numpy as np
import pandas as pd
import pytest

import gdfast
from gdfast.report.chapters import newton, no_rate
from gdfast.report.chapters.optimizers import costs_of, tuning
from gdfast.report.lab import Lab
from gdfast.tiles.outcomes import Outcome

N = np.nan


def test_a_row_tells_what_the_map_shows():
    rates = np.array([0.01, 0.1, 1.0, 10.0])
    row = no_rate._row("rule", np.array([[N, 40.0], [20.0, 60.0], [12.0, 8.0], [N, N]]), rates)
    assert row["share of the map that arrives"] == 5 / 8
    assert row["decades that serve every scale"] == 4.0  # two of four rates, of eight decades
    assert row["decades within twice the fewest evaluations"] == 2.0
    assert (row["best rate"], row["fewest median evaluations"]) == (1.0, 10.0)
    assert row["median evaluations at a rate of 1"] == 10.0
    assert row["most over fewest by scale at the best rate"] == 1.5
    nowhere = no_rate._row("rule", np.array([[N, 3.0], [N, N], [2.0, N], [N, N]]), rates)
    assert nowhere["decades that serve every scale"] == 0
    assert nowhere["decades within twice the fewest evaluations"] == 0
    assert np.isnan(nowhere["best rate"])


@pytest.mark.parametrize(("decades", "verdict"), [(9.0, "shown"), (5.0, "refuted"), (None, "bounded")])
def test_verdicts_follow_the_table(decades, verdict):
    names = [rule.name for rule in (*no_rate.WITH_A_RATE, *no_rate.OWN)]
    values = [6.0, 5.5, *([decades] * len(no_rate.OWN) if decades else [7.0, *[2.0] * (len(no_rate.OWN) - 1)])]
    assert (
        no_rate._wider(pd.DataFrame({"optimizer": names, "decades that serve every scale": values})).verdict == verdict
    )


@pytest.mark.parametrize(
    ("sizes", "verdict"),
    [((1.0, 1.2, 1.4, 1.2), "shown"), ((1.2, 1.2, 1.4, 1.2), "bounded"), ((1.0, 1.0, 1.0, 1.0), "refuted")],
)
def test_newtons_basins_are_fractal_where_their_dimension_says_so(sizes, verdict):
    table = pd.DataFrame(
        {"optimizer": list(newton.RULES), "dimension of the boundary": sizes, "its standard error": 0.01}
    )
    assert newton._fractal(table).verdict == verdict


def test_newtons_basins_end_where_the_gradient_is_zero():
    (section,) = newton.newton_basins(Lab(quick=True))
    shares = section.table.set_index("optimizer")["share that ends in a minimum"]
    assert shares[newton.PLAIN] == 1
    assert 0.5 < shares[newton.NEWTON] < 0.8
    for result in section.results.values():
        # At a minimum, or at a saddle or the maximum; a step may also go too far.
        assert set(np.unique(result.outcome)) <= {Outcome.global_minimum, Outcome.stalled, Outcome.diverged}


def test_costs_are_told_by_evaluations_where_a_rule_asks_more_than_once_a_step():
    plain, searched = (
        gdfast.run(gdfast.Sweep("quadratic", rules, [0.01], [[1.0, 1.5]], 300), backend="numpy")
        for rules in ("gd", "gd steepest_descent")
    )
    assert costs_of([plain, plain]) == "steps"
    assert costs_of([plain, searched]) == "evaluations"
    (section,) = tuning(Lab(quick=True, problems=[gdfast.problems.booth()], chosen=[gdfast.optimizers.sam()]))
    assert section.table["expected evaluations"].is_monotonic_decreasing
