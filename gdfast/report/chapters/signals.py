"""Signals over depth: how large activations and gradients are from layer to layer, beside mean-field theory."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from gdfast import problems, theory
from gdfast.formulas.elementary import Array
from gdfast.plot.style import line_style
from gdfast.problems.networks.gradient_flow import gradient_flow
from gdfast.problems.networks.mlp import MLP
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.section import Claim, Section
from gdfast.report.words import percent
from gdfast.starts import Starts

_SCHEMES = {"tanh": "xavier_normal", "sigmoid": "xavier_normal", "relu": "he_normal", "gelu": "he_normal"}
_SHOWN = ((0.6, 0.05), (1.0, 0.0), (1.76, 0.05), (3.0, 0.05))  # σ_w², σ_b² of the curves


def signals_over_depth(lab: Lab) -> Iterator[Section]:
    """Norms of activations and gradients by layer, and where they neither die nor explode."""
    if lab.problems:
        return
    n, width, depth = (8, 32, 16) if lab.quick else (14, 64, 24)
    deep = problems.mlp((width,) * (depth + 1), "tanh", points=8)
    weights, biases = np.linspace(0.4, 4.0, n), np.linspace(0.0, 0.4, n // 2)
    grid = [(w, b) for b in biases for w in weights]
    starts = drawn(deep, grid)
    flow = gradient_flow(deep, starts)
    # A layer's gradient by its weights is that by Z times what enters it, which dies and explodes on its own.
    entering = deep.layer_signals(starts.points.T)[1]
    by_signal = flow.norm.values[1:] / entering[:-1]
    factor = (by_signal[0] / by_signal[-1]) ** (1 / (depth - 2))
    theory_says = np.array([theory.mean_field(w, b) for w, b in grid])
    shown = gradient_flow(deep, drawn(deep, _SHOWN))
    kinds = {name: problems.mlp((width,) * (depth + 1), name, points=8) for name in _SCHEMES}
    usual = {name: gradient_flow(p, p.starts(_SCHEMES[name])) for name, p in kinds.items()}
    table = pd.DataFrame(
        {
            "network": f"{name}, {_SCHEMES[name].replace('_', ' ')}",
            "signal, last layer over first": float(each.signal.values[-2, 0] / each.signal.values[0, 0]),
            "gradient, first layer over last": float(10.0 ** each.log10_ratio.values[0]),
            "gradients": str(each.flow.values[0]),
        }
        for name, each in usual.items()
    )
    yield Section(
        "Signals over depth",
        [
            f"Left: the root mean square of what enters the activations of {depth} layers of {width} units (lines), "
            "beside mean-field theory's (dashed): weights of variance σ_w²/n, biases of σ_b², tanh (Poole et al. "
            "2016, arXiv 1606.05340). Middle: by what factor the gradient by what enters a layer is larger than "
            "that of the layer after it; black: theory's critical line, χ = σ_w² ∫ Dz tanh′(√q* z)² = 1 (Schoenholz "
            "et al. 2017, arXiv 1611.01232): left of it gradients vanish on the way back, right of it they explode. "
            "Right: norms of the gradient by layer for usual activations, with the schemes made for them.",
        ],
        [_agrees(factor, theory_says[:, 1])],
        partial(_draw, shown.signal.values, weights, biases, factor.reshape(len(biases), n), _norms(usual)),
        table=table,
    )


def drawn(problem: MLP, grid: "list[tuple[float, float]] | tuple[tuple[float, float], ...]") -> Starts:
    """A start for each variance of weights, times the fan-in, and of biases: both normal."""
    unit = np.asarray(problem.starts("lecun_normal"))[0]
    rng, noise = np.random.default_rng(1), np.zeros(problem.dimension)
    for layer in problem.layers:
        noise[layer.bias : layer.bias + layer.fan_out] = rng.normal(size=layer.fan_out)
    points = np.stack([np.sqrt(w) * unit + np.sqrt(b) * noise for w, b in grid])
    w, b = np.array(grid).T
    return Starts(points, {"weight_variance": w, "bias_variance": b})


def _norms(usual: "dict[str, object]") -> dict[str, Array]:
    return {name: each.norm.values[:, 0] for name, each in usual.items()}


def _draw(signal: Array, weights: Array, biases: Array, factor: Array, norms: dict[str, Array]) -> Figure:
    figure, (left, middle, right) = panes(1, 3, 4.8, 3.8)
    layers = np.arange(1, len(signal) + 1)
    for i, (w, b) in enumerate(_SHOWN):
        label = f"σ_w² = {w:g}, σ_b² = {b:g}"
        left.plot(layers, signal[:, i], label=label, **line_style(i, label))
        left.plot(layers, np.sqrt(_recursion(signal[0, i] ** 2, w, b, len(layers))), "--", color="#777777", linewidth=1)
    left.set(xlabel="layer", ylabel="root mean square of Z", yscale="log")
    left.legend(fontsize=7, frameon=False)
    image = middle.pcolormesh(
        weights, biases, np.log10(factor), norm=TwoSlopeNorm(0, -0.4, 0.4), cmap="RdBu_r", shading="nearest"
    )
    figure.colorbar(image, ax=middle, label="log₁₀ of the growth a layer, on the way back")
    fine = np.linspace(0.0, biases[-1], 41)
    middle.plot([theory.critical_weights(b) for b in fine], fine, color="k", linewidth=1.5)
    middle.set(xlabel="σ_w²", ylabel="σ_b²")
    for i, (name, norm) in enumerate(norms.items()):
        right.plot(layers, norm, label=f"{name}, {_SCHEMES[name].split('_')[0]}", **line_style(i, name))
    right.set(xlabel="layer", ylabel="norm of the gradient by its weights", yscale="log")
    right.legend(fontsize=8, frameon=False)
    return figure


def _recursion(first: float, weights: float, biases: float, layers: int) -> Array:
    squares = [first]
    while len(squares) < layers:
        squares.append(theory.next_variance(squares[-1], weights, biases))
    return np.array(squares)


def _agrees(factor: Array, slope: Array) -> Claim:
    clear = np.abs(np.log(slope)) > np.log(1.1)
    same = (factor > 1) == (slope > 1)
    return Claim(
        "Gradients of a deep network neither vanish nor explode only near the critical line",
        "shown" if same[clear].mean() > 0.95 else "bounded" if same[clear].mean() > 0.7 else "refuted",
        f"Of {clear.sum()} pairs of variances for which mean-field theory tells a growth of more than 10 % a layer, "
        f"{percent(float(same[clear].mean()))} grow or shrink as it says.",
    )
