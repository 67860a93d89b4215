"""Published results are met within the margins that stand in their files, which were written before the runs.

Set-ups that were chosen after a look, as the rates at the edge of stability, say so in their text.
"""

from functools import cache

import numpy as np
import pytest

from gdfast.report.known import RESULTS, Compared, Found, Known
from gdfast.report.lab import Lab

NOT_MET = {"no-rate": "logarithm", "silver-steps": "below the exact", "trainability": "by hand"}
"""Results whose figures this suite does not reach, with a word of the reason that their section tells."""
LONG = {
    "adam-worst-point",
    "adaptive-sharpness-at-the-edge",
    "sharpness-at-the-edge",
    "fractal-cosine",
    "leaving-a-saddle",
    "no-rate",
    "period-doubling",
    "sign-cycle",
    "silver-steps",
    "trainability",
}
"""Results that take more than a second or two."""


@cache
def found(name):
    return RESULTS[name].find(Lab(quick=True))


def marked(names):
    return [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in names]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", marked(RESULTS))
def test_a_published_result_is_met_or_its_reason_told(name):
    table = found(name).table
    assert table["ours"].notna().all(), table.to_string()
    if name in NOT_MET:
        assert NOT_MET[name] in found(name).reason
        assert found(name).verdict == "not met", "it is met by now"
    else:
        assert found(name).verdict == "met", table.to_string()


@pytest.mark.slow
@pytest.mark.parametrize("name", marked(RESULTS))
def test_a_published_result_has_its_picture(name):
    figure = found(name).draw()
    assert all(ax.has_data() for ax in figure.axes)


@pytest.mark.parametrize(
    ("within", "margin", "ours", "met"),
    [
        ("share", 0.01, 2.019, True),
        ("share", 0.01, 2.021, False),
        ("share", 0.01, 1.979, False),
        ("absolute", 0.5, 2.5, True),
        ("absolute", 0.5, 1.4, False),
        ("at most", 0.0, 2.0, True),
        ("at most", 0.0, 2.01, False),
        ("at most", 0.1, 2.19, True),
        ("at least", 0.0, 1.99, False),
        ("at least", 0.0, 9.0, True),
        ("share", 1.0, np.nan, False),
        ("at least", 0.0, np.nan, False),
    ],
)
def test_margins(within, margin, ours, met):
    assert Compared("it", 2.0, ours, margin, within).is_met == met


def test_what_is_not_met_is_told_with_its_reason():
    compared = [Compared("one", 1.0, 1.0, 0.1), Compared("other", 1.0, 2.0, 0.1)]
    known = Known("mine", "A title", "Somebody 2020", "A set-up.", lambda lab: Found(compared, reason="It is noise."))
    (section,) = known(Lab())
    (claim,) = section.claims
    assert claim.verdict == "not met"
    for words in ("other: published 1, ours 2 (± 10 %)", "Not met: other. It is noise."):
        assert words in claim.evidence
    assert section.table["verdict"].tolist() == ["met", "not met"]
    assert list(known(Lab(problems=["any"]))) == []


@pytest.mark.parametrize(("steps", "worst"), [(3, 0.0469181), (15, 0.00746925), (63, 0.00126586)])
def test_the_worst_thresholds_of_silver_steps_by_a_loop(steps, worst):
    # f of the threshold 1 from x = s, over s²: that of the threshold 1/s from 1.
    start = np.linspace(1, 6 * steps**1.3, 200_001)
    x = start.copy()
    for t in range(1, steps + 1):
        twos = (t & -t).bit_length() - 1
        x -= (1 + (1 + np.sqrt(2)) ** (twos - 1)) * np.clip(x, -1, 1)
    loss = np.where(np.abs(x) <= 1, 0.5 * x * x, np.abs(x) - 0.5) / start**2
    assert loss.max() == pytest.approx(worst, rel=1e-5)
