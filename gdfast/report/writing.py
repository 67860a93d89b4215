"""What a report leaves on disk: data first, then figures."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray
from matplotlib import rc_context
from matplotlib.figure import Figure

from gdfast import extras
from gdfast.plot.look import apart
from gdfast.plot.shown import Shown
from gdfast.plot.ticks import plain_powers
from gdfast.report.section import Section
from gdfast.report.spots import spots_of

_PNG_DPI = 110


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
    picture = picture_of(figure, section.cells, section.first_axes)
    (out / f"{stem}.png").write_bytes(base64.b64decode(picture.png))
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": stem}):  # text stays text
        figure.savefig(out / f"{stem}.svg", metadata={"Date": None})
    return picture


def picture_of(
    figure: Figure, cells: Sequence[Shown] | None = None, first_axes: int = 0, dpi: float = _PNG_DPI
) -> Picture:
    """A figure for a page, laid out once for all, with what its axes show, or the cells that are given for them."""
    plain_powers(figure)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
    _keep_titles(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    width, height = (round(inches * dpi) for inches in figure.get_size_inches())
    picture = Picture(base64.b64encode(buffer.getvalue()).decode("ascii"), width, height)
    picture.spots.extend(spots_of(figure, cells, first_axes))
    return picture


def _keep_titles(figure: Figure) -> None:
    """Leave titles where they are: matplotlib would look for their places at each drawing."""
    for ax in figure.axes:
        text = ax.title
        if text.get_text():
            font, color = text.get_fontproperties().copy(), text.get_color()
            ax.set_title(text.get_text(), y=text.get_position()[1], fontproperties=font, color=color)


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
