"""The scores of this version's optimizers, which ship with it."""

from importlib.resources import files
from typing import TYPE_CHECKING

from gdfast import arguments, optimizers
from gdfast.scoring.suite import LATEST, SUITES

if TYPE_CHECKING:
    import pandas as pd

FILE = "shipped.csv.gz"


def shipped(suite: str = LATEST) -> "pd.DataFrame":
    """Return the scores of a suite that ship with this version, a table as of `score`.

    It has every optimizer of the catalogue at its defaults but those of `left_out`, which cannot work on some task.

    Raises
    ------
    ValueError
        If there is no such suite.

    Examples
    --------
    >>> from gdfast.scoring import shipped
    >>> "adam" in set(shipped().optimizer)
    True
    """
    import pandas as pd

    arguments.choice("suite", suite, SUITES)
    with files("gdfast.scoring").joinpath(FILE).open("rb") as file:
        table = pd.read_csv(file, compression="gzip", dtype={"suite": str})
    return table[table["suite"] == suite].reset_index(drop=True)


def left_out(suite: str = LATEST) -> dict[str, str]:
    """Return the optimizers of the catalogue that cannot take part in a suite, by label, each with what it lacks.

    Raises
    ------
    ValueError
        If there is no such suite.

    Examples
    --------
    >>> from gdfast.scoring import left_out
    >>> left_out()["newton"].endswith(" has none")
    True
    """
    chosen = SUITES[arguments.choice("suite", suite, SUITES)]
    rules = [make() for make in optimizers.CATALOGUE.values()]
    return {rule.label: lack for rule in rules if (lack := chosen.lacks(rule))}
