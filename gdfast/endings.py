r"""How a command ends: every error as one sentence on standard error, and an exit code that says whose turn it is.

| code | |
|---|---|
| 0 | done |
| 1 | the machine failed: a full disk, want of memory, a lost worker, or a fault of gdfast |
| 2 | the user can mend it: an argument, a file, a place that cannot be written |
| 130 | interrupted by Ctrl-C |

What is printed of a user's own texts (names of columns, paths, labels) is harmless to a terminal: control characters
are written as escapes, such as ``\x1b``, and words that no reader would read to the end are cut.
"""

import contextlib
import errno
import multiprocessing
import multiprocessing.util
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

from gdfast import outputs
from gdfast.arguments import cut, harmless, shown

_LONGEST_WORD, _LONGEST_SENTENCE = 200, 1500
_PATIENCE = 0.6  # seconds that Ctrl-C waits for what runs to end by itself
_OF_THE_MACHINE = {
    errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EFBIG, errno.ENODEV,
    errno.EDQUOT, errno.ESTALE, errno.ETIMEDOUT,
}  # fmt: skip


def sentence(text: str) -> str:
    """A harmless text of one line, with words and whole cut to a length that can be read."""
    line = harmless(" ".join(str(text).split()))
    line = re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: cut(word[0], _LONGEST_WORD), line)
    return cut(line, _LONGEST_SENTENCE)


def tell(text: str) -> None:
    """Print a line on standard error, harmlessly."""
    print(f"gdfast: {sentence(text)}", file=sys.stderr, flush=True)


class Interrupted(BaseException):
    """Ctrl-C, where a parser of command lines would make something else of a `KeyboardInterrupt`."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn every error into one sentence on standard error and an exit code; the module tells which.

    Raises
    ------
    SystemExit
        Instead of the error. With the environment variable ``GDFAST_TRACEBACK`` the error itself, for who looks for
        a fault of gdfast.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a stream of another kind, in a notebook or a test
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        with _Watch() as watch:
            try:
                yield
                sys.stdout.flush()
            except (KeyboardInterrupt, Interrupted) as error:
                watch.end(*map(str, error.args))
                _tell_if_possible("; ".join(["interrupted", *map(str, error.args)]))
                raise SystemExit(130) from None
    except Exception as error:
        if os.environ.get("GDFAST_TRACEBACK"):
            raise
        text, code = _of(error)
        if text:
            _tell_if_possible(text)
        raise SystemExit(code) from None


def _of(error: Exception) -> tuple[str, int]:
    """The sentence and the exit code of an error."""
    if hasattr(error, "format_message"):  # of the parser of the command line
        return _of_parser(error), 2
    if isinstance(error, OSError):
        if error.errno == errno.EPIPE:  # whoever read the output has read enough
            _silence(sys.stdout)
            return "", 1
        if error.errno == errno.ENOSPC:
            _silence(sys.stdout)
        return _of_system(error), 1 if error.errno in _OF_THE_MACHINE or error.errno is None else 2
    if isinstance(error, MemoryError):
        return "there is not enough memory" + (f": {error}" if str(error) else ""), 1
    if isinstance(error, RuntimeError) and type(error).__module__.startswith("gdfast."):  # lost workers
        return str(error), 1
    if isinstance(error, RecursionError):
        return "an argument is nested too deeply", 2
    if isinstance(error, OverflowError):
        return f"a number is too large: {error}", 2
    # A ValueError of other packages would be an error of gdfast, but it has the user's own words, if few.
    if isinstance(error, ValueError | TypeError):
        return str(error), 2
    kind = type(error).__name__
    return f"a fault of gdfast, to be reported: {kind}: {error} (GDFAST_TRACEBACK=1 shows where)", 1


def _of_parser(error: Any) -> str:
    """What the parser of the command line refused, and where to read what it accepts."""
    option = getattr(getattr(error, "param", None), "opts", ["an argument"])[-1]
    if hasattr(error.__cause__, "errors"):  # a text that is no number
        (wrong, *_) = error.__cause__.errors()
        kind = "a whole number" if wrong["type"].startswith("int") else "a number"
        return f"{option} must be {kind}, not {shown(wrong['input'])}"
    text = str(error.format_message()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    advice = f"; {context.command_path} --help tells what there is" if context else ""
    return text[:1].lower() + text[1:] + advice


def _of_system(error: OSError) -> str:
    """What the operating system refused, where."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None or str(error.filename) in reason:
        return reason
    return f"{os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename}: {reason}"


def _tell_if_possible(text: str) -> None:
    with contextlib.suppress(OSError):
        tell(text)


def _silence(stream: Any) -> None:
    """Let what a stream still holds go nowhere, so that closing it does not fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


class _Watch:
    """See to it that Ctrl-C ends the process at once and quietly, whatever the main thread does.

    Python tells the main thread of a signal when its present call returns, which may take many seconds where a
    kernel is compiled or a figure is drawn. A thread is told by the operating system. It silences standard error,
    onto which what is interrupted would write tracebacks, gives the main thread a short time to leave, and then
    removes what is unfinished and ends the process. Nothing is watched where signals are another's, as in a test.
    """

    def __enter__(self) -> "_Watch":
        self.watching = threading.current_thread() is threading.main_thread() and (
            signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if not self.watching:
            return self
        self.guard, self.ended, self.errors = threading.RLock(), threading.Event(), -1
        self.ear, self.mouth = socket.socketpair()
        self.mouth.setblocking(False)
        self.thread = threading.Thread(target=self._listen, name="gdfast-interrupts", daemon=True)
        self.thread.start()
        self.before = signal.set_wakeup_fd(self.mouth.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *error: object) -> None:
        if self.watching:
            signal.set_wakeup_fd(self.before)
            self.ended.set()
            self.mouth.send(b"\0")
            self.thread.join()
            self.ear.close()
            self.mouth.close()

    def _listen(self) -> None:
        while heard := self.ear.recv(1)[0]:
            if heard == signal.SIGINT:
                self._silence()
                if not self.ended.wait(_PATIENCE):
                    self.end(*_left())

    def _silence(self) -> None:
        """Keep what standard error leads to for the last words, and let what else is written there go nowhere."""
        with self.guard:
            if self.errors < 0:
                self.errors = os.dup(2)
                _silence(sys.__stderr__)

    def end(self, *left: str) -> None:
        """Remove what is unfinished, say what is left, and end the process, workers and all."""
        if not self.watching:
            return
        with self.guard:
            self._silence()
            outputs.abandon()
            # A progress bar may have hidden the cursor.
            begin = "\r\x1b[K\x1b[?25h" if os.isatty(self.errors) else ""
            with contextlib.suppress(OSError):
                os.write(self.errors, f"{begin}gdfast: {sentence('; '.join(['interrupted', *left]))}\n".encode())
            for child in multiprocessing.active_children():
                child.kill()
            with contextlib.suppress(Exception):
                multiprocessing.util._exit_function()  # type: ignore[attr-defined]  # as at any exit: its semaphores
            os._exit(130)


_resumable: list[Any] = []


@contextlib.contextmanager
def resumable(path: Any) -> Iterator[None]:
    """Say on Ctrl-C that the same command again completes what is at `path`."""
    _resumable.append(path)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(*_left()) from None
    finally:
        _resumable.pop()


def _left() -> list[str]:
    return [f"the same command again completes {path}" for path in _resumable if path is not None and path.is_dir()]
