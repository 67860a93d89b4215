"""The options that name a problem: by name, as a loss, and on data; for all commands that take one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gdfast.endings import tell

if TYPE_CHECKING:
    from gdfast.problems import Problem


@dataclass(frozen=True)
class Subject:
    """What the line says of its problem."""

    problem: str | None
    loss: str | None
    model: str | None
    model_loss: str | None
    source: Mapping[str, Any]
    """How its data are named: ``data`` and the other arguments of `gdfast.data.load`."""

    @property
    def named(self) -> bool:
        """Whether a problem is named at all."""
        given = (self.problem, self.loss, self.model, self.source["data"])
        return any(each is not None for each in given)

    def made(self, axes: Any = ()) -> "Problem":
        """Make the problem; a loss has its coordinates and domain from the axes of the starts.

        Raises
        ------
        TypeError, ValueError
            If not just one is named, or it is not accepted.
        """
        from gdfast import notation

        if self.model is None and self.model_loss is not None:
            raise ValueError("model_loss must be given with a model, by --model")
        source = notation.parse_source(**self.source)
        made = (
            notation.parse_problem(self.problem, self.loss, axes, source) if self.model is None else self._fit(source)
        )
        for note in getattr(made.parameters.get("data"), "notes", ()):
            tell(f"data: {note}")
        return made

    def _fit(self, source: dict[str, Any]) -> "Problem":
        """Make the problem of the model."""
        from gdfast import notation

        for name, other in (("problem", self.problem), ("loss", self.loss)):
            if other is not None:
                raise ValueError(f"{name} must not be given beside a model, whose loss is told by --model-loss")
        if not source:
            raise ValueError("data must be given with a model, by --data, whose columns it names")
        name, _, others = (self.model_loss or "squared").partition(":")
        told = f"from_model:loss={name}" + (f",{others}" if others else "")
        return notation.problem(told, model=self.model, **source)


def subject(
    problem: Annotated[
        str | None,
        typer.Option(help="name, or name:parameter=value,…, or mine.py:name, of a file of yours, which is run"),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="instead of a problem: an expression such as 'x**2 + exp(y)'")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="instead of a problem: a formula of columns of the data and of parameters, which are all other names, "
            "such as 'a*exp(b*x) + c'"
        ),
    ] = None,
    model_loss: Annotated[
        str | None,
        typer.Option(
            help="of the model: squared, absolute, huber, logistic, poisson or hinge, or name:parameter=value,…, such "
            "as huber:delta=2,validation=0.25  [default: squared]"
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="the problem's data: a CSV file, or a name of `gdfast list data`")
    ] = None,
    target: Annotated[str | None, typer.Option(help="the column of that file to predict")] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="whether its first line has names; columns are 1, 2, … otherwise"),
    ] = None,
    features: Annotated[
        str | None, typer.Option(help="the columns to predict it from, with commas between  [default: all others]")
    ] = None,
    drop: Annotated[str | None, typer.Option(help="columns to leave out, such as id,date")] = None,
    missing: Annotated[
        str | None, typer.Option(help="where values are missing: drop the row, or fill by mean, median, most_frequent")
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option(
            help="how the file is written, where that is not recognized: separator=tab,decimal=comma,encoding=cp1251,"
            "comment=%"
        ),
    ] = None,
) -> Subject:
    """Read the options that name a problem."""
    columns = {"target": target, "features": features, "drop": drop, "missing": missing}
    return Subject(problem, loss, model, model_loss, {"data": data, **columns, "header": header, "csv": csv})
