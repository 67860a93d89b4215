"""How a store is laid out: what its metadata say, and whether they say nothing else.

A store is a Zarr group of format 2, the one format whose texts and consolidated metadata every reader opens without a
warning. What is written here is what `check` accepts, and nothing more: arrays in the order of C, of one compressor,
without filters, of a few types, whose sizes agree with one another and with the specification. So no other code of
readers is ever run, whatever a store names. What a history recorded of a trajectory, or a point's coordinates, lies
whole in the chunk of its block, along further dimensions.
"""

import itertools
import json
import math
import struct
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast.storing.files import Unsound, is_plain
from gdfast.storing.journal import LARGEST_TEXT
from gdfast.storing.result import (
    ATTRIBUTES,
    DIMENSIONS,
    FIELDS,
    FURTHER,
    MORE,
    SINCE,
    coordinates,
    depths,
    fields,
    further,
)
from gdfast.tiles.sweep import Sweep

METADATA, GROUP, ATTRIBUTES_FILE = ".zmetadata", ".zgroup", ".zattrs"
_COMPRESSOR = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}
TEXTS = [{"id": "vlen-utf8"}]
"""The filters of arrays of texts in format 1."""

_TYPES = {"|i1", "|b1", "<i2", "<i4", "<i8", "<f4", "<f8"}
_LARGEST_CHUNK, _CHUNK = 2**30, 2**25
DATA: dict[str, Any] = {**FIELDS, **dict.fromkeys(MORE, np.float64)}
"""The types of all arrays that are no coordinates."""

_AXES = {*DIMENSIONS, "parameter", "group", "recorded_step", "loss_tolerance"}


