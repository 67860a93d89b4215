"""Boundaries of trainability: the images, the zooms and the table of their dimensions."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.figure
import numpy as np

from gdfast import arguments, memory
from gdfast.boundary import planes
from gdfast.boundary.dimension import BoxCounts, boundary, box_counts, dimension
from gdfast.boundary.figures import animate, boundary_map, box_counting, colour_scale, pixels
from gdfast.boundary.own import check_size
from gdfast.boundary.planes import CONDITIONS, FOLLOW, Condition, Frame, View, check_zoom
from gdfast.optimizers import Optimizer
from gdfast.outputs import check, folder_beside
from gdfast.plot.look import literal
from gdfast.tiles.workers import check_count

if TYPE_CHECKING:
    import pandas

FRAMES, TABLE = "frames.csv", "dimensions.csv"
_BYTES_OF_A_PIXEL, _BYTES_OF_A_KEPT_PIXEL = 200, 72  # while an image is computed and drawn; for the zoom's animation


def build(
    out: Path,
    conditions: Sequence[str | Condition],
    optimizers: Sequence[Optimizer],
    *,
    resolution: int,
    center: tuple[float, float] | None = None,
    zoom: float = 1.0,
    frames: int = 1,
    factor: float = 10.0,
    seeds: int = 1,
    store: Path | None = None,
    tell: Callable[[str], None] = lambda text: None,
    **settings: Any,
) -> "pandas.DataFrame":
    """Look at the boundary of each condition by each optimizer; write images and tables.

    Parameters
    ----------
    out : Path
        The folder to write, at the end and as a whole. For each condition and optimizer ``NAME.png``, a figure of the
        first image and of the box counts; ``NAME-000.png``, …, the images of the first seed, one pixel a trajectory;
        and ``NAME.gif`` if they are several. For all of them ``frames.csv``, a row an image, and ``dimensions.csv``,
        what is returned.
    conditions, optimizers
        Names of `CONDITIONS`, or planes of one's own (`gdfast.boundary.own.plane`), and optimizers.
    resolution, center, zoom
        Pixels a side of an image; the middle of the first one, and how many times closer than the whole plane it is.
    frames, factor
        How many images a zoom has, and by which factor each is closer.
    seeds : int
        Zooms are made for the seeds 0, 1, …: of weights, data, and the point of the boundary that is followed.
    store : Path, optional
        A folder for one Zarr store an image, by which an interrupted call is resumed.
    tell : callable
        Is told, in a sentence, of every zoom that is done.
    **settings
        ``follow``, ``width``, ``max_steps``, ``workers`` and ``progress``; see `gdfast.boundary.planes.zoom`.

    Returns
    -------
    pandas.DataFrame
        A row a condition and optimizer: ``dimension``, the median over scales and images of the box-counting slopes;
        ``low`` and ``high``, their quartiles; ``lowest_seed`` and ``highest_seed``, the medians of single seeds;
        ``images``; and ``published``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or the images do not fit into memory; nothing is made then.
    OSError
        If something cannot be written; what was in the folder is still as it was, and stores can be resumed.
    """
    import pandas

    arguments.integer("seeds", seeds)
    check(out, accepted=("a folder",))
    if store is not None:
        check(store, "store", accepted=("a folder",))
    planes_of = _named(conditions)
    _check(planes_of, optimizers, (resolution, center, zoom), frames, factor, **settings)
    rows: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    with folder_beside(out) as part:
        for name, condition in planes_of.items():
            view = condition.view(resolution, center, zoom)
            for label, optimizer in _labelled(name, optimizers):
                by_seed: list[list[BoxCounts]] = []
                for seed in range(seeds):
                    place = None if store is None else store / f"{label}-{seed}"
                    found = list(
                        planes.zoom(condition, optimizer, view, frames, factor, seed=seed, store=place, **settings)
                    )
                    by_seed.append([box_counts(boundary(frame.image)) for frame in found])
                    rows += [
                        {"condition": name, "optimizer": optimizer.label, "seed": seed, **_facts(*each)}
                        for each in zip(found, by_seed[-1], strict=True)
                    ]
                    if seed == 0:
                        _draw(part, label, condition, optimizer, found, by_seed[-1])
                medians = [m for m in (dimension(counts).median for counts in by_seed) if m == m] or [math.nan]
                median, low, high, images = dimension([each for counts in by_seed for each in counts])
                lines.append({
                    "condition": name, "optimizer": optimizer.label, "dimension": median, "low": low, "high": high,
                    "lowest_seed": min(medians), "highest_seed": max(medians), "images": images,
                    "published": condition.published,
                })  # fmt: skip
                tell(f"{condition.label}, {optimizer.label}: {_told(median, low, high, images, by_seed)}")
        pandas.DataFrame(rows).to_csv(part / FRAMES, index=False)
        table = pandas.DataFrame(lines)
        table.to_csv(part / TABLE, index=False)
    return table


def _check(
    conditions: Mapping[str, Condition],
    optimizers: Sequence[Optimizer],
    place: tuple[int, tuple[float, float] | None, float],
    frames: int,
    factor: float,
    *,
    workers: int | None = None,
    progress: Any = None,
    follow: str = FOLLOW[0],
    **settings: Any,
) -> None:
    """Refuse, before anything is made or run, what could not be done.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, an image cannot be, or all of them do not fit into memory.
    """
    resolution, _, zoom = place
    arguments.integer("resolution", resolution, low=64, high=2**14)
    arguments.number("zoom", zoom, arguments.POSITIVE)
    if workers is not None:
        check_count("workers", workers)
    check_zoom(frames, factor, follow)
    for condition in conditions.values():
        view = condition.view(*place)
        condition.axes(view)
        check_size(condition, resolution)
        # float64 tells no more pixels apart when they are this much closer.
        closest = view.span[0] / (view.resolution * np.finfo(float).epsneg)
        images = min(frames, 2 + int(max(np.log(closest), 0) / np.log(factor)))
        size = (_BYTES_OF_A_PIXEL + images * _BYTES_OF_A_KEPT_PIXEL) * view.resolution**2
        memory.fits(f"resolution: {images:,} images of {view.resolution:,} × {view.resolution:,} pixels", size)
        for optimizer in optimizers:
            condition.sweep(optimizer, view._replace(resolution=2), **settings)


def _named(conditions: Sequence[str | Condition]) -> dict[str, Condition]:
    """Conditions by the names of their files; those of one's own are ``own``, or ``own-2`` and so on."""
    found: dict[str, Condition] = {}
    for condition in conditions:
        if isinstance(condition, Condition):
            mine = sum(name.startswith("own") for name in found)
            found["own" if not mine else f"own-{mine + 1}"] = condition
        else:
            found[condition] = CONDITIONS[arguments.choice("condition", condition, CONDITIONS)]
    return found


