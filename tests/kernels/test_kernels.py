"""What the compiled kernels promise: their own exp, vectors, the grammar, the disk cache."""

import ast
import importlib
import inspect
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import cases
import numba
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.formula import Formula
from gdfast.formulas.grammar import GrammarError
from gdfast.formulas.lane_products import independent, wide_vectors
from gdfast.kernels import compiling, fuse
from gdfast.kernels.evaluation import evaluation_kernel
from gdfast.kernels.loops.kernel import text_of
from gdfast.kernels.options import JIT
from gdfast.problems._stepping import LaneKernel


@pytest.mark.slow
def test_the_sigmoids_gradient_differs_by_rounding_only():
    gradient = numba.njit(**JIT)(problems.sigmoid().gradient_formula)
    x = np.linspace(-40, 40, 20_001)
    got = np.array([gradient(v) for v in x])
    expected = problems.sigmoid().gradient(x[None])[0]
    # σ is at most two roundings of a value <= 1 apart; the factors σ − 0.8 and 1 − σ keep that absolutely.
    assert np.max(np.abs(got - expected)) <= 4 * np.finfo(float).eps * 0.25


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("problem", "optimizer", "dtype"),
    [
        ("quartic", "gd", "float64"),
        ("quartic", "adam", "float64"),
        ("sigmoid", "gd", "float64"),
        ("linear_regression", "adam", "float64"),
        ("rosenbrock", "adam", "float32"),
    ],
)
def test_main_kernels_compile_to_vector_instructions(problem, optimizer, dtype):
    pair = getattr(problems, problem)(), getattr(optimizers, optimizer)()
    features = numba.core.codegen.get_host_cpu_features()
    if "+avx" not in features.split(","):
        pytest.skip("this processor has no AVX registers to look for")
    register = "%zmm" if "+avx512f" in features.split(",") else "%ymm"
    assembly = cases.assembly(lambda: fuse.step_kernel(*pair, dtype=dtype))
    arithmetic = [line.split() for line in assembly.splitlines() if register in line]
    assert sum(line[0] in ("vmulpd", "vaddpd", "vsubpd") for line in arithmetic) >= (10 if dtype == "float64" else 0)
    assert sum(line[0] in ("vmulps", "vaddps", "vsubps") for line in arithmetic) >= (10 if dtype == "float32" else 0)
    assert dtype == "float64" or not any(line[0].startswith("vcvtps2pd") for line in arithmetic)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("problem", "optimizer"),
    [
        ("quartic", "gd"),
        ("quartic", "dog"),
        ("rosenbrock", "gd"),
        ("rosenbrock", "prodigy"),
        ("himmelblau", "momentum"),
        ("colville", "adam"),
    ],
)
def test_steps_of_landscapes_take_vectors_without_comparing_addresses(problem, optimizer):
    assembly = cases.assembly(lambda: fuse.step_kernel(getattr(problems, problem)(), getattr(optimizers, optimizer)()))
    if "+avx" not in numba.core.codegen.get_host_cpu_features().split(","):
        pytest.skip("this processor has no AVX registers to look for")
    done = [line.split()[0] for line in assembly.splitlines() if line.strip()]
    assert "vmulpd" in done
    # Else there is a loop for where rows might overlap, lane by lane, or one that takes no vectors at all.
    assert not {"vaddsd", "vsqrtsd"} & {*done}


def _gradient_with_an_array(theta, grad, work, n, data, layout, t):
    wide_vectors()
    ones = np.ones(1)
    for i in range(theta.shape[0]):
        for lane in range(n):
            grad[i, lane] = theta[i, lane] + ones[0]
            independent()


def _objective(theta, out, work, n, data, layout, t):
    for lane in range(n):
        out[lane] = theta[0, lane]
        independent()


@pytest.mark.slow
def test_what_lanes_ask_of_the_compiler_is_known_to_numba_too(monkeypatch):
    by_numba, made = compiling.machine_code_by_numba, []

    def noted(*given):
        made.append(by_numba(*given))
        return made[-1]

    monkeypatch.setattr(compiling, "machine_code_by_numba", noted)
    cases.assembly(lambda: evaluation_kernel(LaneKernel(_gradient_with_an_array, _objective, work_rows=0)))
    assert len(made) == 1


LANES_OF_OUR_OWN = ["gdfast.kernels.templates", "gdfast.kernels.matrices", "gdfast.kernels.settling"]
LANES_OF_OUR_OWN += [f"gdfast.problems.{name}" for name in ("_sum", "_turns", "quadratic", "rows.lanes")]


@pytest.mark.parametrize("module", LANES_OF_OUR_OWN)
def test_loops_over_lanes_are_told_to_be_independent(module):
    loops = []
    for loop in ast.walk(ast.parse(inspect.getsource(importlib.import_module(module)))):
        if isinstance(loop, ast.For) and "lane" in (ast.unparse(loop.target), ast.unparse(loop.body[0])[:4]):
            loops.append(loop)
            assert ast.unparse(loop.body[-1]) == "independent()", f"{module}, line {loop.lineno}"
    assert len(loops) > 3


