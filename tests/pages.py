"""What tests of pages in a browser share."""

import time


def until(page, condition, arg=None):
    """Wait until an expression, or a function of an argument, holds in a page.

    Playwright's own waiting evaluates a text in the page after the first look, which the pages' policy forbids:
    such a wait fails wherever the first look comes too early.
    """
    end = time.monotonic() + 30
    while not page.evaluate(condition, arg):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)
