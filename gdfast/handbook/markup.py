"""Small pieces of Markdown and reStructuredText."""

from collections.abc import Iterable, Sequence


def titled(title: str) -> str:
    """A title of reStructuredText."""
    return f"{title}\n{'=' * len(title)}\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell(each) for each in line) + " |" for line in lines)


def cell(text: str) -> str:
    """A text that stands in a table of Markdown."""
    return " ".join(str(text).split()).replace("|", "\\|")


def plain(text: str) -> str:
    """A text in which nothing is markup to Markdown, apart from code between backticks."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        for letter in "\\*_[]<>#{}":
            parts[i] = parts[i].replace(letter, "\\" + letter)
    return "`".join(parts)


def code(text: str, language: str = "") -> str:
    """A block of code."""
    return f"```{language}\n{text.strip(chr(10))}\n```\n"


def prose(text: str) -> str:
    """A docstring's text in Markdown: indented paragraphs as they are, code between backticks, all else plain."""
    blocks = []
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.splitlines()
        if all(line.startswith("    ") for line in lines if line.strip()):
            blocks.append(code("\n".join(line[4:] for line in lines), "text"))
        elif lines[0].startswith("|"):
            blocks.append("\n".join(lines))
        else:
            blocks.append(plain(paragraph.replace("``", "`")))
    return "\n\n".join(blocks) + "\n"
