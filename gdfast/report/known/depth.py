"""Depth and initialization: which schemes keep signals and gradients over fifty layers.

He et al. (2015), arXiv 1502.01852, section 2.2: with relu and weights of variance 2/n the mean square of what enters a
layer is kept, with Xavier's 1/n it is halved by each layer. Glorot & Bengio (2010), section 4.2: Xavier's keeps that of
tanh's gradients; sigmoid, whose slope is at most 1/4, loses a factor of 4 and more a layer.
"""

from functools import partial

import numpy as np

import gdfast
from gdfast import problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab

WIDTH, DEPTH, SEEDS = 128, 50, 6
MARGIN = 0.05
SHOWN = (("relu", "he_normal"), ("relu", "xavier_normal"), ("tanh", "xavier_normal"), ("sigmoid", "xavier_normal"))


def find(lab: Lab) -> Found:
    """The factors of a layer: of the signal's mean square on the way ahead, of the gradient's norm on the way back."""
    signals, gradients, ahead, back = {}, {}, {}, {}
    layers = np.arange(1, DEPTH + 1)
    for activation, scheme in SHOWN:
        name = f"{activation}, {scheme.split('_')[0]}"
        problem = problems.mlp((WIDTH,) * (DEPTH + 1), activation, bias=False, points=8)
        flow = gdfast.gradient_flow(problem, problem.starts(scheme, seeds=range(SEEDS)))
        signal, norm = (np.exp(np.log(flow[each].values).mean(axis=1)) for each in ("signal", "norm"))
        signals[name], gradients[name] = (layers[:-1], signal[:-1]), (layers, norm)
        ahead[name] = float((signal[-2] / signal[0]) ** (2 / (DEPTH - 2)))
        back[name] = float((norm[1] / norm[-2]) ** (1 / (DEPTH - 3)))
    compared = [
        Compared("relu, N(0, 2/n): mean square kept a layer", 1.0, ahead["relu, he"], MARGIN),
        Compared("relu, N(0, 1/n): mean square kept a layer", 0.5, ahead["relu, xavier"], MARGIN),
        Compared("tanh, Xavier: gradient kept a layer", 1.0, back["tanh, xavier"], MARGIN),
        Compared(
            "sigmoid, Xavier: factor of the gradient lost a layer", 4.0, 1 / back["sigmoid, xavier"], 0.0, "at least"
        ),
    ]
    scale = {"xlabel": "layer", "yscale": "log"}
    panels = [
        (signals, None, {**scale, "ylabel": "root mean square of what enters"}),
        (gradients, None, {**scale, "ylabel": "norm of the gradient by the weights"}),
    ]
    return Found(compared, partial(several_panes, panels))


KNOWN = Known(
    "depth-and-initialization",
    "Over fifty layers He's scheme keeps relu's signal and Xavier's tanh's gradients; sigmoid's vanish",
    "Glorot & Bengio 2010, section 4.2; He et al. 2015, arXiv 1502.01852, section 2.2",
    f"{DEPTH} layers of {WIDTH} units without biases, {SEEDS} draws, at the start.",
    find,
)
