"""How every command reads its line: strictly, each error told in one sentence, and options that several share."""

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gdfast.arguments import shown
from gdfast.endings import Interrupted, told

T = TypeVar("T")
Of = Annotated[str, typer.Option(help="by what costs are told: steps, or evaluations of gradient or loss")]


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
    """A command that refuses a word by itself, and an option after one dash or, since one is ignored, given twice."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments of the command."""
        parameters = self.get_params(ctx)
        names = {name for parameter in parameters for name in parameter.opts}
        for word in (arg.partition("=")[0] for arg in args):
            if word.startswith("-") and f"-{word}" in names:  # else read as options of one letter each
                raise ValueError(f"{word} must be -{word}, after two dashes")
        _, rest, order = self.make_parser(ctx).parse_args(args=list(args))
        if rest:
            valued = [p.opts[0] for p in parameters if isinstance(p, TyperOption) and not (p.is_flag or p.is_eager)]
            such = [name for name in ("--problem", "--optimizer") if name in valued] or valued[:2]
            needs = f"must follow an option, such as {' or '.join(such)}" if such else "is one word too many"
            taken = [
                str(p.metavar or (p.name or "").upper()).strip("[]") for p in parameters if isinstance(p, TyperArgument)
            ]
            beside = f"beside {' and '.join(taken)}, {shown(rest[0])}" if taken else shown(rest[0])
            raise ValueError(f"{beside} {needs}")
        for parameter, count in Counter(order).items():
            if count > 1 and not getattr(parameter, "multiple", False):
                raise ValueError(f"{parameter.opts[-1]} must be given once, not {count} times")
        return super().parse_args(ctx, args)


def shares(**groups: Callable[..., Any]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorate a command, or a group, with options that it shares: of each argument named, those of its function.

    What the function returns for the options on the line becomes the argument.

    Raises
    ------
    TypeError
        If an option stands in two of them.

    Examples
    --------
    >>> def greeting(name: str = "you", times: int = 1) -> str:
    ...     return " ".join(["hello", name] * times)
    >>> @shares(text=greeting)
    ... def say(text: str, loud: bool = False) -> None:
    ...     print(text.upper() if loud else text)
    >>> say(name="me", loud=True)
    HELLO ME
    """

    def decorated(command: Callable[..., T]) -> Callable[..., T]:
        parameters: list[inspect.Parameter] = []
        taken: dict[str, list[str]] = {}
        for name, parameter in inspect.signature(command).parameters.items():
            own = list(inspect.signature(groups[name]).parameters.values()) if name in groups else [parameter]
            taken[name] = [each.name for each in own]
            parameters += [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]

        @functools.wraps(command)
        def called(**options: Any) -> Any:
            return command(
                **{
                    name: groups[name](**{each: options[each] for each in names if each in options})
                    if name in groups
                    else options[name]
                    for name, names in taken.items()
                    if name in groups or name in options
                }
            )

        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorated


def print_help(context: typer.Context) -> None:
    """Say what commands there are, where none is given."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def parse_params(texts: Sequence[str]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Read ``name=value`` and ``name=axis``: those with one value, and those with several.

    Raises
    ------
    ValueError
        If one is neither, or a name is given twice.
    """
    from gdfast import grids, literals

    fixed: dict[str, Any] = {}
    varied: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name.isidentifier() and equals and value):
            raise ValueError(f"param must be name=value, or name=low:high:count, not {shown(text)}")
        if name in fixed or name in varied:
            raise ValueError(f"param {name} must be given once, with all its values")
        try:
            read = grids.parse_axis("", value, logarithmic=False).tolist() if ":" in value else literals.read(value)
        except ValueError as error:
            raise ValueError(f"param {name}{error}") from None
        if isinstance(read, list | tuple) and len(read) > 1:
            varied[name] = list(read)
        else:
            fixed[name] = read[0] if isinstance(read, list | tuple) else read
    return fixed, varied
