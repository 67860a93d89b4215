"""Results that were published, one file each, run again: the list of names is all that a new one is added to.

A file has a function of a `Lab` that returns a `Found`: each published figure beside that of the run, with the margin
that was written down before it, and a picture; and a `Known` that says whose result it is.
"""

from gdfast.report.known import (
    adam_worst_point,
    catapult,
    course_numbers,
    depth,
    edge_of_stability,
    fractal_cosine,
    heavy_ball_cycle,
    leaving_a_saddle,
    nesterov_convex,
    no_rate,
    period_doubling,
    quadratic_gd,
    quadratic_momentum,
    sign_cycle,
    silver_steps,
    trainability,
    worst_case_gd,
)
from gdfast.report.known._known import Compared, Found, Known

RESULTS: dict[str, Known] = {
    known.name: known
    for known in (
        quadratic_gd.KNOWN,
        quadratic_momentum.KNOWN,
        heavy_ball_cycle.KNOWN,
        adam_worst_point.KNOWN,
        fractal_cosine.KNOWN,
        trainability.KNOWN,
        edge_of_stability.PLAIN,
        edge_of_stability.ADAPTIVE,
        catapult.KNOWN,
        silver_steps.KNOWN,
        worst_case_gd.KNOWN,
        nesterov_convex.KNOWN,
        period_doubling.KNOWN,
        leaving_a_saddle.KNOWN,
        sign_cycle.KNOWN,
        no_rate.KNOWN,
        depth.KNOWN,
        course_numbers.KNOWN,
    )
}

__all__ = ["RESULTS", "Compared", "Found", "Known"]
