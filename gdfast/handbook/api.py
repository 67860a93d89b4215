"""The pages of the API: every public name, as its docstring tells it."""

import ast
import dataclasses
import functools
import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import gdfast
from gdfast.handbook.markup import table, titled

PACKAGE = Path(gdfast.__file__).parent
ROOMS = tuple(name for name in gdfast.__all__ if isinstance(getattr(gdfast, name), ModuleType))
"""The public modules, as `gdfast` has them."""

_LONGEST_VALUE = 200


def names_of(module: ModuleType) -> list[str]:
    """The public names of a public module: its ``__all__``, or what it defines itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and (getattr(value, "__module__", None) == module.__name__ or name == "CATALOGUE")
    ]


def public() -> Iterator[tuple[str, Any]]:
    """Every public name below `gdfast`, as it is imported, with what it is; methods and properties of classes too."""
    for place, module in {"gdfast": gdfast, **{f"gdfast.{name}": getattr(gdfast, name) for name in ROOMS}}.items():
        for name in names_of(module):
            value = getattr(module, name)
            yield f"{place}.{name}", value
            if inspect.isclass(value):
                for member, inside in _members(value):
                    yield f"{place}.{name}.{member}", inside


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that a class of gdfast defines; the class tells its fields."""
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    for name, value in vars(kind).items():
        is_code = inspect.isfunction(value) or isinstance(
            value, property | functools.cached_property | classmethod | staticmethod
        )
        if not name.startswith("_") and is_code and name not in fields:
            yield name, value


def undocumented() -> list[str]:
    """The public names that have no docstring."""
    constants = _constants()
    return [name for name, value in public() if not _is_told(name, value, constants)]


def _is_told(name: str, value: Any, constants: dict[str, str]) -> bool:
    if _is_constant(value):
        return name.rpartition(".")[2] in constants
    return bool(_text(name, value).strip())


def _text(name: str, value: Any) -> str:
    """The docstring of a function, a class, or a member of a class or of what it is made from."""
    text = value.__func__.__doc__ if isinstance(value, classmethod | staticmethod) else value.__doc__
    if text or inspect.isclass(value) or name.count(".") < 3:
        return text or ""
    room, owner, member = name.split(".")[-3:]
    kind = getattr(getattr(gdfast, room), owner)
    return next((text for base in kind.__mro__ if (text := getattr(vars(base).get(member), "__doc__", None))), "")


def _is_constant(value: Any) -> bool:
    is_code = inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)
    return not (is_code or isinstance(value, property | functools.cached_property | classmethod | staticmethod))


@functools.cache
def _constants() -> dict[str, str]:
    """What constants of gdfast are: the text that stands below their assignment, by name."""
    told = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for statement, below in itertools.pairwise(body):
            if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(below, ast.Expr):
                target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
                if isinstance(target, ast.Name) and isinstance(below.value, ast.Constant):
                    told[target.id] = inspect.cleandoc(str(below.value.value))
    return told


def write(folder: Path) -> None:
    """Write a page for `gdfast` and one for each public module.

    Parameters
    ----------
    folder : Path
        The folder to make.

    Raises
    ------
    ValueError
        If a public name has no docstring.
    """
    if without := undocumented():
        raise ValueError(f"these public names have no docstring: {', '.join(without)}")
    folder.mkdir(parents=True)
    functions = [name for name in gdfast.__all__ if name not in ROOMS]
    _page(folder / "gdfast.rst", "gdfast", gdfast, functions)
    for name in ROOMS:
        module = getattr(gdfast, name)
        inside = names_of(module)
        catalogue = getattr(module, "CATALOGUE", {})
        _page(folder / f"{name}.rst", f"gdfast.{name}", module, [n for n in inside if n not in catalogue])
    rows = [
        [f"[{place}]({place.rpartition('.')[2]}.rst)", (inspect.getdoc(module) or "").splitlines()[0]]
        for place, module in [("gdfast", gdfast), *((f"gdfast.{name}", getattr(gdfast, name)) for name in ROOMS)]
    ]
    toc = "\n".join(["gdfast", *ROOMS])
    (folder / "index.md").write_text(
        f"# The API\n\nEvery public name, as its docstring tells it. What catalogues hold has pages of its own: "
        f"[optimizers](../optimizers/index.md), [problems](../problems/index.md), "
        f"[schedules](../schedules/index.md), [transforms](../transforms/index.md), "
        f"[measures](../measures/index.md).\n\n"
        f"{table(['module', 'what it is'], rows)}\n\n```{{toctree}}\n:hidden:\n\n{toc}\n```\n",
        encoding="utf-8",
    )


def _page(file: Path, place: str, module: ModuleType, names: list[str]) -> None:
    """Write the page of a module."""
    parts = [titled(place), f".. automodule:: {module.__name__}\n   :no-members:\n"]
    for name in names:
        value = getattr(module, name)
        if inspect.ismodule(value):
            continue
        if inspect.isclass(value):
            parts.append(f".. autoclass:: {place}.{name}\n   :members:\n")
        elif _is_constant(value):
            shown = repr(value)
            shown = shown if len(shown) <= _LONGEST_VALUE and " at 0x" not in shown else ""
            told = "\n".join(f"   {line}" for line in _literal(_constants()[name].splitlines()))
            parts.append(f".. py:data:: {place}.{name}\n{f'   :value: {shown}' if shown else ''}\n\n{told}\n")
        else:
            parts.append(f".. autofunction:: {place}.{name}\n")
    file.write_text("\n".join(parts), encoding="utf-8")


def prepared(_app: Any, _kind: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Make a docstring of gdfast what Sphinx reads: formulas that are indented stand as they are."""
    lines[:] = _literal(lines)


_SECTION = re.compile(r"-{3,}\s*$")


def _literal(lines: list[str]) -> list[str]:
    """The lines of a docstring, where indented paragraphs and tables of its text are literal blocks."""
    end = next((i for i, line in enumerate(lines) if _SECTION.match(line)), len(lines) + 1) - 1
    made: list[str] = []
    literal = False
    for i, line in enumerate(lines[:end]):
        apart = i == 0 or not lines[i - 1].strip()
        formula = line.startswith(("    ", "|"))
        if formula and apart and not literal and not (made and made[-2:-1] and made[-2].rstrip().endswith("::")):
            made += ["::", ""]
            literal = True
        elif line.strip() and not formula:
            literal = False
        made.append(f"    {line}" if literal and line.startswith("|") else line if literal else _escaped(line))
    return made + [_escaped(line, "|") for line in lines[end:]]


def _escaped(line: str, letters: str = "|*") -> str:
    """A line of text, in which bars and stars outside of code are no markup."""
    parts = re.split(r"(``.*?``|`.*?`|\*\*[^*]+\*\*)", line)
    return "".join(part if i % 2 else re.sub(f"([{letters}])", r"\\\1", part) for i, part in enumerate(parts))
