"""Pictures of the handbook: of what catalogues hold, and those that blocks of its texts leave.

They are drawn by a few processes and kept, by what makes them, in the user's folder for caches, so that the next time
only those are drawn whose text, or the code of gdfast, is another. Maps of catalogues are computed by the NumPy
reference, which compiles nothing and gives the bits that kernels give.
"""

import ast
import base64
import hashlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gdfast.handbook import blocks

_PROCESSES = 2
_RATES, _STARTS, _STEPS, _ZOOM = 96, 64, 300, 4
_FEW = (12, 8, 30)  # rates, starts and steps of problems with data, whose steps take long
_DPI = 110


class Job(NamedTuple):
    """What makes some pictures.

    Attributes
    ----------
    make : callable
        Makes the pictures in a folder, of the arguments.
    arguments : tuple of str
        Further arguments of it.
    files : tuple of str
        The names of the pictures.
    """

    make: Callable[..., None]
    arguments: tuple[str, ...]
    files: tuple[str, ...]

    def key(self, text: str) -> str:
        """What it is kept under, with the code of gdfast."""
        texts = [Path(word).read_text(encoding="utf-8") if os.path.isfile(word) else word for word in self.arguments]
        return hashlib.sha256("\0".join([self.make.__name__, *texts, *self.files, text]).encode()).hexdigest()[:24]


class Folder:
    """The folder of all pictures of a handbook, and what has to be drawn for it.

    Parameters
    ----------
    place : Path
        The folder.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.jobs: list[Job] = []

    def of_thing(self, kind: str, name: str) -> str:
        """Ask for the picture of what a catalogue has under a name; return the name of its file."""
        file = f"{kind}-{name}.png"
        self.jobs.append(Job(draw_thing, (kind, name), (file,)))
        return file

    def of_page(self, page: Path, alone: bool) -> None:
        """Ask for the pictures of a page's blocks, and put them into its text."""
        text = page.read_text(encoding="utf-8")
        files = []
        up = "../" * (len(page.parent.relative_to(self.place.parent).parts))
        original = self.place.parent / f"{page.parent.name}-{page.name}.text"
        original.write_text(text, encoding="utf-8")
        for number, block in reversed(list(enumerate(blocks.of_page(page)))):
            if block.picture:
                files.append(f"{page.parent.name}-{page.stem}-{number}.png")
                begin, end = block.span
                shown = text[begin:end].replace(" picture", "", 1)
                title = _heading_above(text, begin)
                text = f"{text[:begin]}{shown}\n\n![{title}]({up}_pictures/{files[-1]})\n{text[end:]}"
        page.write_text(text, encoding="utf-8")
        self.jobs.insert(0, Job(draw_page, (str(original), "alone" if alone else ""), tuple(files)))

    def make(self) -> None:
        """Draw what is asked for, or take it from where it was kept.

        Raises
        ------
        ValueError
            If a block fails.
        """
        self.place.mkdir()
        cache = _cache()
        text = _code_of_gdfast()
        wanted = {job.key(text): job for job in self.jobs}
        missing = {key: job for key, job in wanted.items() if not _is_kept(cache / key, job)}
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(_PROCESSES, os.cpu_count() or 1), context) as pool:
                done = {pool.submit(_draw, job, Path(temporary) / key): key for key, job in missing.items()}
                for future in as_completed(done):
                    if future.exception() is None:  # what is drawn is kept, whatever becomes of the others
                        shutil.rmtree(cache / done[future], ignore_errors=True)
                        (Path(temporary) / done[future]).rename(cache / done[future])
                for future in done:
                    future.result()
            for old in set(cache.iterdir()) - {cache / key for key in wanted} - {Path(temporary)}:
                shutil.rmtree(old, ignore_errors=True)  # of other texts
        for key, job in wanted.items():
            for file in job.files:
                shutil.copyfile(cache / key / file, self.place / file)


def _code_of_gdfast() -> str:
    """A digest of what gdfast does: of its modules without their docstrings, commands and this handbook."""
    total = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        if file.relative_to(package).parts[0] in ("commands", "handbook", "report"):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
        total.update(f"{file.relative_to(package).as_posix()}\0{ast.dump(tree)}".encode())
    return total.hexdigest()


def _is_text(line: ast.AST) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _cache() -> Path:
    """The folder in which pictures are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    try:
        folder = Path(base) / "gdfast" / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # where the user's folder cannot be written, they are drawn each time
        folder = Path(tempfile.mkdtemp(prefix="gdfast-pictures-"))
    return folder


def _is_kept(folder: Path, job: Job) -> bool:
    return all((folder / file).is_file() for file in job.files)


def _draw(job: Job, folder: Path) -> None:
    """Make the pictures of a job, in a process of its own."""
    import matplotlib

    matplotlib.use("agg")
    folder.mkdir()
    job.make(folder, *job.arguments)


def _heading_above(text: str, place: int) -> str:
    """The heading of a page that stands above a place in it, as what is shown there."""
    headings = [line for line in text[:place].splitlines() if line.startswith("#")]
    return headings[-1].lstrip("# ") if headings else "Figure"


def draw_page(folder: Path, page: str, alone: str) -> None:
    """Run the blocks of a page, and write the figures that it shows."""
    where, stem = Path(page).name.removesuffix(".md.text").split("-", 1)

    def save(number: int, figure: Any) -> None:
        figure.savefig(folder / f"{where}-{stem}-{number}.png", dpi=_DPI)

    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / where / f"{stem}.md"
        copy.parent.mkdir()
        shutil.copyfile(page, copy)
        work = Path(temporary) / "work"
        work.mkdir()
        blocks.run(copy, work, blocks.in_a_process, save, bool(alone))


def draw_thing(folder: Path, kind: str, name: str) -> None:
    """Draw what a catalogue has under a name."""
    from gdfast.catalogues import catalogue

    file = folder / f"{kind}-{name}.png"
    thing = catalogue(kind)[name]()
    if kind == "problems":
        from gdfast.notebook import picture

        if encoded := picture(thing):
            file.write_bytes(base64.b64decode(encoded))
        else:
            _draw_map(file, thing, "gd")
    elif kind == "optimizers":
        _draw_map(file, "quartic", thing)
    elif kind == "transforms":
        _draw_map(file, "quartic", catalogue("optimizers")["gd"]().transformed(thing))
    else:
        _draw_schedule(file, thing)


def _draw_map(file: Path, problem: Any, optimizer: Any) -> None:
    """Draw the outcomes over learning rate and start, as pixels."""
    from matplotlib.image import imsave

    import gdfast

    rates, starts, steps = _FEW if problem != "quartic" else (_RATES, _STARTS, _STEPS)
    points: Any = np.linspace(-4, 4, starts)[:, None] if problem == "quartic" else problem.random(starts, 0)
    sweep = gdfast.Sweep(problem, [optimizer], f"default:0.01:100:{rates}", points, steps)
    image = gdfast.plot.outcome_image(gdfast.run(sweep, backend="numpy"))
    zoom = _ZOOM * _RATES // rates
    imsave(file, np.repeat(np.repeat(image, zoom * 2 // 3 if zoom > _ZOOM else zoom, 0), zoom, 1))


def _draw_schedule(file: Path, thing: Any) -> None:
    """Draw the factor of the learning rate over the step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 2.2), layout="constrained")
    ax = figure.subplots()
    ax.plot(thing.multipliers(_STEPS))
    ax.set_xlabel("step")
    ax.set_ylabel("factor of the learning rate")
    figure.savefig(file, dpi=_DPI)
