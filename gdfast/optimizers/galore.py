"""GaLore: Adam on the gradients' leading directions, for the matrices of a network; Adam for the rest.

    A ← the first r left singular vectors of G, anew at the first and then each k-th step
    g = Aᵀ G,   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
    W ← W − η (s A [m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)] + λ W)

Of a matrix with more columns than rows it is G B with right singular vectors B. Moments stay as they are when the basis
becomes another, so that they go on along other directions. Of what is no matrix, such as biases, and of landscapes, the
rule is Adam's with the same decay.

It is ``optax.contrib.galore``, which computes singular vectors in float32 and leaves their signs to LAPACK; here the
entry that is largest in size is positive. They come from Jacobi's method, see `gdfast.formulas.factors`. With a rank
from the smaller side on nothing is left out, but Adam runs in another basis.

Source: Zhao et al. (2024), arXiv 2403.03507, algorithms 1 and 2.
"""

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array, sqrt
from gdfast.formulas.factors import aligned, into_basis, out_of_basis
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, lr, beta1, beta2, eps, weight_decay, rate, debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * (grad * grad)
    theta = theta - lr * (rate * m / (sqrt(v) * debias + eps) + weight_decay * theta)
    return theta, m, v


def of_matrices(
    theta, grad, m, v, lr, beta1, beta2, eps, weight_decay, rate, debias, scale, rank, refresh
):  # fmt: skip
    low = into_basis(aligned(grad, rank, refresh))
    m = beta1 * m + (1 - beta1) * low
    v = beta2 * v + (1 - beta2) * (low * low)
    step = out_of_basis(rate * m / (sqrt(v) * debias + eps))
    theta = theta - lr * (scale * step + weight_decay * theta)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, scale=POSITIVE, weight_decay=NONNEGATIVE, eps=POSITIVE)
def galore(
    rank: int = 4,
    every: int = 200,
    scale: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Optimizer:
    """GaLore, W ← W − η s A Adam(Aᵀ G) with leading singular vectors A of matrices, and Adam of all else.

    Parameters
    ----------
    rank : int
        r, how many singular vectors there are at most, at least 1. optax has 128, for larger networks.
    every : int
        k, steps from one basis to the next, at least 1.
    scale : float > 0
        s, of the steps of matrices.
    beta1, beta2 : float in [0, 1)
        β₁ and β₂, the shares of m and v that are kept.
    eps : float > 0
        ε, added to the root.
    weight_decay : float >= 0
        λ; the parameters shrink by η λ a step.

    Raises
    ------
    TypeError, ValueError
        If `rank` or `every` is no whole number of at least 1.
    """
    arguments.integer("galore: rank", rank, low=1)
    arguments.integer("galore: every", every, low=1)
    adam = debiasing(beta1, beta2)

    def step_table(t: Array) -> dict[str, Array]:
        return {**adam(t), "refresh": ((t - 1) % every == 0).astype(np.float64)}

    return Optimizer(rule, learning_rate=1e-3, step_table=step_table, matrix_rule=of_matrices)
