"""The report: experiments in chapters, and one page that shows what they found.

An experiment is a function of a `Lab` that yields sections. `build` runs those asked for and writes, in this order, all
data (results as netCDF, tables as CSV and Parquet), all figures (PNG and SVG), and the page: what is drawn late can
spoil nothing that was computed. Numbers in the text are of that run.
"""

from gdfast.report.page import build
from gdfast.report.tuned import page

__all__ = ["build", "page"]
