"""Shampoo: gradients of a matrix whitened from both sides, by roots of what they were; AdaGrad for the rest.

    L ← β L + s G Gᵀ,   R ← β R + s Gᵀ G           s = 1 for β = 1, else 1 − β
    A = (L + ε I)^(−1/4),   B = (R + ε I)^(−1/4)    anew at the first and then each k-th step
    M ← μ M + A G B
    W ← (1 − η λ) W − η M

With β = 1 all gradients count alike, as in the paper; ε is what the paper's L and R begin with. Of what is no matrix,
such as biases, and of landscapes, the rule is that of diagonal factors, M ← μ M + g / √(v + ε) with v ← β v + s g²,
AdaGrad's for β = 1. ``pytorch_optimizer.Shampoo`` is the same without momentum and for k = 1, but for what is no
matrix; for larger k it stands still until the k-th step. The roots are made of eigenvectors by Jacobi's method, see
`gdfast.formulas.factors`.

Source: Gupta, Koren & Singer (2018), arXiv 1802.09568, algorithm 1; Anil et al. (2020), arXiv 2002.09018, for roots
that are made anew from time to time.
"""

import numpy as np

from gdfast import arguments
from gdfast.arguments import UNIT
from gdfast.formulas.elementary import Array, sqrt
from gdfast.formulas.factors import accumulated, whitened
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named


def rule(theta, grad, m, v, lr, momentum, weight_decay, eps, beta, share):
    v = beta * v + share * (grad * grad)
    m = momentum * m + grad / sqrt(v + eps)
    theta = theta * (1 - lr * weight_decay) - lr * m
    return theta, m, v


def of_matrices(theta, grad, m, v, lr, momentum, weight_decay, eps, beta, share, refresh):
    m = momentum * m + whitened(accumulated(grad, beta, share), eps, refresh)
    theta = theta * (1 - lr * weight_decay) - lr * m
    return theta, m, v


@named(momentum=FRACTION, beta=UNIT, weight_decay=NONNEGATIVE, eps=POSITIVE)
def shampoo(
    momentum: float = 0.0, beta: float = 1.0, weight_decay: float = 0.0, eps: float = 1e-6, every: int = 1
) -> Optimizer:
    """Shampoo, W ← (1 − η λ) W − η (L + ε I)^(−1/4) G (R + ε I)^(−1/4) of matrices, and AdaGrad of all else.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of M that is kept.
    beta : float in [0, 1]
        β, the share of L and R that is kept; with 1 they are sums.
    weight_decay : float >= 0
        λ; the parameters shrink by η λ a step.
    eps : float > 0
        ε, added to the eigenvalues of L and R.
    every : int
        k, steps from one making of the roots to the next, at least 1.

    Raises
    ------
    TypeError, ValueError
        If `every` is no whole number of at least 1.
    """
    arguments.integer("shampoo: every", every, low=1)

    def step_table(t: Array) -> dict[str, Array]:
        share = np.full_like(t, 1.0 if beta == 1 else 1 - beta)
        return {"share": share, "refresh": ((t - 1) % every == 0).astype(np.float64)}

    return Optimizer(
        rule,
        learning_rate=0.01,
        step_table=step_table,
        matrix_rule=of_matrices,
    )
