"""Adafactor: gradients divided by roots of second moments that a matrix keeps by rows and columns only.

    R ← R + t⁻ᵞ (mean of G² over columns − R),   C ← C + t⁻ᵞ (mean of G² over rows − C)
    U = G / √max(R C / max(mean of R, ε₁), ε₁²)
    W ← (1 − η λ) W − ρ max(ε₂, rms W) U / max(1, rms(U) / d)       ρ = min(η, 1/√t)

R has a number for each row, C for each column. What is no matrix, such as biases, and a landscape, has a moment of its
own for each coordinate in place of R C. Root mean squares are over the entries of one array of parameters.

Source: Shazeer & Stern (2018), arXiv 1804.04235, section 9, in the form of ``torch.optim.Adafactor``, whose beta2_decay
is −γ. ``optax.adafactor`` has ρ = η, adds ε₁² to G², and decays the parameters by λ without η.
"""

import numpy as np

from gdfast.formulas.elementary import maximum, minimum, power, sqrt
from gdfast.formulas.matrices import column_mean, mean, row_mean
from gdfast.optimizers._optimizer import NONNEGATIVE, POSITIVE, Optimizer, named


def rule(theta, grad, r, c, lr, squares, steps, dimension, eps1, eps2, threshold, weight_decay, fresh, most):
    r = r + fresh * (grad * grad - r)
    update = grad / sqrt(maximum(r, eps1 * eps1))
    rate = minimum(lr, most) * maximum(eps2, sqrt(squares / dimension))
    theta = theta * (1 - lr * weight_decay) - rate * update / maximum(1, sqrt(steps / dimension) / threshold)
    return theta, r, c


def terms(theta, grad, r, c, lr, dimension, eps1, eps2, threshold, weight_decay, fresh, most):
    r = r + fresh * (grad * grad - r)
    update = grad / sqrt(maximum(r, eps1 * eps1))
    return theta * theta, update * update


def of_matrices(theta, grad, r, c, lr, eps1, eps2, threshold, weight_decay, fresh, most):
    r = r + fresh * (row_mean(grad * grad) - r)
    c = c + fresh * (column_mean(grad * grad) - c)
    second_moment = r * c / maximum(column_mean(r), eps1)
    update = grad / sqrt(maximum(second_moment, eps1 * eps1))
    rate = minimum(lr, most) * maximum(eps2, sqrt(mean(theta * theta)))
    theta = theta * (1 - lr * weight_decay) - rate * update / maximum(1, sqrt(mean(update * update)) / threshold)
    return theta, r, c


@named(decay=NONNEGATIVE, eps1=POSITIVE, eps2=NONNEGATIVE, threshold=POSITIVE, weight_decay=NONNEGATIVE)
def adafactor(
    decay: float = 0.8,
    eps1: float = 2.0**-52,
    eps2: float = 1e-3,
    threshold: float = 1.0,
    weight_decay: float = 0.0,
) -> Optimizer:
    """Adafactor, W ← W − ρ max(ε₂, rms W) U with G over the root of moments of rows and columns as U.

    Parameters
    ----------
    decay : float >= 0
        γ; a step's share of the moments is t⁻ᵞ.
    eps1 : float > 0
        The least root of a moment.
    eps2 : float >= 0
        The least size of the parameters that steps are multiples of.
    threshold : float > 0
        d, the root mean square from which on U is scaled down.
    weight_decay : float >= 0
        λ; the parameters shrink by η λ a step.
    """
    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=lambda t: {"fresh": power(t, -decay), "most": 1 / np.sqrt(t)},
        sums=("squares", "steps"),
        terms=terms,
        matrix_rule=of_matrices,
    )
