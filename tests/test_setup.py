"""What is installed: every import is declared, extras that are missing are named in a sentence."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = {"sphinx": "docs", "h5netcdf": "netcdf", "h5py": "netcdf", "pyarrow": "parquet", "distributed": "dask"}
MODULES = {"PIL": "pillow", "sklearn": "scikit-learn"}  # whose names are not those of their packages


def names(requirements):
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def imported(path):
    """The top modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def packages(modules):
    others = {name for name in modules if name not in sys.stdlib_module_names}
    return {canonicalize_name(MODULES.get(name, name)) for name in others}


def test_the_package_imports_what_it_declares_and_nothing_else():
    modules = {name for path in (ROOT / "gdfast").rglob("*.py") for name in imported(path)}
    of_extras = {canonicalize_name(module) for module in OPTIONAL}
    assert packages(modules) - {"gdfast"} - of_extras == names(PROJECT["dependencies"])


def test_tests_and_benchmarks_import_what_is_declared():
    files = [path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    local = {path.stem for path in files} | {path.name for path in (ROOT / "tests").rglob("*") if path.is_dir()}
    made = {"own_numbers"}  # by a test
    modules = {name for path in files for name in imported(path)} - local - made - {"bench", "gdfast", "tests"}
    extras = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    assert packages(modules) <= names([*PROJECT["dependencies"], *extras])


def test_what_is_optional_is_in_the_extra_that_its_sentence_names():
    for module, extra in OPTIONAL.items():
        assert canonicalize_name(module) in names(PROJECT["optional-dependencies"][extra])
    text = "".join(path.read_text() for path in (ROOT / "gdfast").rglob("*.py"))
    assert set(re.findall(r"pip install '[^'\[]*\[([a-z]+)\]'", text)) <= set(PROJECT["optional-dependencies"])


def without(modules, code):
    """Run code in a process to which some modules are not installed."""
    hidden = f"""
import importlib.machinery, sys
usual = importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in {set(modules)!r} else usual(name, path, target)
importlib.machinery.PathFinder.find_spec = find_spec
"""
    return subprocess.run([sys.executable, "-c", hidden + code], capture_output=True, text=True, timeout=300)


SWEEP = "['sweep', '--problem', 'quartic', '--optimizer', 'gd', '--backend', 'numpy', '--lr', '0.1', '--start', '1.5']"


@pytest.mark.slow
@pytest.mark.parametrize("command", [f"{SWEEP} + ['--out', PATH]", "['map', PATH, '-o', PATH + '.png']"])
def test_a_netcdf_file_is_refused_in_a_sentence_without_its_libraries(tmp_path, command):
    path = tmp_path / "x.nc"
    if "map" in command:
        path.write_bytes(b"\x89HDF\r\n\x1a\n")
    before = list(tmp_path.iterdir())
    code = f"from gdfast.__main__ import main; PATH = {str(path)!r}; sys.argv[1:] = {command}; main()"
    done = without(["h5netcdf", "h5py"], code)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert "h5netcdf and h5py are not installed; pip install 'gdfast[netcdf]'" in line
    assert list(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_a_report_says_which_files_it_leaves_out(tmp_path):
    out = tmp_path / "report"
    arguments = ["report", "--quick", "--only", "double-well", "--only", "ravine", "--out", str(out)]
    code = f"from gdfast.__main__ import main\nsys.argv[1:] = {arguments}\nmain()"
    done = without(OPTIONAL, "if __name__ == '__main__':\n    " + code.replace("\n", "\n    "))
    assert done.returncode == 0, done.stderr
    page = " ".join((out / "index.html").read_text().split())
    for kind, module, extra in [
        ("tables as Parquet", "pyarrow is", "parquet"),
        ("results as netCDF", "h5py are", "netcdf"),
    ]:
        assert f"without {kind}" in done.stderr
        assert f"without {kind}" in page
        assert f"{module} not installed; pip install &#39;gdfast[{extra}]&#39;" in page
    assert {path.suffix for path in out.rglob("*.*")} == {".html", ".csv", ".png", ".svg"}


def test_the_package_has_its_data_and_its_types():
    files = {path.name for path in (ROOT / "gdfast").rglob("*") if path.is_file()}
    assert {"py.typed", "SOURCES.md", "COPYING-scikit-learn"} <= files


def test_shipped_tables_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn; pip install 'gdfast[test]'")
    import numpy as np

    from gdfast import data

    for name in data.SHIPPED:
        bunch = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
        table, varies = data.load(name), np.ptp(bunch.data, axis=0) > 0
        # Eleven numbers of older scikit-learn's are 4.803999999999999 where they were 4.804.
        np.testing.assert_array_max_ulp(table.X, bunch.data[:, varies], 1)
        np.testing.assert_array_equal(table.y, bunch.target)
        assert table.features == tuple(np.array(bunch.feature_names)[varies])
        assert table.classes == (tuple(str(c) for c in bunch.target_names) if "target_names" in bunch else None)


def test_the_version_is_one():
    assert importlib.metadata.version("gdfast") == PROJECT["version"]


def oldest():
    """The lowest declared version of each dependency, of the package and its tests."""
    requirements = [*PROJECT["dependencies"]]
    for extra in ("netcdf", "parquet", "test"):
        requirements += PROJECT["optional-dependencies"][extra]
    lowest = {}
    for requirement in map(Requirement, requirements):
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                lowest[canonicalize_name(requirement.name)] = specifier.version
    return "".join(f"{name}=={version}\n" for name, version in sorted(lowest.items()))


def test_the_oldest_versions_are_those_declared():
    path = ROOT / ".ci" / "oldest.txt"
    assert path.read_text() == oldest(), f"write {path} anew: python tests/test_setup.py"


if __name__ == "__main__":
    (ROOT / ".ci" / "oldest.txt").write_text(oldest())
