"""What only an extra of the package installs, and the words for where it is missing."""

from importlib.util import find_spec

MODULES = {
    "netcdf": ("h5netcdf", "h5py"),
    "parquet": ("pyarrow",),
    "docs": ("sphinx", "furo", "myst_parser", "numpydoc", "sphinx_design"),
}
"""By extra, the modules that gdfast imports of it."""


def missing(extra: str) -> str:
    """What of an extra is not installed, and how to install it; empty if it is all there."""
    absent = [name for name in MODULES[extra] if find_spec(name) is None]
    if not absent:
        return ""
    verb = "is" if len(absent) == 1 else "are"
    return f"{' and '.join(absent)} {verb} not installed; pip install 'gdfast[{extra}]'"
