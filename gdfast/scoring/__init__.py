"""A fixed set of problems, budgets and targets, which any optimizer can enter.

A `Suite` has a version and never changes: what was scored once can be compared with what is scored later. Each task is
a problem, starts of two kinds and a budget; each target an excess over the lowest loss. An optimizer is scored twice:
at its default learning rate, and at the multiple of it that did best on the task's other starts, of 13 for all.
What is told is after how many steps each target was reached first. There is no number that weighs it all: performance
profiles and shares over steps are drawn, with bands.
"""

from gdfast.scoring.profiles import Band, profile_bands, reached_bands
from gdfast.scoring.score import COLUMNS, score
from gdfast.scoring.shipped import left_out, shipped
from gdfast.scoring.suite import LATEST, SUITES, Suite, Task

__all__ = [
    "COLUMNS",
    "LATEST",
    "SUITES",
    "Band",
    "Suite",
    "Task",
    "left_out",
    "profile_bands",
    "reached_bands",
    "score",
    "shipped",
]
