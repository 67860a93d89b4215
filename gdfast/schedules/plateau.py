"""The schedule that looks at a trajectory's own losses."""

import numpy as np

from gdfast import arguments
from gdfast.arguments import NONNEGATIVE, UNIT
from gdfast.formulas.elementary import maximum, select
from gdfast.named import named
from gdfast.schedules._schedule import LossSchedule


def _plateau(loss, multiplier, best, bad, rest, factor, patience, threshold, cooldown, least, counted):
    better = (counted > 0) & (loss < best * (1 - threshold))
    best = select(better, loss, best)
    bad = select(better | (rest > 0) | (counted == 0), 0.0, bad + 1)
    rest = select(rest > 0, rest - 1, 0.0)
    cut = bad > patience
    multiplier = select(cut, maximum(multiplier * factor, least), multiplier)
    rest = select(cut, cooldown, rest)
    bad = select(cut, 0.0, bad)
    return multiplier, best, bad, rest


def _plateau_absolute(loss, multiplier, best, bad, rest, factor, patience, threshold, cooldown, least, counted):
    better = (counted > 0) & (loss < best - threshold)
    best = select(better, loss, best)
    bad = select(better | (rest > 0) | (counted == 0), 0.0, bad + 1)
    rest = select(rest > 0, rest - 1, 0.0)
    cut = bad > patience
    multiplier = select(cut, maximum(multiplier * factor, least), multiplier)
    rest = select(cut, cooldown, rest)
    bad = select(cut, 0.0, bad)
    return multiplier, best, bad, rest


@named(
    factor=arguments.Interval(0, 1, True, True),
    patience=NONNEGATIVE,
    threshold=NONNEGATIVE,
    cooldown=NONNEGATIVE,
    least=UNIT,
)
def reduce_on_plateau(
    factor: float = 0.1,
    patience: float = 10,
    threshold: float = 1e-4,
    cooldown: float = 0,
    least: float = 0.0,
    absolute: bool = False,
    after: int = 0,
) -> LossSchedule:
    """Times `factor` after more than `patience` steps in which the trajectory's loss has not got better.

    Better is below best · (1 − threshold), or with `absolute` below best − threshold; `cooldown` steps after a cut do
    not count; the multiplier stays at least `least`. The first `after` steps do not count, such as those of a warm-up
    before it: ``warmup:steps=100|reduce_on_plateau:after=100``. torch's ``ReduceLROnPlateau`` stepped with the loss
    after each update. Where losses are negative a relative threshold calls every step better: use `absolute`.

    Parameters
    ----------
    factor : float in (0, 1)
        What a cut multiplies by.
    patience : float >= 0
        Steps without a better loss that are borne.
    threshold : float >= 0
        How much better a loss must be.
    cooldown : float >= 0
        Steps after a cut that do not count.
    least : float in [0, 1]
        The smallest multiplier.
    absolute : bool
        Whether the threshold is a difference of losses, and not a share.
    after : int
        The first steps that do not count.
    """
    arguments.integer("reduce_on_plateau: after", after, low=0)
    rule = _plateau_absolute if absolute else _plateau
    initial = {"multiplier": 1.0, "best": np.inf, "bad": 0.0, "rest": 0.0}
    return LossSchedule(rule, initial, lambda t: {"counted": (t >= after).astype(np.float64)})
