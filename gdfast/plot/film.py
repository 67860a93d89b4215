"""Moving figures: drawn frame by frame, written as GIF or, where ffmpeg is installed, as MP4; notebooks show them."""

import base64
import contextvars
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gdfast import arguments, memory, outputs

MOST_FRAMES = 600
_DPI, _LONGEST_SIDE = 100.0, 2000  # pixels an inch, and a side
_HOLD = 1.5  # seconds that the last frame is held
_COLOURS = 255


class Film:
    """A figure that moves.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What moves.
    move : callable
        Brings the figure into the frame of a number, and returns what moved, or None where all is to be drawn anew.
    frames : int
        How many there are.
    rate : float
        Frames a second.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        As it is in the frame that was drawn last.
    frames : int
        How many there are.
    rate : float
        Frames a second.
    """

    def __init__(
        self, figure: Figure, move: Callable[[int], Sequence[Artist] | None], frames: int, rate: float
    ) -> None:
        """`move` brings the figure into a frame, and returns what moved, or None where all is to be drawn anew."""
        self.figure, self._move, self.frames, self.rate = figure, move, frames, rate
        # What is drawn later is drawn in the colours and the style of now.
        self._context = contextvars.copy_context()
        self._style = {name: value for name, value in matplotlib.rcParams.items() if "backend" not in name}
        width, height = figure.get_size_inches()
        self._dpi = min(_DPI, _LONGEST_SIDE / max(width, height))
        memory.fits(
            f"frames: {frames:,} pictures",
            4.0 * frames * width * height * self._dpi**2,
            "make fewer, or a smaller size",
        )

    def __repr__(self) -> str:
        return f"<film of {self.frames} frames, {self.frames / self.rate:.1f} s>"

    def __len__(self) -> int:
        return self.frames

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the film.

        Parameters
        ----------
        path : path
            A GIF; or, where ffmpeg is installed, an MP4; by suffix.

        Raises
        ------
        TypeError, ValueError
            If it is another kind of file, or ffmpeg is wanted and not there.
        OSError
            If it cannot be written; what was there is still as it was.
        """
        target = Path(arguments.instance("path", path, (str, os.PathLike), "a path"))  # type: ignore[arg-type]
        check(target)
        outputs.check(target)
        with outputs.beside(target) as part:
            if target.suffix == ".gif":
                part.write_bytes(self._gif())
            else:
                self._mp4(part)

    def pictures(self) -> "Iterator[NDArray[np.uint8]]":
        """The frames one after the other, ``uint8[height, width, 3]``.

        Yields
        ------
        ndarray
            Red, green and blue.
        """
        canvas = FigureCanvasAgg(self.figure)
        before, self.figure.dpi = self.figure.dpi, self._dpi
        still: Any = None
        try:
            for number in range(self.frames):
                with matplotlib.rc_context(self._style):
                    moved = self._context.run(self._move, number)
                    if moved is None or still is None:
                        canvas.draw()  # type: ignore[no-untyped-call]  # without what is animated
                        self.figure.set_layout_engine("none")  # laid out once
                        still = canvas.copy_from_bbox(self.figure.bbox)  # type: ignore[no-untyped-call]
                    else:
                        canvas.restore_region(still)  # type: ignore[no-untyped-call]
                    for artist in moved or ():
                        self.figure.draw_artist(artist)
                yield np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
        finally:
            self.figure.dpi = before

    def _gif(self) -> bytes:
        from PIL import Image

        pictures = [Image.fromarray(picture) for picture in self.pictures()]
        some = [pictures[i] for i in np.unique(np.linspace(0, len(pictures) - 1, 4).astype(int))]
        width, height = some[0].size
        sheet = Image.new("RGB", (width, height * len(some)))
        for place, picture in enumerate(some):
            sheet.paste(picture, (0, place * height))
        # One palette for all, so that what stands still has the same colours in each frame and is stored once.
        palette = sheet.quantize(_COLOURS, dither=Image.Dither.NONE)
        first, *others = (picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures)
        each = round(1000 / self.rate)
        durations = [each] * len(others) + [each + round(1000 * _HOLD)]
        buffer = io.BytesIO()
        first.save(
            buffer, format="GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False
        )
        return buffer.getvalue()

    def _mp4(self, path: Path) -> None:
        pictures = self.pictures()
        first = next(pictures)
        height, width, _ = first.shape
        command = [
            *(_ffmpeg() or "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"),
            *("-s", f"{width}x{height}", "-r", f"{self.rate:g}", "-i", "-"),
            *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", str(path)),
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            assert running.stdin is not None
            assert running.stderr is not None
            try:
                running.stdin.write(first.tobytes())
                for picture in pictures:
                    running.stdin.write(picture.tobytes())
                running.stdin.close()
            except BrokenPipeError:
                pass  # it says why
            said = running.stderr.read().decode(errors="replace").split("\n")
        if running.returncode:
            raise OSError(f"ffmpeg cannot write {path.suffix[1:]}: {(said[0] or 'it does not say why')[:200]}")

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self._gif()).decode("ascii")
        return f'<img src="data:image/gif;base64,{picture}" alt="a film of {self.frames} frames">'


def check(path: Path, argument: str = "path") -> None:
    """Refuse a name of another kind of file than films are written as, and MP4 without ffmpeg; a message names it.

    Raises
    ------
    ValueError
        If it is one.
    """
    arguments.choice(f"{argument}: suffix", path.suffix, [".gif", ".mp4"])
    if path.suffix == ".mp4" and _ffmpeg() is None:
        raise ValueError(
            f"{argument}: an MP4 needs ffmpeg, which is not installed; give a GIF, {path.with_suffix('.gif')}"
        )


def _ffmpeg() -> str | None:
    return shutil.which("ffmpeg")


__all__ = ["MOST_FRAMES", "Film", "check"]
