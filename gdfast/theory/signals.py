"""Mean-field theory of signals in wide tanh networks with weights of variance σ_w²/n and biases of variance σ_b².

What enters the activations of a layer is normal, with a variance q that goes from layer to layer by

    q ← σ_w² ∫ Dz tanh(√q z)² + σ_b²        Dz the standard normal measure

to a fixed point q*. Gradients grow on the way back by χ = σ_w² ∫ Dz tanh′(√q* z)² a layer in mean square. χ = 1 is the
critical line: below it gradients vanish and inputs become alike (order), above it they explode (chaos).

Source: Poole et al. (2016), arXiv 1606.05340, section 2; Schoenholz et al. (2017), arXiv 1611.01232, sections 3 and 4.
"""

import math

import numpy as np

from gdfast import arguments
from gdfast.arguments import NONNEGATIVE

_NODES = np.linspace(-12.0, 12.0, 2001)  # the trapezoid rule is exact to rounding for what is as smooth as this
_MEASURE = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
_MOST, _SAME = 100_000, 1e-13
_LEAST, _LARGEST = 1.0, 1e4  # variances of weights between which the critical one is looked for


def next_variance(variance: float, weight_variance: float, bias_variance: float) -> float:
    """The variance of what enters a layer's activations, from that of the layer before: q ← σ_w² ∫ Dz tanh² + σ_b².

    Parameters
    ----------
    variance : float
        q of the layer before.
    weight_variance, bias_variance : float
        σ_w², times the fan-in, and σ_b².

    Returns
    -------
    float
        q of the layer.

    Raises
    ------
    TypeError, ValueError
        If one is no number, or negative, or they are so large that their sum is none.

    Examples
    --------
    >>> next_variance(0.0, 1.0, 0.1)
    0.1
    """
    q = arguments.number("variance", variance, NONNEGATIVE)
    w = arguments.number("weight_variance", weight_variance, NONNEGATIVE)
    b = arguments.number("bias_variance", bias_variance, NONNEGATIVE)
    variance = w * float((_MEASURE * np.tanh(np.sqrt(q) * _NODES) ** 2).sum()) + b
    if not math.isfinite(variance):
        raise ValueError(f"weight_variance and bias_variance must have a finite sum, not {w:g} and {b:g}")
    return variance


def mean_field(weight_variance: float, bias_variance: float) -> tuple[float, float]:
    """The fixed point q* of the variance, and χ, by which gradients grow a layer on the way back, in mean square.

    Parameters
    ----------
    weight_variance, bias_variance : float
        σ_w², times the fan-in, and σ_b².

    Returns
    -------
    tuple of float
        q* and χ.

    Raises
    ------
    TypeError, ValueError
        If one is no number, or negative, or they are so large that their sum is none.

    Examples
    --------
    >>> mean_field(0.5, 0.0)
    (0.0, 0.5)
    """
    q = 1.0
    for _ in range(_MOST):
        before, q = q, next_variance(q, weight_variance, bias_variance)
        if abs(q - before) <= _SAME * q or q < _SAME:
            break
    q = 0.0 if q < _SAME else q
    slope = 1.0 - np.tanh(np.sqrt(q) * _NODES) ** 2
    return q, float(weight_variance * (_MEASURE * slope**2).sum())


def critical_weights(bias_variance: float) -> float:
    """The variance σ_w² of the weights, times the fan-in, at which gradients neither vanish nor explode: χ = 1.

    Infinite if it is beyond 10⁴.

    Parameters
    ----------
    bias_variance : float
        σ_b².

    Returns
    -------
    float
        σ_w².

    Raises
    ------
    TypeError, ValueError
        If it is no number, or negative.

    Examples
    --------
    >>> round(critical_weights(0.0), 3), round(critical_weights(0.05), 2)
    (1.0, 1.76)
    """
    bias_variance = arguments.number("bias_variance", bias_variance, NONNEGATIVE)
    if bias_variance == 0:
        return _LEAST  # where χ is σ_w² up to 1
    low, high = _LEAST, _LARGEST
    for _ in range(60):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if mean_field(middle, bias_variance)[1] < 1 else (low, middle)
    return float(np.sqrt(low * high)) if high < _LARGEST else np.inf
