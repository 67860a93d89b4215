"""Roots and quotients from estimates have the bits of the divider, and stand where they are quicker."""

import itertools
import os
from fractions import Fraction

import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.kernels import compiling, estimates, fuse, numba_internals, units
from gdfast.kernels.estimates import QUOTIENT, ROOT, Units
from gdfast.tiles.driver import driver
from tests import cases

pytestmark = pytest.mark.skipif("+avx512f" not in numba_internals.instructions(), reason="no estimates of 14 bits")

SLOW_DIVIDER = Units(root=48.0, quotient=32.0, root_by_estimate=13.0, quotient_by_estimate=15.0, other=1.0)  # Intel's
SLOW_ALONE = Units(root=2000.0, quotient=2000.0, root_by_estimate=1.0, quotient_by_estimate=1.0, other=1.0)

LOOP = """
define void @{name}(ptr %x, ptr %z, i64 %n) "prefer-vector-width"="512" nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%j, %loop]
  %p = getelementptr <8 x double>, ptr %x, i64 %i
  %q = getelementptr <8 x double>, ptr %z, i64 %i
  %v = load <8 x double>, ptr %p, align 8
  %w = load <8 x double>, ptr %q, align 8
  %y = call <8 x double> @{call}
  store <8 x double> %y, ptr %p, align 8
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""
CALLS = {"root": f"{ROOT}(<8 x double> %v)", "quotient": f"{QUOTIENT}(<8 x double> %v, <8 x double> %w)"}


@pytest.fixture(scope="module")
def by_estimate():
    """The root of an array, or its quotient with another."""
    text = "".join(LOOP.format(name=name, call=call) for name, call in CALLS.items())
    functions = numba_internals.functions_of(estimates.complete(text), CALLS)

    def apply(name, x, z=None):
        n = -(-len(x) // 8) * 8
        result, other = (np.resize(np.asarray(a, dtype=np.float64), n).copy() for a in (x, x if z is None else z))
        functions[name](result.ctypes.data, other.ctypes.data, n // 8)
        return result[: len(x)]

    return apply


def same(got, expected):
    """Whether numbers have the same bits; of what is no number only that it is none."""
    return bool(((got.view(np.int64) == expected.view(np.int64)) | (np.isnan(got) & np.isnan(expected))).all())


def agree(by_estimate, x, z=None):
    with np.errstate(all="ignore"):
        if z is None:
            return same(by_estimate("root", x), np.sqrt(x))
        return same(by_estimate("quotient", x, z), x / z)


def anywhere(random, n):
    """Numbers with all bits at random, of ordinary size every other one."""
    numbers = random.integers(-(2**63), 2**63, n).view(np.float64)
    return np.where(random.random(n) < 0.5, numbers, random.uniform(-4, 4, n))


def roots_near_halfway(most):
    """All v with a root near the middle of two numbers: v 2ˢ = m² + k for m of 54 bits and ``|k| <= most``."""
    for s, k in itertools.product((54, 55), range(-most, most + 1)):
        # The square roots of −k modulo 2ˢ, if −k is a square: bit by bit from those modulo 8.
        if -k % 8 != 1:
            continue
        m = 1
        for bit in range(3, s):
            if (m * m + k) % 2 ** (bit + 1):
                m += 2 ** (bit - 1)
        assert (m * m + k) % 2**s == 0
        for other in {m, -m % 2**s, (m + 2 ** (s - 1)) % 2**s, (-m + 2 ** (s - 1)) % 2**s}:
            v = (other * other + k) >> s
            if 2**53 <= other < 2**54 and 2**52 <= v < 2**53:
                yield float(v)


def quotients_near_halfway(random, n):
    """a and b with a quotient near the middle of two numbers: a 2ˢ = m b + k for m of 54 bits and a small odd k."""
    b = random.integers(2**52, 2**53, n).astype(np.uint64) | np.uint64(1)
    k, s = random.choice(np.arange(-7, 8, 2), n), random.integers(53, 55, n)
    inverse = b * b * b  # right to 3 bits at least, since b² = 1 modulo 8; modulo 2⁶⁴ as all of these
    for _ in range(5):
        inverse *= np.uint64(2) - b * inverse
    m = ((-k).astype(np.uint64) * inverse) & ((np.uint64(1) << s.astype(np.uint64)) - np.uint64(1))
    a = np.round(np.ldexp(m.astype(np.longdouble) * b, -s))  # a whole number, but for a rounding in its 64 bits
    fits = (m >= 2**53) & (a >= 2**52) & (a < 2**53)
    return a[fits].astype(np.float64), b[fits].astype(np.float64)


def ends():
    """Zeros, subnormal and smallest numbers, infinities, what is no number, powers of two and their neighbours."""
    powers = 2.0 ** np.arange(-1074, 1024)
    around = np.concatenate([powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)])
    return np.concatenate([around, -around, [0.0, -0.0, np.inf, -np.inf, np.nan]])


def test_roots_are_those_of_the_divider(by_estimate):
    random = np.random.default_rng(0)
    assert agree(by_estimate, anywhere(random, 100_000))
    assert agree(by_estimate, ends())


def test_no_root_is_so_near_to_halfway_that_it_is_rounded_wrong(by_estimate):
    hard = np.array([*roots_near_halfway(4000)])
    assert len(hard) > 1400
    for scale in (1.0, 2.0**-900, 2.0**900):
        assert agree(by_estimate, hard * scale)


def test_quotients_are_those_of_the_divider(by_estimate):
    random = np.random.default_rng(1)
    assert agree(by_estimate, anywhere(random, 100_000), anywhere(random, 100_000))
    a, b = np.meshgrid(ends()[::7], ends()[::7])
    assert agree(by_estimate, a.ravel(), b.ravel())
    a, b = quotients_near_halfway(random, 5000)
    for scale in (1.0, -(2.0**400)):
        assert agree(by_estimate, a * scale, b)
        assert agree(by_estimate, a, b * scale)
    ones = np.ldexp(2.0 - 2.0**-52, random.integers(-400, 400, 5000))
    assert agree(by_estimate, anywhere(random, 5000), ones)
    assert agree(by_estimate, np.ones(5000), ones)


def test_quotients_near_halfway_are_near():
    a, b = quotients_near_halfway(np.random.default_rng(3), 400)
    assert len(a) > 30
    for x, y in zip(a, b, strict=True):
        quotient = Fraction(x) / Fraction(y)
        ulp = Fraction(np.spacing(x / y))
        assert abs(abs(quotient - Fraction(x / y)) / ulp - Fraction(1, 2)) < Fraction(1, 2**50)


@pytest.mark.slow
def test_any_number_of_them(by_estimate):
    random, most = np.random.default_rng(2), 1_000_000
    for _ in range(-(-cases.examples(most) // most)):
        x, z = random.integers(2**52, 2**54, (2, most)).astype(np.float64)
        assert agree(by_estimate, x)
        assert agree(by_estimate, x, z)
        assert agree(by_estimate, *quotients_near_halfway(random, most // 10))


def test_the_shorter_of_the_two_queues_is_joined():
    assert estimates.choose(SLOW_DIVIDER, 2, 2, 40) == (2, 0)  # the divider goes on with the quotients
    assert estimates.choose(SLOW_DIVIDER, 0, 0, 40) == (0, 0)
    assert estimates.choose(SLOW_DIVIDER, 1, 0, 500) == (0, 0)  # nothing waits for it
    assert estimates.choose(SLOW_DIVIDER, 0, 4, 0)[1] in (2, 3)
    of_their_own = Units(root=16.0, quotient=9.5, root_by_estimate=13.5, quotient_by_estimate=16.0, other=0.7)  # AMD's
    assert estimates.choose(of_their_own, 2, 2, 37) == (1, 0)
    assert estimates.choose(of_their_own._replace(other=1.0), 2, 2, 37) == (0, 0)
    assert not Units(4.0, 4.0, 40.0, 40.0, 1.0).ever


@pytest.mark.parametrize(
    ("costs", "estimated"), [(SLOW_ALONE, True), (None, False)], ids=["slow divider", "no estimates"]
)
def test_kernels_take_what_is_quicker(costs, estimated, monkeypatch):
    monkeypatch.setattr(units, "units", lambda: costs)
    pair = problems.rosenbrock(), optimizers.adam()
    text = cases.assembly(lambda: fuse.step_kernel(*pair))
    assert ("vrsqrt14pd" in text) == estimated
    assert ("vrcp14pd" in text) == estimated


def test_kernels_by_estimates_are_the_reference_to_the_bit(monkeypatch):
    driver("float64")  # whose roots are those of this machine
    monkeypatch.setattr(units, "units", lambda: SLOW_ALONE)
    monkeypatch.setattr(compiling, "_kernels", type(compiling._kernels)())
    rates = np.geomspace(1e-3, 1.0, 24)
    cases.agree(gdfast.Sweep("rosenbrock", ["adam"], learning_rates=rates, max_steps=60))


def test_what_is_measured_is_kept_and_damage_to_it_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(units, "folders", lambda: [tmp_path])
    monkeypatch.setattr(units, "measured", lambda: SLOW_DIVIDER)
    units.units.cache_clear()
    try:
        first = units.units()
        assert first is not None
        assert first.ever
        monkeypatch.setattr(units, "measured", lambda: pytest.fail("it was kept"))
        units.units.cache_clear()
        assert units.units() == first
        (file,) = tmp_path.rglob("units-*")
        for damage in ("", "{}", '{"root": 1}', '{"root": NaN, "quotient": 1, "root_by_estimate": 1, "a": 2}'):
            file.write_text(damage)
            monkeypatch.setattr(units, "measured", lambda: SLOW_DIVIDER)
            units.units.cache_clear()
            assert units.units() == first
        file.unlink()
        os.mkfifo(file)  # which nobody waits for
        units.units.cache_clear()
        assert units.units() == first
    finally:
        units.units.cache_clear()
