"""AdEMAMix: Adam with a second, slow running mean of the gradient.

    m ← β₁ m + (1 − β₁) g,   s ← β₃ s + (1 − β₃) g,   v ← β₂ v + (1 − β₂) g²
    θ ← (1 − η λ) θ − η [m/(1 − β₁ᵗ) + α s] / (√v / √(1 − β₂ᵗ) + ε)

Over `warmup` steps α rises linearly from 0 and β₃ from β₁, so that its half-life rises linearly.

Source: Pagliardini, Ablin & Grangier (2024), arXiv 2409.03137; the same as ``pytorch_optimizer.AdEMAMix``.
"""

import numpy as np

from gdfast.formulas.elementary import Array, logarithm, power, sqrt
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, Optimizer, debiasing, named


def rule(theta, grad, m, slow, v, lr, beta1, beta2, eps, weight_decay, rate, debias, keep, share):
    m = beta1 * m + (1 - beta1) * grad
    slow = keep * slow + (1 - keep) * grad
    v = beta2 * v + (1 - beta2) * grad * grad
    theta = theta * (1 - lr * weight_decay) - lr * (rate * m + share * slow) / (sqrt(v) * debias + eps)
    return theta, m, slow, v


def preconditioner(v, eps, debias):
    return sqrt(v) * debias + eps


@named(
    beta1=FRACTION,
    beta2=FRACTION,
    beta3=FRACTION,
    alpha=NONNEGATIVE,
    eps=NONNEGATIVE,
    weight_decay=NONNEGATIVE,
    warmup=NONNEGATIVE,
)
def ademamix(
    beta1: float = 0.9,
    beta2: float = 0.999,
    beta3: float = 0.9999,
    alpha: float = 5.0,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    warmup: float = 0.0,
) -> Optimizer:
    """AdEMAMix, Adam with α times a slow running mean added to m̂.

    Parameters
    ----------
    beta1, beta2, beta3 : float in [0, 1)
        The shares of m, v and s that are kept.
    alpha : float >= 0
        The weight of the slow mean.
    eps : float >= 0
        Added to the root.
    weight_decay : float >= 0
        λ, decoupled.
    warmup : float >= 0
        Steps over which α and β₃ rise; 0 for constants.

    Raises
    ------
    ValueError
        If there is a warm-up and β₁ or β₃ is 0, whose half-life is 0.
    """
    if warmup and not (beta1 and beta3):
        raise ValueError(f"ademamix: beta1 and beta3 must be above 0 with a warmup, not {beta1:g} and {beta3:g}")

    def step_table(t: Array) -> dict[str, Array]:
        share, keep = np.full_like(t, alpha), np.full_like(t, beta3)
        if warmup:
            done = np.minimum(t / warmup, 1.0)
            fast, slow = (logarithm(beta)[0] for beta in (beta1, beta3))
            share = alpha * done
            keep = np.minimum(power(beta1, slow / ((1.0 - done) * slow + done * fast)), beta3)
        return {**debiasing(beta1, beta2)(t), "share": share, "keep": keep}

    return Optimizer(rule, learning_rate=0.001, step_table=step_table, preconditioner=preconditioner)
