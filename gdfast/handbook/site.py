"""The pages of the handbook, by Sphinx, from texts and from the code."""

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from gdfast import __version__, extras, outputs
from gdfast.handbook import api, blocks, catalogues, command_line, pictures

TEXTS = Path(__file__).parent / "texts"
_MOST_TOLD = 5
_SETTINGS: dict[str, Any] = {
    "project": "gdfast",
    "author": "gdfast developers",
    "copyright": "gdfast developers",
    "version": __version__,
    "release": __version__,
    "extensions": ["sphinx.ext.autodoc", "numpydoc", "myst_parser", "sphinx_design"],
    "myst_enable_extensions": ["colon_fence", "deflist", "substitution"],
    "myst_heading_anchors": 3,
    "default_role": "py:obj",
    "autodoc_member_order": "bysource",
    "autodoc_typehints_format": "short",
    "numpydoc_show_class_members": False,
    "maximum_signature_line_length": 88,
    "python_use_unqualified_type_names": True,
    "html_theme": "furo",
    "html_title": "gdfast",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_sphinx": False,
    "html_show_search_summary": False,  # it would fetch pages, which browsers refuse to pages opened from a disk
    "html_static_path": ["_static"],
    "html_css_files": ["handbook.css"],
    "html_baseurl": "",
    "language": "en",
    "pygments_style": "friendly",
    "suppress_warnings": ["config.cache"],
}


def build(out: Path, commands: Any) -> Path:
    """Build the handbook into a folder.

    Parameters
    ----------
    out : Path
        The folder; what is in it under names that the handbook does not use stays.
    commands : click.Group
        The command line that it describes.

    Returns
    -------
    Path
        The page that comes first.

    Raises
    ------
    ValueError
        If what builds it is not installed, a public name has no docstring, a block of code fails, or a page refers to
        what is not there.
    OSError
        If the folder cannot be written.
    """
    if absent := extras.missing("docs"):
        raise ValueError(f"the handbook needs more than is installed: {absent}")
    with outputs.folder_beside(out) as part, tempfile.TemporaryDirectory(prefix="gdfast-handbook-") as temporary:
        source = Path(temporary) / "source"
        write_sources(source, commands)
        _run_sphinx(source, part, Path(temporary) / "doctrees")
        (part / ".buildinfo").unlink(missing_ok=True)
    return out / "index.html"


def write_sources(source: Path, commands: Any) -> None:
    """Write what Sphinx reads: the texts with their pictures, and the pages that are made from the code.

    Parameters
    ----------
    source : Path
        The folder to make.
    commands : click.Group
        The command line.

    Raises
    ------
    ValueError
        If a public name has no docstring, or a block of code fails.
    """
    shutil.copytree(TEXTS, source, ignore=shutil.ignore_patterns("__pycache__"))
    drawn = pictures.Folder(source / "_pictures")
    api.write(source / "reference" / "api")
    command_line.write(source / "reference" / "command_line", commands)
    catalogues.write(source / "reference", drawn)
    for page in sorted(source.rglob("*.md")):
        if blocks.has_pictures(page):
            drawn.of_page(page, alone=page.parent.name == "gallery")
    drawn.make()


def _run_sphinx(source: Path, out: Path, doctrees: Path) -> None:
    """Make the pages; what Sphinx warns of is an error."""
    from sphinx.application import Sphinx
    from sphinx.util.console import nocolor

    nocolor()
    warnings = io.StringIO()
    settings = {**_SETTINGS, "myst_substitutions": catalogues.counts()}
    app = Sphinx(
        str(source), None, str(out), str(doctrees), "html",
        confoverrides=settings, status=None, warning=warnings, freshenv=True, parallel=2,
    )  # fmt: skip
    app.connect("autodoc-process-docstring", api.prepared, priority=400)  # before numpydoc reads it
    app.build()
    told = [line.strip() for line in warnings.getvalue().splitlines() if line.strip()]
    if told:
        more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
        raise ValueError(f"the handbook has faults: {'; '.join(told[:_MOST_TOLD])}{more}".replace(f"{source}/", ""))
