"""Numbers of a loss that are no coordinates: one kernel for all values, each judged by its own lowest minimum."""

import pickle

import cases
import numpy as np
import pytest

import gdfast
from gdfast import notation
from gdfast.kernels import fuse
from gdfast.problems import Landscape, from_expression

TEXT = "a*(x - c)**2 + b*x*y + y**4 + a*y**2"


def tilted(x, y, a=1.0, b=0.5):
    return a * (x - 1) ** 2 + b * x * y + y**4 + a * y**2


def test_params_are_the_numbers_in_their_place():
    values = {"a": 1.5, "b": -0.3, "c": 0.25}
    with_params = from_expression(TEXT, (-2, 2), params=values)
    text = TEXT
    for name, value in values.items():
        text = text.replace(name, str(value))
    plain = from_expression(text, (-2, 2))
    assert with_params.coordinates == plain.coordinates == ("x", "y")
    theta = plain.random(50).T
    for method in ("loss", "gradient", "hessian"):
        np.testing.assert_allclose(getattr(with_params, method)(theta), getattr(plain, method)(theta), rtol=1e-12)
    assert with_params.lowest == pytest.approx(plain.lowest, rel=1e-12)
    assert gdfast.check_gradient(with_params)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kernel_and_reference_agree_and_one_kernel_serves_all_values(dtype):
    problem = from_expression(TEXT, (-2, 2), params={"a": 0.7, "b": 0.1, "c": 1.3})
    cases.agree(gdfast.Sweep(problem, "gd polyak_sgd", [0.01, 0.1], problem.random(6), 200, dtype=dtype))
    other = from_expression(TEXT, (-2, 2), params={"a": 2.0, "b": 0.1, "c": 1.3})
    kernels = {id(fuse.step_kernel(each, gdfast.optimizers.gd(), dtype=dtype)) for each in (problem, other)}
    assert len(kernels) == 1
    cases.agree(gdfast.Sweep(other, "gd", [0.01, 0.1], problem.random(6), 200, dtype=dtype))


def test_defaults_of_a_loss_are_its_params():
    problem = Landscape(tilted, domain=[[-2, 2]] * 2)
    assert problem.coordinates == ("x", "y")
    assert dict(problem.params) == {"a": 1.0, "b": 0.5}
    same = from_expression("a*(x - 1)**2 + b*x*y + y**4 + a*y**2", (-2, 2), params={"a": 1.0, "b": 0.5})
    theta = problem.random(20).T
    np.testing.assert_allclose(problem.gradient(theta), same.gradient(theta), rtol=1e-12)
    assert problem.replace(params={"b": 2.0}).params == {"a": 1.0, "b": 2.0}
    given = Landscape(lambda x, k: k * x**2, lambda x, k: 2 * k * x, domain=(-1, 1), params={"k": 3})
    assert given.loss([2.0]) == 12
    assert given.gradient([2.0])[0] == 12


def test_they_are_values():
    problem = from_expression("a*x**2", params={"a": 0.1})
    assert problem.label == "from_expression:expression=a*x**2,params=(a=0.1)"
    assert notation.problem(problem.label) == problem
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert problem != from_expression("a*x**2", params={"a": 0.2})
    assert problem.specification["parameters"]["params"] == {"a": 0.1}
    direct = Landscape(tilted, domain=[[-2, 2]] * 2, params={"a": 3})
    assert direct.specification["parameters"]["params"] == {"a": 3.0, "b": 0.5}
    assert pickle.loads(pickle.dumps(direct)) == direct


def test_many_coordinates_have_params_too():
    text = "+".join(f"a*(x[{i}] - b)**2" for i in range(9))
    problem = from_expression(text, (-3, 3), params={"a": 0.5, "b": 1.5})
    np.testing.assert_allclose(problem.minima[0].point, 1.5)
    cases.agree(gdfast.Sweep(problem, "gd", [0.1, 0.5], problem.random(3), 100))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: from_expression("a*x", params={"b": 1}), ["params", "'b'", "a, x"]),
        (lambda: from_expression("a*x", params={"a": "one"}), ["params: a", "'one'"]),
        (lambda: from_expression("a*x", params={"a": float("nan")}), ["params: a", "nan"]),
        (lambda: from_expression("a*x", params={"a": 1, "x": 2}), ["1 to 100 coordinates", "none"]),
        (lambda: from_expression("a*x", params=3), ["params", "3"]),
        (lambda: Landscape(lambda a, x: a * x, domain=(-1, 1), params={"a": 1}), ["behind the coordinates", "a, x"]),
        (lambda: Landscape(tilted, domain=[[-2, 2]] * 2, params={"k": 1}), ["params", "'k'"]),
    ],
)
def test_what_is_no_parameter_is_refused(make, words):
    cases.refused(make, (TypeError, ValueError), *words)
