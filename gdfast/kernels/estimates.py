"""Correctly rounded roots and quotients without the divider, in machine code that has vectors of 512 bits.

A core has one divider. On some a vector of eight roots keeps it busy for 24 cycles, in which the other units could do
48 operations. AVX-512 has estimates of 1/√x and 1/x, right to 14 bits. Newton's method with fused multiply-add makes
53 of them; a last residual, which fused multiply-add gives exactly, rounds the result as the divider does. So the bits
are the same, and where the divider is what a loop waits for, some of its roots and quotients come from here.

*Root* of v: y ≈ 1/√v, g = v y, h = y/2; twice r = ½ − g h, g ← g + g r, h ← h + h r; result g + h (v − g²). With
relative errors e of g and f of 2 h √v it is (1 − e²/2 − e f) √v before it is rounded, within 2⁻¹⁰² of the root. A root
that comes as near as that to the middle of two numbers is one of a short list: v = (m² + k) / 2ⁿ, m odd and k small;
the tests go through it.

*Quotient* a/b: y ≈ 1/b, three times y ← y + y (1 − b y); q = a y, twice q ← q + y (a − b q). The third y is the
correctly rounded reciprocal, unless all bits of b's significand are ones, and then the last q is the correctly rounded
quotient (Markstein, IBM J. Res. Dev. 34, 1990; Cornea, Harrison & Tang, *Scientific Computing on Itanium*, 2002,
chapters 7 and 8). Signs are taken from b to a, so that zeros have theirs.

What is zero, subnormal, infinite, negative under a root, not a number, or so near to the ends of the range that a
residual would not be exact, takes the divider: a comparison of the bits tells whether any of eight is, and a branch
that is hardly ever taken leads there. A quotient's a may be 0.

Which of a loop's roots and quotients come from estimates follows from how many operations it has and from how long
each takes on this machine (`Units`, measured by `gdfast.kernels.units`): the divider and the other units work side by
side, so that the longer of the two times counts, and it is to be as short as can be.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

WORTH: Final = 0.85
"""Share of a loop's time with the divider alone at or below which estimates are taken: the times are estimates, too."""

ROOT, QUOTIENT = "gdfast.root", "gdfast.quotient"

