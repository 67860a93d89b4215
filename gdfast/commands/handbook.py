"""``gdfast handbook``: the handbook as pages, built from texts and code, without the network."""

from pathlib import Path
from typing import Annotated

import typer

from gdfast.commands.printing import echo


def handbook(
    context: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", help="the folder to write")] = Path("reports/handbook"),
    show: Annotated[bool, typer.Option("--open", help="open it in a browser")] = False,
) -> None:
    """Build the handbook: tutorial, how-to, explanation, reference and gallery, as pages that need no network."""
    from gdfast import handbook as book
    from gdfast import outputs

    outputs.check(out, accepted=("a folder",))
    page = book.build(out, context.find_root().command)
    echo(f"The handbook is at {page}")
    if show:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
