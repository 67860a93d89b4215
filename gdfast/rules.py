"""What a rule of an optimizer, a transform, a schedule or a measure must be, told in one sentence when that is made."""

import ast
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.arguments import shown
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import GrammarError


def arguments_of(role: str, rule: Any, first: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a rule's arguments.

    Parameters
    ----------
    role : str
        What the rule is called in messages.
    rule : callable
        The rule.
    first : sequence of str
        What its first arguments are, which it must have by whatever names.

    Raises
    ------
    TypeError, ValueError
        If it is no function, has arguments that are not plain names, or too few.
    """
    arguments.function(role, rule, f"a function of {', '.join(first)} and more")
    try:
        parameters = inspect.signature(rule).parameters.values()
    except (TypeError, ValueError):  # of what is written in C
        raise TypeError(f"{role} must be a function defined with def, not {shown(rule)}") from None
    told = f"{role} {getattr(rule, '__name__', shown(rule))}"
    for parameter in parameters:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            raise ValueError(f"{told} must have plain arguments without defaults, not {parameter}")
    names = tuple(parameter.name for parameter in parameters)
    if len(names) < len(first):
        has = ", ".join(names) or "none"
        raise ValueError(f"{told} must have the arguments {', '.join(first)} and more, not {has}")
    return names


def names_of(argument: str, names: Any) -> tuple[str, ...]:
    """Return the names of some of a rule's arguments as a tuple.

    Raises
    ------
    TypeError
        If they are no names.
    """
    accepted = "a tuple of names of the rule's arguments"
    return tuple(arguments.text(argument, name) for name in arguments.several(argument, names, accepted, least=0))


def check_results(rule: Callable[..., Any], results: Sequence[str], reason: str, of_vectors: bool = False) -> None:
    """Refuse a rule that is not in the grammar, or does not return these values, for a reason.

    It may call the functions of `gdfast.formulas.vectors`, if it is of vectors.

    Raises
    ------
    GrammarError
        If it is or does not; the message names the line.
    """
    try:
        Formula.of(rule, len(results), of_vectors)
    except GrammarError as error:
        if "must return" in str(error):
            raise GrammarError(f"{error}: {', '.join(results)}, since {reason}") from None
        raise


def state_of(slots: Sequence[str], scalars: Sequence[str]) -> tuple[str, ...]:
    """Return the slots of a coordinate among the slots of a rule, whose last ones its scalars must be.

    Raises
    ------
    ValueError
        If they are not.
    """
    state = tuple(slots)[: len(slots) - len(scalars)]
    if tuple(slots) != (*state, *scalars):
        raise ValueError(
            f"scalars {', '.join(scalars)} must be arguments of the rule right before lr, where it has "
            f"{', '.join(slots) or 'none'}"
        )
    return state


def check_scalars(rule: Callable[..., Any], state: Sequence[str], scalars: Sequence[str], first: int = 2) -> None:
    """Refuse a rule with scalars that differ between coordinates, as its `first` arguments and its state do.

    Raises
    ------
    ValueError
        If they do.
    """
    tree = Formula.of(rule, 1 + len(state) + len(scalars), of_vectors=True).tree
    origin = {name: name for name in inspect.signature(rule).parameters if name in state}
    origin.update((argument.arg, argument.arg) for argument in tree.args.args[:first])
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, own = statement.targets[0].id, _own_of(statement.value, origin)
            origin.pop(name, None)
            if own:
                origin[name] = own
        elif scalars and isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
            for name, value in zip(scalars, statement.value.elts[-len(scalars) :], strict=True):
                if own := _own_of(value, origin):
                    raise ValueError(
                        f"rule {rule.__name__}: its scalar {name} must be the same for all coordinates, made of "
                        f"scalars, lr, norms, sums, loss and coefficients, not of {own}"
                    )


def _own_of(value: ast.expr, origin: Mapping[str, str]) -> str | None:
    """The first argument of a coordinate that an expression is made of; `origin` tells of names what they come from."""
    names = (node.id for node in ast.walk(value) if isinstance(node, ast.Name))
    return next((origin[name] for name in names if name in origin), None)


def check_reduced(
    role: str, names: Sequence[str], function: Callable[..., Any] | None, taken: Sequence[str], at: Sequence[str]
) -> None:
    """Refuse norms (`entries`) or sums (`terms`) that do not fit their function or the rule.

    Parameters
    ----------
    role : str
        ``norms, of entries,`` or ``sums, of terms,``.
    names : sequence of str
        Their names.
    function : callable, optional
        What is summed: one value for each of them.
    taken : sequence of str
        The arguments that the function must have.
    at : sequence of str
        The rule's arguments where they must stand.

    Raises
    ------
    TypeError, ValueError
        If something does not fit.
    """
    kind, of = role.split(", of ")
    if not names:
        if function is not None:
            raise ValueError(f"{of} must come with {kind}, the names of the rule's arguments for its values")
        return
    if tuple(at) != tuple(names):
        raise ValueError(
            f"{kind} {', '.join(names)} must be arguments of the rule right after those before them, where it has "
            f"{', '.join(at) or 'none'}"
        )
    if function is None:
        raise ValueError(f"{kind} {', '.join(names)} must come with {of}, a function that returns a value for each")
    has = arguments_of(of, function, ())
    if len(has) != len(taken):
        raise ValueError(f"{of} must have the arguments {', '.join(taken)}, not {', '.join(has) or 'none'}")
    Formula.of(function, len(names))


def check_memory(rule: Any, initial: Any) -> None:
    """Refuse a rule from a loss and memory slots to the new memory slots that does not fit their first values.

    Raises
    ------
    TypeError, ValueError
        If something does not fit.
    """
    slots = list(arguments.mapping("initial", initial, "a mapping from memory slots to their first values"))
    names = arguments_of("rule", rule, ("loss", *slots))
    if not slots or list(names[1 : 1 + len(slots)]) != slots:
        raise ValueError(
            f"rule {rule.__name__} must have the memory slots, {', '.join(slots) or 'at least one'}, right after the "
            f"loss, as initial has them, not {', '.join(names)}"
        )
    for slot, value in initial.items():
        arguments.array(f"initial: {slot}", value, "()")
    check_results(rule, slots, "they are the memory slots of initial")


def check_coefficients(
    rule: Callable[..., Any], coefficients: Sequence[str], values: Collection[str], hint: str
) -> None:
    """Refuse a rule with an argument that nothing gives a value.

    Raises
    ------
    ValueError
        If there is one; the message says what has values, and `hint` what else it could be.
    """
    for name in coefficients:
        if name not in values:
            raise ValueError(
                f"rule {rule.__name__}: its argument {name} has no value, for it is none of "
                f"{', '.join(sorted(values)) or 'no parameters'}; {hint}"
            )


def in_columns(names: Sequence[str], values: Mapping[str, Any], rows: int) -> NDArray[np.float64]:
    """A row a step, a column for each of these names: numbers, or arrays with one for each step."""
    columns = np.empty((rows, len(names)))
    for j, name in enumerate(names):
        columns[:, j] = values[name]
    return columns


def steps_of(parameters: Mapping[str, Any]) -> NDArray[np.float64]:
    """The steps 1, 2, … that a step table is tried for: two, or as many as there are values of a hyperparameter."""
    rows = [len(value) for value in parameters.values() if isinstance(value, np.ndarray) and value.ndim == 1]
    return np.arange(1.0, 1.0 + (rows[0] if rows else 2))


def sample(table: Callable[..., Any] | None, *inputs: Any) -> Mapping[str, Any]:
    """Return the columns of a step table for two steps, to see which it has.

    Raises
    ------
    TypeError, ValueError
        If they are none: no mapping from names to numbers, one for each step or one for all.
    """
    if table is None:
        return {}
    arguments.function("step_table", table, "a function of the steps that returns a mapping from names to numbers")
    with np.errstate(all="ignore"):
        columns = arguments.mapping("step_table: what it returns", table(*inputs), "a mapping from names to numbers")
    steps = np.shape(inputs[0])
    for name, column in columns.items():
        shape = arguments.array(f"step_table: {name}", column).shape
        if shape not in ((), steps):
            raise ValueError(f"step_table: {name} must be a number for each of {steps[0]} steps, not of shape {shape}")
    return columns
