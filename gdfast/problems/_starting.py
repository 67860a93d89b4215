"""Where the trajectories of a problem begin, if a user does not say."""

from typing import Any

import numpy as np

from gdfast import arguments, memory
from gdfast.formulas.elementary import Array
from gdfast.problems._loss import Loss

_BYTES_OF_A_NUMBER = 24  # of a coordinate of a start while it is made, with temporaries


class Starting(Loss):
    """Starts over the domain of a loss."""

    def grid(self, n: int) -> Array:
        """Return starts on a regular grid over the domain, ``float64[n**d, d]``, the last coordinate fastest.

        Raises
        ------
        ValueError
            If the grid would hold more than 2³¹ − 1 starts, or more than fit into memory.
        """
        n = arguments.integer("grid: n", n)
        count = arguments.integer(f"grid: n**{self.dimension}, the number of starts,", n**self.dimension)
        memory.fits(f"grid: {count:,} starts", _BYTES_OF_A_NUMBER * count * self.dimension)
        axes = [np.linspace(low, high, n) for low, high in self.domain]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dimension)

    def default_starts(self, n: int) -> Any:
        """Return about `n` starts for when none are given: a regular grid, random ones beyond 8 coordinates."""
        n = arguments.integer("n", n)
        return self.grid(max(2, round(n ** (1 / self.dimension)))) if self.dimension <= 8 else self.random(n)

    def random(self, n: int, seed: int = 0) -> Array:
        """Return `n` starts drawn uniformly over the domain from `seed`, ``float64[n, d]``.

        Raises
        ------
        TypeError, ValueError
            If a number is not whole or out of range, or the starts would not fit into memory.
        """
        n = arguments.integer("random: n", n)
        memory.fits(f"random: {n:,} starts", _BYTES_OF_A_NUMBER * n * self.dimension)
        rng = np.random.default_rng(arguments.integer("random: seed", seed, low=0, high=2**63 - 1))
        return rng.uniform(self.domain[:, 0], self.domain[:, 1], (n, self.dimension))
