"""Transforms, in their order, as functions for a step kernel: of the gradient, and of the point after the update.

How many transforms there are, and which of them sum over the coordinates, differs from optimizer to optimizer. The
text of functions for just those is written here, to be called by `gdfast.kernels.templates`: in one form
for a lane whose coordinates are in registers, in another for rows of lanes in memory.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gdfast.formulas.noise import KEY
from gdfast.kernels.texts import coordinate_loop, lane_loop
from gdfast.transforms import Transform


class Chain(NamedTuple):
    """The source of ``gradient``, which transforms the gradient, and of ``after``, which transforms the point.

    They call ``rule0``, ``entries0``, ``terms0``, ``rule1`` … by the transform's place, ``as_tuple``, ``factor``, for
    noise ``quantile`` and ``uniform``, for norms ``euclidean_norm`` or ``larger_size``, ``square_scale``, ``sqrt``, for
    sums in rounds ``select``, and for gradients elsewhere ``slope`` or ``call_evaluation``.
    """

    gradient: str
    after: str


class _Placed(NamedTuple):
    """A transform, and where what it has lies."""

    transform: Transform
    number: int  # among all
    coefficients: str  # as further arguments
    key: str  # the parts of a key of noise
    slots: range  # of state
    scalars: range

    @property
    def reduced(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What it needs to know of the whole vector: norms first, since sums may be of terms with them."""
        return ("n", self.transform.norms), ("s", self.transform.sums)


def _placed(transforms: Sequence[Transform], after: bool, state: int) -> Iterator[_Placed]:
    """The transforms of the point, or those of the gradient, of a rule with so many state slots."""
    first, slot, scalar = 0, state, 0
    for k, transform in enumerate(transforms):
        columns = [f"c[{first + j}]" for j in range(len(transform.coefficients))]
        first += len(columns)
        own = len(columns) - (len(KEY) if transform.noisy else 0)
        slots = range(slot, slot + len(transform.state))
        scalars = range(scalar, scalar + len(transform.scalars))
        slot, scalar = slots.stop, scalars.stop
        if transform.after == after:
            yield _Placed(transform, k, _joined(columns[:own]), ", ".join(columns[own:]), slots, scalars)


def in_registers(transforms: Sequence[Transform], d: int, state: int) -> Chain:
    """Write ``gradient(x, g, fixed, lr, number, c)`` on tuples of d coordinates, and the like of what is stored.

    That is ``after(x, g, theta, state, lane, scalars, lr, number, c)``, of the point x that the update began at.
    """
    entries = ", ".join(f"g{i}" for i in range(d)) + ","
    lines = ["def gradient(x, g, fixed, lr, number, c):", f"    ({entries}) = g"]
    first = [*_placed(transforms, False, state)]
    for k, placed in enumerate(first):
        lines += _of_gradient(placed, "x", d)
        if placed.transform.elsewhere:
            lines += [f"    there = ({entries})", f"    ({entries}) = as_tuple(slope(*(there + fixed)))"]
            lines += [line for other in first[:k] for line in _of_gradient(other, "there", d)]
    later = ["def after(x, g, theta, state, lane, scalars, lr, number, c):"]
    later += [f"    p{i} = theta[{i}, lane]" for i in range(d)]
    for placed in _placed(transforms, True, state):
        k = placed.number
        later += [f"    m{k}_{j} = scalars[{j}, lane]" for j in placed.scalars]
        at = [f"p{i}, g[{i}], x[{i}]" for i in range(d)]
        slots = [_joined([f"state[{j}, {i}, lane]" for j in placed.slots]) for i in range(d)]
        later += _of_coordinates(placed, at, slots, _joined([f"m{k}_{j}" for j in placed.scalars]))
        for i in range(d):
            results = [f"p{i}", *(f"state[{j}, {i}, lane]" for j in placed.slots)]
            results += [f"scalars[{j}, lane]" for j in placed.scalars if i == 0]
            if len(placed.slots) + len(placed.scalars):
                later += [f"    {name} = new{i}[{j}]" for j, name in enumerate(results)]
            else:
                later.append(f"    p{i} = new{i}")
    later += [f"    theta[{i}, lane] = p{i}" for i in range(d)]
    return Chain("\n".join([*lines, f"    return ({entries})"]), "\n".join([*later, "    return"]))


def _of_gradient(placed: _Placed, point: str, d: int) -> list[str]:
    """The lines that put what a transform of the gradient at a point returns in place of it."""
    lines = _of_coordinates(placed, [f"{point}[{i}], g{i}" for i in range(d)], [""] * d, "")
    return lines + [f"    g{i} = new{i}" for i in range(d)]


