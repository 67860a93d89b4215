"""What all figures take: a title, a size, colours, a legend; and what pyplot knows of them.

Figures are pyplot's, so that ``plt.show()``, ``plt.savefig()`` and notebooks find them, and follow matplotlib's style:
``plt.style.use("dark_background")`` makes them dark. A notebook shows each once. pyplot keeps a figure until it is
closed; of those made here it gives up the older ones that have been saved, or that no backend can show, so that a
script may make thousands. `apart` makes figures that pyplot does not know.
"""

import contextlib
import difflib
import functools
import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, ParamSpec, TypedDict, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, is_color_like
from matplotlib.figure import Figure

from gdfast import arguments
from gdfast.arguments import harmless
from gdfast.plot.film import Film
from gdfast.plot.room import settle

P = ParamSpec("P")
Drawn = TypeVar("Drawn", Axes, Figure, Film)
Palette = str | Sequence[str] | Mapping[str, str]

_MOST_KEPT = 8
_DPI = 120
_UNSHOWN = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
_LARGEST_SIDE = 100.0  # inches


class Look(TypedDict, total=False):
    """The arguments that all figures share, by name.

    Attributes
    ----------
    title : str
        Above the axes, or above all panels.
    size : (float, float)
        Width and height of the figure in inches, where it is a new one; it is higher where a legend or a title needs
        much of it.
    palette : str, sequence of str, or mapping
        The name of a colormap of matplotlib, or colours: for lines in their order, and for images of numbers. A mapping
        gives the colours of outcomes, changes or lines by their names; all others stay.
    legend : bool
        Whether there is one, or a scale of colours.

    Examples
    --------
    >>> Look(title="Quartic", size=(6, 4))
    {'title': 'Quartic', 'size': (6, 4)}
    """

    title: str | None
    size: tuple[float, float] | None
    palette: Palette | None
    legend: bool


class _Wanted(NamedTuple):
    title: str | None = None
    size: tuple[float, float] | None = None
    palette: Palette | None = None
    legend: bool = True


_offered: ContextVar[set[str]] = ContextVar("names whose colours the figure that is drawn has asked for")
_USUAL = _Wanted()
_wanted: ContextVar[_Wanted] = ContextVar("how the figure that is drawn is to look", default=_USUAL)
_apart: ContextVar[bool] = ContextVar("whether figures are unknown to pyplot", default=False)


