"""SOAP: Adam in the eigenbasis of Shampoo's factors, for the matrices of a network; Adam for the rest.

    M ← β₁ M + (1 − β₁) G,   V ← β₂ V + (1 − β₂) (Aᵀ G B)²
    W ← (1 − η λ) (W − η √(1 − β₂ᵗ)/(1 − β₁ᵗ) A [Aᵀ M B / (√V + ε)] Bᵀ)
    L ← γ L + (1 − γ) G Gᵀ,   R ← γ R + (1 − γ) Gᵀ G
    A, B ← eigenvectors of L and R; then, each k-th step, Q of the QR decompositions of L A and R B

The first gradient only makes L, R, A and B: it moves nothing, and t counts from the second on. A step of power
iteration orders its directions by the falling diagonal of Aᵀ L A, and V with them. Of what is no matrix, such as
biases, and of landscapes, the rule is Adam's, likewise from the second step on.

It is ``pytorch_optimizer.SOAP``, which computes QR in float32; γ is its shampoo_beta. Eigenvectors whose eigenvalues
are the same, as those of a matrix with few gradients, may be any basis of their space; here they come from Jacobi's
method, see `gdfast.formulas.factors`. There a rounding decides, and Adam's division makes its result as large as any:
on a network with functions that kernel and reference round differently, such as exp, the two may part after some steps.

Source: Vyas et al. (2024), arXiv 2409.11321, algorithm 3.
"""

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array, power, sqrt
from gdfast.formulas.factors import accumulated, into_basis, out_of_basis, turned
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named


def rule(theta, grad, m, v, lr, eps, keep1, share1, keep2, share2, rate, decay):
    m = keep1 * m + share1 * grad
    v = keep2 * v + share2 * (grad * grad)
    theta = (theta - lr * rate * (m / (sqrt(v) + eps))) * (1 - lr * decay)
    return theta, m, v


def of_matrices(
    theta, grad, m, v, lr, eps, keep1, share1, keep2, share2, rate, decay, shampoo_beta, shampoo_share, anew
):
    v = turned(v, anew)
    m = keep1 * m + share1 * grad
    rotated = into_basis(accumulated(grad, shampoo_beta, shampoo_share))
    v = keep2 * v + share2 * (rotated * rotated)
    step = out_of_basis(into_basis(m) / (sqrt(v) + eps))
    theta = (theta - lr * rate * step) * (1 - lr * decay)
    return theta, m, v


@named(beta1=FRACTION, beta2=FRACTION, shampoo_beta=FRACTION, weight_decay=NONNEGATIVE, eps=POSITIVE)
def soap(
    beta1: float = 0.95,
    beta2: float = 0.95,
    shampoo_beta: float = 0.95,
    weight_decay: float = 0.01,
    eps: float = 1e-8,
    every: int = 10,
) -> Optimizer:
    """SOAP, W ← (1 − η λ) (W − η A [Aᵀ M B / (√V + ε)] Bᵀ) of matrices, with debiasing, and Adam of all else.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        β₁ and β₂, the shares of M and V that are kept.
    shampoo_beta : float in [0, 1)
        γ, the share of L and R that is kept.
    weight_decay : float >= 0
        λ; the parameters shrink by η λ a step.
    eps : float > 0
        ε, added to the root.
    every : int
        k, steps from one basis to the next, at least 1.

    Raises
    ------
    TypeError, ValueError
        If `every` is no whole number of at least 1.
    """
    arguments.integer("soap: every", every, low=1)

    def step_table(t: Array) -> dict[str, Array]:
        later, updates = t > 1, np.maximum(t - 1, 1)
        follows = (t > 2) & ((t - 2) % every == 0)
        return {
            "keep1": np.where(later, beta1, 1.0),
            "share1": np.where(later, 1 - beta1, 0.0),
            "keep2": np.where(later, beta2, 1.0),
            "share2": np.where(later, 1 - beta2, 0.0),
            "rate": np.where(later, np.sqrt(1 - power(beta2, updates)) / (1 - power(beta1, updates)), 0.0),
            "decay": np.where(later, weight_decay, 0.0),
            "shampoo_share": np.full_like(t, 1 - shampoo_beta),
            "anew": np.where(t == 2, 2.0, follows),  # of the statistics of the steps before
        }

    return Optimizer(rule, learning_rate=3e-3, step_table=step_table, matrix_rule=of_matrices)
