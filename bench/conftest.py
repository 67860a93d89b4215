"""The option ``--benchmark``, warm kernels, and the machine's facts in saved runs."""

from pathlib import Path

import pytest

BENCH = Path(__file__).parent


def pytest_addoption(parser):
    """Register ``--benchmark``; pytest accepts no abbreviations, so it does not clash with pytest-benchmark's."""
    group = parser.getgroup("benchmark")
    group.addoption("--benchmark", action="store_true", help="Run the benchmarks in bench/, and only those.")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Time benchmarks in one process: two at a time would time each other."""
    asked = config.option.benchmark or config.option.benchmark_only or _named(config)
    if asked and not config.option.benchmark_disable:
        config.option.numprocesses = 0
        config.option.dist = "no"
        config.option.tx = []


def _named(config):
    """Whether a benchmark file or the folder is among the arguments."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    paths = [Path(str(argument).split("::")[0]).resolve() for argument in config.args]
    return any(path == BENCH or BENCH in path.parents for path in paths)


def pytest_configure(config):
    """Let a plain run collect tests only, and ``--benchmark`` benchmarks only."""
    asked = config.option.benchmark or config.option.benchmark_only
    config.pluginmanager.register(_Choice(asked, _named(config)), "gdfast-benchmark-choice")


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
    from gdfast.storing.result import machine

    machine_info["gdfast"] = {name: value for name, value in machine().items() if name != "date"}
