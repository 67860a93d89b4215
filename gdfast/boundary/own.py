"""Planes of one's own: any problem, any two of learning rate, coordinates of the start and hyperparameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments, grids, measures, memory, notation
from gdfast.boundary.planes import Axis, Condition, View
from gdfast.called import problem_of
from gdfast.formulas.elementary import Array
from gdfast.measures import Measure
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem
from gdfast.tiles.outcomes import Outcome
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import xarray

RATE = "learning_rate"
CRITERIA = ("convergence", "bounded", "reached")
_RATES = (-3.0, 1.0)  # log10, where no range is told
_MOST_OPTIMIZERS = 2**14
_LONGEST_LABEL = 48


@dataclass(frozen=True, eq=False)
class Plane(Condition):
    """A plane of one's own; see `plane`.

    Parameters
    ----------
    names : (str, str)
        What lies along x and y: ``learning_rate``, a coordinate of the start, or a hyperparameter.
    start : ndarray
        The start, ``float64[d]``, whose coordinates along an axis are replaced.
    learning_rate : float, optional
        Where it is no axis; the optimizer's default if not given.
    criterion : str or Measure
        What tells the two sides apart.
    threshold : float
        The value of a measure below which a trajectory is on the blue side.
    """

    names: tuple[str, str] = (RATE, RATE)
    start: Array = field(default_factory=lambda: np.empty(0))
    learning_rate: float | None = None
    criterion: str | Measure = "convergence"
    threshold: float = 0.0

    def sweep(self, optimizer: Optimizer, view: View, width: int = 8, max_steps: int = 100, seed: int = 0) -> Sweep:
        """The sweep whose trajectories are the pixels of a view.

        Raises
        ------
        ValueError
            If neighbouring pixels are the same numbers in float64, or the optimizer has no such hyperparameter.
        """
        problem = self.problem(width, seed)
        along = dict(zip(self.names, self.axes(view), strict=True))
        inner = {name: values for name, values in along.items() if name != RATE and name not in problem.coordinates}
        for name in inner:
            arguments.choice("x or y: axis", name, [RATE, *problem.coordinates, *optimizer.parameters])
        outer = {name: values for name, values in along.items() if name in problem.coordinates}
        rules = [optimizer.replace(**cell) for cell in _cells(inner)] if inner else [optimizer]
        starts = np.tile(self.start, (len(_cells(outer)), 1))
        for row, cell in zip(starts, _cells(outer), strict=True):
            for name, value in cell.items():
                row[problem.coordinates.index(name)] = value
        rate = optimizer.learning_rate if self.learning_rate is None else self.learning_rate
        measure = self._measure(problem)
        settings: dict[str, Any] = {}
        if measure is not None:
            settings = {"measure": measure, "gradient_tolerance": 0.0}  # nothing is stationary that moves at all
        return Sweep(problem, rules, along.get(RATE, [rate]), starts, max_steps, **settings)

    def image(self, result: "xarray.Dataset", resolution: int) -> Array:
        """What tells the two sides apart as an image ``float64[y, x]``, negative on the blue side.

        Of a measure that is its value less the threshold; else the steps, with a sign.
        """
        if self._judged:
            blue = self._is_blue(result.outcome.values)
            values = np.where(blue, -1.0, 1.0) * (result.steps.values + 1.0)
        else:
            values = result.measure.values - self.threshold
        values = np.where(np.isnan(values), np.inf, values)
        places = [0 if name not in self._other else 1 if name == RATE else 2 for name in self.names]
        if places[0] == places[1]:
            return np.asarray(values.reshape(resolution, resolution))
        return np.asarray(np.moveaxis(values, (places[1], places[0]), (0, 1))[..., 0])

    @property
    def words(self) -> str:
        """What the two sides of the boundary are, as it stands above an image."""
        if isinstance(self.criterion, Measure):
            return f"blue to green has {self.criterion.label} below {self.threshold:g}, red to yellow has not"
        return {
            "bounded": "blue to green stays bounded, red to yellow does not",
            "reached": "blue to green reaches the lowest minimum, red to yellow does not",
        }.get(self.criterion, super().words)

    @property
    def ends(self) -> tuple[str, str]:
        """What the palest and the darkest of the colours of each side are."""
        return ("nearest", "farthest") if isinstance(self.criterion, Measure) else super().ends

    @property
    def _other(self) -> tuple[str, ...]:
        """What an axis can be that is no hyperparameter."""
        return (RATE, *self.problem(8, 0).coordinates)

    @property
    def _judged(self) -> bool:
        """Whether outcomes tell the two sides apart, and no measure."""
        return self.criterion in ("bounded", "reached")

    def _is_blue(self, outcome: Any) -> Any:
        return outcome != Outcome.diverged if self.criterion == "bounded" else outcome == Outcome.global_minimum

    def _measure(self, problem: Problem) -> Measure | None:
        if self.criterion == "convergence":
            return measures.convergence(floor=problem.lowest)
        return self.criterion if isinstance(self.criterion, Measure) else None


def _cells(along: Mapping[str, Array]) -> list[dict[str, float]]:
    """All combinations of the values of up to two axes, the first one fastest."""
    if not along:
        return [{}]
    grids = np.meshgrid(*along.values())
    columns = [grid.ravel().tolist() for grid in grids]
    return [dict(zip(along, values, strict=True)) for values in zip(*columns, strict=True)]


def plane(
    problem: Problem,
    x: str = RATE,
    y: str | None = None,
    *,
    start: Any = None,
    learning_rate: float | None = None,
    criterion: str | Measure | None = None,
    threshold: float = 0.0,
) -> Plane:
    """Make a plane in which a boundary is looked at.

    Parameters
    ----------
    problem : Problem
        What is minimized.
    x, y : str
        What lies along the axes: ``learning_rate``, a coordinate of the start by its name, or a hyperparameter of the
        optimizer; with its range, ``momentum=0:1``, after ``log:`` or ``linear:`` if need be. Without one, learning
        rates are 10⁻³ to 10, logarithmic, and coordinates the domain; y is the first coordinate if not given.
    start : array_like, (d,), optional
        The start, of which coordinates along an axis are replaced; the middle of the domain if not given.
    learning_rate : float, optional
        Where it is no axis; the optimizer's default if not given.
    criterion : {"convergence", "bounded", "reached"} or Measure or str, optional
        What is blue: where `gdfast.measures.convergence` says so, as in arXiv 2402.06184; what does not diverge; what
        reaches the lowest minimum; or where a measure, or its text, ``steps_to_reach:tolerance=1e-3``, is below the
        `threshold`. ``convergence`` if not given, or, where no minimum is known, ``bounded``.
    threshold : float
        Of a measure.

    Returns
    -------
    Plane
        For `gdfast.boundary.planes.zoom` and `gdfast.boundary.report.build`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.

    Examples
    --------
    >>> import gdfast
    >>> from gdfast.boundary.planes import zoom
    >>> mine = plane(gdfast.problems.from_expression("x**4 - x**2 + y**2"), y="x=-1.5:1.5", start=[0.0, 0.5])
    >>> [frame.image.shape for frame in zoom(mine, gdfast.optimizers.gd(), mine.view(64), progress=False)]
    [(64, 64)]
    """
    problem = problem_of(problem)
    names, axes = [], []
    for argument, text in (("x", x), ("y", problem.coordinates[0] if y is None else y)):
        name, axis = _axis(argument, arguments.text(argument, text), problem)
        names.append(name)
        axes.append(axis)
    if names[0] == names[1]:
        raise ValueError(f"x and y must be two axes, not {names[0]} twice")
    point = problem.domain.mean(axis=1) if start is None else arguments.finite("start", start, "(d,)").reshape(-1)
    if point.shape != (problem.dimension,):
        raise ValueError(f"start must have {problem.dimension} coordinates, not {len(point)}")
    if learning_rate is not None:
        learning_rate = arguments.number("learning_rate", learning_rate, arguments.POSITIVE)
    known = bool(np.isfinite(problem.lowest))
    told = _criterion("convergence" if known else "bounded") if criterion is None else _criterion(criterion)
    if told in ("convergence", "reached") and not known:
        raise ValueError(f"criterion must be bounded or a measure for {problem.label}, of which no minimum is known")
    return Plane(
        arguments.cut(problem.label.removeprefix("from_expression:expression="), _LONGEST_LABEL),
        axes[0],
        axes[1],
        lambda width, seed: problem,
        names=(names[0], names[1]),
        start=point,
        learning_rate=learning_rate,
        criterion=told,
        threshold=arguments.number("threshold", threshold),
    )


def _criterion(criterion: Any) -> str | Measure:
    if isinstance(criterion, Measure):
        return criterion
    text = arguments.text("criterion", criterion)
    if text in CRITERIA:
        return text
    try:
        return notation.measure(text)
    except ValueError as error:
        told = f"criterion must be {', '.join(CRITERIA)} or a measure such as steps_to_reach:tolerance=1e-3"
        raise ValueError(f"{told}, not {arguments.shown(criterion)}: {error}"[:600]) from None


def _axis(argument: str, text: str, problem: Problem) -> tuple[str, Axis]:
    """What lies along an axis, and its range."""
    name, equals, rest = (part.strip() for part in text.partition("="))
    label = "learning rate" if name == RATE else f"start {name}" if name in problem.coordinates else name
    if not equals:
        if name == RATE:
            return name, Axis(label, *_RATES)
        if name in problem.coordinates:
            low, high = problem.domain[problem.coordinates.index(name)].tolist()
            return name, Axis(label, low, high, False)
        others = ", ".join((RATE, *problem.coordinates))
        raise ValueError(
            f"{argument} must be {others}, or a hyperparameter with its range, such as momentum=0:1, not "
            f"{arguments.shown(text)}"
        )
    spacing, colon, ends = rest.partition(":")
    logarithmic = spacing == "log" if colon and spacing in ("log", "linear") else name == RATE
    ends = ends if colon and spacing in ("log", "linear") else rest
    values = grids.parse_axis(f"{argument}: {arguments.shown(name)[1:-1]}", f"{ends}:2", logarithmic)
    if len(values) != 2 or not values[0] < values[1]:
        raise ValueError(f"{argument} must be {name}=low:high with low below high, not {arguments.shown(text)}"[:300])
    low, high = np.log10(values).tolist() if logarithmic else values.tolist()
    return name, Axis(label, low, high, logarithmic)


def check_size(condition: Condition, resolution: int) -> None:
    """Refuse an image for which more optimizers would be made than can be.

    Raises
    ------
    ValueError
        If it is one of two hyperparameters, and too large.
    """
    if not isinstance(condition, Plane) or any(name in condition._other for name in condition.names):
        return
    most = int(_MOST_OPTIMIZERS**0.5)
    if resolution > most:
        raise ValueError(f"resolution must be at most {most} for a plane of two hyperparameters, not {resolution}")
    memory.fits(f"resolution: {resolution**2:,} optimizers", 4000.0 * resolution**2)


__all__ = ["CRITERIA", "RATE", "Plane", "check_size", "plane"]
