"""The claims on data: curves and verdicts by hand, and the chapter once on coarse grids."""

import numpy as np
import pytest

from gdfast.report.chapters import on_data
from gdfast.report.chapters.on_data import Curve, claimed, verdict
from gdfast.report.lab import Lab

RATES = np.array([0.01, 0.1, 1.0, 10.0])


def test_a_curve_tells_its_best_rate_and_how_wide_it_is():
    one = Curve(RATES, np.array([[4.0, 6.0, 5.0], [1.0, 1.05, 9.0], [1.0, 1.0, 1.0], [np.inf, np.inf, 0.5]]))
    np.testing.assert_array_equal(one.by_rate, [5, 1.05, 1, np.inf])
    assert one.best == 1
    assert one.decades == pytest.approx(2)
    assert on_data._too_high(one) == (True, "from η = 10 on")
    assert on_data._too_low(one)[0]
    assert not on_data._by_start(one)[0]
    assert on_data._lower(one, Curve(RATES, one.losses * 0.9))[0]
    assert not on_data._lower(one, Curve(RATES, one.losses * 0.995))[0]


def test_verdicts():
    assert [verdict(holds) for holds in ([True, True], [True, False], [False, False])] == [
        "shown",
        "bounded",
        "refuted",
    ]
    claim = claimed("It helps", {"a": (True, "1 after 2"), "b": (False, "2 after 2")})
    assert claim.verdict == "bounded"
    assert claim.evidence == "a: yes, 1 after 2; b: no, 2 after 2."


@pytest.mark.slow
def test_the_chapter_says_what_its_tables_say():
    lab = Lab(quick=True)
    sections = {e.__name__: next(e(lab)) for e in on_data.CHAPTER.experiments}
    table = sections["rates_on_data"].table.pivot(index="problem", columns="optimizer", values="best held-out loss")
    said = {claim.claim: claim.verdict for section in sections.values() for claim in section.findings}
    lower = (table["momentum"] * on_data.BETTER < table["gd"]).tolist()
    assert said["Momentum ends lower (on data)"] == verdict(lower)
    other = sections["remedies_on_data"].table
    noisy = (other["batches of 16"] * on_data.BETTER < other["all rows"]).tolist()
    assert said["Mini-batch noise ends lower (on data)"] == verdict(noisy)
    np.testing.assert_array_equal(other.set_index("problem")["all rows"], table["gd"][other["problem"]])
    # A learning rate a hundredth of the best one is too small for 200 steps, and everything is better than a constant.
    assert said["A low learning rate crawls (on data)"] == "shown"
    assert (table.loc["least squares on diabetes"] < 0.8).all()
    assert all(section.draw().axes[0].has_data() for section in sections.values())
    assert list(on_data.rates_on_data(Lab(problems=["any"]))) == []
