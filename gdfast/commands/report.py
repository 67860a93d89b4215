"""``gdfast report``: the experiments, or those that make sense of what is one's own, as one page."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.commands.names import completing
from gdfast.commands.parsing import shares
from gdfast.commands.printing import echo
from gdfast.commands.subject import Subject, own
from gdfast.endings import tell


@shares(told=own)
def report(
    told: dict[str, Any],
    stores: Annotated[
        list[Path] | None, typer.Argument(metavar="[STORE]...", help="report on these, which `gdfast sweep` wrote")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="coarser grids")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="a chapter, or the figure that a page's command names; may be repeated; known, of published "
            "results, and on-data run only so",
        ),
    ] = None,
    problem: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("problems"),
            help="leave out what is about other problems, and compare on this; may be repeated; a loss, a model or "
            "data of your own do the same",
        ),
    ] = None,
    start: Annotated[
        list[str] | None, typer.Option(help="the domain of that loss, low:high:count, or name=…; once a coordinate")
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
    from gdfast import grids, notation, outputs
    from gdfast import report as reports
    from gdfast.commands.making import parse_source
    from gdfast.storing import store

    names: list[str | None] = [*(problem or [])] or [None]
    named = [Subject(name, **told) for name in names]
    if len(named) > 1 and Subject(None, **told).named:
        raise ValueError("problem must be given once where data, a model or a loss are told, not several times")
    if not told["loss"] and start:
        raise ValueError("start must be given with a loss, whose domain it tells")
    subjects = [each.made(grids.parse_starts(start or [])) for each in named if each.named]
    if not subjects:
        parse_source(**told["source"])  # refuses what is told of no data
    rules = [rule for text in optimizer or [] for rule in notation.optimizers(text)]
    outputs.check(out, accepted=("a folder",))
    results = {str(path): store.read(path).load() for path in stores or []}
    for each in named:
        each.tell()
    page, failures = reports.build(
        out,
        quick,
        only or [],
        subjects,
        rules,
        results,
        tell=lambda text: typer.echo(f"gdfast report: {text}", err=True),
    )
    for failure in failures:
        tell(failure)
    echo(f"The report is at {page}")
    if failures:
        raise typer.Exit(1)
