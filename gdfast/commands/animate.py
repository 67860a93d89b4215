"""``gdfast animate``: films of optimizers that race, and of maps that move along a hyperparameter."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gdfast.commands.canvas import Canvas, canvas
from gdfast.commands.chosen import Chosen, chosen
from gdfast.commands.names import completing
from gdfast.commands.parsing import Command, print_help, shares
from gdfast.commands.plot import Quantity, Right, Upwards
from gdfast.commands.printing import echo
from gdfast.commands.subject import Subject, subject

if TYPE_CHECKING:
    from gdfast.plot import Film

animations = typer.Typer(help="Make a film, as GIF or MP4.", invoke_without_command=True)


@animations.callback(invoke_without_command=True)
def animate(context: typer.Context) -> None:
    """Make a film, as GIF or MP4."""
    print_help(context)


def film(
    out: Annotated[Path, typer.Option("-o", "--out", help="the film: .gif or, where ffmpeg is installed, .mp4")],
    title: Annotated[str | None, typer.Option(help="above the picture")] = None,
    size: Annotated[str | None, typer.Option(help="width and height in inches, such as 8x5")] = None,
    palette: Annotated[
        str | None, typer.Option(help="a colormap of matplotlib, colours, or name=colour,… of outcomes or optimizers")
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="on black")] = False,
    legend: Annotated[bool, typer.Option("--legend/--no-legend", help="whether there is a legend")] = True,
) -> Canvas:
    """Read the options that say where a film goes and how it looks."""
    return canvas(out, title, size, palette, dark, legend)


@shares(subject=subject, film=film)
def race(
    subject: Subject,
    film: Canvas,
    optimizer: Annotated[
        list[str],
        typer.Option(
            autocompletion=completing("optimizers"),
            help="name, or name:parameter=value,…, with |schedule behind it; may be repeated",
        ),
    ],
    lr: Annotated[
        list[str] | None,
        typer.Option(help="learning rate, of all or once an optimizer  [default: each one's default]"),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(help="where they start, a number or name=number, once a coordinate  [default: one drawn]"),
    ] = None,
    max_steps: Annotated[int, typer.Option(help="updates of each, at most")] = 200,
    frames: Annotated[int, typer.Option(help="pictures, of which 20 are shown a second")] = 120,
) -> None:
    """Let optimizers race over a landscape of one or two coordinates: their paths, and their losses beside."""
    import gdfast
    from gdfast import arguments, grids, notation, starting

    _check(film)
    axes = grids.parse_starts(start or [])
    problem = subject.made(axes)
    rules = [rule for text in optimizer for rule in notation.optimizers(text)]
    rates = [arguments.number("lr", float(grids.parse_axis("lr", text, True)[0])) for text in lr or []]
    if len(rates) not in (0, 1, len(rules)):
        raise ValueError(f"lr must be given once, or {len(rules)} times, once an optimizer, not {len(rates)} times")
    points = starting.starts_on(problem, axes)
    point = problem.random(1, 0)[0] if points is None else points[0]
    if points is not None and len(points) > 1:
        raise ValueError(f"start must be one point, a number for each coordinate, not {len(points)} points")
    each = rates * len(rules) if len(rates) == 1 else rates or [rule.learning_rate / rule.unit for rule in rules]
    paths = [gdfast.trajectory(problem, rule, point, rate, max_steps) for rule, rate in zip(rules, each, strict=True)]
    _write(film, functools.partial(gdfast.plot.race, paths, problem, frames=frames))


@shares(chosen=chosen, film=film)
def map_(
    chosen: Chosen,
    film: Canvas,
    over: Annotated[
        str,
        typer.Option(
            help="what changes from picture to picture: a hyperparameter, learning_rate, a label of the starts or, "
            "with a history, step"
        ),
    ],
    quantity: Quantity = "outcome",
    x: Right = "learning_rate",
    y: Upwards = "start",
    rate: Annotated[float, typer.Option(help="pictures a second")] = 6.0,
) -> None:
    """Let the map of a stored sweep move along a hyperparameter."""
    from gdfast import plot

    _check(film)
    _write(film, functools.partial(plot.animate_map, chosen.result(), over, quantity, x=x, y=y, rate=rate))


def _check(film: Canvas) -> None:
    """Refuse a film that could not be written."""
    from gdfast import outputs
    from gdfast.plot.film import check

    check(film.out, "out")
    outputs.check(film.out)


def _write(film: Canvas, make: "Callable[..., Film]") -> None:
    """Make a film in the looks that are wanted, and write it."""
    made: Any = film.drawn(make)
    made.save(film.out)
    echo(f"{made.frames} pictures, {made.frames / made.rate:.1f} s → {film.out}")


animations.command("race", cls=Command)(race)
animations.command("map", cls=Command)(map_)
