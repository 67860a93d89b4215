"""The pages of optimizers, problems, schedules, transforms and measures: one each, made from the catalogues."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gdfast import optimizers
from gdfast.catalogues import KINDS, catalogue, facts, families, first_line, parameters, text_of, told
from gdfast.handbook.markup import code, plain, prose, table
from gdfast.handbook.pictures import Folder

_INTRODUCTIONS = {
    "optimizers": "Each map has the learning rate to the right, from a hundredth to a hundred times the default, "
    "and the start upwards, from −4 to 4, on the tilted double well x⁴ − 5x² + 3x; 300 steps. The colours are those "
    "of [the outcomes](../../explanation/outcomes.md). What each rule was compared with stands on its page.",
    "problems": "Landscapes with their stationary points, regressions on data, and networks. Where a problem has more "
    "than two coordinates, the picture shows outcomes of gradient descent instead: the learning rate to the right, "
    "random starts upwards.",
    "schedules": "A schedule multiplies the learning rate: `adam|cosine`, or `optimizer.scheduled(...)` in Python.",
    "transforms": "A transform changes the gradient before the update, or the point after it: "
    "`adam|clip_norm=1|lookahead`, or `optimizer.transformed(...)` in Python. The pictures are maps of gradient "
    "descent with it on the tilted double well, the learning rate to the right, the start upwards.",
    "measures": "A measure sums up a trajectory's losses while it runs: `Sweep(..., measure=...)`.",
}
_CAPTIONS = {
    "optimizers": "Outcomes on the tilted double well: learning rate to the right, start upwards.",
    "transforms": "Gradient descent with it on the tilted double well: learning rate to the right, start upwards.",
    "schedules": "The factor of the learning rate in a run of 300 steps.",
    "problems": "",
}


_APART = "---\norphan: true\n---\n"
"""In no contents list, which would be shown beside every page: the cards of their kind lead to them."""


def counts() -> dict[str, int]:
    """How many things each catalogue holds, for the texts."""
    return {f"number_of_{kind}": len(catalogue(kind)) for kind in KINDS}


def write(folder: Path, drawn: Folder) -> None:
    """Write a page for each thing of each catalogue, and one of each kind that leads to them.

    Parameters
    ----------
    folder : Path
        The folder of the reference.
    drawn : Folder
        Where pictures are asked for.
    """
    for kind in KINDS:
        place = folder / kind
        place.mkdir(parents=True)
        cards: dict[str, list[str]] = {}
        for name, factory in catalogue(kind).items():
            picture = _picture(kind, name, factory, drawn)
            (place / f"{name}.md").write_text(_page(kind, name, factory, picture), encoding="utf-8")
            group = families()[name] if kind == "optimizers" else ""
            cards.setdefault(group, []).append(_card(name, factory, picture))
        (place / "index.md").write_text(_index(kind, cards), encoding="utf-8")


def _picture(kind: str, name: str, factory: Callable[..., Any], drawn: Folder) -> str:
    """The file of the picture of a thing; empty where there is nothing to show."""
    shows = kind in ("optimizers", "problems") or (
        hasattr(factory(), "multipliers") if kind == "schedules" else kind == "transforms" and not _of_networks(name)
    )
    return drawn.of_thing(kind, name) if shows else ""


def _of_networks(name: str) -> bool:
    """Whether a transform is of matrices, which networks have and landscapes have not."""
    return bool(catalogue("transforms")[name]().of_matrices)


def _card(name: str, factory: Callable[..., Any], picture: str) -> str:
    image = f":img-top: ../../_pictures/{picture}\n:img-alt: {name}\n" if picture else ""
    what = plain(first_line(factory))
    return f":::{{grid-item-card}} {plain(name)}\n:link: {name}\n:link-type: doc\n{image}\n{what}\n:::\n"


def _index(kind: str, cards: dict[str, list[str]]) -> str:
    """The page that leads to all things of a kind."""
    text = f"# {kind.capitalize()}\n\n{len(catalogue(kind))} of them. {_INTRODUCTIONS[kind]}\n\n"
    for group, inside in cards.items():
        heading = f"## {group.capitalize()}\n\n" if group else ""
        text += f"{heading}::::{{grid}} 1 2 3 3\n:gutter: 2\n\n{''.join(inside)}::::\n\n"
    return text


def _page(kind: str, name: str, factory: Callable[..., Any], picture: str) -> str:
    """The page of one thing."""
    thing = factory()
    parts = [_APART, f"# {plain(name)}", _headline(kind, name)]
    if picture:
        parts += [f"![{name}](../../_pictures/{picture})", f"*{_CAPTIONS[kind]}*" if _CAPTIONS[kind] else ""]
    parts += ["## What it is", prose(told(factory))]
    if rows := [[f"`{n}`", f"`{default}`", plain(limits)] for n, default, limits in parameters(factory)]:
        parts += ["## Parameters", table(["parameter", "default", "accepted"], rows)]
    if rows := [[fact, plain(value)] for fact, value in facts(thing)]:
        parts += ["## Facts", table(["", ""], rows)]
    if text := text_of(thing):
        parts += ["## Its formula as it is run", code(text, "python")]
    parts += ["## Use", code(example(kind, name), "python"), _line(kind, name)]
    if kind == "optimizers":
        parts += _parity(name)
    place = f"gdfast.{kind}.{name}"
    parts += ["## In the API", f"```{{eval-rst}}\n.. autofunction:: {place}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(kind: str, name: str) -> str:
    family = f"Family: {families()[name]}. " if kind == "optimizers" else ""
    return f"{family}[All {kind}](index.md)"


def example(kind: str, name: str) -> str:
    """A few lines of Python that use a thing of a catalogue."""
    ground = "mlp" if kind == "transforms" and _of_networks(name) else "quartic"
    sweeps = {
        "optimizers": f'result = gdfast.sweep("quartic", "{name}", "default:0.01:100:9", [-1.5, 1.5], max_steps=50)',
        "problems": f"problem = gdfast.problems.{name}()\n"
        'result = gdfast.sweep(problem, "gd", [0.001, 0.01], problem.random(2, 0), max_steps=20)',
        "schedules": f'result = gdfast.sweep("quartic", "gd|{name}", [0.01, 0.1], [-1.5, 1.5], max_steps=50)',
        "transforms": f'result = gdfast.sweep("{ground}", "gd|{name}", [0.01, 0.1], max_steps=50)',
        "measures": f'result = gdfast.sweep("quartic", "gd", [0.01, 0.1], [-1.5, 1.5], max_steps=50, measure="{name}")',
    }
    return f"import gdfast\n\n{sweeps[kind]}\nprint(gdfast.tidy(result))"


def _line(kind: str, name: str) -> str:
    """The same on the command line."""
    ground = "mlp" if kind == "transforms" and _of_networks(name) else "quartic"
    options = {
        "optimizers": f"--problem quartic --optimizer {name}",
        "problems": f"--problem {name} --optimizer gd",
        "schedules": f"--problem quartic --optimizer gd --schedule {name}",
        "transforms": f"--problem {ground} --optimizer gd --transform {name}",
    }
    return code(f"gdfast sweep {options[kind]} --out runs/{name}.zarr", "sh") if kind in options else ""


def _parity(name: str) -> Iterable[str]:
    """What a rule was compared with, and what other libraries have of it."""
    rows = [row for row in optimizers.parity() if row["optimizer"].split(":")[0] == name]
    yield "## Parity"
    if rows:
        yield "Whole trajectories of 300 steps, compared with other libraries:"
        yield table(list(rows[0]), [[plain(value) for value in row.values()] for row in rows])
    else:
        yield "No other library has it; it was compared with a plain loop that was written from the paper."
    known = [row for row in optimizers.libraries() if name in row["gdfast's"].replace(":", " ").split()]
    if known:
        yield table(list(known[0]), [[plain(value) for value in row.values()] for row in known])
