"""Ten lessons: each one claim, a question, a view that is live, and what to notice; ``lessons.toml`` has them."""

import functools
import tomllib
from pathlib import Path
from typing import Any

from gdfast import outputs
from gdfast.live.page import Around, Live, environment, made
from gdfast.live.texts import text


@functools.cache
def lessons() -> tuple[dict[str, Any], ...]:
    """What the lessons are made of, in their order."""
    return tuple(tomllib.loads(text("lessons.toml"))["lesson"])


def lesson(number: int) -> Live:
    """The page of a lesson, from 1 on."""
    every = lessons()
    told = every[number - 1]
    pages = [{"href": "index.html", "text": "All lessons"}]
    for step, word in ((-1, "Before"), (1, "Next")):
        if 1 <= number + step <= len(every):
            other = every[number + step - 1]
            pages.append({"href": f"{other['name']}.html", "text": f"{word}: {other['title']}"})
    words = {name: told[name] for name in ("claim", "question", "notice")}
    return made(
        _problem(told),
        told["optimizers"],
        **told["settings"],
        title=told["title"],
        around=Around(lesson={**words, "number": number, "count": len(every)}, pages=pages, view=told.get("view")),
    )


def write(folder: Path) -> int:
    """Write all lessons and a page of links into a folder; return how many there are.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, told in enumerate(lessons(), start=1):
        lesson(number).save(folder / f"{told['name']}.html")
    html = environment().get_template("gallery.html.j2").render(lessons=lessons())
    with outputs.beside(folder / "index.html") as part:
        part.write_text(html, encoding="utf-8")
    return len(lessons())


def _problem(told: dict[str, Any]) -> Any:
    from gdfast.problems.expression import from_expression

    return from_expression(told["loss"], told.get("domain")) if "loss" in told else told["problem"]
