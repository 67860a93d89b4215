"""``gdfast sweep``: run a sweep and write it to a store."""

import itertools
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.commands.names import completing
from gdfast.commands.parsing import parse_params, shares
from gdfast.commands.printing import echo
from gdfast.commands.subject import Subject, subject
from gdfast.endings import resumable

_MOST_TOLD, _MOST_LINES = 10_000_000, 12  # trajectories and optimizers of which a sweep tells what became


@shares(subject=subject)
def sweep(
    subject: Subject,
    optimizer: Annotated[
        list[str],
        typer.Option(
            autocompletion=completing("optimizers"),
            help="name, or name:parameter=value,…, with |schedule and |transform behind it; may be repeated; "
            "mine.py:name is of a file of your own, which is run; a value may be an axis, low:high:count or a/b/c",
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
    lr: Annotated[
        str,
        typer.Option(
            help="learning rates low:high:count, logarithmic unless linear: stands first, or numbers 0.1/0.3; "
            "default:low:high:count are multiples of each optimizer's default"
        ),
    ] = "1e-4:1:256",
    start: Annotated[
        list[str] | None,
        typer.Option(
            help="starts low:high:count, linear unless log: stands first, or numbers 0/1, or name=…; "
            "once a coordinate, or one number for all; of a network init=he_normal/zeros, gain=…, bias=…, seed=0:7:8  "
            "[default: the problem's own]"
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="a number that the loss names, or a parameter of the problem: a=0.5; as an axis, a=0.1/0.5/1 or "
            "a=log:0.1:10:64, each value is swept; may be repeated",
        ),
    ] = None,
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("schedules"),
            help="schedule of the learning rate, name or name:parameter=value,…; several: each optimizer with each",
        ),
    ] = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("transforms"),
            help="transform of gradient or point, name=value or name:parameter=value,…; several act in turn; with "
            "several values, name=1/2/3, each optimizer with each",
        ),
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
            "distance, sharpness, preconditioned_sharpness, accuracy, validation_loss, validation_accuracy, theta; "
            ":linear:64 for even steps, :0/10/100 for these"
        ),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            help="a number told of each trajectory's losses, such as steps_to_reach:tolerance=1e-3; "
            "see `gdfast list measures`"
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
    from gdfast import analysis, grids, notation, optimizers, outputs, starting
    from gdfast.running.run_over import problem_at
    from gdfast.storing import store
    from gdfast.tiles import executors

    axes = grids.parse_starts(start or [])
    fixed, varied = parse_params(param or [])
    problem = subject.made(axes, {**fixed, **{name: values[0] for name, values in varied.items()}})
    rules = [rule for text in optimizer for rule in notation.optimizers(text)]
    schedules = [each for text in schedule or [] for each in notation.schedules(text)]
    chains = [*itertools.product(*map(notation.transforms, transform or []))]
    rules = [each for rule in rules for chain in chains for each in optimizers.combine([rule], schedules, chain)]
    rates, optimizers_on = notation.parse_rates("lr", lr, rules)
    plan = gdfast.Sweep(
        problem=problem,
        optimizers=optimizers_on,
        learning_rates=rates,
        starts=starting.starts_on(problem, axes),
        max_steps=max_steps,
        gradient_tolerance=gradient_tolerance,
        loss_tolerance=loss_tolerance,
        check_every=check_every,
        dtype=dtype,
        settle=settle,
        history=history,
        measure=measure,
    )
    outputs.check(out, accepted=("a folder", "a file"))
    if varied and reuse is not None:
        raise ValueError("reuse must not be given with several values of a param, each of which has a store of its own")
    subject.tell()
    with resumable(out), executors.of(workers, processes, scheduler) as executor:
        how: dict[str, Any] = {"backend": backend, "workers": workers, "executor": executor, "keep_theta": keep_theta}
        how |= {"store": out, "overwrite": overwrite}
        if varied:
            gdfast.run_over(varied, lambda **values: plan.replace(problem=problem_at(problem, values)), **how)
            result = store.read(out)
        else:
            result = gdfast.run(plan, **how, reuse=reuse)
    seconds, size = result.attrs["run_seconds"], result.outcome.size
    echo(f"{size:,} trajectories in {seconds:.2f} s ({size / seconds:,.0f} a second) → {out}")
    for line in analysis.found_minima(result):
        echo(line)
    if size > _MOST_TOLD or result.sizes["optimizer"] > _MOST_LINES:
        echo(f"gdfast summary {out} tells what became of them")
        return
    for line in analysis.account(result):
        echo(line)
