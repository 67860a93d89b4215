"""Every optimizer with usual and unusual hyperparameters, and every problem: one table for all contracts."""

import numpy as np

from gdfast import optimizers as o
from gdfast import problems as p

OPTIMIZERS = [
    o.gd(),
    o.momentum(),
    o.momentum(momentum=0.5, dampening=0.3),
    o.nesterov(),
    o.nesterov(momentum=0.99),
    o.adagrad(),
    o.adagrad(lr_decay=0.01, initial_accumulator_value=0.1, eps=1e-6),
    o.rmsprop(),
    o.rmsprop(alpha=0.9, momentum=0.8),
    o.rmsprop(centered=True),
    o.rmsprop(alpha=0.8, eps=1e-3, momentum=0.5, centered=True),
    o.adam(),
    o.adam(beta1=0.5, beta2=0.9, eps=1e-4),
    o.adam(amsgrad=True),
    o.adam(beta1=0.0, beta2=0.5, amsgrad=True),
]

_rng = np.random.default_rng(5)
PROBLEMS = [
    p.quartic(),
    p.sigmoid(),
    p.linear_regression(),
    p.linear_regression(X=_rng.normal(size=(17, 5)), y=_rng.normal(size=17)),
    p.linear_regression(X=[[2.0]], y=[3.0]),
]
EXACT = [problem for problem in PROBLEMS if problem.name != "sigmoid"]
"""Problems in which only + - * / sqrt occur: kernel and reference agree to the bit."""


def label(thing):
    if not hasattr(thing, "label"):
        return None
    return thing.label + (f"-d{thing.dimension}" if hasattr(thing, "dimension") else "")
