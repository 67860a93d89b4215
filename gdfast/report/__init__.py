"""The report: standard experiments, their figures and tables, and one page that shows them.

Every chapter is a function that runs its experiment and returns sections; `build` writes tables first, pictures
after, the page last. Numbers in the text are of that run.
"""

from gdfast.report.page import build

__all__ = ["build"]
