"""``gdfast live``: a page that runs a landscape and rules in the browser."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gdfast.arguments import shown
from gdfast.commands.names import completing
from gdfast.commands.parsing import parse_params
from gdfast.commands.printing import echo


def live(
    problem: Annotated[
        str | None,
        typer.Argument(
            autocompletion=completing("problems"),
            help="a landscape of one or two coordinates: name, name:parameter=value,…, or mine.py:name",
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("optimizers"),
            help="name, or name:parameter=value,…, with |schedule and |transform behind it; may be repeated; "
            "mine.py:name is of a file of your own, which is run  [default: gd]",
        ),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="instead of a problem: an expression such as 'x**4 - 5*x**2 + 3*x'")
    ] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option(help="of a loss: low:high, or name=low:high, once a coordinate  [default: -5:5 for each]"),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="a number that the loss names: a=0.5; may be repeated"),
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option(help="range of learning rates of maps, low:high  [default: about the limit of gradient descent]"),
    ] = None,
    start: Annotated[
        list[str] | None, typer.Option(help="where the page begins, a number, or name=number, once a coordinate")
    ] = None,
    max_steps: Annotated[int, typer.Option(help="budget of each trajectory, in updates")] = 1000,
    title: Annotated[str | None, typer.Option(help="heading of the page")] = None,
    lessons: Annotated[bool, typer.Option("--lessons", help="write ten lessons instead, into the folder OUT")] = False,
    out: Annotated[Path, typer.Option("-o", "--out", help="the page, or the folder of lessons, to write")] = Path(
        "live.html"
    ),
) -> None:
    """Write a page that runs a landscape and optimizers in any browser, offline, with the kernels' bits."""
    from gdfast import grids, notation, outputs
    from gdfast.commands.making import parse_problem
    from gdfast.live import lessons as gallery
    from gdfast.live import page

    if lessons:
        given = {"problem": problem, "optimizer": optimizer, "loss": loss, "lr": lr, "start": start, "title": title}
        for name, value in given.items():
            if value:
                raise ValueError(f"{name} must not be given beside --lessons, which have their own")
        folder = Path("lessons") if out == Path("live.html") else out
        echo(f"{gallery.write(folder)} lessons → {folder / 'index.html'}")
        return
    fixed, varied = parse_params(param or [])
    if varied:
        raise ValueError(f"param {next(iter(varied))} must have one value in a page, which has no slider for it")
    if domain and loss is None:
        raise ValueError("domain must be given with a loss, by --loss; problems have their own")
    if out.suffix not in (".html", ".htm"):
        raise ValueError(f"out must end in .html, since it is a page, not {shown(out.name)}")
    outputs.check(out)
    axes = grids.parse_domain(domain or [])
    if (problem is None) == (loss is None):
        raise ValueError("problem or loss must be given, one of them")
    made = parse_problem(problem, [] if loss is None else [loss], axes, {}, fixed)
    # As it is told, for problems of files; a loss is told by `made`, with its domain.
    words = [f"--problem {shlex.quote(problem)}"] if problem else []
    words += [f"--param {shlex.quote(f'{name}={value}')}" for name, value in fixed.items() if problem]
    view = page.made(
        made,
        [rule for text in optimizer or ["gd"] for rule in notation.optimizers(text)],
        None if lr is None else page.rate_range("lr", lr),
        start=_point(start, made.coordinates) if start else None,
        max_steps=max_steps,
        title=title or (loss if loss is not None else None),
        subject=" ".join(words) or None,
    )
    view.save(out)
    echo(f"{len(view.html) / 1000:.0f} kB → {out}")


def _point(texts: Sequence[str], coordinates: Sequence[str]) -> list[float]:
    """A number for each coordinate, by name or in their order."""
    from gdfast import grids

    try:
        told = grids.parse_starts(texts)
    except ValueError:  # of axes, which a point has none of
        told = []
    values = [told[name] for name in coordinates if name in told] if isinstance(told, dict) else told
    if len(values) != len(coordinates) or len(texts) != len(coordinates) or any(each.size != 1 for each in values):
        accepted = ", ".join(f"{name}=number" for name in coordinates)
        raise ValueError(f"start must be a number for each coordinate, {accepted}, not {shown(', '.join(texts))}")
    return [float(each[0]) for each in values]
