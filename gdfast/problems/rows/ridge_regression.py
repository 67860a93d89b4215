"""Ridge regression: least squares with a penalty of large weights.

    loss(w) = (‖X w − y‖² + α ‖w‖²) / m,   gradient used: (Xᵀ(X w − y) + α w) / m,   its Hessian: (XᵀX + α I) / m

The gradient is that of half the reported loss, as in linear regression. α is scikit-learn's; the bias is not
penalized. The penalty lifts the small curvatures, and so the rate at which gradient descent closes in on them
(Hoerl and Kennard 1970).
"""

from gdfast.arguments import FRACTION, NONNEGATIVE
from gdfast.data import Sampling, Source, as_numbers, load
from gdfast.named import named
from gdfast.problems.rows.linear_regression import LeastSquares
from gdfast.problems.rows.row_problem import rows_of


@named(data=load, alpha=NONNEGATIVE, validation=FRACTION)
def ridge_regression(
    data: Source = "diabetes",
    alpha: float = 1.0,
    bias: bool = True,
    batch_size: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
    sampling: str = "independent",
) -> LeastSquares:
    """Ridge regression: least squares with a penalty of large weights.

    Parameters
    ----------
    data : str, Path, DataFrame, (X, y) or Data
        As in `RowProblem`; the target is a number.
    alpha : float
        α, the penalty.
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
    rows = rows_of("ridge_regression", as_numbers, data, bias, validation, seed)
    return LeastSquares(rows, bias, alpha / len(rows.learned.y), Sampling(batch_size, seed, sampling))
