"""``gdfast tune``: which optimizer, learning rate and batch size for given data."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfast.commands.parsing import shares
from gdfast.commands.printing import echo
from gdfast.commands.subject import Subject, columns
from gdfast.endings import tell


@shares(told=columns)
def tune(
    told: dict[str, Any],
    data: Annotated[str, typer.Argument(metavar="DATA", help="a CSV file, or a name of `gdfast list data`")],
    problem: Annotated[
        str | None,
        typer.Option(help="what to fit, such as ridge_regression:alpha=1  [default: as the target is]"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="the same, such as mlp:widths=4/16/1; or a formula of columns and parameters, 'a*exp(b*x) + c'"
        ),
    ] = None,
    model_loss: Annotated[
        str | None,
        typer.Option(help="of a formula: squared, absolute, huber, logistic, poisson or hinge  [default: squared]"),
    ] = None,
    optimizer: Annotated[
        list[str] | None, typer.Option(help="compare these instead of the usual ones; may be repeated")
    ] = None,
    batch_size: Annotated[
        list[int] | None,
        typer.Option(help="rows a step, 0 for all; may be repeated  [default: 8, 32, 128, 512 and, of few, all]"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="how often it is repeated, with other held-out rows and batches")] = 3,
    max_steps: Annotated[int, typer.Option(help="budget of each trajectory, in updates")] = 1000,
    validation: Annotated[float, typer.Option(help="share of the rows that is held out")] = 0.25,
    out: Annotated[Path, typer.Option("-o", "--out", help="the folder of the page to write")] = Path("reports/tuning"),
) -> None:
    """Find the optimizer, learning rate and batch size that learn a table best, by held-out rows, and what it costs."""
    import gdfast
    from gdfast import notation, outputs
    from gdfast import report as reports
    from gdfast.commands.making import parse_source
    from gdfast.running.tune import USUAL

    outputs.check(out, accepted=("a folder",))
    rules = [rule for text in optimizer or USUAL for rule in notation.optimizers(text)]
    if problem is not None and model is not None:
        raise ValueError("problem or model must be given, not both")
    name = model if problem is None else problem
    source: Any = None
    if model is not None and model.partition(":")[0].strip() not in notation.PROBLEMS:
        name, fitted = None, Subject(None, {"data": data, **told}, model, model_loss)
        source = fitted.made()
    elif model_loss is not None:
        raise ValueError("model_loss must be given with a model that is a formula, by --model")
    else:
        source = parse_source(data, **told)["data"]
    options = {**told, "problem": problem, "model": model, "model-loss": model_loss}
    options |= {"optimizer": optimizer, "batch-size": batch_size}
    options |= {"seeds": seeds, "max-steps": max_steps, "validation": validation}
    again = shlex.join(
        ["gdfast", "tune", data, *(word for name, value in options.items() for word in _words(name, value))]
    )
    found = gdfast.tune(
        source,
        problem=name,
        optimizers=rules,
        batch_sizes=batch_size or None,
        seeds=seeds,
        max_steps=max_steps,
        validation=validation,
    )
    for note in found.notes:
        tell(f"data: {note}")
    page, failures = reports.page(found, out, again)
    for failure in failures:
        tell(failure)
    echo(f"{found.line} → {page}")
    if failures:
        raise typer.Exit(1)


def _words(name: str, value: Any) -> list[str]:
    """An option as it is typed; nothing where it was not."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [word for each in values for word in (f"--{name}", str(each))]