@pytest.mark.sampled(1)
@pytest.mark.parametrize("optimizer", ["gd", "prodigy", "lbfgs", "newton", "adam|clip_norm=1|lookahead"])
def test_the_marks_of_independent_lanes_are_in_the_text_that_is_compiled(optimizer, monkeypatch):
    texts = []

    def text_and_kept(*given):
        texts.append(text_of(*given))
        return texts[-1]

    monkeypatch.setattr(compiling, "text_of", text_and_kept)
    pair = problems.rosenbrock(), gdfast.Sweep("rosenbrock", optimizer).optimizers[0]
    cases.assembly(lambda: fuse.step_kernel(*pair))
    (text,) = texts
    assert text.count('call void @"gdfast.independent"') == 4  # objective, largest entry, step, settling


def test_problems_with_data_share_their_kernels():
    regression, small, large = problems.linear_regression(), problems.mlp((2, 3, 1)), problems.mlp((3, 4, 4, 2), "relu")
    assert evaluation_kernel(small.lane_kernel) is evaluation_kernel(large.lane_kernel)
    assert evaluation_kernel(small.lane_kernel) is not evaluation_kernel(regression.lane_kernel)
    steps = {fuse.step_kernel(problem, optimizers.adam()) for problem in (regression, small, large)}
    assert len(steps) == 1


class TestGrammar:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("theta = theta - lr * grad ** lr\n    return theta", ["line 2", "power(x, y)"]),
            ("if lr > 0:\n        theta = theta\n    return theta", ["line 2", "select"]),
            ("theta = theta - lr * np.cbrt(grad)\n    return theta", ["np.cbrt()", "absolute"]),
            ("theta = theta - lr * sum(grad)\n    return theta", ["sum()", "absolute"]),
            ("theta = theta - lr * abs(x=grad)\n    return theta", ["line 2", "abs(x=grad)"]),
            ("theta[0] -= lr * grad\n    return theta", ["assignments to a name"]),
            ("theta = theta - rate * grad\n    return theta", ["'rate'"]),
            ("theta = theta - lr * grad", ["return"]),
            ("return theta, grad", ["1 value"]),
            ("for i in range(3):\n        theta = theta\n    return theta", ["line 2", "no loops"]),
        ],
    )
    def test_refusals_name_the_line_and_the_remedy(self, tmp_path, body, words):
        file = tmp_path / "mine.py"
        file.write_text(f"import numpy as np\n\n\ndef rule(theta, grad, lr):\n    {body}\n")
        namespace = {}
        exec(compile(file.read_text(), str(file), "exec"), namespace)
        with pytest.raises(GrammarError) as error:
            Formula(namespace["rule"], 1)
        assert all(word in str(error.value) for word in words), str(error.value)


def in_new_process(code, cache, cwd, package):
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(cwd), str(package)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with a copy of the package that no kernel has been kept beside."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(Path(gdfast.__file__).parent, folder / "gdfast", ignore=shutil.ignore_patterns("*.kernel"))
    return folder


@pytest.fixture(scope="module")
def first_cache(tmp_path_factory, package):
    """A cache folder that another process has put the driver into."""
    folder = tmp_path_factory.mktemp("first")
    code = "import gdfast.tiles.driver; gdfast.tiles.driver.driver('float64')"
    in_new_process(code, folder / "cache", folder, package)
    return folder / "cache"


@pytest.fixture
def cache(first_cache, tmp_path):
    """A cache folder of the test's own that has the driver in it."""
    return shutil.copytree(first_cache, tmp_path / "cache")


@pytest.fixture
def answer(package, cache, tmp_path):
    """What a program prints that is run in a new process."""
    return lambda code: in_new_process(code, cache, tmp_path, package)


COUNT_COMPILATIONS = """
import gdfast
from gdfast import optimizers, problems
from gdfast.kernels import folder
compiled, write, counts = [], folder.write, []
folder.write = lambda name, code: compiled.append(name) or write(name, code)
for problem in (problems.quartic(), problems.from_expression("x**4 + sin(y)**2 + x*y"), problems.quadratic()):
    gdfast.run(gdfast.Sweep(problem, optimizers.momentum(), [0.01, 0.1], problem.grid(3), 50))
    counts.append(len(compiled))
    compiled.clear()
print(*counts)
"""


@pytest.mark.slow
def test_a_second_process_compiles_nothing_and_the_cache_does_not_grow(answer, cache):
    assert all(int(count) > 0 for count in answer(COUNT_COMPILATIONS).split())
    files = sorted(f.name for f in cache.rglob("*"))
    assert answer(COUNT_COMPILATIONS) == "0 0 0"
    assert sorted(f.name for f in cache.rglob("*")) == files


