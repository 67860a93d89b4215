"""Text ↔ things: problems, optimizers and their kin by name and parameters, ``adam:beta1=0.8|cosine|clip_norm=1``.

Labels are written in this language, and read back to what they are the labels of; values are those of
`gdfast.literals`, those of axes of `gdfast.grids`. ``mine.py:bowl`` instead of a name is what that file, which is run,
has under it: `gdfast.own`.
"""

import inspect
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from gdfast import arguments, grids, literals, memory, own
from gdfast.arguments import shown
from gdfast.formulas.elementary import Array
from gdfast.history import History
from gdfast.measures import CATALOGUE as MEASURES
from gdfast.measures import Measure
from gdfast.named import Named
from gdfast.optimizers import CATALOGUE as OPTIMIZERS
from gdfast.optimizers import Optimizer
from gdfast.optimizers._grid import BYTES_OF_AN_OPTIMIZER
from gdfast.problems import CATALOGUE, Problem, from_expression
from gdfast.schedules import CATALOGUE as SCHEDULES
from gdfast.schedules import LossSchedule, Schedule, chained
from gdfast.transforms import CATALOGUE as TRANSFORMS
from gdfast.transforms import Transform

T = TypeVar("T")

PROBLEMS = {**CATALOGUE, "from_expression": from_expression}
_KINDS: dict[str, Mapping[str, Any]] = {
    "a problem": PROBLEMS,
    "an optimizer": OPTIMIZERS,
    "a schedule": SCHEDULES,
    "a transform": TRANSFORMS,
    "a measure": MEASURES,
}
_JOINTS = ",|:=/"  # spaces around them do not part optimizers


def optimizers(text: str) -> list[Optimizer]:
    """Read optimizers, several with spaces between them: ``gd adam:beta1=0.8|cosine|clip_norm=1``.

    After the name and the hyperparameters of a rule stand schedules, whose factors are multiplied, and transforms, in
    the order in which they act, with ``|`` before each; ``|unit=0.001`` says what a sweep's learning rate of 1 means to
    it, see `Optimizer.in_units`. A hyperparameter that depends on the step is a schedule in parentheses, whose factors
    are its values, ``momentum:momentum=(linear:start=0.5,end=0.99)``. Where hyperparameters have several values, joined
    by slashes, ``0.5/0.9``, or an axis, ``low:high:count`` (see `gdfast.grids`), all combinations of them are made; so
    they are where parameters of schedules and transforms have several, ``adam|clip_norm=0.1/1/10``.

    Raises
    ------
    TypeError, ValueError
        If a name, a parameter or a value is not accepted.

    Examples
    --------
    >>> optimizers("momentum:momentum=0.5/0.9|cosine")
    [<optimizer momentum:momentum=0.5|cosine>, <optimizer momentum|cosine>]
    >>> optimizers("gd|clip_norm=1/2")
    [<optimizer gd|clip_norm>, <optimizer gd|clip_norm:max_norm=2>]
    """
    texts: list[str] = []
    for piece in literals.split(arguments.text("optimizers", text), " \t\n"):
        if texts and piece and (texts[-1][-1] in _JOINTS or piece[0] in _JOINTS):
            texts[-1] += piece
        elif piece:
            texts.append(piece)
    if not texts:
        raise ValueError("optimizers must be such as 'adam:beta1=0.8', at least one, not ''")
    return [optimizer for each in texts for optimizer in _one_text(each)]


def _one_text(text: str) -> list[Optimizer]:
    first, *others = literals.split(text, "|")
    made, unit = _things("optimizer", first, OPTIMIZERS), 1.0
    parts: list[list[Schedule | LossSchedule | Transform]] = []
    for other in others:
        name, _, value = (piece.strip() for piece in other.partition("="))
        if name == "unit":
            unit = grids.parse_numbers("optimizer: unit", value, ["unit"])[0]
            continue
        name = other.partition(":")[0].partition("=")[0].strip()
        if other.strip().startswith("<"):
            raise ValueError(f"optimizer {shown(text)} has {shown(other)}, a function of one's own, given in Python")
        if own.split(other):
            parts.append(_things("schedule or transform", other, {}))
        elif name in SCHEDULES:
            parts.append([*schedules(other)])
        else:
            arguments.choice("optimizer: schedule or transform", name, [*SCHEDULES, *TRANSFORMS, "unit"])
            parts.append([*transforms(other)])
    _fits("optimizer", text, [made, *parts])
    rules = [_with(rule, chosen) for rule in made for chosen in itertools.product(*parts)] if parts else made
    return [rule.in_units(unit) for rule in rules] if unit != 1 else rules


def _with(rule: Optimizer, parts: Iterable[Schedule | LossSchedule | Transform]) -> Optimizer:
    """The optimizer with schedules, whose factors are multiplied, and transforms, which act in turn, behind it."""
    changes = [part for part in parts if isinstance(part, Transform)]
    plans = [part for part in parts if not isinstance(part, Transform)]
    rule = rule.scheduled(*plans) if plans else rule
    return rule.transformed(*changes) if changes else rule


