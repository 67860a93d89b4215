"""The error function, from one polynomial near 0 and one for the logarithm of what is missing to 1."""

from gdfast.formulas import elementary
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.lane_math.exponential import exp_parts
from gdfast.kernels.lane_math.parts import polynomial, power_of_two, with_sign_of

_END = 6.0  # erf rounds to 1 beyond

# erf(x) / x − 1 in z = x² <= 1, within 2⁻⁵⁵
NEAR = (
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954885,
    -0.02686617064507787,
    0.005223977624828405,
    -0.0008548326981424206,
    0.00012055331132914722,
    -1.4925595771383641e-05,
    1.6461008468017625e-06,
    -1.6350396149458015e-07,
    1.466032841937597e-08,
    -1.1374955241501688e-09,
    5.960685550217251e-11,
)
# −log(erfc(1 + t)) on 0 <= t <= 5, so that 1 − exp of its negative is within 2⁻⁵⁷
FAR = (
    1.8496055099332482,
    2.638967514234788,
    0.8431072563586767,
    0.041561098041810435,
    -0.01003382537442986,
    0.001977902568044181,
    -0.00023732248196504311,
    -2.6277873868841336e-05,
    2.715911042169866e-05,
    -9.60889888774386e-06,
    2.0597718032499675e-06,
    -1.4287619271546117e-07,
    -9.754634681121314e-08,
    5.2037198054252905e-08,
    -1.4911163844792128e-08,
    2.8639603055013593e-09,
    -3.6823389171981043e-10,
    2.8814103767309702e-11,
    -1.0390334441513446e-12,
)


@compiled_form(elementary.erf)
def _erf(x):
    """Error function as x + x p(x²) for |x| < 1 and 1 − e^(−q(|x| − 1)) beyond, within 1.23 ulp."""
    a = abs(x)
    a = _END if a > _END else a
    near = x + x * polynomial(x * x, NEAR)
    shifted, p, _ = exp_parts(-polynomial(a - 1.0, FAR))
    far = with_sign_of(x, 1.0 - p * power_of_two(shifted))
    return near if a < 1.0 else far
