"""Writing the report: tables, pictures, and one page that holds them all."""

import base64
import io
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import matplotlib.image
from matplotlib.figure import Figure

from gdfast.outcomes import MEANING, Outcome
from gdfast.plot.style import OUTCOME_COLOURS
from gdfast.report.chapters import Chapter, Section, chapters
from gdfast.result import machine


def build(out: Path, quick: bool = False, tell: Callable[[str], None] = lambda text: None) -> Path:
    """Run the standard experiments and write the report.

    Parameters
    ----------
    out : Path
        The folder to write; made if it is not there.
    quick : bool
        Coarser grids.
    tell : callable
        Called with a line of text after each chapter.

    Returns
    -------
    Path
        The page, ``index.html``; figures (PNG), maps at one pixel a cell (PNG) and tables (CSV) lie beside it.
    """
    out.mkdir(parents=True, exist_ok=True)
    shown: list[dict[str, Any]] = []
    for chapter in chapters(quick):
        shown.append(_write(chapter, out))
        tell(f"gdfast report: {chapter.title}")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("gdfast.report").joinpath("page.html.j2").read_text(encoding="utf-8"))
    outcomes = [
        {"name": o.name.replace("_", " "), "colour": OUTCOME_COLOURS[o], "meaning": MEANING[o]}
        for o in Outcome
        if o is not Outcome.not_run
    ]
    page = out / "index.html"
    page.write_text(
        template.render(chapters=shown, outcomes=outcomes, machine=machine(), quick=quick), encoding="utf-8"
    )
    return page


def _write(chapter: Chapter, out: Path) -> dict[str, Any]:
    for section in chapter.sections:
        if section.table is not None:
            section.table.to_csv(out / f"{section.name}.csv", index=False)
        for stem, image in section.images.items():
            matplotlib.image.imsave(out / f"{stem.replace(':', '-')}.png", image)
    return {
        "title": chapter.title,
        "text": chapter.text,
        "sections": [_shown(section, out) for section in chapter.sections],
    }


def _shown(section: Section, out: Path) -> dict[str, Any]:
    table = None
    if section.table is not None:
        table = {
            "columns": list(section.table.columns),
            "rows": section.table.astype(str).to_numpy().tolist(),
        }
    return {
        "name": section.name,
        "title": section.title,
        "text": section.text,
        "command": section.command,
        "table": table,
        "picture": _picture(section.figure, out / f"{section.name}.png") if section.figure else None,
    }


def _picture(figure: Figure, path: Path) -> str:
    """Write a figure as PNG and return it for the page, which is to need no other file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    path.write_bytes(buffer.getvalue())
    return base64.b64encode(buffer.getvalue()).decode("ascii")