MINE = """
from gdfast.optimizers import Optimizer, named

def rule(theta, grad, lr):
    theta = theta - {factor} * lr * grad
    return theta

@named()
def mine() -> Optimizer:
    return Optimizer(rule, learning_rate=0.1)
"""
RUN_MINE = """
import gdfast, mine
sweep = gdfast.Sweep(gdfast.problems.quartic(), [mine.mine()], [0.001], [[1.0]], max_steps=1)
print(float(gdfast.run(sweep, keep_theta=True).theta.values.item()))
"""


@pytest.mark.slow
def test_an_edited_rule_is_recompiled(answer, tmp_path):
    gradient = 4 - 10 + 3
    for factor in (1.0, 5.0):
        (tmp_path / "mine.py").write_text(MINE.format(factor=factor))
        assert float(answer(RUN_MINE)) == 1.0 - factor * 0.001 * gradient


@pytest.mark.slow
def test_kernels_cached_by_different_processes_do_not_get_mixed_up(answer):
    # Each is the first kernel of its process, so that a counter in their symbols would be the same.
    alone = """
    import gdfast
    from gdfast.tiles.tile import step_kernel
    step_kernel(gdfast.problems.quartic(), gdfast.optimizers.{}())
    """
    names = ["gd", "adagrad"]
    for name in names:
        answer(alone.format(name))
    together = f"""
    import numpy as np, gdfast
    chosen = [getattr(gdfast.optimizers, n)() for n in {names}]
    problem = gdfast.problems.quartic()
    sweep = gdfast.Sweep(problem, chosen, np.logspace(-4, 0, 40), problem.grid(40))
    a, b = gdfast.run(sweep, keep_theta=True), gdfast.run(sweep, backend="numpy", keep_theta=True)
    print(all(np.array_equal(a[v].values, b[v].values, equal_nan=True) for v in a.data_vars))
    """
    assert answer(together) == "True"


def test_importing_the_package_loads_neither_numba_nor_pandas(tmp_path, package):
    heavy = ["numba", "pandas", "xarray", "matplotlib", "numpy", "sklearn", "scipy"]
    code = f"import sys, gdfast; print([m for m in {heavy} if m in sys.modules])"
    assert in_new_process(code, tmp_path / "cache", tmp_path, package) == "[]"


def test_a_users_problem_runs_like_any_other():
    def loss(x, y):
        return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)

    def gradient(x, y):
        u = y - x * x
        return -2 * (1 - x) - 400 * x * u, 200 * u

    @gdfast.problems.named()
    def rosenbrock():
        return gdfast.problems.Landscape(loss, gradient, np.array([[-2.0, 2.0], [-1.0, 3.0]]), [[1.0, 1.0]])

    problem = rosenbrock()
    sweep = gdfast.Sweep(
        problem,
        [optimizers.gd(), optimizers.adam(), optimizers.rmsprop(centered=True, momentum=0.9)],
        np.logspace(-4, 0, 30),
        problem.grid(6),
        3000,
    )
    got = cases.agree(sweep)
    assert (got.outcome.sel(optimizer="adam") == gdfast.outcomes.Outcome.global_minimum).any()


@pytest.mark.slow
def test_a_lane_kernel_may_call_functions_of_other_files_and_what_those_call(tmp_path, monkeypatch):
    (tmp_path / "shares.py").write_text("def twice(x):\n    return x + x\n\n\ndef slope(x):\n    return twice(x)\n")
    (tmp_path / "loops.py").write_text("from shares import slope\n\n\nKIND = 1\n\n\n")
    with (tmp_path / "loops.py").open("a") as file:
        file.write("def fill(to, x, n):\n    for lane in range(n):\n        to[lane] = slope(x[lane])\n")
    monkeypatch.syspath_prepend(tmp_path)
    loops = __import__("loops")

    def lane_gradient(theta, grad, work, n, data, layout, t):
        for i in range(theta.shape[0]):
            loops.fill(grad[i], theta[i], n)

    def lane_objective(theta, out, work, n, data, layout, t):
        out[:n] = 0.0
        for x in theta:
            for lane in range(n):
                out[lane] += x[lane] * x[lane]

    class Bowl(gdfast.problems.Problem):
        lane_kernel = gdfast.problems.LaneKernel(lane_gradient, lane_objective, work_rows=0)
        domain = np.tile([-2.0, 2.0], (10, 1))
        near = np.zeros((1, 10))

        def loss(self, theta):
            total = np.zeros(theta.shape[1])
            for x in theta:
                total += x * x
            return total

        def gradient(self, theta):
            return theta + theta

        def hessian(self, theta):
            return np.repeat(2 * np.eye(10)[:, :, None], theta.shape[1], axis=2)

    @gdfast.problems.named()
    def bowl():
        return Bowl()

    problem = bowl()
    sweep = gdfast.Sweep(problem, [optimizers.gd()], [0.1, 0.3, 1.1], problem.random(20), 200)
    cases.agree(sweep, workers=1)
