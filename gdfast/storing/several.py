"""Several sweeps as one result, and a folder of their stores.

What one problem cannot hold, such as the numbers of its formula, is the axis of several sweeps, one for each
combination of values. Side by side they are one dataset with a dimension more an axis (`together`), or one in which
every optimizer stands once a value, and the values are coordinates over ``optimizer``, as hyperparameters are
(`as_optimizers`): this is what maps, tables and summaries take.

In the folder, ``sweeps.json`` tells the axes; ``0000.zarr``, ``0001.zarr``, … are ordinary stores, in the order of the
combinations, the last axis fastest. Each is written, resumed, verified and replaced as any other. Read as a whole the
folder is one result of the second kind, once all of its stores are complete.
"""

import json
import math
import numbers
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments, literals, outputs, own
from gdfast.named import Named
from gdfast.storing.contents import StoreError

if TYPE_CHECKING:
    import xarray

LIST = "sweeps.json"
_LARGEST = 2**22  # bytes of the list
_MOST = 10_000  # stores of a folder
_UNITS = ("lowest_loss", "loss_scale")


def together(results: Sequence[Any], axes: Mapping[str, Sequence[Any]]) -> "xarray.Dataset":
    """Results side by side, one for each combination of values, with the axes as dimensions in front.

    Over the axes alone, as variables, each problem's ``lowest_loss`` and ``loss_scale`` stand beside, where known.
    """
    stacked = _stacked(_pad_parameters(results), [*axes], [len(along) for along in axes.values()])
    stacked = stacked.assign_coords({name: (name, _coordinate(along)) for name, along in axes.items()})
    shape = tuple(len(along) for along in axes.values())
    told = {name: np.array([result.attrs.get(name, math.nan) for result in results]).reshape(shape) for name in _UNITS}
    made: xarray.Dataset = stacked.assign({name: ([*axes], values) for name, values in told.items()})
    made.attrs = _attributes(results, axes)
    return made


def as_optimizers(results: Sequence[Any], axes: Mapping[str, Sequence[Any]]) -> "xarray.Dataset":
    """Results as one over ``(optimizer, learning_rate, start)``, whose optimizers stand once a combination of values.

    The values are coordinates over ``optimizer``; so are, as variables, each problem's ``lowest_loss`` and
    ``loss_scale``, where they are known.
    """
    import xarray

    columns = {name: _coordinate(along) for name, along in axes.items()}
    parts = []
    for result, place in zip(results, np.ndindex(*map(len, columns.values())), strict=True):
        values = {name: column[i] for (name, column), i in zip(columns.items(), place, strict=True)}
        told = ",".join(f"{name}={literals.write(value)}" for name, value in values.items())
        count = result.sizes["optimizer"]
        labels = [_with(str(label), told) for label in result.optimizer.values]
        part = result.assign_coords(
            optimizer=np.array(labels, dtype=object),
            **{name: ("optimizer", np.array([value] * count)) for name, value in values.items()},
        )
        units = {name: float(result.attrs.get(name, math.nan)) for name in _UNITS}
        parts.append(part.assign({name: ("optimizer", np.full(count, value)) for name, value in units.items()}))
    made: xarray.Dataset = xarray.concat(
        parts, "optimizer", data_vars="minimal", coords="minimal", compat="override", join="exact",
        combine_attrs="override",
    )  # fmt: skip
    made.attrs = _attributes(results, axes)
    return made


def _with(label: str, told: str) -> str:
    """A label with parameters more behind those of its rule."""
    first, *others = literals.split(label, "|")
    of_file = own.split(first)
    has = of_file[2] is not None if of_file else ":" in first
    return "|".join([f"{first}{',' if has else ':'}{told}", *others])


def _attributes(results: Sequence[Any], axes: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: value for name, value in results[0].attrs.items() if name not in _UNITS}
    attributes["title"] = f"gdfast sweeps over {' × '.join(axes)}"
    told = ["specification", "minima", *(["found_minima"] if any("found_minima" in r.attrs for r in results) else [])]
    for name in told:
        attributes[name] = json.dumps([json.loads(result.attrs.get(name, "[]")) for result in results])
    for name in ("compile_seconds", "run_seconds"):
        attributes[name] = sum(result.attrs.get(name, 0.0) for result in results)
    attributes["useful_share"] = min(result.attrs.get("useful_share", 1.0) for result in results)
    return attributes


