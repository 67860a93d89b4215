"""Whether a minimum attracts, and up to which learning rate.

Near a minimum an optimizer with constant coefficients is a recursion in displacement and state, linear to first order.
A small disturbance dies out, and the minimum attracts, where the spectral radius of its matrix is below 1: for learning
rates below a limit. For gradient descent and momentum the limit is a formula of λ, the largest eigenvalue of the
Hessian (the *curvature*). For every rule it is found by running the rule on tiny disturbances, see
`gdfast.theory.resting`; rules with a running second moment are taken at rest, where it has decayed, and it is then the
ε of the rule that decides.
"""

from gdfast.theory.attracting import MEANING_OF_ATTRACTION, Attraction
from gdfast.theory.closed import adam_frozen, ema_momentum, gd, heavy_ball, nesterov, qhm
from gdfast.theory.limits import edge, limit, limits, spectral_radius
from gdfast.theory.signals import critical_weights, mean_field, next_variance

__all__ = [
    "MEANING_OF_ATTRACTION",
    "Attraction",
    "adam_frozen",
    "critical_weights",
    "edge",
    "ema_momentum",
    "gd",
    "heavy_ball",
    "limit",
    "limits",
    "mean_field",
    "nesterov",
    "next_variance",
    "qhm",
    "spectral_radius",
]
