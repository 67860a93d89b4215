"""Mini-batches: the rows of data that each step of a sweep takes, drawn once for all trajectories."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, memory
from gdfast.formulas.elementary import Array

_MOST_KEYS = 2**22  # random numbers made at a time


SAMPLINGS = ("independent", "epochs")
"""How mini-batches are drawn: each anew, or one after another from shuffled rows."""


@dataclass(frozen=True)
class Sampling:
    """How the rows of each step are drawn.

    Attributes
    ----------
    batch_size : int, optional
        Rows a step; all if None. It is the same at every step, since what an epoch is, how much memory the rows of a
        step take in kernels, and the step's cost are told by it before a run: a growing batch is several runs.
    seed : int
        Of the random numbers.
    how : str
        ``independent``: each step draws anew among all rows. ``epochs``, as loaders do: all rows are shuffled and taken
        one batch after another, and shuffled anew when less than a batch is left; these rows are dropped.

    Raises
    ------
    TypeError, ValueError
        If the seed is no such number, `how` is not known, or is not the usual one without mini-batches.

    Examples
    --------
    >>> Sampling(batch_size=2, seed=0).batches(5).until(3).shape
    (4, 2)
    """

    batch_size: int | None = None
    seed: int = 0
    how: str = "independent"

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", arguments.integer("seed", self.seed, low=0, high=2**63 - 1))
        arguments.choice("sampling", self.how, SAMPLINGS)
        if self.batch_size is None and self.how != SAMPLINGS[0]:
            raise ValueError(f"sampling must be given with batch_size, the rows of a step, not {self.how!r} alone")

    def batches(self, m: int) -> "Batches | None":
        """Return the mini-batches of `m` rows of data; None if each step takes all.

        Parameters
        ----------
        m : int
            How many rows there are.

        Returns
        -------
        Batches or None
            The rows of each step.
        """
        return None if self.batch_size is None else Batches(m, self.batch_size, self.seed, self.how)


class Batches:
    """The mini-batches of a problem: the rows of each step, drawn as far as they are asked for.

    Parameters
    ----------
    m : int
        Number of rows of the data.
    size : int
        Rows a step.
    seed : int
        Of the random numbers.
    sampling : str
        As in `draw_batches`.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or out of range.
    """

    def __init__(self, m: int, size: int, seed: int, sampling: str = "independent") -> None:
        self.size, self._m, self._seed, self._sampling = check_batch_size(size, m), m, seed, sampling
        self._drawn = np.empty((0, size), dtype=np.int64)

    def until(self, step: int) -> NDArray[np.int64]:
        """Return the rows of the steps from 0 to this one, ``int64[step + 1, size]``.

        Parameters
        ----------
        step : int
            The last step, from 0.

        Returns
        -------
        ndarray
            The numbers of the rows.

        Raises
        ------
        ValueError
            If they do not fit into memory.
        """
        if len(self._drawn) <= step:
            last = max(step, 2 * len(self._drawn))
            self._drawn = draw_batches(self._m, self.size, last, self._seed, self._sampling)
        return self._drawn[: step + 1]


def draw_batches(
    m: int, batch_size: int, max_steps: int, seed: int = 0, sampling: str = "independent"
) -> NDArray[np.int64]:
    """Draw the rows of the mini-batch of each step.

    They stand in ascending order, and do not repeat within a step. The rows of step t depend on `seed`, `sampling`, t,
    `m` and `batch_size` alone.

    Parameters
    ----------
    m : int
        Number of rows of the data.
    batch_size : int
        Rows a step.
    max_steps : int
        Steps; one more is drawn, for the gradient at the last point.
    seed : int
        Of the random numbers.
    sampling : str
        ``independent``: every step draws anew, uniformly among all subsets of `batch_size` rows. ``epochs``: the rows
        are shuffled and taken one batch after another, then shuffled anew; an epoch is ``m // batch_size`` steps, and
        what is left of it, less than a batch, is dropped, as by loaders with ``drop_last``.

    Returns
    -------
    ndarray
        ``int64[max_steps + 1, batch_size]``.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or out of range (a batch has at most `m` rows), the sampling is not known, or the rows
        do not fit into memory.

    Examples
    --------
    >>> draw_batches(5, 2, 3, sampling="epochs").tolist()  # of two steps and one row dropped each
    [[3, 4], [1, 2], [3, 4], [0, 1]]
    """
    m = arguments.integer("m", m)
    batch_size = check_batch_size(batch_size, m)
    max_steps = arguments.integer("max_steps", max_steps, low=0)
    arguments.choice("sampling", sampling, SAMPLINGS)
    seed, total = arguments.integer("seed", seed, low=0, high=2**63 - 1), max_steps + 1
    memory.fits(f"the rows of {max_steps:,} mini-batches of {batch_size:,}", 16 * total * batch_size)
    rows = _shuffled(m, batch_size, total, seed) if sampling == "epochs" else _drawn(m, batch_size, total, seed)
    rows.sort(axis=1)
    return rows


def _drawn(m: int, batch_size: int, total: int, seed: int) -> NDArray[np.int64]:
    """The rows of so many steps, each drawn anew."""
    rng = np.random.Generator(np.random.Philox(seed))
    # A choice between two exact methods, by their cost; each takes a fixed count of random numbers a step, so that
    # the first steps are the same however many follow.
    draw, keys = (_by_keys, m) if batch_size * batch_size > 8 * m else (_by_floyd, batch_size)
    rows = np.empty((total, batch_size), dtype=np.int64)
    stride = max(1, _MOST_KEYS // keys)
    for first in range(0, total, stride):
        part = rows[first : first + stride]
        part[:] = draw(rng.random((len(part), keys)), m, batch_size)
    return rows


def _shuffled(m: int, batch_size: int, total: int, seed: int) -> NDArray[np.int64]:
    """The rows of so many steps, epoch by epoch."""
    # Another stream than that of independent draws and of rows held out.
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(2,))))
    each = m // batch_size  # steps of an epoch
    rows = np.empty((total, batch_size), dtype=np.int64)
    stride = max(1, _MOST_KEYS // m)
    for first in range(0, total, stride * each):
        part = rows[first : first + stride * each]
        keys = rng.random((-(-len(part) // each), m))
        order = np.argsort(keys, axis=1, kind="stable")[:, : each * batch_size]
        part[:] = order.reshape(-1, batch_size)[: len(part)]
    return rows


def check_batch_size(batch_size: int, m: int) -> int:
    """Return the batch size if it is a whole number from 1 to the number of rows.

    Raises
    ------
    TypeError, ValueError
        If it is not.
    """
    size = arguments.integer("batch_size", batch_size)
    if size > m:
        raise ValueError(f"batch_size must be at most {m}, the number of rows, not {size}")
    return size


def _by_floyd(uniform: Array, m: int, batch_size: int) -> NDArray[np.int64]:
    """Floyd's algorithm (Bentley and Floyd 1987) for all steps at once: ½ batch_size² comparisons a step."""
    chosen = np.empty((batch_size, len(uniform)), dtype=np.int64)
    for i, limit in enumerate(range(m - batch_size, m)):
        # Any of 0 … limit; where it is taken already, limit itself, which cannot be.
        row = (uniform[:, i] * (limit + 1)).astype(np.int64)
        taken = (chosen[:i] == row).any(axis=0)
        chosen[i] = np.where(taken, limit, row)
    return chosen.T


def _by_keys(uniform: Array, m: int, batch_size: int) -> NDArray[np.int64]:
    """The rows with the smallest of `m` random keys a step."""
    if batch_size == m:
        return np.broadcast_to(np.arange(m), uniform.shape)
    return np.argpartition(uniform, batch_size - 1, axis=1)[:, :batch_size]
