"""The handbook is whole: every name is told, every page has what it promises, every link and picture resolves."""

import html.parser
import inspect
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer
from typer.testing import CliRunner

import gdfast
from gdfast import catalogues
from gdfast.cli import app
from gdfast.handbook import api, command_line
from gdfast.handbook import catalogues as pages
from gdfast.handbook.pictures import Folder, draw_thing
from gdfast.handbook.site import TEXTS

PACKAGE = Path(gdfast.__file__).parent
COMMANDS = typer.main.get_command(app)


def test_every_public_name_has_a_docstring(monkeypatch, tmp_path):
    assert api.undocumented() == []
    monkeypatch.setattr(gdfast.plot.ecdf, "__doc__", None)
    assert api.undocumented() == ["gdfast.plot.ecdf"]
    with pytest.raises(ValueError, match=r"no docstring: gdfast\.plot\.ecdf"):
        api.write(tmp_path / "api")


def test_every_public_name_stands_in_the_api(tmp_path):
    api.write(tmp_path / "api")
    text = "".join(page.read_text() for page in (tmp_path / "api").glob("*.rst"))
    classes = {name for name, value in api.public() if inspect.isclass(value)}
    shown = set(re.findall(r":: (\S+)$", text, re.MULTILINE))
    for name, value in api.public():
        place, _, last = name.rpartition(".")
        has_a_page = last in getattr(getattr(gdfast, place.removeprefix("gdfast."), None), "CATALOGUE", {})
        assert place in classes or has_a_page or inspect.ismodule(value) or name in shown, name


def test_every_command_and_option_stands_in_the_handbook(tmp_path):
    command_line.write(tmp_path / "lines", COMMANDS)
    for words, command in command_line.commands(COMMANDS):
        text = (tmp_path / "lines" / f"{words[1]}.md").read_text()
        section = re.split(r"^##? ", text, flags=re.MULTILINE)
        (section,) = [part for part in section if part.startswith(" ".join(words) + "\n") and "OPTIONS" in part]
        for parameter in command.params:
            if "--help" not in parameter.opts and parameter.param_type_name == "option":
                assert all(name in section for name in parameter.opts), (words, parameter.opts)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    pages.write(folder, Folder(folder / "pictures"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", catalogues.KINDS)
def test_every_thing_of_a_catalogue_has_a_page(reference, kind):
    index = (reference / kind / "index.md").read_text()
    for name, factory in catalogues.catalogue(kind).items():
        text = (reference / kind / f"{name}.md").read_text()
        assert f":link: {name}\n" in index
        assert all(f"`{parameter}`" in text for parameter, _, _ in catalogues.parameters(factory))
        assert f"gdfast.{kind}.{name}" in text
        if kind == "optimizers":
            assert "## Parity" in text


@pytest.mark.parametrize(("kind", "name"), [("optimizers", "gd"), ("problems", "quartic"), ("schedules", "cosine")])
def test_things_are_drawn(tmp_path, kind, name):
    draw_thing(tmp_path, kind, name)
    assert (tmp_path / f"{kind}-{name}.png").stat().st_size > 500


@pytest.mark.slow
@pytest.mark.parametrize("kind", catalogues.KINDS)
def test_the_lines_that_use_a_thing_run(kind):
    for name in catalogues.catalogue(kind):
        text = pages.example(kind, name).replace("max_steps=", 'progress=False, backend="numpy", max_steps=')
        exec(compile(text, name, "exec"), {"print": lambda *_: None})


def test_every_environment_variable_is_told():
    text = (TEXTS / "reference" / "environment.md").read_text()
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if "handbook" not in path.parts)
    assert set(re.findall(r"GDFAST_[A-Z_]+|NUMBA_CACHE_DIR", code)) - {"GDFAST_COMPLETE"} <= set(
        re.findall(r"`([A-Z_]+)`", text)
    )


class Links(html.parser.HTMLParser):
    """What a page refers to, and the places in it."""

    def __init__(self, page):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(page.read_text())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.links += [given[name] for name in ("href", "src") if given.get(name)]
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}


@pytest.mark.filterwarnings("default:.* is deprecated")  # what Sphinx says of its extensions
@pytest.mark.slow
def test_it_is_built_without_a_fault_and_every_link_resolves(tmp_path):
    pytest.importorskip("sphinx", reason="needs Sphinx; pip install 'gdfast[docs]'")
    done = CliRunner().invoke(app, ["handbook", "--out", str(tmp_path / "book")])
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "book" / "index.html").is_file()
    book = {page.resolve(): Links(page) for page in (tmp_path / "book").rglob("*.html")}
    assert len(book) > 150
    outside = set()
    for page, inside in book.items():
        for link in inside.links:
            parts = urlsplit(link)
            if parts.scheme:
                outside.add(link) if parts.scheme != "data" else None
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.exists(), (page, link)
            if parts.fragment and target in book and target.name != "genindex.html":
                assert unquote(parts.fragment) in book[target].places, (page, link)
    scripts = {link for page in book.values() for link in page.links if link.endswith((".js", ".css")) and "//" in link}
    assert scripts == set()  # nothing is fetched from a network
    assert (tmp_path / "book" / "searchindex.js").stat().st_size > 10_000
