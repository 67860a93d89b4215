"""What there is to sweep, by name, and what there is to tell of each of it."""

import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from gdfast.arguments import Interval, OneOf

KINDS = ("optimizers", "problems", "schedules", "transforms", "measures")
"""The modules that have a catalogue."""


def catalogue(kind: str) -> dict[str, Callable[..., Any]]:
    """The factories of a kind by name."""
    return dict(importlib.import_module(f"gdfast.{kind}").CATALOGUE)


def families() -> dict[str, str]:
    """The family of each optimizer."""
    from gdfast import optimizers

    return {make.__name__: family for family, makers in optimizers.FAMILIES.items() for make in makers}


def first_line(factory: Callable[..., Any]) -> str:
    """What a thing is, in a line."""
    return (factory.__doc__ or "").strip().splitlines()[0]


def parameters(factory: Callable[..., Any]) -> Iterator[tuple[str, str, str]]:
    """The parameters of a factory: name, default, and what is accepted."""
    accepted = getattr(factory, "accepted", {})
    for name, parameter in inspect.signature(factory).parameters.items():
        default = "–" if parameter.default is parameter.empty else str(parameter.default)
        limits = accepted.get(name)
        kind = str(limits) if isinstance(limits, Interval | OneOf) else inspect.formatannotation(parameter.annotation)
        yield name, default, kind.replace("typing.", "")


def told(factory: Callable[..., Any]) -> str:
    """The formula, the paper and the differences from others, as the file of a thing tells them, or its docstring."""
    module = inspect.getmodule(factory)
    alone = module is not None and module.__name__.rpartition(".")[2] == factory.__name__
    text = inspect.getdoc(module) if alone else inspect.getdoc(factory)
    return text or ""


def text_of(thing: Any) -> str:
    """The text of what a thing computes: a rule, the loss of a landscape, the multiplier of a schedule."""
    for name in ("rule", "loss_formula", "multiplier"):
        function = getattr(thing, name, None)
        if inspect.isfunction(function) and function.__name__ != "<lambda>":
            try:
                return textwrap.dedent(inspect.getsource(function)).strip()
            except (OSError, TypeError):
                return ""
    return ""


def facts(thing: Any) -> Iterator[tuple[str, str]]:
    """What else there is to tell of a thing as its factory makes it, by name."""
    if hasattr(thing, "learning_rate"):
        yield "default learning rate", f"{thing.learning_rate:g}"
        yield "state", ", ".join(thing.state) or "none"
        yield "each step asks for", thing.cost
    if hasattr(thing, "domain"):
        yield (
            "coordinates",
            f"{thing.dimension}: {', '.join(thing.coordinates[:8])}" + (", …" if thing.dimension > 8 else ""),
        )
        if thing.dimension <= 3:
            yield "domain", " × ".join(f"[{low:g}, {high:g}]" for low, high in thing.domain)
            minima = [
                f"{p.loss:.6g} at ({', '.join(f'{x:.6g}' for x in p.point)})" for p in thing.minima[:6] if p.point
            ]
            yield "known minima", "; ".join(minima) + (", …" if len(thing.minima) > 6 else "") or "none"
