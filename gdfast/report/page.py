"""Building a report: run the experiments, write data and figures, and one page that holds everything.

Figures are drawn by processes of their own while the experiments go on, and before times are taken.
"""

import contextlib
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from gdfast import arguments, notation, optimizers
from gdfast.named import Named
from gdfast.optimizers import Optimizer
from gdfast.outputs import folder_beside
from gdfast.problems import Problem
from gdfast.report.chapters import CHAPTERS, STORED
from gdfast.report.lab import SEED, Lab
from gdfast.report.living import write_live
from gdfast.report.section import Chapter, Experiment, Section, name_of
from gdfast.report.single import environment, meanings
from gdfast.report.words import called, listed
from gdfast.report.writing import Picture, left_out, shown_table, write_data, write_figure
from gdfast.storing.result import machine
from gdfast.tiles.executors import Processes, cores

if TYPE_CHECKING:
    import xarray

T = TypeVar("T")


@dataclass(frozen=True)
class Around:
    """What stands around the chapters of a page.

    Attributes
    ----------
    heading, opening : str
        What the page is about, and how its numbers came about.
    again : callable
        The command that makes what an experiment shows once more, from the experiment's name; from "" all.
    facts : mapping
        What else is told of the run.
    outcomes, parity : bool
        Whether it says how trajectories end, and how the rules compare with those of other libraries.
    few : bool
        Whether figures are so few that they are drawn at once: processes of their own would start longer than that.
    """

    heading: str
    opening: str
    again: Callable[[str], str]
    facts: Mapping[str, str]
    outcomes: bool = True
    parity: bool = False
    few: bool = False


