"""Loss and gradient of a model over rows of data, as loops over lanes for the compiler.

A chunk of lanes is copied next to each other, its parameters and what is summed, into one array of which all distances
are known: only so does the compiler see that no store touches what the next lanes load. The rows pass it, some at a
time, so that a sum is loaded and stored once for them. Of a row all lanes read the same numbers. Sums are in the order
of the rows, as `ModelProblem` sums in NumPy.

The loops are written as text: how many parameters and columns there are is theirs.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gdfast.formulas.formula import Formula, from_text
from gdfast.formulas.lane_products import wide_vectors
from gdfast.formulas.records import fields, length, record
from gdfast.formulas.source import defined, source_of
from gdfast.problems._stepping import LaneKernel
from gdfast.problems.models.stages import staged

CHUNK: Final = 64
"""Lanes at a time: blocks of lanes are multiples of it."""
STRIDE: Final = 72
"""Numbers from one row of a chunk to the next: not a divisor of 4096 bytes, after which loads wait for stores."""
SHAPE = fields(np.int64, "rows batch")
"""How a layout begins: the rows of the data, and those of a mini-batch (0 for all). The rows of each step follow."""
TABLE = length(SHAPE)
_MOST_AT_ONCE, _LONGEST = 4, 1200  # rows that pass at a time, and characters of their formulas together, about


def row_at(shape, layout, t, q):
    """The number of the row at place q of step t."""
    return q if shape.batch == 0 else layout[TABLE + t * shape.batch + q]


class ModelKernel(LaneKernel):
    """The lane kernel of a model, which another process makes again from the texts of its formulas."""

    made_of: tuple[str, str, str | None, str | None, int]

    def __reduce__(self) -> Any:
        return _of_texts, self.made_of


def _of_texts(loss: str, gradient: str, product: str | None, outer: str | None, d: int) -> ModelKernel:
    return lane_kernel(
        from_text(loss), from_text(gradient), product and from_text(product), outer and from_text(outer), d
    )


@functools.lru_cache(maxsize=64)
def lane_kernel(
    loss: Callable[..., Any],
    gradient: Callable[..., Any],
    product: Callable[..., Any] | None,
    outer: Callable[..., Any] | None,
    d: int,
) -> ModelKernel:
    """Return the lane kernel of formulas of d parameters and the numbers of a row: its loss, and the gradient.

    The formulas of the Hessian times a vector and of the matrix of Gauss and Newton times one, if they are there, take
    the vector behind the parameters.
    """
    slopes, losses = _Passing(Formula.of(gradient, d), d), _Passing(Formula.of(loss, 1), d)
    bends, outers = (_Passing(Formula.of(each, d), d, d) if each else None for each in (product, outer))
    kernel = ModelKernel(
        slopes.lanes(_GRADIENT),
        losses.lanes(_OBJECTIVE),
        max(slopes.work_rows, losses.work_rows),
        single=True,
        product=bends.lanes(_PRODUCT) if bends else None,
        product_rows=max(each.work_rows if each else 0 for each in (bends, outers)),
        gauss_newton=outers.lanes(_PRODUCT) if outers else None,
    )
    texts = (each and source_of(each) for each in (loss, gradient, product, outer))
    object.__setattr__(kernel, "made_of", (*texts, d))
    return kernel


_BEGIN = """
def in_lanes({arguments}, work, n, data, layout, t):
    wide_vectors()
    shape = record(layout, 0, SHAPE)
    total = shape.batch if shape.batch > 0 else shape.rows
    scale, penalty = float(1.0 / total), data[shape.rows * {k}]
    chunk = work.reshape(-1)
    for begin in range(0, n, {chunk}):
        count = min({chunk}, n - begin)
        for i in range({d}):
            for lane in range({chunk}):
                chunk[i * {stride} + lane] = theta[i, begin + (lane if lane < count else 0)]
{ways}        for i in range({begin_of_sums}, {end}):
            for lane in range({chunk}):
                chunk[i * {stride} + lane] = 0.0
{passing}
"""

_WAYS = """\
        for i in range({d}):
            for lane in range({chunk}):
                chunk[({d} + i) * {stride} + lane] = way[i, begin + (lane if lane < count else 0)]
"""

_GRADIENT = """
        for i in range({d}):
            for lane in range(count):
                summed = chunk[({d} + i) * {stride} + lane]
                grad[i, begin + lane] = scale * summed + penalty * theta[i, begin + lane]
"""

_PRODUCT = """
        for i in range({d}):
            for lane in range(count):
                summed = chunk[({begin_of_sums} + i) * {stride} + lane]
                grad[i, begin + lane] = scale * summed + penalty * way[i, begin + lane]
