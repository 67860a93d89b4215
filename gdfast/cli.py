"""The command line: parse, call, print."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast import __version__

app = typer.Typer(
    name="gdfast",
    help="Convergence and divergence maps of gradient descent, by compiled sweeps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
lists = typer.Typer(help="List what there is to sweep.", no_args_is_help=True)
app.add_typer(lists, name="list")


@contextlib.contextmanager
def _user_errors() -> Iterator[None]:
    """Turn a refused argument into one sentence and exit code 2."""
    try:
        yield
    except (ValueError, TypeError) as error:
        typer.echo(f"gdfast: {error}", err=True)
        raise typer.Exit(2) from None


@contextlib.contextmanager
def _interruptible(resumable: Path | None = None) -> Iterator[None]:
    """Turn Ctrl-C into one line and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        again = f"; the same command again completes {resumable}" if resumable and resumable.is_dir() else ""
        typer.echo(f"gdfast: interrupted{again}", err=True)
        raise typer.Exit(130) from None


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn a refused store into exit code 2, a full disk or a lost worker into 1, each with one sentence."""
    from gdfast.executors import WorkersLostError
    from gdfast.store import StoreError

    try:
        yield
    except StoreError as error:
        typer.echo(f"gdfast: {error}", err=True)
        raise typer.Exit(2) from None
    except (OSError, WorkersLostError) as error:
        typer.echo(f"gdfast: {getattr(error, 'strerror', None) or error}", err=True)
        raise typer.Exit(1) from None


def parse_named(argument: str, text: str, catalogue: dict[str, Callable[..., Any]], **more: Any) -> Any:
    """Make a named thing from ``name`` or ``name:parameter=value,parameter=value``, and from `more` parameters.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    factory, parameters = _parse_call(argument, text, catalogue)
    for name in parameters:
        if name in more:
            raise ValueError(f"{argument} {text!r}: {name} is given twice, here and as --{name}")
    return factory(**{name: parse_value(value) for name, value in parameters.items()}, **more)


def parse_optimizers(text: str) -> list[Any]:
    """Make optimizers from ``name:parameter=value,…``, all combinations where a value is several.

    Several are given by slashes, ``0.5/0.9``, or as an axis, ``low:high:count``; see `parse_axis`.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    from gdfast import optimizers

    factory, parameters = _parse_call("optimizer", text, optimizers.CATALOGUE)
    values = {
        name: parse_axis(f"optimizer {name}", value, logarithmic=False) if ":" in value else parse_value(value)
        for name, value in parameters.items()
    }
    return optimizers.grid(factory, **values)


def _parse_call(argument: str, text: str, catalogue: dict[str, Callable[..., Any]]) -> Any:
    from gdfast import arguments

    name, _, rest = text.partition(":")
    factory = catalogue[arguments.choice(argument, name, catalogue)]
    parameters = {}
    for item in filter(None, rest.split(",")):
        key, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"{argument} {text!r}: {item!r} must be parameter=value")
        parameters[key.strip()] = value.strip()
    return factory, parameters


def parse_value(text: str) -> Any:
    """Read a number, a truth value, or several joined by slashes; anything else stays text."""
    if "/" in text:
        parts = tuple(parse_value(part) for part in text.split("/"))
        return text if any(isinstance(part, str) for part in parts) else parts  # a path is text
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def parse_schedule(text: str) -> Any:
    """Make a schedule; the ``then`` of a warm-up is given by its name.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    from gdfast import schedules

    def warmup(**parameters: Any) -> Any:
        if "then" in parameters:
            parameters["then"] = parse_named("schedule: then", parameters["then"], schedules.CATALOGUE)
        return schedules.warmup(**parameters)

    return parse_named("schedule", text, {**schedules.CATALOGUE, "warmup": warmup})


