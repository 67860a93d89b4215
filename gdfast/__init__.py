"""gdfast: convergence and divergence maps of gradient descent, by compiled sweeps.

The public names: `Sweep`, `History`, `sweep`, `run`, `run_over`, `refine`, `tune`, `trajectory`, `load`, `sweep_of`,
`tidy`, `tidy_pieces`, `gradient_flow`, `check_gradient` and `live`, and the modules `analysis`, `data`, `problems`,
`optimizers`, `schedules`, `transforms`, `measures`, `executors`, `store`, `outcomes`, `plot` and `theory`. They are
loaded when first used, so that importing the package compiles and loads nothing.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdfast import analysis, data, measures, optimizers, plot, problems, schedules, theory, transforms
    from gdfast.analysis.again import load, sweep_of
    from gdfast.history import History
    from gdfast.live import live
    from gdfast.problems import check_gradient
    from gdfast.problems.networks.gradient_flow import gradient_flow
    from gdfast.running.refine import refine
    from gdfast.running.run import run, sweep
    from gdfast.running.run_over import run_over
    from gdfast.running.trajectory import trajectory
    from gdfast.running.tune import tune
    from gdfast.storing import store
    from gdfast.storing.tidy import tidy, tidy_pieces
    from gdfast.tiles import executors, outcomes
    from gdfast.tiles.sweep import Sweep

__version__ = "0.1.0"
__all__ = [
    "History",
    "Sweep",
    "analysis",
    "check_gradient",
    "data",
    "executors",
    "gradient_flow",
    "live",
    "load",
    "measures",
    "optimizers",
    "outcomes",
    "plot",
    "problems",
    "refine",
    "run",
    "run_over",
    "schedules",
    "store",
    "sweep",
    "sweep_of",
    "theory",
    "tidy",
    "tidy_pieces",
    "trajectory",
    "transforms",
    "tune",
]

_HOME = {
    "History": "gdfast.history",
    "Sweep": "gdfast.tiles.sweep",
    "check_gradient": "gdfast.problems",
    "gradient_flow": "gdfast.problems.networks.gradient_flow",
    "load": "gdfast.analysis.again",
    "refine": "gdfast.running.refine",
    "run": "gdfast.running.run",
    "run_over": "gdfast.running.run_over",
    "sweep": "gdfast.running.run",
    "sweep_of": "gdfast.analysis.again",
    "tidy": "gdfast.storing.tidy",
    "tidy_pieces": "gdfast.storing.tidy",
    "trajectory": "gdfast.running.trajectory",
    "tune": "gdfast.running.tune",
}
_ROOMS = {"executors": "gdfast.tiles", "outcomes": "gdfast.tiles", "store": "gdfast.storing"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gdfast' has no attribute {name!r}")
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        value = importlib.import_module(f"{_ROOMS.get(name, 'gdfast')}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _show_in_notebooks() -> None:
    """Tell IPython, where it runs this, how things are shown."""
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        importlib.import_module("gdfast.notebook").register(shell)


if "IPython" in sys.modules:
    _show_in_notebooks()
