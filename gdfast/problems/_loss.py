"""What a loss is: the mathematics of a problem, which its author writes."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from gdfast.formulas.elementary import Array
from gdfast.named import Named
from gdfast.problems._points import AtPoints


class Loss(AtPoints, Named, ABC):
    """A function of d coordinates with its derivatives.

    Attributes
    ----------
    domain : ndarray
        ``float64[d, 2]``: where starts are drawn and maps are shown, lowest and highest value of a coordinate.
    """

    compared: ClassVar[str] = "make one of each, and a sweep over each, as gdfast.run_over does"
    domain: Array

    def __new__(cls, *_: Any, **__: Any) -> "Loss":
        """Refuse to make what is only half written."""
        missing = sorted(getattr(cls, "__abstractmethods__", ()))
        if missing:
            raise TypeError(f"{cls.__name__} must define {', '.join(missing)} to be a problem")
        return super().__new__(cls)

    @property
    def dimension(self) -> int:
        """d, the number of parameters."""
        return len(self.domain)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(f"theta{i}" for i in range(self.dimension))

    @abstractmethod
    def loss(self, theta: Array) -> Array:
        """Return the loss ``float64[n]`` at the points ``theta`` (``float64[d, n]``)."""

    @abstractmethod
    def gradient(self, theta: Array) -> Array:
        """Return the gradient ``float64[d, n]`` at the points ``theta`` (``float64[d, n]``)."""

    @abstractmethod
    def hessian(self, theta: Array) -> Array:
        """Return the Hessians ``float64[d, d, n]`` at the points ``theta`` (``float64[d, n]``)."""
