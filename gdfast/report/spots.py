"""What the axes of a figure show, as the page's script reads it: maps by their cells, curves by their points."""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gdfast.formulas.elementary import Array
from gdfast.plot.panels import Axis, borders, regular
from gdfast.plot.shown import Shown, shown_on

_LONGEST_STEPS = 2**16 - 1  # what two bytes hold
_MOST_LINES, _MOST_POINTS = 64, 2000  # that are told of axes, and of a line
_PLACES = 1000  # along an axis of curves


def spots_of(figure: Figure, cells: Sequence[Shown] | None = None, first_axes: int = 0) -> Iterator[dict[str, Any]]:
    """The parts of a figure that can be read out, each where it is, in per cent of the picture.

    Those that the axes know, see `gdfast.plot.shown`; or the maps that are given, of axes number `first_axes` and
    following.
    """
    if cells is None:
        told = [(ax, _plain(ax)) for ax in figure.axes]
    else:
        told = [(ax, plain_cells(each)) for ax, each in zip(figure.axes[first_axes:], cells, strict=False)]
    for ax, plain in told:
        if plain is None:
            continue
        box = ax.get_position()
        yield {
            "left": round(100 * box.x0, 3),
            "top": round(100 * (1 - box.y1), 3),
            "width": round(100 * box.width, 3),
            "height": round(100 * box.height, 3),
            "title": plain["title"],
            "json": json.dumps(plain, ensure_ascii=False).replace("</", "<\\/"),
        }


def _plain(ax: Axes) -> dict[str, Any] | None:
    shown = shown_on(ax)
    return plain_lines(ax) if shown is None else plain_cells(shown)


def plain_cells(shown: Shown) -> dict[str, Any]:
    """A map: axes, names, colours, and codes with steps, and numbers if it shows them, deflated."""
    panel, scale = shown.panel, shown.scale
    codes = panel.outcome.T.astype(np.uint8).tobytes()  # rows of y, x fastest
    steps = np.minimum(panel.steps.T, _LONGEST_STEPS).astype("<u2").tobytes()
    with np.errstate(over="ignore"):  # what is beyond four bytes is told by its outcome
        numbers = panel.number.T.astype("<f4").tobytes() if scale else b""
    return {
        "title": panel.title,
        "x": _plain_axis(panel.x, shown.edges[0]),
        "y": _plain_axis(panel.y, shown.edges[1]),
        "names": list(shown.names),
        "colours": list(shown.colours),
        "trajectories": panel.trajectories,
        "steps": bool(panel.steps.any()),
        "scale": scale and scale._asdict(),
        "cells": base64.b64encode(zlib.compress(codes + steps + numbers, 9)).decode("ascii"),
    }


def _plain_axis(axis: Axis, edges: Array | None = None) -> dict[str, Any]:
    places: Array = axis.place(axis.values)
    even = edges is None and (len(places) < 2 or regular(places))
    # The place of a value on the axis is its logarithm where the axis is logarithmic.
    kept = [places[0], places[-1], len(places)] if even else [float(f"{p:.7g}") for p in places]
    plain = {"label": axis.label, "log": axis.logarithmic, "even": even, "places": kept}
    if not even:
        ends = borders(places) if edges is None else edges
        plain["edges"] = [round(float(end), 5) for end in (ends - ends[0]) / (ends[-1] - ends[0])]
    return plain


def plain_lines(ax: Axes) -> dict[str, Any] | None:
    """The labelled lines of axes: their points in thousandths of the axes, and their values; None if there are none."""
    lines = [line for line in ax.lines if not str(line.get_label()).startswith("_")][:_MOST_LINES]
    to_axes = ax.transData + ax.transAxes.inverted()
    told = []
    for line in lines:
        points = np.column_stack([np.asarray(part, dtype=np.float64) for part in line.get_data(orig=False)])
        points = points[np.isfinite(points).all(axis=1)]
        points = points[np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int))]
        if not len(points):
            continue
        with np.errstate(all="ignore"):
            places = to_axes.transform(points) * _PLACES - 0.5
        is_drawn = np.isfinite(places).all(axis=1)
        told.append(
            {
                "label": str(line.get_label()).replace(r"\$", "$"),
                "colour": to_hex(line.get_color()),
                "places": np.round(places[is_drawn], 1).tolist(),
                "values": [[float(f"{x:.6g}"), float(f"{y:.6g}")] for x, y in points[is_drawn]],
            }
        )
    if not told:
        return None
    title = ax.get_title() or ax.get_ylabel()
    axes = {name: _lines_axis(axis, end) for name, axis, end in (("x", ax.xaxis, (1, 0)), ("y", ax.yaxis, (0, 1)))}
    return {"title": title.replace(r"\$", "$"), **axes, "lines": told}


def _lines_axis(axis: DrawnAxis, end: tuple[int, int]) -> dict[str, Any]:
    """An axis of curves in thousandths: evenly spaced, by the logarithm if need be, or place by place."""
    ax, side = axis.axes, end.index(1)
    assert ax is not None
    along = np.zeros((_PLACES, 2))
    along[:, side] = (np.arange(_PLACES) + 0.5) / _PLACES
    values = (ax.transAxes + ax.transData.inverted()).transform(along)[:, side]
    label, scale = axis.get_label_text().replace(r"\$", "$"), axis.get_scale()
    if scale in ("linear", "log"):
        ends = np.log10(values[[0, -1]]) if scale == "log" else values[[0, -1]]
        return {"label": label, "log": scale == "log", "even": True, "places": [*ends.tolist(), _PLACES]}
    return {"label": label, "log": False, "even": False, "places": [float(f"{value:.5g}") for value in values]}
