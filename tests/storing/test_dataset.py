"""Results are the datasets that xarray makes of the same arrays."""

import datetime

import numpy as np
import pytest
import xarray

import gdfast
from gdfast.starts import Starts
from gdfast.storing.dataset import Result, assembled

DAY = datetime.datetime(2020, 1, 1)
COORDINATES = {
    "axis of texts": ("axis", np.array(["gd", "adam"], dtype=object), {"long_name": "rule"}),
    "axis of numbers": ("axis", np.array([0.1, 0.2], dtype=np.float32), {}),
    "axis of whole numbers": np.arange(2),
    "texts beside": ("other", np.array(["a", "b"], dtype=object)),
    "texts of one length": ("other", np.array(["a", "b"])),
    "things of several kinds": ("other", np.array(["a", 1], dtype=object)),
    "times": ("other", np.array(["2020", "2021"], dtype="M8[Y]")),
    "times as objects": ("other", np.array([DAY, DAY], dtype=object), {"long_name": "day"}),
    "truths": ("other", np.array([True, False])),
}


def check_same(found: xarray.Dataset, wanted: xarray.Dataset) -> None:
    """Compare all that a user may see of two datasets."""
    xarray.testing.assert_identical(found, wanted)
    assert [*found.variables] == [*wanted.variables]
    assert {*found.indexes} == {*wanted.indexes}
    for name, variable in found.variables.items():
        other = wanted.variables[name]
        assert (type(variable), variable.dtype) == (type(other), other.dtype), name
    for name, index in found.indexes.items():
        other_index = wanted.indexes[name]
        assert (index.dtype, index.name) == (other_index.dtype, other_index.name), name


@pytest.mark.parametrize("given", COORDINATES.values(), ids=[*COORDINATES])
def test_datasets_are_what_xarray_makes(given):
    values = np.arange(4.0).reshape(2, 2)
    data = {"loss": (("axis", "other"), values, {"units": "1"}), "steps": (("axis", "other"), values.astype(np.int32))}
    name = "axis" if isinstance(given, np.ndarray) or given[0] == "axis" else "label"
    found = assembled(data, {name: given}, {"title": "t"})
    check_same(found, Result(data, {name: given}, {"title": "t"}))
    values[1, 1] = 7.0
    assert found.loss.values[1, 1] == 7.0  # it shares memory with what was given


def test_results_are_what_xarray_makes_of_their_arrays():
    problem = gdfast.problems.trainability_network()
    starts = Starts([[-2.0], [1.0]], {"seed": [3, 4], "scheme": ["normal", "uniform"]})
    for sweep in (
        gdfast.Sweep("quartic", "gd adam adam:beta1=0.8|cosine", [0.1, 0.2], starts, 32, history="loss"),
        gdfast.Sweep(problem, "gd", [[0.1, 0.2], [0.3, 0.4]], problem.starts("normal"), 3),
    ):
        found = gdfast.run(sweep, backend="numpy", keep_theta=True, progress=False)
        data = {name: (each.dims, each.values, each.attrs) for name, each in found.data_vars.items()}
        others = {name: (each.dims, each.values, each.attrs) for name, each in found.coords.items()}
        check_same(found, Result(data, others, found.attrs))
