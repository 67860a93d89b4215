"""Data sets: the ones that ship with gdfast, a CSV file, arrays; and the rows of mini-batches."""

from gdfast.data.batches import check_batch_size, draw_batches
from gdfast.data.files import (
    SHIPPED,
    Data,
    as_classes,
    as_numbers,
    design,
    from_arrays,
    load,
    read_csv,
    requested,
    summary,
)

__all__ = [
    "SHIPPED",
    "Data",
    "as_classes",
    "as_numbers",
    "check_batch_size",
    "design",
    "draw_batches",
    "from_arrays",
    "load",
    "read_csv",
    "requested",
    "summary",
]
