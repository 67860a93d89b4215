"""``gdfast map`` and ``gdfast compare``: pictures and counts of what stores hold."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.commands.printing import echo, print_frame


def map_(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="what `gdfast sweep` wrote")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the picture: PNG, SVG or PDF by suffix")],
    optimizer: Annotated[
        list[str] | None,
        typer.Option(help="label of an optimizer to show, less what is an axis  [default: all]"),
    ] = None,
    quantity: Annotated[
        str,
        typer.Option(
            help="outcome, steps, loss, excess, gradient_norm, period, measure, accuracy, validation_loss, "
            "validation_accuracy, or of a history such as 'loss at step 100'"
        ),
    ] = "outcome",
    x: Annotated[
        str, typer.Option(help="axis to the right: learning_rate, start or a hyperparameter")
    ] = "learning_rate",
    y: Annotated[str, typer.Option(help="axis upwards: learning_rate, start or a hyperparameter")] = "start",
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="only the nearest learning_rate=value or start=x,y,…, or start=#3, that number, of an axis not shown  "
            "[default: the most frequent outcome of all]"
        ),
    ] = None,
) -> None:
    """Draw the map of a stored sweep over two axes, a panel an optimizer."""
    from gdfast import analysis, plot
    from gdfast.plot import look
    from gdfast.storing import store

    _check_picture(out)
    result = analysis.nearest(store.read(source), at or [])
    with look.apart():
        _save(plot.maps(result, quantity, optimizers=optimizer, x=x, y=y), out)
    echo(f"map of {source} → {out}")


def _check_picture(path: Path) -> None:
    """Refuse a picture that could not be written."""
    from gdfast import arguments, outputs

    arguments.choice("out: suffix", path.suffix, [".png", ".svg", ".pdf"])
    outputs.check(path)


def _save(figure: Any, path: Path) -> None:
    """Write a figure, whole or not at all."""
    from gdfast import outputs

    with outputs.beside(path) as part:
        figure.savefig(part)


def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="what `gdfast sweep` wrote")],
    after: Annotated[
        Path, typer.Argument(metavar="AFTER", help="the same over the same grid, but for what is to be compared")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="a picture of the cells: PNG, SVG or PDF by suffix")
    ] = None,
) -> None:
    """Count the cells that a change rescued and broke: two stored sweeps over one grid.

    The optimizers must be the same, but for schedules and transforms, or the first sweep must have one, with which all
    of the second are compared.
    """
    from gdfast import analysis, plot
    from gdfast.storing import store

    if out:
        _check_picture(out)
    first, second = store.read(before), store.read(after)
    difference = analysis.delta(first, second)
    moves = analysis.transitions(first, second)
    counts = analysis.change_counts(difference).reset_index()
    for table in (counts, moves.rename_axis(index="before \\ after").reset_index()):
        print_frame(table)
        typer.echo()
    if out:
        _save(plot.delta_maps(difference), out)
        echo(f"cells rescued and broken → {out}")
