"""The driver, which every sweep needs, compiled by a process of its own while this one still imports what it needs.

Commands begin it, the first time. Whoever imports this package in Python has no process started.
"""

from collections.abc import Callable

from gdfast.kernels import folder
from gdfast.kernels.apart import ahead

_waits: list[Callable[[], None]] = []


def begin() -> None:
    """Begin to compile the driver, unless there is one, perhaps of other versions."""
    if not _waits and folder.lacks("drive"):
        _waits.append(ahead((_compile, ())))


def finish() -> None:
    """Wait for what has been begun."""
    while _waits:
        _waits.pop()()


def _compile() -> None:
    from gdfast.tiles.driver import driver

    driver("float64")
