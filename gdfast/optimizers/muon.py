"""Muon: for the matrices of a network, momentum with all its singular values made equal; Adam for the rest.

    M ← μ M + (1 − μ) G,   U = (1 − μ) G + μ M, or M without Nesterov's look ahead
    W ← (1 − η λ) W − η s orthogonalized(U)

with s = √max(1, columns/rows), or r √max(rows, columns) for a root mean square r of all steps, whatever the shape
(Liu et al. 2025, arXiv 2502.16982, with r = 0.2). Rows are a layer's inputs. ``orthogonalized`` keeps the singular
vectors and brings the singular values near 1, by `steps` rounds of Newton–Schulz's iteration, see
`gdfast.formulas.matrices`. Of what is no matrix, such as biases, and of landscapes, the rule is Adam's at a multiple of
the learning rate, without weight decay.

With `debias` M and G in U are divided by 1 − μᵗ⁺¹ and 1 − μᵗ, M without Nesterov by 1 − μᵗ, and Adam has Nesterov's
look ahead likewise; then it is ``optax.contrib.muon`` with its eps at 0, which it adds to the norm. Without, it is
``torch.optim.Muon`` (which takes matrices alone) but for the iteration, which torch computes in bfloat16.

Source: Jordan (2024), https://kellerjordan.github.io/posts/muon/.
"""

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array, maximum, power, select, sqrt
from gdfast.formulas.matrices import orthogonalized
from gdfast.optimizers._optimizer import FRACTION, NONNEGATIVE, POSITIVE, Optimizer, named


def rule(theta, grad, m, v, lr, beta1, beta2, adam_eps, vector_rate, of_m, of_grad, root_debias):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * (grad * grad)
    theta = theta - lr * vector_rate * (of_m * m + of_grad * grad) / (sqrt(v) * root_debias + adam_eps)
    return theta, m, v


def of_matrices(
    theta, grad, m, v, lr, rows, columns,
    momentum, weight_decay, a, b, c, eps, steps, consistent_rms, of_momentum, of_gradient,
):  # fmt: skip
    m = momentum * m + (1 - momentum) * grad
    step = orthogonalized(of_momentum * m + of_gradient * grad, a, b, c, eps, steps)
    wide, consistent = sqrt(maximum(1, columns / rows)), consistent_rms * sqrt(maximum(rows, columns))
    scale = select(consistent_rms > 0, consistent, wide)
    theta = theta * (1 - lr * weight_decay) - lr * scale * step
    return theta, m, v


def _ahead(beta: float, nesterov: bool, debias: bool, t: Array) -> tuple[Array, Array]:
    """What momentum and gradient are multiplied by at the steps."""
    shares = np.where(debias, 1 - power(beta, t + nesterov), 1.0), np.where(debias, 1 - power(beta, t), 1.0)
    return (beta if nesterov else 1.0) / shares[0], (1 - beta if nesterov else 0.0) / shares[1]


@named(
    momentum=FRACTION,
    weight_decay=NONNEGATIVE,
    eps=NONNEGATIVE,
    consistent_rms=NONNEGATIVE,
    beta1=FRACTION,
    beta2=FRACTION,
    adam_eps=NONNEGATIVE,
    vector_rate=POSITIVE,
)
def muon(
    momentum: float = 0.95,
    nesterov: bool = True,
    weight_decay: float = 0.1,
    steps: int = 5,
    eps: float = 1e-7,
    consistent_rms: float = 0.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    adam_eps: float = 1e-8,
    vector_rate: float = 1.0,
    debias: bool = False,
) -> Optimizer:
    """Muon, W ← (1 − η λ) W − η s orthogonalized(momentum) of matrices, and Adam of all else.

    Parameters
    ----------
    momentum : float in [0, 1)
        μ, the share of M that is kept.
    nesterov : bool
        Whether the step is taken with the momentum ahead.
    weight_decay : float >= 0
        λ, of matrices; they shrink by η λ a step.
    steps : int
        Rounds of the iteration, from 0 to 99.
    eps : float >= 0
        The least norm that the iteration divides by.
    consistent_rms : float >= 0
        r; with 0 the scale is √max(1, columns/rows).
    beta1, beta2 : float in [0, 1)
        The shares of Adam's m and v that are kept.
    adam_eps : float >= 0
        Added to Adam's root.
    vector_rate : float > 0
        Adam's learning rate in multiples of η.
    debias : bool
        Whether both momenta are debiased as in optax, and Adam's looks ahead.

    Raises
    ------
    TypeError, ValueError
        If `steps` is no whole number from 0 to 99.
    """
    arguments.integer("muon: steps", steps, low=0, high=99)

    def step_table(t: Array) -> dict[str, Array]:
        of_momentum, of_gradient = _ahead(momentum, nesterov, debias, t)
        of_m, of_grad = _ahead(beta1, nesterov, True, t) if debias else _ahead(beta1, False, True, t)
        return {
            "of_momentum": of_momentum,
            "of_gradient": of_gradient,
            "of_m": of_m,
            "of_grad": of_grad,
            "root_debias": 1 / np.sqrt(1 - power(beta2, t)),
            "a": np.full_like(t, 3.4445),
            "b": np.full_like(t, -4.775),
            "c": np.full_like(t, 2.0315),
        }

    return Optimizer(rule, learning_rate=0.02, step_table=step_table, matrix_rule=of_matrices)
