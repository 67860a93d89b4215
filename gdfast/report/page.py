"""Building a report: run the experiments, write data and figures, and one page that holds everything.

Figures are drawn by processes of their own while the experiments go on, and before times are taken.
"""

import contextlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gdfast import arguments, notation, optimizers
from gdfast.named import Named
from gdfast.optimizers import Optimizer
from gdfast.outputs import folder_beside
from gdfast.problems import Problem
from gdfast.report.chapters import CHAPTERS
from gdfast.report.lab import SEED, Lab
from gdfast.report.section import Chapter, Experiment, Section, name_of
from gdfast.report.single import environment, meanings
from gdfast.report.writing import Picture, left_out, shown_table, write_data, write_figure
from gdfast.storing.result import machine
from gdfast.tiles.executors import Processes, cores


def build(
    out: Path,
    quick: bool = False,
    only: Sequence[str] = (),
    problems: Sequence[Problem] = (),
    chosen: Sequence[Optimizer] = (),
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
        Names of the chapters and experiments to run; all if there are none.
    problems : sequence of Problem
        Leave out what is about others, and compare on these.
    chosen : sequence of Optimizer
        Compare these.
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
    names = [*CHAPTERS, "provenance", *(name_of(e) for chapter in CHAPTERS.values() for e in chapter.experiments)]
    wanted = {arguments.choice("only", name, names) for name in only}
    lab = Lab(quick, problems, chosen, out)
    options = _options(quick, problems, chosen)
    for words in left_out():
        tell(words)
    with folder_beside(out) as part:
        pieces = _pieces(lab, wanted, options, part, tell)
        if not pieces and wanted != {"provenance"}:
            raise ValueError(
                "only and problem leave nothing to show: no experiment of these names is about these problems"
            )
        _write_page(part / "index.html", pieces, lab, options)
    return out / "index.html", [piece.failure for piece in pieces if piece.failure]


def _pieces(lab: Lab, wanted: set[str], options: str, out: Path, tell: Callable[[str], None]) -> "list[_Piece]":
    """Run the experiments that are wanted, and write their data and figures."""
    pieces: list[_Piece] = []
    written: set[int] = set()
    with Processes(min(cores(), 4)) as painters, _leaving_at_once(painters):
        for chapter in CHAPTERS.values():
            experiments = _chosen(chapter, wanted)
            if chapter.timed and experiments:
                wait([piece.drawing for piece in pieces])
            for experiment in experiments:
                tell(f"{chapter.title}: {name_of(experiment)}")
                pieces += [_Piece(chapter, experiment, s, options, out, painters, written) for s in experiment(lab)]
        tell("figures")
        for piece in pieces:
            piece.finish(out)
    return pieces


@contextlib.contextmanager
def _leaving_at_once(painters: Executor) -> Iterator[None]:
    """On an error or Ctrl-C, leave without the figures that are still to be drawn."""
    try:
        yield
    except BaseException:
        painters.shutdown(wait=False, cancel_futures=True)
        raise


class _Piece:
    """A section and what the page shows of it: making one writes its data and hands its figure to a painter."""

    def __init__(
        self,
        chapter: Chapter,
        experiment: Experiment,
        section: Section,
        options: str,
        out: Path,
        painters: Executor,
        written: set[int],
    ) -> None:
        name = name_of(experiment)
        self.chapter, self.section = chapter, section
        self.stem = f"{name}-{section.part}" if section.part else name
        self.command = f"gdfast report --only {name}{options}"
        write_data(section, self.stem, out, written)
        self.table = None if section.table is None else shown_table(section.table)
        self.picture: Picture | None = None
        self.failure = ""
        self._bare = replace(section, text=(), claims=(), table=None, results={})
        self.drawing = painters.submit(write_figure, self._bare, self.stem, out)

    def finish(self, out: Path) -> None:
        """Wait for the figure; keep a sentence if it could not be drawn."""
        try:
            try:
                self.picture = self.drawing.result()
            except BrokenProcessPool:  # the processes could not start, or were ended
                self.picture = write_figure(self._bare, self.stem, out)
        except OSError:  # a full disk, which the others would not fit on either
            raise
        except Exception as error:  # whatever it is, the data is there and the other figures are to be shown
            self.failure = f"the figure {self.stem} could not be drawn: {type(error).__name__}: {error}"


def _chosen(chapter: Chapter, wanted: set[str]) -> list[Experiment]:
    everything = not wanted or chapter.name in wanted
    return [experiment for experiment in chapter.experiments if everything or name_of(experiment) in wanted]


def _options(quick: bool, problems: Sequence[Problem], chosen: Sequence[Optimizer]) -> str:
    """The options of the command line that make the same choice again."""
    words = ["--quick"] if quick else []
    words += [word for problem in problems for word in ("--problem", _word(problem))]
    words += [word for optimizer in chosen for word in ("--optimizer", _word(optimizer))]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _word(thing: Named) -> str:
    """How the command line names a thing; of what it cannot name, its label in angle brackets, which is refused."""
    try:
        return notation.written(thing)
    except ValueError:
        return f"<{thing.label.strip('<>')}>"


def _write_page(path: Path, pieces: Sequence[_Piece], lab: Lab, options: str) -> None:
    findings = [{"claim": claim, "piece": piece} for piece in pieces for claim in piece.section.findings]
    made = pd.DataFrame({"figure or table": piece.stem, "command": piece.command} for piece in pieces)
    facts = {
        **machine(),
        "seeds": f"{SEED} for random starts, 1 for gradient noise, 0 upwards for initial weights",
        "command": f"gdfast report{options}",
    }
    page = environment().get_template("page.html.j2")
    html = page.render(
        chapters=[(chapter, [p for p in pieces if p.chapter is chapter]) for chapter in _in_order(pieces)],
        outcomes=meanings(),
        findings=findings,
        facts=facts,
        made=shown_table(made) if len(made) else None,
        parity=shown_table(pd.DataFrame(optimizers.parity())),
        left_out=left_out(),
        quick=lab.quick,
    )
    path.write_text(html, encoding="utf-8")


def _in_order(pieces: Sequence[_Piece]) -> list[Chapter]:
    return [chapter for chapter in CHAPTERS.values() if any(piece.chapter is chapter for piece in pieces)]
