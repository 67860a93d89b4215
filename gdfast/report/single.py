"""One figure as a page of its own, which can be read out and zoomed as those of the report, and asks for no network."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import jinja2
from matplotlib.figure import Figure

from gdfast.plot.style import OUTCOME_COLOURS
from gdfast.report.writing import picture_of
from gdfast.tiles.outcomes import MEANING, Outcome

_DPI, _LONGEST = 200.0, 4000.0  # pixels an inch, and a side
_PARTS = ("page.html.j2", "figure.html.j2", "parts.html.j2", "page.css", "page.js")


def environment() -> jinja2.Environment:
    """The templates of pages; ``style`` and ``script`` are what all of them have."""
    texts = {name: files("gdfast.report").joinpath(name).read_text(encoding="utf-8") for name in _PARTS}
    made = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.DictLoader(texts),
        keep_trailing_newline=True,
    )
    made.globals.update(style=texts["page.css"], script=texts["page.js"])
    return made


def meanings() -> list[dict[str, str]]:
    """What outcomes mean, with their colours."""
    return [
        {"name": o.name.replace("_", " "), "colour": OUTCOME_COLOURS[o], "meaning": MEANING[o]}
        for o in Outcome
        if o is not Outcome.not_run
    ]


def write(path: Path, figure: Figure, title: str, facts: Mapping[str, str]) -> None:
    """Write a figure as a page.

    Parameters
    ----------
    path : Path
        The file.
    figure : matplotlib.figure.Figure
        What is drawn; what its maps and curves show is told under the pointer.
    title : str
        Above it.
    facts : mapping
        What is told below, by name: where it is from, and what made it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    picture = picture_of(figure, dpi=min(_DPI, _LONGEST / max(figure.get_size_inches())))
    is_map = any('"names"' in spot["json"] for spot in picture.spots)
    html = (
        environment()
        .get_template("figure.html.j2")
        .render(picture=picture, title=title, facts=facts, outcomes=meanings() if is_map else [])
    )
    path.write_text(html, encoding="utf-8")
