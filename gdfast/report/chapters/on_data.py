"""The claims once more, on regressions and networks with data that ship, judged by the loss of held-out rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gdfast import optimizers, problems, schedules
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.plot.style import line_style
from gdfast.problems import Problem
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import Lab
from gdfast.report.section import Chapter, Claim, Section
from gdfast.report.sharpening import standardized
from gdfast.report.words import number

RULES = (optimizers.gd(), optimizers.momentum(), optimizers.rmsprop(), optimizers.adam())
HELD_OUT, BATCH = 0.25, 16
NEAR = 1.1  # times the best held-out loss: a rate that is nearly as good
BETTER = 1.01  # times: a difference that counts
DEPTH = 4


@dataclass(frozen=True)
class Curve:
    """Held-out loss at the end by learning rate: the median over the starts, infinite where it is no number."""

    rates: Array
    losses: Array  # [rate, start]

    @property
    def by_rate(self) -> Array:
        """The median over the starts, ``float64[rate]``."""
        return np.asarray(np.median(self.losses, axis=1))

    @property
    def best(self) -> float:
        """That of the best rate."""
        return float(self.by_rate.min())

    @property
    def decades(self) -> float:
        """How many decades of rates come within 10 % of it."""
        return float((self.by_rate <= NEAR * self.best).sum() * np.log10(self.rates[1] / self.rates[0]))


def grounds(l2: float = 0.0, **more: object) -> dict[str, Problem]:
    """A regression of numbers, one of classes, and a network; all with held-out rows."""
    given = {"validation": HELD_OUT, **more}
    table = standardized("diabetes")
    return {
        "least squares on diabetes": problems.ridge_regression(data=table, alpha=l2 * len(table[1]), **given),
        "logistic regression on breast cancer": problems.logistic_regression(l2=l2, **given),
        "tanh network on diabetes": problems.mlp((10, 8, 8, 1), data=table, l2=l2, **given),
    }


def curve(lab: Lab, problem: Problem, rule: Optimizer, **init: object) -> Curve:
    """Run a rule at all rates from several starts."""
    rates = np.geomspace(1e-4, 10, 11 if lab.quick else 21)
    count, steps = (3, 200) if lab.quick else (8, 1000)
    starts = problem.starts(seeds=range(count), **init) if hasattr(problem, "starts") else problem.random(count, seed=1)
    result = lab.run(problem, [rule], rates, starts, steps)
    losses = result.validation_loss.values[0]
    return Curve(rates, np.where(np.isfinite(losses), losses, np.inf))


def verdict(holds: Sequence[bool]) -> str:
    """Whether it holds on all grounds, on some, or on none."""
    return "shown" if all(holds) else "bounded" if any(holds) else "refuted"


def claimed(claim: str, by_ground: Mapping[str, tuple[bool, str]]) -> Claim:
    """A claim, from whether it holds on each ground and the numbers that say so."""
    said = "; ".join(f"{name}: {'yes' if holds else 'no'}, {told}" for name, (holds, told) in by_ground.items())
    return Claim(f"{claim} (on data)", verdict([holds for holds, _ in by_ground.values()]), said + ".")


def rates_on_data(lab: Lab) -> Iterator[Section]:
    """Learning rates: too high, too low, and how wide what is between is, by rule; and what the start decides."""
    if lab.problems:
        return
    found = {name: {rule.label: curve(lab, problem, rule) for rule in RULES} for name, problem in grounds().items()}
    plain = {name: rules["gd"] for name, rules in found.items()}
    table = pd.DataFrame(
        {
            "problem": name,
            "optimizer": label,
            "best held-out loss": one.best,
            "at the learning rate": one.rates[one.by_rate.argmin()],
            "decades within 10 %": one.decades,
        }
        for name, rules in found.items()
        for label, one in rules.items()
    )
    yield Section(
        "Learning rates",
        ["The median over starts of the loss of held-out rows, a quarter of all, at the end, by learning rate."],
        [
            claimed("A high learning rate diverges", {n: _too_high(one) for n, one in plain.items()}),
            claimed("A low learning rate crawls", {n: _too_low(one) for n, one in plain.items()}),
            claimed("Where gd ends depends on its start", {n: _by_start(one) for n, one in plain.items()}),
            claimed("Adam makes the learning rate easier to choose", {n: _wider(r, "adam") for n, r in found.items()}),
            claimed("So does RMSprop", {n: _wider(r, "rmsprop") for n, r in found.items()}),
            claimed("Momentum ends lower", {n: _lower(r["gd"], r["momentum"]) for n, r in found.items()}),
        ],
        partial(_draw, found),
        table=table,
    )


def remedies_on_data(lab: Lab) -> Iterator[Section]:
    """Mini-batches, decay and a penalty, each beside what it is said to mend."""
    if lab.problems:
        return
    plain = {name: curve(lab, problem, optimizers.gd()) for name, problem in grounds().items()}
    noisy = grounds(batch_size=BATCH)
    constant = {name: curve(lab, problem, optimizers.gd()) for name, problem in noisy.items()}
    decay = optimizers.gd().scheduled(schedules.cosine())
    decayed = {name: curve(lab, problem, decay) for name, problem in noisy.items()}
    penalized = {name: curve(lab, problem, optimizers.gd()) for name, problem in grounds(l2=0.03).items()}
    kinds = {"all rows": plain, f"batches of {BATCH}": constant, "batches, cosine": decayed, "l2 = 0.03": penalized}
    found = {name: {kind: curves[name] for kind, curves in kinds.items()} for name in plain}
    yield Section(
        "Noise, decay and penalties",
        [
            "Gradient descent on all rows, on mini-batches, on these with a cosine decay, and on all rows with a "
            "penalty."
        ],
        [
            claimed("Mini-batch noise ends lower", {n: _lower(plain[n], constant[n]) for n in plain}),
            claimed("Decaying the rate helps late", {n: _lower(constant[n], decayed[n]) for n in plain}),
            claimed("Weight regularization helps", {n: _lower(plain[n], penalized[n]) for n in plain}),
        ],
        partial(_draw, found),
        table=pd.DataFrame({"problem": n, **{k: one.best for k, one in kinds.items()}} for n, kinds in found.items()),
    )


def depth_on_data(lab: Lab) -> Iterator[Section]:
    """Deep networks by activation, and by initialization."""
    if lab.problems:
        return
    table = standardized("diabetes")

    def of(activation: str, init: str, gain: float = 1.0) -> Curve:
        problem = problems.mlp((10, *(8,) * DEPTH, 1), activation, data=table, validation=HELD_OUT)
        return curve(lab, problem, optimizers.gd(), init=init, gain=gain)

    shallow = {
        name: of(name, "xavier_normal" if name != "relu" else "he_normal") for name in ("sigmoid", "tanh", "relu")
    }
    small = {name: of(name, "normal", 0.1) for name in ("tanh", "relu")}
    saturating = {n: _lower(shallow["sigmoid"], shallow[n]) for n in ("tanh", "relu")}
    steadied = {n: _lower(small[n], shallow[n]) for n in small}
    found = {f"{DEPTH} hidden layers, diabetes": {**shallow, **{f"{n}, N(0, 0.1²)": one for n, one in small.items()}}}
    yield Section(
        "Depth",
        [f"Networks of {DEPTH} hidden layers of 8, initialized as Xavier and, for relu, He say, or with N(0, 0.1²)."],
        [
            claimed("Saturating activations learn worse in depth", saturating),
            claimed("He and Xavier initialization help", steadied),
        ],
        partial(_draw, found),
        table=pd.DataFrame({"network": n, "best held-out loss": c.best} for n, c in next(iter(found.values())).items()),
    )


def _too_high(one: Curve) -> tuple[bool, str]:
    lost = one.by_rate > 2 * one.by_rate[one.by_rate.argmin()]
    beyond = lost & (one.rates > one.rates[one.by_rate.argmin()])
    return bool(beyond.any()), f"from η = {number(one.rates[beyond][0])} on" if beyond.any() else "not up to 10"


def _too_low(one: Curve) -> tuple[bool, str]:
    place = int(one.by_rate.argmin())
    low = max(0, int(np.argmin(np.abs(one.rates - one.rates[place] / 100))))
    times = float(one.by_rate[low] / one.best)
    return times > NEAR, f"{times:.3g} times the loss at a hundredth of the best rate"


def _by_start(one: Curve) -> tuple[bool, str]:
    ends = one.losses[one.by_rate.argmin()]
    apart = float(ends.max() / ends.min())
    return apart > NEAR, f"the worst start ends at {apart:.3g} times the best one's loss"


def _wider(rules: Mapping[str, Curve], label: str) -> tuple[bool, str]:
    own, plain = rules[label].decades, rules["gd"].decades
    return own > plain, f"{own:.2g} decades within 10 % of its best against {plain:.2g} of gd"


def _lower(before: Curve, after: Curve) -> tuple[bool, str]:
    return after.best * BETTER < before.best, f"{after.best:.4g} after {before.best:.4g}"


def _draw(found: Mapping[str, Mapping[str, Curve]]) -> Figure:
    figure, axes = panes(1, len(found), 4.6 if len(found) > 1 else 7.0, 3.8)
    for ax, (name, curves) in zip(axes, found.items(), strict=True):
        for i, (label, one) in enumerate(curves.items()):
            ax.plot(one.rates, one.by_rate, label=label, **line_style(i, label))
        best = min(one.best for one in curves.values())
        ax.set(xscale="log", yscale="log", ylim=(0.9 * best, 20 * best), xlabel="learning rate", title=name)
    axes[0].set_ylabel("held-out loss at the end")
    axes[0].legend()
    shared_legend(figure, axes)
    return figure


CHAPTER = Chapter(
    "on-data",
    "The claims on data",
    "What is claimed, once more on regressions and networks with data that ship, judged by the loss of held-out rows: "
    "shown where it holds on all of them, bounded where on some, refuted where on none. With `--only learning-rate "
    "--only mitigations --only numbers --only on-data` the table of claims has both, those of landscapes and of data.",
    (rates_on_data, remedies_on_data, depth_on_data),
    apart=True,
)
