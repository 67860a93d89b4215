"""Linear regression by least squares.

    loss(w) = mean((X w − y)²),   gradient used: Xᵀ(X w − y) / m,   Hessian of that gradient: XᵀX / m

The gradient is that of half the reported loss, as textbooks have it: learning-rate limits are 2/λ with λ the
largest eigenvalue of XᵀX/m. The default data are the four points (1, 2), (2, 3.8), (3, 5.9), (4, 7.8).
"""

import numpy as np

from gdfast.arguments import FRACTION
from gdfast.data import Data, Sampling, Source, as_numbers, load
from gdfast.formulas.elementary import Array
from gdfast.formulas.noise import quantile
from gdfast.named import named
from gdfast.problems.rows.lanes import SQUARES
from gdfast.problems.rows.row_problem import RowProblem, rows_of

FOUR_POINTS = Data(
    np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 3.8, 5.9, 7.8]), ("x",), "y", standardize=False
)


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

    def row_changes(self, products: Array, changes: Array) -> Array:
        """Return the changes."""
        return changes

    def row_draws(self, products: Array, chances: Array) -> Array:
        """Return z − ŷ, ŷ normal about z with the variance 1, of which ½ (z − y)² is the logarithm."""
        return np.asarray(-quantile(chances)[None])

    def _solve(self) -> tuple[Array | None, float]:
        # Least squares again, with a row √(m penalty) for each weight and the target 0.
        rows = np.concatenate([self.X, np.diag(np.sqrt(len(self.X) * self.penalty))])
        targets = np.concatenate([self.y, np.zeros(len(self.penalty))])
        optimum = np.asarray(np.linalg.lstsq(rows, targets, rcond=None)[0], dtype=np.float64)
        return optimum, float(self.objective(optimum[:, None])[0])


@named(data=load, validation=FRACTION)
def linear_regression(
    data: Source = FOUR_POINTS,
    bias: bool = True,
    batch_size: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
    sampling: str = "independent",
) -> LeastSquares:
    """Linear regression by least squares.

    Parameters
    ----------
    data : str, Path, DataFrame, (X, y) or Data
        As in `RowProblem`; the target is a number. Four points in a plane, as they are, if no data are given.
    bias : bool
        Whether a column of ones is put in front.
    batch_size : int, optional
        Rows of each step; all if not given.
    seed : int
        Of the draws of rows.
    validation : float in [0, 1)
        The share of the rows that is held out.
    sampling : str
        ``independent`` or ``epochs``, as in `RowProblem`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind or the data cannot be used; the message says what it was.
    """
    rows = rows_of("linear_regression", as_numbers, data, bias, validation, seed)
    return LeastSquares(rows, bias, 0.0, Sampling(batch_size, seed, sampling))
