"""What notebooks are told, and how far a run is in a cell."""

import sys
import types

import pytest

import gdfast
from gdfast import notebook, optimizers, problems
from gdfast.running import progress


class Formatter:
    def __init__(self):
        self.types = {}

    def for_type_by_name(self, module, name, shown):
        self.types[f"{module}.{name}"] = shown


def test_everything_that_is_registered_is_there_and_shown():
    formatter = Formatter()
    shell = types.SimpleNamespace(display_formatter=types.SimpleNamespace(formatters={"text/html": formatter}))
    notebook.register(shell)
    things = [problems.himmelblau(), optimizers.adam(beta1=0.8), gdfast.Sweep("quartic", "gd", [0.1], [1.0])]
    for (path, shown), thing in zip(formatter.types.items(), things, strict=True):
        assert path in [f"{kind.__module__}.{kind.__qualname__}" for kind in type(thing).__mro__]
        assert shown(thing).startswith("<div")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("problem", "has_picture"),
    [
        (problems.quartic(), True),
        (problems.himmelblau(), True),
        (problems.rastrigin(dimension=3), False),
        (problems.from_expression("0*x"), False),
        (problems.from_expression("log(x)"), True),
        (problems.mlp((2, 2, 1), points=4), False),
        (problems.linear_regression("diabetes"), False),
    ],
)
def test_landscapes_of_one_or_two_coordinates_have_pictures(problem, has_picture):
    assert ("data:image/png;base64," in notebook.problem(problem)) == has_picture


def test_names_cannot_do_anything():
    table = gdfast.data.load(([[1.0], [2.0]], [1.0, 2.0]))
    assert "<b>" not in notebook.problem(problems.linear_regression(table)).replace("<b>", "", 1)
    assert "&lt;_rule&gt;" in notebook.optimizer(optimizers.Optimizer(_rule, 0.1))


def test_a_cell_shows_a_bar_and_takes_it_away(monkeypatch):
    said = []
    handle = types.SimpleNamespace(update=said.append)
    display = types.ModuleType("IPython.display")
    display.HTML = str
    display.display = lambda bar, display_id: said.append(bar) or handle
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with progress.reporting(True) as report:
        report(progress.State(0, 100, 0, 10, 1.0))
        report(progress.State(100, 100, 10, 10, 1.0, "a <worker>"))
    assert "value='100' max='100'" in said[-2]
    assert "a &lt;worker&gt;" in said[-2]
    assert said[-1] == ""
    said.clear()
    with progress.reporting(None) as report:  # what is quick shows nothing
        report(progress.State(100, 100, 10, 10, 1.0))
    assert said == []


def _rule(theta, grad, lr):
    return theta - lr * grad
