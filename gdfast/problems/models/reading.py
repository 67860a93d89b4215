"""A model as text: which of its names are columns, which are parameters, and what needs to be computed once a row.

The text is an expression as `gdfast.problems.from_expression` reads it. A column whose name is no plain word stands in
backticks, as in pandas' queries: ``a*`petal length (cm)` + b``.
"""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gdfast import arguments
from gdfast.data import Data
from gdfast.data.text import short
from gdfast.formulas.derivatives import LARGEST_GRAPH
from gdfast.formulas.elementary import Array
from gdfast.formulas.formula import Formula
from gdfast.formulas.graph import Graph
from gdfast.formulas.mathematics import CONSTANTS, read
from gdfast.formulas.writer import Writer

MOST_PARAMETERS = 64


@dataclass(frozen=True)
class Model:
    """A formula of columns and parameters.

    Attributes
    ----------
    text : str
        As it was given.
    graph : Graph
        Its operations. The names in it are those of the parameters, and for columns words that stand for them.
    output : int
        The node of its value.
    parameters : tuple of str
        Their names, in alphabetical order.
    columns : mapping
        From the words in the graph to the columns' names.
    """

    text: str
    graph: Graph
    output: int
    parameters: tuple[str, ...]
    columns: Mapping[str, str]


def read_model(text: str, data: Data) -> Model:
    """Read a model: names of columns of the data are columns, every other name is a parameter.

    Raises
    ------
    TypeError, ValueError
        If it is no expression, names no column or no parameter or the target, or a name could be both.
    """
    arguments.instance("model", text, str, "a text such as 'a*exp(b*x) + c'")
    plain, quoted = _without_backticks(text, data)
    try:
        graph, output, names = read(plain, "model")
    except (TypeError, ValueError) as error:
        raise type_of(error)(_told(str(error), text, data)) from None
    columns = {**quoted, **{name: known for name in names if (known := _column(name, data)) is not None}}
    _check_names(text, names, columns, plain, data)
    parameters = tuple(name for name in names if name not in columns)
    if not 1 <= len(parameters) <= MOST_PARAMETERS:
        listed = ", ".join(parameters[:9]) + (", …" if len(parameters) > 9 else "") if parameters else "none"
        raise ValueError(
            f"model must have 1 to {MOST_PARAMETERS} parameters, names that are no column's, "
            f"not {len(parameters)}: {listed}"
        )
    return Model(text, graph, output, parameters, {name: columns[name] for name in names if name in columns})


def type_of(error: Exception) -> type[Exception]:
    """The kind of error that a message is told by again."""
    return TypeError if isinstance(error, TypeError) else ValueError


def _column(name: str, data: Data) -> str | None:
    """The column of this name, as Python writes it."""
    return next((c for c in data.features if unicodedata.normalize("NFKC", c) == name), None)


def _without_backticks(text: str, data: Data) -> tuple[str, dict[str, str]]:
    """The text with a word for each name in backticks, and which column each word stands for."""
    quoted: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        column = arguments.choice("model: column", match[1], _listed(data.features, match[1]))
        numbers = (number for number in range(1, 10**6))
        fresh = next((w for w, c in quoted.items() if c == column), None) or next(
            w for n in numbers if (w := f"column{n}") not in text and w not in quoted and w not in data.features
        )
        quoted[fresh] = column
        return fresh

    plain = re.sub("`([^`]*)`", word, text)
    if "`" in plain:
        raise ValueError(f"model {arguments.shown(text)} has a backtick that is not closed")
    return plain, quoted


def _listed(features: Sequence[str], name: str) -> Sequence[str]:
    """The columns, few enough for a message."""
    return features if len(features) <= 40 or name in features else difflib.get_close_matches(name, features, n=9)


def _told(message: str, text: str, data: Data) -> str:
    """A message about an expression as one about the model, with what helps where columns have odd names."""
    odd = [name for name in data.features if not name.isidentifier() and name in text]
    return message + (f"; the column {short(odd[0])!r} is written in backticks, `{short(odd[0])}`" if odd else "")


