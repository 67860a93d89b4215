"""gdfast: convergence and divergence maps of gradient descent, by compiled sweeps.

The public names: `Sweep`, `run`, `run_over`, `refine`, `trajectory`, `gradient_flow` and `check_gradient`, and the
modules `analysis`, `data`, `problems`, `optimizers`, `schedules`, `transforms`, `measures`, `executors`, `store`,
`outcomes`, `plot` and `theory`. They are loaded when first used, so that importing the package compiles and loads
nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdfast import (
        analysis,
        data,
        executors,
        measures,
        optimizers,
        outcomes,
        plot,
        problems,
        schedules,
        store,
        theory,
        transforms,
    )
    from gdfast.gradients import gradient_flow
    from gdfast.problems import check_gradient
    from gdfast.reference import trajectory
    from gdfast.refinement import refine
    from gdfast.runner import run
    from gdfast.study import run_over
    from gdfast.sweep import Sweep

__version__ = "0.1.0"
__all__ = [
    "Sweep",
    "analysis",
    "check_gradient",
    "data",
    "executors",
    "gradient_flow",
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
    "theory",
    "trajectory",
    "transforms",
]

_HOME = {
    "Sweep": "gdfast.sweep",
    "gradient_flow": "gdfast.gradients",
    "run": "gdfast.runner",
    "run_over": "gdfast.study",
    "trajectory": "gdfast.reference",
    "check_gradient": "gdfast.problems",
    "refine": "gdfast.refinement",
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
