"""The options that say where a figure goes and how it looks, for all commands that draw one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.arguments import shown

PICTURES = (".png", ".svg", ".pdf", ".html")


@dataclass(frozen=True)
class Canvas:
    """What the line says of its figure."""

    out: Path
    look: dict[str, Any]
    dark: bool

    def check(self) -> None:
        """Refuse a picture that could not be written.

        Raises
        ------
        ValueError
            If its suffix is of no kind that is written, or the place cannot be.
        """
        from gdfast import arguments, outputs

        arguments.choice("out: suffix", self.out.suffix, PICTURES)
        outputs.check(self.out)

    def drawn(self, draw: Callable[..., Any]) -> Any:
        """Draw a figure in the looks that are wanted.

        Raises
        ------
        TypeError, ValueError
            If it cannot be drawn.
        """
        import matplotlib.style

        from gdfast.plot.look import apart

        with apart(), matplotlib.style.context("dark_background" if self.dark else "default"):
            return draw(**self.look)

    def write(self, draw: Callable[..., Any], source: str) -> None:
        """Draw a figure in the looks that are wanted, and write it, whole or not at all; a page tells its `source`.

        Raises
        ------
        TypeError, ValueError
            If it cannot be drawn.
        OSError
            If it cannot be written.
        """
        import matplotlib.style
        from matplotlib.figure import Figure

        from gdfast import outputs

        made = self.drawn(draw)
        figure = made if isinstance(made, Figure) else made.figure
        # What is laid out when it is saved takes its colours from the style, too.
        style = matplotlib.style.context("dark_background" if self.dark else "default")
        with style, outputs.beside(self.out) as part:
            if self.out.suffix == ".html":
                from gdfast.report import single

                single.write(part, figure, self.look.get("title") or self.out.stem, _facts(source))
            else:
                figure.savefig(part)


def _facts(source: str) -> dict[str, str]:
    """What a page tells of where it is from."""
    import shlex
    import sys

    from gdfast.storing.result import machine

    facts = {"source": source, "command": shlex.join(["gdfast", *sys.argv[1:]]), **machine()}
    return {name: str(value) for name, value in facts.items()}


def canvas(
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="the picture: PNG, SVG, PDF or, to be read out and zoomed, HTML, by suffix"),
    ],
    title: Annotated[str | None, typer.Option(help="above the picture")] = None,
    size: Annotated[str | None, typer.Option(help="width and height in inches, such as 8x5")] = None,
    palette: Annotated[
        str | None,
        typer.Option(help="a colormap of matplotlib, colours, or name=colour,… of outcomes, changes or optimizers"),
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="on black")] = False,
    legend: Annotated[bool, typer.Option("--legend/--no-legend", help="whether there is a legend")] = True,
) -> Canvas:
    """Read the options that say where a figure goes and how it looks."""
    look = {"title": title, "size": _size(size), "palette": _palette(palette), "legend": legend}
    return Canvas(out, {name: value for name, value in look.items() if value is not None}, dark)


def _size(text: str | None) -> tuple[float, ...] | None:
    """Read a size; the two are checked where all figures check theirs."""
    if text is None:
        return None
    try:
        width, height = (float(side) for side in text.lower().replace("x", ",").split(","))
    except ValueError:
        raise ValueError(f"size must be width and height in inches, such as 8x5, not {shown(text)}") from None
    return width, height


def _palette(text: str | None) -> Any:
    """Read a palette: a name, colours, or colours by name, of which what stands behind the last = is the colour."""
    if text is None or ("=" not in text and "," not in text):
        return text
    parts = [part.strip() for part in text.split(",")]
    if "=" not in text:
        return parts
    if not all("=" in part for part in parts):
        raise ValueError(f"palette must be name=colour,…, each with =, not {shown(text)}")
    return {name.strip(): colour.strip() for name, _, colour in (part.rpartition("=") for part in parts)}
