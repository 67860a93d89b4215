"""What problems with data share: the rows that a step takes, and how the data stand in a specification."""

import functools
import hashlib
from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.data import Sampling
from gdfast.data.units import Units
from gdfast.formulas.elementary import Array
from gdfast.problems._problem import Problem
from gdfast.problems._scales import LOOSE


class DataProblem(Problem):
    """A loss that is a mean over rows of data.

    With mini-batches each step takes rows of its own, without repetition and the same for every trajectory. A
    trajectory settles by the gradients of its steps' rows; where it ended is judged by all rows.

    Parameters
    ----------
    X, y : ndarray
        The rows as they enter the loss, float64.
    sampling : Sampling
        How the rows of each step are drawn. `loss` and `gradient` are those of all rows
        always.
    held_out : tuple of ndarray, optional
        X and y of the rows that are held out, of which no step learns; the share of all rows that a problem's parameter
        ``validation`` says, drawn by its seed, and where rows have classes that share of each.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or out of range.
    """

    units: Units
    """The features in the units of the data, and what they are standardized by."""

    def __init__(self, X: Array, y: Array, sampling: Sampling, held_out: tuple[Array, Array] | None = None) -> None:
        self.X, self.y, self.held_out = X, y, held_out
        self.seed, self.batch_size = sampling.seed, sampling.batch_size
        self.batches = sampling.batches(len(X))
        self.rows_each_step = self.batch_size or len(X)
        self.bytes_each_step = 16 * (self.batch_size or 0)
        self._lane_data: tuple[int, Array, NDArray[np.int64]] | None = None

    @property
    def compares_points(self) -> bool:
        return False

    @property
    def loss_tolerance(self) -> float:  # type: ignore[override]
        """Looser for mini-batches, whose noise keeps trajectories away from the optimum."""
        return super().loss_tolerance if self.batch_size is None else LOOSE

    @property
    def divergence_scales(self) -> tuple[float, float]:
        """`loss_scale` and `gradient_scale`."""
        return self.loss_scale, self.gradient_scale

    def settled(self, end: Array) -> tuple[float, ...] | None:
        """None: what is known of problems with data is all that there is."""
        return None

    def rows(self, t: int) -> NDArray[np.int64] | None:
        """Return the rows that the update after `t` others uses, ``int64[batch_size]``; None for all of them."""
        return None if self.batches is None else np.asarray(self.batches.until(t)[t])

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return the numbers and the layout that the lane kernel reads, the rows of each step at the layout's end."""
        kept = self._lane_data
        if kept is None or (self.batches is not None and kept[0] != max_steps):
            numbers, layout = self._lane_numbers(), self._layout_of_steps()
            if self.batches is not None:
                layout = np.concatenate([layout, self.batches.until(max_steps).ravel()])
            self._lane_data = kept = (max_steps, numbers, layout)
        return kept[1], kept[2]

    @abstractmethod
    def _lane_numbers(self) -> Array:
        """What the lane kernel reads as ``data``."""

    @abstractmethod
    def _layout_of_steps(self) -> NDArray[np.int64]:
        """The layout for the rows of a step, without these."""

    # What the rows that are held out tell.

    @property
    def has_classes(self) -> bool:
        """Whether rows have a class, so that there is an accuracy."""
        return False

    @functools.cached_property
    def provides(self) -> frozenset[str]:
        """What not every problem has: also ``accuracy``, and of held-out rows ``validation_loss`` and its accuracy."""
        told = {
            "accuracy": self.has_classes,
            "validation_loss": self.held_out is not None,
            "validation_accuracy": self.has_classes and self.held_out is not None,
        }
        return super().provides | {name for name, is_told in told.items() if is_told}

    @property
    def told_at_ends(self) -> tuple[str, ...]:
        """Where rows are held out, all that is told of accuracy and of them."""
        names = ("accuracy", "validation_loss", "validation_accuracy") if self.held_out else ()
        return tuple(name for name in names if name in self.provides)

    def accuracy(self, theta: Array) -> Array:
        """Return the share of the rows learned from that are given their own class, ``float64[n]``.

        Raises
        ------
        ValueError
            If rows have no classes.
        """
        return self._accuracy_on(theta, self.X, self.y)

    def validation_accuracy(self, theta: Array) -> Array:
        """Return the share of the held-out rows that are given their own class, ``float64[n]``.

        Raises
        ------
        ValueError
            If rows have no classes, or none is held out.
        """
        return self._accuracy_on(theta, *self._held("validation_accuracy"))

    def validation_loss(self, theta: Array) -> Array:
        """Return the loss of the held-out rows, without penalties, which are not theirs, ``float64[n]``.

        Raises
        ------
        ValueError
            If no row is held out.
        """
        return self._loss_on(theta, *self._held("validation_loss"))

    def _held(self, name: str) -> tuple[Array, Array]:
        if self.held_out is None:
            raise ValueError(f"{name}: {self.label} must hold rows out, such as by validation=0.25, but holds none")
        return self.held_out

    def _accuracy_on(self, theta: Array, X: Array, y: Array) -> Array:
        if not self.has_classes:
            raise ValueError(
                f"accuracy: the rows of {self.label} must have classes (of a network: loss='cross_entropy'), but their "
                "targets are numbers"
            )
        return np.asarray(np.mean(self._classes_of(theta, X) == y[:, None], axis=0), dtype=np.float64)

    @abstractmethod
    def _loss_on(self, theta: Array, X: Array, y: Array) -> Array:
        """The mean loss of some rows, without penalties."""

    def _classes_of(self, theta: Array, X: Array) -> NDArray[np.int64]:
        """The class that each of some rows is given, ``int64[rows, n]``."""
        raise NotImplementedError

    @property
    def specification(self) -> dict[str, Any]:
        """Name and parameters as plain data, and a digest of the rows."""
        arrays = (self.X, self.y, *(self.held_out or ()))
        digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
        return {**super().specification, "data": {"shape": list(self.X.shape), "sha256": digest}}
