"""What every command prints alike: harmless lines and tables."""

import inspect
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
    """Print a table of pandas, its names as words."""

    def words(value: Any) -> Any:
        return value.replace("_", " ") if isinstance(value, str) else value

    print_table(map(words, map(str, frame.columns)), [[*map(words, row)] for row in frame.itertuples(index=False)])


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
    return "–" if value != value else f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


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
