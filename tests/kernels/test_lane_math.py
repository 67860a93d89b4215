"""The elementary functions of compiled lanes: against mpmath, against NumPy's, and the same for every vector width."""

import functools
import sys

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from minimax import FITS, minimax
from numba import types
from numba.extending import intrinsic, register_jitable

from gdfast.formulas import elementary
from gdfast.kernels.lane_math import error_function, exponential, inverse, logarithm, trigonometric
from gdfast.kernels.options import INLINED, JIT

EXACT = {
    "exp": mpmath.exp,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log": mpmath.log,
    "log10": mpmath.log10,
    "log2": lambda x: mpmath.log(x, 2),
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "log1p": mpmath.log1p,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
}
ULP = {"exp": 1.0}  # 2 for the others
LIMIT = elementary.TRIGONOMETRIC_LIMIT
# Arguments beyond these ends are left to the test of limits: the result is constant there, or the argument itself.
ENDS = {
    "exp": (-746.0, 709.782712893384),
    "tanh": (-25.0, 25.0),
    "sigmoid": (-746.0, 50.0),
    "log": (sys.float_info.min * 2.0**-52, sys.float_info.max),
    "log10": (sys.float_info.min * 2.0**-52, sys.float_info.max),
    "log2": (sys.float_info.min * 2.0**-52, sys.float_info.max),
    "sinh": (-710.4758600739439, 710.4758600739439),
    "cosh": (-710.4758600739439, 710.4758600739439),
    "tan": (-LIMIT, LIMIT),
    "asin": (-1.0, 1.0),
    "acos": (-1.0, 1.0),
    "atan": (-sys.float_info.max, sys.float_info.max),
    "log1p": (np.nextafter(-1.0, 0.0), sys.float_info.max),
    "softplus": (-746.0, 800.0),
    "erf": (-7.0, 7.0),
    "sin": (-LIMIT, LIMIT),
    "cos": (-LIMIT, LIMIT),
}
WAVES = ["sin", "cos", "tan"]
HALF_PI_MULTIPLES = [float(k * mpmath.mp.pi / 2) for k in (*range(1, 200), *(3**i for i in range(28)))]
LN2, ROOT = float(np.log(2.0)), float(np.sqrt(2.0))
# Where a reduction changes over, a result saturates, becomes subnormal or loses its leading places.
TURNS = {
    "exp": [*(LN2 * (k + 0.5) for k in range(-20, 20)), *(LN2 * k for k in range(-20, 20)), -708.396, -745.133],
    "tanh": [*(LN2 * (k + 0.5) / 2 for k in range(-5, 56)), 0.7, 18.37, 18.715, 19.0615, 20.0],
    "sigmoid": [*(LN2 * (k + 0.5) for k in range(-60, 60)), 36.7368, -36.7368, -708.396, -745.133],
    "log": [1.0, ROOT, ROOT / 2, ROOT * 2.0**-1030, 2.0**-1022],
    "log10": [1.0, ROOT, ROOT / 2, 10.0, 1e22, ROOT * 2.0**-1030, 2.0**-1022],
    "log2": [1.0, ROOT, ROOT / 2, 8.0, 2.0**60, ROOT * 2.0**-1030, 2.0**-1022],
    "sinh": [*(LN2 * (k + 0.5) for k in range(-5, 60)), 1.0, -1.0, 18.4, 36.7, 709.782712893384, 710.4758600739439],
    "cosh": [*(LN2 * (k + 0.5) for k in range(-5, 60)), 1.0, -1.0, 18.4, 36.7, 709.782712893384, 710.4758600739439],
    "tan": HALF_PI_MULTIPLES,
    "asin": [0.5, -0.5, 1.0, -1.0, ROOT / 2, 2.0**-27],
    "acos": [0.5, -0.5, 1.0, -1.0, ROOT / 2, 2.0**-27],
    "atan": [0.4375, 0.6875, 1.1875, 2.4375, 0.5, 1.0, 1.5, 2.0**60],
    "log1p": [-1.0, ROOT - 1, ROOT / 2 - 1, 2 * ROOT - 1, 1.0, 2.0**53, 2.0**54, 2.0**60, 2.0**-53],
    "softplus": [*(LN2 * (k + 0.5) for k in range(-60, 60)), float(np.log(ROOT - 1)), 36.7, -708.396, -745.133],
    "erf": [1.0, -1.0, 0.4769362762044699, 5.8635847487551676, 5.921587195794507, 6.0],
    "sin": HALF_PI_MULTIPLES,
    "cos": HALF_PI_MULTIPLES,
}


