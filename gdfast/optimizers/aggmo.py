"""AggMo: the mean of three momenta that forget at different speeds.

    bᵢ ← βᵢ bᵢ + g,   i = 1, 2, 3
    θ ← θ − (η / 3) (b₁ + b₂ + b₃)

Source: Lucas, Sun, Zemel & Grosse (2019), arXiv 1804.00325, with the defaults of ``pytorch_optimizer.AggMo``.
"""

from gdfast.optimizers._optimizer import FRACTION, Optimizer, named


def rule(theta, grad, fast, middle, slow, lr, beta1, beta2, beta3):
    fast = beta1 * fast + grad
    middle = beta2 * middle + grad
    slow = beta3 * slow + grad
    theta = theta - lr / 3 * (fast + middle + slow)
    return theta, fast, middle, slow


@named(beta1=FRACTION, beta2=FRACTION, beta3=FRACTION)
def aggmo(beta1: float = 0.0, beta2: float = 0.9, beta3: float = 0.99) -> Optimizer:
    """AggMo, θ ← θ − η (b₁ + b₂ + b₃)/3.

    Parameters
    ----------
    beta1, beta2, beta3 : float in [0, 1)
        The shares of the momenta that are kept.
    """
    return Optimizer(rule, learning_rate=0.01)
