"""Transforms: what is done to the gradient before the update.

A transform is a rule for one coordinate, in the grammar of update rules, that returns the gradient the next transform
or the optimizer takes. Its arguments, in this order, are ``theta, grad``; ``lr``, the learning rate with its schedule;
Euclidean norms of the vectors of `entries`; sums over all coordinates of `terms`; ``noise``, a standard normal number
of its own for each trajectory, step and coordinate; and its coefficients. Use transforms by
``optimizer.transformed(clip_norm(1.0), noise(0.1))``, which applies them from left to right.

A trajectory is stationary, or has diverged, by the gradient of the loss, whatever transforms make of it: a gradient
beyond the limit is so before it is clipped, and where `l2` or `weight_decay` holds a point off the minimum, the
trajectory is ``frozen`` there, or at the minimum if its loss is within the tolerance.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from gdfast import arguments
from gdfast.arguments import NONNEGATIVE, POSITIVE, UNIT
from gdfast.formulas.elementary import Array, maximum, minimum, select, sign
from gdfast.formulas.noise import KEY, keys
from gdfast.named import named, parameters_of_factory
from gdfast.rules import arguments_of, check_coefficients, check_reduced, check_results, names_of, sample, steps_of
from gdfast.schedules import Varied


@dataclass(frozen=True, eq=False, repr=False)
class Transform(Varied):
    """A rule that changes the gradient before the update.

    Parameters
    ----------
    rule : callable
        From ``theta, grad, lr``, the norms, the sums, ``noise`` and the coefficients, of one coordinate, to the
        gradient; for a decoupled transform to the parameter.
    norms : tuple of str
        Names of the rule's arguments that are Euclidean norms over all coordinates.
    entries : callable, optional
        Of what: a function of the rule's arguments other than norms, sums and noise that returns a value for each norm.
    sums : tuple of str
        Names of the rule's arguments that are sums over all coordinates.
    terms : callable, optional
        What is summed: a function of the rule's arguments other than sums and noise that returns a value for each sum.
    step_table : callable, optional
        From the step numbers t = 1, 2, … (float64 array) to a mapping of coefficient names to arrays.
    decoupled : bool
        Whether the rule acts on the parameter, just before the update, instead of on the gradient.
    parameters : mapping
        Coefficients by name that do not depend on the step; a factory's are its parameters.

    Raises
    ------
    TypeError, ValueError
        If the rule is not in the grammar, or its arguments do not fit the rest.

    Examples
    --------
    One of one's own, from its rule alone or, with parameters that are checked, from a factory:

    >>> from gdfast import optimizers
    >>> def shrunk(theta, grad, lr, share):
    ...     return grad * (1 - share) / (1 + abs(grad))
    >>> optimizers.gd().transformed(Transform(shrunk, parameters={"share": 0.5}))
    <optimizer gd|<shrunk>:share=0.5>
    >>> @named(share=UNIT)
    ... def shy(share: float = 0.1) -> Transform:
    ...     return Transform(shrunk)
    >>> optimizers.adam().transformed(shy(share=0.2))
    <optimizer adam|shy:share=0.2>
    """

    rule: Callable[..., Any]
    norms: tuple[str, ...] = ()
    entries: Callable[..., Any] | None = None
    euclidean: ClassVar[bool] = True
    sums: tuple[str, ...] = ()
    terms: Callable[..., Any] | None = None
    step_table: Callable[[Array], Mapping[str, Any]] | None = None
    decoupled: bool = False
    parameters: Mapping[str, Any] = field(default_factory=parameters_of_factory)

    def __post_init__(self) -> None:
        for name in ("norms", "sums"):
            object.__setattr__(self, name, names_of(name, getattr(self, name)))
        _ = _signature(self.rule, self.norms, self.entries, self.sums, self.terms)
        if self.decoupled and (self.norms or self.sums or self.noisy):
            raise ValueError("decoupled must be False for a transform with norms, sums or noise, not True")
        parameters = arguments.mapping("parameters", self.parameters, "a mapping from names to values")
        columns = sample(self.step_table, steps_of(parameters))
        known = {*parameters, *columns, *KEY}
        check_coefficients(self.rule, self.coefficients, known, "a norm or a sum is told by norms or sums")
        if self.noisy and "seed" not in parameters:
            raise ValueError(f"rule {self.rule.__name__} has noise, so there must be a parameter seed beside it")
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    @property
    def noisy(self) -> bool:
        """Whether the rule asks for noise."""
        return _signature(self.rule, self.norms, self.entries, self.sums, self.terms)[0]

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after ``lr``, norms, sums and noise; a key comes last."""
        noisy, names = _signature(self.rule, self.norms, self.entries, self.sums, self.terms)
        return (*names, *(KEY if noisy else ()))

    def columns(self, max_steps: int) -> Array:
        """The coefficients of every step, ``float64[max_steps + 1, c]``.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        ndarray
            A row a step, a column a coefficient.
        """
        if self.courses:
            columns: Array = self.at_every_step(max_steps).columns(max_steps)
            return columns
        values: dict[str, Any] = dict(self.parameters)
        t = np.arange(1, max_steps + 2, dtype=np.float64)
        if self.step_table:
            values.update(self.step_table(t))
        if self.noisy:
            values.update(zip(KEY, keys(self.parameters["seed"], t).T, strict=True))
        columns = np.empty((max_steps + 1, len(self.coefficients)))
        for j, name in enumerate(self.coefficients):
            columns[:, j] = values[name]
        return columns


