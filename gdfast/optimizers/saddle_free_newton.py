"""Saddle-free Newton: the absolute values of the curvatures, so that saddles repel.

    θ ← θ − η (|H| + λ I)⁻¹ g

|H| is the Hessian with the absolute values of its eigenvalues.

Source: Dauphin, Pascanu, Gulcehre, Cho, Ganguli & Bengio (2014), arXiv 1406.2572, algorithm 1 without its subspace.
"""

from gdfast.formulas.vectors import absolute_hessian_solve
from gdfast.optimizers._optimizer import NONNEGATIVE, Optimizer, named


def rule(theta, grad, lr, damping):
    return theta - lr * absolute_hessian_solve(grad, damping)


@named(damping=NONNEGATIVE)
def saddle_free_newton(damping: float = 1e-3) -> Optimizer:
    """Saddle-free Newton, θ ← θ − η (|H| + λ I)⁻¹ g.

    Parameters
    ----------
    damping : float >= 0
        λ, in units of curvatures.
    """
    return Optimizer(rule, learning_rate=1.0)
