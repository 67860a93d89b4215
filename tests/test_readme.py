"""What the README counts is what there is; its links resolve; ``python tests/test_readme.py`` writes the counts."""

import re
from pathlib import Path

import pytest

from gdfast import optimizers, problems, schedules, transforms
from gdfast.handbook import blocks

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
COUNTS = {
    r"(\w+) optimizers, \w+ problems": len(optimizers.CATALOGUE),
    r"optimizers, (\w+) problems, ": len(problems.CATALOGUE),
    r"(\w+) schedules and ": len(schedules.CATALOGUE),
    r"(\w+) transforms of gradient and point are there": len(transforms.CATALOGUE),
    r"(\w+) figures with the lines": sum(
        block.picture
        for page in (ROOT / "gdfast/handbook/texts/gallery").glob("*.md")
        for block in blocks.of_page(page)
    ),
}
TENS = {30: "thirty", 40: "forty", 50: "fifty"}
LONGEST = 100  # lines: two screens


def with_count(text, pattern, count):
    """The text with the count, a word if it is small, where it stands once."""
    ((begin, end),) = [match.span(1) for match in re.finditer(pattern.replace(" ", r"\s+"), text)]
    word = WORDS[count] if count < len(WORDS) else TENS.get(count, str(count))
    begins_a_paragraph = text[begin - 2 : begin] == "\n\n"
    return text[:begin] + (word.capitalize() if begins_a_paragraph else word) + text[end:]


@pytest.mark.parametrize(("pattern", "count"), COUNTS.items())
def test_counts_are_right(pattern, count):
    text = README.read_text()
    assert with_count(text, pattern, count) == text, "run python tests/test_readme.py"


def test_it_is_short_and_its_links_lead_somewhere():
    text = README.read_text()
    assert len(text.splitlines()) <= LONGEST
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert len(links) >= 6
    assert [link for link in links if not (ROOT / link).exists()] == []


if __name__ == "__main__":
    text = README.read_text()
    for pattern, count in COUNTS.items():
        text = with_count(text, pattern, count)
    README.write_text(text)
