"""Ridge regression: least squares with a penalty of large weights.

    loss(w) = (‖X w − y‖² + α ‖w‖²) / m,   gradient used: (Xᵀ(X w − y) + α w) / m,   its Hessian: (XᵀX + α I) / m

The gradient is that of half the reported loss, as in linear regression. α is scikit-learn's; the bias is not
penalized. The penalty lifts the small curvatures, and so the rate at which gradient descent closes in on them
(Hoerl and Kennard 1970).
"""

from pathlib import Path

from numpy.typing import ArrayLike

from gdfast.arguments import NONNEGATIVE
from gdfast.data import Data, as_numbers
from gdfast.named import named
from gdfast.problems.rows.linear_regression import LeastSquares
from gdfast.problems.rows.row_problem import rows_of


@named(alpha=NONNEGATIVE)
def ridge_regression(
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    data: str | Path | Data | None = None,
    target: str | None = None,
    alpha: float = 1.0,
    standardize: bool = True,
    bias: bool = True,
    batch_size: int | None = None,
    seed: int = 0,
) -> LeastSquares:
    """Ridge regression: least squares with a penalty of large weights.

    Parameters
    ----------
    X, y : array_like, (m, p) and (m,), optional
        Features and targets.
    data : str, Path or Data, optional
        Instead of X and y: the name of a set in `gdfast.data.SHIPPED`, a CSV file, or data in memory. The set
        ``diabetes`` if neither is given.
    target : str, optional
        The column of a CSV file to predict.
    alpha : float
        α, the penalty.
    standardize, bias : bool
        Whether features get mean 0 and variance 1, and whether a column of ones is put in front.
    batch_size : int, optional
        Rows a step; all if not given.
    seed : int
        Of the draw of mini-batches.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind or the data cannot be used; the message says what it was.
    """
    rows = rows_of("ridge_regression", "diabetes", as_numbers, X, y, data, target, standardize, bias)
    return LeastSquares(rows, bias, alpha / len(rows.y), batch_size, seed)
