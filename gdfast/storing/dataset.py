"""What results are: datasets of xarray in which outcomes are compared by name.

``result.outcome`` holds codes, with CF ``flag_values`` and ``flag_meanings``. NumPy compares codes with a text to
nothing but False, whatever the text; here the name stands for its code, and a name that there is not is refused. It is
so as long as the array comes out of a result; its ``values`` are plain numbers, and a store that is opened by
``xarray.open_zarr`` is a plain dataset.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas
import xarray
from numpy.typing import NDArray
from xarray.indexes import PandasIndex

from gdfast import arguments


class Codes(xarray.DataArray):  # type: ignore[no-untyped-call]
    """Codes that are compared by their names: ``==``, ``!=`` and `isin`.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [0.01], [-2.5, 1.0], 200), backend="numpy", progress=False)
    >>> (result.outcome == "global_minimum").values.tolist()
    [[[True, False]]]
    >>> result.outcome.isin(["global_minimum", "local_minimum"]).mean().item()
    1.0
    """

    __slots__ = ()
    __hash__ = None  # as of all that compare cell by cell

    def __eq__(self, other: object) -> Any:
        return super().__eq__(self._code(other))

    def __ne__(self, other: object) -> Any:
        return super().__ne__(self._code(other))

    def isin(self, test_elements: Any) -> Any:
        """Tell which cells have one of several codes, given by their numbers or their names.

        Raises
        ------
        ValueError
            If there is no such name.
        """
        if isinstance(test_elements, str):
            test_elements = [test_elements]
        if isinstance(test_elements, Sequence | set | frozenset):
            test_elements = [self._code(each) for each in test_elements]
        return super().isin(test_elements)

    def _code(self, other: Any) -> Any:
        """The code that a name stands for; what is no text as it is."""
        if self.dtype.kind not in "iuf":  # what came of comparing
            return other
        if isinstance(other, str):
            names = dict(zip(*flags(self), strict=False))
            return names[arguments.choice(str(self.name), str(other), names)]
        if isinstance(other, list | tuple | np.ndarray | xarray.DataArray) and np.asarray(other).dtype.kind in "OUT":
            raise TypeError(f"{self.name} must be compared with one name, or by isin([…]) with several")
        return other


class Result(xarray.Dataset):  # type: ignore[no-untyped-call]
    """A dataset whose variables with names for their codes are `Codes`."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(key, Hashable) and isinstance(found, xarray.DataArray) and "flag_meanings" in found.attrs:
            found.__class__ = Codes  # it is new, and made once: Codes(found) takes seventeen times as long
        return found

    def to_dataframe(self, dim_order: Sequence[Hashable] | None = None) -> pandas.DataFrame:
        """Return `gdfast.tidy` of it: a row a trajectory, with names of outcomes and without repeated rows.

        With `dim_order`, xarray's own table, in which rows are repeated once for each coordinate of a point.
        """
        from gdfast.storing.tidy import tidy

        return tidy(self) if dim_order is None else super().to_dataframe(dim_order)


Given = tuple[Any, ...] | NDArray[Any]
"""A variable as xarray's datasets take it: dimensions, values and perhaps attributes; or an axis' values."""


def assembled(data: Mapping[str, Given], coordinates: Mapping[str, Given], attributes: Mapping[str, Any]) -> Result:
    """Return ``Result(data, coordinates, attributes)``, made in two fifths of the time.

    The indexes of the axes are made here, once, where xarray makes each of a variable that it made of the values
    before; and arrays of numbers or texts are taken as they are, where it asks pandas what they might be.

    Parameters
    ----------
    data, coordinates, attributes : mapping
        As `xarray.Dataset` takes them.
    """
    variables, indexes = {}, {}
    for name, given in coordinates.items():
        variable = variables[name] = _variable(name, given)
        if variable.dims == (name,):
            values = variable.values
            kind = object if values.dtype.kind == "O" else None
            index = indexes[name] = PandasIndex(pandas.Index(values, dtype=kind, name=name), name, values.dtype)
            variables |= index.create_variables({name: variable})
    axes = xarray.Coordinates(variables, indexes)
    return Result({name: _variable(name, given) for name, given in data.items()}, axes, attributes)


def _variable(name: str, given: Given) -> xarray.Variable:
    """The variable that a dataset would make of what is given."""
    dimensions, values, attributes = (*given, None)[:3] if isinstance(given, tuple) else (name, given, None)
    values = np.asarray(values)
    plain = values.dtype.kind in "biuf" or (values.dtype.kind == "O" and all(type(value) is str for value in values))
    return xarray.Variable(dimensions, values, attributes, fastpath=plain)


def flags(codes: "xarray.DataArray") -> tuple[list[str], list[int]]:
    """The names of an array's codes, and the codes; nothing if the attributes tell none."""
    names = str(codes.attrs.get("flag_meanings", "")).split()
    return names, [int(code) for code in np.atleast_1d(codes.attrs.get("flag_values", range(len(names))))]


def as_result(dataset: "xarray.Dataset") -> Result:
    """The same dataset as a `Result`; what is not read yet is not read, and closing it closes the same files."""
    variables = {name: dataset.variables[name] for name in dataset.data_vars}
    result = Result(variables, coords=dataset.coords, attrs=dataset.attrs)
    result.encoding = dataset.encoding
    result.set_close(dataset.close)
    return result


__all__ = ["Codes", "Result", "as_result", "assembled", "flags"]
