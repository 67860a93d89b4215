"""What the README counts is what there is; ``python tests/test_readme.py`` writes the counts."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "optimizers" / "oracles")]
import peers  # noqa: E402

from gdfast import optimizers, problems, schedules, transforms  # noqa: E402
from gdfast.boundary.planes import PUBLISHED  # noqa: E402
from gdfast.starts import SCHEMES  # noqa: E402

README = ROOT / "README.md"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
BY_STEP = [make for make in schedules.CATALOGUE.values() if isinstance(make(), schedules.Schedule)]
COUNTS = {
    r"(\w+) update rules \(`gdfast list optimizers`\)": len(optimizers.CATALOGUE),
    r"(\w+) rules find their rate themselves": len(optimizers.FAMILIES["rates of their own"]),
    r"(\w+) schedules \(`gdfast list schedules`\)": len(schedules.CATALOGUE),
    r"(\w+) by a number that depends on the step alone": len(BY_STEP),
    r"(\w+) are torch's to rounding": len({name for name, *_ in peers.SCHEDULES} | {"reduce_on_plateau"}),
    r"(\w+) transforms \(`gdfast list transforms`\)": len(transforms.CATALOGUE),
    r"(\w+) of them \(`gdfast list problems`\)": len(problems.CATALOGUE),
    r"(\w+) initialization schemes": len(SCHEMES),
    r"(\w+) conditions are those of the paper": len(PUBLISHED),
}


def with_count(text, pattern, count):
    """The text with the count, a word if it is small, where it stands once."""
    ((begin, end),) = [match.span(1) for match in re.finditer(pattern.replace(" ", r"\s+"), text)]
    word = WORDS[count] if count < len(WORDS) else str(count)
    begins_a_paragraph = text[begin - 2 : begin] == "\n\n"
    return text[:begin] + (word.capitalize() if begins_a_paragraph else word) + text[end:]


@pytest.mark.parametrize(("pattern", "count"), COUNTS.items())
def test_counts_are_right(pattern, count):
    text = README.read_text()
    assert with_count(text, pattern, count) == text, "run python tests/test_readme.py"


if __name__ == "__main__":
    text = README.read_text()
    for pattern, count in COUNTS.items():
        text = with_count(text, pattern, count)
    README.write_text(text)
