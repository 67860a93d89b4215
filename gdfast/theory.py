"""Stability limits of learning rates at a minimum.

Near a minimum whose Hessian has the largest eigenvalue λ (its *curvature*), an optimizer with constant
coefficients is a linear recursion. It is stable, and the minimum attracts, for learning rates below a limit.
"""

from gdfast.optimizers import Optimizer


def gd(curvature: float) -> float:
    """Limit of gradient descent, 2/λ: where |1 − ηλ| = 1."""
    return 2.0 / curvature


def heavy_ball(curvature: float, momentum: float) -> float:
    """Limit of heavy-ball momentum, 2(1 + μ)/λ (Polyak 1964)."""
    return 2.0 * (1.0 + momentum) / curvature


def nesterov(curvature: float, momentum: float) -> float:
    """Limit of Nesterov momentum with constant μ, 2(1 + μ)/((1 + 2μ)λ)."""
    return 2.0 * (1.0 + momentum) / ((1.0 + 2.0 * momentum) * curvature)


def ema_momentum(curvature: float, beta: float) -> float:
    """Limit of momentum as an exponential moving average, 2(1 + β)/((1 − β)λ)."""
    return 2.0 * (1.0 + beta) / ((1.0 - beta) * curvature)


def qhm(curvature: float, momentum: float, nu: float) -> float:
    """Limit of quasi-hyperbolic momentum, 2(1 + μ)/((1 + μ − 2νμ)λ): gd's at ν = 0, `ema_momentum`'s at ν = 1."""
    return 2.0 * (1.0 + momentum) / ((1.0 + momentum - 2.0 * nu * momentum) * curvature)


def adam_frozen(curvature: float, beta1: float) -> float:
    """Limit of Adam with a frozen preconditioner; `curvature` is that of the preconditioned Hessian.

    It is `ema_momentum`'s: 38/λ at β₁ = 0.9 (Cohen et al. 2022, arXiv 2207.14484). In one coordinate of curvature h
    the preconditioned curvature is h/(√v̂ + ε).
    """
    return ema_momentum(curvature, beta1)


def limit(optimizer: Optimizer, curvature: float) -> float | None:
    """The largest stable learning rate of an optimizer at a minimum, None where theory gives no number.

    There is none for an optimizer with a schedule or transforms.

    Parameters
    ----------
    optimizer : Optimizer
        Its rule and hyperparameters.
    curvature : float
        λ, the largest eigenvalue of the Hessian at the minimum.
    """
    if optimizer.schedule or optimizer.transforms:
        return None
    if optimizer.name == "gd":
        return gd(curvature)
    if optimizer.name == "momentum":
        # Dampening scales the gradient's entry into the buffer, from the second step on.
        gain = 1.0 - optimizer.parameters["dampening"]
        return heavy_ball(curvature, optimizer.parameters["momentum"]) / gain if gain > 0 else None
    if optimizer.name == "nesterov":
        return nesterov(curvature, optimizer.parameters["momentum"])
    if optimizer.name == "qhm":
        return qhm(curvature, optimizer.parameters["momentum"], optimizer.parameters["nu"])
    return None
