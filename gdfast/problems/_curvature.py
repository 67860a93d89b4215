"""The sharpness of a loss: the largest eigenvalue of its Hessian, also where the Hessian is too large to be made.

Of few coordinates the Hessian itself is taken. Of many, Lanczos' method (1950; power iteration that keeps its vectors)
finds the eigenvalue from products of the Hessian with a vector: exact ones where a problem has them, as networks do, or
else a central difference of gradients along it,

    H v ≈ (g(θ + h v) − g(θ − h v)) / (2 h)

It ends where the residual ‖H u − λ u‖ of the unit vector u that it has found is below a thousandth of λ. An eigenvalue
is not further from λ than that; mostly it is the residual's square over the distance to the next one, some 10⁻⁶. All
points are worked on together, but no number of one depends on which are beside it: each point's sums run along its own
row, and each keeps the value of the round in which it has converged.

Along the path of a trajectory the next point's vectors are nearly those of the last. There the space begins with the
two that belong to the last point's largest eigenvalues; it grows by the residual of the second, so that one that is
about to overtake the first is followed, too, and then by that of the first (Davidson's method, 1975, without a
preconditioner), until ‖H u − λ u‖ is below a hundredth of λ: four or five products in place of fourteen, and mostly
four digits. What rises past two others between one point and the next is seen a point or two late.

An optimizer that divides by a preconditioner P, one number for each coordinate, moves as gradient descent does on the
Hessian P^(−1/2) H P^(−1/2): its largest eigenvalue is the *preconditioned sharpness* (Cohen et al. 2022, arXiv
2207.14484, section 3).
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from gdfast.formulas.elementary import Array

LARGEST_HESSIAN = 64
"""Coordinates up to which the Hessian is made."""
_ROUNDS = 64  # of Lanczos' method, at most
_LOOKS = frozenset([1, 2, 4, 6, 8, 10, 12, 15, 18, 22, 26, 31, 37, 43, 49, 56])  # rounds after which it may end
_RESIDUAL, _RESIDUAL_ALONG = 1e-3, 1e-2  # relative to the eigenvalue: of points, and of points along a path
_STEP = 1e-5  # of differences, relative to the largest coordinate, or to 1
_AT_ONCE = 2**22  # numbers of Hessians that are held at a time
_VECTORS_AT_ONCE = 2**17  # numbers of vectors, likewise: what stays in the cache
Field = Callable[[Array], Array]
Products = Callable[[Array], Field]


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


def by_products(products: Products, theta: Array, scale: Array | None = None) -> Array:
    """The same from products alone: `products` tells of points ``(n, d)`` what is multiplied by vectors ``(n, d)``."""
    d = len(theta)
    found = []
    for part in _parts(theta.shape[1], d * min(d, _ROUNDS), _VECTORS_AT_ONCE):
        points = np.ascontiguousarray(theta[:, part].T)
        found.append(_lanczos(products(points), points, None if scale is None else scale[:, part].T)[0])
    return np.concatenate(found) if found else np.empty(0)


def along_paths(products: Products, paths: Array, scales: Array | None = None) -> Array:
    """The same of ``paths (n, k, d)``, k points each, ``float64[n, k]``; a point like the last one has its value."""
    n, k, d = paths.shape
    found = np.empty((n, k))
    for part in _parts(n, d * min(d, _ROUNDS), _VECTORS_AT_ONCE):
        numbers = [each[part] for each in (paths, scales) if each is not None]
        kept = np.empty((len(numbers[0]), min(d, 2), d))
        for i in range(k):
            moved: Array = np.full(len(kept), True)
            if i > 0:
                found[part, i] = found[part, i - 1]
                moved = np.any([(each[:, i] != each[:, i - 1]).any(axis=1) for each in numbers], axis=0)
            if not moved.any():
                continue
            points, *others = (np.ascontiguousarray(each[moved, i]) for each in numbers)
            search = _lanczos if i == 0 else functools.partial(_tracked, begun=kept[moved])
            found[part, i][moved], kept[moved] = search(products(points), points, others[0] if others else None)
    return found


def differences(gradient: Field) -> Products:
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


def _lanczos(product: Field, points: Array, scale: Array | None) -> tuple[Array, Array]:
    """The largest eigenvalue at each of ``points (n, d)``, and the vectors ``(n, ≤ 2, d)`` of the two largest."""
    n, d = points.shape
    rounds = min(d, _ROUNDS)
    vectors = np.empty((n, rounds, d))
    vectors[:, 0] = _any_two(d)[0]
    small = np.zeros((n, rounds, rounds))
    ended = _Ended(n, d, _RESIDUAL)
    for j in range(rounds):
        new = product(vectors[:, j]) if scale is None else scale * product(scale * vectors[:, j])
        seen = vectors[:, : j + 1]
        for _again in range(2):  # once more against rounding, or eigenvalues come twice
            along = np.matmul(seen, new[..., None])
            new = new - np.matmul(along.swapaxes(1, 2), seen)[:, 0]
            small[:, j, j] += along[:, j, 0]
        length = np.sqrt(np.sum(new * new, axis=1))
        if j + 1 in _LOOKS or j + 1 == rounds:
            values, mixtures = _eigen(small[:, : j + 1, : j + 1])
            ended.look(values, length * np.abs(mixtures[:, -1, -1]), mixtures, seen, last=j + 1 == rounds)
            if ended.all:
                break
        small[:, j, j + 1] = small[:, j + 1, j] = length
        vectors[:, j + 1] = new / np.where(length > 0, length, 1.0)[:, None]
    return ended.found, ended.vectors


def _tracked(product: Field, points: Array, scale: Array | None, begun: Array) -> tuple[Array, Array]:
    """The same, from the vectors ``(n, ≤ 2, d)`` that were found nearby."""
    n, d = points.shape
    rounds, first = min(d, _ROUNDS), begun.shape[1]
    sound = np.isfinite(begun).all(axis=(1, 2), keepdims=True)
    begun = np.where(sound, begun, _any_two(d)[:first])
    vectors, images = np.empty((2, n, rounds, d))
    small = np.zeros((n, rounds, rounds))
    ended = _Ended(n, d, _RESIDUAL_ALONG)
    for j in range(rounds):
        if j < first:
            vectors[:, j] = begun[:, j]
        images[:, j] = product(vectors[:, j]) if scale is None else scale * product(scale * vectors[:, j])
        seen, theirs = vectors[:, : j + 1], images[:, : j + 1]
        small[:, j, : j + 1] = small[:, : j + 1, j] = np.matmul(seen, images[:, j, :, None])[..., 0]
        if j + 1 < first:
            continue
        values, mixtures = _eigen(small[:, : j + 1, : j + 1])
        at = -2 if j + 1 == first == 2 else -1  # the residual of the second, once
        mixture = mixtures[:, None, :, at]
        rest = np.matmul(mixture, theirs) - values[:, at, None, None] * np.matmul(mixture, seen)
        if at == -1 or j + 1 == rounds:
            length = np.sqrt(np.sum(rest * rest, axis=2))[:, 0]
            ended.look(values, length, mixtures, seen, last=j + 1 == rounds)
            if ended.all:
                break
        rest = rest - np.matmul(np.matmul(rest, seen.swapaxes(1, 2)), seen)
        length = np.sqrt(np.sum(rest * rest, axis=2))
        vectors[:, j + 1] = (rest / np.where(length > 0, length, 1.0)[..., None])[:, 0]
    return ended.found, ended.vectors


class _Ended:
    """What each point has found, in the round in which it converged."""

    def __init__(self, n: int, d: int, within: float) -> None:
        self.found, self.vectors = np.full(n, np.nan), np.full((n, min(d, 2), d), np.nan)
        self.within, self.open = within, np.full(n, True)

    @property
    def all(self) -> bool:
        """Whether all points have converged."""
        return not self.open.any()

    def look(self, values: Array, residual: Array, mixtures: Array, basis: Array, last: bool) -> None:
        """Keep what has converged: eigenvalues ``(n, j)`` ascending, their vectors ``(n, j, j)`` in a basis."""
        largest = values[:, -1]
        here = self.open & (last | ~(residual > self.within * np.abs(largest)))
        if not last and values.shape[1] < self.vectors.shape[1]:
            return  # before there are two vectors
        self.found[here] = largest[here]
        best = mixtures[here][:, :, : -self.vectors.shape[1] - 1 : -1]
        self.vectors[here] = np.matmul(best.swapaxes(1, 2), basis[here])
        self.open &= ~here


def _eigen(matrices: Array) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and vectors of symmetric ``matrices (n, j, j)``; NaN where they are not finite."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    values, vectors = np.full(matrices.shape[:2], np.nan), np.full(matrices.shape, np.nan)
    values[finite], vectors[finite] = np.linalg.eigh(matrices[finite])
    return values, vectors


@functools.cache
def _any_two(d: int) -> Array:
    """Two vectors that no eigenvector is likely to be at right angles with, orthonormal, ``float64[≤ 2, d]``."""
    drawn = np.random.default_rng(0).standard_normal((min(d, 2), d))
    return np.ascontiguousarray(np.linalg.qr(drawn.T)[0].T)