"""

_OBJECTIVE = """
        for lane in range(count):
            penalties = 0.0
            for i in range({d}):
                penalties += ((0.5 * penalty) * theta[i, begin + lane]) * theta[i, begin + lane]
            grad[begin + lane] = chunk[{d} * {stride} + lane] * scale + penalties
"""


class _Passing:
    """The loops in which rows pass chunks of lanes, and what a formula of a row returns is summed.

    The rows of a chunk hold the d parameters, the sums, and what the functions that take long return of the rows that
    pass at a time.

    Parameters
    ----------
    of_row : Formula
        Of the parameters and the numbers of a row.
    d : int
        How many parameters there are.
    ways : int
        How many numbers of a vector stand behind them, d or none.
    """

    def __init__(self, of_row: Formula, d: int, ways: int = 0) -> None:
        self.d, self.held, self.sums, self.name = d, d + ways, of_row.results, of_row.name
        self.k = len(of_row.arguments) - self.held
        self.stages = staged(of_row)
        self.functions = len(self.stages) - 1
        self.at_once = max(1, min(_MOST_AT_ONCE, _LONGEST // len(self.stages[-1].source)))

    @property
    def rows(self) -> int:
        """Of a chunk."""
        return self.held + self.sums + self.at_once * self.functions

    @property
    def work_rows(self) -> int:
        """As many rows of lanes hold a chunk."""
        return -(-self.rows * STRIDE // CHUNK)

    def lanes(self, end: str) -> Callable[..., None]:
        """The compiler's function, which ends with what is done with the sums of a chunk."""
        d, at_once = self.d, self.at_once
        passing = [f"for q in range(0, total - {at_once - 1}, {at_once}):", *self._lines(at_once)]
        if at_once > 1:
            passing += [f"for q in range(total - total % {at_once}, total):", *self._lines(1)]
        text = (_BEGIN + end).format(
            d=d,
            k=self.k,
            arguments="theta, way, grad" if self.held > d else "theta, grad",
            ways=_WAYS.format(d=d, chunk=CHUNK, stride=STRIDE) if self.held > d else "",
            begin_of_sums=self.held,
            end=self.held + self.sums,
            chunk=CHUNK,
            stride=STRIDE,
            passing="\n".join(f"        {line}" for line in passing),
        )
        scope: dict[str, Any] = {
            "record": record,
            "row_at": row_at,
            "SHAPE": SHAPE,
            "wide_vectors": wide_vectors,
            **{f"stage{i}": stage.reading("float64") for i, stage in enumerate(self.stages)},
            "lanes": CHUNK,
            **{f"at{i}": i * STRIDE for i in range(self.rows)},
            "__name__": __name__,
        }
        return defined(text, scope, f"<{self.name} of a model in lanes>")

    def _lines(self, count: int) -> list[str]:
        """The lines by which so many rows, from place q on, pass a chunk."""
        point = [f"        p{i} = chunk[lane + at{i}]" for i in range(self.held)]
        loop = ["    for lane in range(lanes):", *point]
        lines = []
        for r in range(count):
            lines.append(f"    row{r} = row_at(shape, layout, t, q + {r}) * {self.k}")
            lines += [f"    x{r}_{j} = data[row{r} + {j}]" for j in range(self.k)]
        for r in range(count):
            for f in range(self.functions):
                lines += [*loop, *self._values(r, f), f"        chunk[{self._place(r, f)}] = {self._call(r, f)}"]
        lines += [*loop, *(f"        sum{i} = chunk[lane + at{self.held + i}]" for i in range(self.sums))]
        for r in range(count):
            lines += [*self._values(r, self.functions), f"        got = {self._call(r, self.functions)}"]
            lines += [f"        sum{i} += got{f'[{i}]' if self.sums > 1 else ''}" for i in range(self.sums)]
        return [*lines, *(f"        chunk[lane + at{self.held + i}] = sum{i}" for i in range(self.sums))]

    def _place(self, r: int, f: int) -> str:
        """Where the value of a function of a row lies in a chunk."""
        return f"lane + at{self.held + self.sums + r * self.functions + f}"

    def _values(self, r: int, count: int) -> list[str]:
        """The lines that load the values of the first functions of a row."""
        return [f"        h{f} = chunk[{self._place(r, f)}]" for f in range(count)]

    def _call(self, r: int, stage: int) -> str:
        """The call of a stage for a row."""
        numbers = (*(f"p{i}" for i in range(self.held)), *(f"x{r}_{j}" for j in range(self.k)))
        return f"stage{stage}({', '.join((*numbers, *(f'h{f}' for f in range(stage))))})"
