"""Data sets: the ones that ship with gdfast, a CSV file, arrays; and the rows of mini-batches."""

from gdfast.data.batches import SAMPLINGS, Batches, Sampling, draw_batches
from gdfast.data.files import SHIPPED, Data, Source, load, summary
from gdfast.data.rows import as_classes, as_numbers, design

__all__ = [
    "SAMPLINGS",
    "SHIPPED",
    "Batches",
    "Data",
    "Sampling",
    "Source",
    "as_classes",
    "as_numbers",
    "design",
    "draw_batches",
    "load",
    "summary",
]
