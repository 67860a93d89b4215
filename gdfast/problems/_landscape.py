"""Problems whose loss is a formula of few coordinates."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.derivatives import NoDerivativeError, gradient_of, hessian_of, product_of
from gdfast.formulas.elementary import Array
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.reach import full_text
from gdfast.problems._formula_lanes import lane_kernel
from gdfast.problems._problem import Problem
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import real_of

LARGEST_LANDSCAPE = 8
"""Coordinates up to which a step has them in the registers of a compiled lane."""
MOST_COORDINATES = 100
"""Coordinates that a landscape may have."""


@dataclass(frozen=True, eq=False, repr=False)
class Landscape(Problem):
    """A problem whose loss is a formula of its coordinates.

    The loss is written once, in the grammar of `gdfast.formulas`, as a function of the coordinates. The gradient is
    derived from it, unless one is given too, and the Hessian from the gradient; where one of them chooses or has a
    kink, the derivative is that of one side, and where the Hessian so derived is not a number, or cannot be derived, it
    is made of differences of the gradient. It serves to find and tell apart stationary points only.

    Parameters
    ----------
    loss_formula : callable
        From the coordinates to the loss.
    gradient_formula : callable, optional
        From the coordinates to the gradient: one expression for d = 1, a tuple of d expressions otherwise. Derived from
        the loss if not given.
    domain : array_like, (d, 2)
        Lowest and highest value of each coordinate; one pair for d = 1. A mapping from the coordinates' names to
        pairs is accepted too.
    near : array_like, (k, d), optional
        Points from which Newton's method finds the stationary points. If not given they are searched for, over the
        domain and as far again on either side; isolated ones only, and among many some may be missed.
    name : str
        What it is called in labels and results.
    representative : callable, optional
        Where a symmetry makes stationary points come in rings or other sets, of which one is listed: from points
        ``(d, n)`` to the equivalent points among which the listed one is.
    params : mapping, optional
        Values of arguments of the loss that are no coordinates but numbers, which stand behind the coordinates:
        ``Landscape(loss, domain=(-1, 1), params={"a": 2.0})`` of ``def loss(x, a)``. An argument with a default,
        ``def loss(x, a=2.0)``, is one by itself. One compiled kernel serves for all values.
    minimum : float, optional
        The lowest loss, f*, where it is known and is that of no minimum that can be found, such as 0 of ``exp(-x)``.

    Raises
    ------
    TypeError, ValueError
        If the formulas have more than 100 coordinates, or the domain does not fit them, or the loss, given without
        gradient, is not in the grammar or cannot be differentiated.

    Examples
    --------
    >>> from gdfast.formulas.formula import from_text
    >>> bowl = Landscape(from_text("def bowl(x): return x * x"), domain=(-1, 1))
    >>> bowl.gradient([3.0])
    array([[6.]])
    """

    loss_formula: Callable[..., Any]
    gradient_formula: Callable[..., Any] = None  # type: ignore[assignment]  # what is made always has one
    domain: Any = None
    near: Any = None
    name: str = "landscape"
    representative: Callable[[Array], Array] | None = None
    params: Mapping[str, float] = field(default_factory=dict)
    minimum: float | None = None
    _derived: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        shown = arguments.shown(self.name)[1:-1]
        arguments.function(f"{shown}: loss_formula", self.loss_formula, "a function of the coordinates")
        if self.gradient_formula is not None:
            wanted = "a function of the coordinates, or None"
            arguments.function(f"{shown}: gradient_formula", self.gradient_formula, wanted)
        self.pin("loss_formula", "gradient_formula")
        object.__setattr__(self, "params", _params(shown, self.loss_formula, self.params))
        names = self.coordinates
        arguments.text("name", self.name)
        if self.minimum is not None:
            object.__setattr__(self, "minimum", arguments.number(f"{shown}: minimum", self.minimum))
        if self.representative is not None:
            arguments.function("representative", self.representative, "a function of points, or None")
        if not 1 <= len(names) <= MOST_COORDINATES:
            raise ValueError(
                f"{self.name}: a landscape must have 1 to {MOST_COORDINATES} coordinates, not {len(names)}; a problem "
                "of more is a subclass of gdfast.problems.Problem with a lane kernel"
            )
        domain = checked_domain(self.name, self.domain, names)
        domain.flags.writeable = False
        object.__setattr__(self, "domain", domain)
        object.__setattr__(self, "_derived", self.gradient_formula is None)
        if self._derived:
            try:
                object.__setattr__(self, "gradient_formula", gradient_of(self.loss_formula, names))
            except NoDerivativeError as error:
                raise ValueError(
                    f"{self.name}: the loss cannot be differentiated, since {error}; give its gradient_formula too"
                ) from None
            except GrammarError as error:
                raise GrammarError(f"{self.name}: loss_formula: {error}") from None
        else:
            _check_arguments(self.name, self.gradient_formula, (*names, *self.params))
        self._check_formula("loss_formula", 1)
        self._check_formula("gradient_formula", len(names))
        if len(names) > LARGEST_LANDSCAPE:
            object.__setattr__(
                self, "lane_kernel", lane_kernel(self.loss_formula, self.gradient_formula, len(names), len(self.params))
            )

    def _check_formula(self, role: str, results: int) -> None:
        try:
            Formula.of(getattr(self, role), results)
        except GrammarError as error:
            raise GrammarError(f"{self.name}: {role}: {error}") from None

    def fields(self) -> dict[str, Any]:
        """What it is made of, by name; a gradient that was derived is not part of it.

        Returns
        -------
        dict
            The arguments that make it again.
        """
        fields = super().fields()
        return {**fields, "gradient_formula": None} if self._derived else fields

    @property
    def specification(self) -> dict[str, Any]:
        """Name and parameters as plain data; the formulas themselves where no factory can make them again."""
        if self.make is not None:
            return super().specification
        formulas = {"loss": self.loss_formula, "gradient": self.gradient_formula, "representative": self.representative}
        near = None if self.near is None else np.asarray(self.near, dtype=np.float64).tolist()
        judged = {"params": dict(self.params) or None, "near": near, "minimum": self.minimum}
        return {
            "name": self.name,
            "parameters": {
                **{n: full_text(f) for n, f in formulas.items() if f is not None},
                "domain": self.domain.tolist(),
                **{n: value for n, value in judged.items() if value is not None},
            },
            **self._code,
        }

    @property
    def label(self) -> str:
        """The name, with the parameters that differ from their defaults; of what was made directly the name."""
        return self.name if self.make is None else super().label

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates: the arguments of the loss formula but for those in `params`."""
        return tuple(name for name in inspect.signature(self.loss_formula).parameters if name not in self.params)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return the values of `params`, which kernels read.

        Parameters
        ----------
        max_steps : int
            The budget, on which they do not depend.

        Returns
        -------
        tuple of ndarray
            The values, and where they are, of which nothing needs to be told.
        """
        return np.array([*self.params.values()], dtype=np.float64), np.empty(0, dtype=np.int64)

    def _at(self, theta: Array) -> list[Any]:
        """What formulas take: coordinates and params, of one type."""
        return [*theta, *(real_of(theta).type(value) for value in self.params.values())]

    def loss(self, theta: Array) -> Array:
        real = real_of(theta)
        values = Formula.of(self.loss_formula, 1).reading(real.name)(*self._at(theta))
        return np.array(np.broadcast_to(values, theta.shape[1:]), dtype=real)

    def gradient(self, theta: Array) -> Array:
        parts = Formula.of(self.gradient_formula, self.dimension).reading(real_of(theta).name)(*self._at(theta))
        parts = (parts,) if self.dimension == 1 else parts
        return np.stack([np.broadcast_to(np.asarray(part, real_of(theta)), theta.shape[1:]) for part in parts])

    @property
    def hessian_formula(self) -> Callable[..., Any]:
        """The Hessian as a formula of the coordinates, rows as results; derived from the gradient.

        Raises
        ------
        NoDerivativeError
            If the gradient cannot be differentiated.
        """
        return hessian_of(self.gradient_formula, self.dimension)

    @functools.cached_property
    def provides(self) -> frozenset[str]:
        if self.dimension > LARGEST_LANDSCAPE:
            return super().provides
        try:
            _ = self.hessian_formula
        except NoDerivativeError:
            return super().provides
        return super().provides | {"hessian", "hessian_product"}

    def hessian_rows(self, theta: Array) -> list[list[Array]]:
        """The entries of the Hessian by its formula, ``dtype[n]`` each.

        Parameters
        ----------
        theta : ndarray
            Points, ``dtype[d, n]``.

        Returns
        -------
        list of list of ndarray
            Row by row.

        Raises
        ------
        NoDerivativeError
            If there is none.
        """
        real = real_of(theta)
        rows = Formula.of(self.hessian_formula, self.dimension).reading(real.name)(*self._at(theta))
        rows = ((rows,),) if self.dimension == 1 else rows
        return [[np.broadcast_to(np.asarray(part, real), theta.shape[1:]) for part in row] for row in rows]

    def step_product(self, theta: Array, way: Array, t: int) -> Array:
        product = Formula.of(product_of(self.gradient_formula, self.dimension), self.dimension)
        numbers = self._at(theta)[self.dimension :]
        real = real_of(theta)
        parts = product.reading(real.name)(*theta, *way, *numbers)
        parts = (parts,) if self.dimension == 1 else parts
        return np.stack([np.broadcast_to(np.asarray(part, real), theta.shape[1:]) for part in parts])

    def hessian(self, theta: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                bend = np.array(self.hessian_rows(theta), dtype=np.float64)
        except NoDerivativeError:
            return self._gradient_differences(theta)
        lost = ~np.isfinite(bend).all(axis=(0, 1))
        if lost.any():
            bend[..., lost] = self._gradient_differences(theta[:, lost])
        return bend

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """The known stationary points, lowest loss first: those that Newton's method finds."""
        near = None if self.near is None else np.array(self.near, dtype=np.float64)
        return _points_of(
            (self.loss_formula, self.gradient_formula),
            tuple(self.params.items()),
            *(None if array is None else (array.shape, array.tobytes()) for array in (self.domain, near)),
        )

    @property
    def compares_points(self) -> bool:
        return self.representative is None

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        theta = theta if self.representative is None else self.representative(theta)
        return super().locate(theta, loss, gradient_tolerance)

    def nearest_minimum(self, theta: Array) -> NDArray[np.int64]:
        return super().nearest_minimum(theta if self.representative is None else self.representative(theta))

    def _gradient_differences(self, theta: Array) -> Array:
        """Central differences of the gradient, symmetrized; the step balances truncation and rounding."""
        rows = []
        with np.errstate(all="ignore"):
            for i in range(self.dimension):
                step = np.zeros_like(theta)
                step[i] = np.cbrt(np.finfo(float).eps) * np.maximum(1.0, np.abs(theta[i]))
                up, down = theta + step, theta - step
                rows.append((self.gradient(up) - self.gradient(down)) / (up[i] - down[i]))
            bend = np.stack(rows)
            return np.asarray((bend + bend.swapaxes(0, 1)) / 2)


