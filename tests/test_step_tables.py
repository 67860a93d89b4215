"""What depends on the step alone: the same bits on every processor."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import cases
import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from gdfast import problems, schedules
from gdfast.optimizers import gd
from gdfast.parts import step_table
from gdfast.transforms import noise


def tables():
    """A digest of the step table of each optimizer, and of each schedule and transform that has one."""
    rules = [*cases.ALL_OPTIMIZERS, gd().transformed(noise(0.1, gamma=0.55))]
    rules += [gd().scheduled(make()) for name, make in schedules.CATALOGUE.items() if name != "sequence"]
    found = {}
    for rule in rules:
        table = np.ascontiguousarray(step_table(rule, None, problems.mlp(), 3000))
        found[rule.label] = hashlib.sha256(table.tobytes()).hexdigest()
    return found


@pytest.mark.slow
def test_step_tables_have_the_same_bits_whatever_the_processor_has():
    extensions = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    code = "import test_step_tables, json; print(json.dumps(test_step_tables.tables()))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(extensions), "PYTHONPATH": path}
    plain = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    other, own = eval(plain.stdout), tables()
    assert [name for name in own if own[name] != other[name]] == []
