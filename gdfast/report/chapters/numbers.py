"""Gradients that vanish or explode over depth, and what a shorter number format changes."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, plot, problems
from gdfast.formulas.elementary import Array
from gdfast.plot.style import line_style
from gdfast.problems import Problem
from gdfast.report.chapters.landscape import TRIO, endings
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import Lab
from gdfast.report.section import Chapter, Claim, Section
from gdfast.report.words import listed, number, power_of_ten

ACTIVATIONS = ("sigmoid", "tanh", "relu")
SCHEMES: dict[str, tuple[str, float, bool]] = {
    "N(0, 0.1²)": ("normal", 0.1, False),
    "N(0, 1)": ("normal", 1.0, False),
    "Xavier": ("xavier_normal", 1.0, False),
    "He": ("he_normal", 1.0, False),
    "N(0, 1) + batch norm": ("normal", 1.0, True),
    "N(0, 10²)": ("normal", 10.0, False),
}
"""Scheme, gain, and whether hidden layers are batch-normalized."""
DRAWN = tuple(scheme for scheme in SCHEMES if scheme != "N(0, 10²)")
"""Those whose gradients fit on one axis."""
WIDTH = 16
GD = optimizers.gd()
STEPS = 200


def saturation(lab: Lab) -> Iterator[Section]:
    """The essay's saturated unit, from x = 5."""
    if not lab.covers("sigmoid"):
        return
    problem, start, rate, budget = problems.sigmoid(), 5.0, 0.05, 100
    paths = {o.label: gdfast.trajectory(problem, o, start, rate, budget) for o in TRIO}
    plain = paths["gd"]
    moved = abs(float(plain.theta.values[-1, 0]) - start)
    x = np.linspace(-10, 10, 4001)
    slope = _slope(x)

    yield Section(
        "A worked example: saturation",
        [
            f"σ′ is at most {slope.max():.4g}, at x = {x[slope.argmax()]:.4g}, and {slope[x == 5][0]:.4g} at x = 5. "
            f"From there gradient descent moves by {moved:.3g} in {plain.attrs['steps']} steps at η = {rate:g}; the "
            f"minimum is {abs(start - problem.minima[0].point[0]):.3g} away.",
            _ahead(paths, start),
        ],
        draw=partial(_draw_saturation, paths, problem),
        table=endings(paths),
    )


def _draw_saturation(paths: dict[str, xarray.Dataset], problem: Problem) -> Figure:
    figure, axes = panes(1, 3, 4.4, 3.6)
    x = np.linspace(-10, 10, 401)
    axes[0].plot(x, _slope(x), **line_style(0))
    axes[0].set(xlabel="x", title="σ′(x), what the chain rule multiplies by")
    plot.trajectory(paths, problem, axes[1]).set_title("paths over the loss", fontsize=10)
    plot.loss_curves(paths, axes[2]).set_title("loss", fontsize=10)
    shared_legend(figure, axes[1:])
    axes[0].title.set_fontsize(10)
    return figure


def _slope(x: Array) -> Array:
    """σ′(x)."""
    s = 1 / (1 + np.exp(-x))
    return s * (1 - s)


def _ahead(paths: dict[str, xarray.Dataset], start: float) -> str | None:
    moved = {label: abs(float(path.theta.values[-1, 0]) - start) for label, path in paths.items()}
    ahead = [f"{label} by {number(far)}" for label, far in moved.items() if far > 2 * moved["gd"]]
    return f"From the same place {listed(ahead)}." if ahead else None


def depth(lab: Lab) -> Iterator[Section]:
    """How the first layer's gradient compares with the last one's, by depth, scheme and activation."""
    if not lab.covers("mlp"):
        return
    depths = (2, 4, 8, 16) if lab.quick else (2, 3, 4, 6, 8, 12, 16, 24)
    rows = [_flow(activation, scheme, layers) for activation in ACTIVATIONS for scheme in SCHEMES for layers in depths]
    table = pd.DataFrame(rows)
    yield Section(
        "Vanishing and exploding gradients",
        [
            f"Networks {WIDTH} units wide at 20 random initial points each: the norm of the gradient by the first "
            "layer's weights over that by the last layer's, median. At 1 all layers learn alike.",
        ],
        [_vanish(table), _explode(table), _steady(table)],
        partial(_draw_depth, table),
        table=table,
    )


