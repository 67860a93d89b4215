"""The chapters, one file each: each a few experiments, which yield sections, and the statements that they support.

A statement is a small function of results that returns a sentence, or None where this run's data does not support it.
"""

from gdfast.report.chapters import (
    edge,
    known,
    landscape,
    learning_rate,
    mitigations,
    numbers,
    on_data,
    optimizers,
    speed,
    stored,
)
from gdfast.report.section import Chapter

STORED = stored.CHAPTER
"""The one about results that are given; it has no sections without any."""
CHAPTERS: dict[str, Chapter] = {
    module.CHAPTER.name: module.CHAPTER
    for module in (stored, landscape, learning_rate, numbers, mitigations, optimizers, speed, known, edge, on_data)
}
