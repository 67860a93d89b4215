"""What a cached kernel depends on, as one digest.

Numba's disk cache sees the bytecode of a kernel and what it closes over, not the functions that it calls nor the
compiler options. Every step kernel therefore has this digest in its name: when a rule, a formula, `elementary` or
the templates change, the cache misses, as it should.
"""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

import llvmlite
import numba

from gdfast import elementary


@functools.cache
def _foundations() -> bytes:
    files = [Path(elementary.__file__), *sorted(Path(__file__).parent.rglob("*.py"))]
    versions = f"{numba.__version__} {llvmlite.__version__}"
    return hashlib.sha256(b"\0".join([*(f.read_bytes() for f in files), versions.encode()])).digest()


def digest(sources: Iterable[str]) -> str:
    """Return a digest of source texts and of all that every kernel depends on."""
    total = hashlib.sha256(_foundations())
    for source in sources:
        total.update(b"\0" + source.encode())
    return total.hexdigest()
