"""The learning rates that a tuning tries of each optimizer and batch size, and what held-out rows say of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.history import History
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.problems.rows.row_problem import RowProblem
from gdfast.running.run import run
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import pandas

FIRST: Array = 10.0 ** np.arange(-2.0, 3.0)
"""Multiples of an optimizer's default rate that are tried at first."""
BEYOND: Array = 10.0 ** np.arange(1.0, 4.0)
"""Multiples, or divisors, of the outermost rate that are tried where it is the best."""
BETWEEN: Array = 10.0 ** (np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]) / 4)
"""Multiples of the best rate that are tried at last."""
_WIDENED = 2  # times that rates are added beyond an end
_TIE, _TIE_OF_SCALE = 1e-2, 1e-4  # shares of the lowest held-out loss, and of what is at stake, that tell nothing
_MUCH = 0.05  # share of the lowest loss by which none is worse that counts as good, whatever the seeds say


@dataclass
class Tried:
    """The rates that were tried of an optimizer with a batch size, ascending, with losses ``(rates, seeds, steps)``.

    Losses are means over the steps from each to twice as many.
    """

    rates: Array = field(default_factory=lambda: np.empty(0))
    losses: Array = field(default_factory=lambda: np.empty((0, 0, 0)))
    accuracies: Array = field(default_factory=lambda: np.empty((0, 0, 0)))
    initial: float = np.inf
    """The mean loss before the first step."""

    def add(self, rates: Array, losses: Array, accuracies: Array | None = None) -> None:
        """Put more among them."""
        order = np.argsort([*self.rates, *rates], kind="stable")
        for name, more in (("losses", losses), ("accuracies", losses if accuracies is None else accuracies)):
            mine = getattr(self, name)
            setattr(self, name, (np.concatenate([mine, more]) if len(mine) else more)[order])
        self.rates = np.concatenate([self.rates, rates])[order]

    @property
    def lowest(self) -> Array:
        """The lowest mean loss along the way, a number a rate."""
        return np.asarray(self.losses.mean(axis=1).min(axis=1))

    def best(self, scale: float) -> tuple[int, int]:
        """The number of the best rate, and −1 or 1 if that is the first or last of all, otherwise 0.

        It is the quickest of those that are as good as the lowest; not at an end, if others are among them. Without a
        finite loss it is the first: lower rates are to be tried. Where nothing is learned at any rate, not even at the
        last, which does not diverge, it is the last.
        """
        lowest = self.lowest
        if not np.isfinite(lowest).any():
            return 0, -1
        last = len(lowest) - 1
        ends = np.take_along_axis(self.losses, self.losses.mean(axis=1).argmin(axis=1)[:, None, None], 2)[:, :, 0]
        good = np.flatnonzero(_tied(lowest, ends, scale))
        if last in good and lowest.min() > self.initial - _nothing(self.initial, scale):
            return last, 1
        inner = good[(good > 0) & (good < last)]
        chosen = min(inner if len(inner) else good, key=lambda i: (self.first(i, scale), lowest[i]))
        return int(chosen), int(chosen == last) - int(chosen == 0)

    def first(self, rate: int, scale: float) -> int:
        """The number of the step from which the loss at a rate is as low as it becomes, but for what tells nothing."""
        curve = self.losses[rate].mean(axis=0)
        return int(np.flatnonzero(curve <= curve.min() + _nothing(float(curve.min()), scale))[0])


