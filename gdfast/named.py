"""Values: problems, optimizers and their kin are what they are made of, and nothing of them changes.

Two are equal when they are the same; they can be keys, printed, pickled, and made again with something replaced. Most
come out of a factory, a plain function whose parameters, with their defaults, are what a user can set. `named` wraps
it: parameters are checked against what is accepted, and the thing made knows its name, its parameters and how to be
made again (which is how it is pickled: by the factory's name and the parameters, never by code). What is made directly,
``Optimizer(rule, learning_rate=0.1)``, is told by its fields instead.
"""

import dataclasses
import functools
import inspect
import pickle
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

import numpy as np

from gdfast import arguments, literals
from gdfast.arguments import Interval, OneOf
from gdfast.formulas import outside
from gdfast.formulas.reach import full_text
from gdfast.formulas.telling import is_cached
from gdfast.values import Value, content_of, plain, same

P = ParamSpec("P")
T = TypeVar("T", bound="Named")

Accepted = Interval | OneOf | Callable[[Any], Any]
"""What a parameter may be: the interval that a number must lie in, the numbers it may be, or what reads a value."""

_LONGEST_RANGE = 2**16
_NONE: Mapping[str, Any] = MappingProxyType({})
_parameters: ContextVar[Mapping[str, Any]] = ContextVar("parameters of the factory that runs", default=_NONE)


def parameters_of_factory() -> Mapping[str, Any]:
    """The parameters of the factory under `named` that runs; none outside of one."""
    return _parameters.get()


class Named(Value):
    """A value with a name and parameters.

    Attributes
    ----------
    name : str
        The factory's name; of what was made directly, its formula's.
    parameters : mapping
        Every parameter of the factory, with its value; arrays are read-only copies.
    make : callable, optional
        The factory; None for what was made directly.
    """

    parameters: Mapping[str, Any] = _NONE
    make: Callable[..., Any] | None = None
    compared: ClassVar[str] = "make one of each"
    """How several values of a parameter that takes one are compared, for a message."""

    @functools.cached_property
    def name(self) -> str:
        """What it is called: as the first thing that it is made of, until a factory gives it its own name."""
        first = next(iter(self.fields().values()), None)
        return str(getattr(first, "__name__", type(self).__name__))

    @classmethod
    def varying(cls, value: Any) -> Any:
        """A value of a number's as what tells it for every step, where there may be such; None if it is a number."""
        return None

    @classmethod
    def check_call(cls, name: str, signature: inspect.Signature, args: Any, kwargs: Mapping[str, Any]) -> None:
        """Refuse arguments of a factory `name` of such things, for reasons that the signature does not tell."""

    def __setattr__(self, name: str, value: Any) -> None:
        if self.make is not None and not name.startswith("_"):
            raise dataclasses.FrozenInstanceError(f"{self.label} cannot be changed; make another, by its replace")
        super().__setattr__(name, value)

    def replace(self, **changes: Any) -> Self:
        """Return the same with other parameters, or with other fields if it was made directly.

        Raises
        ------
        TypeError, ValueError
            If there is no such parameter, or its value is not accepted.
        """
        if self.make is not None:
            for name in changes:
                arguments.choice(f"{self.name}: parameter", name, self.parameters)
            return self.make(**{**self._of_factory, **changes})  # type: ignore[no-any-return]
        fields = self.fields()
        for name in changes:
            arguments.choice(f"{self.name}: parameter", name, [*self.parameters, *fields])
        parameters = {name: changes.pop(name, value) for name, value in self.parameters.items()}
        if parameters:
            changes["parameters"] = parameters
        return type(self)(**{**fields, **changes})

    def fields(self) -> dict[str, Any]:
        """What a thing of this class that was made directly is made of, by name; nothing if it is no dataclass."""
        if not dataclasses.is_dataclass(self):
            return {}
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.init}

    def pin(self, *names: str) -> None:
        """Keep functions in the fields of these names as they are now, with what they use from outside."""
        for name in names:
            object.__setattr__(self, name, outside.pinned(getattr(self, name)))

    def content(self) -> Hashable:
        """Return factory and parameters, or class and fields; a problem of a class that is neither is only itself."""
        if self.make is not None:
            return self.make, content_of(self.parameters), *map(outside.content, self._pinned)
        fields = self.fields()
        return type(self), content_of(fields) if fields else id(self)

    @property
    def _pinned(self) -> list[Any]:
        return [value for value in self.fields().values() if outside.is_pinned(value)]

    def _check_current(self) -> None:
        """Refuse to be pickled by the names of functions that are others by now.

        Raises
        ------
        pickle.PicklingError
            If so.
        """
        for function in self._pinned:
            if outside.original(function) is function:
                raise pickle.PicklingError(
                    f"{self.label}: {function.__name__} uses something else by now than when this was made; make it "
                    "again"
                )

    def copied(self, **attributes: Any) -> Self:
        """Return a copy with other values of attributes; nothing is made or checked again."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), **attributes)
        return other

    @property
    def _of_factory(self) -> dict[str, Any]:
        """The parameters that the factory has; what it made may have others, which it was given there."""
        return {name: value for name, value in self.parameters.items() if name in _names(self.make)}

    @property
    def label(self) -> str:
        """The name, with the parameters that differ from their defaults: ``adam:beta1=0.8,amsgrad=True``.

        `gdfast.notation` reads it back. A formula of one's own, which has no factory, stands in angle brackets.
        """
        if self.make is None:
            name, changed = f"<{self.name.strip('<>')}>", dict(self.parameters)
        else:
            defaults = _defaults(self.make)
            name = self.name
            changed = {n: v for n, v in self._of_factory.items() if n not in defaults or not same(v, defaults[n])}
        return name + (":" + ",".join(f"{n}={literals.write(v)}" for n, v in changed.items()) if changed else "")

    @property
    def specification(self) -> dict[str, Any]:
        """Name and parameters as plain data; an array is given by its shape and a digest of its bytes.

        What was made directly is told by its fields; of functions that is the source text. Beside them stands the
        text of a factory or class of one's own, with what that uses.
        """
        told = dict(self.parameters)
        if self.make is None:
            told.update((n, v) for n, v in self.fields().items() if n != "parameters" and v is not None)
        return {"name": self.name, "parameters": {n: plain(v) for n, v in told.items()}, **self._code}

    @property
    def _code(self) -> dict[str, str]:
        """The text of what has made it, ``code``, where that is a factory or class of one's own; else nothing."""
        made_by = self.make or type(self)
        code = getattr(made_by, "code", None)  # of a file
        outdated = [each for each in self._pinned if self.make is not None and outside.original(each) is each]
        if code is not None:
            return {"code": "\n\n".join([code, *map(full_text, outdated)])}
        made_by = inspect.unwrap(made_by)
        if made_by.__module__.partition(".")[0] == "gdfast":
            return {}
        if self.make is not None or dataclasses.is_dataclass(self):
            return {"code": full_text((made_by, *outdated) if outdated else made_by)}
        state = {n: v for n, v in vars(self).items() if n != "found" and not is_cached(type(self), n)}
        return {"code": full_text((made_by, state) if state else made_by)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.label}>"

    def __reduce__(self) -> Any:
        self._check_current()
        if self.make is not None:
            return _made, (self.make, self._of_factory)
        fields = {name: outside.original(value) for name, value in self.fields().items()}
        if not fields:
            return super().__reduce__()
        return _made, (type(self), {n: dict(v) if isinstance(v, Mapping) else v for n, v in fields.items()})