def problem(text: str, **more: Any) -> Problem:
    """Read a problem, ``name`` or ``name:parameter=value,…``; `more` are further parameters.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted, or is given twice.

    Examples
    --------
    >>> problem("rosenbrock:dimension=3")
    <landscape rosenbrock:dimension=3>
    """
    made: Problem = _thing("problem", text, PROBLEMS, **more)
    return made


def schedule(text: str) -> Schedule | LossSchedule:
    """Read a schedule, ``cosine:end=0.1``, or several with ``|`` between them, whose factors are multiplied.

    What a warm-up is followed by, and what stands in a sequence, are schedules in parentheses.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.

    Examples
    --------
    >>> schedule("warmup:steps=50,then=(cosine:end=0.1)")
    <schedule warmup:steps=50,then=(cosine:end=0.1)>
    """
    return _single("schedule", text, schedules(text))


def schedules(text: str) -> list[Schedule | LossSchedule]:
    """Read schedules, one for every combination of the values of a schedule's parameters.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.

    Examples
    --------
    >>> schedules("cosine:end=0/0.1")
    [<schedule cosine>, <schedule cosine:end=0.1>]
    """
    several = literals.split(arguments.text("schedule", text), "|")
    parts = [_things("schedule", each, SCHEDULES) for each in several]
    _fits("schedule", text, parts)
    return [chained(*chosen) if len(chosen) > 1 else chosen[0] for chosen in itertools.product(*parts)]


def _single(argument: str, text: str, several: Sequence[T]) -> T:
    if len(several) > 1:
        raise ValueError(f"{argument} {shown(text)} must be one, with one value of each parameter, not {len(several)}")
    return several[0]


def _inner(text: str) -> str:
    """What stands in the parentheses that are around a text, if any are."""
    return text[1:-1].strip() if text[:1] == "(" and text[-1:] == ")" else text


def transform(text: str) -> Transform:
    """Read a transform: ``name``, ``name=value`` for its first parameter, or ``name:parameter=value,…``.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.

    Examples
    --------
    >>> transform("clip_norm=2")
    <transform clip_norm:max_norm=2>
    """
    return _single("transform", text, transforms(text))


def transforms(text: str) -> list[Transform]:
    """Read transforms, one for every combination of the values of a transform's parameters.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.

    Examples
    --------
    >>> transforms("clip_norm=1/2")
    [<transform clip_norm>, <transform clip_norm:max_norm=2>]
    """
    return _things("transform", _with_parameter(text), TRANSFORMS)


def _with_parameter(text: str) -> str:
    """The text of a transform, whose value, where it stands alone, is that of its first parameter."""
    name, equals, value = arguments.text("transform", text).partition("=")
    if not equals or ":" in name:
        return text
    factory = TRANSFORMS[arguments.choice("transform", name.strip(), TRANSFORMS)]
    first = next(iter(inspect.signature(factory).parameters), "")
    if not first:
        raise ValueError(f"transform {name} takes no value, not {shown(value)}")
    return f"{name}:{first}={value}"


