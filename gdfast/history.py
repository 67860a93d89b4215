"""Histories: what a sweep records of each trajectory at chosen steps, beside how it ended.

Ask for one by ``Sweep(..., history="loss,sharpness:64")``. The result then has ``history_loss`` and
``history_sharpness`` over ``(optimizer, learning_rate, start, recorded_step)``. Nothing is paid between the steps that
are recorded. After a trajectory has settled, also where it has diverged, its history stays at its end point.
"""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, literals
from gdfast.values import Value

if TYPE_CHECKING:
    from gdfast.problems import Problem


class Quantity(NamedTuple):
    """Something that is recorded: what it is, in words, and what of the problem it needs, of `Problem.provides`."""

    meaning: str
    needs: str = ""
    of_points: bool = True  # told by the problem's method of this name, from points; else from losses and gradients


QUANTITIES: Mapping[str, Quantity] = {
    "loss": Quantity("loss", of_points=False),
    "lowest_loss": Quantity("lowest recorded loss so far", of_points=False),
    "gradient_norm": Quantity("largest absolute entry of the gradient", of_points=False),
    "distance": Quantity("distance to the nearest known minimum", "minima"),
    "sharpness": Quantity("largest eigenvalue of the Hessian"),
    "preconditioned_sharpness": Quantity(
        "largest eigenvalue of the Hessian divided by the optimizer's preconditioner", of_points=False
    ),
    "accuracy": Quantity("share of the rows learned from that are given their own class", "accuracy"),
    "validation_loss": Quantity("loss of the rows held out", "validation_loss"),
    "validation_accuracy": Quantity("share of the rows held out that are given their own class", "validation_accuracy"),
    "theta": Quantity("point"),
}
"""What can be recorded."""

_WITHOUT = {
    "minima": "minima of which it is known where they are",
    "accuracy": "rows with classes",
    "validation_loss": "held-out rows (such as by validation=0.25)",
    "validation_accuracy": "held-out rows with classes (such as by validation=0.25)",
}
"""What a problem lacks that does not provide something."""

PREFIX = "history_"
_SPACINGS = ("log", "linear")
_MOST_STEPS = 2**20


