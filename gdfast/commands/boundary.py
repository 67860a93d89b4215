"""``gdfast boundary``: the edge between convergence and divergence, up close."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.arguments import harmless
from gdfast.commands.names import completing
from gdfast.commands.parsing import shares
from gdfast.commands.printing import echo
from gdfast.commands.subject import Subject, subject
from gdfast.endings import resumable


@shares(subject=subject)
def boundary(
    subject: Subject,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="tanh, relu, identity, minibatch, single_point, initialization, quartic or rosenbrock; "
            "may be repeated  [default: the first six, those of arXiv 2402.06184]"
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("optimizers"),
            help="name, or name:parameter=value,…; may be repeated  [default: gd]",
        ),
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(
            help="of your own problem: what lies along x, learning_rate, a coordinate or a hyperparameter, "
            "with its range if need be, momentum=0:1 or eps=log:1e-8:1  [default: learning_rate]"
        ),
    ] = None,
    y: Annotated[str | None, typer.Option(help="the same along y  [default: the first coordinate]")] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(help="the start, a number or name=number, once a coordinate  [default: middle of the domain]"),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="learning rate, where it is no axis  [default: the optimizer's]")
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            help="what is blue: convergence, bounded, reached, or a measure of `gdfast list measures` below --threshold"
        ),
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="of that measure  [default: 0]")] = None,
    resolution: Annotated[int, typer.Option(help="pixels a side of an image")] = 512,
    center: Annotated[
        str | None,
        typer.Option(help="middle of the first image, x,y, in the units of its axes  [default: the plane's]"),
    ] = None,
    zoom: Annotated[float, typer.Option(help="how many times closer than the whole plane the first image is")] = 1.0,
    frames: Annotated[int, typer.Option(help="images of a zoom into the boundary; it ends where float64 does")] = 1,
    factor: Annotated[float, typer.Option(help="by which each of them is closer than the one before")] = 10.0,
    follow: Annotated[
        str, typer.Option(help="what a zoom goes to: a boundary pixel drawn, or the densest place of the boundary")
    ] = "drawn",
    seeds: Annotated[int, typer.Option(help="how many draws of weights, data and points")] = 1,
    width: Annotated[int, typer.Option(help="inputs and hidden units of the network")] = 8,
    max_steps: Annotated[int, typer.Option(help="updates of each trajectory")] = 100,
    out: Annotated[Path, typer.Option("-o", "--out", help="the folder to write")] = Path("reports/boundary"),
    store: Annotated[Path | None, typer.Option(help="a folder of Zarr stores to write, or to complete")] = None,
    workers: Annotated[int | None, typer.Option(help="threads  [default: all cores]")] = None,
) -> None:
    """Show the boundary between convergence and divergence: images, zooms, and its dimension by box counting.

    Of the conditions by name, or of a problem of your own, in a plane of any two of learning rate, coordinates of the
    start and hyperparameters.
    """
    from gdfast import grids, notation
    from gdfast.boundary import report as boundaries
    from gdfast.boundary.planes import PUBLISHED

    rules = [rule for text in optimizer or ["gd"] for rule in notation.optimizers(text)]
    planes: list[Any] = [*(condition or [])]
    if subject.named:
        planes.append(_own(subject, start or [], x=x, y=y, learning_rate=lr, criterion=criterion, threshold=threshold))
    else:
        told = {"x": x, "y": y, "start": start, "lr": lr, "criterion": criterion, "threshold": threshold}
        for name, value in told.items():
            if value is not None:
                raise ValueError(f"{name} must be given with a problem of your own, by --problem, --loss or --data")
    planes = planes or PUBLISHED
    with resumable(store):
        table = boundaries.build(
            out,
            planes,
            rules,
            resolution=resolution,
            center=None if center is None else grids.parse_point("center", center),
            zoom=zoom,
            frames=frames,
            factor=factor,
            follow=follow,
            seeds=seeds,
            store=store,
            tell=lambda text: typer.echo(harmless(text), err=True),
            width=width,
            max_steps=max_steps,
            workers=workers,
        )
    echo(table.round(3).to_string(index=False))
    echo(f"images and tables → {out}")


def _own(subject: Subject, start: list[str], **options: Any) -> Any:
    """The plane of a problem of one's own; its coordinates are in the order of the starts."""
    from gdfast import grids, starting
    from gdfast.boundary.own import plane

    points = grids.parse_starts(start)
    problem = subject.made()
    found = starting.starts_on(problem, points)
    if found is not None and len(found) > 1:
        raise ValueError(f"start must be one point, a number for each coordinate, not {len(found)} points")
    told = {name: value for name, value in options.items() if value is not None}
    return plane(problem, start=None if found is None else found[0], **told)