def _check_names(text: str, names: Sequence[str], columns: Mapping[str, str], plain: str, data: Data) -> None:
    """Refuse names that could mean two things, or that are likely meant for columns."""
    words = set(re.findall(r"[^\W\d]\w*", plain))
    for name in CONSTANTS:
        if name in words and name in data.features:
            raise ValueError(
                f"model {arguments.shown(text)}: {name} is a number and a column; the column is written `{name}`"
            )
    has = ", ".join(_written(name) for name in data.features[:9]) + (", …" if len(data.features) > 9 else "")
    of = f"the columns of {short(data.name)} are {has}"
    for name in names:
        if name in columns:
            continue
        if name == data.target:
            raise ValueError(f"model: {name!r} is the target, which a model must not name; {of}")
        for column in data.features:
            if name.lower() == column.lower():
                raise ValueError(
                    f"model: {name!r} is no column, but {column!r} is; a parameter must be called otherwise; {of}"
                )
    if not columns:
        raise ValueError(f"model must name a column of the data, unlike {arguments.shown(text)}; {of}")


def _written(column: str) -> str:
    """A column's name as a model writes it."""
    name = short(column)
    return name if name.isidentifier() else f"`{name}`"


@dataclass(frozen=True)
class Split:
    """A model with all that depends on columns alone taken out, to be computed once a row.

    Attributes
    ----------
    graph : Graph
        The operations that are left. The names in it are ``p0``, ``p1``, … for the parameters, in a given order, and
        ``x0``, ``x1``, … for what is computed of columns.
    output : int
        The node of its value.
    parameters, columns : tuple of str
        These names.
    parts : Formula, optional
        What is computed of the columns, as a formula of those of the model; None if there are none.
    """

    graph: Graph
    output: int
    parameters: tuple[str, ...]
    columns: tuple[str, ...]
    parts: Formula | None


def split(model: Model, order: Sequence[str]) -> Split:
    """Return a model whose parameters are in this order, with what depends on columns alone taken out."""
    old, new = model.graph, Graph(LARGEST_GRAPH)
    reached = sorted(old.reached(model.output))
    free: set[int] = set()  # what depends on parameters; operands come before their operations
    apart: list[int] = []  # what does not, and is needed by what does
    for node in reached:
        name, *operands = old.nodes[node]
        if (name == "name" and operands[0] in order) or (name not in _LEAVES and not free.isdisjoint(operands)):
            free.add(node)
            wanted = () if name in _LEAVES else operands
            apart += [n for n in wanted if n not in free and n not in apart and old.value(n) is None]
    if model.output not in free and old.value(model.output) is None:
        apart.append(model.output)
    places: dict[int, int] = {}
    for node in reached:
        name, *operands = old.nodes[node]
        if node in apart:
            places[node] = new.coordinate(f"x{apart.index(node)}")
        elif name == "number":
            places[node] = new.number(operands[0])
        elif name == "name" and node in free:
            places[node] = new.coordinate(f"p{order.index(operands[0])}")
        elif node in free:
            places[node] = new.place((name, *(places[operand] for operand in operands)))
    formula = Formula.of(Writer(old).formula("parts", tuple(model.columns), apart), len(apart)) if apart else None
    parameters, columns = (tuple(f"{x}{k}" for k in range(n)) for x, n in (("p", len(order)), ("x", len(apart))))
    return Split(new, places[model.output], parameters, columns, formula)


_LEAVES = ("number", "name")


def computed(parts: Formula | None, columns: Sequence[Array], rows: int) -> Array:
    """Return what a model computes of columns, ``float64[rows, k]``.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    if parts is None:
        return np.empty((rows, 0))
    with np.errstate(all="ignore"):
        values = parts.reading("float64")(*columns)
    values = values if isinstance(values, tuple) else (values,)
    table = np.stack([np.broadcast_to(np.asarray(value, dtype=np.float64), rows) for value in values], axis=1)
    wrong = np.argwhere(~np.isfinite(table))
    if len(wrong):
        row, part = wrong[0]
        raise ValueError(
            f"model: what it computes of columns alone must be finite, but in row {row + 1} of the data "
            f"({', '.join(f'{column[row]:.6g}' for column in columns)}) is {table[row, part]}"
        )
    return table