def measure(text: str) -> Measure:
    """Read a measure, ``convergence:window=10``.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    made: Measure = _thing("measure", text, MEASURES)
    return made


def history(text: str) -> History:
    """Read a history, ``loss,sharpness:64``: see `gdfast.history.History.of`.

    Raises
    ------
    TypeError, ValueError
        If what is recorded, or at which steps, is not accepted.

    Examples
    --------
    >>> history("loss,validation_loss:linear:100")
    <history loss,validation_loss:linear:100>
    """
    return History.of(arguments.text("history", text))


def written(thing: Named | History) -> str:
    """Return the text that reads back to an equal problem, optimizer or one of their kin, or history: its label.

    Raises
    ------
    TypeError, ValueError
        If there is none, as of arrays and of rules and factories of one's own.
    """
    kinds: list[tuple[Any, Callable[[str], Any]]] = [
        (Problem, problem),
        (Optimizer, lambda text: optimizers(text)[0]),
        (Schedule | LossSchedule, schedule),
        (Transform, transform),
        (Measure, measure),
        (History, history),
    ]
    readers = [reader for kind, reader in kinds if isinstance(thing, kind)]
    if not readers:
        raise TypeError(f"what is written must be a problem, an optimizer or one of their kin, not {shown(thing)}")
    try:
        if readers[0](thing.label) == thing:
            return thing.label
        reason = "that is another one in gdfast"
    except (TypeError, ValueError) as error:
        reason = str(error)
    raise ValueError(f"{shown(thing.label)} cannot be written as text that is read back: {reason}")


def _thing(argument: str, text: str, catalogue: Mapping[str, Callable[..., Any]], **more: Any) -> Any:
    factory, parameters = _call(argument, text, catalogue)
    for name in parameters:
        if name in more:
            raise ValueError(f"{argument} {shown(text)}: {name} is given twice, here and as --{name}")
    return factory(**{name: _value(argument, factory, name, value) for name, value in parameters.items()}, **more)


def _call(
    argument: str, text: str, catalogue: Mapping[str, Callable[..., Any]]
) -> tuple[Callable[..., Any], dict[str, str]]:
    """The factory that a text names, and the texts of its parameters."""
    of_file = own.split(arguments.text(argument, text))
    if of_file:
        path, name, rest = of_file
        return own.factory(argument, path, name), literals.items(rest) if rest else {}
    name, colon, rest = text.partition(":")
    if name.strip().startswith("<"):
        raise ValueError(f"{argument} {shown(text)} stands for a formula of one's own, which is given in Python")
    name = name.strip()
    if name.endswith(".py"):
        raise ValueError(f"{argument} {shown(name)} must tell a name in the file too, such as {name}:NAME")
    for kind, others in _KINDS.items():
        if name in others and name not in catalogue:
            raise ValueError(f"{argument} {shown(name)} is not known: in gdfast that is {kind}")
    factory = catalogue[arguments.choice(argument, name, catalogue)]
    try:
        return factory, literals.items(rest) if colon else {}
    except ValueError as error:
        raise ValueError(f"{argument} {shown(text)}: {error}") from None


def _things(argument: str, text: str, catalogue: Mapping[str, Callable[..., Any]]) -> list[Any]:
    """What a text names, one for every combination of the values of its parameters, the last fastest."""
    factory, parameters = _call(argument, text, catalogue)
    axes = [_values(argument, factory, name, value) for name, value in parameters.items()]
    _fits(argument, text, axes)
    return [factory(**dict(zip(parameters, point, strict=True))) for point in itertools.product(*axes)]


def _fits(argument: str, text: str, axes: Sequence[Sequence[Any]]) -> None:
    count = math.prod(map(len, axes))
    memory.fits(f"{argument} {shown(text)}, {count:,} combinations,", BYTES_OF_AN_OPTIMIZER * count)


def _values(argument: str, factory: Callable[..., Any], name: str, text: str) -> list[Any]:
    """The values of a parameter: one, or, where it is no sequence, those of an axis or with slashes between them."""
    told = inspect.signature(factory).parameters.get(name)
    annotation = "" if told is None else str(told.annotation)
    if "Optimizer" in annotation:
        return [rule for each in literals.split(text, "/") for rule in optimizers(_inner(each))]
    if not text:
        return [_value(argument, factory, name, text)]  # which refuses it
    if "Schedule" in annotation and "Sequence" not in annotation and text[:1] == "(":
        return [_value(argument, factory, name, each) for each in literals.split(text, "/")]
    if any(kind in annotation for kind in ("Sequence", "Schedule", "Problem")) or '"' in text:
        return [_value(argument, factory, name, text)]
    if len(literals.split(text, ":")) > 1:
        axis = grids.parse_axis(f"{factory.__name__}: {name}", text, False, BYTES_OF_AN_OPTIMIZER).tolist()
        return [int(value) if "int" in annotation and value.is_integer() else value for value in axis]
    several = [_value(argument, factory, name, each) for each in literals.split(text, "/")]
    if isinstance(factory, own.FromFile) and any(isinstance(value, str) for value in several):
        return [_value(argument, factory, name, text)]  # such as a path
    return several


def _value(argument: str, factory: Callable[..., Any], name: str, text: str) -> Any:
    """The value of a parameter. Texts with slashes between them are several where it takes a sequence of them."""
    told = inspect.signature(factory).parameters.get(name)
    annotation = "" if told is None else str(told.annotation)
    for kind, reader in (("Problem", _loss), ("Schedule", lambda each: schedule(_inner(each)))):
        if kind in annotation and "Sequence" in annotation:
            return tuple(reader(each) for each in literals.split(text, "/") if each)
        if kind in annotation:
            return reader(text)
    if text[:1] == "(" and isinstance(getattr(factory, "accepted", {}).get(name), arguments.Interval):
        text = _inner(text)
        return literals.read(text) if text[:1] in "-.0123456789(" else schedule(text)
    try:
        return literals.read(text, "Sequence[str]" in annotation)
    except ValueError as error:
        raise ValueError(f"{argument}: {name} {error}") from None


def _loss(text: str) -> Problem | str:
    """A problem, which stands in parentheses, or else an expression."""
    try:
        is_one = text[:1] == "(" and text[-1:] == ")" and bool(literals.split(text[1:-1], ""))
    except ValueError:  # two pairs of parentheses
        is_one = False
    if is_one:
        return problem(text[1:-1])
    return str(literals.read(text)) if text[:1] == '"' else text


def parse_rates(argument: str, text: str, rules: Sequence[Optimizer]) -> tuple[Array, tuple[Optimizer, ...]]:
    """Read learning rates, which after ``default:`` are multiples of each optimizer's own, and return both.

    Raises
    ------
    ValueError
        If the text is no axis, see `grids.parse_axis`.

    Examples
    --------
    >>> parse_rates("lr", "default:0.1:10:3", optimizers("adam"))
    (array([ 0.1,  1. , 10. ]), (<optimizer adam|unit=0.001>,))
    """
    first, _, rest = text.partition(":")
    if first.strip() != "default":
        return grids.parse_axis(argument, text, logarithmic=True), tuple(rules)
    return grids.parse_axis(argument, rest, logarithmic=True), tuple(
        rule.in_units() if rule.unit == 1 else rule for rule in rules
    )
