"""The command line: parse, call, print."""

import functools
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gdfast import __version__
from gdfast.arguments import harmless
from gdfast.endings import Interrupted, resumable, tell, told


class _Group(TyperGroup):
    """The commands, of which every error ends in one sentence and an exit code."""

    def main(self, args: Any = None, *, standalone_mode: bool = True, **options: Any) -> Any:  # type: ignore[override]
        """Run a command line."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **options)
        with told():
            code = super().main(args, standalone_mode=False, **options)
            if code == 130:  # while arguments were read
                raise Interrupted
        raise SystemExit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was parsed."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted(*error.args) from None


class _Command(TyperCommand):
    """A command that refuses an option given twice, of which one would be ignored, or after one dash."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments of the command."""
        names = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        for word in (arg.partition("=")[0] for arg in args):
            if f"-{word}" in names:  # else read as options of one letter each
                raise ValueError(f"{word} must be -{word}, after two dashes")
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, count in Counter(order).items():
            if count > 1 and not getattr(parameter, "multiple", False):
                raise ValueError(f"{parameter.opts[-1]} must be given once, not {count} times")
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="gdfast",
    help="Convergence and divergence maps of gradient descent, by compiled sweeps.",
    cls=_Group,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
lists = typer.Typer(help="List what there is to sweep.", invoke_without_command=True)
app.add_typer(lists, name="list")
_command = functools.partial(app.command, cls=_Command)
_listing = functools.partial(lists.command, cls=_Command)


_MOST_WORKERS = 4096


def _echo(text: str) -> None:
    """Print a line, harmlessly."""
    typer.echo(harmless(text))


@_listing("problems")
def list_problems() -> None:
    """List the problems."""
    from gdfast import problems

    _table(problems.CATALOGUE)


@_listing("optimizers")
def list_optimizers(
    parity: Annotated[bool, typer.Option("--parity", help="what each rule was compared with")] = False,
) -> None:
    """List the optimizers with their hyperparameters, or what each rule was compared with."""
    from gdfast import optimizers

    if parity:
        rows = optimizers.parity()
        _print_table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        _table(optimizers.CATALOGUE)


@_listing("transforms")
def list_transforms() -> None:
    """List the transforms of the gradient with their parameters."""
    from gdfast import transforms

    _table(transforms.CATALOGUE)


@_listing("data")
def list_data() -> None:
    """List the data sets that ship with gdfast, with their sizes and what they are for."""
    from gdfast import data

    _print_table(["name", "rows", "features", "task", "target or classes"], data.summary())


@_listing("schedules")
def list_schedules() -> None:
    """List the schedules of the learning rate with their parameters."""
    from gdfast import schedules

    _table(schedules.CATALOGUE)


def _table(catalogue: dict[str, Callable[..., Any]]) -> None:
    import inspect

    rows = []
    for name, factory in catalogue.items():
        parameters = inspect.signature(factory).parameters.values()
        shown = ", ".join(p.name if isinstance(p.default, tuple) else f"{p.name}={p.default}" for p in parameters)
        rows.append([name, shown, (factory.__doc__ or "").strip().splitlines()[0]])
    _print_table(["name", "parameters", "what it is"], rows)


