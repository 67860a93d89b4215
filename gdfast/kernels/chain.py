"""Transforms, in their order, as one function for a step kernel.

How many transforms there are, and which of them sum over the coordinates, differs from optimizer to optimizer. The
text of a function for just those is written here, to be called by the templates of `gdfast.kernels.fuse`: in one form
for a lane whose coordinates are in registers, in another for rows of lanes in memory.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gdfast.noise import KEY
from gdfast.transforms import Transform


class Chain(NamedTuple):
    """The source of ``gradient``, which applies the transforms, and of ``decay``, which applies the decoupled ones.

    They call ``rule0``, ``terms0``, ``rule1`` … by the transform's place, ``as_tuple``, ``factor`` and, for noise,
    ``quantile`` and ``uniform``.
    """

    gradient: str
    decay: str


def in_registers(transforms: Sequence[Transform], d: int) -> Chain:
    """Write ``gradient(x, g, lr, number, c)`` on tuples of d coordinates, and ``decay(x, g, lr, c)`` of one."""
    entries = ", ".join(f"g{i}" for i in range(d)) + ","
    lines = ["def gradient(x, g, lr, number, c):", f"    ({entries}) = g"]
    for k, transform, given, key in _coupled(transforms):
        sums = [f"s{k}_{j}" for j in range(len(transform.sums))]
        for i in range(d if sums else 0):
            lines.append(f"    part = as_tuple(terms{k}(x[{i}], g{i}, lr{given}))")
            lines += [f"    {s} = {s if i else 0.0} + part[{j}]" for j, s in enumerate(sums)]
        for i in range(d):
            noise = f", quantile(uniform({key}, number, {i}))" if transform.noisy else ""
            lines.append(f"    g{i} = rule{k}(x[{i}], g{i}, lr{_joined(sums)}{noise}{given})")
    return Chain("\n".join([*lines, f"    return ({entries})"]), _decay(transforms))


def in_rows(transforms: Sequence[Transform]) -> Chain:
    """Write ``gradient(theta, grad, sums, lr, group, number, memory, n, multiplier, c)`` on rows of lanes."""
    lines = ["def gradient(theta, grad, sums, lr, group, number, memory, n, multiplier, c):"]
    loop = [
        "    for i in range(theta.shape[0]):",
        "        rate = lr[group[i]]",
        "        for lane in range(n):",
        "            at = theta[i, lane], grad[i, lane], factor(multiplier, memory, lane) * rate[lane]",
    ]
    for k, transform, given, key in _coupled(transforms):
        sums = [f"sums[{j}, lane]" for j in range(len(transform.sums))]
        if sums:
            lines += ["    for lane in range(n):", *(f"        {s} = 0.0" for s in sums)]
            lines += [*loop, f"            part = as_tuple(terms{k}(*at{given}))"]
            lines += [f"            {s} = {s} + part[{j}]" for j, s in enumerate(sums)]
        noise = f", quantile(uniform({key}, number[lane], i))" if transform.noisy else ""
        lines += [*loop, f"            grad[i, lane] = rule{k}(*at{_joined(sums)}{noise}{given})"]
    return Chain("\n".join([*lines, "    return"]), _decay(transforms))


def _decay(transforms: Sequence[Transform]) -> str:
    lines = ["def decay(x, g, lr, c):"]
    for k, transform, given, _ in _placed(transforms):
        if transform.decoupled:
            lines.append(f"    x = rule{k}(x, g, lr{given})")
    return "\n".join([*lines, "    return x"])


def _coupled(transforms: Sequence[Transform]) -> Iterator[tuple[int, Transform, str, str]]:
    return (placed for placed in _placed(transforms) if not placed[1].decoupled)


def _placed(transforms: Sequence[Transform]) -> Iterator[tuple[int, Transform, str, str]]:
    """Each transform with its place, its coefficients as further arguments, and the parts of its key."""
    first = 0
    for k, transform in enumerate(transforms):
        columns = [f"c[{first + j}]" for j in range(len(transform.coefficients))]
        first += len(columns)
        own = len(columns) - (len(KEY) if transform.noisy else 0)
        yield k, transform, _joined(columns[:own]), ", ".join(columns[own:])


def _joined(arguments: list[str]) -> str:
    return "".join(f", {argument}" for argument in arguments)
