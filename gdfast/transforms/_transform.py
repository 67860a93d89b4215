"""What a transform is: a rule that changes the gradient before the update, or the point after it."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.formulas.noise import KEY, keys
from gdfast.named import parameters_of_factory
from gdfast.rules import (
    arguments_of,
    check_coefficients,
    check_reduced,
    check_results,
    check_scalars,
    in_columns,
    names_of,
    sample,
    state_of,
    steps_of,
)
from gdfast.schedules import Varied

PARTS = ("all", "matrices")
"""Of which parameters a transform may be."""
EXTENTS = ("all", "arrays", "units")
"""Over which of them its norms and sums may be."""
DRAWN = ("noise", "chance")
"""Arguments of a rule that are random numbers: a standard normal one, and one drawn uniformly from (0, 1)."""
THE_START = math.nan
"""As the first value of a state slot: that of the point that a trajectory starts from."""


def part(value: Any) -> str:
    """Return the name of a part of the parameters, or refuse what is none."""
    return arguments.choice("of", value, PARTS)


def extent(value: Any) -> str:
    """Return the name of what a norm or a sum is over, or refuse what is none."""
    return arguments.choice("over", value, EXTENTS)


@dataclass(frozen=True, eq=False, repr=False)
class Transform(Varied):
    """A rule that changes the gradient before the update, or the point after it.

    Parameters
    ----------
    rule : callable
        Of one coordinate, from ``theta, grad, lr``, the norms, the sums, ``noise`` and the coefficients to the
        gradient. After the update from ``theta, grad, before``, that is the new point, the gradient that the update
        took and the point that it began at, the state slots and scalars, ``lr`` and the same as above to the point,
        the state slots and the scalars.
    norms : tuple of str
        Names of the rule's arguments that are Euclidean norms over all coordinates.
    entries : callable, optional
        Of what: a function of the rule's arguments other than norms, sums and noise that returns a value for each norm.
    euclidean : bool
        Whether the norms are Euclidean, or else maximum norms.
    sums : tuple of str
        Names of the rule's arguments that are sums over all coordinates.
    terms : callable, optional
        What is summed: a function of the rule's arguments other than sums and noise that returns a value for each sum.
    rounds : bool
        Whether the sums are taken in rounds: `terms` has them, as the round before left them, after the norms, and 0 in
        the first. Rounds go on as long as the first sum falls, and are one more than there are coordinates at most.
    step_table : callable, optional
        From the step numbers t = 1, 2, … (float64 array) to a mapping of coefficient names to arrays.
    after : bool
        Whether the rule acts on the point, after the update, instead of on the gradient before it.
    initial : mapping, optional
        State slots and scalars that do not start at zero, with their first value; `THE_START` stands for that of the
        coordinate at the trajectory's start.
    scalars : tuple of str
        Names of the rule's arguments that are running numbers of the whole trajectory, the last before ``lr``.
    of : {"all", "matrices"}
        Which parameters it changes, and takes norms and sums of: all, or those of matrices, such as the weights
        between two layers of a network.
    over : {"all", "arrays", "units"}
        Over which of these each norm and sum is: all; each array of parameters, such as the weights of a layer; or the
        inputs of each unit, a column of a matrix, which is of matrices only.
    jumps : bool
        Whether what the rule returns is constant but for jumps, as rounding is, so that linear theory tells nothing.
    elsewhere : bool
        Whether the rule returns no gradient but the point at which it is taken, of the same rows of data and with the
        transforms before this one.
    parameters : mapping
        Coefficients by name that do not depend on the step; a factory's are its parameters.

    Raises
    ------
    TypeError, ValueError
        If the rule is not in the grammar, or its arguments do not fit the rest.

    Examples
    --------
    One of one's own, from its rule alone or, with parameters that are checked, from a factory:

    >>> from gdfast import optimizers
    >>> from gdfast.arguments import UNIT
    >>> from gdfast.named import named
    >>> def shrunk(theta, grad, lr, share):
    ...     return grad * (1 - share) / (1 + abs(grad))
    >>> optimizers.gd().transformed(Transform(shrunk, parameters={"share": 0.5}))
    <optimizer gd|<shrunk>:share=0.5>
    >>> @named(share=UNIT)
    ... def shy(share: float = 0.1) -> Transform:
    ...     return Transform(shrunk)
    >>> optimizers.adam().transformed(shy(share=0.2))
    <optimizer adam|shy:share=0.2>

    And one that acts after the update, of which a tenth is taken back:

    >>> def hesitant(theta, grad, before, lr):
    ...     return before + 0.9 * (theta - before)
    >>> optimizers.adam().transformed(Transform(hesitant, after=True))
    <optimizer adam|<hesitant>>

    And one for which the gradient is taken where a step of gradient descent would lead:

    >>> def ahead(theta, grad, lr):
    ...     return theta - lr * grad
    >>> optimizers.adam().transformed(Transform(ahead, elsewhere=True)).cost
    '2 gradients'
    """

    compared: ClassVar[str] = "make an optimizer of each, as the text 'gd|clip_norm=1/2/3' does"

    rule: Callable[..., Any]
    norms: tuple[str, ...] = ()
    entries: Callable[..., Any] | None = None
    euclidean: bool = True
    sums: tuple[str, ...] = ()
    terms: Callable[..., Any] | None = None
    rounds: bool = False
    step_table: Callable[[Array], Mapping[str, Any]] | None = None
    after: bool = False
    initial: Mapping[str, float] = field(default_factory=dict)
    scalars: tuple[str, ...] = ()
    of: str = "all"
    over: str = "all"
    jumps: bool = False
    elsewhere: bool = False
    parameters: Mapping[str, Any] = field(default_factory=parameters_of_factory)

    def __post_init__(self) -> None:
        self.pin("rule", "entries", "terms")
        for name in ("norms", "sums", "scalars"):
            object.__setattr__(self, name, names_of(name, getattr(self, name)))
        for name in ("euclidean", "rounds", "after"):
            arguments.flag(name, getattr(self, name))
        if self.rounds and not self.sums:
            raise ValueError("rounds must come with sums, which are taken in them")
        arguments.flag("jumps", self.jumps)
        if arguments.flag("elsewhere", self.elsewhere) and self.after:
            raise ValueError("elsewhere must be of a transform of the gradient, not of one that acts after the update")
        part(self.of)
        extent(self.over)
        _ = self._signature
        if self.scalars and self.over != "all":
            raise ValueError(
                f"over must be 'all' for a transform with scalars, which are one for all, not {self.over!r}"
            )
        for slot in arguments.mapping("initial", self.initial, "a mapping from state slots to numbers"):
            arguments.choice("initial: state slot", slot, self.state + self.scalars)
            value = self.initial[slot]
            if slot in self.scalars or not (isinstance(value, float) and math.isnan(value)):
                arguments.number(f"initial: {slot}", value)
        parameters = arguments.mapping("parameters", self.parameters, "a mapping from names to values")
        columns = sample(self.step_table, steps_of(parameters))
        known = {*parameters, *columns, *KEY}
        check_coefficients(self.rule, self.coefficients, known, "a norm or a sum is told by norms or sums")
        if self.noisy and "seed" not in parameters:
            raise ValueError(f"rule {self.rule.__name__} has {self.drawn}, so there must be a parameter seed beside it")
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    @property
    def _signature(self) -> "_Signature":
        reduced = self.norms, self.entries, self.sums, self.terms
        return _signature_of(self.rule, reduced, self.rounds, self.scalars, self.after)

    @property
    def drawn(self) -> str:
        """What random number the rule asks for, ``noise`` or ``chance``; empty for none."""
        return self._signature.drawn

    @property
    def noisy(self) -> bool:
        """Whether the rule asks for a random number."""
        return bool(self.drawn)

    @property
    def state(self) -> tuple[str, ...]:
        """Names of the state slots of a coordinate: the rule's arguments between ``before`` and scalars or ``lr``."""
        return self._signature.state

    @property
    def results(self) -> int:
        """How many values the rule returns."""
        return 1 + len(self.state) + len(self.scalars)

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after ``lr``, norms, sums and noise; a key comes last."""
        return (*self._signature.coefficients, *(KEY if self.noisy else ()))

    @property
    def of_matrices(self) -> bool:
        """Whether it asks which parameters are matrices."""
        return self.of == "matrices" or self.over == "units"

    @property
    def initial_state(self) -> tuple[float, ...]:
        """First value of each state slot."""
        return tuple(float(self.initial.get(slot, 0.0)) for slot in self.state)

    @property
    def initial_scalars(self) -> tuple[float, ...]:
        """First value of each scalar."""
        return tuple(float(self.initial.get(scalar, 0.0)) for scalar in self.scalars)

    def columns(self, max_steps: int) -> Array:
        """The coefficients of every step, ``float64[max_steps + 1, c]``.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        ndarray
            A row a step, a column a coefficient.
        """
        if self.courses:
            columns: Array = self.at_every_step(max_steps).columns(max_steps)
            return columns
        values: dict[str, Any] = dict(self.parameters)
        t = np.arange(1, max_steps + 2, dtype=np.float64)
        if self.step_table:
            values.update(self.step_table(t))
        if self.noisy:
            values.update(zip(KEY, keys(self.parameters["seed"], t).T, strict=True))
        return in_columns(self.coefficients, values, max_steps + 1)


class _Signature(NamedTuple):
    """What the arguments of a transform's rule are."""

    drawn: str
    state: tuple[str, ...]
    coefficients: tuple[str, ...]


