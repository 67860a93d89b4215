"""Every block of code of README and of the handbook is run, each page by itself."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gdfast.cli import app
from gdfast.handbook import blocks
from gdfast.handbook.site import TEXTS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(TEXTS.rglob("*.md"))]
SHOWN = ("pip", "pytest", "python -m bench", "dask", "mpiexec", "gdfast", "bash", "git", "python")
"""How lines begin that are shown and not run: installations, clusters, what takes minutes."""
SHORT = {
    "index.md", "tutorial/index.md", "howto/cluster.md", "howto/large.md", "howto/notebooks.md", "howto/own_file.md",
    "howto/programs.md", "explanation/bits.md", "explanation/checked.md", "explanation/outcomes.md",
    "reference/notation.md",
}  # fmt: skip
"""Pages that compile little more than other tests do; all others are slow."""


def name_of(page):
    return page.name if page.parent == ROOT else page.relative_to(TEXTS).as_posix()


def here(words):
    """Run a command line in this process."""
    done = CliRunner().invoke(app, words)
    if done.exit_code:
        raise ValueError(f"gdfast {shlex.join(words)}: {done.stderr}")


def marked(pages):
    return [
        pytest.param(page, id=name_of(page), marks=[] if name_of(page) in SHORT else [pytest.mark.slow])
        for page in pages
        if any(block.kind in ("python", "sh") for block in blocks.of_page(page))
    ]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("page", marked(PAGES))
def test_every_block_runs(page, tmp_path):
    with contextlib.redirect_stderr(io.StringIO()):
        assert blocks.run(page, tmp_path, here, alone=page.parent.name == "gallery") > 0


def test_short_pages_are_there():
    assert {name_of(page) for page in PAGES} > SHORT


@pytest.mark.sampled(14)
@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_what_is_only_shown_is_of_the_kinds_that_cannot_be_run(page):
    command = typer.main.get_command(app)
    for block in blocks.of_page(page):
        assert block.kind in ("python", "sh", "console", "text", "{toctree}", "{eval-rst}"), block
        if block.kind == "console":
            for words in blocks.command_lines(block):
                assert shlex.join(words).startswith(SHOWN), words
                if words[0] == "gdfast" and words[1:2] != ["--version"]:
                    parsed(command, words[1:])


def parsed(command, words):
    """Read a command line without running it, so that an option that is not there is refused."""
    context = command.context_class(command, info_name="gdfast")
    while getattr(command, "commands", None):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, list(words), parent=context)


def test_pages_may_be_followed_one_after_another_in_one_folder():
    written = [
        (name_of(page), place)
        for page in PAGES
        for place in re.findall(r"--out\s+(\S+\.zarr)", page.read_text("utf-8"))
    ]
    pages = {place: {page for page, other in written if other == place} for _, place in written}
    assert len(pages) > 20
    assert not {place: of for place, of in pages.items() if len(of) > 1}


def test_a_block_that_fails_is_told_with_its_page_and_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(ValueError, match=r"page\.md, line 7: AssertionError"):
        blocks.run(page, tmp_path, here)
    page.write_text("```python picture\nx = 1\n```\n")
    with pytest.raises(ValueError, match="leaves no figure"):
        blocks.run(page, tmp_path, here, save=lambda *_: None)
    page.write_text("```sh\nls\n```\n")
    with pytest.raises(ValueError, match="fenced as console"):
        blocks.run(page, tmp_path, here)
