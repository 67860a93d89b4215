"""The options that name a problem: by name, as a loss, and on data; for all commands that take one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gdfast.commands.names import completing
from gdfast.commands.parsing import shares
from gdfast.endings import tell

if TYPE_CHECKING:
    from gdfast.problems import Problem


@dataclass(frozen=True)
class Subject:
    """What the line says of its problem."""

    problem: str | None
    source: Mapping[str, Any]
    """How its data are named: ``data`` and the other arguments of `gdfast.data.load`."""
    model: str | None = None
    model_loss: str | None = None
    loss: Sequence[str] = ()
    order: str | None = None
    minimum: float | None = None
    maximize: bool = False
    notes: list[str] = field(default_factory=list)
    """What was recognized and done when it was made."""

    @property
    def named(self) -> bool:
        """Whether a problem is named at all."""
        given = (self.problem, self.model, self.source["data"])
        return bool(self.loss) or any(each is not None for each in given)

    def made(self, axes: Any = (), params: Mapping[str, Any] = MappingProxyType({})) -> "Problem":
        """Make the problem; a loss has its coordinates and domain from the axes of the starts.

        `params` are numbers of the loss, or further parameters of the problem.

        Raises
        ------
        TypeError, ValueError
            If not just one is named, or it is not accepted.
        """
        from gdfast.commands.making import parse_problem, parse_source

        if self.model is None and self.model_loss is not None:
            raise ValueError("model_loss must be given with a model, by --model")
        source = parse_source(**self.source)
        if self.model is None:
            how: Any = {"order": self.order, "minimum": self.minimum, "maximize": self.maximize}
            made = parse_problem(self._name(source), self.loss, axes, source, params, **how)
        elif params:
            raise ValueError("param must not be given beside a model, whose parameters are what is learned")
        else:
            made = self._fit(source)
        self.notes.extend(f"data: {note}" for note in getattr(made.parameters.get("data"), "notes", ()))
        return made

    def tell(self) -> None:
        """Say what was recognized and done, once nothing of the line is refused any more."""
        for note in self.notes:
            tell(note)

    def _name(self, source: dict[str, Any]) -> str | None:
        """The problem that is named, or that suits the data if none is."""
        if self.problem is not None or self.loss or not source:
            return self.problem
        from gdfast import data
        from gdfast.problems.recognized import recognized

        name, why = recognized(data.load(source["data"]))
        self.notes.append(f"problem: {why}")
        return name

    def _fit(self, source: dict[str, Any]) -> "Problem":
        """Make the problem of the model."""
        from gdfast import notation

        for name, other in (("problem", self.problem), ("loss", self.loss)):
            if other:
                raise ValueError(f"{name} must not be given beside a model, whose loss is told by --model-loss")
        if not source:
            raise ValueError("data must be given with a model, by --data, whose columns it names")
        name, _, others = (self.model_loss or "squared").partition(":")
        told = f"from_model:loss={name}" + (f",{others}" if others else "")
        return notation.problem(told, model=self.model, **source)


def columns(
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
) -> dict[str, Any]:
    """Read the options that tell of a table."""
    names = {"target": target, "features": features, "drop": drop, "missing": missing}
    return {**names, "header": header, "csv": csv}


@shares(told=columns)
def own(
    told: dict[str, Any],
    loss: Annotated[
        list[str] | None,
        typer.Option(
            help="instead of a problem: an expression such as 'x**2 + exp(y)'; several are taken step by step, as "
            "--order says"
        ),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="of several losses: in_turn, in_turn:lengths=1/2, phases:until=100, drawn:probabilities=1/3,seed=1  "
            "[default: in_turn]"
        ),
    ] = None,
    minimum: Annotated[
        float | None, typer.Option(help="the lowest loss, if you know it and no minimum that can be found has it")
    ] = None,
    maximize: Annotated[bool, typer.Option("--maximize", help="climb: minimize minus the loss")] = False,
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
) -> dict[str, Any]:
    """Read the options that tell what is one's own: a loss, a model, data."""
    told_of_loss = {"loss": loss or [], "order": order, "minimum": minimum, "maximize": maximize}
    return {**told_of_loss, "model": model, "model_loss": model_loss, "source": {"data": data, **told}}


@shares(told=own)
def subject(
    told: dict[str, Any],
    problem: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("problems"),
            help="name, or name:parameter=value,…, or mine.py:name, of a file of yours, which is run  "
            "[default for data: as the target is]",
        ),
    ] = None,
) -> Subject:
    """Read the options that name a problem."""
    return Subject(problem, **told)
