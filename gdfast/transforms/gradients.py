"""Transforms of the gradient, before the update."""

from gdfast import arguments
from gdfast.arguments import NONNEGATIVE, POSITIVE, UNIT
from gdfast.formulas.elementary import absolute, maximum, minimum, power, select, sign
from gdfast.named import named
from gdfast.transforms._transform import Transform, extent, part


def _clipped(theta, grad, lr, limit):
    return maximum(minimum(grad, limit), -limit)


@named(limit=POSITIVE)
def clip_value(limit: float = 1.0) -> Transform:
    """Clip each entry of the gradient to [−limit, limit] (torch's ``clip_grad_value_``, optax's ``clip``).

    Parameters
    ----------
    limit : float > 0
        The largest absolute value of an entry.
    """
    return Transform(_clipped)


def _clip_entries(theta, grad, lr, max_norm, eps):
    return grad


def _clipped_by_norm(theta, grad, lr, norm, max_norm, eps):
    return grad * minimum(max_norm / (norm + eps), 1.0)


@named(max_norm=POSITIVE, eps=NONNEGATIVE, over=extent)
def clip_norm(max_norm: float = 1.0, eps: float = 1e-6, over: str = "all") -> Transform:
    """Scale the gradient to a norm of at most max_norm: g · min(1, max_norm / (‖g‖ + ε)).

    ε = 1e-6 is torch's ``clip_grad_norm_``, ε = 0 optax's ``clip_by_global_norm``. Source: Pascanu, Mikolov & Bengio
    (2013), "On the difficulty of training recurrent neural networks".

    Parameters
    ----------
    max_norm : float > 0
        The largest Euclidean norm.
    eps : float >= 0
        ε.
    over : {"all", "arrays", "units"}
        Of what the norm is: of all parameters, of each array, or of the inputs of each unit.
    """
    return Transform(_clipped_by_norm, norms=("norm",), entries=_clip_entries, over=over)


def _plain_entries(theta, grad, lr):
    return grad


def _normalized(theta, grad, lr, norm):
    return select(norm > 0, grad / norm, 0.0)


@named(over=extent)
def normalize(over: str = "all") -> Transform:
    """Scale the gradient to norm 1: g / ‖g‖, and 0 where it is 0 (optax's ``normalize_by_update_norm``).

    Parameters
    ----------
    over : {"all", "arrays", "units"}
        Of what the norm is: of all parameters, of each array, or of the inputs of each unit.
    """
    return Transform(_normalized, norms=("norm",), entries=_plain_entries, over=over)


def _amount(theta, grad, lr):
    return grad, 1.0


def _centred(theta, grad, lr, total, size):
    return grad - total / size


@named()
def centralize() -> Transform:
    """Gradient centralization: from each unit's gradient of its weights their mean is taken away.

    It is of matrices, the weights between two layers, which networks have; biases stay. Source: Yong, Huang, Hua &
    Zhang (2020), arXiv 2004.01461. In torch, whose matrices have a row a unit, it is ``pytorch_optimizer``'s
    ``centralize_gradient``, and for such arrays optax's ``centralize``.
    """
    return Transform(_centred, sums=("total", "size"), terms=_amount, over="units")


def _ridge(theta, grad, lr, weight):
    return grad + weight * theta


@named(weight=NONNEGATIVE, of=part)
def l2(weight: float = 0.01, of: str = "all") -> Transform:
    """Coupled weight decay, g + λθ: the gradient of the loss plus ½λ‖θ‖² (torch's ``weight_decay`` except in AdamW).

    Parameters
    ----------
    weight : float >= 0
        λ.
    of : {"all", "matrices"}
        Of which parameters it is: of all, or of weights alone, and no biases, scales and shifts.
    """
    return Transform(_ridge, of=of)


def _lasso(theta, grad, lr, weight):
    return grad + weight * sign(theta)


@named(weight=NONNEGATIVE, of=part)
def l1(weight: float = 0.01, of: str = "all") -> Transform:
    """The subgradient of an L1 penalty, g + λ sign θ, with sign 0 = 0: of the loss plus λ‖θ‖₁.

    Parameters
    ----------
    weight : float >= 0
        λ.
    of : {"all", "matrices"}
        Of which parameters it is: of all, or of weights alone, and no biases, scales and shifts.
    """
    return Transform(_lasso, of=of)


def _noisy(theta, grad, lr, noise, deviation):
    return grad + deviation * noise


@named(sigma=NONNEGATIVE, gamma=UNIT)
def noise(sigma: float = 0.1, gamma: float = 0.0, seed: int = 0) -> Transform:
    """Gaussian noise of variance σ²/(1 + t)^γ on each entry, t = 0 at the first step.

    It depends on the seed, the trajectory's number in the sweep, the step and the coordinate, and on nothing else:
    neither tiles nor workers matter. Source: Neelakantan et al. (2015), "Adding gradient noise improves learning for
    very deep networks" (γ = 0.55).

    Parameters
    ----------
    sigma : float >= 0
        σ, the standard deviation at the first step.
    gamma : float in [0, 1]
        γ, by which the variance falls.
    seed : int
        Of the random numbers, below 2⁶³.
    """
    arguments.integer("noise: seed", seed, low=0, high=2**63 - 1)
    return Transform(_noisy, step_table=lambda t: {"deviation": sigma / power(t, gamma / 2)})


def _slope_entries(theta, grad, lr, rho):
    return grad


def _worst(theta, grad, lr, size, rho):
    return theta + rho * select(size == 0, 0.0, grad / size)


def _scaled_entries(theta, grad, lr, rho):
    return absolute(theta) * grad


def _worst_by_scale(theta, grad, lr, size, rho):
    return theta + rho * select(size == 0, 0.0, theta * theta * grad / size)


@named(rho=NONNEGATIVE, over=extent)
def sam(rho: float = 0.05, adaptive: bool = False, over: str = "all") -> Transform:
    """Sharpness-aware minimization of any rule: the gradient at the worst point of a ball about the present one.

        g ← ∇f(θ + ρ g/‖g‖), no step away where g = 0

    Both gradients are of the same rows of data, and what stands before it is done to both; what stands behind it, to
    the second. A step asks for two gradients. With ``adaptive`` the ball is one in units of the parameters, ASAM's:

        g ← ∇f(θ + ρ θ² g/‖θ g‖)

    Source: Foret, Kleiner, Mobahi & Neyshabur (2021), arXiv 2010.01412, algorithm 1; Kwon, Kim, Park & Choi (2021),
    arXiv 2102.11600, with η = 0. It is ``optax.contrib.sam`` in opaque mode around any optimizer, with one step of
    normalized gradient descent as adversary, and ``pytorch_optimizer.SAM`` with ``perturb_eps=0``.

    Parameters
    ----------
    rho : float >= 0
        ρ, the radius of the ball.
    adaptive : bool
        Whether the ball is in units of the parameters.
    over : {"all", "arrays", "units"}
        Of what the norm is: of all parameters, of each array, or of the inputs of each unit.
    """
    if arguments.flag("sam: adaptive", adaptive):
        return Transform(_worst_by_scale, norms=("size",), entries=_scaled_entries, over=over, elsewhere=True)
    return Transform(_worst, norms=("size",), entries=_slope_entries, over=over, elsewhere=True)