def _made(make: Callable[..., Any], parameters: Mapping[str, Any]) -> Any:
    return make(**parameters)


def named(**accepted: Accepted) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Turn a function of parameters into a checked factory of a named thing.

    Parameters
    ----------
    **accepted
        For each numeric parameter, the interval it must lie in or the numbers it may be; for others, a function that
        makes the parameter's value of what is given, or refuses it (where the default is None, that is not read). Such
        a function may have an attribute ``beside``: names of further arguments of its own, which a call of the factory
        may have beside the parameter, and which it then takes with ``source``, what is given, in a mapping.
        Parameters with a boolean default must be booleans; all others are the factory's own to check. The factory
        keeps it as its attribute ``accepted``.

    Returns
    -------
    callable
        The decorator, which returns the factory.

    Raises
    ------
    TypeError
        If the function has no parameter of such a name, or one of its parameters is not called by name.
    """

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(make)
        name = make.__name__
        for parameter in accepted:
            if parameter not in signature.parameters:
                has = ", ".join(signature.parameters) or "none"
                raise TypeError(f"named: {parameter} must be a parameter of {name}, which has {has}")
        for parameter, told in signature.parameters.items():
            if told.kind not in (told.POSITIONAL_OR_KEYWORD, told.KEYWORD_ONLY):
                raise TypeError(f"named: {name} must have parameters that are given by name, not *{parameter}")
        made = signature.return_annotation
        kind = made if isinstance(made, type) and issubclass(made, Named) else Named

        @functools.wraps(make)
        def factory(*args: P.args, **kwargs: P.kwargs) -> T:
            kind.check_call(name, signature, args, kwargs)
            told = _gathered(accepted, signature, args, kwargs)
            for given in told:
                arguments.choice(f"{name}: parameter", given, signature.parameters)
            try:
                bound = signature.bind(*(() if told is not kwargs else args), **told)
            except TypeError as error:
                raise TypeError(f"{name}: {error}; it is called as {name}{signature}") from None
            bound.apply_defaults()
            courses = {}
            for parameter, value in bound.arguments.items():
                argument, accepts = f"{name}: {parameter}", accepted.get(parameter)
                if isinstance(accepts, Interval) and (course := _course(kind, argument, value)) is not None:
                    courses[parameter] = course
                    several = course.multipliers(1)
                    bound.arguments[parameter] = np.array([arguments.number(argument, v, accepts) for v in several])
                elif isinstance(accepts, Interval | OneOf):
                    with _one_value(kind, value):
                        bound.arguments[parameter] = arguments.number(argument, value, accepts)
                elif accepts is not None:
                    with _one_value(kind, value):
                        default = signature.parameters[parameter].default
                        bound.arguments[parameter] = _read(name, accepts, value, default)
                elif isinstance(signature.parameters[parameter].default, bool):
                    bound.arguments[parameter] = arguments.flag(argument, value)
                else:
                    bound.arguments[parameter] = _listed(value)
            try:
                thing: T = made_plainly(make, bound.arguments)
            except (TypeError, ValueError) as error:
                if not courses:
                    for parameter, value in bound.arguments.items():
                        if str(error).startswith(f"{name}: {parameter} "):
                            with _one_value(kind, value):
                                raise
                    raise
                several = " and ".join(f"{parameter}={course.label}" for parameter, course in courses.items())
                raise ValueError(
                    f"{name}: {several} must be numbers, since more depends on them than steps do, or what is made of "
                    "them is not made of arrays"
                ) from None
            if not isinstance(thing, Named):
                raise TypeError(
                    f"{name} must return a thing that has a name, such as an optimizer, not {thing!r}"[:300]
                )
            parameters = MappingProxyType({n: _kept(value) for n, value in bound.arguments.items()})
            if courses:
                return thing.copied(name=name, parameters=parameters | courses, make=factory, _plainly=make)
            return thing.copied(name=name, parameters=parameters, make=factory)

        factory.accepted = accepted  # type: ignore[attr-defined]
        return factory

    return decorate


@contextmanager
def _one_value(kind: type[Named], value: Any) -> Iterator[None]:
    """Let a refusal of several values say how they are compared."""
    try:
        yield
    except (TypeError, ValueError) as error:
        several = value.tolist() if isinstance(value, np.ndarray) else value
        plain = int | float | str | np.generic
        if isinstance(several, list | tuple | range) and all(isinstance(each, plain) for each in several):
            raise type(error)(f"{error}; to compare several values, {kind.compared}") from None
        raise


def _course(kind: type[Named], argument: str, value: Any) -> Any:
    if isinstance(value, int | float | np.generic | np.ndarray):
        return None
    try:
        return kind.varying(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{argument} must be a number or a schedule of the step: {error}") from None


def made_plainly(make: Callable[..., Any], parameters: Mapping[str, Any]) -> Any:
    """What the plain function of a factory makes of parameters as they are."""
    token = _parameters.set(MappingProxyType(dict(parameters)))
    try:
        return make(**parameters)
    finally:
        _parameters.reset(token)


def _gathered(
    accepted: Mapping[str, Accepted], signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by name, those beside a parameter with it; `kwargs` itself where there are none such."""
    for parameter, reader in accepted.items():
        beside = [n for n in getattr(reader, "beside", ()) if n in kwargs and n not in signature.parameters]
        if beside:
            more = {n: kwargs[n] for n in beside}
            told = dict(zip(signature.parameters, args, strict=False)) | {
                n: v for n, v in kwargs.items() if n not in more
            }
            value = told.get(parameter)
            source = {} if value is None else {"source": value}
            if isinstance(value, Mapping) and "source" in value:  # and is no mapping to columns
                source = dict(value)
            return {**told, parameter: {**source, **more}}
    return kwargs


