"""The handbook: texts with code that is run, and reference pages made from the code, as pages that need no network.

`gdfast/handbook/texts` holds what is written by hand, in Markdown, one folder a part. What the code tells by itself is
made from it whenever the handbook is built: a page for each optimizer, problem, schedule, transform and measure out of
the catalogues, the command line out of its commands, the API out of docstrings, counts in the texts. Nothing of these
is written twice, so that what is added to a catalogue stands in the handbook without a word here.

A block of a text that begins with three backticks and ``python picture`` is run when the handbook is built, after the
blocks above it on its page, and the figure that it leaves is shown below it. In the gallery each block is run by
itself. Pictures are kept by the text that makes them and the code of gdfast.
"""

from gdfast.handbook.site import build

__all__ = ["build"]
