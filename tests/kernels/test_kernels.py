"""What the compiled kernels promise: their own exp, vectors, the grammar, the disk cache."""

import os
import shutil
import subprocess
import sys
import textwrap

import cases
import mpmath
import numba
import numpy as np
import pytest

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas import elementary
from gdfast.formulas.grammar import GrammarError, check
from gdfast.kernels import fuse
from gdfast.kernels.evaluation import evaluation_kernel
from gdfast.kernels.options import JIT


@numba.njit(**JIT)
def lane_exp(x, out):
    for i in range(len(x)):
        out[i] = elementary.exp(x[i])


def exp_of(x):
    out = np.empty_like(x)
    lane_exp(x, out)
    return out


def test_lane_exp_is_within_one_unit_in_the_last_place():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-745, 709.7, 3000), rng.normal(size=3000), rng.normal(size=500) * 1e-9])
    with mpmath.workdps(40):
        exact = [mpmath.exp(mpmath.mpf(float(v))) for v in x]
        got = exp_of(x)
        ulp = np.spacing(np.array([float(e) for e in exact]))
        error = [
            abs(float((mpmath.mpf(float(g)) - e) / mpmath.mpf(float(u))))
            for g, e, u in zip(got, exact, ulp, strict=True)
        ]
    assert max(error) <= 1.0


def test_lane_exp_has_the_right_limits():
    x = np.array([0.0, -0.0, 709.782712893384, 709.79, 1e308, np.inf, -745.2, -746.0, -1e308, -np.inf, np.nan])
    np.testing.assert_array_equal(
        exp_of(x)[[0, 1, 3, 4, 5, 7, 8, 9, 10]], [1, 1, np.inf, np.inf, np.inf, 0, 0, 0, np.nan]
    )
    assert np.isfinite(exp_of(x)[2])
    np.testing.assert_array_equal(exp_of(np.array([-740.0])), np.exp([-740.0]))


def test_the_sigmoids_gradient_differs_by_rounding_only():
    gradient = numba.njit(**JIT)(problems.sigmoid().gradient_formula)
    x = np.linspace(-40, 40, 20_001)
    got = np.array([gradient(v) for v in x])
    expected = problems.sigmoid().gradient(x[None])[0]
    # σ is at most two roundings of a value <= 1 apart; the factors σ − 0.8 and 1 − σ keep that absolutely.
    assert np.max(np.abs(got - expected)) <= 4 * np.finfo(float).eps * 0.25


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
            ("theta = theta - lr * grad ** 2\n    return theta", ["line 2", "x * x"]),
            ("if lr > 0:\n        theta = theta\n    return theta", ["line 2", "select"]),
            ("theta = theta if lr > 0 else grad\n    return theta", ["select"]),
            ("theta -= lr * grad\n    return theta", ["x = x + y"]),
            ("theta = theta - lr * np.tanh(grad)\n    return theta", ["np.tanh"]),
            ("theta = theta - lr * abs(grad)\n    return theta", ["abs", "absolute"]),
            ("theta = theta - rate * grad\n    return theta", ["'rate'"]),
            ("theta = theta - lr * grad", ["return"]),
            ("return theta, grad", ["1 value"]),
            ("for i in range(3):\n        theta = theta\n    return theta", ["line 2"]),
        ],
    )
    def test_refusals_name_the_line_and_the_remedy(self, tmp_path, body, words):
        file = tmp_path / "mine.py"
        file.write_text(f"import numpy as np\n\n\ndef rule(theta, grad, lr):\n    {body}\n")
        namespace = {}
        exec(compile(file.read_text(), str(file), "exec"), namespace)
        with pytest.raises(GrammarError) as error:
            check(namespace["rule"], 1)
        assert all(word in str(error.value) for word in words), str(error.value)


def in_new_process(code, cache, cwd):
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(cwd),
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
def first_cache(tmp_path_factory):
    """A cache folder that another process has put the driver into."""
    folder = tmp_path_factory.mktemp("first")
    in_new_process("import gdfast.tiles.tile; gdfast.tiles.tile._driver('float64')", folder / "cache", folder)
    return folder / "cache"


@pytest.fixture
def cache(first_cache, tmp_path):
    """A cache folder of the test's own that has the driver in it."""
    return shutil.copytree(first_cache, tmp_path / "cache")


