"""The driver, which every sweep needs, compiled by a process of its own while this one still imports what it needs.

It is done for commands, the first time; what imports this package has no processes started. That process takes
half of what both would take one after the other.
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
