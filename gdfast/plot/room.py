"""Room for what figures say: titles and labels are broken into lines, legends into columns, and figures grow.

Nothing leaves the figure, and a legend covers neither lines nor the numbers along the axes: where there is no such
place within the axes, it stands below them.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from gdfast.plot.ticks import plain_powers

_MOST_LINES = 4  # of a paragraph; what is longer ends in an ellipsis
_MARGIN = 0.1  # inches
_SMALL = 4.0  # inches of a figure's width, below which labels take much of it
_SHORT, _SMALLEST_SIZE = 1.5, 7  # inches for a text, below which it is as small as this, in points
_PANELS_SPARE = 0.5  # inches that figures of panels have for their legend
_LEGEND_SHARE = 0.8  # of the width or height of axes, which a legend in them may have
_ASKED_SHARE = 1 / 3  # of the height of a figure whose size was asked for, which its legend may have
_PIECES = re.compile(r"\s+|(?:\\\$|[^\s,|;:])+[,|;:]*|[,|;:]+")  # an escaped dollar is one letter
_LETTERS = re.compile(r"\\\$|.")


def broken(text: str, font: FontProperties, width: float) -> str:
    """A text, each of its lines broken into some that are no wider than so many points, with an ellipsis at the end."""
    return "\n".join(row for line in text.split("\n") for row in _rows(line, font, width))


def _rows(line: str, font: FontProperties, width: float) -> list[str]:
    rows = [""]
    for piece in _PIECES.findall(line):
        for part in [piece] if _width(piece, font) <= width else _LETTERS.findall(piece):
            if rows[-1] and _width((rows[-1] + part).rstrip(), font) > width:
                rows.append("")
            rows[-1] += part if rows[-1] else part.lstrip()
            if len(rows) > _MOST_LINES:
                return [*rows[: _MOST_LINES - 1], _shortened(rows[_MOST_LINES - 1], font, width)]
    return [row.rstrip() for row in rows]


def _shortened(row: str, font: FontProperties, width: float) -> str:
    letters = _LETTERS.findall(row.rstrip())
    while letters and _width("".join(letters) + "…", font) > width:
        letters.pop()
    return "".join(letters).rstrip() + "…"


def _width(text: str, font: FontProperties) -> float:
    """In points, but for what some pairs of letters stand closer."""
    return sum(_width_of_letter(letter, font) for letter in _LETTERS.findall(text))


@functools.lru_cache(maxsize=4096)
def _width_of_letter(letter: str, font: FontProperties) -> float:
    return float(text_to_path.get_text_width_height_descent(letter[-1], font, ismath=False)[0])


def _break(text: Text, inches: float) -> int:
    """Break a text that is drawn; return by how many lines it is longer."""
    words = text.get_text()
    if inches < _SHORT:
        text.set_fontsize(min(text.get_fontproperties().get_size_in_points(), _SMALLEST_SIZE))
    text.set_text(broken(words, text.get_fontproperties(), max(inches, 0.5) * 72))
    return text.get_text().count("\n") - words.count("\n")


def legend_below(figure: Figure, handles: Sequence[Artist], ncols: int = 6, **options: Any) -> Legend:
    """Put a legend under a figure's panels, of at most so many columns, and of no more than there is room for."""
    options = {"loc": "outside lower center", "frameon": False, **options}
    columns, room = max(1, min(ncols, len(handles))), figure.get_figwidth() - 2 * _MARGIN
    while True:
        legend = figure.legend(handles=list(handles), ncols=columns, **options)
        width = legend.get_window_extent().width / figure.dpi
        if width <= room or columns == 1:
            break
        legend.remove()
        columns = max(1, min(columns - 1, int(columns * room / width)))
    if width > room:
        beside = width - max(_width(text.get_text(), text.get_fontproperties()) for text in legend.get_texts()) / 72
        for text in legend.get_texts():
            _break(text, room - beside)
    return legend


