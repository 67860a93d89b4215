"""``gdfast summary`` and ``gdfast status``: what a store holds."""

from pathlib import Path
from typing import Annotated

import typer

from gdfast.commands.parsing import Of
from gdfast.commands.printing import echo, print_frame
from gdfast.endings import tell


def summary(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="what `gdfast sweep` wrote")],
    share: Annotated[
        float, typer.Option(help="share of the starts that must reach the lowest minimum for a rate to work")
    ] = 0.5,
    of: Of = "steps",
) -> None:
    """Tell of each optimizer what became of its trajectories, which rates work, and what to change where none does."""
    from gdfast import analysis
    from gdfast.storing import store

    with store.read(source) as result:
        tables = [analysis.outcome_shares(result), analysis.summary(result, share, of=of), analysis.advice(result)]
    for table in tables:
        print_frame(table.loc[:, (table != 0).any()].reset_index())
        typer.echo()


def status(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="a Zarr store that `gdfast sweep` writes or wrote")],
    verify: Annotated[bool, typer.Option("--verify", help="compare every file with its checksum")] = False,
) -> None:
    """Tell what of a stored sweep is done and missing, and whether it is sound."""
    from gdfast.storing import store

    found = store.status(source, whole=verify)
    for name, value in found.summary.items():
        echo(f"{name:<13} {value}")
    for damage in found.damages.values():
        tell(f"store: {source} is damaged: {damage}")
    if found.damages:
        raise typer.Exit(2)