COUNT_COMPILATIONS = """
import numba.core.event as event
import numpy as np
import gdfast
with event.install_recorder("numba:compile") as recorder:
    sweep = gdfast.Sweep(gdfast.problems.quartic(), [gdfast.optimizers.{name}()], [0.01, 0.1], [[1.0], [2.0]])
    result = gdfast.run(sweep)
print(len(recorder.buffer))
"""


def test_a_second_process_compiles_nothing_and_the_cache_does_not_grow(tmp_path, cache):
    code = COUNT_COMPILATIONS.format(name="momentum")
    assert int(in_new_process(code, cache, tmp_path)) > 0
    files = sorted(f.name for f in cache.rglob("*"))
    for _ in range(2):
        assert int(in_new_process(code, cache, tmp_path)) == 0
        assert sorted(f.name for f in cache.rglob("*")) == files


def test_an_expressions_kernel_is_cached_across_processes(tmp_path, cache):
    code = """
    import numba.core.event as event, gdfast
    problem = gdfast.problems.from_expression("x**4 + sin(y)**2 + x*y")
    with event.install_recorder("numba:compile") as recorder:
        gdfast.run(gdfast.Sweep(problem, gdfast.optimizers.gd(), [0.01], problem.grid(3), 50))
    print(len(recorder.buffer))
    """
    assert int(in_new_process(code, cache, tmp_path)) > 0
    assert int(in_new_process(code, cache, tmp_path)) == 0


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


def test_an_edited_rule_is_recompiled(tmp_path, cache):
    gradient = 4 - 10 + 3
    for factor in (1.0, 5.0):
        (tmp_path / "mine.py").write_text(MINE.format(factor=factor))
        assert float(in_new_process(RUN_MINE, cache, tmp_path)) == 1.0 - factor * 0.001 * gradient


def test_kernels_cached_by_different_processes_do_not_get_mixed_up(tmp_path, cache):
    # Each is the first kernel of its process, so that a counter in their symbols would be the same.
    alone = """
    import gdfast
    from gdfast.tiles.tile import step_kernel
    step_kernel(gdfast.problems.quartic(), gdfast.optimizers.{}())
    """
    names = ["gd", "momentum", "nesterov", "adagrad"]
    for name in names:
        in_new_process(alone.format(name), cache, tmp_path)
    together = f"""
    import numpy as np, gdfast
    chosen = [getattr(gdfast.optimizers, n)() for n in {names}]
    problem = gdfast.problems.quartic()
    sweep = gdfast.Sweep(problem, chosen, np.logspace(-4, 0, 40), problem.grid(40))
    a, b = gdfast.run(sweep, keep_theta=True), gdfast.run(sweep, backend="numpy", keep_theta=True)
    print(all(np.array_equal(a[v].values, b[v].values, equal_nan=True) for v in a.data_vars))
    """
    assert in_new_process(together, cache, tmp_path) == "True"


def test_importing_the_package_loads_neither_numba_nor_pandas(tmp_path):
    heavy = ["numba", "pandas", "xarray", "matplotlib", "numpy", "sklearn", "scipy"]
    code = f"import sys, gdfast; print([m for m in {heavy} if m in sys.modules])"
    assert in_new_process(code, tmp_path / "cache", tmp_path) == "[]"


def test_a_users_problem_runs_like_any_other():
    def loss(x, y):
        return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)

    def gradient(x, y):
        u = y - x * x
        return -2 * (1 - x) - 400 * x * u, 200 * u

    def hessian(x, y):
        return (2 - 400 * (y - 3 * x * x), -400 * x), (-400 * x, 200)

    @gdfast.problems.named()
    def rosenbrock():
        return gdfast.problems.Landscape(loss, gradient, hessian, np.array([[-2.0, 2.0], [-1.0, 3.0]]), [[1.0, 1.0]])

    problem = rosenbrock()
    sweep = gdfast.Sweep(
        problem,
        [optimizers.gd(), optimizers.adam(), optimizers.rmsprop(centered=True, momentum=0.9)],
        np.logspace(-4, 0, 30),
        problem.grid(6),
        3000,
    )
    expected, got = gdfast.run(sweep, backend="numpy", keep_theta=True), gdfast.run(sweep, keep_theta=True)
    cases.assert_same(got, expected)
    assert (got.outcome.sel(optimizer="adam") == gdfast.outcomes.Outcome.global_minimum).any()


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
    expected, got = gdfast.run(sweep, backend="numpy", keep_theta=True), gdfast.run(sweep, workers=1, keep_theta=True)
    cases.assert_same(got, expected)
