"""Text ↔ things: problems, optimizers and their kin by name and parameters, ``adam:beta1=0.8|cosine|clip_norm=1``.

Labels are written in this language, and read back to what they are the labels of; values are those of
`gdfast.literals`. ``mine.py:bowl`` instead of a name is what that file, which is run, has under it: `gdfast.own`. What
else is typed on the command line is read here too: axes, points.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gdfast import arguments, literals, memory, own
from gdfast.arguments import shown
from gdfast.formulas.elementary import Array
from gdfast.formulas.mathematics import flat_name
from gdfast.history import History
from gdfast.measures import CATALOGUE as MEASURES
from gdfast.measures import Measure
from gdfast.named import Named
from gdfast.optimizers import CATALOGUE as OPTIMIZERS
from gdfast.optimizers import Optimizer, grid
from gdfast.optimizers._grid import BYTES_OF_AN_OPTIMIZER
from gdfast.problems import CATALOGUE, Problem, from_expression
from gdfast.schedules import CATALOGUE as SCHEDULES
from gdfast.schedules import LossSchedule, Schedule, chained
from gdfast.transforms import CATALOGUE as TRANSFORMS
from gdfast.transforms import Transform

PROBLEMS = {**CATALOGUE, "from_expression": from_expression}
_JOINTS = ",|:=/"  # spaces around them do not part optimizers
_BYTES_OF_A_VALUE = 40
"""Of a value of an axis while grids are made of it, checked and described: measured are four to five copies."""


def optimizers(text: str) -> list[Optimizer]:
    """Read optimizers, several with spaces between them: ``gd adam:beta1=0.8|cosine|clip_norm=1``.

    After the name and the hyperparameters of a rule stand schedules, whose factors are multiplied, and transforms, in
    the order in which they act, with ``|`` before each; ``|unit=0.001`` says what a sweep's learning rate of 1 means to
    it, see `Optimizer.in_units`. A hyperparameter that depends on the step is a schedule in parentheses, whose factors
    are its values, ``momentum:momentum=(linear:start=0.5,end=0.99)``. Where hyperparameters have several values, joined
    by slashes, ``0.5/0.9``, or an axis, ``low:high:count`` (see `parse_axis`), all combinations of them are made.

    Raises
    ------
    TypeError, ValueError
        If a name, a parameter or a value is not accepted.

    Examples
    --------
    >>> optimizers("momentum:momentum=0.5/0.9|cosine")
    [<optimizer momentum:momentum=0.5|cosine>, <optimizer momentum|cosine>]
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
    factory, parameters = _call("optimizer", first, OPTIMIZERS)
    values = {
        name: parse_axis(f"{factory.__name__}: {name}", value, False, BYTES_OF_AN_OPTIMIZER)
        if ":" in value and "(" not in value
        else _value("optimizer", factory, name, value)
        for name, value in parameters.items()
    }
    plans: list[Schedule | LossSchedule] = []
    changes, unit = [], 1.0
    for other in others:
        name, _, value = (piece.strip() for piece in other.partition("="))
        if name == "unit":
            unit = parse_numbers("optimizer: unit", value, ["unit"])[0]
            continue
        name = other.partition(":")[0].partition("=")[0].strip()
        if other.strip().startswith("<"):
            raise ValueError(f"optimizer {shown(text)} has {shown(other)}, a function of one's own, given in Python")
        if own.split(other):
            part = _thing("schedule or transform", other, {})
            if isinstance(part, Transform):
                changes.append(part)
                continue
            plans.append(part)
        elif name in SCHEDULES:
            plans.append(schedule(other))
        else:
            arguments.choice("optimizer: schedule or transform", name, [*SCHEDULES, *TRANSFORMS, "unit"])
            changes.append(transform(other))
    rules = grid(factory, **values)
    rules = [rule.scheduled(*plans) for rule in rules] if plans else rules
    rules = [rule.transformed(*changes) for rule in rules] if changes else rules
    return [rule.in_units(unit) for rule in rules] if unit != 1 else rules


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
    several = literals.split(arguments.text("schedule", text), "|")
    if len(several) > 1:
        return chained(*map(schedule, several))
    factory, parameters = _call("schedule", text, SCHEDULES)
    values: dict[str, Any] = {}
    for name, value in parameters.items():
        if factory is SCHEDULES["warmup"] and name == "then":
            values[name] = schedule(_inner(value))
        elif factory is SCHEDULES["sequence"] and name == "schedules":
            values[name] = tuple(schedule(_inner(each)) for each in literals.split(value, "/") if each)
        else:
            values[name] = _value("schedule", factory, name, value)
    made: Schedule | LossSchedule = factory(**values)
    return made


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
    name, equals, value = text.partition("=")
    if equals and ":" not in name:
        factory = TRANSFORMS[arguments.choice("transform", name.strip(), TRANSFORMS)]
        first = next(iter(inspect.signature(factory).parameters), "")
        if not first:
            raise ValueError(f"transform {name} takes no value, not {shown(value)}")
        text = f"{name}:{first}={value}"
    made: Transform = _thing("transform", text, TRANSFORMS)
    return made


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
    factory = catalogue[arguments.choice(argument, name.strip(), catalogue)]
    try:
        return factory, literals.items(rest) if colon else {}
    except ValueError as error:
        raise ValueError(f"{argument} {shown(text)}: {error}") from None


