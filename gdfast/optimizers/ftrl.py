"""FTRL-Proximal: the point that all gradients so far would have chosen, with a penalty that makes zeros.

    σ = (√(n + g²) − √n)/η,   n ← n + g²,   z ← z + g − σ θ
    θ ← 0 where |z| <= λ₁, else (λ₁ sign z − z) / ((√n + β)/η + λ₂)

Where there has been no gradient yet, or the rate is 0, θ stays.

Source: McMahan et al. (2013), "Ad click prediction", the same as ``pytorch_optimizer.FTRL`` and Keras's ``Ftrl``.
"""

from gdfast.formulas.elementary import absolute, select, sign, sqrt
from gdfast.optimizers._optimizer import NONNEGATIVE, Optimizer, named


def rule(theta, grad, z, n, lr, beta, lambda_1, lambda_2):
    square = n + grad * grad
    still = (square == 0) | (lr == 0)
    rate = select(still, 1.0, lr)
    z = select(still, z, z + grad - (sqrt(square) - sqrt(n)) / rate * theta)
    n = select(still, n, square)
    point = (lambda_1 * sign(z) - z) / select(still, 1.0, (sqrt(n) + beta) / rate + lambda_2)
    theta = select(still, theta, select(absolute(z) <= lambda_1, 0.0, point))
    return theta, z, n


@named(beta=NONNEGATIVE, lambda_1=NONNEGATIVE, lambda_2=NONNEGATIVE)
def ftrl(beta: float = 0.0, lambda_1: float = 0.0, lambda_2: float = 0.0) -> Optimizer:
    """FTRL-Proximal, θ ← (λ₁ sign z − z) / ((√n + β)/η + λ₂), 0 where |z| <= λ₁.

    Parameters
    ----------
    beta : float >= 0
        Added to the root.
    lambda_1, lambda_2 : float >= 0
        The penalties of |θ| and of ½ θ².
    """
    return Optimizer(rule, learning_rate=0.1)
