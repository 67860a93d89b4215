"""What a report leaves on disk: data first, then figures."""

import base64
import io
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray
from matplotlib import rc_context
from matplotlib.figure import Figure

from gdfast import extras
from gdfast.formulas.elementary import Array
from gdfast.plot.look import apart
from gdfast.plot.panels import Axis, regular
from gdfast.report.section import Cells, Section

_PNG_DPI = 110
_LONGEST_STEPS = 2**16 - 1  # what two bytes hold


def write_data(section: Section, stem: str, out: Path, written: set[int]) -> None:
    """Write a section's table and results: ``STEM.csv``, ``STEM.parquet`` and ``data/STEM-NAME.nc``.

    What an extra that is not installed would write is left out; `left_out` says so.
    A result that several sections share is written once, under the name of the first; `written` holds their ids.
    """
    if section.table is not None:
        section.table.to_csv(out / f"{stem}.csv", index=False)
        if not extras.missing("parquet"):
            section.table.to_parquet(out / f"{stem}.parquet", index=False)
    if extras.missing("netcdf"):
        return
    for name, result in section.results.items():
        if id(result) in written:
            continue
        written.add(id(result))
        path = out / "data" / f"{stem}-{_plain(name)}.nc"
        path.parent.mkdir(exist_ok=True)
        compress = {str(n): {"zlib": True, "complevel": 1} for n in result.data_vars}
        # In memory first: HDF5 may end the process where its file cannot grow.
        path.write_bytes(_portable(result).to_netcdf(engine="h5netcdf", encoding=compress))


def left_out() -> list[str]:
    """A sentence for each kind of file that a report is written without, since an extra is not installed."""
    kinds = {"tables as Parquet": "parquet", "results as netCDF": "netcdf"}
    return [f"without {kind}: {words}" for kind, extra in kinds.items() if (words := extras.missing(extra))]


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._" else "-" for c in name)


def _portable(result: xarray.Dataset) -> xarray.Dataset:
    """A result whose texts netCDF can hold."""
    texts = {n: c.astype(str) for n, c in result.coords.items() if c.dtype == object}
    return result.assign_coords(texts)


@dataclass
class Picture:
    """A figure on the page.

    Attributes
    ----------
    png : str
        Base64.
    width, height : int
        In pixels.
    spots : list of dict
        Its maps: ``left, top, width, height`` in per cent of the picture, ``title``, and the cells as ``json``.
    """

    png: str
    width: int
    height: int
    spots: list[dict[str, Any]] = field(default_factory=list)


def write_figure(section: Section, stem: str, out: Path) -> Picture | None:
    """Draw a section's figure and write ``STEM.png`` and ``STEM.svg``; return it for the page."""
    if section.draw is None:
        return None
    with apart():
        figure = section.draw()
    engine = figure.get_layout_engine()
    if engine is not None:  # laid out once, for both formats
        engine.execute(figure)
        figure.set_layout_engine("none")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_PNG_DPI)
    (out / f"{stem}.png").write_bytes(buffer.getvalue())
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": stem}):  # text stays text
        figure.savefig(out / f"{stem}.svg", metadata={"Date": None})
    width, height = (round(inches * _PNG_DPI) for inches in figure.get_size_inches())
    picture = Picture(base64.b64encode(buffer.getvalue()).decode("ascii"), width, height)
    picture.spots.extend(_spots(figure, section))
    return picture


def _spots(figure: Figure, section: Section) -> Iterable[dict[str, Any]]:
    for ax, cells in zip(figure.axes[section.first_axes :], section.cells, strict=False):
        box = ax.get_position()
        yield {
            "left": round(100 * box.x0, 3),
            "top": round(100 * (1 - box.y1), 3),
            "width": round(100 * box.width, 3),
            "height": round(100 * box.height, 3),
            "title": cells.panel.title,
            "json": json.dumps(_plain_cells(cells), ensure_ascii=False).replace("</", "<\\/"),
        }


def _plain_cells(cells: Cells) -> dict[str, Any]:
    """A map as the page's script reads it: axes, names, colours, and codes with steps, deflated."""
    panel = cells.panel
    codes = panel.outcome.T.astype(np.uint8).tobytes()  # rows of y, x fastest
    steps = np.minimum(panel.steps.T, _LONGEST_STEPS).astype("<u2").tobytes()
    return {
        "title": panel.title,
        "x": _plain_axis(panel.x),
        "y": _plain_axis(panel.y),
        "names": list(cells.names),
        "colours": list(cells.colours),
        "trajectories": panel.trajectories,
        "steps": bool(panel.steps.any()),
        "cells": base64.b64encode(zlib.compress(codes + steps, 9)).decode("ascii"),
    }


def _plain_axis(axis: Axis) -> dict[str, Any]:
    places: Array = axis.place(axis.values)
    even = len(places) < 2 or regular(places)
    # The place of a value on the axis is its logarithm where the axis is logarithmic.
    kept = [places[0], places[-1], len(places)] if even else [float(f"{p:.7g}") for p in places]
    return {"label": axis.label, "log": axis.logarithmic, "even": even, "places": kept}


def shown_table(table: pd.DataFrame) -> dict[str, Any]:
    """A table as the page shows it: names of columns, whether each is numeric, and rows of text with sort keys."""
    types = pd.api.types
    numeric = [types.is_numeric_dtype(kind) and not types.is_bool_dtype(kind) for kind in table.dtypes]
    rows = [
        [
            {"text": _text(value), "key": _key(value) if number else ""}
            for value, number in zip(row, numeric, strict=True)
        ]
        for row in table.itertuples(index=False)
    ]
    return {"columns": [str(c).replace("_", " ") for c in table.columns], "numeric": numeric, "rows": rows}


def _key(value: Any) -> float | str:
    """What a numeric cell is sorted by; nothing if it has no number."""
    return "" if np.isnan(value) else float(value)


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return "–"
        return f"{value:,.0f}" if float(value).is_integer() and abs(float(value)) < 1e9 else f"{value:.4g}"
    return str(value)
