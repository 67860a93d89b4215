"""``gdfast plot KIND``: every kind of figure that a stored sweep can give."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.commands.canvas import Canvas, canvas
from gdfast.commands.chosen import Chosen, chosen
from gdfast.commands.parsing import Command, Of, print_help, shares
from gdfast.commands.printing import echo

plots = typer.Typer(help="Draw a figure of a stored sweep.", invoke_without_command=True)
_RATES = "of which learning rates: each optimizer's best, its default, or all of them, random"
Quantity = Annotated[
    str,
    typer.Option(
        help="outcome, steps, evaluations, loss, excess, gradient_norm, period, measure, accuracy, validation_loss, "
        "validation_accuracy, or of a history such as 'loss at step 100'"
    ),
]
Right = Annotated[
    str, typer.Option("--x", help="axis to the right: learning_rate, start, a coordinate of it or a hyperparameter")
]
Upwards = Annotated[
    str, typer.Option("--y", help="axis upwards: learning_rate, start, a coordinate of it or a hyperparameter")
]
Recorded = Annotated[str, typer.Option(help="what was recorded, such as loss, excess, sharpness")]
RunFiles = Annotated[
    bool, typer.Option("--run-files", help="run the files of your own that the store names, mine.py:rule")
]
Rates = Annotated[str, typer.Option(help=_RATES)]


@plots.callback(invoke_without_command=True)
def plot(context: typer.Context) -> None:
    """Draw a figure of a stored sweep."""
    print_help(context)


@shares(chosen=chosen, canvas=canvas)
def maps(
    chosen: Chosen,
    canvas: Canvas,
    quantity: Quantity = "outcome",
    x: Right = "learning_rate",
    y: Upwards = "start",
) -> None:
    """Draw the map of a stored sweep over two axes, a panel an optimizer."""
    from gdfast import plot
    from gdfast.plot.panels import left_out

    canvas.check()
    figure = functools.partial(plot.maps, optimizers=chosen.optimizer or None, x=x, y=y)
    result = chosen.whole()
    canvas.write(functools.partial(figure, result, quantity), str(chosen.source))
    if missing := left_out(result, x, y):
        echo(f"not shown, for want of a value along an axis: {', '.join(missing)}")
    echo(f"map of {chosen.source} → {canvas.out}")


@shares(chosen=chosen, canvas=canvas)
def basins(
    chosen: Chosen,
    canvas: Canvas,
    x: Annotated[str | None, typer.Option(help="axis to the right  [default: the first coordinate of two]")] = None,
    y: Annotated[str | None, typer.Option(help="axis upwards  [default: the second coordinate of two]")] = None,
) -> None:
    """Draw which minimum each start leads to, of one optimizer, at the learning rate told by --at, or its best."""
    from gdfast import analysis, plot

    canvas.check()
    result = chosen.result()
    across = "learning_rate" in (x, y) or result.sizes.get("parameter", 1) != 2
    if not across and result.sizes["optimizer"] == 1:
        result = result.isel(learning_rate=[int(analysis.best_rates(result)["index"].iloc[0])])
    canvas.write(functools.partial(plot.basin_map, result, x=x, y=y), str(chosen.source))
    echo(f"minima of {chosen.source} → {canvas.out}")


@shares(chosen=chosen, canvas=canvas)
def sensitivity(
    chosen: Chosen,
    canvas: Canvas,
    quantity: Annotated[
        str, typer.Option(help="share, loss, steps, evaluations, accuracy, validation_loss or validation_accuracy")
    ] = "share",
) -> None:
    """Draw how the end depends on the learning rate, a line an optimizer."""
    from gdfast import plot

    _draw(chosen, canvas, plot.lr_sensitivity, quantity=quantity)


@shares(chosen=chosen, canvas=canvas)
def ecdf(chosen: Chosen, canvas: Canvas, rates: Rates = "best", of: Of = "steps") -> None:
    """Draw which share has reached the lowest minimum within so many steps, a line an optimizer."""
    from gdfast import plot

    _draw(chosen, canvas, plot.ecdf, rates=rates, of=of)


@shares(chosen=chosen, canvas=canvas)
def history(chosen: Chosen, canvas: Canvas, quantity: Recorded = "loss", rates: Rates = "best") -> None:
    """Draw what a history recorded against the steps, a line an optimizer."""
    from gdfast import plot

    _draw(chosen, canvas, plot.history_curves, quantity=quantity, rates=rates)


@shares(chosen=chosen, canvas=canvas)
def history_map(chosen: Chosen, canvas: Canvas, quantity: Recorded = "loss") -> None:
    """Draw what a history recorded over step × learning rate, of one optimizer."""
    from gdfast import plot

    _draw(chosen, canvas, plot.history_map, quantity=quantity)


@shares(chosen=chosen, canvas=canvas)
def bifurcation(chosen: Chosen, canvas: Canvas) -> None:
    """Draw where trajectories end against the learning rate, of one optimizer, swept with --keep-theta."""
    from gdfast import plot

    _draw(chosen, canvas, plot.bifurcation)


@shares(chosen=chosen, canvas=canvas)
def paths(chosen: Chosen, canvas: Canvas, run_files: RunFiles = False) -> None:
    """Draw a trajectory of each optimizer over the landscape, from one start: the middle one, or that told by --at."""
    import gdfast

    canvas.check()
    result = chosen.result()
    problem = gdfast.sweep_of(result, run_files=run_files).problem
    runs = gdfast.analysis.paths(result, run_files=run_files)
    canvas.write(functools.partial(gdfast.plot.trajectory, runs, problem), str(chosen.source))
    echo(f"paths of {chosen.source} → {canvas.out}")


@shares(chosen=chosen, canvas=canvas)
def curves(
    chosen: Chosen,
    canvas: Canvas,
    above: Annotated[float | None, typer.Option(help="draw the loss above this, on a logarithmic axis")] = None,
    run_files: RunFiles = False,
) -> None:
    """Draw the loss against the steps of a trajectory of each optimizer, from one start, chosen as for paths."""
    import gdfast

    canvas.check()
    runs = gdfast.analysis.paths(chosen.result(), run_files=run_files)
    canvas.write(functools.partial(gdfast.plot.loss_curves, runs, above=above), str(chosen.source))
    echo(f"losses of {chosen.source} → {canvas.out}")


@shares(canvas=canvas)
def profile(
    sources: Annotated[
        list[Path], typer.Argument(metavar="STORE…", help="what `gdfast sweep` wrote, with the same optimizers")
    ],
    canvas: Canvas,
    rates: Rates = "best",
    of: Of = "steps",
) -> None:
    """Draw performance profiles over several stored sweeps: the share within so many times the fewest steps."""
    import gdfast

    canvas.check()
    results = {str(path): gdfast.load(path) for path in sources}
    canvas.write(functools.partial(gdfast.plot.profile, results, rates=rates, of=of), ", ".join(results))
    echo(f"profile of {len(results)} sweeps → {canvas.out}")


@shares(canvas=canvas)
def delta(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="what `gdfast sweep` wrote")],
    after: Annotated[
        Path, typer.Argument(metavar="AFTER", help="the same over the same grid, but for what is to be compared")
    ],
    canvas: Canvas,
    x: Right = "learning_rate",
    y: Upwards = "start",
) -> None:
    """Draw which cells a change rescued and broke: two stored sweeps over one grid."""
    import gdfast

    canvas.check()
    difference = gdfast.analysis.delta(gdfast.load(before), gdfast.load(after))
    canvas.write(functools.partial(gdfast.plot.delta_maps, difference, x=x, y=y), f"{before} and {after}")
    echo(f"cells rescued and broken → {canvas.out}")


def _draw(chosen: Chosen, canvas: Canvas, figure: Callable[..., Any], **options: str) -> None:
    """Draw a figure of one result."""
    canvas.check()
    canvas.write(functools.partial(figure, chosen.result(), **options), str(chosen.source))
    echo(f"{chosen.source} → {canvas.out}")


KINDS: dict[str, Callable[..., None]] = {
    "maps": maps,
    "basins": basins,
    "sensitivity": sensitivity,
    "ecdf": ecdf,
    "profile": profile,
    "delta": delta,
    "paths": paths,
    "curves": curves,
    "history": history,
    "history-map": history_map,
    "bifurcation": bifurcation,
}
for _name, _kind in KINDS.items():
    plots.command(_name, cls=Command)(_kind)
