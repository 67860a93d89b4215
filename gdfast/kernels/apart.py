"""Compiling in a process that ends.

Numba and LLVM keep a third of a megabyte of every kernel that they compile, for good. A process therefore compiles a
number of kernels itself, and has the others compiled by a child that writes them to the folder of kernels, from where
they are loaded; the child is replaced after as many. So memory stays bounded, however many formulas a process runs.
"""

import atexit
import contextlib
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import IO, Any, Final

MOST_HERE: Final = 64
"""Kernels that a process compiles before a child does it."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments, to be pickled: called in another process, it compiles the same kernel."""

_CHILD = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from gdfast.kernels.apart import serve; serve()"
)


class Elsewhere:
    """The child of this process that compiles, if there is one."""

    def __init__(self) -> None:
        self.count = 0
        self.is_child = False
        self._child: subprocess.Popen[bytes] | None = None

    def compiled(self, call: Call) -> bool:
        """Whether a child has done the call; it is not asked before this process has compiled `MOST_HERE` kernels."""
        self.count += 1
        if self.is_child or self.count <= MOST_HERE:
            return False
        if (self.count - 1) % MOST_HERE == 0:
            self.end()
        return self.begin(call) and self.finish()

    def begin(self, call: Call) -> bool:
        """Whether a child has been asked to do the call."""
        try:
            request = pickle.dumps(call)
        except Exception:  # of a stranger's objects: what has no name in a module cannot travel
            return False
        try:
            child = self._started()
            assert child.stdin is not None
            child.stdin.write(request)
            child.stdin.flush()
            return True
        except OSError:
            self.end()
            return False

    def finish(self) -> bool:
        """Wait for the child; whether it has done the call."""
        assert self._child is not None
        assert self._child.stdout is not None
        try:
            return self._child.stdout.read(1) == b"\1"
        except BaseException:  # interrupted
            self.end()
            raise

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                [sys.executable, "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the child
            )
            assert self._child.stdin is not None
            self._child.stdin.write(pickle.dumps(sys.path))
        return self._child

    def end(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            with contextlib.suppress(OSError):
                self._child.communicate()
            self._child = None


elsewhere = Elsewhere()
atexit.register(elsewhere.end)


def ahead(call: Call) -> Callable[[], None]:
    """Have a call done by a child meanwhile; what is returned waits until it has been, and ends the child."""
    child = Elsewhere()
    atexit.register(child.end)
    has_begun = child.begin(call)

    def wait() -> None:
        if has_begun:
            child.finish()
            child.end()

    return wait


def serve() -> None:
    """Do the calls that come by standard input, answer each with a byte, 1 where it is done; end with the parent."""
    elsewhere.is_child = True
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = io.StringIO()  # what is printed is no answer
    while _answer(requests, answers):
        pass


def _answer(requests: IO[bytes], answers: IO[bytes]) -> bool:
    try:
        function, values = pickle.load(requests)
        function(*values)
        answer = b"\1"
    except EOFError:
        return False
    except Exception:  # the parent then compiles it itself, and fails by itself
        answer = b"\0"
    with contextlib.suppress(OSError):
        answers.write(answer)
        answers.flush()
        return True
    return False
