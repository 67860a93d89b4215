"""Pages that run rules and landscapes in the browser, with the kernels' bits.

The texts of landscape, rules, transforms and schedules are printed as JavaScript (`gdfast.formulas.javascript`); the
driver, which settles and judges, stands once in ``engine.js`` and is held to the reference by the tests. What is
printed is traced: a function is run on numbers that write down what is done with them. So the lanes' elementary
functions come from the text that the compiler gets, and step tables and schedules from the functions that make them.

This room can be called, since `gdfast.live` is the function too.
"""

import sys
import types
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from gdfast.live.page import Live


def live(
    problem: Any,
    optimizers: Any = "gd",
    learning_rates: ArrayLike | str | None = None,
    *,
    learning_rate: float | None = None,
    start: ArrayLike | None = None,
    max_steps: int = 1000,
    title: str | None = None,
) -> "Live":
    """Make a page in which a landscape and optimizers run: one file, which asks for no network.

    Learning rate, start and every hyperparameter can be moved; paths, losses, maps of outcomes and bifurcation diagrams
    follow. Every trajectory has the bits of the kernels.

    Parameters
    ----------
    problem : Problem, str or factory
        A landscape of one or two coordinates, as in `Sweep`.
    optimizers : Optimizer, str or factory, or a sequence of them
        As in `Sweep`, at most 12.
    learning_rates : array_like or str, optional
        The range of maps, the lowest and the highest; a text is ``low:high``. About the limit of gradient descent at
        the sharpest minimum if not given.
    learning_rate : float, optional
        That the page begins with.
    start : array_like, (d,), optional
        Where it begins, in the problem's coordinates.
    max_steps : int
        Budget of a trajectory, in updates, at most 20,000.
    title : str, optional
        The heading.

    Returns
    -------
    Live
        Shown by notebooks; ``save("live.html")`` writes it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> import gdfast
    >>> page = gdfast.live("quartic", ["gd", "momentum"])
    >>> page.title, len(page.html) < 500_000
    ('quartic: gd, momentum', True)
    """
    from gdfast.live.page import made

    return made(
        problem,
        optimizers,
        learning_rates,
        learning_rate=learning_rate,
        start=start,
        max_steps=max_steps,
        title=title,
    )


class _Room(types.ModuleType):
    """A module that is called as its function of the same name."""

    def __call__(self, *given: Any, **named: Any) -> "Live":
        return live(*given, **named)


sys.modules[__name__].__class__ = _Room
_Room.__call__.__doc__ = live.__doc__

__all__ = ["live"]
