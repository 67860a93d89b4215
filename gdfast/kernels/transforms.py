"""Transforms, in their order, as one function for a step kernel.

How many transforms there are, and which of them sum over the coordinates, differs from optimizer to optimizer. The
text of a function for just those is written here, to be called by `gdfast.kernels.templates`: in one form
for a lane whose coordinates are in registers, in another for rows of lanes in memory.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gdfast.formulas.noise import KEY
from gdfast.transforms import Transform


class Chain(NamedTuple):
    """The source of ``gradient``, which applies the transforms, and of ``decay``, which applies the decoupled ones.

    They call ``rule0``, ``entries0``, ``terms0``, ``rule1`` … by the transform's place, ``as_tuple``, ``factor``, for
    noise ``quantile`` and ``uniform``, and for norms ``euclidean_norm`` or ``larger_size``, ``square_scale``, ``sqrt``.
    """

    gradient: str
    decay: str


def in_registers(transforms: Sequence[Transform], d: int) -> Chain:
    """Write ``gradient(x, g, lr, number, c)`` on tuples of d coordinates, and ``decay(x, g, lr, c)`` of one."""
    entries = ", ".join(f"g{i}" for i in range(d)) + ","
    lines = ["def gradient(x, g, lr, number, c):", f"    ({entries}) = g"]
    for k, transform, given, key in _coupled(transforms):
        norms, sums = ([f"{kind}{k}_{j}" for j in range(len(names))] for kind, names in _reduced(transform))
        for i in range(d if norms else 0):
            lines.append(f"    v{i} = as_tuple(entries{k}(x[{i}], g{i}, lr{given}))")
        lines += [
            f"    {n} = euclidean_norm(({''.join(f'v{i}[{j}], ' for i in range(d))}))" for j, n in enumerate(norms)
        ]
        for i in range(d if sums else 0):
            lines.append(f"    part = as_tuple(terms{k}(x[{i}], g{i}, lr{_joined(norms)}{given}))")
            lines += [f"    {s} = {s if i else 0.0} + part[{j}]" for j, s in enumerate(sums)]
        for i in range(d):
            noise = f", quantile(uniform({key}, number, {i}))" if transform.noisy else ""
            lines.append(f"    g{i} = rule{k}(x[{i}], g{i}, lr{_joined(norms + sums)}{noise}{given})")
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
        rows = iter(range(2 * len(transform.norms) + len(transform.sums)))
        norms, sums = ([f"sums[{next(rows)}, lane]" for _ in names] for _, names in _reduced(transform))
        scales = [f"sums[{row}, lane]" for row in rows]
        lanes = "    for lane in range(n):"
        lines += [lanes, *(f"        {s} = 0.0" for s in (*norms, *sums, *scales))] if norms or sums else []
        if norms:
            lines += [*loop, f"            part = as_tuple(entries{k}(*at{given}))"]
            lines += [f"            {s} = larger_size({s}, part[{j}])" for j, s in enumerate(scales)]
            lines += [lanes, *(f"        {s} = square_scale({s})" for s in scales)]
            lines += [*loop, f"            part = as_tuple(entries{k}(*at{given}))"]
            for j, (n, s) in enumerate(zip(norms, scales, strict=True)):
                lines += [f"            value = part[{j}] * {s}", f"            {n} = {n} + value * value"]
            lines += [lanes, *(f"        {n} = sqrt({n}) / {s}" for n, s in zip(norms, scales, strict=True))]
        if sums:
            lines += [*loop, f"            part = as_tuple(terms{k}(*at{_joined(norms)}{given}))"]
            lines += [f"            {s} = {s} + part[{j}]" for j, s in enumerate(sums)]
        noise = f", quantile(uniform({key}, number[lane], i))" if transform.noisy else ""
        lines += [*loop, f"            grad[i, lane] = rule{k}(*at{_joined(norms + sums)}{noise}{given})"]
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


def _reduced(transform: Transform) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the transform needs to know of the whole vector: norms first, since sums may be of terms with them."""
    return ("n", transform.norms), ("s", transform.sums)


def _joined(arguments: list[str]) -> str:
    return "".join(f", {argument}" for argument in arguments)
