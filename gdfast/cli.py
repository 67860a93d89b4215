"""The command line: parse, call, print."""

import functools
import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast import __version__
from gdfast.arguments import harmless
from gdfast.commands import Command, Group, echo, print_catalogue, print_frame, print_help, print_table
from gdfast.endings import resumable, tell

app = typer.Typer(
    name="gdfast",
    help="Convergence and divergence maps of gradient descent, by compiled sweeps.",
    cls=Group,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
lists = typer.Typer(help="List what there is to sweep.", invoke_without_command=True)
app.add_typer(lists, name="list")
_MOST_TOLD, _MOST_LINES = 10_000_000, 12  # trajectories and optimizers of which a sweep tells what became
_command = functools.partial(app.command, cls=Command)
_listing = functools.partial(lists.command, cls=Command)


@_listing("optimizers")
def list_optimizers(
    parity: Annotated[bool, typer.Option("--parity", help="what each rule was compared with")] = False,
) -> None:
    """List the optimizers with their hyperparameters, or what each rule was compared with."""
    from gdfast import optimizers

    if parity:
        rows = optimizers.parity()
        print_table(rows[0], [list(row.values()) for row in rows])
    else:
        print_catalogue(optimizers.CATALOGUE)


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


@_command()
def sweep(
    optimizer: Annotated[
        list[str],
        typer.Option(
            help="name, or name:parameter=value,…, with |schedule and |transform behind it; may be repeated; "
            "a value may be an axis, low:high:count or a/b/c"
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="the Zarr store to write, or to complete; a netCDF file (extra netcdf) if it ends in .nc",
        ),
    ],
    problem: Annotated[str | None, typer.Option(help="name, or name:parameter=value,…")] = None,
    loss: Annotated[
        str | None, typer.Option(help="instead of a problem: an expression such as 'x**2 + exp(y)'")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="the problem's data: a CSV file, or a name of `gdfast list data`")
    ] = None,
    target: Annotated[str | None, typer.Option(help="the column of that file to predict")] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="whether its first line has names; columns are 1, 2, … otherwise"),
    ] = None,
    lr: Annotated[
        str, typer.Option(help="learning rates low:high:count, logarithmic unless linear: stands first, or one number")
    ] = "1e-4:1:256",
    start: Annotated[
        list[str] | None,
        typer.Option(
            help="starts low:high:count, linear unless log: stands first, or one number, or name=…; once a coordinate  "
            "[default: the problem's own]"
        ),
    ] = None,
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            help="schedule of the learning rate, name or name:parameter=value,…; several: each optimizer with each"
        ),
    ] = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(help="transform of the gradient, name=value or name:parameter=value,…; several act in turn"),
    ] = None,
    max_steps: Annotated[int, typer.Option(help="budget of each trajectory, in updates")] = 1000,
    loss_tolerance: Annotated[
        float | None,
        typer.Option(
            help="excess of the loss, in the problem's own scale, up to which it counts as the lowest  "
            "[default: 1e-6, or 1e-2 for mini-batches and networks]"
        ),
    ] = None,
    gradient_tolerance: Annotated[
        float | None,
        typer.Option(
            help="share of the problem's ordinary gradient up to which one counts as nothing  "
            "[default: 1e-8, or 1e-6 in float32]"
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            help="what to record at chosen steps, such as loss,sharpness:64: loss, lowest_loss, gradient_norm, "
            "distance, sharpness, accuracy, validation_loss, validation_accuracy, theta; :linear:64 for even steps, "
            ":0/10/100 for these"
        ),
    ] = None,
    check_every: Annotated[int, typer.Option(help="look at every k-th point whether a trajectory has settled")] = 1,
    dtype: Annotated[str, typer.Option(help="the type to compute in: float64 or float32")] = "float64",
    settle: Annotated[
        bool,
        typer.Option(
            "--settle/--no-settle", help="whether a trajectory ends where it is stationary, or runs its budget out"
        ),
    ] = True,
    backend: Annotated[str, typer.Option(help="numba (compiled) or numpy (reference)")] = "numba",
    workers: Annotated[int | None, typer.Option(help="threads  [default: all cores]")] = None,
    processes: Annotated[int | None, typer.Option(help="local processes instead of threads")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="address of a Dask scheduler, tcp://…, whose workers run the tiles")
    ] = None,
    keep_theta: Annotated[bool, typer.Option("--keep-theta", help="keep the end points")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the result at OUT")] = False,
    reuse: Annotated[
        Path | None, typer.Option(help="another result, whose trajectories are taken over where they are the same")
    ] = None,
) -> None:
    """Run a sweep over learning rate × start × optimizer and write it to a store, or complete it there."""
    import gdfast
    from gdfast import analysis, notation, optimizers, outputs
    from gdfast.tiles import executors

    axes = notation.parse_starts(start or [])
    subject = notation.parse_problem(problem, loss, axes, notation.parse_source(data, target, header))
    rules = [rule for text in optimizer for rule in notation.optimizers(text)]
    schedules = [notation.schedule(text) for text in schedule or []]
    transforms = [notation.transform(text) for text in transform or []]
    plan = gdfast.Sweep(
        problem=subject,
        optimizers=optimizers.combine(rules, schedules, transforms),
        learning_rates=notation.parse_axis("lr", lr, logarithmic=True),
        starts=notation.starts_on(subject, axes),
        max_steps=max_steps,
        gradient_tolerance=gradient_tolerance,
        loss_tolerance=loss_tolerance,
        check_every=check_every,
        dtype=dtype,
        settle=settle,
        history=history,
    )
    outputs.check(out, accepted=("a folder", "a file"))
    with resumable(out), executors.of(workers, processes, scheduler) as executor:
        result = gdfast.run(
            plan,
            backend=backend,
            workers=workers,
            executor=executor,
            keep_theta=keep_theta,
            store=out,
            overwrite=overwrite,
            reuse=reuse,
        )
    seconds = result.attrs["run_seconds"]
    echo(f"{plan.size:,} trajectories in {seconds:.2f} s ({plan.size / seconds:,.0f} a second) → {out}")
    for line in analysis.found_minima(result):
        echo(line)
    if plan.size > _MOST_TOLD or len(rules) > _MOST_LINES:
        echo(f"gdfast summary {out} tells what became of them")
        return
    for line in analysis.account(result):
        echo(line)


