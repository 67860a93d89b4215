"""Things of one's own from files: ``mine.py:bowl`` names ``bowl`` of the file ``mine.py``, wherever a name is wanted.

The file is the user's own and is run as such, as ``python mine.py`` would, though its ``__name__`` is another. What it
has under the name may be

* the thing itself: a problem, an optimizer, a schedule, a transform, a measure;
* a factory: a function, decorated by `gdfast.optimizers.named` or not, that returns one; its parameters stand behind
  the name, ``mine.py:bowl:steepness=3``, as those of the catalogue do;
* for a problem, a loss in the grammar of formulas, ``def bowl(x, y, a=1)``, on ``domain=(x=-2/2,y=-1/3)`` or [−5, 5],
  with other values of its numbers, ``mine.py:bowl:a=3``, and the lowest loss where you know it, ``minimum=0``;
* for an optimizer, a rule, ``def rule(theta, grad, lr, beta)``, whose coefficients are its parameters;
* for a schedule, a function of the step, ``def half(t, gamma=0.5)``, whose arguments with a default are its parameters,
  or an object that is called as one; for a transform, its rule, ``def shrink(theta, grad, lr)``.

The thing remembers where it is from, so that its label reads back, and workers in other processes run the file too;
they refuse a file that is another by then. A store is told the text of what the name stands for and of all that it
uses, and is completed by the same only.
"""

import contextlib
import functools
import hashlib
import inspect
import io
import json
import os
import re
import sys
import tokenize
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from gdfast import arguments
from gdfast.arguments import shown
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.reach import full_text
from gdfast.measures import Measure
from gdfast.named import Named, is_factory
from gdfast.optimizers import Optimizer
from gdfast.problems import Landscape, Problem
from gdfast.schedules import LossSchedule, Schedule, of_step
from gdfast.transforms import Transform

_KINDS: Mapping[str, Any] = {
    "problem": Problem,
    "optimizer": Optimizer,
    "schedule": (Schedule, LossSchedule),
    "transform": Transform,
    "measure": Measure,
}
_LARGEST = 2**22  # bytes of a file
_PLACE = re.compile(r'\s*("(?:[^"\\]|\\.)*\.py"|[^:"|=]*\.py)\s*:\s*(\w+)\s*(?::(.*))?\s*', re.DOTALL)
_UNUSUAL = re.compile(r"""[\s,|"'()=:]""")
_RATES = ("lr", "learning_rate")
_DEFAULT_RATE = 0.01  # of a rule without a factory
_DEFAULT_RANGE = (-5.0, 5.0)
_may_run: ContextVar[bool] = ContextVar("whether files are run that a text names", default=True)


