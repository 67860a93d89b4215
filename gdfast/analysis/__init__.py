"""What is computed from results: shares, the rates that work, the cost of tuning, distributions, differences.

Every function takes an `xarray.Dataset` of `gdfast.run`, or several, and returns a pandas or xarray table. *Reached*
means, here and in all figures and reports, that a trajectory was at the lowest known minimum within its budget, by its
loss; its *cost* is the updates until it settled, the whole budget if it never did or, where the sweep
asked for `gdfast.measures.steps_to_reach`, the updates until its loss was so low. A trajectory that did not reach it
has no cost, or where a number is needed the whole budget. Whether what reached a minimum stays there is another
question, which `attracting` and `leaves` answer.
"""

from gdfast.analysis.advice import account, advice, excess, found_minima
from gdfast.analysis.attraction import attracting, leaves
from gdfast.analysis.delta import CHANGES, Change, change_counts, delta, transitions
from gdfast.analysis.distributions import at_rates, costs, nearest_rates, performance_profile, steps_ecdf
from gdfast.analysis.nearest import nearest
from gdfast.analysis.paths import paths
from gdfast.analysis.reached import best_rates, budget, lr_tolerance, outcome_shares, reached, summary
from gdfast.analysis.tuning import best_of_k

__all__ = [
    "CHANGES",
    "Change",
    "account",
    "advice",
    "at_rates",
    "attracting",
    "best_of_k",
    "best_rates",
    "budget",
    "change_counts",
    "costs",
    "delta",
    "excess",
    "found_minima",
    "leaves",
    "lr_tolerance",
    "nearest",
    "nearest_rates",
    "outcome_shares",
    "paths",
    "performance_profile",
    "reached",
    "steps_ecdf",
    "summary",
    "transitions",
]