def _of_coordinates(placed: _Placed, at: list[str], slots: list[str], scalars: str) -> list[str]:
    """The lines that call a transform's rule for each coordinate, whose results are ``new0``, ``new1`` …."""
    transform, k, given, d = placed.transform, placed.number, placed.coefficients, len(at)
    norms, sums = ([f"{kind}{k}_{j}" for j in range(len(names))] for kind, names in placed.reduced)
    lines = []
    for i in range(d if norms else 0):
        lines.append(f"    v{i} = as_tuple(entries{k}({at[i]}{slots[i]}{scalars}, lr{given}))")
    for j, n in enumerate(norms):
        values = [f"v{i}[{j}]" for i in range(d)]
        euclidean = f"euclidean_norm(({', '.join(values)},))"
        largest = functools.reduce("larger_size({}, {})".format, values, "0.0")
        lines.append(f"    {n} = {euclidean if transform.euclidean else largest}")

    def summed(names: list[str], before: list[str]) -> Iterator[str]:
        for i in range(d if sums else 0):
            yield f"    part = as_tuple(terms{k}({at[i]}{slots[i]}{scalars}, lr{_joined(norms + before)}{given}))"
            yield from (f"    {s} = {s if i else 0.0} + part[{j}]" for j, s in enumerate(names))

    lines += summed(sums, ["0.0"] * len(sums) if transform.rounds else [])
    if transform.rounds:
        again = [f"again{j}" for j in range(len(sums))]
        body = [*summed(again, sums), f"    if not ({again[0]} < {sums[0]}):", "        break"]
        body += [f"    {s} = {new}" for s, new in zip(sums, again, strict=True)]
        lines += ["    for _ in range(len(x)):", *(f"    {line}" for line in body)]
    for i in range(d):
        noise = _drawn(transform, f"{placed.key}, number, {i}")
        lines.append(f"    new{i} = rule{k}({at[i]}{slots[i]}{scalars}, lr{_joined(norms + sums)}{noise}{given})")
    return lines


def in_rows(transforms: Sequence[Transform], state: int) -> Chain:
    """Write ``gradient(pair, theta, grad, sums, lr, number, memory, n, multiplier, c, work, t)`` on rows of lanes.

    And ``after``, which has ``before, state, scalars`` after ``grad``, the points that the update began at and what
    transforms remember, and neither ``work`` nor ``t``. Of the numbers ``none`` and ``single`` they make others that
    count. The last rows of the sums are for the points that a transform takes gradients at.
    """
    lines = ["def gradient(pair, theta, grad, sums, lr, number, memory, n, multiplier, c, work, t):"]
    first = [*_placed(transforms, False, state)]
    for k, placed in enumerate(first):
        lines += _InRows(placed).lines()
        if placed.transform.elsewhere:
            lines.append("    call_evaluation(pair, GRADIENT, there, grad, sums[0], work, n, t)")
            lines += [line for other in first[:k] for line in _InRows(other, "there").lines()]
    later = ["def after(pair, theta, grad, before, state, scalars, sums, lr, number, memory, n, multiplier, c):"]
    for placed in _placed(transforms, True, state):
        later += _InRows(placed).lines()
    return Chain(*("\n".join([*text, "    return"]) for text in (lines, later)))


