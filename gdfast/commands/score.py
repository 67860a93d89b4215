"""``gdfast score``: an optimizer on the benchmark."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gdfast.commands.names import completing
from gdfast.commands.printing import echo
from gdfast.endings import tell


def score(
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=completing("optimizers"),
            help="score this, one of your own as mine.py:rule; may be repeated",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="score every optimizer of `gdfast list optimizers` that can work on all tasks, too"),
    ] = False,
    against: Annotated[
        list[str] | None,
        typer.Option(help="draw these of the shipped scores beside it; may be repeated  [default: gd, momentum, adam]"),
    ] = None,
    suite: Annotated[str, typer.Option(help="the version of the benchmark")] = "1",
    out: Annotated[Path, typer.Option("-o", "--out", help="the folder to write")] = Path("reports/score"),
) -> None:
    """Score optimizers on a fixed set of problems, budgets and targets; goes on where it was interrupted."""
    from gdfast import arguments, notation, optimizers, outputs
    from gdfast.report import scored
    from gdfast.scoring import SUITES

    arguments.choice("suite", suite, SUITES)
    rules = [rule for text in optimizer or [] for rule in notation.optimizers(text)]
    if everything:
        for rule in (make() for make in optimizers.CATALOGUE.values()):
            if lack := SUITES[suite].lacks(rule):
                typer.echo(f"gdfast score: {rule.label} is left out: it {lack}", err=True)
            elif rule not in rules:
                rules.append(rule)
    if not rules:
        raise ValueError("optimizer must be given, the one to score, or --all")
    outputs.check(out, accepted=("a folder",))
    again = ["gdfast", "score", *(word for text in optimizer or [] for word in ("--optimizer", text))]
    again += ["--all"] * everything + [word for name in against or [] for word in ("--against", name)]
    page, failures = scored.page(
        rules,
        against,
        suite,
        out,
        shlex.join([*again, "--suite", suite]),
        tell=lambda text: typer.echo(f"gdfast score: {text}", err=True),
    )
    for failure in failures:
        tell(failure)
    echo(f"The scores are at {page}")
    if failures:
        raise typer.Exit(1)
