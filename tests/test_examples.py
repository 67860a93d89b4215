"""The examples of docstrings are run, and print what they say."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import gdfast
from gdfast import catalogues
from gdfast.handbook import api

PACKAGE = Path(gdfast.__file__).parent
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_examples_print_what_they_say(path):
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


OF_CATALOGUES = {f"gdfast.{kind}.{name}" for kind in catalogues.KINDS for name in catalogues.catalogue(kind)}
"""Their pages have lines that use them, which `tests/handbook` runs."""

WITHOUT = {
    "gdfast.executors.dask",  # needs a cluster
    "gdfast.executors.of",  # takes what the command line has checked
    "gdfast.optimizers.named",  # a decorator, of files
    "gdfast.problems.named",
    "gdfast.plot.outcome_legend",  # a part of figures
    "gdfast.store.check_folder",  # of folders that others wrote
    "gdfast.store.read",
    "gdfast.store.status",
}


CLASSES_WITHOUT = {
    "gdfast.data.Batches",  # of `Sampling`, whose example has them
    "gdfast.executors.Cluster",  # needs a cluster
    "gdfast.executors.Processes",  # starts processes
    "gdfast.executors.WorkersDifferError",  # errors, which are raised and not made
    "gdfast.executors.WorkersError",
    "gdfast.executors.WorkersLostError",
    "gdfast.store.StoreError",
    "gdfast.outcomes.Cells",  # what tiles hand on
    "gdfast.outcomes.Judge",
    "gdfast.outcomes.Limits",
    "gdfast.plot.Film",  # of `race` and `animate_map`, whose examples have it
    "gdfast.problems.LaneKernel",  # loops for the compiler
    "gdfast.schedules.Varied",  # what optimizers and transforms have in common
    "gdfast.store.Status",  # of `status`
}


def test_every_public_class_has_an_example():
    classes = {name: value for name, value in api.public() if inspect.isclass(value)}
    assert {name for name, value in classes.items() if ">>> " not in (value.__doc__ or "")} == CLASSES_WITHOUT


def test_every_public_function_has_an_example():
    functions = {name: value for name, value in api.public() if inspect.isfunction(value) and name.count(".") < 3}
    methods = {name for name in functions if inspect.isclass(getattr(gdfast, name.split(".")[1]))}
    without = {name for name, value in functions.items() if ">>> " not in (value.__doc__ or "")}
    assert without - methods - OF_CATALOGUES == WITHOUT
