"""What a newcomer types of a formula, a rule and a schedule of their own, and what comes of it at the first attempt."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast.cli import app


def typed(line, *more):
    """A line of the shell, and what it prints."""
    return CliRunner().invoke(app, [*line.split(), *more])


def refused(done, *words):
    assert done.exit_code == 2, done.output
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


QUICK = "--optimizer gd --lr 0.01:0.2:5 --max-steps 2000 --backend numpy --out a.zarr"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "lowest"),
    [
        ("x^2 + 3*x", -2.25),
        ("np.sin(x) + x**2/10", -0.7946),
        ("(1-x[0])^2 + (x[1]-x[0]^2)^2", 0),
        ("ln(1 + x^2)", 0),
        ("log10(1 + x^2) + math.pi", np.pi),
        ("where(x < 1, (x - 1)^2, x - 1)", 0),
        ("relu(x - 1) + relu(-x)^2 + x^2/100", 0),
        ("cosh(x) - 1", 0),
        ("x*arctan(x)", 0),
    ],
)
def test_a_loss_as_it_stands_in_a_paper(loss, lowest):
    done = typed(f"sweep {QUICK} --loss", loss)
    assert done.exit_code == 0, done.output
    result = gdfast.store.read(Path("a.zarr"))
    assert float(result.loss.min()) == pytest.approx(lowest, abs=2e-2)
    assert (result.outcome == "global_minimum").any() or (result.outcome == 1).any()


def test_a_product_without_a_sign_is_answered_by_how_it_is_written():
    refused(typed(f"sweep {QUICK} --loss", "3x^2 + 2(x+1)"), "'3*x**2 + 2*(x+1)'")
    refused(typed(f"sweep {QUICK} --loss", "y = x^2"), "right-hand side")
    refused(typed(f"sweep {QUICK} --loss", "sum(x**2)"), "'sum' is not a function")


@pytest.mark.slow
def test_places_of_a_vector_have_starts():
    done = typed(f"sweep {QUICK} --loss x[0]^2+x[1]^4 --start x[0]=-1:1:3 --start x[1]=0.5")
    assert done.exit_code == 0, done.output
    assert gdfast.store.read(Path("a.zarr")).start_point.shape == (3, 2)


SCALE = 0.5


def clipped(g):
    return max(min(g, 1.0), -1.0)


def my_rule(theta, grad, m, lr):
    m: float = 0.9 * m + clipped(grad)
    theta -= SCALE * lr * m / (1e-8 + abs(m)) ** 0.5
    return theta, m


def test_a_rule_as_it_is_written_in_python():
    mine = gdfast.optimizers.Optimizer(my_rule, learning_rate=0.1)
    result = gdfast.run(gdfast.Sweep("quartic", [mine, "gd"], "1e-3:0.1:5", "-2:2:5"), backend="numpy")
    assert list(result.optimizer.values) == ["<my_rule>", "gd"]


def test_a_loss_as_a_lambda():
    problem = gdfast.problems.Landscape(lambda x, y: (x - 1) ** 2 + 3 * y**4, domain=[(-2, 2), (-2, 2)])
    np.testing.assert_allclose(problem.minima[0].point, [1, 0], atol=1e-3)


def test_a_schedule_as_a_function_of_the_step():
    mine = gdfast.optimizers.adam().scheduled(lambda step: 0.1 if step > 50 else 1)
    result = gdfast.run(gdfast.Sweep("quartic", mine, [0.05], [1.0]), backend="numpy")
    assert str(result.optimizer.values[0]) == "adam|<lambda step: 0.1 if step > 50 else 1>"


MINE = """
from gdfast import problems
from gdfast.optimizers import Optimizer

BETA = 0.9


def bowl(x, y):
    return (x - 1)**2 / 2 + 2 * (y + 0.5)**2


def heavy(theta, grad, m, lr):
    m = BETA * m + grad
    return theta - lr * m, m


def with_beta(beta=0.9):
    def rule(theta, grad, m, lr):
        m = beta * m + grad
        return theta - lr * m, m
    return Optimizer(rule, learning_rate=0.01)


def halving(step):
    return 0.5 ** (step // 100)
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)


def test_a_problem_and_a_rule_of_a_file(mine):
    done = typed(
        f"sweep --problem mine.py:bowl --optimizer mine.py:heavy --optimizer mine.py:with_beta:beta=0.5 {QUICK}"
    )
    assert done.exit_code == 0, done.output
    labels = ["mine.py:heavy", "mine.py:with_beta:beta=0.5", "gd"]
    assert list(gdfast.store.read(Path("a.zarr")).optimizer.values) == labels
    assert typed("summary a.zarr").exit_code == 0
    done = typed("map a.zarr -o a.png --optimizer mine.py:heavy")
    assert done.exit_code == 0, done.output


def test_a_schedule_of_a_file(mine):
    done = typed(f"sweep --problem quartic {QUICK} --schedule mine.py:halving")
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_hyperparameters_of_a_rule_of_a_file_as_an_axis(mine):
    done = typed(
        f"sweep --problem mine.py:bowl --optimizer mine.py:with_beta:beta=0:0.9:3 {QUICK} --start x=1 --start y=2"
    )
    assert done.exit_code == 0, done.output
    done = typed("map a.zarr -o a.png --y beta")
    assert done.exit_code == 0, done.output


def test_own_things_in_python(mine):
    result = gdfast.run(gdfast.Sweep("mine.py:bowl", ["gd", "mine.py:heavy"], [0.01, 0.1]), backend="numpy")
    assert list(result.optimizer.values) == ["gd", "mine.py:heavy"]


def test_what_is_wrong_with_a_file_is_told(mine):
    refused(typed(f"sweep --problem my.py:bowl {QUICK}"), "there is no file my.py")
    refused(typed(f"sweep --problem mine.py:bowls {QUICK}"), "'bowls' is not known", "bowl")


@pytest.mark.slow
def test_a_measure_by_its_name():
    done = typed(f"sweep --problem quartic {QUICK} --measure steps_to_reach:tolerance=1e-3")
    assert done.exit_code == 0, done.output
    assert "measure" in gdfast.store.read(Path("a.zarr"))


@pytest.mark.slow
def test_learning_rate_by_curvature():
    done = typed(f"sweep {QUICK} --param a=log:0.1:10:3 --start 1.5 --loss", "a*x^2/2")
    assert done.exit_code == 0, done.output
    done = typed("map a.zarr -o a.png --y a")
    assert done.exit_code == 0, done.output
    assert typed("summary a.zarr").exit_code == 0


def test_a_number_of_a_loss_with_one_value():
    done = typed(f"sweep {QUICK} --param k=3 --loss", "(x - k)^2")
    assert done.exit_code == 0, done.output
    assert float(gdfast.store.read(Path("a.zarr")).loss.min()) == pytest.approx(0, abs=1e-6)


def test_a_parameter_that_the_loss_does_not_have():
    refused(typed(f"sweep {QUICK} --param k=3 --loss", "x^2"), "params", "'k'")


def test_constants_of_a_loss_in_python():
    def loss(x, y, a=2.0):
        return a * x**2 + (y - a) ** 2

    problem = gdfast.problems.Landscape(loss, domain=[(-3, 3), (-3, 3)])
    np.testing.assert_allclose(problem.replace(params={"a": 1.5}).minima[0].point, [0, 1.5], atol=1e-9)