@dataclass(frozen=True)
class Array:
    """An array of a store."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    dimensions: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a chunk before it is compressed."""
        return math.prod(self.chunks) * self.dtype.itemsize

    @property
    def keys(self) -> Iterator[str]:
        """The names of its chunks."""
        counts = [-(-n // c) for n, c in zip(self.shape, self.chunks, strict=True)]
        return (".".join(map(str, at)) for at in itertools.product(*map(range, counts)))

    def check_chunk(self, name: str, data: bytes, is_text: bool) -> None:
        """Refuse the bytes of a chunk that would become anything of another size.

        Raises
        ------
        Unsound
            If they would.
        """
        size, _, length = struct.unpack("<III", data[4:16]) if len(data) >= 16 else (0, 0, 0)
        if length != len(data) or (size > _LARGEST_CHUNK if is_text else size != self.chunk_bytes):
            raise Unsound(f"{name} is no chunk of {self.chunk_bytes:,} bytes")
        if is_text:
            from numcodecs import Blosc

            try:
                count = int.from_bytes(bytes(Blosc().decode(data))[:4], "little")
            except RuntimeError:
                raise Unsound(f"{name} cannot be read") from None
            if count != math.prod(self.chunks):
                raise Unsound(f"{name} is no chunk of {math.prod(self.chunks):,} texts")

    @property
    def metadata(self) -> dict[str, Any]:
        """What Zarr is told of it."""
        return {
            "zarr_format": 2,
            "shape": list(self.shape),
            "chunks": list(self.chunks),
            "dtype": self.dtype.str,
            # A number would be taken for missing values.
            "fill_value": "NaN" if self.dtype.kind == "f" else None,
            "order": "C",
            "filters": None,
            "dimension_separator": ".",
            "compressor": _COMPRESSOR,
        }


def chunk(name: str, block: str, array: Array | None) -> str:
    """The file of a block's chunk of the array of this name."""
    return f"{name}/{block}" + ".0" * (len(array.shape) - len(DIMENSIONS) if array else 0)


def block_of(name: str, key: str) -> str:
    """The block that a chunk of the array of this name is of, by the chunk's name in it."""
    for dimensions in _further(name):
        block = key.removesuffix(".0" * len(dimensions))
        if block.count(".") == len(DIMENSIONS) - 1:
            return block
    return ""


def _further(name: str) -> list[tuple[str, ...]]:
    """The further dimensions that an array of this name may have, the longest first."""
    return [("loss_tolerance",), ()] if name == "measure" else [FURTHER.get(name, ())]


def arrays(sweep: Sweep, keep_theta: bool, block: tuple[int, int, int]) -> dict[str, Array]:
    """The arrays that hold a sweep's result, by name, less their coordinates."""
    found = {}
    for name, dtype in fields(sweep, keep_theta).items():
        more, dimensions = depths(sweep, name), (*DIMENSIONS, *further(sweep, name))
        found[name] = Array((*sweep.shape, *more), (*block, *more), np.dtype(dtype), dimensions, ATTRIBUTES[name])
    return found


def axes(sweep: Sweep) -> tuple[dict[str, Array], dict[str, bytes]]:
    """The coordinates of a sweep's result: their arrays, and their chunks as files by name.

    Raises
    ------
    ValueError
        If a label of starts has a name or values that cannot be stored.
    """
    found: dict[str, Array] = {}
    chunks: dict[str, bytes] = {}
    for name, given in coordinates(sweep).items():
        dimensions, values, attributes = (*given, {})[:3] if isinstance(given, tuple) else (name, given, {})
        values = _plain(name, np.asarray(values))
        dimensions = (dimensions,) if isinstance(dimensions, str) else tuple(dimensions)
        rows = max(1, min(len(values), _CHUNK // max(values[:1].nbytes, 1)))
        array = Array(values.shape, (rows, *values.shape[1:]), values.dtype, dimensions, attributes)
        found[name] = array
        for number, begin in enumerate(range(0, len(values), rows)):
            whole = np.zeros(array.chunks, array.dtype)
            part = values[begin : begin + rows]
            whole[: len(part)] = part
            chunks[f"{name}/{'.'.join([str(number), *['0'] * (values.ndim - 1)])}"] = compressed(whole)
    return found, chunks


def _plain(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Values in a type that is stored."""
    if not is_plain(name) or name.startswith(".") or name in DATA:
        raise ValueError(f"starts: a label must not be named {name!r} in a store; give it another name")
    if values.dtype.kind == "O":
        values = values.astype(str)
    values = values.astype(values.dtype.newbyteorder("<"))
    if values.dtype.str not in _TYPES and values.dtype.kind != "U":
        if values.dtype.kind not in "iu" or np.any(values > np.iinfo(np.int64).max):
            raise ValueError(f"starts: the label {name} has values of type {values.dtype}, which cannot be stored")
        values = values.astype("<i8")
    return values


def compressed(values: NDArray[Any]) -> bytes:
    """A chunk as it is stored."""
    from numcodecs import Blosc

    def encode() -> bytes:
        return bytes(Blosc("lz4", 5, Blosc.SHUFFLE).encode(np.ascontiguousarray(values)))

    if threading.current_thread() is not threading.main_thread():
        return encode()
    # There Blosc starts threads, and orders the parts of a chunk as these come; elsewhere it does not.
    with ThreadPoolExecutor(1) as other:
        return other.submit(encode).result()


def texts(group: dict[str, Any], members: Mapping[str, Array]) -> dict[str, bytes]:
    """The files of metadata, by name."""
    each: dict[str, Any] = {GROUP: {"zarr_format": 2}, ATTRIBUTES_FILE: {**group, "coordinates": _others(members)}}
    for name in sorted(members):
        member = members[name]
        each[f"{name}/.zarray"] = member.metadata
        each[f"{name}/.zattrs"] = {"_ARRAY_DIMENSIONS": list(member.dimensions), **member.attributes}
    found = {name: json.dumps(value).encode() for name, value in each.items()}
    found[METADATA] = json.dumps({"metadata": each, "zarr_consolidated_format": 1}).encode()
    if len(found[METADATA]) > LARGEST_TEXT:
        raise ValueError(f"store: its metadata would take {len(found[METADATA]):,} bytes, over {LARGEST_TEXT:,}")
    return found


def _others(members: Mapping[str, Array]) -> str:
    """The coordinates that are no axes, as xarray's readers expect them."""
    return " ".join(name for name, member in members.items() if name not in DATA and member.dimensions != (name,))


def read_json(data: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    Unsound
        If it is none, or one too deep.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Unsound("cannot be read") from None
    if not isinstance(value, dict):
        raise Unsound("cannot be read")
    return value


def check(metadata: bytes) -> tuple[dict[str, Any], dict[str, Array], frozenset[str]]:
    """Read consolidated metadata that are just such as gdfast writes.

    Returns
    -------
    attributes : dict
        Of the group.
    members : dict
        The arrays.
    texts : frozenset
        Which of them hold texts of any length, as format 1 had them.

    Raises
    ------
    Unsound
        If there is anything else in them; the words tell what.
    """
    each = read_json(metadata).get("metadata")
    if not isinstance(each, dict) or not isinstance(each.get(ATTRIBUTES_FILE), dict):
        raise Unsound("cannot be read")
    members: dict[str, Array] = {}
    old_texts = set()
    names = {name.rpartition("/")[0] for name in each if "/" in name}
    for name, value in each.items():
        if name not in {GROUP, ATTRIBUTES_FILE} and name.rpartition("/")[2] not in (".zarray", ".zattrs"):
            raise Unsound(f"name {name[:80]!r}, which is nothing of a store")
        if not isinstance(value, dict):
            raise Unsound("cannot be read")
    for name in names:
        if not is_plain(name) or name.startswith("."):
            raise Unsound(f"name an array {name[:80]!r}")
        members[name], is_text = _array(name, each.get(f"{name}/.zarray"), each.get(f"{name}/.zattrs"))
        if is_text:
            old_texts.add(name)
    _check_sizes(members)
    return each[ATTRIBUTES_FILE], members, frozenset(old_texts)


def _array(name: str, description: Any, attributes: Any) -> tuple[Array, bool]:
    try:
        shape, chunks, dtype = description["shape"], description["chunks"], description["dtype"]
        dimensions = attributes["_ARRAY_DIMENSIONS"]
        attributes = {key: value for key, value in attributes.items() if key != "_ARRAY_DIMENSIONS"}
        is_text = dtype == "|O" and description["filters"] == TEXTS and name not in DATA
        if not is_text and not (dtype in _TYPES or (dtype[:2] == "<U" and dtype[2:].isdecimal() and len(dtype) < 9)):
            raise Unsound(f"give {name} the type {str(dtype)[:40]}")
        array = Array(tuple(shape), tuple(chunks), np.dtype(dtype), tuple(dimensions), attributes)
        same = array.metadata | ({"filters": TEXTS} if is_text else {})
        if any(type(n) is not int or not 0 < n <= 2**40 for n in (*shape, *chunks)):
            raise Unsound(f"give {name} the shape {str(shape)[:80]}")
    except (KeyError, TypeError, AttributeError):
        raise Unsound(f"do not tell what {name} is") from None
    for key in {*description, *same}:
        # Format 1 was written by Zarr, which may leave out the separator.
        if key not in same or description.get(key, "." if key == "dimension_separator" else 0) != same[key]:
            raise Unsound(f"give {name} another {key} than gdfast writes: {str(description.get(key))[:80]}")
    if name in DATA and array.dtype != np.dtype(DATA[name]):
        raise Unsound(f"give {name} the type {dtype}")
    known = {"long_name", "units", "comment", "flag_values", "flag_meanings"}
    if not known.issuperset(attributes) or (name not in DATA and {*attributes} - {"long_name"}):
        raise Unsound(f"give {name} attributes that gdfast does not write")
    if not len(shape) == len(chunks) == len(dimensions) or not set(map(str, dimensions)) <= _AXES:
        raise Unsound(f"give {name} other dimensions than it has")
    count = math.prod(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    if math.prod(shape) > 2**44 or array.chunk_bytes > _LARGEST_CHUNK or (name not in DATA and count > 2**20):
        raise Unsound(f"give {name} the shape {str(shape)[:80]}")
    return array, is_text


def _check_sizes(members: Mapping[str, Array]) -> None:
    """Refuse arrays that do not fit together."""
    sizes: dict[str, int] = {}
    for name, member in members.items():
        for dimension, n in zip(member.dimensions, member.shape, strict=True):
            if sizes.setdefault(dimension, n) != n:
                raise Unsound(f"give {name} another length along {dimension} than others have")
    blocks = {member.chunks[:3] for name, member in members.items() if name in DATA}
    axes = {member.dimensions[:3] for name, member in members.items() if name in DATA}
    if not {*DIMENSIONS, "start_point", *FIELDS} - {*SINCE} <= {*members} or len(blocks) != 1 or axes != {DIMENSIONS}:
        raise Unsound("lack an array, or have one too many")
    for name in DATA:
        if name in members and (
            members[name].dimensions[3:] not in _further(name) or members[name].chunks[3:] != members[name].shape[3:]
        ):
            raise Unsound("give arrays other dimensions than they have")
