"""What a sweep is given by people, brought into its form."""

import cases
import numpy as np
import pandas as pd
import pytest
import xarray

import gdfast
from gdfast.problems import Landscape

POINTS = np.array([[1.0, 0.25], [2.0, 0.5], [-1.0, 0.75]])
PROBLEM = gdfast.problems.from_expression("x**2 + 3*y**2")


def starts(given):
    return gdfast.Sweep(PROBLEM, "gd", [0.1], given, 3).starts


@pytest.mark.parametrize(
    "given",
    [
        pd.DataFrame(POINTS, columns=["x", "y"]),
        pd.DataFrame(POINTS[:, ::-1], columns=["y", "x"]),
        pd.DataFrame(POINTS),
        xarray.DataArray(POINTS, dims=("start", "parameter")),
        xarray.DataArray(POINTS, dims=("start", "parameter"), coords={"parameter": ["x", "y"]}),
        xarray.DataArray(POINTS.T[::-1], dims=("parameter", "start"), coords={"parameter": ["y", "x"]}),
        gdfast.sweep(PROBLEM, "gd", [0.1], POINTS, 3, backend="numpy").start_point,
    ],
)
def test_coordinates_that_have_names_are_taken_by_them(given):
    np.testing.assert_array_equal(starts(given), POINTS)


@pytest.mark.parametrize("names", [["u", "v"], ["x", "x"], ["x", "z"], ["x", "y", "init"]])
def test_names_of_other_coordinates_are_refused(names):
    table = pd.DataFrame(np.ones((3, len(names))), columns=names)
    cases.refused(lambda: starts(table), ValueError, "starts", "x, y", ", ".join(names))
    named = xarray.DataArray(table.to_numpy(), dims=("start", "parameter"), coords={"parameter": names})
    cases.refused(lambda: starts(named), ValueError, "starts", "x, y", ", ".join(names))


def loss(x, y, a=2.0):
    return a * x * x * y


@pytest.mark.parametrize(
    ("gradient", "told"),
    [
        (lambda y, x, a: (2 * a * x * y, a * x * x), "y, x, a"),
        (lambda x, y: (x, y), "x, y"),
        (lambda x: (x, x), "x"),
        (lambda a, x, y: (2 * a * x * y, a * x * x), "a, x, y"),
        (lambda u, x, a: (2 * a * u * x, a * u * u), "u, x, a"),
    ],
)
def test_arguments_of_a_gradient_are_those_of_the_loss(gradient, told):
    domain = [(-1, 1)] * 2
    cases.refused(lambda: Landscape(loss, gradient, domain=domain), ValueError, "gradient_formula", "x, y, a", told)
    landscape = Landscape(loss, lambda u, v, a: (2 * a * u * v, a * u * u), domain=domain)
    np.testing.assert_array_equal(landscape.gradient([3.0, 5.0])[:, 0], [60.0, 18.0])
