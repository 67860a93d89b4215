"""No call with wrong arguments ends in anything but a result or one sentence that names the argument."""

import contextlib
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

import calls
import gdfast

PACKAGE = Path(gdfast.__file__).parent
LONGEST = 700  # characters of a sentence
HANG = 30  # seconds


def fault(call: Callable[[], Any], names: list[str]) -> str | None:
    """What is wrong with the answer to a call: None for a result, and for one sentence that names the argument."""
    try:
        with warnings.catch_warnings(), bounded():
            warnings.simplefilter("error")
            call()
    except (TypeError, ValueError) as error:
        message = str(error)
        if message == "the user's function says no":
            return None
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}: {type(error).__name__}: {message[:300]!r}"
        if not (PACKAGE in Path(frame.filename).parents and (frame.line or "").lstrip().startswith("raise ")):
            return f"not raised by gdfast: {where}"
        if "\n" in message or not message.isprintable() or len(message) > LONGEST:
            return f"not one sentence: {where}"
        return None if any(name in message for name in names) else f"does not name {names[0]}: {where}"
    except OSError as error:  # of a path that does not exist
        return None if str(error) else "an OSError without a word"
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {str(error)[:200]!r}"
    return None


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """End what hangs."""

    def late(*_: Any) -> None:
        raise TimeoutHang("no answer")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class TimeoutHang(BaseException):
    """A call hangs."""


if __name__ == "__main__":
    import os
    import sys
    import time
    os.makedirs("/tmp/calls/wd", exist_ok=True); os.chdir("/tmp/calls/wd")
    mpl.use("agg")
    counts: Counter[str] = Counter()
    began = time.time()
    for name, argument, value, call in calls.wrong_calls():
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        t = time.time()
        found = fault(call, [argument, *call.keywords])
        if time.time() - t > 2:
            print("SLOW", time.time() - t, name, argument, value)
        counts["bad" if found else "good"] += 1
        if found:
            print(f"{name} | {argument} | {value} | {found}")
    print(counts, time.time() - began)
