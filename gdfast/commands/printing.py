"""What every command prints alike: harmless lines and tables."""

import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from gdfast.arguments import harmless

if TYPE_CHECKING:
    import pandas


def echo(text: str) -> None:
    """Print a line, harmlessly."""
    typer.echo(harmless(text))


def print_frame(frame: "pandas.DataFrame") -> None:
    """Print a table of pandas, its names as words, but for labels, which are typed again."""

    def words(name: str, value: Any) -> Any:
        return value.replace("_", " ") if isinstance(value, str) and name != "optimizer" else value

    names = [str(name) for name in frame.columns]
    rows = [
        [words(name, value) for name, value in zip(names, row, strict=True)] for row in frame.itertuples(index=False)
    ]
    print_table([name.replace("_", " ") for name in names], rows)


def print_table(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table, texts as they are and numbers for readers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(Text(harmless(column)))  # as it is, not as markup
    for row in rows:
        table.add_row(*(Text(harmless(_shown(value))) for value in row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value != value:
        return "–"
    return f"{value:,.0f}" if math.isfinite(value) and value == int(value) else f"{value:,.4g}"


def print_catalogue(catalogue: Mapping[str, Callable[..., Any]], families: Mapping[str, str] | None = None) -> None:
    """Print what a catalogue holds, each with its family, its parameters and the first line of its docstring."""
    rows = []
    for name, factory in catalogue.items():
        parameters = inspect.signature(factory).parameters.values()
        shown = ", ".join(p.name if isinstance(p.default, tuple) else f"{p.name}={p.default}" for p in parameters)
        rows.append([name, shown, (factory.__doc__ or "").strip().splitlines()[0]])
        if families:
            rows[-1].insert(1, families[name])
    columns = ["name", *(["family"] if families else []), "parameters", "what it is"]
    print_table(columns, rows)
