"""When rules look at the diagonal of the Hessian, and the keys of the random signs by which it is estimated."""

from collections.abc import Callable, Mapping

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.formulas.noise import KEY, keys

_APART = 2**63  # from the seeds of gradient noise, whose numbers are to be others
MOST = 2**20


def draws(name: str, interval: int, seed: int) -> Callable[[Array], Mapping[str, Array]]:
    """The step table of such a rule: ``due`` is 1 at every so many steps, from the first on, beside the step's key.

    Raises
    ------
    TypeError, ValueError
        If interval or seed are no such numbers.
    """
    arguments.integer(f"{name}: interval", interval, high=MOST)
    key = _APART + arguments.integer(f"{name}: seed", seed, low=0, high=_APART - 1)

    def table(t: Array) -> Mapping[str, Array]:
        due = ((t - 1) % interval == 0).astype(np.float64)
        return {"due": due, **dict(zip(KEY, keys(key, t).T, strict=True))}

    return table
