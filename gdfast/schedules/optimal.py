"""Schedules that theory tells: steps that hedge, steps of a polynomial, momenta that accelerate."""

import functools

import numpy as np

from gdfast import arguments
from gdfast.arguments import POSITIVE
from gdfast.formulas import elementary
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.schedules._schedule import Schedule
from gdfast.schedules.usual import cosine_of_half_turns


@named()
def silver() -> Schedule:
    """1 + ρ^(ν(t + 1) − 1) with the silver ratio ρ = 1 + √2, and ν how often 2 divides a number.

    That is √2, 2, √2, 2 + √2, √2, 2, … For gradient descent with the learning rate 1/L on a convex loss of curvature up
    to L: after n = 2ᵏ − 1 steps the loss is within O(n^−1.27) of the lowest, though no single step decreases it for
    sure. Source: Altschuler & Parrilo (2023), "Acceleration by stepsize hedging II: silver stepsize schedule for smooth
    convex optimization", arXiv 2309.16530.
    """

    def multiplier(t: Array, budget: int) -> Array:
        count = t.astype(np.int64) + 1
        _, exponent = np.frexp((count & -count).astype(np.float64))
        return np.asarray(1.0 + elementary.power(1.0 + np.sqrt(2.0), exponent - 2.0))

    return Schedule(multiplier)


@named(mu=POSITIVE, largest=POSITIVE)
def chebyshev(mu: float = 0.1, largest: float = 1.0, total: int | None = None) -> Schedule:
    """1/λₖ of the roots λₖ = (L + μ)/2 + (L − μ)/2 · cos(π (2k − 1)/(2 total)), k = 1 … total, again and again.

    For gradient descent with the learning rate 1 on a quadratic with curvatures from `mu` to `largest`, L: no other
    `total` steps bring the largest possible error so far down. They come in the order in which rounding does least
    harm (Lebedev & Finogenov 1971, in the form of Agarwal, Goel & Zhang 2021, arXiv 2103.01338, theorem 3, of which
    steps beyond `total` are left out). Source: Young (1953), "On Richardson's method for solving linear systems with
    positive definite matrices".

    Parameters
    ----------
    mu : float > 0
        μ, the smallest curvature.
    largest : float > 0
        L, the largest curvature.
    total : int, optional
        How many steps are a round; the budget if not given.

    Raises
    ------
    ValueError
        If `largest` is below `mu`.
    """
    if total is not None:
        arguments.integer("chebyshev: total", total, high=2**20)
    if largest < mu:
        raise ValueError(f"chebyshev: largest must be at least mu, {mu:g}, not {largest:g}")

    def multiplier(t: Array, budget: int) -> Array:
        order = _hedged(total or max(budget, 1))
        roots = (largest + mu) / 2 + (largest - mu) / 2 * cosine_of_half_turns((order - 0.5) / len(order))
        return np.asarray(1.0 / roots[t.astype(np.int64) % len(order)])

    return Schedule(multiplier)


@functools.lru_cache(maxsize=16)
def _hedged(n: int) -> Array:
    """The numbers 1 … n in an order in which short and long steps hedge each other."""
    order = np.array([1])
    while len(order) < n:
        order = np.stack([order, 2 * len(order) + 1 - order], axis=1).ravel()
    return order[order <= n].astype(np.float64)


@named()
def nesterov_momentum(recursive: bool = False) -> Schedule:
    """(t − 1)/(t + 2) after the t-th step, or with `recursive` (aₜ − 1)/aₜ₊₁ with aₜ₊₁ = (1 + √(1 + 4 aₜ²))/2, a₁ = 1.

    The momentum of Nesterov's accelerated gradient on convex losses, whose error is at most 2 L ‖θ₀ − θ*‖²/(t + 1)²
    at the learning rate 1/L: ``nesterov:momentum=(nesterov_momentum)``. Source: Nesterov (1983), in the form of Beck
    & Teboulle (2009), "A fast iterative shrinkage-thresholding algorithm", and of Su, Boyd & Candès (2016), arXiv
    1503.01243, equation 1.

    Parameters
    ----------
    recursive : bool
        Whether it is by the recursion of a, in place of its simple bound.
    """

    def recursion(t: Array, budget: int) -> Array:
        a = np.ones(2 + int(t.max(initial=0)))
        for k in range(2, len(a)):
            a[k] = (1 + np.sqrt(1 + 4 * a[k - 1] ** 2)) / 2
        return np.asarray(((a[:-1] - 1) / a[1:])[t.astype(np.int64)])

    return Schedule(recursion if recursive else lambda t, budget: np.maximum(t - 1.0, 0.0) / (t + 2.0))
