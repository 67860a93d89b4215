"""The command line: which commands there are."""

from collections.abc import Callable
from typing import Annotated

import typer

from gdfast import __version__
from gdfast.commands import (
    animate,
    boundary,
    drawing,
    handbook,
    listing,
    live,
    plot,
    report,
    score,
    stored,
    sweep,
    table,
    tune,
)
from gdfast.commands.parsing import Command, Group, print_help

app = typer.Typer(
    name="gdfast",
    help="Convergence and divergence maps of gradient descent, by compiled sweeps.",
    cls=Group,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(listing.lists, name="list")
app.add_typer(plot.plots, name="plot")
app.add_typer(animate.animations, name="animate")
_COMMANDS: dict[str, Callable[..., None]] = {
    "sweep": sweep.sweep,
    "summary": stored.summary,
    "status": stored.status,
    "table": table.table,
    "map": plot.maps,
    "compare": drawing.compare,
    "live": live.live,
    "report": report.report,
    "boundary": boundary.boundary,
    "tune": tune.tune,
    "score": score.score,
    "handbook": handbook.handbook,
}
for _name, _command in _COMMANDS.items():
    app.command(_name, cls=Command)(_command)


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="print the version")] = False
) -> None:
    """Convergence and divergence maps of gradient descent, by compiled sweeps."""
    if version:
        typer.echo(f"gdfast {__version__}")
        raise typer.Exit
    print_help(context)
