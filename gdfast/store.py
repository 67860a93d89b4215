"""Zarr stores of results: written whole or not at all, and read back."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray


def check_writable(path: Path, overwrite: bool = False) -> None:
    """Refuse a path that a result could not be written to, before any work is done.

    Raises
    ------
    ValueError
        If something is there already and must not be overwritten, or the folder cannot be written.
    """
    if path.exists() and not overwrite:
        raise ValueError(f"out: {path} exists already; give another path, or overwrite it with --overwrite")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Make sure that a folder exists and can be written.

    Raises
    ------
    ValueError
        If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"out: the folder {folder} cannot be written: {error.strerror}") from None


def write(result: "xarray.Dataset", path: Path) -> None:
    """Write a result as a Zarr store; a half-written one never stands at `path`."""
    unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        result.to_zarr(unfinished, mode="w", zarr_format=2, consolidated=True)
        if path.exists():
            _remove(path)
        os.replace(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _remove(path: Path) -> None:
    with contextlib.suppress(NotADirectoryError):
        shutil.rmtree(path)
        return
    path.unlink()


def read(path: Path) -> "xarray.Dataset":
    """Open a stored result.

    Raises
    ------
    ValueError
        If there is none at `path`, or it is not a result of gdfast.
    """
    import xarray

    if not path.exists():
        raise ValueError(f"store: {path} does not exist")
    try:
        result: xarray.Dataset = xarray.open_zarr(path, consolidated=True)
    except Exception as error:  # zarr and xarray raise many kinds for what is not a store
        raise ValueError(f"store: {path} cannot be read as a Zarr store: {error}") from None
    missing = {"outcome", "steps"} - set(result.data_vars)
    if missing:
        raise ValueError(f"store: {path} is not a result of gdfast: it has no {' and no '.join(sorted(missing))}")
    return result
