"""Whatever text is given as an expression: a landscape or one sentence, soon, and with little memory."""

import ast
import functools
import os
import signal
import subprocess
import sys

import cases
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from gdfast import problems
from gdfast.formulas import elementary
from gdfast.formulas.formula import Formula

SECONDS = 20  # in which a text is answered: a hang, not slowness, takes longer

NAMES = ["x", "y", "z", "alpha", "t0", "pi", "e", "µ", "x1", "_", "select", "lambda", "match", "nan", "inf", "I", "S"]
NUMBERS = ["0", "1", "2", "3", "0.5", "2.5", "64", "-1", "1e300", "1e-300", "1e-400", "1e999", "9" * 400, "1j", "0x1F"]
CALLS = ["abs", "acos", "asin", "atan", "cos", "cosh", "erf", "exp", "log", "log10", "log1p", "log2", "sigmoid", "sign"]
CALLS += ["sin", "sinh", "softplus", "sqrt", "tan", "tanh"]
ALSO = ["ln({})", "np.arctan({})", "relu({})", "math.pi*({})", "{}^2", "np.where({}<1,x,{})", "(x if {}>y else z)"]
ALSO += ["x[0]*{}", "({}<x)*y", "piecewise((x,x<{}),(y,True))", "where((x<1)&({}>y),{},x)", "2{}", "{}·x²"]
ALSO += ["where(not x<{}<2,y,1)"]


def trees():
    """Texts that mostly are mathematics, of every function and operator, with numbers at the ends of the range."""
    leaves = st.sampled_from(NAMES[:5] * 3 + NUMBERS + NAMES)

    def grown(inner):
        pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map("({0[0]}{0[1]}{0[2]})".format)
        chains = st.tuples(st.lists(inner, min_size=2, max_size=6), st.sampled_from("+-*/")).map(
            lambda c: c[1].join(c[0])
        )
        calls = st.tuples(st.sampled_from(CALLS), inner).map("{0[0]}({0[1]})".format)
        several = st.tuples(st.sampled_from(["max", "min"]), st.lists(inner, min_size=2, max_size=4)).map(
            lambda c: f"{c[0]}({','.join(c[1])})"
        )
        powers = st.tuples(inner, st.sampled_from(["2", "3", "64", "-2", "0.5", "2.5", "0", "1"])).map(
            "({0[0]})**{0[1]}".format
        )
        others = st.tuples(st.sampled_from(ALSO), inner).map(lambda c: c[0].replace("{}", c[1]))
        deep = st.tuples(
            inner, st.sampled_from(["exp({})", "({})**63+x", "1/({}+x*y)", "({}*x-1)", "-{}", "tanh({}+z)"])
        )
        return pairs | chains | calls | others | several | powers | st.tuples(deep, st.integers(1, 70)).map(nested)

    return st.recursive(leaves, grown, max_leaves=30)


def nested(deep):
    (text, around), times = deep
    for _ in range(times):
        if len(text) > 4200:
            break
        text = around.format(text)
    return text


@st.composite
def mutated(draw):
    """Mathematics with some characters or pieces lost, doubled, changed or put in."""
    text = draw(trees())
    for _ in range(draw(st.integers(1, 4))):
        at, width = draw(st.integers(0, len(text))), draw(st.integers(0, 5))
        piece = draw(
            st.sampled_from(["", "(", ")", "**", "*", ",", "e", "1e", ".", "[", "\n", "\\", "'", "\x00", "∂"])
            | st.text(max_size=3)
        )
        text = text[:at] + piece * draw(st.sampled_from([1, 1, 1, 2, 500])) + text[at + width :]
    return text