def parse_transform(text: str) -> Any:
    """Make a transform from ``name``, ``name=value`` for its first parameter, or ``name:parameter=value,…``.

    Raises
    ------
    TypeError, ValueError
        If the name, a parameter or a value is not accepted.
    """
    import inspect

    from gdfast import arguments, transforms

    name, equals, value = text.partition("=")
    if equals and ":" not in name:
        factory = transforms.CATALOGUE[arguments.choice("transform", name, transforms.CATALOGUE)]
        first = next(iter(inspect.signature(factory).parameters), "")
        text = f"{name}:{first}={value}" if first else f"{name}:{value}={value}"
    return parse_named("transform", text, transforms.CATALOGUE)


def parse_axis(argument: str, text: str, logarithmic: bool) -> Any:
    """Read ``low:high:count`` as a grid, or one number as itself.

    The grid is logarithmic or linear as the argument of this name says, unless ``log:`` or ``linear:`` stands first.

    Raises
    ------
    ValueError
        If it is neither.
    """
    import numpy as np

    from gdfast import arguments

    accepted = f"{argument} must be low:high:count, after log: or linear: if need be, or one number, not {text!r}"
    spacing, colon, rest = text.partition(":")
    if colon and spacing in ("log", "linear"):
        logarithmic, text = spacing == "log", rest
    try:
        match text.split(":"):
            case [value]:
                return np.array([float(value)])
            case [low, high, count]:
                ends, n = (float(low), float(high)), int(count)
            case _:
                raise ValueError(accepted)
    except ValueError:
        raise ValueError(accepted) from None
    arguments.integer(f"{argument}: count", n)
    accept = arguments.POSITIVE if logarithmic else arguments.ANY
    for name, end in zip(("low", "high"), ends, strict=True):
        arguments.number(f"{argument}: {name}", end, accept)
    return np.geomspace(*ends, n) if logarithmic else np.linspace(*ends, n)