@functools.lru_cache(maxsize=4096)
def _signature_of(
    rule: Any,
    reduced: tuple[tuple[str, ...], Any, tuple[str, ...], Any],
    rounds: bool,
    scalars: tuple[str, ...],
    after: bool,
) -> _Signature:
    """Tell what the arguments of a rule are; refuse it if they do not fit each other, or what it returns."""
    norms, entries, sums, terms = reduced
    first = ("theta", "grad", "before", "lr") if after else ("theta", "grad", "lr")
    names = arguments_of("rule", rule, first)
    rate = names.index("lr") if "lr" in names[3:] and after else 2
    if after and names[rate] != "lr":
        raise ValueError(
            f"rule {rule.__name__} must have an argument lr, the learning rate, after theta, grad, before and its "
            f"state slots, not {', '.join(names)}"
        )
    slots, rest = names[3:rate], names[rate + 1 :]
    taken = [name for name in names if name not in (*norms, *sums, *DRAWN)]
    check_reduced("norms, of entries", norms, entries, taken, rest[: len(norms)])
    taken = [name for name in names if name not in DRAWN and (rounds or name not in sums)]
    check_reduced("sums, of terms", sums, terms, taken, rest[len(norms) : len(norms) + len(sums)])
    rest = rest[len(norms) + len(sums) :]
    drawn = next((name for name in DRAWN if name in names), "")
    if drawn and (rest[:1] != (drawn,) or {*DRAWN} <= {*names}):
        raise ValueError(f"rule {rule.__name__} must have {drawn}, and that alone, right after lr, norms and sums")
    if not after:
        if scalars:
            raise ValueError(f"scalars must be of a transform that acts after the update, not {', '.join(scalars)}")
        check_results(rule, ("grad",), "a transform of the gradient has no state slots")
        return _Signature(drawn, (), rest[bool(drawn) :])
    check_results(rule, ("theta", *slots), "its state slots are the arguments between before and lr")
    state = state_of(slots, scalars)
    check_scalars(rule, state, scalars, first=3)
    return _Signature(drawn, state, rest[bool(drawn) :])
