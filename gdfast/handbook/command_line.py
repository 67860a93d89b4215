"""The pages of the command line: each command, with its arguments, options and defaults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gdfast.handbook.markup import code, plain, table


def commands(group: Any, before: tuple[str, ...] = ("gdfast",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    for name, command in sorted(group.commands.items()):
        words = (*before, name)
        if getattr(command, "commands", None):
            yield from commands(command, words)
        else:
            yield words, command


def write(folder: Path, group: Any) -> None:
    """Write a page for each command that the shell has behind ``gdfast``, those of a group on one.

    Parameters
    ----------
    folder : Path
        The folder to make.
    group : click.Group
        The command line.

    Raises
    ------
    ValueError
        If a command or an option has no help.
    """
    folder.mkdir(parents=True)
    pages: dict[str, list[str]] = {}
    rows = []
    for words, command in commands(group):
        if not (command.help or "").strip():
            raise ValueError(f"the command {' '.join(words)} has no help")
        first = command.help.strip().splitlines()[0]
        rows.append([f"[`{' '.join(words)}`]({words[1]}.md#{'-'.join(words)})", plain(first)])
        pages.setdefault(words[1], []).append(_told(words, command))
    for name, sections in pages.items():
        title = f"# gdfast {name}\n\n" if len(sections) > 1 else ""
        text = title + "\n".join(sections)
        (folder / f"{name}.md").write_text(text if title else text.replace("## ", "# ", 1), encoding="utf-8")
    toc = "\n".join(pages)
    (folder / "index.md").write_text(
        "# The command line\n\n"
        "`gdfast COMMAND --help` tells the same. A command that cannot be done says so in one sentence and leaves "
        "nothing behind: exit code 2 for what you can mend, 1 for what the machine did, 130 after Ctrl-C. "
        "`gdfast --install-completion` lets the shell complete commands, options and names.\n\n"
        f"{table(['command', 'what it does'], rows)}\n\n```{{toctree}}\n:hidden:\n\n{toc}\n```\n",
        encoding="utf-8",
    )


def _told(words: tuple[str, ...], command: Any) -> str:
    """The section of one command."""
    context = command.context_class(command, info_name=" ".join(words))
    arguments: list[list[str]] = []
    options: list[list[str]] = []
    for parameter in command.params:
        if "--help" in parameter.opts:
            continue
        if not (getattr(parameter, "help", None) or "").strip():
            raise ValueError(f"{parameter.name} of {' '.join(words)} has no help")
        name, told = parameter.get_help_record(context)
        text, _, more = told.partition("  [")
        more = more.removesuffix("]").removeprefix("default: ")
        (arguments if parameter.param_type_name == "argument" else options).append(
            [f"`{name}`", plain(text), plain(more)]
        )
    usage = command.collect_usage_pieces(context)
    parts = [f"## {' '.join(words)}", plain(command.help.strip()), code(" ".join([*words, *usage]), "text")]
    if arguments:
        parts.append(table(["argument", "", ""], arguments))
    if options:
        parts.append(table(["option", "", "default"], options))
    return "\n\n".join(parts) + "\n"
