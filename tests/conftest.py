"""Random examples are the same in every run, take as long as they need, and leave nothing behind; one browser."""

import functools
import shutil

import pytest
import typer.testing
from hypothesis import settings

settings.register_profile("gdfast", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("gdfast")

# The commands, which are the same for every line, are put together once: else that is most of a short line's time.
typer.testing._get_command = functools.cache(typer.testing._get_command)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--no-sandbox"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a function with the mark `sampled`, leave so many cases ordinary, and mark the others as slow."""
    functions = {}
    for item in items:
        if item.get_closest_marker("sampled") and not item.get_closest_marker("slow"):
            functions.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in functions.values():
        n, chosen = len(cases), cases[0].get_closest_marker("sampled").args[0]
        ordinary = {(2 * i + 1) * n // (2 * chosen) for i in range(chosen)}
        for i in set(range(n)) - ordinary:
            cases[i].add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def browser():
    """Chromium, which asks for nothing by itself."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright; pip install 'gdfast[browser]'")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()