def _flow(activation: str, scheme: str, layers: int) -> dict[str, object]:
    init, gain, normalized = SCHEMES[scheme]
    problem = problems.mlp((8, *[WIDTH] * layers, 1), activation, batch_norm=normalized)
    flow = gdfast.gradient_flow(problem, problem.starts(init=init, seeds=range(20), gain=gain))
    ratio = flow.log10_ratio.values
    finite, first = ratio[np.isfinite(ratio)], flow.norm.values[0]
    return {
        "activation": activation,
        "initialization": scheme,
        "hidden layers": layers,
        "log10 of first over last": float(np.median(finite)) if finite.size else np.nan,
        "log10 of first": float(np.log10(np.median(first))),
        "share beyond float32": float((first > np.finfo(np.float32).max).mean()),
    }


def _draw_depth(table: pd.DataFrame) -> Figure:
    figure, axes = panes(2, 3, 4.2, 3.2)
    columns = ("log10 of first over last", "log10 of first")
    for ax, (column, activation) in zip(axes, ((c, a) for c in columns for a in ACTIVATIONS), strict=True):
        for i, scheme in enumerate(DRAWN):
            part = table[(table["activation"] == activation) & (table["initialization"] == scheme)]
            ax.plot(part["hidden layers"], part[column], marker="o", markersize=3, label=scheme, **line_style(i))
        ax.axhline(0, color="#777777", linewidth=0.8)
        ax.set_xlabel("hidden layers")
    for ax, activation in zip(axes, ACTIVATIONS, strict=False):
        ax.set_title(activation, fontsize=10)
    axes[0].set_ylabel("log₁₀ of first / last layer's")
    axes[3].set_ylabel("log₁₀ of the first layer's")
    shared_legend(figure, axes)
    return figure


def _deepest(table: pd.DataFrame, activation: str, column: str = "log10 of first over last") -> pd.Series:
    """A column by initialization at the largest number of layers."""
    deep: pd.DataFrame = table[
        (table["activation"] == activation) & (table["hidden layers"] == table["hidden layers"].max())
    ]
    return pd.Series(deep[column].to_numpy(), index=deep["initialization"])


def _vanish(table: pd.DataFrame) -> Claim | None:
    ratio = _deepest(table, "sigmoid").drop("N(0, 1) + batch norm")
    mild = ratio.drop("N(0, 10²)")
    if not mild.max() < -1:
        return None
    return Claim(
        "Saturating activations make gradients vanish over depth",
        "shown",
        f"Through {table['hidden layers'].max()} sigmoid layers the first layer's gradient is "
        f"{power_of_ten(mild.min())} to {power_of_ten(mild.max())} of the last one's, by initialization.",
    )


def _explode(table: pd.DataFrame) -> Claim | None:
    first = {activation: _deepest(table, activation, "log10 of first") for activation in ("relu", "tanh")}
    large, small = first["relu"]["N(0, 1)"], first["relu"]["He"]
    if not large > small + 3:
        return None
    over = table[table["share beyond float32"] > 0]
    layers = table["hidden layers"].max()
    return Claim(
        "Large factors make gradients explode and overflow",
        "shown",
        f"At {layers} relu layers the norm of the first layer's gradient is {power_of_ten(large)} with weights N(0, 1) "
        f"and {power_of_ten(small)} with He"
        + (
            f"; with N(0, 10²) it is {power_of_ten(first['relu']['N(0, 10²)'])}, and from "
            f"{over['hidden layers'].min()} layers on some are beyond what float32 can hold."
            if len(over)
            else "."
        ),
    )