def _labelled(name: str, optimizers: Sequence[Optimizer]) -> list[tuple[str, Optimizer]]:
    """Each optimizer with the name of its files."""
    plain = [optimizer.label.replace(":", "-").replace("|", "-").replace("=", "") for optimizer in optimizers]
    return [(f"{name}-{label}", optimizer) for label, optimizer in zip(plain, optimizers, strict=True)]


def _told(median: float, low: float, high: float, images: int, by_seed: Sequence[Sequence[BoxCounts]]) -> str:
    """The dimension in words, or why there is none."""
    if images:
        return f"{median:.2f} ({low:.2f} to {high:.2f}), {images} image{'s' if images > 1 else ''}"
    bounded = any(each.counts.all() for counts in by_seed for each in counts)
    return "too few scales to fit a line; take more pixels" if bounded else "no boundary"


def _facts(frame: Frame, counts: BoxCounts) -> dict[str, Any]:
    (x, y), (width, height) = frame.view.center, frame.view.span
    slope, error = counts.fit
    return {
        "x": x, "y": y, "width": width, "height": height, "resolution": frame.view.resolution,
        "converged": float((frame.image < 0).mean()), "boundary_cells": int(boundary(frame.image).sum()),
        "slope": slope, "standard_error": error, "slopes": " ".join(f"{value:.4f}" for value in counts.slopes),
        "seconds": frame.result.attrs["run_seconds"],
    }  # fmt: skip


def _draw(
    out: Path,
    label: str,
    condition: Condition,
    optimizer: Optimizer,
    found: Sequence[Frame],
    counts: Sequence[BoxCounts],
) -> None:
    from PIL import Image

    for number, frame in enumerate(found):
        Image.fromarray(pixels(frame.image)).save(out / f"{label}-{number:03d}.png")
    if len(found) > 1:
        animate([(frame.view, frame.image) for frame in found], out / f"{label}.gif")
    figure = matplotlib.figure.Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    boundary_map(left, found[0].image, found[0].view, condition)
    colour_scale(left, condition)
    left.set_title(literal(f"{condition.label}, {optimizer.label}: {condition.words}"), fontsize=10, wrap=True)
    whole = condition.view(1)
    some = range(0, len(found), max(1, -(-len(found) // 6)))
    names = [_closeness(found[number].view, whole) for number in some]
    box_counting(right, [counts[number] for number in some], names)
    right.set_title("Box counting")
    figure.savefig(out / f"{label}.png", dpi=100)


def _closeness(view: View, whole: View) -> str:
    return f"zoom {float(np.format_float_positional(whole.span[0] / view.span[0], 3, fractional=False)):g}"
