"""The option ``--benchmark``, warm kernels, and the machine's facts in saved runs."""

from pathlib import Path

import pytest

BENCH = Path(__file__).parent


def pytest_addoption(parser):
    """Register ``--benchmark``; pytest accepts no abbreviations, so it does not clash with pytest-benchmark's."""
    group = parser.getgroup("benchmark")
    group.addoption("--benchmark", action="store_true", help="Run the benchmarks in bench/, and only those.")


def pytest_configure(config):
    """Let a plain run collect tests only, and ``--benchmark`` benchmarks only."""
    asked = config.option.benchmark or config.option.benchmark_only
    named = any(p == BENCH or BENCH in p.parents for p in (Path(str(a).split("::")[0]).resolve() for a in config.args))
    by_default = config.args_source is not pytest.Config.ArgsSource.ARGS
    config.pluginmanager.register(_Choice(asked, named and not by_default), "gdfast-benchmark-choice")


class _Choice:
    def __init__(self, asked, named):
        self.asked, self.named = asked, named

    def pytest_ignore_collect(self, collection_path, config):
        inside = collection_path == BENCH or BENCH in collection_path.parents
        if self.asked and not inside and collection_path.suffix == ".py":
            return True
        if not self.asked and inside and not self.named:
            return True
        return None


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add versions and processor to saved runs."""
    from gdfast.runner import machine

    machine_info["gdfast"] = machine()
