"""What is promised: public names, options and defaults; ``python tests/handbook/test_names.py`` writes them down."""

import inspect
import re
from pathlib import Path

import typer

import gdfast
from gdfast.cli import app
from gdfast.handbook import api, command_line

PROMISED = Path(__file__).with_name("names.txt")
CITATION = Path(__file__).parents[2] / ".github" / "CITATION.cff"


def parameters(name, value):
    """A line for each parameter of a function, with its default."""
    if inspect.ismodule(value) or not callable(value):
        return
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return
    for parameter in signature.parameters.values():
        default = parameter.default
        simple = isinstance(default, str | int | float | bool | type(None) | tuple)
        yield f"{name}({parameter.name}{f'={default!r}' if simple and default is not parameter.empty else ''})"


def options(words, command):
    """A line for each argument and option of a command, with its default."""
    context = command.context_class(command)
    for parameter in command.params:
        if "--help" not in parameter.opts:
            default = re.search(r"\[default: (.*)\]", parameter.get_help_record(context)[1])
            yield f"{' '.join(words)} {'/'.join(parameter.opts)}{f' {default[1]}' if default else ''}"


def present():
    lines = []
    for name, value in api.public():
        lines += [name, *parameters(name, value)]
    for words, command in command_line.commands(typer.main.get_command(app)):
        lines += [" ".join(words), *options(words, command)]
    return lines


def test_nothing_that_is_promised_is_gone():
    gone = set(PROMISED.read_text(encoding="utf-8").splitlines()) - set(present())
    assert gone == set(), "a change that breaks users' code: tell it in the changelog, then run this file"


def test_the_citation_has_the_version():
    assert f"version: {gdfast.__version__}\n" in CITATION.read_text(encoding="utf-8")


if __name__ == "__main__":
    PROMISED.write_text("\n".join(sorted(set(present()))) + "\n", encoding="utf-8")