def split(text: str) -> tuple[str, str, str | None] | None:
    """Split ``mine.py:name:rest`` into its parts, the last None if it is not there; None of any other text."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return None
    path, name, rest = match.groups()
    return (json.loads(path) if path.startswith('"') else path.strip()), name, rest


@contextlib.contextmanager
def not_run() -> Iterator[None]:
    """Let no file be run as long as this lasts: of texts that come out of a stored result."""
    token = _may_run.set(False)
    try:
        yield
    finally:
        _may_run.reset(token)


def factory(kinds: str, path: str, name: str) -> "FromFile":
    """Return the factory of what a file has under a name.

    Parameters
    ----------
    kinds : str
        Which kind of thing is wanted, or several with " or " between them, for messages too.
    path, name : str
        The file, and the name in it.

    Raises
    ------
    ValueError
        If there is no such file or no such name in it, or the file cannot be run; one sentence says which.
    """
    if not _may_run.get():
        raise ValueError(f"{kinds} {path}:{name} is of a file, which is not run to read a stored result")
    place = os.path.abspath(os.path.expanduser(path))
    found = FromFile(kinds, path, name, place, "")
    return FromFile(kinds, path, name, place, hashlib.sha256(found.code.encode()).hexdigest())


@dataclass(frozen=True)
class FromFile:
    """What makes a thing of what a file has under a name.

    Attributes
    ----------
    kinds : str
        What it makes, for messages too.
    path, name : str
        The file as it was written, and the name in it.
    place : str
        Where the file is.
    digest : str
        Of the text of what is there, and of what it uses; empty while that is not known.
    """

    kinds: str
    path: str
    name: str
    place: str
    digest: str

    def __reduce__(self) -> Any:
        # Without what the file has, which is of a module that other processes make themselves.
        return FromFile, (self.kinds, self.path, self.name, self.place, self.digest)

    @property
    def __name__(self) -> str:
        """How it is written."""
        path = json.dumps(self.path, ensure_ascii=False) if _UNUSUAL.search(self.path) else self.path
        return f"{path}:{self.name}"

    @property
    def told(self) -> str:
        """How messages begin."""
        return f"{self.kinds} {self.__name__}"

    @property
    def accepted(self) -> Mapping[str, Any]:
        """What its parameters may be, where a factory tells."""
        return getattr(self.thing, "accepted", {}) if is_factory(self.thing) else {}

    @functools.cached_property
    def thing(self) -> Any:
        """What the file has under the name."""
        module = _module(self.kinds, self.path, self.place)
        if self.name not in vars(module):
            own = [name for name, value in vars(module).items() if _is_own(value, module)]
            arguments.choice(f"{self.kinds} {self.path}: name", self.name, own)
        return getattr(vars(module)[self.name], "py_func", vars(module)[self.name])  # of what numba compiles

    @property
    def code(self) -> str:
        """The text of what is there, and of what it uses."""
        thing = inspect.unwrap(self.thing) if inspect.isfunction(self.thing) else self.thing
        if inspect.isfunction(thing) or isinstance(thing, type):
            return full_text(thing)
        specification = getattr(thing, "specification", None)
        return full_text(thing) if specification is None else json.dumps(specification, default=str)

    @property
    def __signature__(self) -> inspect.Signature:
        """Its parameters."""
        thing = self.thing
        if not callable(thing) or isinstance(thing, Named):
            return inspect.Signature()
        try:
            signature = inspect.signature(thing)
        except (TypeError, ValueError):  # of what is written in C
            return inspect.Signature()
        names = list(signature.parameters)
        if self.is_loss:
            # An argument that is given is a number and no coordinate.
            names = [*dict.fromkeys(["domain", "minimum", *names])]
        elif self.is_rule:
            after = names[names.index("lr") + 1 :] if "lr" in names else []
            names = [*after, *([] if self.makes("transform") else _RATES)]
        elif self.is_of_step:
            names = [] if self.is_bare else names
        else:
            return signature
        return inspect.Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names])

    @property
    def is_bare(self) -> bool:
        """Whether the thing is a function that is no factory, by its arguments: all plain and none with a default."""
        if not inspect.isfunction(self.thing) or is_factory(self.thing):
            return False
        parameters = inspect.signature(self.thing).parameters.values()
        plain = all(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        return plain and bool(parameters)

    @property
    def is_rule(self) -> bool:
        """Whether it is the rule of an optimizer or a transform."""
        named = list(inspect.signature(self.thing).parameters) if self.is_bare else []
        return "lr" in named[2:] and (self.makes("optimizer") or self.makes("transform"))

    @property
    def is_of_step(self) -> bool:
        """Whether it may be a function of the step, or an object called as one: it has to be given something."""
        thing = self.thing
        is_called = callable(thing) and not isinstance(thing, Named | type) and not is_factory(thing)
        return is_called and self.makes("schedule") and bool(_needed(thing))

    @property
    def _is_meant_as_rule(self) -> bool:
        """Whether it has the arguments of a rule among others."""
        if not inspect.isfunction(self.thing) or is_factory(self.thing) or not self.makes("optimizer"):
            return False
        return {"theta", "lr"} <= set(inspect.signature(self.thing).parameters)

    @property
    def is_loss(self) -> bool:
        """Whether it is the loss of a problem."""
        if not (inspect.isfunction(self.thing) and self.makes("problem")) or is_factory(self.thing):
            return False
        if all(p.default is not p.empty for p in inspect.signature(self.thing).parameters.values()):
            return False
        try:
            Formula.of(self.thing, 1)
        except GrammarError:
            return False
        return True

    def makes(self, kind: str) -> bool:
        """Whether a thing of this kind is wanted."""
        return kind in self.kinds.split(" or ")

    def __call__(self, **parameters: Any) -> Any:
        """Make the thing.

        Raises
        ------
        ValueError
            If it cannot be made, or the file has changed since this was.
        """
        if self.digest and hashlib.sha256(self.code.encode()).hexdigest() != self.digest:
            raise ValueError(f"{self.told} is another than when it was first read; start again with the file as it is")
        for name in parameters:
            arguments.choice(f"{self.told}: parameter", name, self.__signature__.parameters)
        try:
            made = self.made(parameters)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.told}: {error}") from None
        except Exception as error:  # whatever a stranger's code raises
            raise ValueError(f"{self.told} raises {_raised(error, self.place)}") from None
        kinds = tuple(_KINDS[kind] for kind in self.kinds.split(" or "))
        if not isinstance(made, Named) or not any(isinstance(made, kind) for kind in kinds):
            bare = {"problem": ", a loss", "optimizer": ", a rule", "schedule": ", a function of the step"}
            also = "".join(words for kind, words in bare.items() if self.makes(kind))
            one = f"an {self.kinds}" if self.kinds[0] in "aeiou" else f"a {self.kinds}"
            raise TypeError(f"{self.told} must be {one}{also} or what returns one, not {shown(made)}")
        told = {**made.parameters, **self._bound(parameters)}
        changed: dict[str, Any] = {"name": self.__name__, "parameters": MappingProxyType(told), "make": self}
        if isinstance(made, Optimizer):
            changed["within"] = made.schedule, made.transforms, made.unit
        return made.copied(**changed)

    def _bound(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        defaults = {n: p.default for n, p in self.__signature__.parameters.items() if p.default is not p.empty}
        return {**defaults, **parameters}

    def made(self, parameters: dict[str, Any]) -> Any:
        """What comes of the thing with these parameters."""
        thing = self.thing
        if isinstance(thing, Named) or not callable(thing):
            return thing
        if self.is_rule:
            rest = {name: value for name, value in parameters.items() if name not in _RATES}
            if not self.makes("optimizer"):
                return Transform(thing, parameters=rest)
            rate = next((parameters[name] for name in _RATES if name in parameters), _DEFAULT_RATE)
            return Optimizer(thing, learning_rate=rate, parameters=rest)
        if self.is_loss:
            params = {name: value for name, value in parameters.items() if name not in ("domain", "minimum")}
            told = inspect.signature(thing).parameters.values()
            names = [p.name for p in told if p.default is p.empty and p.name not in params]
            domain = parameters.get("domain")
            domain = dict.fromkeys(names, _DEFAULT_RANGE) if domain is None else domain
            return Landscape(thing, domain=domain, params=params, minimum=parameters.get("minimum"))
        if self.is_of_step and not {*_needed(thing)} & {*parameters}:
            return of_step(functools.partial(thing, **parameters) if parameters else thing)
        if self._is_meant_as_rule:
            for parameter in inspect.signature(thing).parameters.values():
                if parameter.default is not parameter.empty:
                    written = f"{self.__name__}:{parameter.name}={parameter.default}"
                    raise ValueError(
                        f"a rule must have no defaults, unlike {parameter}; leave it out, and write {written}"
                    )
            return Optimizer(thing, learning_rate=_DEFAULT_RATE)  # which says why it is none
        if self.is_bare and self.makes("problem") and not parameters:
            Formula.of(thing, 1)  # which says why it is no loss
        for name in _needed(thing):
            if name not in parameters:
                rule = ", and a rule has the arguments theta, grad and lr" if self.makes("optimizer") else ""
                raise ValueError(
                    f"its argument {name} must have a value, behind the name, {self.__name__}:{name}=1{rule}"
                )
        return thing(**parameters)


def _needed(thing: Any) -> list[str]:
    """The arguments of a function that have no default."""
    try:
        told = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):  # of what is written in C
        return []
    return [p.name for p in told if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _is_own(value: Any, module: ModuleType) -> bool:
    return isinstance(value, Named) or (inspect.isfunction(value) and value.__module__ == module.__name__)


def _module(kinds: str, path: str, place: str) -> ModuleType:
    """Run a file, unless the same text of it has been run."""
    if not os.path.isfile(place):
        raise ValueError(f"{kinds}: there is no file {path}")
    try:
        content = Path(place).read_bytes()[: _LARGEST + 1]
        if len(content) > _LARGEST:
            raise ValueError(f"{kinds}: {path} is larger than {_LARGEST >> 20} MiB")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except OSError as error:
        raise ValueError(f"{kinds}: {path} cannot be read: {error.strerror}") from None
    except (SyntaxError, UnicodeDecodeError):
        raise ValueError(f"{kinds}: {path} is no text of Python") from None
    try:
        return _run(place, text)
    except SyntaxError as error:
        raise ValueError(f"{kinds}: {path} cannot be read: {error.msg}, line {error.lineno}") from None
    except (Exception, SystemExit) as error:
        raise ValueError(f"{kinds}: {path} raises {_raised(error, place)}") from None


@functools.lru_cache(maxsize=64)
def _run(place: str, text: str) -> ModuleType:
    name = f"own_{Path(place).stem}_{hashlib.sha256(f'{place} {text}'.encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = place
    code = compile(text, place, "exec", dont_inherit=True)
    sys.modules[name] = module
    sys.path.insert(0, os.path.dirname(place))
    try:
        exec(code, vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(os.path.dirname(place))
    return module


def _raised(error: BaseException, place: str) -> str:
    """An error in words, with the line of the file where it was raised."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == place]
    where = f", line {lines[-1]}" if lines else ""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200] + where