def styled(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Decorate what draws a figure, and has ``**look``, with the arguments of `Look`."""
    signature = inspect.signature(draw)
    own: list[inspect.Parameter] = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    shared: list[inspect.Parameter] = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Look.__annotations__[name])
        for name, default in _Wanted._field_defaults.items()
    ]

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        for name in kwargs:
            arguments.choice(f"{draw.__name__}: argument", name, [*(p.name for p in own), *_Wanted._fields])
        wanted = _checked({name: kwargs.pop(name) for name in _Wanted._fields if name in kwargs})
        alone = signature.bind_partial(*args, **kwargs).arguments.get("ax") is None
        if wanted.size is not None and not alone:
            raise ValueError("size must not be given beside ax, whose figure has one")
        token, names = _wanted.set(wanted), _offered.set(set())
        try:
            made = draw(*args, **kwargs)
            if isinstance(wanted.palette, Mapping):
                for name in wanted.palette:
                    arguments.choice("palette", name, sorted(_offered.get()))
        finally:
            _wanted.reset(token)
            _offered.reset(names)
        if wanted.title is not None:
            _title(made, wanted.title)
        if alone:
            settle(made.figure, wanted.size is not None)  # type: ignore[arg-type]
        return made

    drawn.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return drawn


def _checked(given: dict[str, Any]) -> _Wanted:
    wanted = _Wanted(**given)
    if wanted.title is not None:
        arguments.text("title", wanted.title)
    if wanted.size is not None:
        accepted = "size must be (width, height) in inches"
        sides = arguments.finite("size", wanted.size, "(2,)")
        if sides.shape != (2,) or not (sides > 0).all() or (sides > _LARGEST_SIDE).any():
            raise ValueError(
                f"{accepted}, each above 0 and at most {_LARGEST_SIDE:g}, not {arguments.shown(wanted.size)}"
            )
        wanted = wanted._replace(size=(float(sides[0]), float(sides[1])))
    if wanted.palette is not None:
        wanted = wanted._replace(palette=_palette(wanted.palette))
    return wanted._replace(legend=arguments.flag("legend", wanted.legend))


def _palette(palette: Any) -> Palette:
    if isinstance(palette, str):
        if palette not in matplotlib.colormaps:
            near = difflib.get_close_matches(palette[:40], [*matplotlib.colormaps], n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "it must be one of matplotlib's, such as viridis"
            raise ValueError(f"palette {arguments.shown(palette)} is not the name of a colormap; {hint}")
        return palette
    accepted = "the name of a colormap, or colours that matplotlib knows, in order or by name"
    if isinstance(palette, Mapping):
        colours: Any = arguments.mapping("palette", palette, accepted)
        each = [*colours.values()]
    else:
        colours = each = arguments.several("palette", palette, accepted)
    for colour in each:
        if not (isinstance(colour, str | tuple) and is_color_like(colour)):
            raise ValueError(f"palette must be {accepted}, but {arguments.shown(colour)} is none")
    return colours  # type: ignore[no-any-return]


def _title(made: Axes | Figure | Film, title: str) -> None:
    text = literal(title)
    if isinstance(made, Axes):
        made.set_title(text)
        return
    figure = made.figure if isinstance(made, Film) else made
    note = figure.get_suptitle()  # what a pixel is
    figure.suptitle(f"{text}\n{note}" if note else text, fontsize=11)


def legend_wanted() -> bool:
    """Whether the figure that is drawn is to have a legend."""
    return _wanted.get().legend


def named_colour(name: str, usual: Any) -> Any:
    """The colour of an outcome, a change or a line, which the caller may have given by name."""
    palette = _wanted.get().palette
    if not isinstance(palette, Mapping):
        return usual
    _offered.get().add(name)
    return palette.get(name, usual)


def line_colours(usual: Sequence[Any]) -> Sequence[Any]:
    """The colours of lines, in their order."""
    palette = _wanted.get().palette
    if isinstance(palette, str):
        colormap = matplotlib.colormaps[palette]
        if isinstance(colormap, ListedColormap) and colormap.N <= 20:
            return list(map(tuple, colormap(np.arange(colormap.N))))
        return list(map(tuple, colormap(np.linspace(0.05, 0.9, 8))))
    return palette if isinstance(palette, Sequence) else usual


def colormap(usual: str) -> Colormap:
    """The colours of numbers."""
    palette = _wanted.get().palette
    if isinstance(palette, Sequence) and not isinstance(palette, str):
        return LinearSegmentedColormap.from_list("given", [*palette] * (2 if len(palette) == 1 else 1))
    return matplotlib.colormaps[palette if isinstance(palette, str) else usual]


def literal(text: object) -> str:
    """A text of a user's, such as the name of a column, so that it is drawn as it is and not read as a formula."""
    return harmless(str(text)).replace("$", r"\$")


class Drawing(Figure):
    """A figure that a notebook shows once, and that pyplot may give up when it is saved."""

    is_saved = False

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Save the figure, as matplotlib does."""
        super().savefig(*args, **kwargs)
        self.is_saved = True

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Let pyplot give up what is shown as a cell's value: it would show it once more at the cell's end."""
        if "inline" in matplotlib.get_backend():
            import matplotlib.pyplot as plt

            plt.close(self)
        return {}


_made: "list[weakref.ref[Drawing]]" = []


def new_figure(width: float, height: float) -> Figure:
    """A new figure of pyplot's, of this size in inches unless the caller wants another."""
    size = _wanted.get().size or (width, height)
    if _apart.get():
        return Figure(figsize=size, dpi=_DPI, layout="constrained")
    import matplotlib.pyplot as plt

    made = plt.figure(FigureClass=Drawing, figsize=size, dpi=_DPI, layout="constrained")
    _give_up(plt)
    _made.append(weakref.ref(made))  # type: ignore[arg-type]
    return made


def _give_up(plt: Any) -> None:
    """Close the older of the figures that nobody waits to see, but for a few."""
    alive = [made for ref in _made if (made := ref()) is not None and plt.fignum_exists(made.number)]
    unshown = matplotlib.get_backend().lower() in _UNSHOWN
    done = [made for made in alive if unshown or made.is_saved]
    for made in done[: max(0, len(done) - _MOST_KEPT + 1)]:
        plt.close(made)
        alive.remove(made)
    _made[:] = map(weakref.ref, alive)


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Make figures that pyplot does not know, and for which no window is prepared: of what is only written to files."""
    token = _apart.set(True)
    try:
        yield
    finally:
        _apart.reset(token)


def new_axes(ax: Axes | None, width: float = 5.2, height: float = 3.6) -> Axes:
    """The given axes, or those of a new figure.

    Raises
    ------
    TypeError
        If `ax` is neither None nor axes of matplotlib.
    """
    if ax is not None:
        return arguments.instance("ax", ax, Axes, "axes of matplotlib")
    return new_figure(width, height).subplots()