class Search:
    """All that is run for a tuning."""

    def __init__(self, repeats: Sequence[Problem], max_steps: int) -> None:
        self.repeats, self.max_steps = repeats, max_steps
        self.tried: dict[tuple[str, int], Tried] = {}
        self.trajectories = self.gradients = 0
        self.asked: dict[tuple[str, int], Array] = {}  # evaluations, and the steps that they were for
        self.classes = "validation_accuracy" in repeats[0].provides
        self.history = History("validation_loss", *(["validation_accuracy"] if self.classes else []))
        self.scale = float(np.mean([_at_stake(problem) for problem in repeats]))
        self.starts = [start_of(problem, seed) for seed, problem in enumerate(repeats)]
        recorded = self.history.recorded_steps(max_steps)
        self.steps = recorded[(recorded > 0) & (2 * recorded <= max_steps)]

    def bracket(self, rules: Sequence[Optimizer], size: int) -> None:
        """Find the best rate of each optimizer, with rates on both sides of it."""
        self.run([(rule, rule.learning_rate) for rule in rules], FIRST, size)
        for _ in range(_WIDENED):
            tried = [(rule, self.tried[rule.label, size]) for rule in rules]
            ends = [(rule, it, it.best(self.scale)[1]) for rule, it in tried]
            self.run([(rule, float(it.rates[0])) for rule, it, end in ends if end < 0], 1 / BEYOND[::-1], size)
            self.run([(rule, float(it.rates[-1])) for rule, it, end in ends if end > 0], BEYOND, size)
        tried = [(rule, self.tried[rule.label, size]) for rule in rules]
        self.run([(rule, float(it.rates[it.best(self.scale)[0]])) for rule, it in tried], BETWEEN, size)

    def run(self, rules: Sequence[tuple[Optimizer, float]], multiples: Array, size: int) -> None:
        """Run optimizers at multiples of a rate of each, with every seed, and keep the losses of the held-out rows."""
        if not rules:
            return
        told: dict[str, list[Array]] = {name: [] for name in self.history.quantities}
        before = []
        for repeat, start in zip(self.repeats, self.starts, strict=True):
            problem = repeat.replace(batch_size=size or None)
            units = [rule.in_units(rate) for rule, rate in rules]
            sweep = Sweep(problem, units, multiples, start, self.max_steps, history=self.history)
            result = run(sweep, progress=False)
            before.append(float(result.history_validation_loss.values[0, 0, 0, 0]))
            for name, values in told.items():
                values.append(self._held(result[f"history_{name}"].values[:, :, 0]))
            self.trajectories += sweep.size
            taken = result.steps.values.clip(0)
            spent = result.evaluations.values if "evaluations" in result else taken
            self.gradients += int(spent.sum()) * problem.rows_each_step
            for (rule, _), *asked in zip(rules, spent, taken, strict=True):
                total = self.asked.get((rule.label, size), np.zeros(2))
                self.asked[rule.label, size] = total + [each.sum() for each in asked]
        loss, *accuracy = (np.stack(values, axis=2) for values in told.values())  # optimizer, rate, seed, step
        for i, (rule, rate) in enumerate(rules):
            losses = np.where(np.isnan(loss[i]), np.inf, loss[i])
            self.tried.setdefault((rule.label, size), Tried(initial=float(np.mean(before)))).add(
                rate * multiples, losses, *(each[i] for each in accuracy)
            )

    def _held(self, values: Array) -> Array:
        """The mean of what was recorded from each of `steps` to twice as many."""
        recorded = self.history.recorded_steps(self.max_steps)
        ranges = [(recorded >= step) & (recorded <= max(2 * step, 1)) for step in self.steps]
        with np.errstate(invalid="ignore", over="ignore"):
            return np.stack([values[..., part].mean(axis=-1) for part in ranges], axis=-1)

    def found(self) -> tuple["pandas.DataFrame", "pandas.DataFrame", dict[tuple[str, int], Array]]:
        """The tables of a `Tuning`, and its curves."""
        import pandas

        rows, ends, curves, rates = [], [], {}, []
        for (label, size), it in self.tried.items():
            best, end = it.best(self.scale)
            curve, first = it.losses[best].mean(axis=0), it.first(best, self.scale)
            at, steps = int(curve.argmin()), int(self.steps[first])
            lowest = it.losses[best][:, at]
            evaluations, taken = self.asked[label, size]
            each_step = evaluations / taken if taken else 1.0
            rows.append(
                {
                    "optimizer": label,
                    "batch size": size,
                    "learning rate": float(it.rates[best]),
                    "held-out loss": float(curve[at]),
                    "standard error": _error(lowest),
                    **({"held-out accuracy": float(it.accuracies[best][:, at].mean())} if self.classes else {}),
                    "steps": steps,
                    "gradients": round(steps * each_step) * (size or self.repeats[0].rows_each_step),
                    "at the edge": end != 0,
                    "still falling": at == len(self.steps) - 1 and 2 * steps > int(self.steps[-1]),
                }
            )
            ends.append(lowest)
            curves[label, size] = curve
            rates += [
                {"optimizer": label, "batch size": size, "learning rate": float(rate), "held-out loss": float(loss)}
                for rate, loss in zip(it.rates, it.lowest, strict=True)
            ]
        table = pandas.DataFrame(rows)
        if not np.isfinite(table["held-out loss"]).any():
            raise ValueError("optimizers: at no learning rate is the loss of the held-out rows finite")
        table.insert(
            len(table.columns) - 2, "tied", _tied(table["held-out loss"].to_numpy(), np.stack(ends), self.scale)
        )
        order = (
            table.assign(worse=~table["tied"]).sort_values(["worse", "gradients", "held-out loss"], kind="stable").index
        )
        chosen = order[0]
        rest = table.drop(index=chosen).sort_values("held-out loss", kind="stable")
        return pandas.concat([table.loc[[chosen]], rest], ignore_index=True), pandas.DataFrame(rates), curves


def _tied(lowest: Array, ends: Array, scale: float) -> NDArray[np.bool_]:
    """Which losses are as good as the lowest: not worse by more than an error, nor by much; ``ends (n, seeds)``."""
    with np.errstate(invalid="ignore"):
        apart = ends - ends[int(lowest.argmin())]
        errors = np.nan_to_num([_error(row) for row in apart])
    least = float(lowest.min())
    return np.asarray(apart.mean(axis=1) <= np.maximum(np.minimum(errors, _MUCH * abs(least)), _nothing(least, scale)))


def _error(values: Array) -> float:
    """The standard error of a mean; not a number of one value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 and np.isfinite(values).all() else np.nan


def _nothing(lowest: float, scale: float) -> float:
    """A difference of losses that tells nothing."""
    return _TIE * abs(lowest) + _TIE_OF_SCALE * scale


def _at_stake(problem: Any) -> float:
    """How much of the loss there is to learn: its scale, but of a regression the variance of the targets at most.

    The scale of a regression's loss grows with the square of the targets' mean.
    """
    scale = float(problem.loss_scale)
    is_regression = isinstance(problem, RowProblem) and "validation_accuracy" not in problem.provides
    return min(scale, float(np.var(problem.y))) if is_regression else scale


def start_of(problem: Any, seed: int) -> Any:
    """Where a trajectory begins: a network by LeCun's scheme, a regression at 0, anything else in its domain."""
    if hasattr(problem, "starts"):
        return problem.starts(seeds=seed)
    return np.zeros((1, problem.dimension)) if isinstance(problem, RowProblem) else problem.random(1, seed)