@dataclass(frozen=True, init=False, eq=False, repr=False)
class History(Value):
    """What is recorded of each trajectory, and at which steps.

    Parameters
    ----------
    *quantities : str
        Names of `QUANTITIES`:

        ``loss``
            the loss, over all rows where there are data;
        ``lowest_loss``
            the lowest of the losses recorded so far;
        ``gradient_norm``
            ``max|g|``;
        ``distance``
            to the nearest known minimum, Euclidean: `Problem.distance`;
        ``sharpness``
            the largest eigenvalue of the Hessian of what is stepped on: `Problem.sharpness_along`, to a hundredth and
            mostly to four digits. Of a network, 64 of them take as long as 600 to 1700 steps do;
        ``preconditioned_sharpness``
            the same of P^(−1/2) H P^(−1/2), where P is what the optimizer divided each coordinate's step by at the
            update before, as Adam and RMSprop do (Cohen et al. 2022, arXiv 2207.14484): its state is noted for that.
            Not a number before the first update; the sharpness itself for optimizers that divide by nothing. After a
            trajectory has settled it stays what it was when it was last recorded;
        ``accuracy``, ``validation_loss``, ``validation_accuracy``
            of the rows learned from and those held out, where the problem has them;
        ``theta``
            the point.
    steps : int or sequence of int
        How many steps are recorded, from 0 to the budget; all steps, if there are no more. Or after how many updates,
        ascending.
    spacing : {"log", "linear"}
        How so many steps lie: denser at the beginning, each about the same multiple of the one before, or evenly.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it.

    Examples
    --------
    >>> History("loss", "sharpness", steps=8)
    <history loss,sharpness:8>
    >>> History("loss", steps=8).recorded_steps(1000)
    array([   0,    1,    3,   10,   32,  100,  316, 1000])
    """

    quantities: tuple[str, ...]
    steps: int | tuple[int, ...]
    spacing: str

    def __init__(self, *quantities: str, steps: int | Sequence[int] = 64, spacing: str = "log") -> None:
        for name in quantities:
            arguments.choice("history: quantity", name, QUANTITIES)
        if not quantities or len(set(quantities)) < len(quantities):
            told = arguments.shown(", ".join(quantities))
            raise ValueError(f"history must name what is recorded, each once, of {', '.join(QUANTITIES)}, not {told}")
        object.__setattr__(self, "quantities", tuple(quantities))
        object.__setattr__(self, "steps", _steps(steps))
        object.__setattr__(self, "spacing", arguments.choice("history: spacing", spacing, _SPACINGS))

    @classmethod
    def of(cls, told: Any) -> "History":
        """Make a history of what a `Sweep` takes as one: itself, its text, or names of quantities.

        The text is names with commas between them, then, after colons, ``linear`` if steps lie evenly, and how many
        there are, or which they are with slashes between them: ``loss,sharpness:64``, ``loss:linear:100``,
        ``loss:0/10/100``.

        Parameters
        ----------
        told : History, str or sequence of str
            What is to be recorded.

        Returns
        -------
        History
            With the steps that the text tells, or the usual ones.

        Raises
        ------
        TypeError, ValueError
            If it is anything else.

        Examples
        --------
        >>> History.of("loss,accuracy:linear:100")
        <history loss,accuracy:linear:100>
        """
        if isinstance(told, History):
            return told
        if not isinstance(told, str):
            accepted = "a gdfast.History, its text, or names of what is recorded, such as ['loss', 'gradient_norm']"
            return cls(*(arguments.text("history", name) for name in arguments.several("history", told, accepted)))
        names, *rest = (part.strip() for part in told.split(":"))
        options: dict[str, Any] = {}
        if rest and rest[0] in _SPACINGS:
            options["spacing"] = rest.pop(0)
        if rest:
            try:
                options["steps"] = literals.read(rest.pop(0))
            except ValueError as error:
                raise ValueError(f"history: steps {error}") from None
        if rest:
            accepted = "such as loss,sharpness:64, loss:linear:100 or loss:0/10/100"
            raise ValueError(f"history must be {accepted}, not {arguments.shown(told)}")
        return cls(*(name.strip() for name in names.split(",")), **options)

    @property
    def label(self) -> str:
        """The text that `of` reads back."""
        spacing = f":{self.spacing}" if self.spacing != _SPACINGS[0] and isinstance(self.steps, int) else ""
        return f"{','.join(self.quantities)}{spacing}:{literals.write(self.steps)}"

    def __repr__(self) -> str:
        return f"<history {self.label}>"

    def __reduce__(self) -> Any:
        return _made, (self.quantities, self.steps, self.spacing)

    def content(self) -> Hashable:
        """Return quantities, steps and spacing, which steps that are told one by one do not have.

        Returns
        -------
        hashable
            By which histories are equal.
        """
        return self.quantities, self.steps, self.spacing if isinstance(self.steps, int) else ""

    def recorded_steps(self, max_steps: int) -> NDArray[np.int64]:
        """The updates done at what is recorded within a budget, ``int64[k]``, ascending.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        ndarray
            Numbers of updates.
        """
        if isinstance(self.steps, tuple):
            return np.array(self.steps, dtype=np.int64)
        count = min(self.steps, max_steps + 1)
        if count == 1:
            return np.array([max_steps])
        if self.spacing == "linear":
            return np.round(np.linspace(0, max_steps, count)).astype(np.int64)
        # A step that would lie within 1 of the one before is the next; the others lie anew for what is left.
        found, place = ([0, 1] if count > 2 else [0]), 1.0
        while len(found) < count - 1:
            place *= (max_steps / place) ** (1 / (count - len(found)))
            if round(place) <= found[-1]:
                place = found[-1] + 1.0
            found.append(round(place))
        return np.array([*found, max_steps], dtype=np.int64)

    @property
    def needs(self) -> tuple[bool, bool, bool, bool]:
        """Whether losses, gradients, points and states are to be noted, from which what is recorded is told."""
        preconditioned = "preconditioned_sharpness" in self.quantities
        return (
            bool({"loss", "lowest_loss"} & {*self.quantities}),
            "gradient_norm" in self.quantities,
            preconditioned or any(QUANTITIES[name].of_points for name in self.quantities),
            preconditioned,
        )

    def check(self, problem: "Problem", max_steps: int) -> None:
        """Refuse what a problem cannot tell, and steps beyond a budget.

        Parameters
        ----------
        problem : Problem
            What is run.
        max_steps : int
            The budget.

        Raises
        ------
        ValueError
            If there is such a thing.
        """
        for name in self.quantities:
            need = QUANTITIES[name].needs
            if need and need not in problem.provides:
                raise ValueError(f"history: {name} needs {_WITHOUT[need]}, which problem {problem.label} does not have")
        if isinstance(self.steps, tuple) and self.steps[-1] > max_steps:
            raise ValueError(f"history: steps must be at most max_steps, {max_steps}, not {self.steps[-1]}")

    def specification(self, max_steps: int) -> dict[str, Any]:
        """Quantities and steps as plain data.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        dict
            Texts and lists.
        """
        return {"quantities": list(self.quantities), "steps": self.recorded_steps(max_steps).tolist()}


def _made(quantities: tuple[str, ...], steps: int | tuple[int, ...], spacing: str) -> History:
    return History(*quantities, steps=steps, spacing=spacing)


def _steps(steps: Any) -> int | tuple[int, ...]:
    if not isinstance(steps, Sequence | np.ndarray) or isinstance(steps, str):
        return arguments.integer("history: steps", steps, high=_MOST_STEPS)
    accepted = "a number of steps, or whole numbers that ascend from 0 or more"
    several = arguments.several("history: steps", steps, accepted)
    if len(several) > _MOST_STEPS:
        raise ValueError(f"history: steps must be at most {_MOST_STEPS}, not {len(several)}")
    found = tuple(arguments.integer("history: steps", step, low=0) for step in several)
    if any(after <= before for before, after in itertools.pairwise(found)):
        raise ValueError(f"history: steps must be {accepted}, not {arguments.shown(found)}")
    return found
