"""Number formats of fewer bits than trajectories are computed in, and the rounding to them."""

from typing import Any, NamedTuple

from gdfast.formulas.elementary import absolute, mantissa, maximum, select


class Format(NamedTuple):
    """A binary format with subnormal numbers and infinities, as IEEE 754 has them.

    Attributes
    ----------
    digits : int
        Binary digits of the significand, with the first.
    lowest, highest : int
        Exponents of the smallest normal number and of the largest.
    """

    digits: int
    lowest: int
    highest: int

    @property
    def numbers(self) -> dict[str, float]:
        """What rounding needs to know: a unit in the last place of 1, the smallest normal number and the largest.

        Returns
        -------
        dict
            By the names of its arguments.
        """
        ulp = 2.0 ** (1 - self.digits)
        return {"ulp": ulp, "smallest": 2.0**self.lowest, "largest": (2.0 - ulp) * 2.0**self.highest}


FORMATS = {
    "bfloat16": Format(8, -126, 127),
    "float16": Format(11, -14, 15),
    "float8_e5m2": Format(3, -14, 15),
    "float8_e4m3": Format(4, -6, 7),
}
"""The formats by name."""


# In the grammar of formulas. A number is so many units in the last place; added to 1.5 times the first number whose own
# unit is 1, it is rounded to a whole one, ties to even. A unit is a power of two, so that nothing else rounds. The type
# that it is computed in must have two digits more than the format; 3 (4/3 − 1) − 1 is its own unit in the last place.
def nearest(x: Any, ulp: Any, smallest: Any, largest: Any) -> Any:
    """Round to the nearest number of a format, ties to even; what is beyond the largest becomes infinite."""
    size = absolute(x)
    unit = maximum(size / mantissa(size), smallest) * ulp
    shift = 1.5 / absolute(3 * (4 / 3 - 1) - 1)
    value = (size / unit + shift - shift) * unit
    value = select(value > largest, value / (size - size), value)
    return select((x - x == 0) & (x != 0), select(x < 0, -value, value), x)


def by_chance(x: Any, chance: Any, ulp: Any, smallest: Any, largest: Any) -> Any:
    """Round up or down, to either with the probability that leaves the mean what it was; `chance` is from (0, 1)."""
    size = absolute(x)
    unit = maximum(size / mantissa(size), smallest) * ulp
    shift = 1.5 / absolute(3 * (4 / 3 - 1) - 1)
    units = size / unit
    whole = units + shift - shift
    below = select(whole > units, whole - 1, whole)
    value = select(chance < units - below, below + 1, below) * unit
    value = select(value > largest, value / (size - size), value)
    return select((x - x == 0) & (x != 0), select(x < 0, -value, value), x)
