"""What the driver divides whole numbers by, which nothing looks after, is never 0."""

import ast
import inspect

import numpy as np
import pytest

import gdfast
from gdfast.formulas.lane_products import lanes_of
from gdfast.kernels.signatures import KINDS, LANES, SETTLED
from gdfast.tiles import driver, noting, placing
from gdfast.tiles.tile import WIDTHS


def test_the_driver_divides_whole_numbers_by_none_that_can_be_zero():
    numbers = {"2": 2, "KINDS": KINDS, "LANES": LANES, "SETTLED": SETTLED}
    least = min(*WIDTHS, lanes_of("float64"), lanes_of("float32"))  # lanes of a block
    numbers["together"], numbers["at_once"] = min(LANES, least), min(driver._AT_ONCE, least)
    numbers["m"] = numbers["len(before)"] = 1  # starts, of which there is at least one
    for module in (driver, noting, placing):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv | ast.Mod):
                assert numbers[ast.unparse(node.right)] > 0
    for starts in ([], np.empty((0, 1))):
        with pytest.raises(ValueError, match="start"):
            gdfast.Sweep("quartic", "gd", [0.1], starts)
    with pytest.raises(ValueError, match="check_every must be a whole number from 1"):
        gdfast.Sweep("quartic", "gd", [0.1], check_every=0)
