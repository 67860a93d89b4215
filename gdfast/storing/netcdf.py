"""Results as netCDF files: made in memory, written beside with a checksum at the end, and moved whole.

HDF5 may end the process where its file cannot grow, or where it reads a damaged one. So it writes to memory, and reads
what has the checksum that was written behind it; other files, such as those of format 1, a process of its own reads
first. Readers of HDF5 do not look at what follows its end. A run that is killed in the last moment leaves a file whose
name begins with `gdfast.outputs.PART`; nothing reads it.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdfast import extras
from gdfast.storing import files
from gdfast.storing.contents import FORMAT, StoreError, check_attributes
from gdfast.storing.files import Unsound

if TYPE_CHECKING:
    import xarray

_LARGEST, _LARGEST_ARRAY = 2**36, 2**32
_SIGNATURE, _MARK = b"\x89HDF\r\n\x1a\n", b"\n# gdfast, SHA-256 of all before: "
_READ_ALL = """
import sys, h5py
with h5py.File(sys.argv[1], "r") as file:
    for name in file:
        assert isinstance(file.get(name, getlink=True), h5py.HardLink), "a link"
        data = file[name]
        assert isinstance(data, h5py.Dataset) and not data.is_virtual and not data.external, "no plain array"
        assert data.size <= int(sys.argv[2]), "too large"
        assert data.compression in (None, "gzip"), "another filter"
        for first in range(0, len(data), max(1, len(data) // 64)) if data.ndim else ():
            data[first : first + max(1, len(data) // 64)]
"""


def check_installed(path: Path) -> None:
    """Refuse a netCDF file where the libraries that read and write it are missing.

    Raises
    ------
    StoreError
        If they are.
    """
    if words := extras.missing("netcdf"):
        raise StoreError(f"store: {path} is a netCDF file, but {words}, or give a Zarr store, whose suffix is not .nc")


def read(path: Path) -> "xarray.Dataset":
    """Open a result in a netCDF file.

    Raises
    ------
    StoreError
        If there is none, or it is not one that gdfast wrote, or damaged, or the extra ``netcdf`` is not installed.
    """
    import xarray

    from gdfast.storing.dataset import as_result

    if not path.exists():
        raise StoreError(f"store: {path} does not exist")
    check_installed(path)
    place = path.resolve()  # a link that the user names is the user's way of naming a file
    try:
        is_marked = _check(place)
        result: xarray.Dataset = xarray.open_dataset(place, engine="h5netcdf", chunks=None, decode_times=False)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "it is damaged"
        raise StoreError(f"store: {path} cannot be read as a netCDF file: {reason}") from None
    except Exception as error:  # h5py raises many kinds for what is not a netCDF file
        text = " ".join(str(error).split())[:200]
        raise StoreError(f"store: {path} cannot be read as a netCDF file: {text}") from None
    try:
        check_attributes(path, result.attrs)
        if result.attrs["gdfast_format"] > 1 and not is_marked:
            raise StoreError(f"store: {path} is damaged: the checksum at its end is missing")
    except StoreError:
        result.close()
        raise
    return as_result(result)


def _check(place: Path) -> bool:
    """Whether a file ends with the checksum of all before; refuse one that is not sound.

    Raises
    ------
    Unsound
        If it is not.
    OSError
        If it cannot be read.
    """
    size, tail = files.size(place.parent, place.name), len(_MARK) + 65
    if size > _LARGEST:
        raise Unsound(f"it has {size:,} bytes, more than {_LARGEST:,}")
    with place.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise Unsound("it does not begin as one")
        file.seek(max(size - tail, 0))
        end = re.fullmatch(re.escape(_MARK) + rb"([0-9a-f]{64})\n", file.read(tail))
        if end:
            file.seek(0)
            digest, left = hashlib.sha256(), size - tail
            while left and (data := file.read(min(left, 2**22))):
                digest.update(data)
                left -= len(data)
            if digest.hexdigest().encode() != end[1]:
                raise Unsound("it is damaged: it has another checksum")
            return True
    try:
        command = [sys.executable, "-c", _READ_ALL, str(place), str(_LARGEST_ARRAY)]
        done = subprocess.run(command, capture_output=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise Unsound("that takes longer than ten minutes") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unsound(words[-1][:200] if words else "it is damaged")
    return False


def write(result: "xarray.Dataset", path: Path, overwrite: bool) -> None:
    """Write a result as a netCDF file, whole or not at all; without `overwrite` only where nothing is.

    Raises
    ------
    FileExistsError
        If something is there.
    OSError
        If it cannot be written, for example for want of space.
    """
    coded = {name: {"zlib": True, "complevel": 1, "shuffle": True} for name in result.data_vars}
    data: Any = result.assign_attrs(gdfast_format=FORMAT).to_netcdf(engine="h5netcdf", encoding=coded)
    digest = hashlib.sha256(data).hexdigest().encode()
    try:
        files.put(path, data, _MARK + digest + b"\n", is_new=not overwrite)
    except FileExistsError:
        raise
    except OSError as error:
        raise OSError(error.errno or 5, f"store: {path} cannot be written: {os.strerror(error.errno or 5)}") from error
