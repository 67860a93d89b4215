"""What the README and the changelog count is what there is."""

import re
import sys
from pathlib import Path

import pytest

from gdfast import data, optimizers, problems, schedules, transforms
from gdfast.boundary.planes import PUBLISHED
from gdfast.starts import SCHEMES

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "optimizers" / "oracles"))
import peers  # noqa: E402

README = " ".join((ROOT / "README.md").read_text().split())
CHANGES = " ".join((ROOT / ".github" / "CHANGELOG.md").read_text().split("\n## ")[1].split())
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
BY_STEP = [make for make in schedules.CATALOGUE.values() if isinstance(make(), schedules.Schedule)]


def number(word):
    return WORDS.index(word.lower()) if word.lower() in WORDS else int(word)


@pytest.mark.parametrize(
    ("text", "pattern", "count"),
    [
        (README, r"(\w+) update rules \(`gdfast list optimizers`\)", len(optimizers.CATALOGUE)),
        (README, r"(\w+) schedules \(`gdfast list schedules`\)", len(schedules.CATALOGUE)),
        (README, r"(\w+) by a number that depends on the step alone", len(BY_STEP)),
        (README, r"(\w+) are torch's to rounding", len({name for name, *_ in peers.SCHEDULES} | {"reduce_on_plateau"})),
        (README, r"(\w+) transforms \(`gdfast list transforms`\)", len(transforms.CATALOGUE)),
        (README, r"(\w+) of them \(`gdfast list problems`\)", len(problems.CATALOGUE)),
        (README, r"(\w+) initialization schemes", len(SCHEMES)),
        (README, r"(\w+) conditions are those of the paper", len(PUBLISHED)),
        (CHANGES, r"(\w+) optimizers, \w+ schedules", len(optimizers.CATALOGUE)),
        (CHANGES, r"(\w+) schedules, \w+ transforms", len(schedules.CATALOGUE)),
        (CHANGES, r"(\w+) transforms of the gradient", len(transforms.CATALOGUE)),
        (CHANGES, r"(\w+) problems, among them", len(problems.CATALOGUE)),
        (CHANGES, r"the (\w+) data sets ship", len(data.SHIPPED)),
    ],
)
def test_counts_are_right(text, pattern, count):
    (word,) = re.findall(pattern, text)
    assert number(word) == count, pattern
