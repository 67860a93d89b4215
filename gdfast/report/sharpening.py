"""Networks on data that ship, small enough to look at their sharpness all along a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray

import gdfast
from gdfast import data, optimizers, problems, theory
from gdfast.formulas.elementary import Array
from gdfast.problems.networks.mlp import MLP

STEPS = 4000
"""The budget of a training."""
MARGINS: Mapping[str, tuple[float, float]] = {
    "gd": (1.9, 2.2),
    "momentum": (0.9 * 3.8, 1.1 * 3.8),
    "nesterov": (0.9 * 3.8 / 2.8, 1.1 * 3.8 / 2.8),
    "rmsprop": (0.85 * 2, 1.15 * 2),
    "adam": (0.85 * 38, 1.15 * 38),
}
"""Between which numbers the median of sharpness × η over the last half is to lie, if the edge is reached.

They were written down before the runs; networks and rates were not, but chosen so that many runs reach the edge.
"""
_POINTS = 64
_REACHED = 0.95  # of the edge


@cache
def standardized(name: str, rows: int | None = None) -> tuple[Array, Array]:
    """Features and target of a set that ships as numbers of mean 0 and deviation 1, or of its first rows.

    A target of classes is their number. Features that are the same in all these rows are left out.
    """
    table = data.as_classes(data.load(name)) if name != "diabetes" else data.load(name)
    X, y = table.X[:rows], np.asarray(table.y[:rows], dtype=np.float64)
    X = X[:, X.std(axis=0) > 0]
    return (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()


def network(
    name: str,
    hidden: tuple[int, ...],
    activation: str = "tanh",
    rows: int | None = None,
    loss: str = "squared",
    **more: Any,
) -> MLP:
    """A network of one output on a set that ships, or of two, whose cross-entropy is that of the target's sign."""
    X, y = standardized(name, rows)
    outputs, target = (1, y) if loss == "squared" else (2, (y > 0).astype(np.float64))
    return problems.mlp((X.shape[1], *hidden, outputs), activation, loss, data=(X, target), **more)


@dataclass(frozen=True)
class Setting:
    """A network, and the learning rates with which each optimizer is run on it.

    Attributes
    ----------
    problem : MLP
        The network, with the squared loss.
    rates : mapping
        From labels of optimizers to the rates, ascending.
    """

    problem: MLP
    rates: Mapping[str, tuple[float, ...]]


@cache
def settings() -> dict[str, Setting]:
    """The networks, each with rates of which some let the sharpness reach the edge, where there are such."""
    adaptive = {"rmsprop": (1e-4, 5e-4, 2e-3), "adam": (1e-3, 4e-3, 1.6e-2)}  # the same on all of them
    return {
        "diabetes, tanh": Setting(
            network("diabetes", (12, 12)),
            {
                "gd": (0.1, 0.2, 0.3),
                "momentum": (0.1, 0.2, 0.38),
                "nesterov": (0.05, 0.08, 0.12),
                **adaptive,
            },
        ),
        "diabetes, relu": Setting(
            network("diabetes", (12, 12), "relu"),
            {
                "gd": (0.07, 0.1, 0.2),
                "momentum": (0.1, 0.2, 0.38),
                "nesterov": (0.05, 0.08, 0.12),
                **adaptive,
            },
        ),
        "digits, tanh": Setting(
            network("digits", (5, 5), rows=500),
            {
                "gd": (0.2, 0.3, 0.4),
                "momentum": (0.38, 0.5, 0.7),
                "nesterov": (0.12, 0.18, 0.25),
                **adaptive,
            },
        ),
        "breast_cancer, tanh": Setting(
            network("breast_cancer", (6, 6)),
            {
                "gd": (0.2, 0.28, 0.35),
                "momentum": (0.3, 0.45, 0.6),
                "nesterov": (0.15, 0.2, 0.25),
                **adaptive,
            },
        ),
    }


@cache
def sharpening(name: str, label: str, quick: bool = False) -> xarray.Dataset:
    """The trainings of an optimizer on a network with all its rates; the edge is an attribute of the result."""
    setting, rule = settings()[name], optimizers.CATALOGUE[label]()
    sweep = gdfast.Sweep(
        setting.problem,
        rule,
        setting.rates[label],
        setting.problem.starts(seeds=0),
        STEPS // 2 if quick else STEPS,
        settle=False,
        history=f"loss,preconditioned_sharpness:linear:{_POINTS}",
    )
    return gdfast.run(sweep, progress=False).assign_attrs(edge=theory.edge(rule))


def at_edge(result: xarray.Dataset, name: str) -> pd.DataFrame:
    """A row for each learning rate: when the sharpness reached the edge, and where it then stayed."""
    label, edge = str(result.optimizer.values[0]), float(result.attrs["edge"])
    steps, low_high = result.recorded_step.values, MARGINS[label]
    rows = []
    for rate, sharp, loss in zip(
        result.learning_rate.values,
        result.history_preconditioned_sharpness.values[0, :, 0],
        result.history_loss.values[0, :, 0],
        strict=True,
    ):
        reached = 1 + np.flatnonzero(sharp[1:] * rate >= _REACHED * edge)  # some begin beyond it, and leave at once
        in_time = bool(reached.size) and reached[0] < len(steps) // 2 and bool(loss[-1] < loss[0])
        middle = float(np.median(sharp[len(steps) // 2 :]) * rate)
        rows.append(
            {
                "network": name,
                "optimizer": label,
                "edge": edge,
                "learning rate": rate,
                "reached at step": float(steps[reached[0]]) if reached.size else np.nan,
                "median × η": middle,
                "loss at the end": loss[-1],
                "verdict": ("met" if low_high[0] <= middle <= low_high[1] else "not met") if in_time else "",
            }
        )
    return pd.DataFrame(rows)