def _steady(table: pd.DataFrame) -> Claim | None:
    spread = {
        scheme: max(abs(_deepest(table, activation)[scheme]) for activation in ("tanh", "relu"))
        for scheme in ("Xavier", "He", "N(0, 1) + batch norm", "N(0, 1)")
    }
    first = {scheme: _deepest(table, "relu", "log10 of first")[scheme] for scheme in ("He", "N(0, 0.1²)", "N(0, 1)")}
    sigmoid = _deepest(table, "sigmoid")
    fixed, normal = sigmoid[["He", "Xavier"]], sigmoid["N(0, 1) + batch norm"]
    if not max(spread["Xavier"], spread["He"]) < spread["N(0, 1)"]:
        return None
    return Claim(
        "He and Xavier initialization and batch normalization steady the gradients",
        "bounded" if fixed.max() < -2 or spread["N(0, 1) + batch norm"] > 1 else "shown",
        f"At {table['hidden layers'].max()} relu layers the first layer's gradient norm is "
        f"{power_of_ten(first['He'])} with He, {power_of_ten(first['N(0, 0.1²)'])} with N(0, 0.1²) and "
        f"{power_of_ten(first['N(0, 1)'])} with N(0, 1). With sigmoid, first over last layer, neither He nor Xavier "
        f"suffices ({power_of_ten(fixed.min())} to {power_of_ten(fixed.max())}), batch normalization does "
        f"({power_of_ten(normal)})."
        if fixed.max() < -2 < normal
        else f"Over tanh and relu the first layer's gradient is within {power_of_ten(spread['He'])} of the last one's "
        f"with He and within {power_of_ten(spread['Xavier'])} with Xavier.",
    )


def training(lab: Lab) -> Iterator[Section]:
    """Whether a deep network trains, by learning rate and initialization."""
    if not lab.covers("mlp"):
        return
    hidden = (8,) * 6
    schemes = [name for name in DRAWN if not SCHEMES[name][2]]
    parts, rates, seeds = {}, np.geomspace(1e-3, 3, 10 if lab.quick else 14), range(8 if lab.quick else 12)
    for normalized in (False, True):
        problem = problems.mlp((2, *hidden, 1), "tanh", batch_norm=normalized)
        for name in schemes if not normalized else schemes[1:2]:
            init, gain, _ = SCHEMES[name]
            starts = problem.starts(init=init, seeds=seeds, gain=gain)
            label = name + (" + batch norm" if normalized else "")
            parts[label] = lab.run(problem, [GD], rates, starts, STEPS)
    together = _side_by_side(parts)
    median = np.median(np.where(np.isfinite(together.loss), together.loss, np.inf), axis=2)
    table = pd.DataFrame(
        {
            "initialization": list(parts),
            "lowest median loss": median.min(axis=1),
            "at learning rate": rates[median.argmin(axis=1)],
            "share of cells that diverge": [float((p.outcome == 6).mean()) for p in parts.values()],
        }
    )

    yield Section(
        "Does it train?",
        [
            f"A tanh network of {len(hidden)} hidden layers, {STEPS} steps of gd, {len(seeds)} seeds a point.",
            _trains(table),
        ],
        draw=partial(_draw_training, together),
        table=table,
        results={"loss": together},
    )


def _draw_training(together: xarray.Dataset) -> Figure:
    figure, (ax,) = panes(1, 1, 7.0, 4.0)
    plot.lr_sensitivity(together, ax, quantity="loss").set_ylim(top=10)
    return figure


def _side_by_side(parts: dict[str, xarray.Dataset]) -> xarray.Dataset:
    """Results of one optimizer each as one result, whose optimizers are called like the parts."""
    first = next(iter(parts.values()))
    data = {
        name: (first[name].dims, np.concatenate([part[name].values for part in parts.values()]), first[name].attrs)
        for name in first.data_vars
    }
    coordinates = {"optimizer": list(parts), "learning_rate": first.learning_rate, "seed": ("start", first.seed.values)}
    return xarray.Dataset(data, coordinates, first.attrs)