@functools.lru_cache(maxsize=4096)
def _signature(
    rule: Any, norms: tuple[str, ...], entries: Any, sums: tuple[str, ...], terms: Any
) -> tuple[bool, tuple[str, ...]]:
    """Tell whether a rule asks for noise, and its coefficients; refuse it if its arguments do not fit each other."""
    names = arguments_of("rule", rule, ("theta", "grad", "lr"))
    after = names[3:]
    taken = [name for name in names if name not in (*norms, *sums, "noise")]
    check_reduced("norms, of entries", norms, entries, taken, after[: len(norms)])
    taken = [name for name in names if name not in (*sums, "noise")]
    check_reduced("sums, of terms", sums, terms, taken, after[len(norms) : len(norms) + len(sums)])
    after = after[len(norms) + len(sums) :]
    noisy = "noise" in names
    if noisy and after[:1] != ("noise",):
        raise ValueError(f"rule {rule.__name__} must have noise right after lr, norms and sums")
    check_results(rule, ("grad",), "a transform has no state slots")
    return noisy, after[noisy:]


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


@named(max_norm=POSITIVE, eps=NONNEGATIVE)
def clip_norm(max_norm: float = 1.0, eps: float = 1e-6) -> Transform:
    """Scale the gradient to a norm of at most max_norm: g · min(1, max_norm / (‖g‖ + ε)).

    ε = 1e-6 is torch's ``clip_grad_norm_``, ε = 0 optax's ``clip_by_global_norm``. Source: Pascanu, Mikolov & Bengio
    (2013), "On the difficulty of training recurrent neural networks".

    Parameters
    ----------
    max_norm : float > 0
        The largest Euclidean norm.
    eps : float >= 0
        ε.
    """
    return Transform(_clipped_by_norm, norms=("norm",), entries=_clip_entries)


def _plain_entries(theta, grad, lr):
    return grad


def _normalized(theta, grad, lr, norm):
    return select(norm > 0, grad / norm, 0.0)


@named()
def normalize() -> Transform:
    """Scale the gradient to norm 1: g / ‖g‖, and 0 where it is 0 (optax's ``normalize_by_update_norm``)."""
    return Transform(_normalized, norms=("norm",), entries=_plain_entries)


def _ridge(theta, grad, lr, weight):
    return grad + weight * theta


@named(weight=NONNEGATIVE)
def l2(weight: float = 0.01) -> Transform:
    """Coupled weight decay, g + λθ: the gradient of the loss plus ½λ‖θ‖² (torch's ``weight_decay`` except in AdamW).

    Parameters
    ----------
    weight : float >= 0
        λ.
    """
    return Transform(_ridge)


def _lasso(theta, grad, lr, weight):
    return grad + weight * sign(theta)


@named(weight=NONNEGATIVE)
def l1(weight: float = 0.01) -> Transform:
    """The subgradient of an L1 penalty, g + λ sign θ, with sign 0 = 0: of the loss plus λ‖θ‖₁.

    Parameters
    ----------
    weight : float >= 0
        λ.
    """
    return Transform(_lasso)


def _decayed(theta, grad, lr, weight):
    return theta - lr * weight * theta


@named(weight=NONNEGATIVE)
def weight_decay(weight: float = 0.01) -> Transform:
    """Decoupled weight decay: θ − ηλθ just before the update, whatever the gradient (AdamW's).

    Source: Loshchilov & Hutter (2019), "Decoupled weight decay regularization".

    Parameters
    ----------
    weight : float >= 0
        λ.
    """
    return Transform(_decayed, decoupled=True)


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
    return Transform(_noisy, step_table=lambda t: {"deviation": sigma / t ** (gamma / 2)})


CATALOGUE: dict[str, Callable[..., Transform]] = {
    make.__name__: make for make in (clip_norm, clip_value, l1, l2, noise, normalize, weight_decay)
}
"""The transforms by name."""