TEXT: Final = f"""
define internal <8 x double> @{ROOT}(<8 x double> %v) alwaysinline nounwind {{
  %bits = bitcast <8 x double> %v to <8 x i64>
  %above = sub <8 x i64> %bits, splat (i64 {0x040 << 52})
  %special = icmp uge <8 x i64> %above, splat (i64 {(0x7C0 - 0x040) << 52})
  %mask = bitcast <8 x i1> %special to i8
  %any = icmp ne i8 %mask, 0
  br i1 %any, label %divider, label %estimate, !prof !PROFILE
divider:
  %exact = call <8 x double> @llvm.sqrt.v8f64(<8 x double> %v)
  ret <8 x double> %exact
estimate:
  %y = call <8 x double> @llvm.x86.avx512.rsqrt14.pd.512(<8 x double> %v, <8 x double> zeroinitializer, i8 -1)
  %g0 = fmul <8 x double> %v, %y
  %h0 = fmul <8 x double> %y, splat (double 5.000000e-01)
  %n0 = fneg <8 x double> %g0
  %r0 = call <8 x double> @llvm.fma.v8f64(<8 x double> %n0, <8 x double> %h0, <8 x double> splat (double 5.000000e-01))
  %g1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %g0, <8 x double> %r0, <8 x double> %g0)
  %h1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %h0, <8 x double> %r0, <8 x double> %h0)
  %n1 = fneg <8 x double> %g1
  %r1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %n1, <8 x double> %h1, <8 x double> splat (double 5.000000e-01))
  %g2 = call <8 x double> @llvm.fma.v8f64(<8 x double> %g1, <8 x double> %r1, <8 x double> %g1)
  %h2 = call <8 x double> @llvm.fma.v8f64(<8 x double> %h1, <8 x double> %r1, <8 x double> %h1)
  %n2 = fneg <8 x double> %g2
  %d = call <8 x double> @llvm.fma.v8f64(<8 x double> %n2, <8 x double> %g2, <8 x double> %v)
  %root = call <8 x double> @llvm.fma.v8f64(<8 x double> %d, <8 x double> %h2, <8 x double> %g2)
  ret <8 x double> %root
}}
define internal <8 x double> @{QUOTIENT}(<8 x double> %x, <8 x double> %z) alwaysinline nounwind {{
  %xbits = bitcast <8 x double> %x to <8 x i64>
  %zbits = bitcast <8 x double> %z to <8 x i64>
  %sign = and <8 x i64> %zbits, splat (i64 {-(1 << 63)})
  %abits = xor <8 x i64> %xbits, %sign
  %bbits = and <8 x i64> %zbits, splat (i64 {(1 << 63) - 1})
  %size = and <8 x i64> %xbits, splat (i64 {(1 << 63) - 1})
  %above = sub <8 x i64> %size, splat (i64 {0x200 << 52})
  %far = icmp uge <8 x i64> %above, splat (i64 {(0x5F0 - 0x200) << 52})
  %other = icmp ne <8 x i64> %size, zeroinitializer
  %odd = and <8 x i1> %far, %other
  %below = sub <8 x i64> %bbits, splat (i64 {0x200 << 52})
  %high = icmp uge <8 x i64> %below, splat (i64 {(0x5F0 - 0x200) << 52})
  %next = add <8 x i64> %bbits, splat (i64 1)
  %rest = and <8 x i64> %next, splat (i64 {(1 << 52) - 1})
  %ones = icmp eq <8 x i64> %rest, zeroinitializer
  %either = or <8 x i1> %odd, %high
  %special = or <8 x i1> %either, %ones
  %mask = bitcast <8 x i1> %special to i8
  %any = icmp ne i8 %mask, 0
  br i1 %any, label %divider, label %estimate, !prof !PROFILE
divider:
  %exact = fdiv <8 x double> %x, %z
  ret <8 x double> %exact
estimate:
  %a = bitcast <8 x i64> %abits to <8 x double>
  %b = bitcast <8 x i64> %bbits to <8 x double>
  %m = fneg <8 x double> %b
  %na = fneg <8 x double> %a
  %y0 = call <8 x double> @llvm.x86.avx512.rcp14.pd.512(<8 x double> %b, <8 x double> zeroinitializer, i8 -1)
  %e0 = call <8 x double> @llvm.fma.v8f64(<8 x double> %m, <8 x double> %y0, <8 x double> splat (double 1.000000e+00))
  %y1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %e0, <8 x double> %y0, <8 x double> %y0)
  %e1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %m, <8 x double> %y1, <8 x double> splat (double 1.000000e+00))
  %y2 = call <8 x double> @llvm.fma.v8f64(<8 x double> %e1, <8 x double> %y1, <8 x double> %y1)
  %e2 = call <8 x double> @llvm.fma.v8f64(<8 x double> %m, <8 x double> %y2, <8 x double> splat (double 1.000000e+00))
  %y3 = call <8 x double> @llvm.fma.v8f64(<8 x double> %e2, <8 x double> %y2, <8 x double> %y2)
  %q0 = fmul <8 x double> %a, %y3
  %r0 = call <8 x double> @llvm.fma.v8f64(<8 x double> %b, <8 x double> %q0, <8 x double> %na)
  %s0 = fneg <8 x double> %r0
  %q1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %s0, <8 x double> %y3, <8 x double> %q0)
  %r1 = call <8 x double> @llvm.fma.v8f64(<8 x double> %b, <8 x double> %q1, <8 x double> %na)
  %s1 = fneg <8 x double> %r1
  %q2 = call <8 x double> @llvm.fma.v8f64(<8 x double> %s1, <8 x double> %y3, <8 x double> %q1)
  ret <8 x double> %q2
}}
"""
_ARGUMENTS = {
    "llvm.sqrt.v8f64": "<8 x double>",
    "llvm.fma.v8f64": "<8 x double>, <8 x double>, <8 x double>",
    "llvm.x86.avx512.rsqrt14.pd.512": "<8 x double>, <8 x double>, i8",
    "llvm.x86.avx512.rcp14.pd.512": "<8 x double>, <8 x double>, i8",
}