@_command()
def summary(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="what `gdfast sweep` wrote")],
    share: Annotated[
        float, typer.Option(help="share of the starts that must reach the lowest minimum for a rate to work")
    ] = 0.5,
) -> None:
    """Tell of each optimizer what became of its trajectories, which rates work, and what to change where none does."""
    from gdfast import analysis
    from gdfast.storing import store

    with store.read(source) as result:
        tables = [analysis.outcome_shares(result), analysis.summary(result, share), analysis.advice(result)]
    for table in tables:
        print_frame(table.loc[:, (table != 0).any()].reset_index())
        typer.echo()


@_command("status")
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


@_command("map")
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
    from gdfast.storing import store

    _check_picture(out)
    result = analysis.nearest(store.read(source), at or [])
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


@_command()
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

    The optimizers must be the same, or the first sweep must have one, with which all of the second are compared.
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


@_command()
def report(
    quick: Annotated[bool, typer.Option("--quick", help="coarser grids")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="a chapter, or the figure that a page's command names; may be repeated"),
    ] = None,
    problem: Annotated[
        list[str] | None,
        typer.Option(help="leave out what is about other problems, and compare on this; may be repeated"),
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option(help="compare these instead of the usual ones; may be repeated")
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


@_command("boundary")
def boundary(
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="tanh, relu, identity, minibatch, single_point, initialization, quartic or rosenbrock; "
            "may be repeated  [default: the first six, those of arXiv 2402.06184]"
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option(help="name, or name:parameter=value,…; may be repeated  [default: gd]")
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


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="print the version")] = False
) -> None:
    """Convergence and divergence maps of gradient descent, by compiled sweeps."""
    if version:
        typer.echo(f"gdfast {__version__}")
        raise typer.Exit
    print_help(context)


@lists.callback(invoke_without_command=True)
def listing(context: typer.Context) -> None:
    """List what there is to sweep."""
    print_help(context)