def settle(figure: Figure, asked: bool) -> None:
    """Break titles and labels that are too long, move a legend that covers lines, let the figure grow for them.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Whose axes are all there.
    asked : bool
        Whether its size was asked for: it then grows only by what would take more than a third of it.
    """
    plain_powers(figure)
    spare = _PANELS_SPARE
    if any(ax.get_legend() for ax in figure.axes):
        _lay_out(figure)
    for ax in figure.axes:
        legend = ax.get_legend()
        if legend is not None and _covers(ax, legend):
            handles = ax.get_legend_handles_labels()[0]
            legend.remove()
            legend_below(figure, handles, fontsize=8)
            spare = 0.0
    height = figure.get_figheight()
    spare = height * _ASKED_SHARE if asked else spare
    legends = sum(legend.get_window_extent().height / figure.dpi + _MARGIN for legend in figure.legends)
    figure.set_figheight(height + max(0.0, legends - spare))
    spare = max(0.0, spare - legends) if asked else 0.0
    higher = _break_texts(figure, legends) - spare
    figure.set_figheight(figure.get_figheight() + max(0.0, higher))


def _covers(ax: Axes, legend: Legend) -> bool:
    """Whether a legend covers lines, or most of its axes."""
    ax.get_xlim(), ax.get_ylim()  # what is drawn decides on them when they are asked for
    box, inside = legend.get_window_extent(), ax.get_window_extent()
    if box.width > _LEGEND_SHARE * inside.width or box.height > _LEGEND_SHARE * inside.height:
        return True
    for line in ax.lines:
        corners = np.column_stack(STEP_LOOKUP_MAP[line.get_drawstyle()](*np.asarray(line.get_xydata()).T))
        if len(corners) and line.get_transform().transform_path(Path(corners)).intersects_bbox(box, filled=False):
            return True
    return False


def _break_texts(figure: Figure, legends: float) -> float:
    """Break titles and labels that are too long for where they stand, above legends of so many inches.

    Returns how much higher titles are, in inches.
    """
    if figure.get_figwidth() >= _SMALL and all(
        _width(line, text.get_fontproperties()) / 72 <= room
        for text, room in _texts(figure, legends)
        for line in text.get_text().split("\n")
    ):
        return 0.0
    _lay_out(figure)
    higher = 0.0
    titles = {id(ax.title): ax for ax in figure.axes}
    rows: dict[float, float] = {}
    for text, room in _texts(figure, 0.0):
        more = _break(text, room) * text.get_fontproperties().get_size_in_points() * 1.2 / 72
        if id(text) in titles:
            row = round(titles[id(text)].get_position().y1, 3)
            rows[row] = max(rows.get(row, 0.0), more)
        elif text.get_rotation() == 0:
            higher += more
    return higher + sum(rows.values())


def _lay_out(figure: Figure) -> None:
    """Lay a figure out, each title and label as one short line, and without legends in axes."""
    texts = [(text, text.get_text()) for text, _ in _texts(figure, 0.0)]
    legends = [legend for ax in figure.axes if (legend := ax.get_legend())]
    for text, _ in texts:
        text.set_text("x")
    for legend in legends:
        legend.set_in_layout(False)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    for text, words in texts:
        text.set_text(words)
    for legend in legends:
        legend.set_in_layout(True)


def _texts(figure: Figure, legends: float) -> list[tuple[Text, float]]:
    """Titles and labels, each with the inches that there are for it, less those of legends that are not laid out."""
    width, height = figure.get_size_inches()
    above = figure._suptitle  # type: ignore[attr-defined]
    found = [(above, width - 2 * _MARGIN)] if above is not None else []
    for ax in figure.axes:
        place = ax.get_position()
        across, up = width * place.width, (height - legends) * place.height
        found += [(ax.title, across), (ax.xaxis.label, across), (ax.yaxis.label, up)]
    return [(text, room) for text, room in found if text.get_text() and text.get_visible()]
