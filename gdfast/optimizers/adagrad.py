"""AdaGrad: each coordinate's rate falls with the sum of its squared gradients.

    s ← s + g²
    θ ← θ − η / (1 + (t − 1) lr_decay) · g / (√s + ε)

Source: Duchi, Hazan & Singer (2011), "Adaptive subgradient methods", in the form and with the defaults of
``torch.optim.Adagrad``. ``optax.adagrad`` starts s at 0.1 and divides by √(s + ε) with ε = 1e-7: that is
``adagrad:initial_accumulator_value=0.1,eps=1e-07,eps_in_sqrt=True``.
"""

from gdfast.formulas.elementary import select, sqrt
from gdfast.optimizers._optimizer import NONNEGATIVE, Optimizer, named


def rule(theta, grad, total, lr, eps, decay):
    total = total + grad * grad
    theta = theta - lr * decay * grad / (sqrt(total) + eps)
    return theta, total


def rule_with_eps_in_sqrt(theta, grad, total, lr, eps, decay):
    total = total + grad * grad
    theta = theta - lr * decay * select(total > 0, grad / sqrt(total + eps), 0.0)
    return theta, total


def preconditioner(total, eps, decay):
    return (sqrt(total) + eps) / decay


def preconditioner_with_eps_in_sqrt(total, eps, decay):
    return sqrt(total + eps) / decay


@named(lr_decay=NONNEGATIVE, initial_accumulator_value=NONNEGATIVE, eps=NONNEGATIVE)
def adagrad(
    lr_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10, eps_in_sqrt: bool = False
) -> Optimizer:
    """AdaGrad, s ← s + g², θ ← θ − η g / (√s + ε).

    Parameters
    ----------
    lr_decay : float >= 0
        The learning rate is divided by 1 + (t − 1) lr_decay.
    initial_accumulator_value : float >= 0
        First value of s.
    eps : float >= 0
        Added to the root, against division by zero.
    eps_in_sqrt : bool
        Add ε under the root, and make no step where s is 0.
    """
    return Optimizer(
        rule_with_eps_in_sqrt if eps_in_sqrt else rule,
        learning_rate=0.01,
        step_table=lambda t: {"decay": 1.0 / (1.0 + (t - 1.0) * lr_decay)},
        initial={"total": initial_accumulator_value},
        preconditioner=preconditioner_with_eps_in_sqrt if eps_in_sqrt else preconditioner,
    )