def _trains(table: pd.DataFrame) -> str | None:
    losses = table.set_index("initialization")["lowest median loss"]
    if losses.min() == losses.max():
        return None
    return (
        f"At its best rate, {losses.idxmin()} ends lowest (median loss {losses.min():.3g}) and {losses.idxmax()} "
        f"highest ({losses.max():.3g})."
    )


def precision(lab: Lab) -> Iterator[Section]:
    """What float32 changes: how near it comes, when updates are lost, when it overflows."""
    if not lab.covers("quartic"):
        return
    problem, rates = problems.quartic(), np.geomspace(1e-9, 1.0, 91)
    ends = {}
    for kind in ("float32", "float64"):
        # No gradient but 0 ends a trajectory, nor any but what is not finite.
        sweep = gdfast.Sweep(
            problem, GD, rates, [[-2.0]], 2000, gradient_tolerance=0.0, divergence_limit=1e300, dtype=kind
        )
        ends[kind] = gdfast.run(sweep, keep_theta=True, progress=False).isel(optimizer=0, start=0, parameter=0)
    lowest = problem.minima[0].point[0]
    single, double = (np.abs(end.theta.values - lowest) for end in ends.values())
    moved = {kind: np.abs(end.theta.values + 2.0) for kind, end in ends.items()}
    lost = rates[(moved["float32"] == 0) & (moved["float64"] > 0)]
    inside = np.isfinite(double) & (double < 1e-9)
    table = pd.DataFrame(
        {
            "number format": ["float32", "float64"],
            "unit roundoff": [np.finfo(np.float32).eps / 2, np.finfo(np.float64).eps / 2],
            "distance to the minimum, median of converged": [
                float(np.median(d[inside])) if inside.any() else np.nan for d in (single, double)
            ],
            "steps to overflow at η = 1": [int(end.steps[-1]) for end in ends.values()],
        }
    )

    yield Section(
        "float32 against float64",
        [
            "Gradient descent on the quartic from x = −2, all arithmetic in the given format; an exact hit is drawn at "
            "10⁻¹⁸.",
            _nearer(table),
            f"At η ≤ {number(lost[-1])} the update is below half a unit in the last place of a float32 and is lost: "
            "the point never moves, while in float64 it does."
            if lost.size
            else None,
            _overflows(table),
        ],
        draw=partial(_draw_precision, rates, {"float32": single, "float64": double}, moved),
        table=table,
    )


def _draw_precision(rates: Array, distances: dict[str, Array], moved: dict[str, Array]) -> Figure:
    figure, axes = panes(1, 2)
    for i, (name, distance) in enumerate(distances.items()):
        near = np.where(distance < 10, np.maximum(distance, 1e-18), np.nan)  # what diverges is far off the figure
        far = np.where((moved[name] > 0) & (moved[name] < 10), moved[name], np.nan)
        axes[0].plot(rates, near, label=name, **line_style(i))
        axes[1].plot(rates, far, label=name, **line_style(i))
    axes[0].set(title="distance to the minimum after 2,000 steps", xlim=(1e-4, 0.1))
    axes[1].set(title="distance moved from the start, −2", xlim=(1e-9, 1e-4))
    for ax in axes:
        ax.set(xscale="log", yscale="log", xlabel="learning rate η")
        ax.title.set_fontsize(10)
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def _nearer(table: pd.DataFrame) -> str | None:
    single, double = table["distance to the minimum, median of converged"]
    if not single > double:
        return None
    return f"Where both converge, float32 stays {single:.2g} from the minimum, float64 {double:.2g}."


def _overflows(table: pd.DataFrame) -> str | None:
    single, double = table["steps to overflow at η = 1"]
    if not 0 < single < double:
        return None
    return f"At η = 1 the iterate overflows after {single} steps in float32 and after {double} in float64."


CHAPTER = Chapter(
    "numbers",
    "Numbers",
    "Gradients are products of many factors: below 1 they vanish, above 1 they explode, and what a number format "
    "cannot hold is lost. The mitigations stand in the same figures: initialization and batch normalization.",
    (saturation, depth, training, precision),
)
