"""``gdfast compare``: what a change rescued and broke."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.commands.canvas import Canvas
from gdfast.commands.parsing import Of
from gdfast.commands.printing import echo, print_frame


def _also_different(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """What two sweeps over one grid differ in beside the optimizers, by their attributes."""
    from gdfast.storing.contents import by_content

    told = [json.loads(attributes["specification"]) for attributes in (first, second)]
    if not all(isinstance(each, dict) for each in told):  # of several sweeps
        return []
    was, now = map(by_content, told)
    return [name for name in {**was, **now} if name != "optimizers" and was.get(name) != now.get(name)]


def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="what `gdfast sweep` wrote")],
    after: Annotated[
        Path, typer.Argument(metavar="AFTER", help="the same over the same grid, but for what is to be compared")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="a picture of the cells: PNG, SVG, PDF or HTML by suffix")
    ] = None,
    of: Of = "steps",
) -> None:
    """Count the cells that a change rescued and broke: two stored sweeps over one grid.

    The optimizers must be the same, but for schedules and transforms, or the first sweep must have one, with which all
    of the second are compared.
    """
    from gdfast import analysis, plot
    from gdfast.storing import store

    canvas = Canvas(out, {}, dark=False) if out else None
    if canvas:
        canvas.check()
    first, second = store.read(before), store.read(after)
    difference = analysis.delta(first, second, of=of)
    moves = analysis.transitions(first, second)
    counts = analysis.change_counts(difference).reset_index()
    for table in (counts, moves.rename_axis(index="before \\ after").reset_index()):
        print_frame(table)
        typer.echo()
    if others := _also_different(first.attrs, second.attrs):
        echo(f"the sweeps differ in {' and '.join(others)}, too")
    if canvas:
        canvas.write(functools.partial(plot.delta_maps, difference), f"{before} and {after}")
        echo(f"cells rescued and broken → {canvas.out}")
