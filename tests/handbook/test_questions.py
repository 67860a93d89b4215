"""What newcomers ask, and whether the page whose title they would open first answers it."""

import math
import re
from collections import Counter

import pytest

from gdfast.handbook.site import TEXTS

# The question, the page that has to come first by the words of its title, and what has to stand there.
QUESTIONS = [
    ("What do I do in the first ten minutes to get to my own map?", "tutorial/index.md", ["pip install", "gdfast map"]),
    ("How do I use a formula of my own?", "howto/formula.md", ["from_expression", "--loss"]),
    ("Can I use my data from a CSV?", "howto/data.md", ["visits.csv", "--data", "--target"]),
    ("How do I fit my own model?", "howto/model.md", ["from_model", "--model"]),
    ("Can I train networks with it?", "howto/network.md", ["gdfast.problems.mlp", "init="]),
    ("How do I try an optimizer of my own?", "howto/optimizer.md", ["def rule(", "@named"]),
    ("Where do I keep what is mine, in a file?", "howto/own_file.md", ["mine.py:bowl"]),
    ("How do I find a good learning rate?", "howto/rates.md", ["advice", "gdfast tune"]),
    (
        "How do I compare two optimizers, before and after a change?",
        "howto/comparing.md",
        ["gdfast compare", "rescued"],
    ),
    ("Can momentum be an axis, or another hyperparameter?", "howto/hyperparameters.md", ["momentum=0:0.99", "--y"]),
    ("How do I see what happens along the way, such as the loss at each step?", "howto/along_the_way.md", ["history="]),
    ("Can I run sweeps larger than my memory?", "howto/large.md", ["block by block", "--out", "--reuse"]),
    ("How do I use a Dask cluster or MPI?", "howto/cluster.md", ["--scheduler", "mpiexec", "--nthreads"]),
    ("How do I open a store in other programs, such as R?", "howto/programs.md", ["read.csv", "netCDF", "xarray"]),
    ("Does it work in a notebook?", "howto/notebooks.md", ["cell"]),
    ("How do I run the benchmarks in CI?", "howto/benchmarks.md", ["--benchmark-compare-fail"]),
    ("What do the outcomes and tolerances mean?", "explanation/outcomes.md", ["loss_tolerance", "stalled", "excess"]),
    ("Why do bits agree?", "explanation/bits.md", ["correctly rounded", "backend="]),
    ("How were the rules checked?", "explanation/checked.md", ["torch", "--parity"]),
    ("Which environment variables are there?", "reference/environment.md", ["NUMBA_CACHE_DIR", "GDFAST_TRACEBACK"]),
]
EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an and are at be can do does each for from get good have how i in is it me my of on or such that the there "
        "they to try two use was were what when where which why will with work",
    )
)


def stems(text):
    return Counter(word[:5] for word in re.findall(r"[a-z]+", text.lower()) if word not in EMPTY)


def title(page):
    return next(line.lstrip("# ") for line in page.read_text().splitlines() if line.startswith("# "))


PAGES = {page.relative_to(TEXTS).as_posix(): title(page) for page in sorted(TEXTS.rglob("*.md"))}
OFTEN = Counter(stem for text in PAGES.values() for stem in stems(text))


def likeness(question, text):
    """How much of a title stands in a question, rare words counting more."""
    asked, told = stems(question), stems(text)
    shared = sum(math.log(1 + len(PAGES) / OFTEN[stem]) for stem in told if stem in asked)
    return shared / math.sqrt(1 + sum(told.values()))


def test_there_are_twenty_questions():
    assert len({question for question, *_ in QUESTIONS}) == 20
    assert len({page for _, page, _ in QUESTIONS}) == 20


@pytest.mark.parametrize(("question", "page", "words"), QUESTIONS, ids=[question for question, *_ in QUESTIONS])
def test_the_page_that_one_opens_first_answers(question, page, words):
    order = sorted(PAGES, key=lambda name: -likeness(question, PAGES[name]))
    assert order[0] == page, [(name, PAGES[name]) for name in order[:3]]
    text = (TEXTS / page).read_text()
    assert [word for word in words if word not in text] == []


def test_every_page_is_in_a_contents_list():
    for name in PAGES:
        folder, _, file = name.rpartition("/")
        stem = file.removesuffix(".md")
        contents = TEXTS / folder / "index.md" if stem != "index" else TEXTS / "index.md"
        entry = stem if stem != "index" else f"{folder}/index"
        assert name == "index.md" or re.search(rf"^{entry}$", contents.read_text(), re.MULTILINE), name