def _read(name: str, reader: Callable[[Any], Any], value: Any, default: Any) -> Any:
    if value is None and default is None:
        return None
    try:
        return reader(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


@functools.lru_cache(maxsize=256)
def _defaults(make: Callable[..., Any]) -> dict[str, Any]:
    """The parameters of a factory as they are where nothing is given; those without a default are left out."""
    defaults = {n: p.default for n, p in inspect.signature(make).parameters.items() if p.default is not p.empty}
    readers = {n: r for n, r in getattr(make, "accepted", {}).items() if not isinstance(r, Interval | OneOf)}
    return {n: _read(n, readers[n], v, v) if n in readers else v for n, v in defaults.items()}


@functools.lru_cache(maxsize=256)
def _names(make: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(make).parameters)


def is_factory(thing: Any) -> bool:
    """Whether something is a factory under `named`."""
    return inspect.isfunction(thing) and hasattr(thing, "accepted")


def _listed(value: Any) -> Any:
    """Several values as a tuple, which nobody changes; numbers of NumPy as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple) or (isinstance(value, range) and len(value) <= _LONGEST_RANGE):
        return tuple(map(_listed, value))
    return {name: _listed(each) for name, each in value.items()} if isinstance(value, Mapping) else value


def _kept(value: Any) -> Any:
    """An array as a read-only copy."""
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value
