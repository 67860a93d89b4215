"""The one command of the benchmarks, and the one table of contenders."""

import subprocess
import sys

import pytest

from bench.__main__ import COMMANDS, main
from bench.registry import CONTENDERS


def test_what_there_is_is_listed(capsys):
    main([])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed[: len(COMMANDS)]] == list(COMMANDS)


@pytest.mark.slow
def test_an_unknown_name_is_refused():
    got = subprocess.run([sys.executable, "-m", "bench", "peer"], capture_output=True, text=True)
    assert got.returncode == 1
    assert got.stderr.strip() == f"python -m bench: NAME must be one of {', '.join(COMMANDS)}, not 'peer'"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_tells_its_options(capsys, name):
    with pytest.raises(SystemExit, match=r"^0$"):
        main([name, "-h"])
    assert capsys.readouterr().out.startswith(f"usage: python -m bench {name}")


@pytest.mark.parametrize("kind", CONTENDERS)
def test_every_kind_of_task_has_gdfast_among_its_contenders(kind):
    assert any(name.startswith("gdfast") and not contender.lacking for name, contender in CONTENDERS[kind].items())