@functools.lru_cache(maxsize=128)
def _points_of(
    formulas: tuple[Any, Any], params: tuple[tuple[str, float], ...], *arrays: tuple[tuple[int, ...], bytes] | None
) -> tuple[StationaryPoint, ...]:
    """The stationary points of a landscape, kept for when the same one is made again."""
    domain, near = (array and np.frombuffer(array[1]).reshape(array[0]) for array in arrays)
    again = Landscape(*formulas, domain, near, params=dict(params))
    return super(Landscape, again).stationary_points


def _params(told: str, loss: Callable[..., Any], params: Any) -> Mapping[str, float]:
    """The numbers among the arguments of a loss, by name, in the order of the arguments.

    Raises
    ------
    TypeError, ValueError
        If one is no argument or no number, or stands before a coordinate.
    """
    given = arguments.mapping(f"{told}: params", params, "a mapping from names of arguments of the loss to numbers")
    signature = inspect.signature(loss).parameters
    for name in given:
        arguments.choice(f"{told}: params:", name, signature)
    values = {n: p.default for n, p in signature.items() if p.default is not p.empty} | given
    whose = "" if params else "loss_formula: "  # the defaults of its arguments
    ordered = {n: arguments.number(f"{told}: {whose}params: {n}", values[n]) for n in signature if n in values}
    coordinates = [name for name in signature if name not in ordered]
    if ordered and [*signature] != [*coordinates, *ordered]:
        raise ValueError(
            f"{told}: params {', '.join(ordered)} must stand behind the coordinates among the arguments of the loss, "
            f"{', '.join(coordinates)}, not {', '.join(signature)}"
        )
    return MappingProxyType(ordered)


