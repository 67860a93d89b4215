"""``gdfast boundary``: the edge between convergence and divergence, up close."""

from pathlib import Path
from typing import Annotated

import typer

from gdfast.arguments import harmless
from gdfast.commands.names import completing
from gdfast.commands.printing import echo
from gdfast.endings import resumable


def boundary(
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
    """Show the boundary between convergence and divergence: images, zooms, and its dimension by box counting."""
    from gdfast import notation
    from gdfast.boundary import report as boundaries
    from gdfast.boundary.planes import PUBLISHED

    rules = [rule for text in optimizer or ["gd"] for rule in notation.optimizers(text)]
    with resumable(store):
        table = boundaries.build(
            out,
            condition or PUBLISHED,
            rules,
            resolution=resolution,
            center=None if center is None else notation.parse_point("center", center),
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
