"""The figures that the README shows: ``python -m gdfast.report.gallery``, which writes them to ``reports/gallery``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gdfast.plot.look import apart
from gdfast.plot.ticks import plain_powers
from gdfast.report.chapters import landscape, learning_rate, mitigations, numbers, optimizers
from gdfast.report.lab import Lab
from gdfast.report.section import Experiment, name_of

SHOWN: Sequence[Experiment] = (
    learning_rate.rates,
    landscape.basins,
    learning_rate.bifurcation,
    mitigations.rescued,
    numbers.depth,
    optimizers.tuning,
)
_DPI = 90


def make(out: Path, lab: Lab | None = None) -> list[Path]:
    """Draw the figures of the gallery.

    Parameters
    ----------
    out : Path
        The folder to write PNGs to; made if it is not there.
    lab : Lab, optional
        Other settings than those of a whole report.

    Returns
    -------
    list of Path
        What was written.
    """
    out.mkdir(parents=True, exist_ok=True)
    lab = lab or Lab()
    written = []
    for experiment in SHOWN:
        for section in experiment(lab):
            if section.draw:
                stem = f"{name_of(experiment)}-{section.part}" if section.part else name_of(experiment)
                written.append(out / f"{stem}.png")
                with apart():
                    figure = section.draw()
                plain_powers(figure)
                figure.savefig(written[-1], dpi=_DPI)
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the figures that the README shows.")
    parser.add_argument("--out", type=Path, default=Path("reports/gallery"), help="the folder to write")
    for path in make(parser.parse_args().out):
        print(path)
