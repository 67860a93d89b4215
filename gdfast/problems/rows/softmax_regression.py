"""Softmax regression: several classes.

    loss(W) = mean(log Σ_c e^{z_c} − z_y) + ½ l2 ‖W‖²,   z_c = X w_c,   p_c = e^{z_c} / Σ e^{z}
    gradient by w_c: Xᵀ(p_c − [y = c]) / m + l2 w_c,   Hessian by w_a and w_b: Xᵀ diag(p_a ([a = b] − p_b)) X / m + l2 I

The largest z is subtracted first, so that no exponential overflows. The biases are not penalized: adding one number
to all of them changes nothing, a direction without curvature; without l2 the same holds for every feature. The
optimum is the one where these sums are zero. In scikit-learn's terms, l2 = 1/(C m).

If planes separate every class from the others and l2 = 0 there is no minimum, as in `logistic_regression`.
"""

import numpy as np

from gdfast.arguments import FRACTION, NONNEGATIVE
from gdfast.data import Sampling, Source, as_classes, load
from gdfast.formulas.elementary import Array, exp, log, select
from gdfast.named import named
from gdfast.problems.rows.lanes import SOFTMAX
from gdfast.problems.rows.row_problem import Classification, rows_of


class SoftmaxRegression(Classification):
    """Classes told apart by the largest of k products; see `RowProblem`."""

    loss_number = SOFTMAX

    def _count_products(self) -> int:
        return len(self.data.classes or ())

    def row_losses(self, products: Array, y: Array) -> Array:
        """Return log Σ e^z − z_y."""
        largest, _, total = _exponentials(products)
        own = products[y.astype(np.int64), np.arange(len(y))]
        return np.asarray(log(total) - (own - largest))

    def row_slopes(self, products: Array, y: Array) -> Array:
        """Return p_c − [y = c]."""
        _, parts, total = _exponentials(products)
        slopes = parts * (1.0 / total)
        slopes[y.astype(np.int64), np.arange(len(y))] -= 1.0
        return slopes

    def row_bends(self, products: Array, y: Array) -> Array:
        """Return p_a ([a = b] − p_b)."""
        _, parts, total = _exponentials(products)
        share = parts / total
        bends = -share[:, None] * share
        classes = np.arange(len(share))
        bends[classes, classes] += share
        return bends

    def row_changes(self, products: Array, changes: Array) -> Array:
        """Return p (change − Σ p change)."""
        _, parts, total = _exponentials(products)
        share = parts * (1.0 / total)
        mean = np.zeros_like(total)
        for part, change in zip(share, changes, strict=True):
            mean += part * change
        return np.asarray(share * (changes - mean))

    def row_draws(self, products: Array, chances: Array) -> Array:
        """Return p_c − [ŷ = c], ŷ being c with the probability p_c."""
        _, parts, total = _exponentials(products)
        slopes, left = parts * (1.0 / total), chances
        for c, share in enumerate(slopes.copy()):
            after = left - share
            slopes[c] -= (left > 0) & ((after <= 0) | (c == len(slopes) - 1))
            left = after
        return np.asarray(slopes)

    def _separates(self, theta: Array) -> bool:
        products = np.concatenate([products for _, _, products in self._blocks(theta, self.X, self.y)], axis=1)[..., 0]
        own, rows = self.y.astype(np.int64), np.arange(len(self.y))
        right = products[own, rows]
        products[own, rows] = -np.inf
        return not self.penalty.any() and bool((right - products.max(axis=0)).min() > 1e-9 * np.abs(right).max())


def _exponentials(products: Array) -> tuple[Array, Array, Array]:
    """The largest product, e to the power of each less that, and their sum in the order of the classes."""
    largest = products[0]
    for z in products[1:]:
        largest = select(z > largest, z, largest)
    parts = exp(products - largest)
    total = np.zeros_like(largest)
    for part in parts:
        total += part
    return largest, parts, total


@named(data=load, l2=NONNEGATIVE, validation=FRACTION)
def softmax_regression(
    data: Source = "iris",
    l2: float = 0.01,
    bias: bool = True,
    batch_size: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
    sampling: str = "independent",
) -> SoftmaxRegression:
    """Softmax regression: several classes.

    Parameters
    ----------
    data : str, Path, DataFrame, (X, y) or Data
        As in `RowProblem`; the target is a label, text or one of consecutive whole numbers.
    l2 : float
        The penalty.
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
    rows = rows_of("softmax_regression", as_classes, data, bias, validation, seed)
    return SoftmaxRegression(rows, bias, l2, Sampling(batch_size, seed, sampling))
