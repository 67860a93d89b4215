"""Random functions of plain loops: translated, they leave in arrays what they leave as Python, to the bit."""

import ast
import math

import cases
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from numba import types

from gdfast.kernels.loops.kernel import Kernel, UntranslatableError, text_of
from gdfast.kernels.numba_internals import engine_of, machine_code
from gdfast.kernels.tuples import with_item

SETTINGS: dict = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate, Phase.shrink],
    "database": None,
}
COUNT = 4  # entries of each array, and of each of the three rows
ARRAYS = {"D": "d", "F": "f", "S": "i", "C": "i", "W": "i", "U": "u"}
SIGNATURE = types.void(
    types.float64[::1], types.float32[::1], types.int8[::1], types.int32[::1], types.int64[::1], types.uint64[::1],
    types.float64[:, ::1], types.int64, types.float64,
)  # fmt: skip
OPERATIONS = {"d": "+-*/", "f": "+-*/", "i": "+-*&|^", "u": "+-*&|^"}
STATIC = (
    "division by zero",
    "more than 64 bits",
    "out of bounds for uint64",
    "negative shift",
    "expected a nonnegative",
    "nan",
    "infinity",
)
"""What Python itself refuses of numbers that are known, where machine code has an answer."""


class Writer:
    """Random statements over names of four kinds: double, single, whole, whole without a sign; and tuples and views."""

    def __init__(self, draw):
        self.draw = draw
        self.names = {"d": ["x", "y", "z", "factor"], "f": ["e", "g"], "i": ["k", "n", "j", "h"], "u": ["u"]}
        self.names["t"], self.views, self.helpers = ["p", "q"], {"v": COUNT, "w": COUNT}, []
        self.fixed = set()  # names that are not assigned meanwhile
        self.count = 0

    def pick(self, values):
        return self.draw(st.sampled_from(values))

    def place(self, length, depth=0):
        kind = self.pick("cccnei")
        if kind == "c":
            return str(self.pick(range(length)))
        if kind == "n":
            return f"-{self.pick(range(1, length + 1))}"
        return f"({self.number('i', depth)} % {length})"

    def entry(self, kind):
        arrays = [name for name, of in ARRAYS.items() if of == kind]
        if kind == "d":
            if self.views and self.pick("abc") == "a":
                name = self.pick(sorted(self.views))
                return f"{name}[{self.place(self.views[name])}]"
            if self.pick("abc") == "b":
                return f"R[{self.place(3)}, {self.place(COUNT)}]"
            if self.pick("abc") == "c":
                return f"R[{self.place(3)}][{self.place(COUNT)}]"
        return f"{self.pick(arrays)}[{self.place(COUNT)}]"

    def number(self, kind, depth):
        n = max(depth - 1, 0)
        return getattr(self, f"number_{self.pick('leneaamct' if depth > 0 else 'nnle')}")(kind, n)

    def number_l(self, kind, n):
        if kind == "f":
            return self.pick(["HALF", "np.float32(0.1)", "np.float32(-0.0)", "np.float32(3)"])
        if kind == "u":
            return f"np.uint64({self.pick([0, 1, 3, 11, 0x9E3779B97F4A7C15])})"
        numbers = {"d": [0.0, -0.0, 0.1, 1.0, 2.5, 1e300, 1e-300], "i": [0, 1, 2, 3, 7, 100, -5]}
        return repr(self.pick(numbers[kind]))

    def number_n(self, kind, n):
        names = self.names[kind]
        return self.pick(names[-2:] if self.pick("ab") == "a" else names)

    def number_e(self, kind, n):
        return self.entry(kind)

    def number_a(self, kind, n):
        a, op, b = self.number(kind, n), self.pick(OPERATIONS[kind]), self.number(kind, n)
        if kind == "d" and self.pick("ab") == "a":
            b = self.number(self.pick("if"), n)
        if kind == "d" and self.pick("ab") == "a":
            return f"({b} {op} {a})"
        return f"({a} {op} {b})"

    def number_m(self, kind, n):
        a, b = self.number(kind, n), self.number(kind, n)
        many = [f"{self.pick(['min', 'max'])}({a}, {b})", f"{self.pick(['min', 'max'])}({b}, {a})"]
        if kind != "u":
            many += [f"abs({a})", f"(-{a})"]
        return self.pick(many)

    def number_c(self, kind, n):
        """What only numbers of this kind have, or a conversion to it."""
        return self.pick(
            {
                "d": [
                    lambda: f"float({self.number(self.pick('diu'), n)})",
                    lambda: f"float({self.number('f', n)})",
                    lambda: f"math.sqrt(abs({self.number(self.pick('df'), n)}))",
                    lambda: f"({self.number('i', n)} / {self.number('i', n)})",
                    lambda: f"({self.number('d', n)} * {self.truth(n)})",
                    lambda: f"{self.pick(self.names['t'])}[{self.place(3)}]",
                    lambda: f"{self.pick(self.names['t'])}[:2][{self.pick([0, 1, -1])}]",
                    *([lambda: self.call("one", n)] if self.helpers else []),
                ],
                "f": [lambda: f"np.float32({self.number(self.pick('fdi'), n)})"],
                "i": [
                    lambda: f"({self.number('i', n)} {self.pick(['//', '%'])} {self.pick([2, 3, 7, -2, -3])})",
                    lambda: f"({self.number('i', n)} {self.pick(['//', '%'])} (({self.number('i', n)} & 7) + 2))",
                    lambda: f"({self.number('i', n)} {self.pick(['>>', '<<'])} {self.pick([0, 1, 5])})",
                    lambda: f"(int(x) if -1e6 < x < 1e6 else {self.number('i', n)})",
                    lambda: f"({self.number('i', n)} + {self.truth(n)})",
                    lambda: f"(~{self.number('i', n)})",
                    lambda: f"int(np.int32({self.number('i', n)}) * np.int32({self.number('i', n)}))",
                    lambda: f"int({self.number('u', n)})",
                    lambda: f"len({self.pick(['D', 'R', 'p', 'R[0]', 'D[1:]', 'R.reshape(-1)'])})",
                    lambda: f"R.shape[{self.pick([0, 1, -1])}]",
                ],
                "u": [
                    lambda: f"np.uint64({self.number('i', n)})",
                    lambda: f"({self.number('u', n)} >> np.uint64({self.pick([1, 11, 63])}))",
                    lambda: f"({self.number('u', n)} {self.pick(['//', '%'])} np.uint64({self.pick([1, 7, 2**63])}))",
                ],
            }[kind]
        )()

    def number_t(self, kind, n):
        return f"({self.number(kind, n)} if {self.truth(n)} else {self.number(kind, n)})"

    def truth(self, depth):
        n = max(depth - 1, 0)
        kind = self.pick("ccbnrj" if depth > 0 else "c")
        if kind == "b":
            return f"({self.truth(n)} {self.pick(['and', 'or'])} {self.truth(n)})"
        if kind == "n":
            return f"(not {self.truth(n)})"
        if kind == "j":
            return f"({self.compared(n)} {self.pick('&|')} {self.compared(n)})"
        if kind == "r":
            a, b, c = (self.number("d", n) for _ in range(3))
            return f"({a} {self.pick(['<', '<=', '=='])} {b} {self.pick(['<', '!=', '>='])} {c})"
        return self.compared(n)

    def compared(self, n):
        one, other = self.pick([*zip("dfiu", "dfiu", strict=True), ("d", "i"), ("f", "d"), ("i", "d")])
        return f"({self.number(one, n)} {self.pick(['<', '<=', '>', '>=', '==', '!='])} {self.number(other, n)})"

    def tuple(self, n):
        kind = self.pick("ttnsiwh")
        if kind == "n":
            return self.pick(self.names["t"])
        if kind == "s":
            name = self.pick(self.names["t"])
            return f"(*{name}[1:], {self.number('d', n)})"
        if kind == "i" and n > 0:
            return f"({self.tuple(n - 1)} if {self.truth(n)} else {self.tuple(n - 1)})"
        if kind == "w":
            return f"with_item({self.pick(self.names['t'])}, {self.pick([0, 1, 2])}, {self.number('d', n)})"
        if kind == "h" and self.helpers:
            return self.call("three", n)
        return f"({', '.join(self.number('d', n) for _ in range(3))})"

    def call(self, result, n):
        names = [name for name, of in self.helpers if of == result]
        if not names:
            return self.pick(["(0.5, x, y)", "p"]) if result == "three" else "x"
        view = self.pick([*self.views, "D", "R[1]", "R.reshape(-1)[2:6]"])
        return f"{self.pick(names)}({self.number('d', n)}, {self.number('i', n)}, {self.tuple(0)}, {view})"

    # Statements.

    def block(self, depth, in_loop=False, least=1):
        lines, names = [], dict(self.names)
        for _ in range(self.draw(st.integers(least, 3 + least // 3 * 4))):
            lines += self.statement(depth, in_loop)
        if self.pick("abcdef") != "a":  # or else names of this block may be read behind it
            self.names = names
        return lines

    def statement(self, depth, in_loop):
        kinds = "aaasutvxzz" + ("ifwo" if depth else "") + ("bc" if in_loop else "")
        return getattr(self, f"statement_{self.pick(kinds)}")(max(depth - 1, 0), in_loop)

    def target(self, kind):
        return self.pick([name for name in self.names[kind] if name not in self.fixed])

    def statement_a(self, depth, in_loop):
        kind = self.pick("ddfiiu")
        return [f"{self.target(kind)} = {self.number(kind, 2)}"]

    def statement_s(self, depth, in_loop):
        """An entry is stored."""
        kind = self.pick("ddfiu")
        value = self.number(self.pick("dfi"), 2) if kind in "df" else self.number(kind, 2)
        return [f"{self.entry(kind)} {self.pick(['', OPERATIONS[kind][0], '*'])}= {value}"]

    def statement_u(self, depth, in_loop):
        kind = self.pick("ddfiu")
        return [f"{self.target(kind)} {self.pick(OPERATIONS[kind])}= {self.number(kind, 2)}"]

    def statement_t(self, depth, in_loop):
        return [f"{self.pick(self.names['t'])} = {self.tuple(2)}"]

    def statement_x(self, depth, in_loop):
        """Several at once."""
        one, other = self.target("d"), self.target("d")
        return self.pick(
            [
                [f"{one}, {other} = {other}, {one}"],
                ["p, q = q, p"],
                [f"({one}, k), {other} = ({self.number('d', 1)}, {self.number('i', 1)}), {one}"]
                if "k" not in self.fixed
                else ["pass"],
                [f"{one} = {other} = {self.number('d', 1)}"],
                [f"p = {self.tuple(1)}", f"{one}, {other}, D[0] = p"],
            ]
        )

    def statement_v(self, depth, in_loop):
        rows = [f"R[{self.place(3)}]", "D", "D[:]", "R.reshape(-1)[3:7]", "R[1:][0]", "v", "w"]
        if "v" not in self.views:
            return ["pass"]
        one, other = self.pick(rows), self.pick(rows)
        return self.pick(
            [[f"v = {one}"], ["v, w = w, v"], [f"w = {one} if {self.truth(1)} else {other}"], [f"{one}[1] += 0.5"]]
        )

    def statement_z(self, depth, in_loop):
        """A name that was not there before."""
        self.count += 1
        kind, name = self.pick("ddit"), f"r{self.count}"
        text = self.tuple(1) if kind == "t" else self.number(kind, 1)
        self.names = {**self.names, kind: [*self.names[kind], name]}
        return [f"{name} = {text}"]

    def statement_i(self, depth, in_loop):
        lines = [f"if {self.truth(2)}:", *indented(self.block(depth, in_loop))]
        if self.pick("ab") == "a":
            lines += ["else:", *indented(self.block(depth, in_loop))]
        return lines

    def statement_f(self, depth, in_loop):
        name, bounds = (
            self.target("i"),
            self.pick(["3", "k & 3", "1, 4", "n, n + 3", "3, -1, -1", "n, n - 5, -2", "0, 5, 1 + (n & 1)", "2, 0"]),
        )
        usual, is_known = self.fixed, not any(letter in bounds for letter in "kn")
        self.fixed = usual | {name} if is_known else usual  # it is written out if it tells places of a tuple
        body = self.block(depth, True)
        self.fixed = usual
        return [f"for {name} in range({bounds}):", *indented(body)]

    def statement_w(self, depth, in_loop):
        self.count += 1
        fuel = f"fuel{self.count}"
        body = [f"{fuel} -= 1", *self.block(depth, True)]
        return [f"{fuel} = 4", f"while {fuel} > 0 and {self.truth(1)}:", *indented(body)]

    def statement_o(self, depth, in_loop):
        """A loop that is written out."""
        name, values = self.target("i"), self.pick(self.names["t"])
        self.fixed.add(name)
        body = [f"{self.pick('xyz')} += {values}[{name}]", *self.block(depth, True)]
        if self.pick("ab") == "a":
            body.insert(0, f"{values} = with_item({values}, {name}, {self.number('d', 1)})")
        if self.pick("ab") == "a":
            self.count += 1
            body.insert(0, f"m{self.count} = {name} + 1")
            usual = self.names
            self.names = {**usual, "i": [*usual["i"], f"m{self.count}"]}
            body += self.block(0, True)
            self.names = usual
        self.fixed.discard(name)
        behind = [f"y -= {body[0].split()[0]}"] if body[0].startswith("m") else []
        return [f"for {name} in range({self.pick(['3', '2, -1, -1', '1, 3'])}):", *indented(body), *behind]

    def statement_b(self, depth, in_loop):
        return [f"if {self.truth(1)}:", "    break"]

    def statement_c(self, depth, in_loop):
        return [f"if {self.truth(1)}:", "    continue"]


def indented(lines):
    return [f"    {line}" for line in lines]


class Helper(Writer):
    """A function of a number, a whole number, a tuple and a view, all of which may be assigned."""

    def __init__(self, draw, helpers):
        super().__init__(draw)
        self.names = {"d": ["x"], "f": ["HALF"], "i": ["k", "n"], "u": ["ONE"], "t": ["p"]}
        self.fixed, self.views, self.helpers = {"HALF", "ONE"}, {"v": COUNT}, list(helpers)

    def entry(self, kind):
        if kind == "d":
            return f"v[{self.place(COUNT)}]"
        return {"f": "HALF", "i": "k", "u": "ONE"}[kind]

    def statement(self, depth, in_loop):
        kind = self.pick("aust" + ("if" if depth else "") + ("bc" if in_loop else ""))
        if kind == "t":
            return [f"p = {self.tuple(1)}"]
        if kind in "aus":
            name = self.pick(["x", self.target("i")]) if kind != "s" else f"v[{self.place(COUNT)}]"
            op = self.pick("+-*") if kind == "u" else ""
            return [f"{name} {op}= {self.number('i' if name in 'kn' else 'd', 2)}"]
        return getattr(self, f"statement_{kind}")(0, in_loop)

    def number_c(self, kind, n):
        lengths = kind == "i" and self.pick("abc") == "a"
        while True:
            text = "len(v)" if lengths else super().number_c(kind, n)
            if "R" not in text.replace("R[1]", "") and "D" not in text and "R" not in text:
                return text


def programs_of(draw):
    """The text of a function, with those of its helpers."""
    texts, helpers = [], []
    for index in range(draw(st.integers(0, 2))):
        helper = Helper(draw, [])
        result = helper.pick(["one", "three"])
        body = helper.block(1 if result == "one" else 0)
        if result == "one" and helper.pick("ab") == "a":
            body += [f"if {helper.truth(1)}:", f"    return {helper.number('d', 1)}"]
        body += [f"return {helper.number('d', 2) if result == 'one' else helper.tuple(2)}"]
        texts.append("\n".join([f"def helper{index}(x, k, p, v):", "    n = k", *indented(body)]))
        helpers.append((f"helper{index}", result))
    writer = Writer(draw)
    writer.helpers = helpers
    lines = ["x, y, z, e, g, k, j, h, u = D[0], 0.5, factor, F[0], HALF, W[1], 0, 2, U[0]"]
    lines += ["p, q, v, w = (x, y, 0.25), (0.0, -1.5, z), D, R[2]", *writer.block(2, least=3)]
    lines += ["D[0], D[1], D[2], F[0], F[1] = x, y, z, e, g", "W[0], W[1], W[2], W[3], U[0] = k, j, h, n, u"]
    lines += ["R[0, 0], R[0, 1], R[0, 2], R[1, 0], R[1, 1], R[1, 2] = *p, *q", "R[2, 0] += v[0]", "R[2, 1] += w[1]"]
    lines += [f"R[1, 3] += {name}" for kind in "di" for name in writer.names[kind] if name.startswith("r")]
    return "\n".join([*texts, "def run(D, F, S, C, W, U, R, n, factor):", *indented(lines)])


programs = st.composite(programs_of)


class AsNumbers(ast.NodeTransformer):
    """Numbers that are written as numbers of NumPy's, as which those of arrays and of 64 bits are combined."""

    def visit_Constant(self, node):
        kind = {int: "int64", float: "float64"}.get(type(node.value))
        return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), kind, ast.Load()), [node], []) if kind else node

    def visit_Call(self, node):
        return node if ast.unparse(node.func) == "np.uint64" and isinstance(node.args[0], ast.Constant) else (
            self.generic_visit(node)
        )  # fmt: skip

    def visit_Subscript(self, node):
        self.generic_visit(node)
        is_read = isinstance(node.ctx, ast.Load)
        return ast.Call(ast.Name("_entry", ast.Load()), [node], []) if is_read else node