def _check_arguments(told: str, gradient: Callable[..., Any], names: Sequence[str]) -> None:
    """Refuse a gradient whose arguments do not stand for those of the loss, `names`, one by one.

    Raises
    ------
    ValueError
        If there are more or less of them, or they are the same in another order.
    """
    has = [*inspect.signature(gradient).parameters]
    if len(has) != len(names) or any(name in names and names.index(name) != i for i, name in enumerate(has)):
        raise ValueError(
            f"{told}: gradient_formula must have the arguments of the loss in their order, {', '.join(names)}, "
            f"not {', '.join(has) or 'none'}"
        )


def checked_domain(name: str, domain: Any, names: Sequence[str]) -> Array:
    """Return a domain as ``float64[d, 2]``.

    Parameters
    ----------
    name : str
        Of the problem, for the message.
    domain : array_like or mapping
        Pairs, one for each name, or a mapping from the names to them; one pair alone for one coordinate.
    names : sequence of str
        The coordinates.

    Raises
    ------
    ValueError
        If it is none, or a lowest value is not below the highest.
    """
    accepted = f"{name}: domain must have a lowest and a highest value for each of {', '.join(names)}"
    if isinstance(domain, Mapping):
        if set(domain) != set(names):
            raise ValueError(f"{accepted}, not for {', '.join(map(str, domain)) or 'none'}")
        domain = [domain[n] for n in names]
    try:
        pairs = arguments.array("domain", domain)
    except (TypeError, ValueError):
        raise ValueError(f"{accepted}, not {arguments.shown(domain)}") from None
    pairs = pairs[None] if len(names) == 1 and pairs.shape == (2,) else pairs
    if pairs.shape != (len(names), 2):
        raise ValueError(f"{accepted}, that is shape ({len(names)}, 2), not {pairs.shape}")
    for coordinate, (low, high) in zip(names, pairs.tolist(), strict=True):
        if not (low < high and np.isfinite(high - low)):
            raise ValueError(f"{accepted}, the lowest first, both finite; that of {coordinate} is {low:g} to {high:g}")
    return pairs
