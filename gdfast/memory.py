"""How much memory this process may still take, so that what is too large is refused before it is made."""

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_SMALL = 2**24  # bytes that are granted at a time without asking what is free, which takes half a millisecond
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def fits(what: str, size: float, instead: str = "") -> None:
    """Refuse what would need more memory than is free; what is small is not asked about.

    Parameters
    ----------
    what : str
        What is to be made, as the sentence's subject: ``lr: 1,000,000,000 values``.
    size : float
        The bytes that it needs while it is made and used.
    instead : str
        What to do instead, for the end of the sentence.

    Raises
    ------
    ValueError
        If it does not fit; the message names size and limit.
    """
    if size <= _SMALL:
        return
    limit = available()
    if size > limit:
        advice = f"; {instead}" if instead else ""
        raise ValueError(f"{what} would need {shown(size)} of memory, but {shown(limit)} are free{advice}")


def shown(size: float) -> str:
    """A number of bytes in words: ``8.0 GB``."""
    if not math.isfinite(size):
        return "endless bytes"
    power = min(max(int(math.log10(max(size, 1))) // 3, 0), len(_UNITS) - 1)
    return f"{size / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"


def available() -> float:
    """The bytes that this process may still take: the least of what machine, container and limits leave."""
    return max(min(_limits(), default=math.inf), 0.0)


def _limits() -> Iterator[float]:
    yield from _machine()
    yield from _containers()
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limits
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            yield limit - taken


def _machine() -> Iterator[float]:
    """What the system says is free; where it does not say, all that is built in."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024.0
                return
    except (OSError, ValueError, IndexError):
        pass
    with contextlib.suppress(AttributeError, OSError, ValueError):
        yield float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")


def _containers() -> Iterator[float]:
    """What the control groups of this process leave, of either version, each with those above it."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            root, names = Path("/sys/fs/cgroup"), ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            root, names = Path("/sys/fs/cgroup/memory"), ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        group = root / path.lstrip("/")
        for place in (group, *group.parents):
            with contextlib.suppress(OSError, ValueError):
                limit, taken = (int((place / name).read_text()) for name in names)  # "max" is no number
                yield limit - taken + _reclaimable(place)
            if place == root:
                break


def _reclaimable(group: Path) -> int:
    """The bytes of a control group's cache of files, which the system gives back when they are needed."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (group / "memory.stat").read_text().splitlines():
            if line.split()[0] in ("inactive_file", "total_inactive_file"):
                return int(line.split()[1])
    return 0