def _print_table(columns: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def cell(text: str) -> Text:
        return Text(harmless(text))  # as it is, not as markup

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(cell(column))
    for row in rows:
        table.add_row(*map(cell, row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


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
    check_every: Annotated[int, typer.Option(help="look at every k-th point whether a trajectory has settled")] = 1,
    dtype: Annotated[str, typer.Option(help="the type to compute in: float64 or float32")] = "float64",
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
    from gdfast import arguments, notation, outputs
    from gdfast.tiles import executors

    arguments.choice("backend", backend, ["numba", "numpy"])
    for name, value in (("workers", workers), ("processes", processes)):
        if value is not None:
            arguments.integer(name, value, high=_MOST_WORKERS)
    if sum(value is not None for value in (workers, processes, scheduler)) > 1:
        raise ValueError("workers, processes and scheduler exclude each other; give one of them")
    if scheduler is not None:
        executors.check_address(scheduler)
    axes = notation.parse_starts(start or [])
    source = notation.parse_source(data, target, header)
    subject = notation.parse_problem(problem, loss, axes, source)
    changes = [notation.transform(text) for text in transform or []]
    rules = [rule.transformed(*changes) for text in optimizer for rule in notation.optimizers(text)]
    plans = [notation.schedule(text) for text in schedule or []]
    if plans and (twice := [rule for rule in rules if rule.schedule]):
        raise ValueError(f"schedule must be given once, with the optimizer {twice[0].label} or as --schedule")
    plan = gdfast.Sweep(
        problem=subject,
        optimizers=[rule.scheduled(plan) for rule in rules for plan in plans] if plans else rules,
        learning_rates=notation.parse_axis("lr", lr, logarithmic=True),
        starts=notation.starts_on(subject, axes),
        max_steps=max_steps,
        check_every=check_every,
        dtype=dtype,
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
    _echo(f"{plan.size:,} trajectories in {seconds:.2f} s ({plan.size / seconds:,.0f} a second) → {out}")


@_command("status")
def status(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="a Zarr store that `gdfast sweep` writes or wrote")],
    verify: Annotated[bool, typer.Option("--verify", help="compare every file with its checksum")] = False,
) -> None:
    """Tell what of a stored sweep is done and missing, and whether it is sound."""
    from gdfast.storing import store

    found = store.status(source, whole=verify)
    for name, value in found.summary.items():
        _echo(f"{name:<13} {value}")
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
    quantity: Annotated[str, typer.Option(help="outcome or steps")] = "outcome",
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
    from gdfast import arguments, notation, plot
    from gdfast.storing import store

    arguments.choice("quantity", quantity, ["outcome", "steps"])
    _check_picture(out)
    result = store.read(source)
    places = dict(notation.parse_place(result, text) for text in at or [])
    if len(places) < len(at or []):
        raise ValueError(f"at must be given once an axis, not {len(at or [])} times")
    result = result.isel({name: [place] for name, place in places.items()})
    _save(plot.maps(result, quantity, optimizers=optimizer, x=x, y=y), out)
    _echo(f"map of {source} → {out}")


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
        words = [str(column).replace("_", " ") for column in table.columns]
        _print_table(words, [[_shown(value) for value in row] for row in table.itertuples(index=False)])
        typer.echo()
    if out:
        _save(plot.delta_maps(difference), out)
        _echo(f"cells rescued and broken → {out}")


def _shown(value: Any) -> str:
    return value.replace("_", " ") if isinstance(value, str) else "–" if value != value else f"{value:,.10g}"


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
    _echo(f"The report is at {page}")
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
    from gdfast import arguments, notation, outputs
    from gdfast.boundary import report as boundaries
    from gdfast.boundary.planes import CONDITIONS, PUBLISHED

    names = [arguments.choice("condition", name, CONDITIONS) for name in condition or PUBLISHED]
    rules = [rule for text in optimizer or ["gd"] for rule in notation.optimizers(text)]
    arguments.integer("resolution", resolution, low=64, high=2**14)
    arguments.integer("seeds", seeds)
    arguments.number("zoom", zoom, arguments.POSITIVE)
    if workers is not None:
        arguments.integer("workers", workers, high=_MOST_WORKERS)
    outputs.check(out, accepted=("a folder",))
    if store is not None:
        outputs.check(store, "store", accepted=("a folder",))
    with resumable(store):
        table = boundaries.build(
            out,
            names,
            rules,
            resolution=resolution,
            center=None if center is None else notation.parse_point("center", center),
            closer=zoom,
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
    _echo(table.round(3).to_string(index=False))
    _echo(f"images and tables → {out}")


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="print the version")] = False
) -> None:
    """Convergence and divergence maps of gradient descent, by compiled sweeps."""
    if version:
        typer.echo(f"gdfast {__version__}")
        raise typer.Exit
    _help(context)


@lists.callback(invoke_without_command=True)
def listing(context: typer.Context) -> None:
    """List what there is to sweep."""
    _help(context)


def _help(context: typer.Context) -> None:
    """Say what commands there are, where none is given."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
