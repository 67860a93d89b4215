"""Logistic regression: two classes.

    loss(w) = mean(log(1 + eᶻ) − y z) + ½ l2 ‖w‖²,   z = X w,   y = 0 or 1
    gradient: Xᵀ(σ(z) − y) / m + l2 w,   Hessian: Xᵀ diag(σ(z) (1 − σ(z))) X / m + l2 I,   σ(z) = 1 / (1 + e⁻ᶻ)

With s = 1 − 2 y and u = s z, the loss of a row is log(1 + eᵘ) = max(u, 0) + log(1 + e⁻|u|) and its slope s σ(u): no
exponential overflows and no difference of nearly equal numbers is taken. The bias is not penalized. In scikit-learn's
terms, l2 = 1/(C m).

If the classes can be separated by a plane and l2 = 0, the loss falls towards 0 as w goes to infinity and there is no
minimum: gradient descent ends ``unfinished``, or ``stalled`` where the gradient has died. (It would reach the largest
margin's direction after exponentially many steps: Soudry et al. 2018, JMLR 19.)
"""

import numpy as np

from gdfast.arguments import FRACTION, NONNEGATIVE
from gdfast.data import Data, Sampling, Source, as_classes, load
from gdfast.data.text import short
from gdfast.formulas.elementary import Array, absolute, exp, log1p, select
from gdfast.named import named
from gdfast.problems.rows.lanes import LOGISTIC
from gdfast.problems.rows.row_problem import Classification, rows_of


class LogisticRegression(Classification):
    """Two classes told apart by the sign of one product; see `RowProblem`."""

    loss_number = LOGISTIC

    def row_losses(self, products: Array, y: Array) -> Array:
        """Return log(1 + eᵘ)."""
        u = (1.0 - 2.0 * y[:, None]) * products[0]
        return np.asarray(select(u > 0, u, 0.0) + log1p(exp(-absolute(u))))

    def row_slopes(self, products: Array, y: Array) -> Array:
        """Return σ(z) − y, as s σ(u)."""
        sign = 1.0 - 2.0 * y[:, None]
        u = sign * products
        small = exp(-absolute(u))
        return np.asarray(sign * (select(u >= 0, 1.0, small) / (1.0 + small)))

    def row_bends(self, products: Array, y: Array) -> Array:
        """Return σ(z) (1 − σ(z))."""
        small = exp(-absolute(products))
        return np.asarray((small / ((1.0 + small) * (1.0 + small)))[None])

    def row_changes(self, products: Array, changes: Array) -> Array:
        """Return σ′(z) times the changes."""
        small = exp(-absolute(products))
        below = 1.0 + small
        return np.asarray(small / (below * below) * changes)

    def row_draws(self, products: Array, chances: Array) -> Array:
        """Return σ(z) − ŷ, ŷ = 1 with the probability σ(z)."""
        small = exp(-absolute(products))
        share = select(products >= 0, 1.0, small) / (1.0 + small)
        return np.asarray(share - select(chances < share, 1.0, 0.0))

    def _separates(self, theta: Array) -> bool:
        products = np.concatenate([products for _, _, products in self._blocks(theta, self.X, self.y)], axis=1)[0, :, 0]
        right = (2 * self.y - 1) * products
        return not self.penalty.any() and bool(right.min() > 1e-9 * np.abs(products).max())


@named(data=load, l2=NONNEGATIVE, validation=FRACTION)
def logistic_regression(
    data: Source = "breast_cancer",
    l2: float = 0.01,
    positive: str | None = None,
    bias: bool = True,
    batch_size: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
    sampling: str = "independent",
) -> LogisticRegression:
    """Logistic regression: two classes.

    Parameters
    ----------
    data : str, Path, DataFrame, (X, y) or Data
        As in `RowProblem`; the target has two values, numbers or text, of which the larger is class 1, or more if one
        of them is `positive`.
    l2 : float
        The penalty.
    positive : str, optional
        The class to tell from all others, such as ``virginica`` of ``iris``. Needed where there are more than two.
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

    def prepare(table: Data) -> Data:
        labelled = as_classes(table, positive)
        if labelled.classes is not None and len(labelled.classes) != 2:
            shown = ", ".join(map(short, labelled.classes[:5]))
            raise ValueError(
                f"data: {short(table.name)} has {len(labelled.classes)} classes ({shown}), but there must be two; "
                "say which one is positive, or take softmax_regression"
            )
        return labelled

    rows = rows_of("logistic_regression", prepare, data, bias, validation, seed)
    return LogisticRegression(rows, bias, l2, Sampling(batch_size, seed, sampling))