def answered(text):
    """The landscape of a text, None where it is refused in a sentence."""

    def too_long(*_):
        raise AssertionError(f"no answer in {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        problem = problems.from_expression(text)
    except ValueError as refusal:
        sentence = str(refusal)
        assert "expression" in sentence
        assert "\n" not in sentence
        assert len(sentence) < 400
        return None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return problem


def assert_answered(text):
    problem = answered(text)
    if problem is None:
        return
    names = problem.coordinates
    Formula.of(problem.loss_formula, 1)
    Formula.of(problem.gradient_formula, len(names))
    theta = np.random.default_rng(0).uniform(0.1, 2, (len(names), 8))
    with np.errstate(all="ignore"):
        loss, gradient = problem.loss(theta), problem.gradient(theta)
        assert loss.shape == (8,)
        assert gradient.shape == theta.shape
        expected = meaning(text, dict(zip(names, theta, strict=True)))
        error = np.abs(loss - expected) / sensitivity(text, names, theta, expected)
    assert not (error > 1e-6).any()  # where either is no number, neither is the error


class Library:
    """What is called with a library's name before it."""

    pi, e, arctan, where = np.pi, np.e, np.arctan, np.where


def by_cases(*cases):
    values, conditions = zip(*((np.broadcast_to(part, 8) for part in case) for case in cases), strict=True)
    return np.select(conditions, values)


FUNCTIONS = {
    "ln": elementary.log,
    "np": Library,
    "math": Library,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_not": np.logical_not,
    "relu": lambda value: np.maximum(0, value),
    "where": np.where,
    "piecewise": by_cases,
    "abs": np.abs,
    "max": lambda *values: np.max(np.broadcast_arrays(*values), axis=0),
    "min": lambda *values: np.min(np.broadcast_arrays(*values), axis=0),
    "pi": np.pi,
    "e": np.e,
    **{name: getattr(elementary, name) for name in CALLS if name != "abs"},
}


class OnArrays(ast.NodeTransformer):
    """Python's words for one number as NumPy's for many, and every number a float."""

    def visit_Constant(self, node):
        return node if isinstance(node.value, bool) else ast.Constant(float(node.value))

    def visit_Subscript(self, node):
        return ast.Name(f"{node.value.id}{node.slice.value}", ast.Load())

    def visit_IfExp(self, node):
        return self.call("where", node.test, node.body, node.orelse)

    def visit_BoolOp(self, node):
        first, *others = node.values
        return self.call(f"logical_{type(node.op).__name__.lower()}", first, *others)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Not | ast.Invert):
            return self.call("logical_not", node.operand)
        return self.generic_visit(node)

    def visit_Compare(self, node):
        sides = [self.visit(side) for side in (node.left, *node.comparators)]
        pairs = [ast.Compare(a, [o], [b]) for a, o, b in zip(sides, node.ops, sides[1:], strict=False)]
        return functools.reduce(lambda a, b: ast.Call(ast.Name("logical_and", ast.Load()), [a, b], []), pairs)

    def call(self, name, *values):
        return ast.Call(ast.Name(name, ast.Load()), [self.visit(value) for value in values], [])


def meaning(text, values):
    """What NumPy makes of a text."""
    text = text.strip().translate(
        {ord("^"): "**", ord("·"): "*"} | {ord(c): f"**{i}" for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
    )
    tree = ast.fix_missing_locations(OnArrays().visit(ast.parse(text, mode="eval")))
    return np.broadcast_to(eval(compile(tree, "", "eval"), {**FUNCTIONS, **values}), 8)


def sensitivity(text, names, theta, expected):
    """How large errors may be, relative to rounding: where a rounded argument changes much, so may an operation.

    Where arguments that differ by a billionth change a value by more than a thousandth of it, as in the cosine of a
    huge number, nothing is known of the value.
    """
    moved = [meaning(text, dict(zip(names, theta * (1 + h), strict=True))) for h in (1e-9, -1e-9, 2e-9, -3e-9)]
    change = np.abs(np.array(moved) - expected).max(axis=0)
    size = np.abs(expected) + 1
    return np.where(change < 1e-3 * size, size + 1e6 * change, np.inf)


@pytest.mark.slow
@example(text="cos((((cos(0))**63+x)**63+x)**63+x)")  # of 1e30 and more
@seed(3)
@given(text=trees() | mutated())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_a_landscape_or_refused_in_a_sentence(text):
    assert_answered(text)


@pytest.mark.slow
@given(text=trees() | mutated() | st.text(max_size=4000))
@settings(max_examples=cases.examples(1000), suppress_health_check=list(HealthCheck))
def test_many_texts_are_landscapes_or_refused_in_a_sentence(text):
    assert_answered(text)


LARGE = {
    "powers of powers": "(((x+1)**64+1)**64+1)**64",
    "a power of a power": "((x+1)**16+1)**16",
    "powers in each other": "(" * 50 + "x" + "**63+y)" * 50,
    "variable powers": "(" * 50 + "x" + "+y)**z" * 50,
    "a long sum": "+".join(["x"] * 2000),
    "a long product": "*".join(f"(x+{i})" for i in range(400)),
    "a product of eight": "*".join(f"(x{i % 8}+{i})" for i in range(120)),
    "a long quotient": "/".join(f"(x{i % 8}+{i})" for i in range(120)),
    "functions in each other": "exp(" * 55 + "x" + ")" * 55,
    "choices in each other": "max(min(" * 27 + "x*y" + ",z*x),x+z)" * 27,
    "many to choose from": "max(" + ",".join(f"x{i % 8}*{i}" for i in range(160)) + ")",
    "parentheses": "(" * 1900 + "x" + ")" * 1900,
    "signs": "-" * 3990 + "x",
    "a tower": "9**9**9",
    "a tower of coordinates": "**".join(["x"] * 200),
    "a number of 4000 digits": "9" * 3998 + "*x",
    "a number beyond all": "1e999*x",
    "a name of thousands of letters": "x" * 3990,
    "comparisons": "x" + "<x" * 1999,
    "letters of all the world": "".join(chr(0x4E00 + i) for i in range(3000)),
}


LIMITED = """
import resource, sys
from gdfast import problems
used = 4096 * int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + 512 * 2**20,) * 2)
for text in sys.stdin.read().split(chr(0)):
    try:
        problems.from_expression(text)
    except ValueError:
        pass
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not tell how much memory is used")
def test_large_texts_take_little_memory():
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], input="\0".join(LARGE.values()), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_large_texts_are_answered(text):
    answered(text)
