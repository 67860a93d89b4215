"""The benchmarks that are scripts run alone, whatever else imports."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_throughput_is_measured_alone():
    code = "from bench.throughput import measure; print(*measure(rounds=1))"
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert {"divide", "root", "load", "exp", "power"} <= set(told.stdout.split())
