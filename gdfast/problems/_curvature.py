"""The sharpness of a loss: the largest eigenvalue of its Hessian, also where the Hessian is too large to be made.

Of few coordinates the Hessian itself is taken. Of many, Lanczos' method (1950; power iteration that keeps its vectors)
finds the eigenvalue from products of the Hessian with a vector: exact ones where a problem has them, as networks do, or
else a central difference of gradients along it,

    H v ≈ (g(θ + h v) − g(θ − h v)) / (2 h)

It ends where the residual ‖H u − λ u‖ of the unit vector u that it has found is below a thousandth of λ. An eigenvalue
is not further from λ than that; mostly it is the residual's square over the distance to the next one, some 10⁻⁶. All
points are worked on together, but no number of one depends on which are beside it: each point's sums run along its own
row, and each keeps the value of the round in which it has converged.

An optimizer that divides by a preconditioner P, one number for each coordinate, moves as gradient descent does on the
Hessian P^(−1/2) H P^(−1/2): its largest eigenvalue is the *preconditioned sharpness* (Cohen et al. 2022, arXiv
2207.14484, section 3).
"""

from collections.abc import Callable, Iterator

import numpy as np

from gdfast.formulas.elementary import Array

LARGEST_HESSIAN = 64
"""Coordinates up to which the Hessian is made."""
_ROUNDS = 64  # of Lanczos' method, at most
_LOOKS = frozenset([1, 2, 4, 6, 8, 10, 12, 15, 18, 22, 26, 31, 37, 43, 49, 56])  # rounds after which it may end
_RESIDUAL = 1e-3  # relative to the eigenvalue
_STEP = 1e-5  # of differences, relative to the largest coordinate, or to 1
_AT_ONCE = 2**22  # numbers of Hessians that are held at a time
_VECTORS_AT_ONCE = 2**17  # numbers of vectors, likewise: what stays in the cache
Field = Callable[[Array], Array]


def by_hessian(hessian: Field, theta: Array, scale: Array | None = None) -> Array:
    """The largest eigenvalue of the Hessian at each of ``theta (d, n)``, ``float64[n]``, NaN where it is not finite.

    With a `scale`, like theta, it is that of the Hessian multiplied by it from both sides.
    """
    d = len(theta)
    found = []
    for part in _parts(theta.shape[1], d * d, _AT_ONCE):
        bend = hessian(theta[:, part])
        found.append(_largest(bend if scale is None else bend * scale[:, None, part] * scale[None, :, part]))
    return np.concatenate(found) if found else np.empty(0)


def by_products(products: Callable[[Array], Field], theta: Array, scale: Array | None = None) -> Array:
    """The same from products alone: `products` tells of points ``(n, d)`` what is multiplied by vectors ``(n, d)``."""
    d = len(theta)
    found = []
    for part in _parts(theta.shape[1], d * min(d, _ROUNDS), _VECTORS_AT_ONCE):
        points = np.ascontiguousarray(theta[:, part].T)
        found.append(_lanczos(products(points), points, None if scale is None else scale[:, part].T))
    return np.concatenate(found) if found else np.empty(0)


def differences(gradient: Field) -> Callable[[Array], Field]:
    """Products of the Hessian by differences of gradients, to some nine digits where the loss is smooth."""

    def products(points: Array) -> Field:
        step = (_STEP * np.maximum(np.abs(points).max(axis=1), 1.0))[:, None]

        def product(vectors: Array) -> Array:
            ahead, behind = (gradient(np.ascontiguousarray((points + s * vectors).T)).T for s in (step, -step))
            return np.ascontiguousarray((ahead - behind) / (2 * step))

        return product

    return products


def _parts(n: int, each: int, at_once: int) -> Iterator[slice]:
    count = max(1, at_once // each)
    return (slice(first, first + count) for first in range(0, n, count))


def _largest(bend: Array) -> Array:
    d = len(bend)
    if d == 1:
        return np.asarray(bend[0, 0])
    if d == 2:
        middle, half = (bend[0, 0] + bend[1, 1]) / 2, (bend[0, 0] - bend[1, 1]) / 2
        return np.asarray(middle + np.hypot(half, bend[0, 1]))
    matrices = np.moveaxis(bend, -1, 0)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    found = np.full(len(matrices), np.nan)
    found[finite] = np.linalg.eigvalsh(matrices[finite])[:, -1]
    return found


def _largest_pair(matrices: Array) -> tuple[Array, Array]:
    """The largest eigenvalue of each of ``matrices (n, j, j)``, and the last entry of its vector, sign apart."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    value, last = np.full((2, len(matrices)), np.nan)
    values, vectors = np.linalg.eigh(matrices[finite])
    value[finite], last[finite] = values[:, -1], np.abs(vectors[:, -1, -1])
    return value, last


def _lanczos(product: Field, points: Array, scale: Array | None) -> Array:
    n, d = points.shape
    rounds = min(d, _ROUNDS)
    first = np.random.default_rng(0).standard_normal(d)
    vectors = np.empty((n, rounds, d))
    vectors[:, 0] = first / np.linalg.norm(first)
    small = np.zeros((n, rounds, rounds))
    found, converged = np.full(n, np.nan), np.zeros(n, dtype=bool)
    for j in range(rounds):
        new = product(vectors[:, j]) if scale is None else scale * product(scale * vectors[:, j])
        seen = vectors[:, : j + 1]
        for _again in range(2):  # once more against rounding, or eigenvalues come twice
            along = np.matmul(seen, new[..., None])
            new = new - np.matmul(along.swapaxes(1, 2), seen)[:, 0]
            small[:, j, j] += along[:, j, 0]
        length = np.sqrt(np.sum(new * new, axis=1))
        if j + 1 in _LOOKS or j + 1 == rounds:
            value, last = _largest_pair(small[:, : j + 1, : j + 1])
            found = np.where(converged, found, value)
            converged |= ~(length * last > _RESIDUAL * np.abs(value))
            if converged.all() or j + 1 == rounds:
                break
        small[:, j, j + 1] = small[:, j + 1, j] = length
        vectors[:, j + 1] = new / np.where(length > 0, length, 1.0)[:, None]
    return found
