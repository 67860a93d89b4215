"""The functions of `gdfast.formulas.elementary` in compiled lanes; importing this registers them with the compiler.

Every one is branch-free and calls nothing, so that a lane loop vectorizes: selects, ``+ - * /``, square roots, bit
casts and shifts of 64-bit integers. Each of these gives the same bits on every machine and for every width of
vectors, and none may be contracted (`gdfast.kernels.options`), so the functions do too.

The method is always the same (Cody & Waite, *Software Manual for the Elementary Functions*, 1980; Muller,
*Elementary Functions*, 3rd ed., 2016): reduce the argument to a small interval, evaluate a polynomial there, undo the
reduction. Where a rounding error would be carried into the result's last places it is computed too, as a second
number, by `parts.sum_of` and its kin (Dekker, Numer. Math. 18, 1971). The polynomials are minimax ones, made by
``tests/minimax.py``. Accuracies in the docstrings are the largest errors met in the tests against mpmath, in units
in the last place (ulp) of the exact result.
"""

import inspect

from numba.extending import overload

from gdfast.formulas import elementary
from gdfast.kernels.forms import FORMS
from gdfast.kernels.lane_math import (  # noqa: F401
    arithmetic,
    error_function,
    exponential,
    inverse,
    logarithm,
    trigonometric,
)
from gdfast.kernels.options import INLINED

# What numba compiles, which is what lanes of problems call, has them by the same texts.
for _name in elementary.__all__:
    _function = getattr(elementary, _name)
    if _function in FORMS and _name != "select":
        _given = ", ".join(inspect.signature(_function).parameters)
        overload(_function, jit_options=INLINED)(eval(f"lambda {_given}: make({_given})", {"make": FORMS[_function]}))