def parse_point(argument: str, text: str) -> tuple[float, float]:
    """Read two numbers, ``x,y``.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{argument} must be two numbers, x,y, not {text!r}") from None
    return x, y


def parse_starts(texts: list[str]) -> dict[str, Any] | list[Any]:
    """Read the axes of starts: by the coordinates' names if all are ``name=axis``, else in the given order.

    Raises
    ------
    ValueError
        If one is no axis, a name is given twice, or only some have names.
    """
    names = [text.partition("=")[0].strip() for text in texts if "=" in text]
    if not names:
        return [parse_axis("start", text, logarithmic=False) for text in texts]
    if len(names) < len(texts) or len(set(names)) < len(names):
        raise ValueError(f"start must be name=low:high:count for each coordinate once, not {', '.join(texts)}")
    return {
        name: parse_axis(f"start {name}", text.partition("=")[2].strip(), logarithmic=False)
        for name, text in zip(names, texts, strict=True)
    }


def parse_problem(
    problem: str | None, loss: str | None, axes: dict[str, Any] | list[Any], source: dict[str, str]
) -> Any:
    """Make the problem that is named, on its data, or that of a loss, whose domain and coordinates are the starts'.

    Raises
    ------
    TypeError, ValueError
        If not just one of the two is given, or it is not accepted.
    """
    from gdfast import problems

    if (problem is None) == (loss is None):
        raise ValueError("problem or loss must be given, one of them")
    if loss is None:
        return parse_named("problem", str(problem), problems.CATALOGUE, **source)
    if source:
        raise ValueError(f"{next(iter(source))} must not be given beside a loss, which has none")

    def widened(axis: Any) -> tuple[float, float]:
        low, high = float(axis.min()), float(axis.max())
        return (low, high) if low < high else (low - 5, high + 5)

    if isinstance(axes, dict):
        return problems.from_expression(loss, {name: widened(axis) for name, axis in axes.items()})
    return problems.from_expression(loss, [widened(axis) for axis in axes] or None)


@lists.command("problems")
def list_problems() -> None:
    """List the problems."""
    from gdfast import problems

    _table(problems.CATALOGUE)


@lists.command("optimizers")
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


@lists.command("transforms")
def list_transforms() -> None:
    """List the transforms of the gradient with their parameters."""
    from gdfast import transforms

    _table(transforms.CATALOGUE)


@lists.command("data")
def list_data() -> None:
    """List the data sets that ship with scikit-learn, with their sizes and what they are for."""
    from gdfast import data

    _print_table(["name", "rows", "features", "task", "target or classes"], data.summary())


@lists.command("schedules")
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

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@app.command()
def sweep(
    optimizer: Annotated[
        list[str],
        typer.Option(
            help="name, or name:parameter=value,…; may be repeated; a value may be an axis, low:high:count or a/b/c"
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="the Zarr store to write, or to complete; a netCDF file if the suffix is .nc")
    ],
    problem: Annotated[str | None, typer.Option(help="name, or name:parameter=value,…")] = None,
    loss: Annotated[
        str | None, typer.Option(help="instead of a problem: an expression such as 'x**2 + exp(y)'")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="the problem's data: a CSV file, or a name of `gdfast list data`")
    ] = None,
    target: Annotated[str | None, typer.Option(help="the column of that file to predict")] = None,
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
    with _user_errors():
        import numpy as np

        import gdfast
        from gdfast import arguments, executors

        arguments.choice("backend", backend, ["numba", "numpy"])
        for name, value in (("workers", workers), ("processes", processes)):
            if value is not None:
                arguments.integer(name, value)
        if sum(value is not None for value in (workers, processes, scheduler)) > 1:
            raise ValueError("workers, processes and scheduler exclude each other; give one of them")
        given = parse_starts(start or [])
        source = {name: value for name, value in (("data", data), ("target", target)) if value is not None}
        chosen = parse_problem(problem, loss, given, source)
        for name in given if isinstance(given, dict) else ():
            arguments.choice("start: coordinate", name, chosen.coordinates)
        axes = [given[name] for name in chosen.coordinates if name in given] if isinstance(given, dict) else given
        if axes and len(axes) != chosen.dimension:
            raise ValueError(
                f"start must be given once a coordinate, {chosen.dimension} times for {chosen.label}, not {len(axes)}"
            )
        if axes:
            grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        else:
            grid = chosen.default_starts(256)
        changes = [parse_transform(text) for text in transform or []]
        rules = [rule.transformed(*changes) for text in optimizer for rule in parse_optimizers(text)]
        plans = [parse_schedule(text) for text in schedule or []]
        plan = gdfast.Sweep(
            problem=chosen,
            optimizers=[o.scheduled(s) for o in rules for s in plans] if plans else rules,
            learning_rates=parse_axis("lr", lr, logarithmic=True),
            starts=grid,
            max_steps=max_steps,
            check_every=check_every,
            dtype=dtype,
        )
    with _interruptible(out), _failures(), executors.of(workers, processes, scheduler) as executor:
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
    typer.echo(f"{plan.size:,} trajectories in {seconds:.2f} s ({plan.size / seconds:,.0f} a second) → {out}")


@app.command("status")
def status(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="a Zarr store that `gdfast sweep` writes or wrote")],
    verify: Annotated[bool, typer.Option("--verify", help="compare every file with its checksum")] = False,
) -> None:
    """Tell what of a stored sweep is done and missing, and whether it is sound."""
    with _user_errors():
        from gdfast import store

        found = store.status(source, whole=verify)
    for name, value in found.summary.items():
        typer.echo(f"{name:<13} {value}")
    for damage in found.damages.values():
        typer.echo(f"gdfast: store: {source} is damaged: {damage}", err=True)
    if found.damages:
        raise typer.Exit(2)


@app.command("map")
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
            help="only the nearest learning_rate=value, or start=number, of an axis that is not shown  "
            "[default: the most frequent outcome of all]"
        ),
    ] = None,
) -> None:
    """Draw the map of a stored sweep over two axes, a panel an optimizer."""
    with _user_errors():
        from gdfast import arguments, plot, store

        arguments.choice("quantity", quantity, ["outcome", "steps"])
        arguments.choice("out: suffix", out.suffix, [".png", ".svg", ".pdf"])
        result = store.read(source)
        for text in at or []:
            name, _, value = text.partition("=")
            place = parse_value(value)
            arguments.choice("at", name, ["learning_rate", "start"])
            result = result.sel({name: [arguments.number(f"at: {name}", place)]}, method="nearest")
        store.check_folder(out.parent)
        figure = plot.maps(result, quantity, optimizers=optimizer, x=x, y=y)
    figure.savefig(out)
    typer.echo(f"map of {source} → {out}")


@app.command()
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
    with _user_errors():
        from gdfast import analysis, arguments, plot, store

        if out:
            arguments.choice("out: suffix", out.suffix, [".png", ".svg", ".pdf"])
            store.check_folder(out.parent)
        first, second = store.read(before), store.read(after)
        difference = analysis.delta(first, second)
        moves = analysis.transitions(first, second)
    counts = analysis.change_counts(difference).reset_index()
    for table in (counts, moves.rename_axis(index="before \\ after").reset_index()):
        words = [str(column).replace("_", " ") for column in table.columns]
        _print_table(words, [[_cell(value) for value in row] for row in table.itertuples(index=False)])
        typer.echo()
    if out:
        plot.delta_maps(difference).savefig(out)
        typer.echo(f"cells rescued and broken → {out}")


def _cell(value: Any) -> str:
    return value.replace("_", " ") if isinstance(value, str) else "–" if value != value else f"{value:,.10g}"


@app.command()
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
    out: Annotated[Path, typer.Option(help="the folder to write")] = Path("reports"),
) -> None:
    """Run the experiments and write the report: a page, its figures, its tables and its data."""
    with _user_errors():
        from gdfast import problems, store
        from gdfast import report as reports

        chosen = [parse_named("problem", text, problems.CATALOGUE) for text in problem or []]
        rules = [rule for text in optimizer or [] for rule in parse_optimizers(text)]
        store.check_folder(out)
        with _interruptible():
            page, failures = reports.build(
                out, quick, only or [], chosen, rules, tell=lambda text: typer.echo(f"gdfast report: {text}", err=True)
            )
    for failure in failures:
        typer.echo(f"gdfast: {failure}", err=True)
    typer.echo(f"The report is at {page}")
    if failures:
        raise typer.Exit(1)


@app.command("boundary")
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
    out: Annotated[Path, typer.Option(help="the folder to write")] = Path("reports/boundary"),
    store: Annotated[Path | None, typer.Option(help="a folder of Zarr stores to write, or to complete")] = None,
    workers: Annotated[int | None, typer.Option(help="threads  [default: all cores]")] = None,
) -> None:
    """Show the boundary between convergence and divergence: images, zooms, and its dimension by box counting."""
    with _user_errors():
        from gdfast import arguments
        from gdfast import store as stores
        from gdfast.analysis.trainability import CONDITIONS, PUBLISHED
        from gdfast.report import boundary as boundaries

        chosen = [arguments.choice("condition", name, CONDITIONS) for name in condition or PUBLISHED]
        rules = [rule for text in optimizer or ["gd"] for rule in parse_optimizers(text)]
        arguments.integer("resolution", resolution, low=64, high=2**14)
        arguments.integer("seeds", seeds)
        arguments.number("zoom", zoom, arguments.POSITIVE)
        stores.check_folder(out)
        with _interruptible(store), _failures():
            table = boundaries.build(
                out,
                chosen,
                rules,
                resolution=resolution,
                center=None if center is None else parse_point("center", center),
                closer=zoom,
                frames=frames,
                factor=factor,
                follow=follow,
                seeds=seeds,
                store=store,
                tell=lambda text: typer.echo(text, err=True),
                width=width,
                max_steps=max_steps,
                workers=workers,
            )
    typer.echo(table.round(3).to_string(index=False))
    typer.echo(f"images and tables → {out}")


@app.callback(invoke_without_command=True)
def common(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    """Convergence and divergence maps of gradient descent, by compiled sweeps."""
    if version:
        typer.echo(f"gdfast {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