def _entry(value):
    return np.int64(value) if isinstance(value, np.int8 | np.int32) else value


class Wrapping(np.ndarray):
    """Arrays that keep of whole numbers what they have bits for."""

    def __setitem__(self, place, value):
        super().__setitem__(place, np.asarray(value).astype(self.dtype))


AROUND = {"np": np, "math": math, "HALF": np.float32(0.5), "ONE": np.uint64(1), "with_item": with_item}
AS_PYTHON = {
    **AROUND,
    "_entry": _entry,
    "float": np.float64,
    "int": np.int64,
    "len": lambda values: np.int64(len(values)),
    "range": lambda *bounds: map(np.int64, range(*map(int, bounds))),
    "with_item": lambda values, place, value: (*values[:place], value, *values[place + 1 :]),
}
MATH = type("math", (), {"sqrt": staticmethod(lambda x: np.float64(math.sqrt(x)))})


def functions(text):
    """The function of a text, to be translated, and as Python."""
    tree = ast.parse(text)
    translated, plain = dict(AROUND), {**AS_PYTHON, "math": MATH}
    exec(compile(tree, "<fuzz>", "exec"), translated)
    for node in tree.body:
        translated[node.name].__tree__ = node
    other = ast.fix_missing_locations(AsNumbers().visit(ast.parse(text)))
    exec(compile(other, "<fuzz>", "exec"), plain)
    return translated["run"], plain["run"]


