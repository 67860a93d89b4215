"""StableAdamW: AdamW that takes smaller steps where gradients are larger than the second moment expects.

    m ← β₁ₜ m + (1 − β₁ₜ) g,   v ← β₂ₜ v + (1 − β₂ₜ) g²,   βₜ = β (1 − βᵗ⁻¹)/(1 − βᵗ)
    w = η / max(1, √mean(g² / max(v, ε²)))
    θ ← θ − w λ θ,   θ ← θ − w m / (√v + ε)

The mean is over all parameters of the problem. With βₜ in place of β the means need no debiasing.

Source: Wortsman et al. (2023), arXiv 2304.13013, the same as ``pytorch_optimizer.StableAdamW``.
"""

from gdfast.arguments import POSITIVE
from gdfast.formulas.elementary import Array, maximum, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, named


def rule(theta, grad, m, v, lr, surprise, eps, weight_decay, kept1, kept2, dimension):
    m = kept1 * m + (1 - kept1) * grad
    v = kept2 * v + (1 - kept2) * grad * grad
    rate = lr / maximum(sqrt(surprise / dimension), 1.0)
    theta = theta - rate * weight_decay * theta
    theta = theta - rate * m / (sqrt(v) + eps)
    return theta, m, v


def terms(theta, grad, m, v, lr, eps, weight_decay, kept1, kept2, dimension):
    v = kept2 * v + (1 - kept2) * grad * grad
    return grad * grad / maximum(v, eps * eps)


def preconditioner(v, eps):
    return sqrt(v) + eps


@named(beta1=FRACTION, beta2=FRACTION, eps=POSITIVE, weight_decay=NONNEGATIVE)
def stable_adamw(beta1: float = 0.9, beta2: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.01) -> Optimizer:
    """StableAdamW, AdamW at the rate η / max(1, √mean(g²/v)).

    Parameters
    ----------
    beta1, beta2 : float in [0, 1)
        The shares of m and v that are kept in the long run.
    eps : float > 0
        Added to the root.
    weight_decay : float >= 0
        λ, decoupled.
    """

    def step_table(t: Array) -> dict[str, Array]:
        kept1, kept2 = (beta * (1.0 - power(beta, t - 1.0)) / (1.0 - power(beta, t)) for beta in (beta1, beta2))
        return {"kept1": kept1, "kept2": kept2}

    return Optimizer(
        rule, learning_rate=0.001, step_table=step_table, sums=("surprise",), terms=terms, preconditioner=preconditioner
    )
