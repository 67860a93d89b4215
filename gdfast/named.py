"""Things that have a name and parameters: problems, optimizers and their kin.

A factory is a plain function whose parameters, with their defaults, are what a user can set, and which returns
the thing made from them. `named` wraps it: parameters are checked against what is accepted, and the thing made
knows its name, its parameters, its label and how to be made again (which is how it is pickled: by name and
parameters, never by code).
"""

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from gdfast import arguments
from gdfast.arguments import Interval, OneOf

P = ParamSpec("P")
T = TypeVar("T", bound="Named")


class Named:
    """A thing made by a factory under `named`.

    Attributes
    ----------
    name : str
        The factory's name.
    parameters : dict
        Every parameter of the factory, with its value.
    """

    name: str
    parameters: dict[str, Any]
    _factory: Callable[..., Any]

    @property
    def label(self) -> str:
        """The name, with the parameters that differ from their defaults: ``adam:beta1=0.8,amsgrad=True``."""
        defaults = {n: p.default for n, p in inspect.signature(self._factory).parameters.items()}
        changed = {n: v for n, v in self.parameters.items() if not _same(v, defaults[n])}
        return self.name + (":" + ",".join(f"{n}={_short(v)}" for n, v in changed.items()) if changed else "")

    @property
    def specification(self) -> dict[str, Any]:
        """Name and parameters as plain data; an array is given by its shape and a digest of its bytes."""
        return {"name": self.name, "parameters": {n: _plain(v) for n, v in self.parameters.items()}}

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.label}>"

    def __reduce__(self) -> Any:
        return functools.partial(self._factory, **self.parameters), ()


def named(**accepted: Interval | OneOf) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Turn a function of parameters into a checked factory of a named thing.

    Parameters
    ----------
    **accepted
        For each numeric parameter, the interval it must lie in or the numbers it may be. Parameters with a boolean
        default must be booleans; all others are the factory's own to check. The factory keeps it as its attribute
        ``accepted``.
    """

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(make)
        name = make.__name__

        @functools.wraps(make)
        def factory(*args: P.args, **kwargs: P.kwargs) -> T:
            for given in kwargs:
                arguments.choice(f"{name}: parameter", given, signature.parameters)
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{name}: {error}; it is called as {name}{signature}") from None
            bound.apply_defaults()
            for parameter, value in bound.arguments.items():
                argument = f"{name}: {parameter}"
                if parameter in accepted:
                    bound.arguments[parameter] = arguments.number(argument, value, accepted[parameter])
                elif isinstance(signature.parameters[parameter].default, bool):
                    bound.arguments[parameter] = arguments.flag(argument, value)
            thing = make(*bound.args, **bound.kwargs)
            for attribute, value in (
                ("name", name),
                ("parameters", dict(bound.arguments)),
                ("_factory", factory),
            ):
                object.__setattr__(thing, attribute, value)
            return thing

        factory.accepted = accepted  # type: ignore[attr-defined]
        return factory

    return decorate


def _same(a: Any, b: Any) -> bool:
    return a is b or (np.shape(a) == np.shape(b) and bool(np.all(a == b)))


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, Named):
        return f"({value.label})"
    if isinstance(value, tuple) and np.ndim(value) == 1:
        return "/".join(str(item) for item in value)
    return f"array{np.shape(value)}" if np.ndim(value) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"shape": list(value.shape), "dtype": str(value.dtype), "sha256": digest}
    if isinstance(value, Named):
        return value.specification
    return value.item() if isinstance(value, np.generic) else value
