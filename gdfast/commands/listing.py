"""``gdfast list``: what there is to sweep, all of it or one of it."""

import functools
import re
from typing import Annotated

import typer

from gdfast.catalogues import catalogue, facts, families, parameters, text_of, told
from gdfast.commands.names import completing
from gdfast.commands.parsing import Command, print_help
from gdfast.commands.printing import echo, print_catalogue, print_table

lists = typer.Typer(help="List what there is to sweep.", invoke_without_command=True)
_listing = functools.partial(lists.command, cls=Command)


@lists.callback(invoke_without_command=True)
def listing(context: typer.Context) -> None:
    """List what there is to sweep."""
    print_help(context)


def _argument(kind: str) -> typer.models.ArgumentInfo:
    """The name of one of a kind."""
    info: typer.models.ArgumentInfo = typer.Argument(
        metavar="[NAME]", help="tell all of this one", autocompletion=completing(kind)
    )
    return info


@_listing("optimizers")
def list_optimizers(
    name: Annotated[str | None, _argument("optimizers")] = None,
    parity: Annotated[bool, typer.Option("--parity", help="what each rule was compared with")] = False,
    libraries: Annotated[
        bool, typer.Option("--libraries", help="what the optimizers of other libraries are here")
    ] = False,
) -> None:
    """List the optimizers by family, or tell one with its formula and source, or what they are compared with."""
    from gdfast import optimizers

    if not parity and not libraries:
        _list("optimizers", name)
        return
    if name is not None:
        _checked("optimizers", name)
    rows, column = (optimizers.parity(), "optimizer") if parity else (optimizers.libraries(), "gdfast's")
    rows = [row for row in rows if name is None or name in re.findall(r"\w+", row[column])]
    if not rows:
        raise ValueError(f"name: no other library has {name}; it was compared with a plain loop of the paper")
    print_table(rows[0], [list(row.values()) for row in rows])


def _kind(kind: str, what: str) -> None:
    """Add the command that lists a kind of things."""

    def listing(name: Annotated[str | None, _argument(kind)] = None) -> None:
        _list(kind, name)

    _listing(kind, help=f"List {what} with their parameters, or tell one with its formula and source.")(listing)


for _name, _what in {
    "problems": "the problems",
    "schedules": "the schedules of the learning rate",
    "transforms": "the transforms of gradients and points",
    "measures": "the measures of the history of losses",
}.items():
    _kind(_name, _what)


def _checked(kind: str, name: str) -> str:
    from gdfast import arguments

    return arguments.choice("name", name, catalogue(kind))


def _list(kind: str, name: str | None) -> None:
    """Print a catalogue, or one thing of it."""
    things = catalogue(kind)
    if name is None:
        print_catalogue(things, families() if kind == "optimizers" else None)
        return
    factory = things[_checked(kind, name)]
    echo(f"{name}\n\n{told(factory)}\n")
    if rows := list(parameters(factory)):
        print_table(["parameter", "default", "accepted"], rows)
        echo("")
    try:
        thing = factory()
    except TypeError:  # what has a parameter without a default
        return
    if text := text_of(thing):
        echo(f"{text}\n")
    for fact, value in facts(thing):
        echo(f"{fact}: {value}")


@_listing("data")
def list_data() -> None:
    """List the data sets that ship with gdfast, with their sizes and what they are for."""
    from gdfast import data

    print_table(["name", "rows", "features", "task", "target or classes"], data.summary())
