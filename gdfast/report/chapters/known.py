"""Published results, run again."""

from gdfast.report.known import RESULTS
from gdfast.report.section import Chapter

CHAPTER = Chapter(
    "known",
    "Known results",
    "What was published of gradient descent and its relatives, run again: each published figure beside that of this "
    "run, with the margin that was written down before it. Met: all of its figures are within their margins.",
    tuple(RESULTS.values()),
    apart=True,
)