def given_numbers(seed):
    random = np.random.default_rng(seed)
    special = np.array([0.0, -0.0, 1.0, -2.0, 0.5, np.inf, np.nan, 1e300, 1e-310])
    singles = np.array([0.5, -0.0, 3.0, 0.1], np.float32)
    wide = random.integers(-(2**63), 2**63 - 1, COUNT)
    doubles = random.choice(special, COUNT) if seed % 2 else random.normal(size=COUNT)
    return (
        doubles, random.permutation(singles), random.integers(-128, 127, COUNT).astype(np.int8),
        random.integers(-(2**31), 2**31 - 1, COUNT).astype(np.int32), wide if seed % 2 else wide % 5,
        random.integers(0, 2**63, COUNT).astype(np.uint64) * np.uint64(2), random.normal(size=(3, COUNT)),
        np.int64(seed), np.float64(0.7),
    )  # fmt: skip


def compared(text):
    """Run a text both ways, translated also with its places looked at."""
    run, plain = functions(text)
    for is_checked in (False, True):
        try:
            written = text_of(run, SIGNATURE, is_checked)
        except UntranslatableError as error:
            if any(words in str(error) for words in STATIC):
                reject()
            if "may have no value yet" in str(error):
                return
            raise
        kernel = Kernel(engine_of(machine_code(written)), SIGNATURE)
        for seed in range(3):
            one, other = given_numbers(seed), given_numbers(seed)
            other = [array.view(Wrapping) if isinstance(array, np.ndarray) else array for array in other]
            with np.errstate(all="ignore"):
                plain(*other)
            kernel(*one)
            for name, a, b in zip("DFSCWUR", one, other, strict=False):
                is_none = np.isnan(a) & np.isnan(b) if a.dtype.kind == "f" else np.zeros(a.shape, bool)
                whole = f"i{a.dtype.itemsize}"
                assert ((a.view(whole) == b.view(whole)) | is_none).all(), (name, seed, is_checked, a, b)


@pytest.mark.slow
@settings(max_examples=24, derandomize=True, **SETTINGS)
@given(programs())
def test_random_functions(text):
    compared(text)


@pytest.mark.slow
@settings(max_examples=cases.examples(300), **SETTINGS)
@given(programs())
def test_many_random_functions(text):
    compared(text)
