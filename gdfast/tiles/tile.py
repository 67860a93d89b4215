"""One tile in compiled lanes: the arrays of a block, the addresses of the kernels, and the driver that runs them."""

import itertools
import math

import numpy as np

from gdfast.formulas.elementary import Array
from gdfast.formulas.lane_products import lanes_of
from gdfast.kernels.evaluation import evaluation_kernel, product_kernel
from gdfast.kernels.fuse import step_kernel, work_rows
from gdfast.kernels.loops.kernel import Kernel
from gdfast.kernels.signatures import Block, Pair, Settling
from gdfast.optimizers import Optimizer
from gdfast.tiles.driver import Ends, Grid, Samples, driver
from gdfast.tiles.ending import TAIL, Endings
from gdfast.tiles.prepared import Plan, Prepared
from gdfast.tiles.record import Record
from gdfast.tiles.sweep import Sweep, Tile

WIDTHS = 1088, 576, 320, 192, 64  # lanes of a block
# A lane's rows must not lie a multiple of 4096 bytes apart, or its stores and loads may be taken for one another, which
# depends on where the system has put them and takes up to three times as long. With two cache lines that no lane uses
# a row has twice an odd number of them, and only every 32nd row is such a multiple from another.
_BETWEEN_ROWS = 128  # bytes
WORKING_SET = 2 * 2**20  # bytes of a block's arrays; measured for 20 to 2000 coordinates


def run_tile(prepared: Prepared, tile: Tile, stop: Array) -> Endings:
    """Run one tile in compiled lanes.

    Parameters
    ----------
    prepared, tile
        The sweep, and which part of it.
    stop : ndarray
        ``int64[1]``; the tile ends early, with results of no meaning, when it becomes other than zero.
    """
    sweep, plan = prepared.sweep, prepared.plan(tile.optimizer)
    problem = sweep.problem
    n, dtype, remembered = tile.last - tile.first, sweep.dtype, plan.parts.told.size
    ends = Ends(
        theta=np.empty((problem.dimension, n), dtype),
        steps=np.empty(n, dtype=np.int32),
        ending=np.empty(n, dtype=np.int8),
        outcome=np.empty(n, dtype=np.int8),
        basin=np.empty(n, dtype=np.int16),
        near=np.empty(n, dtype=np.int8),
        untold=np.empty(n, dtype=np.int8),
        period=np.zeros(n, dtype=np.int8),
        trend=np.zeros(n, dtype=np.int8),
        recent=np.zeros(n),
        loss=np.empty(n, dtype),
        gradient_norm=np.empty(n, dtype),
        memory=np.empty((remembered, n), dtype),
    )
    record = Record.of(sweep, plan.optimizer, n)
    pair, _held = prepared.pair(tile.optimizer)
    kernel = problem.lane_kernel
    block, judge = new_block(sweep, plan), prepared.judge
    width = len(block.number)
    lane_steps = driver(dtype)(
        pair,
        pair._replace(layout=problem.layout_of_all),
        Grid(prepared.starts, prepared.learning_rates(tile.optimizer), tile.first, plan.state, plan.memory),
        plan.table,
        Settling(sweep.check_every, prepared.gradient_tolerance, prepared.divergence_limit, prepared.settles_from),
        block,
        Samples(
            prepared.sampled,
            np.empty((len(prepared.sampled), width)),
            np.empty((5, width)),
            problem.batch_size is not None,
            problem.takes_turns,
            kernel is not None and kernel.both is not None and not (plan.optimizer.steps or problem.takes_turns),
        ),
        judge.limits,
        getattr(np, dtype)(problem.loss_per_objective),
        ends,
        record,
        stop,
    )
    return Endings(**ends._asdict(), record=record, lane_steps=lane_steps)


def new_block(sweep: Sweep, plan: Plan) -> Block:
    """The arrays of a block of lanes: rows of one buffer that starts at a cache line."""
    problem, optimizer = sweep.problem, plan.optimizer
    d, s, window = problem.dimension, len(plan.state), min(TAIL, sweep.max_steps)
    size = np.dtype(sweep.dtype).itemsize
    width = next((w for w in WIDTHS if (3 + s) * d * w * size <= WORKING_SET), WIDTHS[-1])
    kernel = problem.lane_kernel
    width, between = (lanes_of(sweep.dtype), 0) if kernel and kernel.one_vector else (width, _BETWEEN_ROWS // size)
    carried_shapes = {
        "theta": (d,),
        "state": (s, d),
        "memory": (len(plan.memory),),
        "lr": (len(problem.groups),),
        "ended": (d,),
    }
    shapes = {**carried_shapes, "grad": (d,), "work": (work_rows(problem, optimizer),), "tail": (window + 1, d)}
    counts = [math.prod(shape) for shape in shapes.values()]
    length = width + between
    in_lanes, in_numbers = sum(counts) * length * size, 3 * length * 8
    raw = np.zeros(in_lanes + in_numbers + 64, np.uint8)
    raw = raw[-raw.ctypes.data % 64 :]
    lanes = raw[:in_lanes].view(sweep.dtype).reshape(-1, length)
    arrays = {
        name: lanes[end - count : end].reshape(*shape, length)
        for (name, shape), count, end in zip(shapes.items(), counts, itertools.accumulate(counts), strict=True)
    }
    number, status, leaving = raw[in_lanes : in_lanes + in_numbers].view(np.int64).reshape(3, length)[:, :width]
    carried = lanes[: sum(counts[: len(carried_shapes)])]
    return Block(**arrays, number=number, status=status, carried=carried, leaving=leaving)


def prepare(sweep: Sweep) -> None:
    """Compile, or load from disk, all that the sweep's tiles need."""
    for optimizer in sweep.optimizers:
        pair_of(sweep, optimizer)
    driver(sweep.dtype)


def pair_of(sweep: Sweep, optimizer: Optimizer) -> tuple[Pair, list[Kernel]]:
    """The compiled step of an optimizer on the sweep's problem, and the kernels to be held as long as it is used."""
    problem = sweep.problem
    kernels: list[Kernel] = [step_kernel(problem, optimizer, sweep.measure, sweep.dtype, sweep.check_every > 1)]
    if problem.lane_kernel:
        kernels.append(evaluation_kernel(problem.lane_kernel, sweep.dtype))
        if optimizer.steps and optimizer.steps.takes_products:
            kernels.append(product_kernel(problem.lane_kernel, sweep.dtype, optimizer.steps.takes_products))
    step, evaluation, product = (*(kernel.address for kernel in kernels), 0, 0)[:3]
    data, layout = problem.lane_data(sweep.max_steps)
    data = data.astype(sweep.dtype, copy=False)
    return Pair(step, evaluation, product, problem.group, problem.arrays, data, layout), kernels
