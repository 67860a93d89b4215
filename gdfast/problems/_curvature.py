"""The sharpness of a loss: the largest eigenvalue of its Hessian, also where the Hessian is too large to be made.

Of few coordinates the Hessian itself is taken. Of many, Lanczos' method (1950; power iteration that keeps its vectors)
finds the eigenvalue from products of the Hessian with a vector, each a central difference of gradients along it:

    H v ≈ (g(θ + h v) − g(θ − h v)) / (2 h)

All points are worked on together, but no number of one depends on which are beside it: each point's sums run along its
own row, and each keeps the value of the round in which it has converged.
"""

from collections.abc import Callable

import numpy as np

from gdfast.formulas.elementary import Array

LARGEST_HESSIAN = 64
"""Coordinates up to which the Hessian is made."""
_ROUNDS = 48  # of Lanczos' method, at most
_CONVERGED = 1e-5  # relative change of the eigenvalue by a round
_STEP = 1e-5  # of differences, relative to the largest coordinate, or to 1
_AT_ONCE = 2**22  # numbers of Hessians or vectors that are held at a time
Field = Callable[[Array], Array]


def by_hessian(hessian: Field, theta: Array) -> Array:
    """The largest eigenvalue of the Hessian at each of ``theta (d, n)``, ``float64[n]``, NaN where it is not finite."""
    d = len(theta)
    found = [_largest(hessian(theta[:, part])) for part in _parts(theta.shape[1], d * d)]
    return np.concatenate(found) if found else np.empty(0)


def by_products(gradient: Field, theta: Array) -> Array:
    """The same from gradients alone, to some five digits."""
    d = len(theta)
    found = [_lanczos(gradient, theta[:, part]) for part in _parts(theta.shape[1], d * min(d, _ROUNDS))]
    return np.concatenate(found) if found else np.empty(0)


def _parts(n: int, each: int) -> list[slice]:
    count = max(1, _AT_ONCE // each)
    return [slice(first, first + count) for first in range(0, n, count)]


def _largest(bend: Array) -> Array:
    d = len(bend)
    if d == 1:
        return np.asarray(bend[0, 0])
    if d == 2:
        middle, half = (bend[0, 0] + bend[1, 1]) / 2, (bend[0, 0] - bend[1, 1]) / 2
        return np.asarray(middle + np.hypot(half, bend[0, 1]))
    return _eigenvalues(np.moveaxis(bend, -1, 0))


def _eigenvalues(matrices: Array) -> Array:
    """The largest eigenvalue of each of ``matrices (n, d, d)``."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    found = np.full(len(matrices), np.nan)
    found[finite] = np.linalg.eigvalsh(matrices[finite])[:, -1]
    return found


def _lanczos(gradient: Field, theta: Array) -> Array:
    points = np.ascontiguousarray(theta.T)
    n, d = points.shape
    step = (_STEP * np.maximum(np.abs(points).max(axis=1), 1.0))[:, None]
    first = np.random.default_rng(0).standard_normal(d)
    vectors = [np.tile(first / np.linalg.norm(first), (n, 1))]
    rounds = min(d, _ROUNDS)
    small = np.zeros((n, rounds, rounds))
    found, converged = np.full(n, np.nan), np.zeros(n, dtype=bool)
    for j in range(rounds):
        ahead, behind = (gradient(np.ascontiguousarray((points + s * vectors[j]).T)).T for s in (step, -step))
        new = np.ascontiguousarray((ahead - behind) / (2 * step))
        small[:, j, j] = _products(new, vectors[j])
        for _ in range(2):  # once more against rounding, or eigenvalues come twice
            for vector in vectors:
                new = new - _products(new, vector)[:, None] * vector
        value = _eigenvalues(small[:, : j + 1, : j + 1])
        done = ~(np.abs(value - found) > _CONVERGED * np.abs(value)) if j else np.zeros(n, dtype=bool)
        length = np.sqrt(_products(new, new))
        done |= ~(length > 1e-9 * np.abs(value))  # all directions that the first vector has are seen
        found = np.where(converged, found, value)
        converged |= done
        if converged.all() or j + 1 == rounds:
            break
        small[:, j, j + 1] = small[:, j + 1, j] = length
        vectors.append(new / np.where(length > 0, length, 1.0)[:, None])
    return found


def _products(a: Array, b: Array) -> Array:
    return np.asarray(np.sum(a * b, axis=1))
