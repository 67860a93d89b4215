"""The options that choose what of a stored sweep is looked at, for all commands that read one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Chosen:
    """What the line says of a stored sweep."""

    source: Path
    at: list[str]
    optimizer: list[str]

    def whole(self) -> "xarray.Dataset":
        """Open the store, at the places that are wanted, with all optimizers.

        Raises
        ------
        TypeError, ValueError
            If there is no such store or place.
        """
        import gdfast

        result = gdfast.load(self.source)
        return gdfast.analysis.nearest(result, self.at) if self.at else result

    def result(self) -> "xarray.Dataset":
        """Open the store, at the places and with the optimizers that are wanted.

        Raises
        ------
        TypeError, ValueError
            If there is no such store, place or optimizer.
        """
        from gdfast import arguments

        result = self.whole()
        labels = [str(label) for label in result.optimizer.values]
        wanted = dict.fromkeys(labels.index(arguments.choice("optimizer", name, labels)) for name in self.optimizer)
        return result.isel(optimizer=[*wanted]) if wanted else result


def chosen(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="what `gdfast sweep` wrote")],
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="only the nearest learning_rate=value or start=x,y,…, or start=#3, that number; once an axis  "
            "[default: all, on maps the most frequent outcome]"
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(help="label of an optimizer to show, on maps less what is an axis  [default: all]"),
    ] = None,
) -> Chosen:
    """Read the options that choose what of a stored sweep is looked at."""
    return Chosen(source, at or [], optimizer or [])