def build(
    out: Path,
    quick: bool = False,
    only: Sequence[str] = (),
    problems: Sequence[Problem] = (),
    chosen: Sequence[Optimizer] = (),
    stored: "Mapping[str, xarray.Dataset] | None" = None,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[Path, list[str]]:
    """Run experiments and write the report.

    Parameters
    ----------
    out : Path
        The folder to write; made if it is not there. All is written beside, and moved there at the end.
    quick : bool
        Coarser grids.
    only : sequence of str
        Names of the chapters and experiments to run; if there are none, all but those of chapters that are apart.
    problems : sequence of Problem
        Leave out what is about others, and compare on these.
    chosen : sequence of Optimizer
        Compare these.
    stored : mapping, optional
        From names to results of `gdfast.run`: the report is about these, and about `problems` if there are any.
    tell : callable
        Called with a line of text as the work goes on.

    Returns
    -------
    page : Path
        ``index.html``, which needs no other file; beside it are figures (PNG and SVG), tables (CSV, and Parquet if
        the extra ``parquet`` is installed) and results (netCDF, in ``data``, if the extra ``netcdf`` is).
    failures : list of str
        A sentence for each figure that could not be drawn; its data is written all the same.

    Raises
    ------
    ValueError
        If a name in `only` is unknown, or nothing is left to show.
    OSError
        If something cannot be written, for example for want of space; what was in the folder is still as it was.
    """
    lab = Lab(quick, problems, chosen, out, stored or {})
    of_stores, of_problems = bool(stored), bool(problems) or not stored
    chapters = {
        name: chapter for name, chapter in CHAPTERS.items() if (of_stores if name == STORED.name else of_problems)
    }
    names = [*chapters, "provenance", *(name_of(e) for chapter in chapters.values() for e in chapter.experiments)]
    wanted = {arguments.choice("only", name, names) for name in only}
    options = _options(quick, problems, chosen, stored or {})
    around = Around(
        _heading(problems, stored or {}),
        "The answer, by experiment. Every number and picture on this page was computed by the run that wrote it"
        + (", on coarse grids (--quick)" if quick else "")
        + (", or stands in the results that were given to it" if stored else "")
        + "; a statement that its data does not support is not printed.",
        lambda name: f"gdfast report{f' --only {name}' if name else ''}{options}",
        {"seeds": f"{SEED} for random starts, 1 for gradient noise, 0 upwards for initial weights"},
        parity=not problems and not stored,
        few=bool(stored and not problems),
    )
    return write(out, lab, list(chapters.values()), around, wanted, tell)


def write(
    out: Path,
    lab: Lab,
    chapters: Sequence[Chapter],
    around: Around,
    wanted: Collection[str] = (),
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[Path, list[str]]:
    """Run the experiments of chapters, and write data, figures and page.

    Parameters
    ----------
    out : Path
        As `build`.
    lab : Lab
        What the experiments are given.
    chapters : sequence of Chapter
        In the order of the page.
    around : Around
        What stands around them.
    wanted : collection of str
        Names of the chapters and experiments to run; all if there are none.
    tell : callable
        As `build`.

    Returns
    -------
    page, failures
        As `build`.

    Raises
    ------
    ValueError
        If nothing is left to show.
    OSError
        As `build`.
    """
    for words in left_out():
        tell(words)
    with folder_beside(out) as part:
        pieces = _pieces(lab, chapters, wanted, around, part, tell)
        if not pieces and set(wanted) != {"provenance"}:
            raise ValueError(
                "only and problem leave nothing to show: no experiment of these names is about these problems"
            )
        _write_page(part / "index.html", pieces, chapters, around)
    return out / "index.html", [piece.failure for piece in pieces if piece.failure]


def _pieces(
    lab: Lab,
    chapters: Sequence[Chapter],
    wanted: Collection[str],
    around: Around,
    out: Path,
    tell: Callable[[str], None],
) -> "list[_Piece]":
    """Run the experiments that are wanted, and write their data and figures."""
    pieces: list[_Piece] = []
    written: set[int] = set()
    with _AtOnce() if around.few else Processes(min(cores(), 4)) as painters, _leaving_at_once(painters):
        for chapter in chapters:
            experiments = _chosen(chapter, wanted)
            if chapter.timed and experiments:
                wait([future for piece in pieces for future in piece.waiting])
            for experiment in experiments:
                name = name_of(experiment)
                silent = bool(lab.problems or lab.stored)  # most have nothing to say of these
                if not silent:
                    tell(f"{chapter.title}: {name}")
                for section in experiment(lab):
                    if silent:
                        tell(f"{chapter.title}: {section.title}")
                    piece = _Piece(chapter, section, name, around.again(name))
                    piece.begin(out, painters, written)
                    pieces.append(piece)
        tell("figures")
        for piece in pieces:
            piece.finish(out)
    return pieces


class _AtOnce(Executor):
    """Does what is submitted before it returns."""

    def submit(self, function: Callable[..., T], /, *args: Any, **named: Any) -> "Future[T]":
        """Call a function."""
        done: Future[T] = Future()
        try:
            done.set_result(function(*args, **named))
        except Exception as error:  # whatever it is, it is raised where the result is asked for
            done.set_exception(error)
        return done


@contextlib.contextmanager
def _leaving_at_once(painters: Executor) -> Iterator[None]:
    """On an error or Ctrl-C, leave without the figures that are still to be drawn."""
    try:
        yield
    except BaseException:
        painters.shutdown(wait=False, cancel_futures=True)
        raise


class _Piece:
    """A section and what the page shows of it."""

    def __init__(self, chapter: Chapter, section: Section, name: str, command: str) -> None:
        self.chapter, self.section, self.command = chapter, section, command
        self.stem = f"{name}-{section.part}" if section.part else name
        self.table = None if section.table is None else shown_table(section.table)
        self.picture: Picture | None = None
        self.failure = self.live = ""
        self._living: Future[str] | None = None

    def begin(self, out: Path, painters: Executor, written: set[int]) -> None:
        """Write the data and hand the figure to a painter."""
        write_data(self.section, self.stem, out, written)
        self._bare = replace(self.section, text=(), claims=(), table=None, results={}, live=None)
        live = self.section.live
        self._living = live and painters.submit(write_live, live, self.section.title, self.stem, out)
        self.drawing = painters.submit(write_figure, self._bare, self.stem, out)

    @property
    def waiting(self) -> "list[Future[Any]]":
        """What is being drawn and written."""
        return [self.drawing, *([self._living] if self._living else [])]

    def finish(self, out: Path) -> None:
        """Wait for the figure and the live page; keep a sentence if the figure could not be drawn."""
        if self.section.live and self._living:
            try:
                self.live = self._living.result()
            except BrokenProcessPool:
                self.live = write_live(self.section.live, self.section.title, self.stem, out)
        try:
            try:
                self.picture = self.drawing.result()
            except BrokenProcessPool:  # the processes could not start, or were ended
                self.picture = write_figure(self._bare, self.stem, out)
        except OSError:  # a full disk, which the others would not fit on either
            raise
        except Exception as error:  # whatever it is, the data is there and the other figures are to be shown
            self.failure = f"the figure {self.stem} could not be drawn: {type(error).__name__}: {error}"


def _chosen(chapter: Chapter, wanted: Collection[str]) -> list[Experiment]:
    everything = chapter.name in wanted or not (wanted or chapter.apart)
    return [experiment for experiment in chapter.experiments if everything or name_of(experiment) in wanted]


def _heading(problems: Sequence[Problem], stored: Mapping[str, object]) -> str:
    """What a report is about."""
    about = [*map(called, problems), *stored]
    if not about:
        return "What are the issues in implementing gradient descent updates?"
    return f"Gradient descent: {listed(about)}" if problems else f"Stored sweeps: {listed(about)}"


def _options(
    quick: bool, problems: Sequence[Problem], chosen: Sequence[Optimizer], stored: Mapping[str, object]
) -> str:
    """The options of the command line that make the same choice again."""
    words = [*stored, *(["--quick"] if quick else [])]
    words += [word for problem in problems for word in ("--problem", _word(problem))]
    words += [word for optimizer in chosen for word in ("--optimizer", _word(optimizer))]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _word(thing: Named) -> str:
    """How the command line names a thing; of what it cannot name, its label in angle brackets, which is refused."""
    try:
        return notation.written(thing)
    except ValueError:
        return f"<{thing.label.strip('<>')}>"


def _write_page(path: Path, pieces: Sequence[_Piece], chapters: Sequence[Chapter], around: Around) -> None:
    page = environment().get_template("page.html.j2")
    made = pd.DataFrame({"figure or table": piece.stem, "command": piece.command} for piece in pieces)
    html = page.render(
        heading=around.heading,
        opening=around.opening,
        chapters=[(chapter, found) for chapter in chapters if (found := [p for p in pieces if p.chapter is chapter])],
        outcomes=meanings() if around.outcomes else [],
        findings=[{"claim": claim, "piece": piece} for piece in pieces for claim in piece.section.findings],
        facts={**machine(), **around.facts, "command": around.again("")},
        made=shown_table(made) if len(made) else None,
        parity=shown_table(pd.DataFrame(optimizers.parity())) if around.parity else None,
        left_out=left_out(),
        results=any(piece.section.results for piece in pieces),
        living=any(piece.live for piece in pieces),
    )
    path.write_text(html, encoding="utf-8")
