"""Blocks of code in the texts, and how they are run: for the pictures of the handbook, and by the tests.

A page is run from top to bottom, in one folder and with one set of names, as a reader would type it. What is fenced as

- ``python`` is run;
- ``python picture`` is run too, and leaves a figure, which the handbook shows below it;
- ``python script`` is compiled only: a file of its own, which needs what is not everywhere;
- ``sh`` is run if its lines begin with ``gdfast``; lines that begin otherwise stand in the others;
- ``console`` is shown only: installations, clusters, what runs for hours.
"""

import contextlib
import io
import os
import re
import shlex
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Line = Callable[[list[str]], None]
"""What runs a command line, which it is given without ``gdfast``."""

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes
    ----------
    kind : str
        Its language.
    picture : bool
        Whether it leaves a figure to show.
    script : bool
        Whether it is compiled only.
    text : str
        What stands in it.
    line : int
        The line of the page that it begins in, from 1.
    span : (int, int)
        The characters of the page that it takes with its fences.
    """

    kind: str
    picture: bool
    script: bool
    text: str
    line: int
    span: tuple[int, int]


def of_page(page: Path) -> list[Block]:
    """The fenced blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        kind, *more = match["info"].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(kind, "picture" in more, "script" in more, match["text"], line, match.span()))
    return found


def has_pictures(page: Path) -> bool:
    """Whether a block of the page leaves a figure to show."""
    return any(block.picture for block in of_page(page))


def command_lines(block: Block) -> Iterator[list[str]]:
    """The words of each command line of a block, those that go on in the next line in one."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


def run(
    page: Path, folder: Path, line: Line, save: Callable[[int, Any], None] | None = None, alone: bool = False
) -> int:
    """Run the blocks of a page.

    Parameters
    ----------
    page : Path
        The page.
    folder : Path
        The working folder, where files of the page are made.
    line : callable
        What runs a command line.
    save : callable, optional
        What takes the figures to show: it is given the number of the block and the figure. What stands below the last
        of them is then not run.
    alone : bool
        Each block has names of its own.

    Returns
    -------
    int
        How many blocks were run.

    Raises
    ------
    ValueError
        If a block fails or leaves no figure to show; it names the page and the line.
    """
    names: dict[str, Any] = {"__name__": "page"}
    count = 0
    found = of_page(page)
    last = max((i for i, block in enumerate(found) if block.picture), default=-1) if save else len(found)
    with contextlib.chdir(folder):
        for number, block in enumerate(found[: last + 1]):
            if block.kind not in ("python", "sh"):
                continue
            count += 1
            try:
                if block.kind == "sh":
                    for words in command_lines(block):
                        if words[0] != "gdfast":
                            raise ValueError(f"{words[0]} is no command of gdfast; such lines are fenced as console")
                        line(words[1:])
                    continue
                if block.script:
                    compile(block.text, "script", "exec")
                    continue
                if alone:
                    names = {"__name__": "page"}
                _run_python(block, folder / f"{page.stem}-{number}.py", names)
                if block.picture and save is not None:
                    save(number, _figure())
            except Exception as error:
                place = f"{page.parent.name}/{page.name}, line {block.line}"
                raise ValueError(f"{place}: {type(error).__name__}: {error}") from error
            finally:
                _close()
    return count


def _run_python(block: Block, file: Path, names: dict[str, Any]) -> None:
    """Run a block; it is a file, so that formulas find their text."""
    file.write_text("\n" * block.line + block.text, encoding="utf-8")
    code = compile(file.read_text(encoding="utf-8"), str(file), "exec")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")  # of plt.show()
        exec(code, names)


def _figure() -> Any:
    """The figure that a block leaves."""
    from matplotlib import pyplot

    if not pyplot.get_fignums():
        raise ValueError("the block leaves no figure to show")
    return pyplot.gcf()


def _close() -> None:
    from matplotlib import pyplot

    pyplot.close("all")


def in_a_process(words: list[str]) -> None:
    """Run a command line in a process of its own.

    Raises
    ------
    ValueError
        If it fails, with what it says.
    """
    import subprocess
    import sys

    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "gdfast", *words], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    if done.returncode:
        raise ValueError(f"gdfast {shlex.join(words)}: {done.stderr.strip()[-500:]}")
