"""Results that were published, one file each, run again: the list of names is all that a new one is added to.

A file has a function of a `Lab` that returns a `Found`: each published figure beside that of the run, with the margin
that was written down before it, and a picture; and a `Known` that says whose result it is.
"""

from gdfast.report.known import catapult, edge_of_stability, quadratic_gd, quadratic_momentum
from gdfast.report.known._known import Compared, Found, Known

RESULTS: dict[str, Known] = {
    known.name: known
    for known in (
        quadratic_gd.KNOWN,
        quadratic_momentum.KNOWN,
        edge_of_stability.PLAIN,
        edge_of_stability.ADAPTIVE,
        catapult.KNOWN,
    )
}

__all__ = ["RESULTS", "Compared", "Found", "Known"]