def _stacked(results: list[Any], dimensions: Sequence[str], sizes: Sequence[int]) -> Any:
    """The results along new dimensions in front, the last one fastest; coordinates get them where they differ."""
    import xarray

    first, *others = results
    differing = [
        name for name in first.coords if not all(first[name].variable.equals(other[name].variable) for other in others)
    ]
    for name, size in zip(reversed(dimensions), reversed(sizes), strict=True):
        results = [
            xarray.concat(
                results[i : i + size],
                name,
                data_vars="all",
                coords=differing,
                compat="override",  # they are the same
                join="exact",
                combine_attrs="override",
            )
            for i in range(0, len(results), size)
        ]
    return results[0]


def _pad_parameters(results: Sequence[Any]) -> list[Any]:
    """Give all results the same coordinates of the problem, NaN where one does not have them."""
    names = list(dict.fromkeys(str(name) for result in results for name in result.parameter.values))
    return [result.reindex(parameter=np.array(names, dtype=object)) for result in results]


def _coordinate(along: Sequence[Any]) -> Any:
    if all(isinstance(value, numbers.Real) and not isinstance(value, bool) for value in along):
        numbers_ = np.array(along)
        if numbers_.dtype.kind != "O":  # as whole numbers beyond 64 bits would be
            return numbers_
    return np.array([value.label if isinstance(value, Named) else str(value) for value in along], dtype=object)


def is_folder(path: Path) -> bool:
    """Whether a path is a folder of several sweeps."""
    return (path / LIST).is_file()


def begin(path: Path, axes: Mapping[str, Sequence[Any]]) -> list[Path]:
    """Make a folder for several sweeps, or find it, and return where their stores are, or are to be.

    Raises
    ------
    StoreError
        If there is something else, or sweeps over other values.
    """
    told = {name: [_plain(value) for value in along] for name, along in axes.items()}
    count = math.prod(map(len, told.values()))
    if count > _MOST:
        raise ValueError(f"store: {path} would hold {count:,} stores, more than {_MOST:,}")
    if path.suffix == ".nc":
        raise ValueError(f"store: {path} must be a folder, such as {path.with_suffix('.zarr')}, for several sweeps")
    if is_folder(path):
        found = _axes(path)
        if found != told:
            was, asked = (", ".join(f"{name} of {len(v)} values" for name, v in each.items()) for each in (found, told))
            other = f"{was}, asked for is {asked}" if was != asked else f"other values of {', '.join(told)}"
            raise StoreError(f"store: {path} holds other sweeps: {other}; give another path")
    elif os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir())):
        raise StoreError(f"store: {path} is there and holds no sweeps over {', '.join(told)}; give another path")
    else:
        outputs.check(path, "store", ("a folder",))
        path.mkdir(parents=True, exist_ok=True)
        with outputs.beside(path / LIST) as part:
            part.write_text(json.dumps({"axes": told}, indent=1))
    return [path / f"{i:04}.zarr" for i in range(count)]


def stores(path: Path) -> dict[str, Path]:
    """The stores of a folder, by the values that each is of.

    Raises
    ------
    StoreError
        If its list cannot be read.
    """
    axes = _axes(path)
    names = {}
    for number, place in enumerate(np.ndindex(*map(len, axes.values()))):
        pairs = zip(axes.items(), place, strict=True)
        told = ",".join(f"{name}={literals.write(along[i])}" for (name, along), i in pairs)
        names[told] = path / f"{number:04}.zarr"
    return names


def _axes(path: Path) -> dict[str, list[Any]]:
    """The axes of a folder, as its list tells them."""
    wrong = StoreError(f"store: {path} cannot be read: its {LIST} is damaged")
    try:
        with open(path / LIST, "rb") as file:
            content = file.read(_LARGEST + 1)
        axes = json.loads(content)["axes"] if len(content) <= _LARGEST else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise wrong from None
    if not isinstance(axes, dict) or not axes:
        raise wrong
    for name, along in axes.items():
        if not re.fullmatch(r"\w{1,100}", name) or not isinstance(along, list) or not along:
            raise wrong
        if not all(isinstance(value, int | float | str) for value in along):
            raise wrong
    if math.prod(map(len, axes.values())) > _MOST:
        raise wrong
    return axes


def _plain(value: Any) -> Any:
    if isinstance(value, Named):
        return value.label
    return value.item() if isinstance(value, np.generic) else arguments.shown(value) if value is None else value


def read(path: Path) -> "xarray.Dataset":
    """The result of a folder of several sweeps, as `as_optimizers` puts them side by side.

    Raises
    ------
    StoreError
        If one is missing, incomplete or damaged.
    """
    from gdfast.storing import store

    axes, results = _axes(path), []
    for told, place in stores(path).items():
        if not os.path.lexists(place):
            raise StoreError(f"store: {path} lacks the sweep of {told}; run the same again to complete it")
        results.append(store.read(place))
    return as_optimizers(results, axes)
