"""New rows of features, in the units of the data, as they enter a problem that has learned from others."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfast import arguments
from gdfast.data.text import short
from gdfast.formulas.elementary import Array, square_scale


@dataclass(frozen=True, eq=False)
class Units:
    """The columns of features, and what they are standardized by.

    Attributes
    ----------
    features : tuple of str
        Names of the columns.
    scale, center, rest, size : ndarray
        What each is multiplied by, a power of two; what is then subtracted, first and second, since the first mean of a
        large offset is only as exact as its rounding; and what it is divided by, ``float64[p]``.
    """

    features: tuple[str, ...]
    scale: Array
    center: Array
    rest: Array
    size: Array

    @classmethod
    def of(cls, features: tuple[str, ...], X: Array, standardize: bool) -> "Units":
        """Return those of rows ``float64[m, p]`` that are learned from; a column that never varies enters as 0."""
        zeros, ones = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if not standardize:
            return cls(features, ones, zeros, zeros, ones)
        varies = X.max(axis=0) > X.min(axis=0)
        scale = square_scale(np.abs(X).max(axis=0))
        X = X * scale
        center = X.mean(axis=0)
        rest = (X := X - center).mean(axis=0)
        X = X - rest
        return cls(features, scale, center, rest, np.where(varies, np.sqrt(np.mean(X * X, axis=0)), np.inf))

    def standardized(self, values: Array) -> Array:
        """Return rows ``float64[m, p]`` as they enter; infinite where they are too large beside those of the data."""
        with np.errstate(over="ignore", invalid="ignore"):
            there = (values * self.scale - self.center - self.rest) / self.size
        return np.where(np.isfinite(self.size), there, 0.0)

    def entered(self, X: Any, wanted: Collection[str] | None = None) -> Array:
        """Return new rows as they enter, ``float64[rows, p]``.

        Parameters
        ----------
        X : array_like, mapping or DataFrame
            Rows ``(rows, p)``, or columns by name.
        wanted : collection of str, optional
            Which columns are needed, of those by name; all if not given.

        Raises
        ------
        TypeError, ValueError
            If columns are missing, or a value is not finite.
        """
        values = self._by_name(X, wanted or self.features) if hasattr(X, "keys") else self._by_place(X)
        return self.standardized(values)

    def _by_name(self, X: Any, wanted: Collection[str]) -> Array:
        for name in wanted:
            if name not in X:
                told = ", ".join(short(each) for each in list(X)[:9])
                raise ValueError(f"predict: X must have the column {short(name)!r}, beside {told}")
        columns = {name: arguments.finite(f"predict: X[{short(name)!r}]", X[name], "(rows,)") for name in wanted}
        shapes = sorted({column.shape for column in columns.values()})
        if len(shapes) != 1 or len(shapes[0]) != 1 or not shapes[0][0]:
            raise ValueError(f"predict: columns of X must have shape (rows,), all the same, not {shapes}")
        values = np.zeros((*shapes[0], len(self.features)))
        for name, column in columns.items():
            values[:, self.features.index(name)] = column
        return values

    def _by_place(self, X: Any) -> Array:
        p = len(self.features)
        values = arguments.finite("predict: X", X, f"(rows, {p})")
        values = values[:, None] if values.ndim == 1 and p == 1 else values
        if values.ndim != 2 or values.shape[1] != p or not len(values):
            raise ValueError(f"predict: X must have shape (rows, {p}), not {values.shape}")
        return values
