"""One learning rate or one start of a result, said in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdfast import arguments, grids
from gdfast.analysis import _results
from gdfast.arguments import shown

if TYPE_CHECKING:
    import xarray

_AXES = ("learning_rate", "start")


def nearest(result: "xarray.Dataset", at: str | Sequence[str]) -> "xarray.Dataset":
    """Select the nearest learning rate, the nearest start, or both.

    Parameters
    ----------
    result : xarray.Dataset
        Of `gdfast.run`.
    at : str or sequence of str
        ``learning_rate=value`` or ``start=value``, each axis at most once. A start of several coordinates is given by
        all of them, ``start=1.5,-2``, and so are learning rates of several groups. ``start=#3`` is the start of number
        3, and ``learning_rate=#3`` the learning rate of that number, from 0.

    Returns
    -------
    xarray.Dataset
        The same over axes of one value where one was selected.

    Raises
    ------
    TypeError, ValueError
        If a place is anything else, or there is no such number.

    Examples
    --------
    >>> import gdfast
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [0.01, 0.1], [-2.0, 1.0, 2.0], 20), backend="numpy")
    >>> nearest(result, ["start=1.2", "learning_rate=#0"]).start_point.item()
    1.0
    """
    result = _results.checked("result", result, *list(getattr(result, "data_vars", ()))[:1], more=True)
    accepted = "places, such as 'start=1.5'"
    texts = [at] if isinstance(at, str) else arguments.several("at", at, accepted, least=0)
    numbers = dict(_number(result, arguments.instance("at", text, str, accepted)) for text in texts)
    if len(numbers) < len(texts):
        raise ValueError(f"at must be given once an axis, not {len(texts)} times")
    return result.isel({name: [number] for name, number in numbers.items()})


def _number(result: "xarray.Dataset", text: str) -> tuple[str, int]:
    """The axis that a place is on, and the number of what is nearest there."""
    name, equals, value = (part.strip() for part in text.partition("="))
    arguments.choice("at", name, _AXES)
    if not equals:
        raise ValueError(f"at must be {name}=value, or {name}=# and a number from 0, not {shown(text)}")
    if value.startswith("#"):
        most = result.sizes[name] - 1
        number = value[1:]
        if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) <= most):
            raise ValueError(f"at: {name}=# must have a whole number from 0 to {most}, not {shown(number)}")
        return name, int(number)
    if name == "start":
        points, names = result.start_point, np.atleast_1d(result.parameter)
    elif "group_rate" in result.coords:
        points, names = result.group_rate, np.atleast_1d(result.group)
    else:
        points, names = result.learning_rate, np.array(["learning_rate"])
    wanted = np.array(grids.parse_numbers(f"at: {name}", value, [*map(str, names)]))
    with np.errstate(over="ignore"):
        return name, int(np.abs(points.values.reshape(result.sizes[name], -1) - wanted).max(axis=1).argmin())


__all__ = ["nearest"]
