"""What a problem is: a loss with its gradient, its dimension, its start domain, its stationary points.

Arrays of points have the coordinates first and the lanes last: ``theta`` is ``float64[d, n]``, a loss is
``float64[n]``, a gradient ``float64[d, n]``.
"""

from typing import Any

from gdfast.problems._scales import Scales
from gdfast.problems._starting import Starting


class Problem(Starting, Scales):
    """A loss to be minimized.

    Who writes a problem writes a `domain` and three methods: `loss`, `gradient` and `hessian`, and for compiled sweeps
    a `lane_kernel`, unless it is a `Landscape`, whose formulas serve for all, or one with data, whose steps and
    specification are a `DataProblem`'s. Everything else has a default, by role:

    `Loss`
        the mathematics: `dimension`, `coordinates`;
    `Starting`
        where trajectories begin: `grid`, `random`, `default_starts`;
    `Judging`
        what is known, by which end points are judged: `stationary_points`, `minima`, `locate`, `nearest_minimum`,
        `distance`, `sharpness`, `judge`, `provides`, `lowest_objective`;
    `Scales`
        the units in which they are judged: `lowest`, `loss_scale`, `gradient_scale`, `divergence_scales`,
        `loss_tolerance`;
    `Stepping`
        what a step takes: `objective` and how it differs from the loss, `step_gradient`, `step_objective`, `groups`,
        `lane_data` and what a step costs.

    Methods take points ``theta`` as ``float64[d, n]``, a column a point; one point may be ``float64[d]``, which is the
    same as ``float64[d, 1]``. They also take points as results hold them, ``result.theta`` or what is selected of it,
    and arrays of three axes or more with the coordinates last; what they return then has the points' axes in front:
    ``problem.loss(result.theta)`` is the loss of each trajectory, by the names of its axes. Anything else is refused by
    a `TypeError` or `ValueError` that tells the shape.

    Examples
    --------
    >>> import gdfast
    >>> problem = gdfast.problems.rosenbrock()
    >>> problem.coordinates, problem.loss([1.0, 1.0]).tolist()
    (('x', 'y'), [0.0])
    """

    @classmethod
    def from_expression(cls, expression: str, domain: Any = None, params: Any = None) -> "Problem":
        """Make a landscape of an expression; see `gdfast.problems.from_expression`.

        Parameters
        ----------
        expression : str
            The loss.
        domain : mapping or array_like, optional
            Lowest and highest value of each coordinate.
        params : mapping, optional
            Values of the names that are no coordinates.

        Returns
        -------
        Problem
            A `Landscape`.
        """
        from gdfast.problems.expression import from_expression

        return from_expression(expression, domain, params)
