"""Maps of outcomes, computed only where outcomes change.

Most of a map is plain: trajectories beside each other end alike. The map is computed on a coarse grid first, one
trajectory for each square block of cells, that in its middle. A block is split into smaller ones wherever one of its
eight neighbours differs, or a cell of its own that was run before, down to single cells; all others take the outcome of
their block. What lies between coarse
points and is smaller than a block can be missed: the first grid must be fine enough to see each region once.
Where outcomes are speckled, as among chaotic trajectories that may by chance repeat themselves, some speckles are.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, memory
from gdfast.formulas.elementary import Array
from gdfast.storing.result import ATTRIBUTES, DIMENSIONS, attributes, coordinates, machine
from gdfast.tiles.executors import are_short, cells_of, cores, each_on_threads, prepare
from gdfast.tiles.lower import Lower, knowing, least
from gdfast.tiles.outcomes import Outcome
from gdfast.tiles.prepared import Prepared
from gdfast.tiles.sweep import Sweep, Tile
from gdfast.tiles.workers import Stop, check_count

if TYPE_CHECKING:
    import xarray

_FACTOR = 4  # by which a block's side shrinks when it is split; with 2 there are more small pieces, with 8 more cells
_AT_ONCE = 16384  # trajectories handed to a thread at a time, at most
Image = NDArray[np.int8]
Places = NDArray[np.int64]


def refine(sweep: Sweep, *, coarse: int = 8, backend: str = "numba", workers: int | None = None) -> "xarray.Dataset":
    """Compute the outcomes of a sweep where they change, and take them from neighbours elsewhere.

    The learning rates and the starts are taken as the axes of an image. Learning rates, and starts of one coordinate,
    may be in any order; of more coordinates, starts that follow each other should lie beside each other, as on a line.

    Parameters
    ----------
    sweep : Sweep
        The full grid, without gradient noise, which depends on a trajectory's number, and without a history.
    coarse : int
        Side of the first blocks, in cells. The smaller, the less is missed.
    backend : {"numba", "numpy"}
        Compiled kernels, or the pure-NumPy reference.
    workers : int, optional
        Threads; all cores if not given.

    Returns
    -------
    xarray.Dataset
        ``outcome`` (int8, CF flags) over ``(optimizer, learning_rate, start)``, and ``computed`` (bool): whether the
        cell's own trajectory was run. Coordinates and attributes are those of `gdfast.run`, and ``computed_share``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, or the map does not fit into memory; the message names it.

    Examples
    --------
    >>> import gdfast
    >>> sweep = gdfast.Sweep("quartic", "gd", "1e-3:1:33", "-4:4:33", max_steps=200)
    >>> result = gdfast.refine(sweep, backend="numpy")
    >>> dict(result.outcome.sizes)
    {'optimizer': 1, 'learning_rate': 33, 'start': 33}
    """
    if not isinstance(sweep, Sweep):
        raise TypeError(f"sweep must be a gdfast.Sweep, not {arguments.shown(sweep)}")
    if any(transform.noisy for optimizer in sweep.optimizers for transform in optimizer.transforms):
        raise ValueError("sweep must be without gradient noise, which differs from cell to cell, to be refined")
    if sweep.history:
        raise ValueError(f"sweep must be without a history to be refined, not with {sweep.history.label}")
    coarse = arguments.integer("coarse", coarse)
    arguments.choice("backend", backend, ["numba", "numpy"])
    workers = cores() if workers is None else check_count("workers", workers)
    memory.fits(f"the map of {sweep.size:,} trajectories", 8 * sweep.size)
    from gdfast.storing.dataset import Result

    began = time.perf_counter()
    prepare(sweep, backend)
    compiled = time.perf_counter()
    known: Sweep | None = sweep
    while known is not None:
        sweep = known
        outcome, computed, lower = _maps(sweep, coarse, backend, workers)
        known = knowing(sweep, lower)
    facts = {
        "compile_seconds": compiled - began,
        "run_seconds": time.perf_counter() - compiled,
        "computed_share": float(computed.mean()),
    }
    return Result(
        {
            "outcome": (DIMENSIONS, outcome, ATTRIBUTES["outcome"]),
            "computed": (DIMENSIONS, computed, {"long_name": "whether the trajectory was run"}),
        },
        coords=coordinates(sweep),
        attrs={**attributes(sweep, backend, False), **machine(), **facts},
    )


def _maps(sweep: Sweep, coarse: int, backend: str, workers: int) -> tuple[Image, NDArray[np.bool_], Lower]:
    """The outcomes of all optimizers, which were computed, and the least of the ends below all that is known."""
    outcome = np.empty(sweep.shape, dtype=np.int8)
    computed = np.zeros(sweep.shape, dtype=bool)
    lower: Lower = ()
    prepared, order = Prepared(sweep), (_order(sweep.learning_rates), _order(sweep.starts))
    ascending = np.ix_(*order)
    for o in range(len(sweep.optimizers)):
        part = _Map(prepared, o, order, backend, workers)
        outcome[o][ascending], computed[o][ascending] = part.refined(coarse), part.computed
        lower = least(lower, *part.lower)
    return outcome, computed, lower


def _order(values: Array) -> Places:
    """The places of rates or starts in ascending order; as they are where they have several coordinates."""
    line = values.ndim == 1 or values.shape[1] == 1
    return np.argsort(values.ravel(), kind="stable") if line else np.arange(len(values))


class _Map:
    """The map of one optimizer over ascending axes: outcomes at some cells, and which cells were computed."""

    def __init__(
        self, prepared: Prepared, optimizer: int, order: tuple[Places, Places], backend: str, workers: int
    ) -> None:
        self.prepared, self.sweep, self.optimizer, self.order = prepared, prepared.sweep, optimizer, order
        self.backend, self.workers = backend, workers
        self.computed = np.zeros(self.sweep.shape[1:], dtype=bool)
        self.lower: list[Lower] = []

    def refined(self, side: int) -> Image:
        """The whole image, from blocks of this side on."""
        shape = [-(-n // side) for n in self.sweep.shape[1:]]
        image: Image = np.full(shape, Outcome.not_run, dtype=np.int8)
        self._compute(image, side, np.ones(shape, dtype=bool))
        odd = np.empty((3, 0), dtype=np.int64)  # cells that are not as their block: rates, starts and outcomes
        while side > 1:
            factor = _FACTOR if side % _FACTOR == 0 else side
            before, middles = image, self._middles(image.shape, side)
            wanted = _beside_another(image)
            wanted[tuple(odd[:2] // side)] = True
            side //= factor
            rows, columns = (-(-n // side) for n in self.sweep.shape[1:])
            split = _enlarged(wanted, factor)[:rows, :columns]
            image = _enlarged(image, factor)[:rows, :columns].copy()
            self._compute(image, side, split)
            at = np.nonzero(image[np.ix_(*(middle // side for middle in middles))] != before)
            passed = np.array([*(middle[i] for middle, i in zip(middles, at, strict=True)), before[at]])
            odd = np.hstack([odd, passed])
            odd = odd[:, image[tuple(odd[:2] // side)] != odd[2]]
        return image

    def _middles(self, shape: Sequence[int], side: int) -> tuple[NDArray[np.int64], ...]:
        """The rates and the starts of the middle cells of blocks."""
        return tuple(
            np.minimum(np.arange(n) * side + side // 2, m - 1) for n, m in zip(shape, self.sweep.shape[1:], strict=True)
        )

    def _compute(self, image: Image, side: int, wanted: NDArray[np.bool_]) -> None:
        """Run the middle cells of the wanted blocks, and write their outcomes into the image."""
        rates, starts = self._middles(image.shape, side)
        # Rows of blocks that want the same columns make one rectangle, which is a sweep of its own.
        changes = np.flatnonzero((wanted[1:] != wanted[:-1]).any(axis=1)) + 1
        bands = np.split(np.arange(len(wanted)), changes)
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        for band in bands:
            columns = np.flatnonzero(wanted[band[0]])
            if columns.size:
                rows = max(1, _AT_ONCE // columns.size)
                parts += [(band[i : i + rows], columns) for i in range(0, len(band), rows)]

        def run(part: tuple[NDArray[np.int64], NDArray[np.int64]], stop: Stop) -> None:
            rows, columns = part
            at = rates[rows], starts[columns]
            image[np.ix_(rows, columns)] = self._outcomes(*at, stop)
            self.computed[np.ix_(*at)] = True

        takes_part = are_short(self.sweep, (len(rows) * len(columns) for rows, columns in parts), self.backend)
        with each_on_threads(run, parts, self.workers, takes_part) as finished:
            for _ in finished:
                pass

    def _outcomes(self, rates: NDArray[np.int64], starts: NDArray[np.int64], stop: Stop) -> Image:
        """The outcomes of all pairs of some of the sweep's rates and starts."""
        part = self.prepared.part(self.order[0][rates], self.order[1][starts])
        tile = Tile(self.optimizer, 0, len(rates) * len(starts))
        cells = cells_of(part, tile, self.backend, False, stop)
        self.lower.append(cells.lower)
        return cells.outcome.reshape(len(rates), len(starts))


def _enlarged(image: NDArray[Any], factor: int) -> NDArray[Any]:
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _beside_another(image: Image) -> NDArray[np.bool_]:
    """Where one of the up to eight neighbours is of another kind."""
    low, high = image, image
    for axis in (0, 1):
        low, high = _of_three(np.minimum, low, axis), _of_three(np.maximum, high, axis)
    found: NDArray[np.bool_] = low != high
    return found


def _of_three(pick: Any, image: Image, axis: int) -> Image:
    """Each cell with its neighbours before and behind: the least or the largest of them."""
    image = np.moveaxis(image, axis, 0)
    out = image.copy()
    pick(out[1:], image[:-1], out=out[1:])
    pick(out[:-1], image[1:], out=out[:-1])
    return np.moveaxis(out, 0, axis)
