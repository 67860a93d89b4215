"""gdfast: convergence and divergence maps of gradient descent, by compiled sweeps.

The public names: `Sweep`, `run`, `refine` and `trajectory`, and the modules `problems`, `optimizers`, `schedules`,
`outcomes`, `plot` and `theory`. They are loaded when first used, so that importing the package compiles and loads
nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdfast import executors, optimizers, outcomes, plot, problems, schedules, store, theory
    from gdfast.reference import trajectory
    from gdfast.refinement import refine
    from gdfast.runner import run
    from gdfast.sweep import Sweep

__version__ = "0.1.0"
__all__ = [
    "Sweep",
    "executors",
    "optimizers",
    "outcomes",
    "plot",
    "problems",
    "refine",
    "run",
    "schedules",
    "store",
    "theory",
    "trajectory",
]

_HOME = {
    "Sweep": "gdfast.sweep",
    "run": "gdfast.runner",
    "refine": "gdfast.refinement",
    "trajectory": "gdfast.reference",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gdfast' has no attribute {name!r}")
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        value = importlib.import_module(f"gdfast.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
