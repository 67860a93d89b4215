"""``gdfast report``: the experiments, as one page."""

from pathlib import Path
from typing import Annotated

import typer

from gdfast.commands.names import completing
from gdfast.commands.printing import echo
from gdfast.endings import tell


def report(
    quick: Annotated[bool, typer.Option("--quick", help="coarser grids")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="a chapter, or the figure that a page's command names; may be repeated"),
    ] = None,
    problem: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("problems"),
            help="leave out what is about other problems, and compare on this; may be repeated",
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("optimizers"), help="compare these instead of the usual ones; may be repeated"
        ),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="the folder to write")] = Path("reports"),
) -> None:
    """Run the experiments and write the report: a page, its figures, its tables and its data."""
    from gdfast import notation, outputs
    from gdfast import report as reports

    subjects = [notation.problem(text) for text in problem or []]
    rules = [rule for text in optimizer or [] for rule in notation.optimizers(text)]
    outputs.check(out, accepted=("a folder",))
    page, failures = reports.build(
        out, quick, only or [], subjects, rules, tell=lambda text: typer.echo(f"gdfast report: {text}", err=True)
    )
    for failure in failures:
        tell(failure)
    echo(f"The report is at {page}")
    if failures:
        raise typer.Exit(1)
