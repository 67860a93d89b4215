"""``gdfast list``: what there is to sweep."""

import functools
import importlib
from typing import Annotated

import typer

from gdfast.commands.parsing import Command, print_help
from gdfast.commands.printing import print_catalogue, print_table

lists = typer.Typer(help="List what there is to sweep.", invoke_without_command=True)
_listing = functools.partial(lists.command, cls=Command)


@lists.callback(invoke_without_command=True)
def listing(context: typer.Context) -> None:
    """List what there is to sweep."""
    print_help(context)


@_listing("optimizers")
def list_optimizers(
    parity: Annotated[bool, typer.Option("--parity", help="what each rule was compared with")] = False,
    libraries: Annotated[
        bool, typer.Option("--libraries", help="what torch's and optax's optimizers are here")
    ] = False,
) -> None:
    """List the optimizers by family, with their hyperparameters, or what they are compared with or elsewhere."""
    from gdfast import optimizers

    if parity or libraries:
        rows = optimizers.parity() if parity else optimizers.libraries()
        print_table(rows[0], [list(row.values()) for row in rows])
        return
    families = {make.__name__: family for family, makers in optimizers.FAMILIES.items() for make in makers}
    print_catalogue(optimizers.CATALOGUE, families)


def _list(name: str, what: str) -> None:
    """Add the command that lists the catalogue of a module."""

    def listing() -> None:
        print_catalogue(importlib.import_module(f"gdfast.{name}").CATALOGUE)

    _listing(name, help=f"List {what} with their parameters.")(listing)


for _name, _what in {
    "problems": "the problems",
    "schedules": "the schedules of the learning rate",
    "transforms": "the transforms of the gradient",
    "measures": "the measures of the history of losses",
}.items():
    _list(_name, _what)


@_listing("data")
def list_data() -> None:
    """List the data sets that ship with gdfast, with their sizes and what they are for."""
    from gdfast import data

    print_table(["name", "rows", "features", "task", "target or classes"], data.summary())
