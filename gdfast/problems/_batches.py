"""Which rows each step takes."""

import numpy as np
from numpy.typing import NDArray


def batches(m: int, batch_size: int, max_steps: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of each step's mini-batch, ``int64[max_steps + 1, batch_size]``.

    Every row is taken once before any is taken again, in a random order of `seed` that is another one each time.
    """
    rng = np.random.default_rng(seed)
    needed = (max_steps + 1) * batch_size
    orders = [rng.permutation(m) for _ in range(-(-needed // m))]
    return np.concatenate(orders)[:needed].reshape(max_steps + 1, batch_size)