_BLOCK = re.compile(r'^[-\w$."]+:')
_SQRT = re.compile(r"^(\s+%\S+ = )(?:\w+ )*call <8 x double> @llvm\.sqrt\.v8f64\((<8 x double> [^)]+)\)")
_FDIV = re.compile(r"^(\s+%\S+ = )fdiv <8 x double> (%\S+|splat \([^)]*\)), (%\S+)$")
_OPERATION = re.compile(
    r"^\s+%\S+ = (?:\w+ )*?"
    r"(?:fadd|fsub|fmul|fneg|fcmp|icmp|select|add|sub|and|or|xor|shl|lshr|ashr|sitofp|fptosi|call)\b.*<8 x "
)


class Units(NamedTuple):
    """How long the units of a processor take for eight numbers of 64 bits, in times of a product."""

    root: float  # of the divider
    quotient: float
    root_by_estimate: float  # of all others
    quotient_by_estimate: float
    other: float  # of a mixture as loops have it: products and sums may have units of their own

    @property
    def ever(self) -> bool:
        """Whether there is a loop for which an estimate is quicker."""
        return any(choose(self, roots, quotients, 0) != (0, 0) for roots in range(5) for quotients in range(5))


def choose(units: Units, roots: int, quotients: int, others: int) -> tuple[int, int]:
    """How many of a loop's roots and quotients, with so many other operations, come from estimates."""

    def time(mixture: tuple[int, int]) -> float:
        r, q = mixture
        divider = (roots - r) * units.root + (quotients - q) * units.quotient
        return max(divider, others * units.other + r * units.root_by_estimate + q * units.quotient_by_estimate)

    mixtures = [(r, q) for r in range(roots + 1) for q in range(quotients + 1)]
    best = min(mixtures, key=lambda mixture: (time(mixture), mixture))
    return best if time(best) <= WORTH * time((0, 0)) else (0, 0)


def with_estimates(text: str, units: Units) -> str | None:
    """Write into LLVM's assembly of a module, in place of roots and quotients, calls of those in `TEXT`.

    Returns
    -------
    str or None
        The new text, None where all stay with the divider.
    """
    lines = text.splitlines()
    changed = False
    for begin, end in _blocks(lines):
        block = range(begin, end)
        roots, quotients = ([i for i in block if form.match(lines[i])] for form in (_SQRT, _FDIV))
        if not roots and not quotients:
            continue
        others = sum(_OPERATION.match(lines[i]) is not None for i in block) - len(roots)
        r, q = choose(units, len(roots), len(quotients), others)
        for i in roots[:r]:
            lines[i] = _SQRT.sub(rf"\1call <8 x double> @{ROOT}(\2)", lines[i])
        for i in quotients[:q]:
            lines[i] = _FDIV.sub(rf"\1call <8 x double> @{QUOTIENT}(<8 x double> \2, <8 x double> \3)", lines[i])
        changed = changed or r + q > 0
    return complete("\n".join(lines)) if changed else None


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """The basic blocks of a module, of which each is a loop's body or is run too seldom to count."""
    begin = 0
    for i, line in enumerate(lines):
        if _BLOCK.match(line) or line == "}":
            yield begin, i
            begin = i
    yield begin, len(lines)


def complete(text: str) -> str:
    """A module's text and what its calls of `ROOT` and `QUOTIENT` need."""
    profile = 1 + max((int(number) for number in re.findall(r"^!(\d+) = ", text, re.MULTILINE)), default=-1)
    missing = (name for name in _ARGUMENTS if not re.search(rf"^declare .*@{re.escape(name)}\(", text, re.MULTILINE))
    declared = [f"declare <8 x double> @{name}({_ARGUMENTS[name]})" for name in missing]
    told = f'!{profile} = !{{!"branch_weights", i32 1, i32 100000}}'
    return "\n".join([text, *declared, TEXT.replace("!PROFILE", f"!{profile}"), told, ""])