class _InRows:
    """A transform on rows of lanes, of the gradient at a point."""

    def __init__(self, placed: _Placed, point: str = "theta") -> None:
        self.placed, self.transform = placed, placed.transform
        rows = iter(range(sum_rows(placed.transform)))
        self.norms, self.sums = ([f"sums[{next(rows)}, lane]" for _ in names] for _, names in placed.reduced)
        self.scales = [f"sums[{next(rows)}, lane]" for _ in self.norms if placed.transform.euclidean]
        self.again = [f"sums[{next(rows)}, lane]" for _ in self.sums if placed.transform.rounds]
        self.done = f"sums[{next(rows)}, lane]" if self.again else ""
        self.fresh = [f"sums[{row}, lane]" for row in rows]
        self.old = [f"scalars[{j}, lane]" for j in placed.scalars]
        self.slots = [f"state[{j}, i, lane]" for j in placed.slots]
        before = ", before[i, lane]" if self.transform.after else ""
        self.at = f"{point}[i, lane], grad[i, lane]{before}{_joined(self.slots)}{_joined(self.old)}"
        self.at += ", factor(multiplier, memory, lane) * rate[lane]"

    def lines(self) -> list[str]:
        """All that it does: in each of what its sums are over one thing after another."""
        whole = self.transform.over == "all"
        body = [line for part in self.parts() for line in part]
        if not whole:
            parts = {"arrays": "single", "units": "pair.arrays[first, 2]"}[self.transform.over]
            if self.transform.of == "matrices" and self.transform.over == "arrays":
                parts = "(single if pair.arrays[first, 1] > none else none)"
            head = [
                "first = n - n",
                "while first < theta.shape[0]:",
                f"    parts = {parts}",
                "    for part in range(parts):",
            ]
            body = [*head, *(f"        {line}" for line in body), "    first += pair.arrays[first, 0]"]
        for fresh, old in zip(self.fresh, self.old, strict=True):
            body += lane_loop(f"{old} = {fresh}")
        if self.transform.elsewhere:
            body = [
                "there = sums[sums.shape[0] - theta.shape[0] :]",
                *coordinate_loop("there[i, lane] = theta[i, lane]"),
                *body,
            ]
        return [f"    {line}" for line in body]

    def over(self, *body: str) -> list[str]:
        """A loop over coordinates and lanes."""
        lanes = [f"    {line}" for line in ("rate = lr[pair.group[i]]", *lane_loop(*body))]
        if self.transform.over != "all":
            return ["for i in range(first + part, first + pair.arrays[first, 0], parts):", *lanes]
        skips = ["    if pair.arrays[i, 1] == none:", "        continue"] if self.transform.of == "matrices" else []
        return ["for i in range(theta.shape[0]):", *skips, *lanes]

    def parts(self) -> Iterator[list[str]]:
        """Norms, sums and rule, one after the other."""
        k, given, norms, sums, scales = self.placed.number, self.placed.coefficients, self.norms, self.sums, self.scales
        if norms or sums:
            yield lane_loop(*(f"{s} = 0.0" for s in (*norms, *sums, *scales)))
        if norms:
            value = f"value{k} = as_tuple(entries{k}({self.at}{given}))"
            yield self.over(value, *(f"{s} = larger_size({s}, value{k}[{j}])" for j, s in enumerate(scales or norms)))
        if scales:
            yield lane_loop(*(f"{s} = square_scale({s})" for s in scales))
            squares = [
                f"{n} = {n} + (value{k}[{j}] * {s}) * (value{k}[{j}] * {s})"
                for j, (n, s) in enumerate(zip(norms, scales, strict=True))
            ]
            yield self.over(value, *squares)
            yield lane_loop(*(f"{n} = sqrt({n}) / {s}" for n, s in zip(norms, scales, strict=True)))
        if sums:
            yield self.summed(sums, ["0.0"] * len(self.again))
        if self.again:
            yield lane_loop(f"{self.done} = 0.0")
            yield ["for _ in range(theta.shape[0]):", *(f"    {line}" for part in self.round() for line in part)]
        noise = _drawn(self.transform, f"{self.placed.key}, number[lane], i")
        call = f"rule{k}({self.at}{_joined(norms + sums)}{noise}{given})"
        if not self.transform.after:
            yield self.over(f"{'there' if self.transform.elsewhere else 'grad'}[i, lane] = {call}")
        elif self.transform.results == 1:
            yield self.over(f"theta[i, lane] = {call}")
        else:
            results = ["theta[i, lane]", *self.slots, *self.fresh]
            yield self.over(f"new{k} = {call}", *(f"{name} = new{k}[{j}]" for j, name in enumerate(results)))

    def summed(self, names: list[str], before: list[str]) -> list[str]:
        """Add the terms, which have the sums of the round before, to what is there."""
        k, given = self.placed.number, f"{self.at}{_joined(self.norms + before)}{self.placed.coefficients}"
        terms = f"terms_{k} = as_tuple(terms{k}({given}))"
        return self.over(terms, *(f"{s} = {s} + terms_{k}[{j}]" for j, s in enumerate(names)))

    def round(self) -> Iterator[list[str]]:
        """Take the sums again; of lanes where the first falls they are the new ones."""
        yield lane_loop(*(f"{s} = 0.0" for s in self.again))
        yield self.summed(self.again, self.sums)
        yield [
            "going = n - n",
            *lane_loop(
                f"goes = ({self.done} == 0.0) & ({self.again[0]} < {self.sums[0]})",
                f"{self.done} = select(goes, 0.0, 1.0)",
                *(f"{s} = select(goes, {new}, {s})" for s, new in zip(self.sums, self.again, strict=True)),
                f"going += {self.done} == 0.0",
            ),
            "if going == n - n:",
            "    break",
        ]


def sum_rows(transform: Transform) -> int:
    """How many numbers of the whole vector a lane needs at a time: norms, sums, scalars, and what these are made by.

    That is a scale for each Euclidean norm, and for sums in rounds each of them again, with whether they are done.
    """
    norms, sums = len(transform.norms) * (1 + transform.euclidean), len(transform.sums)
    return norms + sums + transform.rounds * (sums + 1) + len(transform.scalars)


def _drawn(transform: Transform, counters: str) -> str:
    """The argument that is a random number, of a key, a trajectory and a coordinate."""
    kinds = {"": "", "noise": f", quantile(uniform({counters}))", "chance": f", uniform({counters})"}
    return kinds[transform.drawn]


def _joined(arguments: list[str]) -> str:
    return "".join(f", {argument}" for argument in arguments)