def nearest_to_multiples_of_half_pi():
    """The numbers of each binade below the limit that come nearest to multiples of π/2."""
    found = []
    with mpmath.workprec(400):
        for exponent in range(-52, -7):
            # Numerators of the continued fraction of π/2 / 2ᵉ are the integers p for which p 2ᵉ comes nearest.
            rest, before, numerator = mpmath.ldexp(mpmath.pi / 2, -exponent), 0, 1
            while numerator < 2**53:
                found.append(float(numerator) * 2.0**exponent)
                whole = int(mpmath.floor(rest))
                before, numerator = numerator, whole * numerator + before
                rest = 1 / (rest - whole)
    return np.array([x for x in found if 1 < x < LIMIT])


def points(name, count, seed=0):
    """Hostile and random arguments of a function: every exponent, its turns and their neighbours, many uniform."""
    rng = np.random.default_rng(seed)
    low, high = ENDS[name]
    exponents = np.ldexp(rng.uniform(1.0, 2.0, 2098), np.arange(-1074, 1024))
    turns = np.array(TURNS[name])
    steps = np.concatenate([turns + k * np.spacing(turns) for k in (-3, -2, -1, 0, 1, 2, 3)])
    around = turns[:, None] + rng.normal(0.0, 0.1, (turns.size, max(count // 20 // turns.size, 1)))
    usual = rng.normal(0.0, 3.0, count)
    edge = min(high, 1e12) if name in WAVES else min(high, 800.0)
    wide = rng.uniform(max(low, -edge), edge, count)
    x = np.concatenate([exponents, -exponents, steps, -steps, around.ravel(), usual, wide])
    return x[(x >= low) & (x <= high)]


def vector_width(bits):
    """What sets the width of vectors that LLVM prefers in the function that calls it."""

    @intrinsic
    def prefer(typing_context):
        def generate(context, builder, signature, arguments):
            set.add(builder.function.attributes, f'"prefer-vector-width"="{bits}"')
            return context.get_dummy_value()

        return types.void(), generate

    return prefer


@functools.cache
def lane_loop(name, bits=512):
    function, prefer = getattr(elementary, name), vector_width(bits)

    @numba.njit("void(float64[::1], float64[::1])", **JIT)
    def loop(x, out):
        prefer()
        for lane in range(len(x)):
            out[lane] = function(x[lane])

    return loop


def lanes(name, x, bits=512):
    x = np.ascontiguousarray(x, dtype=np.float64)
    out = np.empty_like(x)
    lane_loop(name, bits)(x, out)
    return out


def reference(name, x):
    with np.errstate(all="ignore"):
        return getattr(elementary, name)(x)


def errors(name, x, got):
    """How far results are from the exact values, in units in the last place of these."""
    with mpmath.workprec(140):
        exact = [EXACT[name](mpmath.mpf(v)) for v in x.tolist()]
        unit = np.spacing(np.abs(np.array([float(e) for e in exact])))
        return np.array(
            [float(abs(mpmath.mpf(g) - e) / mpmath.mpf(u)) for g, e, u in zip(got.tolist(), exact, unit, strict=True)]
        )


def assert_close(name, x, from_numpy=4):
    got = lanes(name, x)
    error = errors(name, x, got)
    worst = int(np.argmax(error))
    assert error[worst] <= ULP.get(name, 2.0), f"{error[worst]} ulp at {float(x[worst]).hex()}"
    np.testing.assert_array_max_ulp(got, reference(name, x), from_numpy)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_accuracy(name):
    assert_close(name, points(name, 2000))


@pytest.mark.slow
@pytest.mark.parametrize("name", WAVES)
def test_accuracy_nearest_to_multiples_of_half_pi(name):
    x = nearest_to_multiples_of_half_pi()
    assert np.min(np.abs(lanes("cos", x))) < 2.0**-57
    # It is NumPy that is up to 7.2 units off in these few numbers, and the tangent, as sine over cosine, to 13.
    assert_close(name, np.concatenate([x, -x]), from_numpy=16 if name == "tan" else 8)


def erf_in_long(x):
    """2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, a sum of terms of one sign."""
    total = term = x
    for n in range(1, 260):
        term = term * (2 * x * x / (2 * n + 1))
        total = total + term
    return 2 / np.sqrt(np.longdouble(np.pi) + np.longdouble(1.2246467991473532e-16)) * np.exp(-x * x) * total


IN_LONG = {
    **{name: getattr(np, name) for name in ("exp", "tanh", "log", "log10", "log2", "sinh", "cosh", "log1p", *WAVES)},
    **{f"a{name}": getattr(np, f"arc{name}") for name in WAVES},
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "erf": erf_in_long,
}


def errors_by_long(name, x, got):
    """What `errors` tells, to a hundredth, a thousand times as fast: in the eleven more bits of long doubles."""
    with np.errstate(all="ignore"):
        exact = IN_LONG[name](x.astype(np.longdouble))
        unit = np.spacing(np.abs(exact.astype(np.float64)))
        return np.abs((got - exact) / unit).astype(np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_accuracy_in_many_points(name):
    if np.finfo(np.longdouble).nmant < 63:
        pytest.skip("long doubles of this machine are no longer than doubles")
    for seed in range(1, 5):
        x = points(name, 100_000, seed)
        got = lanes(name, x)
        np.testing.assert_array_max_ulp(got, reference(name, x), 4)
        about = errors_by_long(name, x, got)
        some = np.random.default_rng(seed).choice(len(x), 200, replace=False)
        np.testing.assert_allclose(about[some], errors(name, x[some], got[some]), rtol=0, atol=0.01)
        doubtful = ~(about <= ULP.get(name, 2.0) - 0.1)
        if doubtful.any():
            assert_close(name, x[doubtful])


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
@given(x=st.floats(allow_nan=False))
def test_accuracy_anywhere(name, x):
    low, high = ENDS[name]
    if low <= x <= high:
        assert_close(name, np.array([x]))


INF, NAN, LARGEST, TINY = np.inf, np.nan, sys.float_info.max, 5e-324
LIMITS = {
    "exp": [(INF, INF), (-INF, 0.0), (709.79, INF), (LARGEST, INF), (-745.2, 0.0), (-LARGEST, 0.0), (-0.0, 1.0)],
    "tanh": [(INF, 1.0), (-INF, -1.0), (LARGEST, 1.0), (-LARGEST, -1.0), (0.0, 0.0), (-0.0, -0.0), (-TINY, -TINY)],
    "sigmoid": [(INF, 1.0), (-INF, 0.0), (LARGEST, 1.0), (-LARGEST, 0.0), (-746.0, 0.0), (0.0, 0.5), (-0.0, 0.5)],
    "log": [(INF, INF), (0.0, -INF), (-0.0, -INF), (-TINY, NAN), (-1.0, NAN), (-INF, NAN), (1.0, 0.0)],
    "log10": [
        (INF, INF),
        (0.0, -INF),
        (-0.0, -INF),
        (-TINY, NAN),
        (-1.0, NAN),
        (1.0, 0.0),
        (1000.0, 3.0),
        (1e22, 22.0),
    ],
    "log2": [(INF, INF), (0.0, -INF), (-0.0, -INF), (-TINY, NAN), (-1.0, NAN), (1.0, 0.0), (8.0, 3.0), (TINY, -1074.0)],
    "sinh": [(INF, INF), (-INF, -INF), (LARGEST, INF), (-LARGEST, -INF), (0.0, 0.0), (-0.0, -0.0), (-TINY, -TINY)],
    "cosh": [(INF, INF), (-INF, INF), (LARGEST, INF), (-LARGEST, INF), (0.0, 1.0), (-0.0, 1.0), (TINY, 1.0)],
    "tan": [(INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (TINY, TINY)],
    "asin": [(1.0, np.pi / 2), (-1.0, -np.pi / 2), (1.0000000000000002, NAN), (INF, NAN), (-INF, NAN), (-0.0, -0.0)],
    "acos": [(1.0, 0.0), (-1.0, np.pi), (1.0000000000000002, NAN), (INF, NAN), (-INF, NAN), (0.0, np.pi / 2)],
    "atan": [(INF, np.pi / 2), (-INF, -np.pi / 2), (LARGEST, np.pi / 2), (0.0, 0.0), (-0.0, -0.0), (-TINY, -TINY)],
    "log1p": [(INF, INF), (-1.0, -INF), (-1.0000000000000002, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "softplus": [(INF, INF), (-INF, 0.0), (LARGEST, LARGEST), (-LARGEST, 0.0), (-746.0, 0.0), (1000.0, 1000.0)],
    "erf": [(INF, 1.0), (-INF, -1.0), (LARGEST, 1.0), (-LARGEST, -1.0), (0.0, 0.0), (-0.0, -0.0), (-6.5, -1.0)],
    "sin": [(INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0), (TINY, TINY)],
    "cos": [(INF, NAN), (-INF, NAN), (0.0, 1.0), (-0.0, 1.0), (TINY, 1.0)],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_limits(name):
    x, expected = np.array([*LIMITS[name], (NAN, NAN)]).T
    for got in (lanes(name, x), reference(name, x)):
        np.testing.assert_array_equal(got, expected)
        number = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(expected[number]))


@pytest.mark.parametrize("name", WAVES)
def test_waves_beyond_their_limit_are_numbers_on_which_lanes_and_reference_agree(name):
    x = np.concatenate([np.ldexp(np.random.default_rng(0).uniform(1, 2, 978), np.arange(46, 1024)), [LARGEST]])
    x = np.concatenate([x, -x])
    got = lanes(name, x)
    assert np.all(np.isfinite(got) if name == "tan" else np.abs(got) <= 1)
    assert np.unique(np.abs(got)).size > 900  # no constant, at which a trajectory would seem to rest
    np.testing.assert_array_max_ulp(got, reference(name, x), 4)
    folded = np.copysign(np.ldexp(np.frexp(np.abs(x))[0], 45), x)
    np.testing.assert_array_equal(got, lanes(name, folded))


def bits_of(x):
    return np.where(np.isnan(x), np.nan, x).view(np.int64)


def assert_same_bits(name, bits):
    special = np.array([v for pair in LIMITS[name] for v in pair] + [NAN, 2.0**46, -1e300])
    x = np.concatenate([points(name, 2000, seed=7), special])
    np.testing.assert_array_equal(bits_of(lanes(name, x, bits)), bits_of(lanes(name, x)))


def body(loop):
    """The machine code of a loop's own function, without its wrappers."""
    (assembly,) = loop.inspect_asm().values()
    return max(assembly.split(".Lfunc_end"), key=lambda part: part.count("vmulpd") + part.count("vmulsd"))


def needs_avx512():
    if "+avx512f" not in numba.core.codegen.get_host_cpu_features().split(","):
        pytest.skip("this processor has no 512-bit vectors")


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_loops_are_vectors_without_calls(name):
    needs_avx512()
    lines = [line.split() for line in body(lane_loop(name)).splitlines() if line.strip()]
    packed = [line for line in lines if line[0].endswith("pd") and any("%zmm" in word for word in line)]
    assert len(packed) >= 25
    assert not [line for line in lines if line[0].startswith("call")]


@pytest.mark.slow
def test_a_formula_of_several_is_one_loop_of_vectors():
    needs_avx512()
    prefer, sigmoid, tanh, cos, erf = (
        vector_width(512),
        *(getattr(elementary, n) for n in ["sigmoid", "tanh", "cos", "erf"]),
    )

    @register_jitable(**INLINED)
    def formula(x):
        return sigmoid(x) + cos(x) * tanh(x) + erf(x)

    @numba.njit("void(float64[::1], float64[::1])", **JIT)
    def loop(x, out):
        prefer()
        for lane in range(len(x)):
            out[lane] = formula(x[lane])

    assert sum("%zmm" in line and "pd\t" in line for line in body(loop).splitlines()) >= 150


@pytest.mark.slow
def test_every_width_has_the_same_bits():
    for name in EXACT:
        assert_same_bits(name, 128)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [64, 256])
def test_every_other_width_has_the_same_bits(bits):
    for name in EXACT:
        assert_same_bits(name, bits)


@pytest.mark.parametrize(("bits", "register"), [(128, "%xmm"), (512, "%zmm")])
def test_widths_are_what_they_are_called(bits, register):
    needs_avx512()
    products = [line for line in body(lane_loop("exp", bits)).splitlines() if "vmulpd" in line]
    assert products
    assert all(register in line for line in products)


TABLES = {
    "EXP": exponential.EXP,
    "TANH": exponential.TANH_P + exponential.TANH_Q,
    "LOG": logarithm.LOG,
    "SIN": trigonometric.SIN,
    "COS": trigonometric.COS,
    "SINH": exponential.SINH,
    "ASIN": inverse.ASIN,
    "ATAN": inverse.ATAN,
    "ERF_NEAR": error_function.NEAR,
    "ERF_FAR": error_function.FAR,
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", TABLES)
def test_coefficients_are_the_derived_ones(name):
    coefficients, error = minimax(FITS[name])
    assert tuple(coefficients) == TABLES[name]
    assert error < 2.0**-55


def powers(count, seed=0):
    """Bases of every size, exponents by which their powers are of every size, and turns of the reductions."""
    rng = np.random.default_rng(seed)
    base = np.ldexp(rng.uniform(1.0, 2.0, count), rng.integers(-1074, 1024, count))
    size = rng.uniform(-1080.0, 1030.0, count)
    near_one = 1.0 + rng.normal(size=count) * 10.0 ** rng.uniform(-16, -1, count)
    with np.errstate(all="ignore"):
        exponent, large = size / np.log2(base), size / np.log2(near_one)
    turns = np.concatenate(
        [np.array([ROOT, ROOT / 2, 1.0, 2.0, 0.5, 2.0**-1022]) * (1 + k * 2.0**-52) for k in range(-3, 4)]
    )
    usual = [0.05, 0.1, 1 / 3, 0.25, 0.3, 0.5, 0.6, 0.75, 1.0, 1.7, 2.0, 3.0, -0.5, -1.0, 1e-12, 700.0]
    pairs = np.array([(b, e) for b in turns for e in usual]).T
    x = np.concatenate([base, base, near_one, rng.uniform(0.0, 4.0, count), pairs[0]])
    p = np.concatenate([exponent, rng.choice(usual, count), large, rng.normal(0, 10, count), pairs[1]])
    return x[inside := np.isfinite(p) & (x > 0)], p[inside]


@functools.cache
def loop_of_powers(bits=512):
    prefer = vector_width(bits)

    @numba.njit("void(float64[::1], float64[::1], float64[::1])", **JIT)
    def loop(x, p, out):
        prefer()
        for lane in range(len(x)):
            out[lane] = elementary.power(x[lane], p[lane])

    return loop


def powers_in_lanes(x, p, bits=512):
    out = np.empty_like(x)
    loop_of_powers(bits)(np.ascontiguousarray(x), np.ascontiguousarray(p), out)
    return out


def assert_powers_are_close(x, p):
    got = elementary.power(x, p)
    np.testing.assert_array_equal(bits_of(powers_in_lanes(x, p)), bits_of(got))
    with mpmath.workprec(140):
        exact = [mpmath.mpf(a) ** mpmath.mpf(b) for a, b in zip(x.tolist(), p.tolist(), strict=True)]
        nearest = np.array([float(value) for value in exact])
        told = np.isfinite(nearest) & (nearest > 0)
        unit = np.spacing(nearest[told])
        apart = [mpmath.mpf(g) - e for g, e in zip(got[told].tolist(), np.array(exact)[told], strict=True)]
        error = np.array([abs(float(a / mpmath.mpf(u))) for a, u in zip(apart, unit.tolist(), strict=True)])
    np.testing.assert_array_equal(got[~told & (nearest > 0)], np.inf)
    assert error.max() <= 1.0
    assert error[nearest[told] >= sys.float_info.min].max() <= 0.7


@pytest.mark.slow
def test_powers_are_accurate_and_the_same_in_arrays_and_lanes():
    assert_powers_are_close(*powers(2000))


@pytest.mark.slow
def test_powers_are_accurate_and_the_same_in_many_points():
    for seed in range(1, 4):
        assert_powers_are_close(*powers(50_000, seed))


@pytest.mark.slow
def test_powers_are_the_same_for_every_width_of_vectors():
    x, p = powers(2000, seed=3)
    for bits in (64, 128, 256):
        np.testing.assert_array_equal(powers_in_lanes(x, p, bits), powers_in_lanes(x, p))


@pytest.mark.slow
def test_ends_of_powers():
    x = [0.0, -0.0, 1.0, INF, NAN, -1.0, -INF, TINY, 1e-310, LARGEST, 0.5, 2.0, 1 - 2.0**-53, 1 + 2.0**-52]
    p = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, INF, -INF, NAN, 1e300, -1e300, 1e-300, 2.0]
    x, p = (np.ravel(part) for part in np.meshgrid(x, p))
    got = elementary.power(x, p)
    np.testing.assert_array_equal(powers_in_lanes(x, p), got)
    with np.errstate(all="ignore"):
        expected = np.abs(np.where(x < 0, NAN, x) ** p)  # of −0 as of 0; below it there are none
    np.testing.assert_allclose(got, np.where(p == 0, 1.0, expected), rtol=3e-16, atol=0)


def test_powers_of_single_precision_are_those_of_double_rounded():
    x, p = np.float32(np.linspace(0.0, 3.0, 50)), np.float32(np.linspace(-2.0, 2.0, 50))
    got = elementary.power(x, p)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, elementary.power(np.float64(x), np.float64(p)).astype(np.float32))


def test_a_power_of_two_is_the_inverse_of_exponent_and_mantissa():
    x = np.array([1.0, 0.3, 1e-300, 1e300, 2.0**-1022, LARGEST])
    np.testing.assert_array_equal(elementary.power_of_two(elementary.exponent(x)) * elementary.mantissa(x), x)
