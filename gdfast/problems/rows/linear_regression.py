"""Linear regression by least squares.

    loss(w) = mean((X w − y)²),   gradient used: Xᵀ(X w − y) / m,   Hessian of that gradient: XᵀX / m

The gradient is that of half the reported loss, as textbooks have it: learning-rate limits are 2/λ with λ the
largest eigenvalue of XᵀX/m. The default data are the four points (1, 2), (2, 3.8), (3, 5.9), (4, 7.8) with a
column of ones for the bias.
"""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gdfast import arguments
from gdfast.data import Data, as_numbers
from gdfast.formulas.elementary import Array
from gdfast.named import named
from gdfast.problems.rows.lanes import SQUARES
from gdfast.problems.rows.row_problem import RowProblem, rows_of

DEFAULT_X = ((1.0, 1.0), (1.0, 2.0), (1.0, 3.0), (1.0, 4.0))
DEFAULT_Y = (2.0, 3.8, 5.9, 7.8)


class LeastSquares(RowProblem):
    """Least squares on rows ``X (m, p)`` and targets ``y (m)``, with a penalty or without; see `RowProblem`.

    Attributes
    ----------
    X, y : ndarray
        The data, float64.
    curvatures : ndarray
        Eigenvalues of the Hessian, ascending; gradient descent converges for rates below 2/curvatures[-1].
    optimum : ndarray
        The solution of smallest norm, ``float64[p]``.
    """

    loss_number = SQUARES
    loss_per_objective = 2.0

    def row_losses(self, products: Array, y: Array) -> Array:
        """Return ½ (z − y)²."""
        residual: Array = products[0] - y[:, None]
        return 0.5 * (residual * residual)

    def row_slopes(self, products: Array, y: Array) -> Array:
        """Return z − y."""
        return products - y[:, None]

    def row_bends(self, products: Array, y: Array) -> Array:
        """Return 1."""
        return np.ones((1, *products.shape))

    def _solve(self) -> tuple[Array | None, float]:
        # Least squares again, with a row √(m penalty) for each weight and the target 0.
        rows = np.concatenate([self.X, np.diag(np.sqrt(len(self.X) * self.penalty))])
        targets = np.concatenate([self.y, np.zeros(len(self.penalty))])
        optimum = np.asarray(np.linalg.lstsq(rows, targets, rcond=None)[0], dtype=np.float64)
        return optimum, float(self.objective(optimum[:, None])[0])


@named()
def linear_regression(
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    data: str | Path | Data | None = None,
    target: str | None = None,
    standardize: bool | None = None,
    bias: bool | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> LeastSquares:
    """Linear regression by least squares.

    Parameters
    ----------
    X : array_like, (m, p), optional
        Design matrix; put in a column of ones for a bias.
    y : array_like, (m,), optional
        Targets.
    data : str, Path or Data, optional
        Instead of X and y: the name of a set in `gdfast.data.SHIPPED`, a CSV file, or data in memory. The four points
        if neither is given.
    target : str, optional
        The column of a CSV file to predict.
    standardize, bias : bool, optional
        Whether features get mean 0 and variance 1, and whether a column of ones is put in front. If not said, both
        are done to `data`, and neither to X and y.
    batch_size : int, optional
        Rows a step; all if not given.
    seed : int
        Of the draw of mini-batches.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind or the data cannot be used; the message says what it was.
    """
    for name, value in (("standardize", standardize), ("bias", bias)):
        if not isinstance(value, bool | np.bool_ | None):
            raise TypeError(f"linear_regression: {name} must be True, False or None, not {arguments.shown(value)}")
    if data is None and target is None and X is None and y is None:
        X, y = DEFAULT_X, DEFAULT_Y
    given = data is not None
    standardize, bias = given if standardize is None else standardize, given if bias is None else bias
    rows = rows_of("linear_regression", "diabetes", as_numbers, X, y, data, target, standardize, bias)
    return LeastSquares(rows, bias, 0.0, batch_size, seed)
