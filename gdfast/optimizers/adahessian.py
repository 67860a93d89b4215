"""AdaHessian: Adam with the Hessian's diagonal in place of the gradient in the second moment.

    D = diag(H), exact or by Hutchinson's estimate z H z with random signs z
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) D²,  at every k-th step
    θ ← θ − η m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)

The diagonal is exact on landscapes whose Hessian is a formula of few coordinates, and estimated elsewhere.

Source: Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney (2021), arXiv 2006.00719, algorithm 1, with a Hessian power of 1
and without its averages over the entries of convolutions; defaults are those of the authors' code.
"""

from gdfast.formulas.elementary import select, sqrt
from gdfast.formulas.vectors import hessian_diagonal
from gdfast.optimizers._hutchinson import draws
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, v, lr, due, low, middle, high, rate, debias, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * grad
    seen = hessian_diagonal(due, low, middle, high)
    v = select(due > 0, beta2 * v + (1 - beta2) * (seen * seen), v)
    return theta - lr * rate * m / (sqrt(v) * debias + eps), m, v


def preconditioner(v, debias, eps):
    return sqrt(v) * debias + eps


@named(beta1=FRACTION, beta2=FRACTION, eps=NONNEGATIVE)
def adahessian(
    beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-4, interval: int = 1, seed: int = 0
) -> Optimizer:
    """AdaHessian, Adam with the Hessian's diagonal in the second moment.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        β₁ and β₂, the memories of gradient and squared diagonal.
    eps : float >= 0
        ε, in units of curvatures.
    interval : int
        k, steps from one look at the diagonal to the next, from the first step on.
    seed : int
        Of the random signs, below 2⁶³.
    """
    moments, looks = debiasing(beta1, beta2), draws("adahessian", interval, seed)
    return Optimizer(
        rule,
        learning_rate=0.15,
        step_table=lambda t: {**moments(t), **looks(t)},
        preconditioner=preconditioner,
    )
