"""What every command does alike: arguments read strictly, errors told in a sentence, harmless tables and lines."""

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gdfast.arguments import harmless
from gdfast.endings import Interrupted, told

if TYPE_CHECKING:
    import pandas


class Group(TyperGroup):
    """Commands, of which every error ends in one sentence and an exit code."""

    def main(self, args: Any = None, *, standalone_mode: bool = True, **options: Any) -> Any:  # type: ignore[override]
        """Run a command line."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **options)
        with told():
            code = super().main(args, standalone_mode=False, **options)
            if code == 130:  # while arguments were read
                raise Interrupted
        raise SystemExit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was parsed."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted(*error.args) from None


class Command(TyperCommand):
    """A command that refuses an option given twice, of which one would be ignored, or after one dash."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments of the command."""
        names = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        for word in (arg.partition("=")[0] for arg in args):
            if f"-{word}" in names:  # else read as options of one letter each
                raise ValueError(f"{word} must be -{word}, after two dashes")
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, count in Counter(order).items():
            if count > 1 and not getattr(parameter, "multiple", False):
                raise ValueError(f"{parameter.opts[-1]} must be given once, not {count} times")
        return super().parse_args(ctx, args)


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


def print_catalogue(catalogue: Mapping[str, Callable[..., Any]]) -> None:
    """Print what a catalogue holds, each with its parameters and the first line of its docstring."""
    rows = []
    for name, factory in catalogue.items():
        parameters = inspect.signature(factory).parameters.values()
        shown = ", ".join(p.name if isinstance(p.default, tuple) else f"{p.name}={p.default}" for p in parameters)
        rows.append([name, shown, (factory.__doc__ or "").strip().splitlines()[0]])
    print_table(["name", "parameters", "what it is"], rows)


def print_help(context: typer.Context) -> None:
    """Say what commands there are, where none is given."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
