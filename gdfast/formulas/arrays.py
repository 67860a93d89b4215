"""Rules on arrays: what a rule returns for many vectors at once, with the norms and the sums over their coordinates."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from gdfast.formulas.elementary import Array, sqrt, square_scale
from gdfast.formulas.formula import Formula


class Reducing(Protocol):
    """A rule that may ask for norms and sums over all coordinates: an optimizer, a transform."""

    @property
    def norms(self) -> tuple[str, ...]:
        """Names of the norms."""

    @property
    def entries(self) -> Callable[..., Any] | None:
        """Of what they are."""

    @property
    def euclidean(self) -> bool:
        """Whether they are Euclidean."""

    @property
    def sums(self) -> tuple[str, ...]:
        """Names of the sums."""

    @property
    def terms(self) -> Callable[..., Any] | None:
        """What is summed."""


def computed(rule: Callable[..., Any], results: int, *given: Any) -> list[Array]:
    """What a rule returns, constants included, for every trajectory: arrays of the first argument's shape and type."""
    shape, real = given[0].shape, given[0].dtype
    values = Formula.of(rule, results).reading(real.name)(*given)
    values = values if isinstance(values, tuple) else (values,)
    return [np.broadcast_to(np.asarray(value, real), shape) for value in values]


def reduced(rule: Reducing, given: tuple[Any, ...], coefficients: Array, rounds: int = 0) -> list[Any]:
    """The norms and the sums that a rule asks for, as kernels compute them: coordinate by coordinate.

    Parameters
    ----------
    rule : Reducing
        What asks.
    given : tuple
        Its arguments before the norms: arrays ``[d, n]``.
    coefficients : ndarray
        Its coefficients.
    rounds : int
        How often sums are taken again at most, of terms that have those of the round before; 0 of terms without them.

    Returns
    -------
    list of ndarray
        First the norms, then the sums, ``[n]`` each.
    """
    norms, sums = list[Array](), list[Array]()
    first: Array = given[0][0]
    if rule.entries is not None:
        for rows in computed(rule.entries, len(rule.norms), *given, *coefficients):
            size = np.zeros_like(first)
            for row in rows:
                size = np.where(np.abs(row) > size, np.abs(row), size)
            if rule.euclidean:
                scale, total = square_scale(size), np.zeros_like(size)
                for row in rows:
                    total = total + row * scale * (row * scale)
                size = sqrt(total) / scale
            norms.append(size)
    if rule.terms is not None:
        zeros = [np.zeros_like(first)] * len(rule.sums)
        sums = _summed(rule, *given, *norms, *(zeros if rounds else ()), *coefficients)
        goes = np.ones(first.shape, bool)
        for _ in range(rounds):
            again = _summed(rule, *given, *norms, *sums, *coefficients)
            goes = goes & (again[0] < sums[0])
            if not goes.any():
                break
            sums = [np.where(goes, new, old) for new, old in zip(again, sums, strict=True)]
    return norms + sums


def _summed(rule: Reducing, *given: Any) -> list[Array]:
    """The sums of a rule's terms, coordinate by coordinate."""
    assert rule.terms is not None
    sums = []
    for rows in computed(rule.terms, len(rule.sums), *given):
        total = np.zeros_like(rows[0])
        for row in rows:
            total = total + row
        sums.append(total)
    return sums
