"""Every optimizer with usual and unusual hyperparameters, and every problem: one table for all contracts.

`OPTIMIZERS` are the classical ones, which meet every problem; `MORE_OPTIMIZERS` meet one of few coordinates and one
with data.
"""

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

MORE_OPTIMIZERS = [
    o.rmsprop(alpha=0.9, eps_in_sqrt=True, momentum=0.5, lr_in_momentum=True),
    o.rmsprop(alpha=0.9, eps=1e-4, eps_in_sqrt=True, centered=True),
    o.adadelta(),
    o.adadelta(rho=0.5, eps=1e-3),
    o.adamw(),
    o.adamw(weight_decay=0.3, amsgrad=True),
    o.amsgrad(),
    o.amsgrad(beta2=0.9, debias_first=True),
    o.adamax(),
    o.nadam(),
    o.nadam(beta1=0.5, momentum_schedule=False),
    o.radam(),
    o.radam(beta2=0.95),
    o.rprop(),
    o.rprop(eta_minus=0.3, eta_plus=1.5, step_min=1e-3, step_max=0.5),
    o.asgd(),
    o.asgd(lambd=0.5, alpha=1.0),
    o.asgd(lambd=0.5, alpha=0.5),
    o.lion(),
    o.lion(beta1=0.5, beta2=0.8, weight_decay=0.1),
    o.tiger(),
    o.signsgd(),
    o.signum(),
    o.yogi(),
    o.yogi(initial_accumulator_value=0.1),
    o.adabelief(),
    o.adan(),
    o.adan(beta1=0.8, beta2=0.7, beta3=0.9, weight_decay=0.1),
    o.adopt(),
    o.adopt(beta2=0.9, clip=False),
    o.ademamix(),
    o.ademamix(beta3=0.99, alpha=2.0, warmup=50.0, weight_decay=0.1),
    o.padam(),
    o.padam(partial=0.125),
    o.padam(partial=0.5),
    o.qhm(),
    o.qhadam(),
    o.qhadam(nu1=0.3, nu2=0.6),
    o.madgrad(),
    o.madgrad(momentum=0.0, eps=1e-2),
    o.schedule_free_sgd(),
    o.schedule_free_adamw(),
    o.schedule_free_adamw(beta1=0.5, weight_decay=0.1),
    o.normalized_gd(),
    o.polyak_sgd(),
    o.polyak_sgd(largest=0.01),
    o.barzilai_borwein(),
    o.barzilai_borwein(short=True),
    o.adgd(),
    o.lamb(),
    o.lamb(weight_decay=0.1),
    o.lars(),
    o.lars(momentum=0.5, weight_decay=0.1, trust_coefficient=0.1, eps=1e-3),
    o.cautious_momentum(),
    o.cautious_adam(),
    o.cautious_adam(beta1=0.5, weight_decay=0.1),
    o.cautious_lion(),
    o.cautious_lion(beta1=0.5, weight_decay=0.1),
]
ALL_OPTIMIZERS = [*OPTIMIZERS, *MORE_OPTIMIZERS]

_rng = np.random.default_rng(5)
PROBLEMS = [
    p.quartic(),
    p.sigmoid(),
    p.rosenbrock(),
    p.linear_regression(),
    p.linear_regression(X=_rng.normal(size=(17, 5)), y=_rng.normal(size=17)),
    p.linear_regression(X=[[2.0]], y=[3.0]),
]
DATA_PROBLEMS = [
    p.linear_regression(data="diabetes"),
    p.linear_regression(data="diabetes", batch_size=7, seed=3),
    p.ridge_regression(alpha=3.0),
    p.ridge_regression(X=_rng.normal(size=(11, 4)) * 5, y=_rng.normal(size=11), standardize=False, bias=False),
    p.ridge_regression(alpha=30.0, batch_size=16),
    p.logistic_regression(data="iris", positive="setosa"),
    p.logistic_regression(data="iris", positive="virginica", l2=0.0, batch_size=9),
    p.logistic_regression(X=_rng.normal(size=(13, 2)), y=[0, 1] * 6 + [0], l2=0.3, bias=False),
    p.softmax_regression(),
    p.softmax_regression(data="iris", l2=0.1, batch_size=5, seed=1),
]
"""Problems with data of any size; least squares with a penalty or without is exact among them."""
EXACT = [problem for problem in PROBLEMS if problem.name != "sigmoid"]
"""Problems in which only + - * / sqrt occur: kernel and reference agree to the bit."""


def label(thing):
    if not hasattr(thing, "label"):
        return None
    return thing.label + (f"-d{thing.dimension}" if hasattr(thing, "dimension") else "")
