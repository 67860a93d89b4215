"""The scores of this version's optimizers, which ship with it."""

from importlib.resources import files
from typing import TYPE_CHECKING

from gdfast import arguments
from gdfast.scoring.suite import LATEST, SUITES

if TYPE_CHECKING:
    import pandas as pd

FILE = "shipped.csv.gz"


def shipped(suite: str = LATEST) -> "pd.DataFrame":
    """Return the scores of a suite that ship with this version, a table as of `score`.

    Not in it are optimizers that were added after it was made, which `gdfast score --optimizer NAME` scores, and those
    that cannot work on a task, as Newton's method on data.

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
