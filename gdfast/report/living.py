"""Live pages beside a report: the landscape and the rules of a section with its settings, to be moved."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gdfast.live.page import MOST_OPTIMIZERS, Around, made
from gdfast.live.pairs import formulas_of
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem

FOLDER = "live"


class LiveView(NamedTuple):
    """What a section's live page runs.

    Attributes
    ----------
    problem : Problem
        The landscape.
    optimizers : tuple of Optimizer
        The rules.
    view : mapping
        What its map shows at first, see `gdfast.live.page.Around`.
    settings : mapping
        Further arguments of `gdfast.live`.
    """

    problem: Problem
    optimizers: tuple[Optimizer, ...]
    view: Mapping[str, Any]
    settings: Mapping[str, Any]


def live_view(
    problem: Problem, optimizers: Sequence[Optimizer], view: Mapping[str, Any] | None = None, **settings: Any
) -> LiveView | None:
    """Return what a live page would run; None where none can: of other problems, or of rules of whole vectors alone."""
    rules = tuple(optimizer for optimizer in optimizers if not optimizer.steps)[:MOST_OPTIMIZERS]
    try:
        formulas_of(problem)
    except ValueError:
        return None
    return LiveView(problem, rules, view or {}, settings) if rules else None


def write_live(view: LiveView, title: str, stem: str, out: Path) -> str:
    """Write a section's live page, ``live/STEM.html``, into a report's folder, and return this path."""
    back = {"href": f"../index.html#{stem}", "text": "Back to the report"}
    page = made(
        view.problem, view.optimizers, **view.settings, title=title, around=Around(pages=[back], view=view.view)
    )
    place = out / FOLDER / f"{stem}.html"
    place.parent.mkdir(exist_ok=True)
    place.write_text(page.html, encoding="utf-8")
    return f"{FOLDER}/{stem}.html"
