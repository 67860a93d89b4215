"""The page of a tuning."""

from pathlib import Path

from gdfast.report.chapters import tuning as chapter
from gdfast.report.lab import Lab
from gdfast.report.page import Around, write
from gdfast.report.words import called
from gdfast.running.tune import Tuning


def page(tuning: Tuning, out: Path, command: str) -> tuple[Path, list[str]]:
    """Write what was found as one page, with figures and tables beside it.

    Parameters
    ----------
    tuning : Tuning
        Of `gdfast.tune`.
    out : Path
        The folder to write; made if it is not there.
    command : str
        What makes it again.

    Returns
    -------
    page, failures
        As of `gdfast.report.build`.

    Raises
    ------
    OSError
        If something cannot be written.
    """
    around = Around(
        f"Tuning {called(tuning.problem)}",
        "Every number and picture on this page was computed by the run that wrote it.",
        lambda name: command,
        {"seeds": "0 upwards, for held-out rows, mini-batches and initial weights"},
        outcomes=False,
        few=True,
    )
    return write(out, Lab(tuning=tuning), [chapter.CHAPTER], around)