def _value(argument: str, factory: Callable[..., Any], name: str, text: str) -> Any:
    """The value of a parameter. Texts with slashes between them are several where it takes a sequence of them."""
    told = inspect.signature(factory).parameters.get(name)
    if told is not None and "Optimizer" in str(told.annotation):
        rules = [rule for each in literals.split(text, "/") for rule in optimizers(_inner(each))]
        return rules if len(rules) > 1 else rules[0]
    if told is not None and "Problem" in str(told.annotation):
        if "Sequence" not in str(told.annotation):
            return _loss(text)
        return tuple(_loss(each) for each in literals.split(text, "/") if each)
    if "(" in text and isinstance(getattr(factory, "accepted", {}).get(name), arguments.Interval):
        several = [_inner(each) for each in literals.split(text, "/") if each]
        made = [literals.read(each) if each[:1] in "-.0123456789(" else schedule(each) for each in several]
        return made[0] if len(made) == 1 else made
    try:
        return literals.read(text, told is not None and "Sequence[str]" in str(told.annotation))
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


def parse_axis(argument: str, text: str, logarithmic: bool, size: int = _BYTES_OF_A_VALUE) -> Array:
    """Read ``low:high:count`` as a grid, ``0.1/0.3/1`` as these values, or one number as itself.

    The grid is logarithmic or linear as the argument of this name says, unless ``log:`` or ``linear:`` stands first.
    What is made of a value takes `size` bytes.

    Raises
    ------
    ValueError
        If it is neither, or has more values than fit into memory.
    """
    accepted = (
        f"{argument} must be low:high:count, after log: or linear: if need be, or numbers such as 0.1/0.3/1, not "
        f"{shown(text)}"
    )
    spacing, colon, rest = text.partition(":")
    if colon and spacing in ("log", "linear"):
        logarithmic, text = spacing == "log", rest
    accepted_ends = arguments.POSITIVE if logarithmic else arguments.ANY
    try:
        *values, last = text.split(":") if ":" in text else [*text.split("/"), "1"]
        numbers, count = [float(value) for value in values], int(last)
    except ValueError:
        raise ValueError(accepted) from None
    if ":" not in text:
        return np.array([arguments.number(argument, number, accepted_ends) for number in numbers])
    if len(numbers) != 2:
        raise ValueError(accepted)
    low, high = numbers
    count = arguments.integer(f"{argument}: count", count)
    for name, end in (("low", low), ("high", high)):
        arguments.number(f"{argument}: {name}", end, accepted_ends)
    if not math.isfinite(high - low):
        raise ValueError(f"{argument} must have ends less than 1.8e308 apart, not {low:g} and {high:g}")
    memory.fits(f"{argument}: {count:,} values", size * count)
    return np.geomspace(low, high, count) if logarithmic else np.linspace(low, high, count)


def parse_rates(argument: str, text: str, rules: Sequence[Optimizer]) -> tuple[Array, tuple[Optimizer, ...]]:
    """Read learning rates, which after ``default:`` are multiples of each optimizer's own, and return both.

    Raises
    ------
    ValueError
        If the text is no axis, see `parse_axis`.

    Examples
    --------
    >>> parse_rates("lr", "default:0.1:10:3", optimizers("adam"))
    (array([ 0.1,  1. , 10. ]), (<optimizer adam|unit=0.001>,))
    """
    first, _, rest = text.partition(":")
    if first.strip() != "default":
        return parse_axis(argument, text, logarithmic=True), tuple(rules)
    return parse_axis(argument, rest, logarithmic=True), tuple(
        rule.in_units() if rule.unit == 1 else rule for rule in rules
    )


def parse_numbers(argument: str, text: str, names: Sequence[str]) -> tuple[float, ...]:
    """Read one finite number for each name, with commas between them.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != len(names) or not all(map(math.isfinite, numbers)):
        several = ",".join(names) if len(names) <= 8 else f"{names[0]},{names[1]},…,{names[-1]}"
        many = "a finite number" if len(names) == 1 else f"{len(names)} finite numbers, {several}"
        raise ValueError(f"{argument} must be {many}, not {shown(text)}")
    return numbers


def parse_point(argument: str, text: str) -> tuple[float, float]:
    """Read two numbers, ``x,y``.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    x, y = parse_numbers(argument, text, ("x", "y"))
    return x, y


def parse_starts(texts: Sequence[str]) -> dict[str, Array] | list[Array]:
    """Read the axes of starts: by the coordinates' names if all are ``name=axis``, else in the given order.

    Of networks they may be those of the initialization: ``init=he_normal/zeros``, gain, bias, seed.

    Raises
    ------
    ValueError
        If one is no axis, a name is given twice, or only some have names.
    """
    names = [flat_name(text.partition("=")[0].strip()) for text in texts if "=" in text]
    if not names:
        return [parse_axis("start", text, logarithmic=False) for text in texts]
    if len(names) < len(texts) or len(set(names)) < len(names):
        raise ValueError(f"start must be name=low:high:count for each coordinate once, not {shown(', '.join(texts))}")
    values = {name: text.partition("=")[2].strip() for name, text in zip(names, texts, strict=True)}
    return {
        name: np.array(value.split("/"))
        if name == "init" and not value[:1].isdigit()
        else parse_axis(f"start {shown(name)}", value, logarithmic=False)
        for name, value in values.items()
    }
