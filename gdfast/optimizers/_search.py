"""Line searches: how far a rule goes along its direction p, found by trials of step lengths a.

With φ(a) the loss at θ + a p: a search gets φ and φ′ of a trial, and says which length is the next, or that this is it.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gdfast import arguments
from gdfast.formulas.formula import Formula
from gdfast.formulas.outside import original, pinned
from gdfast.rules import arguments_of

__all__ = ["Search"]

_SEEN = ("value", "slope", "loss", "descent")


@dataclass(frozen=True)
class Search:
    """A line search.

    Parameters
    ----------
    rule : callable
        A round: from the ``step`` that was tried, memory slots, then whichever it needs of ``value`` φ(a), ``slope``
        φ′(a), ``loss`` φ(0) and ``descent`` φ′(0), in this order, and coefficients, hyperparameters of the optimizer,
        to the step that is tried next or, at the end, taken; the memory slots; and a number, 0 while the search goes
        on. In the grammar of `gdfast.formulas`.
    initial : mapping
        The memory slots with their first values.
    most : int
        Rounds at most; then the step of the last is taken. Without a round the first step is.

    Raises
    ------
    TypeError, ValueError
        If the rule does not fit the rest.
    """

    rule: Callable[..., Any]
    initial: Mapping[str, float] = field(default_factory=dict)
    most: int = 25

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", pinned(self.rule))
        initial = arguments.mapping("search: initial", self.initial, "a mapping from memory slots to numbers")
        first = {slot: arguments.number(f"search: initial: {slot}", value) for slot, value in initial.items()}
        object.__setattr__(self, "initial", MappingProxyType(first))
        arguments.integer("search: most", self.most, low=0)
        names = arguments_of("search: rule", self.rule, ("step", *self.initial))
        if names[1 : 1 + len(self.initial)] != tuple(self.initial):
            raise ValueError(f"search: rule must have the slots {', '.join(self.initial)} after step, not {names}")
        seen = [name for name in names if name in _SEEN]
        if seen != [*names[1 + len(self.initial) :][: len(seen)]] or seen != sorted(seen, key=_SEEN.index):
            raise ValueError(f"search: rule must have {', '.join(seen)} right after its slots, in this order")
        Formula.of(self.rule, self.results)

    @property
    def results(self) -> int:
        """How many values a round returns."""
        return 2 + len(self.initial)

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.rule).parameters)[1 + len(self.initial) :]

    @property
    def seen(self) -> tuple[str, ...]:
        """What it needs to know of a trial and of the point: some of value, slope, loss, descent."""
        return tuple(name for name in self._names if name in _SEEN)

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return tuple(name for name in self._names if name not in _SEEN)

    def __hash__(self) -> int:
        return hash((self.rule, tuple(self.initial.items()), self.most))

    def __reduce__(self) -> Any:
        return Search, (original(self.rule), dict(self.initial), self.most)
