"""Things of one's own from files: problems, optimizers, schedules, transforms and measures by ``mine.py:name``."""

import pickle
import re

import cases
import numpy as np
import pytest
from typer.testing import CliRunner

import gdfast
from gdfast import notation, own
from gdfast.cli import app

MINE = """
import functools

import numba
import numpy as np
from beside import OFFSET
from gdfast import optimizers, problems, schedules, transforms
from gdfast.measures import Measure
from gdfast.optimizers import FRACTION, Optimizer, named
from gdfast.schedules import Schedule
from gdfast.transforms import Transform

SIZE = 2.0


def bowl(x, y):
    return (x - SIZE) ** 2 + OFFSET * y**2


def steep(steepness=3.0):
    return problems.from_expression(f"{steepness}*x**2 + x", domain=(-1, 1))


def wide(width):
    return problems.Landscape(lambda x: x**2, domain=(-width, width))


cup = problems.quartic()


def my_rule(theta, grad, m, lr, beta):
    m = beta * m + grad
    return theta - lr * m / SIZE, m


@named(beta=FRACTION)
def heavy(beta: float = 0.9) -> Optimizer:
    return Optimizer(my_rule, learning_rate=0.02)


def halved(beta=0.5):
    return Optimizer(my_rule, learning_rate=0.02, parameters={"beta": beta / 2})


mild = optimizers.gd().transformed(transforms.clip_norm(1.0)).scheduled(schedules.cosine())


def fading(step):
    return 0.5 ** (step // 10)


def slower(step, gamma=0.5):
    return gamma ** (step // 10)


class Slowing:
    def __init__(self, gamma):
        self.gamma = gamma

    def __call__(self, step):
        return self.gamma ** (step // 10)


slowing = Slowing(0.5)
slow = functools.partial(slower, gamma=0.5)


def steps_of(gamma, size=10):
    return Schedule(lambda t, budget: gamma ** np.floor(t / size))


@numba.njit
def compiled(x):
    return SIZE * x * x


def stairs(gamma=0.5):
    return Schedule(lambda t, budget: gamma ** np.floor(t / 10))


def shrink(theta, grad, lr, share):
    return grad * share


@named()
def shy(share: float = 0.5) -> Transform:
    return Transform(shrink)


def above(loss, count, level):
    return count + (loss > level)


@named()
def steps_above(level: float = 1.0) -> Measure:
    return Measure(above, {"count": 0.0}, lambda t, budget: {}, lambda memory, *_: memory[0])


def broken():
    return 1 / 0


def three():
    return 3


def no_formula(x):
    return sorted(x)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "beside.py").write_text("OFFSET = 0.25\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "beside", raising=False)


TEXTS = {
    "problem": ["mine.py:bowl", "mine.py:bowl:domain=(x=-1/3,y=0/2)", "mine.py:steep", "mine.py:steep:steepness=2.5"],
    "optimizer": ["mine.py:my_rule:beta=0.5", "mine.py:heavy", "mine.py:heavy:beta=0.5|cosine", "mine.py:mild"],
    "schedule": ["mine.py:fading", "mine.py:stairs:gamma=0.25", "warmup:steps=5,then=mine.py:fading"],
    "transform": ["mine.py:shy", "mine.py:shy:share=0.1", "mine.py:shrink:share=0.1"],
    "measure": ["mine.py:steps_above:level=2"],
}
TEXTS["problem"] += ["mine.py:cup", "mine.py:wide:width=4"]
TEXTS["optimizer"] += ["mine.py:mild|linear|l2", "gd|mine.py:fading|mine.py:shy", "mine.py:halved:beta=0.3"]
TEXTS["problem"] += ["mine.py:compiled"]
TEXTS["schedule"] += ["mine.py:slower", "mine.py:slower:gamma=0.25", "mine.py:slowing", "mine.py:slow:gamma=0.25"]
TEXTS["schedule"] += ["mine.py:steps_of:gamma=0.25,size=5"]
READ = {"optimizer": lambda text: notation.optimizers(text)[0]}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TEXTS.items() for text in texts])
def test_labels_read_back_to_the_same(kind, text):
    read = READ.get(kind, getattr(notation, kind, None))
    thing = read(text)
    assert thing.label == text.replace("then=mine.py:fading", "then=(mine.py:fading)")
    assert read(thing.label) == thing
    assert notation.written(thing) == thing.label
    again = pickle.loads(pickle.dumps(thing))
    assert again == thing
    assert again.specification == thing.specification
    assert thing.replace() == thing


def test_what_a_file_has_is_swept_like_the_same_made_here():
    sweep = gdfast.Sweep("mine.py:bowl", ["gd", "mine.py:heavy:beta=0.5"], [0.05, 0.1], None, 300)
    result = gdfast.run(sweep, backend="numpy")
    plain = gdfast.problems.from_expression("(x - 2)**2 + 0.25*y**2")
    rules = gdfast.optimizers.gd(), gdfast.optimizers.momentum(momentum=0.5)
    same = gdfast.run(gdfast.Sweep(plain, rules, [0.05, 0.1], sweep.starts, 300), backend="numpy")
    np.testing.assert_allclose(result.loss.sel(optimizer="gd"), same.loss.sel(optimizer="gd"), atol=1e-12)
    slower = gdfast.Sweep(plain, rules[1], [0.025, 0.05], sweep.starts, 300)
    np.testing.assert_allclose(result.loss[1], gdfast.run(slower, backend="numpy").loss[0], atol=1e-9)
    assert list(result.optimizer.values) == ["gd", "mine.py:heavy:beta=0.5"]


def test_schedules_of_a_file_are_the_functions_of_the_step_that_it_has():
    expected = 0.5 ** (np.arange(31) // 10)
    for name in ("fading", "slower", "slower:gamma=0.5", "slowing", "slow", "steps_of:gamma=0.5", "stairs"):
        np.testing.assert_array_equal(notation.schedule(f"mine.py:{name}").multipliers(30), expected, name)
    np.testing.assert_array_equal(notation.schedule("mine.py:slow:gamma=0.25").multipliers(30), expected**2)
    assert notation.problem("mine.py:compiled").loss([3.0]) == 18


def test_a_store_is_told_what_an_object_of_a_file_is(tmp_path):
    def run():
        sweep = gdfast.Sweep("quartic", "gd|mine.py:slowing", [0.01], [1.0], 30)
        return gdfast.run(sweep, backend="numpy", store="slowing.zarr", progress=False)

    run()
    run()
    text = (tmp_path / "mine.py").read_text()
    for changed in (text.replace("Slowing(0.5)", "Slowing(0.25)"), text.replace("self.gamma **", "self.gamma *")):
        (tmp_path / "mine.py").write_text(changed)
        cases.refused(run, ValueError, "store", "another sweep")
    (tmp_path / "mine.py").write_text(text)
    run()


def test_hyperparameters_of_own_rules_are_axes():
    rules = notation.optimizers("mine.py:my_rule:beta=0:0.9:4")
    assert [rule.parameters["beta"] for rule in rules] == pytest.approx([0, 0.3, 0.6, 0.9])
    assert notation.optimizers("mine.py:my_rule:beta=0.5,lr=0.3")[0].learning_rate == 0.3
    sweep = gdfast.Sweep("quartic", "mine.py:my_rule:beta=0/0.5", [0.01], [1.0, 2.0])
    np.testing.assert_array_equal(gdfast.run(sweep, backend="numpy").beta, [0, 0.5])


@pytest.mark.slow
def test_processes_run_the_file_too():
    sweep = gdfast.Sweep("mine.py:bowl", "mine.py:mild|mine.py:shy mine.py:my_rule:beta=0.5", [0.05, 0.1], max_steps=20)
    with gdfast.executors.Processes(1) as executor:
        elsewhere = gdfast.run(sweep, backend="numpy", executor=executor, progress=False)
    cases.assert_same(elsewhere, gdfast.run(sweep, backend="numpy"))


def typed(*words):
    return CliRunner().invoke(app, list(words))


def test_files_that_a_result_names_are_run_again_only_where_that_is_asked_for(tmp_path):
    problem, rule, measure = "mine.py:bowl", "mine.py:heavy:beta=0.5|mine.py:fading|mine.py:shy", "mine.py:steps_above"
    sweeps = {
        what: gdfast.Sweep(
            problem if what == "mine.py:bowl" else "himmelblau",
            rule if what == rule else "gd",
            [0.05, 0.1],
            [[1.0, 1.0]],
            20,
            measure=measure if what == measure else None,
        )
        for what in (problem, rule, measure)
    }
    results = {what: gdfast.run(sweep, backend="numpy", progress=False) for what, sweep in sweeps.items()}
    for what, result in results.items():
        with pytest.raises(ValueError, match=f"not of '{re.escape(what)}', of a file.*run_files=True, --run-files"):
            gdfast.sweep_of(result)
        assert gdfast.sweep_of(result, run_files=True) == sweeps[what]
    with pytest.raises(ValueError, match="run_files=True"):
        gdfast.analysis.paths(results[rule])
    (path,) = gdfast.analysis.paths(results[rule], run_files=True).values()
    alone = gdfast.trajectory("himmelblau", rule, [1.0, 1.0], path.attrs["learning_rate"], 20)
    np.testing.assert_array_equal(path.theta, alone.theta)
    gdfast.run(sweeps[rule], backend="numpy", progress=False, store="own.zarr")
    for kind in ("paths", "curves"):
        assert "--run-files" in typed("plot", kind, "own.zarr", "-o", f"{kind}.svg").stderr
        done = typed("plot", kind, "own.zarr", "-o", f"{kind}.svg", "--run-files")
        assert done.exit_code == 0, done.output
    changed = MINE.replace("SIZE = 2.0", "SIZE = 2.5").replace("loss > level", "loss >= level")
    (tmp_path / "mine.py").write_text(changed)
    for what, result in results.items():
        with pytest.raises(ValueError, match=f"'{re.escape(what)}'.* is another"):
            gdfast.sweep_of(result, run_files=True)
    (tmp_path / "mine.py").unlink()
    for result in results.values():
        with pytest.raises(ValueError, match=r"mine\.py"):
            gdfast.sweep_of(result, run_files=True)


SWEEP = ("sweep", "--lr", "0.01:0.1:3", "--max-steps", "50", "--backend", "numpy", "--out", "a.zarr")


def test_stores_are_completed_by_the_same_file_only(tmp_path):
    line = (*SWEEP, "--problem", "mine.py:bowl", "--optimizer", "mine.py:heavy", "--schedule", "mine.py:fading")
    line = (*line, "--transform", "mine.py:shy:share=0.9")
    done = typed(*line)
    assert done.exit_code == 0, done.output
    done = typed(*line)
    assert done.exit_code == 0, done.output
    (tmp_path / "mine.py").write_text(MINE.replace("SIZE = 2.0", "SIZE = 2.5"))
    done = typed(*line)
    assert done.exit_code == 2
    assert "SIZE = 2.0" in done.stderr
    assert "SIZE = 2.5" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["summary a.zarr", "map a.zarr -o a.png", "status a.zarr"])
def test_what_reads_a_store_runs_no_file(tmp_path, command):
    typed(*SWEEP, "--problem", "mine.py:bowl", "--optimizer", "mine.py:heavy")
    (tmp_path / "mine.py").write_text("import pathlib\npathlib.Path('run').write_text('')\n")
    done = typed(*command.split())
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("problem", "nowhere.py:bowl", ["there is no file nowhere.py"]),
        ("problem", "mine.py", ["problem 'mine.py'", "such as mine.py:NAME"]),
        ("optimizer", "mine.py", ["optimizer 'mine.py'", "such as mine.py:NAME"]),
        ("problem", "mine.py:bowls", ["mine.py: name 'bowls'", "bowl"]),
        ("problem", "mine.py:broken", ["mine.py:broken", "ZeroDivisionError", "line"]),
        ("problem", "mine.py:three", ["mine.py:three", "problem", "3"]),
        ("problem", "mine.py:no_formula", ["mine.py:no_formula", "sorted()"]),
        ("problem", "mine.py:heavy", ["mine.py:heavy", "must be a problem", "optimizer"]),
        ("problem", "mine.py:SIZE", ["mine.py:SIZE", "2.0"]),
        ("problem", "mine.py:cup:size=2", ["mine.py:cup: parameter 'size'", "none"]),
        ("problem", "mine.py:bowl:domain=3", ["mine.py:bowl", "domain"]),
        ("problem", "mine.py:steep:steep=2", ["mine.py:steep: parameter 'steep'", "steepness"]),
        ("optimizer", "mine.py:bowl", ["mine.py:bowl", "optimizer"]),
        ("optimizer", "mine.py:no_formula", ["its argument x must have a value", "theta, grad and lr"]),
        ("schedule", "mine.py:slower:delta=1", ["mine.py:slower", "delta", "gamma"]),
        ("optimizer", "mine.py:my_rule", ["mine.py:my_rule", "beta has no value", "mine.py:rule:beta=0.9"]),
        (
            "optimizer",
            "usual.py:heavy",
            ["usual.py:heavy", "no defaults, unlike beta=0.9", "usual.py:heavy:beta=0.9"],
        ),
        ("optimizer", "usual.py:blind", ["usual.py:blind", "must have the arguments theta, grad, lr", "not theta, lr"]),
        ("optimizer", "mine.py:heavy:beta=2", ["mine.py:heavy", "beta", "[0, 1)"]),
        ("schedule", "mine.py:three", ["mine.py:three", "schedule"]),
        ("transform", "mine.py:my_rule:beta=1", ["mine.py:my_rule"]),
        ("measure", "mine.py:steep", ["mine.py:steep", "measure"]),
        ("problem", "worse.py:bowl", ["worse.py cannot be read", "line 2"]),
        ("problem", "ends.py:bowl", ["ends.py raises SystemExit"]),
        ("problem", "raises.py:bowl", ["raises.py raises KeyError", "line 3"]),
        ("problem", "binary.py:bowl", ["binary.py is no text of Python"]),
    ],
)
def test_faults_of_files_are_told_in_one_sentence(tmp_path, kind, text, words):
    (tmp_path / "worse.py").write_text("x = 1\ndef bowl(x:\n")
    (tmp_path / "usual.py").write_text(
        "def heavy(theta, grad, m, lr, beta=0.9):\n    m = beta * m + grad\n    return theta - lr * m, m\n"
        "def blind(theta, lr):\n    return theta - lr\n"
    )
    (tmp_path / "ends.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "raises.py").write_text("def f():\n    return 1\n{}['a']\n")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00\x81")
    reader = notation.optimizers if kind == "optimizer" else getattr(notation, kind)
    cases.refused(lambda: reader(text), (TypeError, ValueError), *words)


def test_a_fault_ends_a_command_with_code_2(tmp_path):
    done = typed(*SWEEP, "--problem", "mine.py:broken", "--optimizer", "gd")
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_file_with_another_name_is_quoted(tmp_path):
    folder = tmp_path / "my things"
    folder.mkdir()
    (folder / "a, b.py").write_text("def bowl(x):\n    return x**2\n")
    problem = notation.problem('"my things/a, b.py":bowl')
    assert problem.label == '"my things/a, b.py":bowl'
    assert notation.problem(problem.label) == problem
    assert own.split("adam:beta1=0.8") is None
    assert own.split("from_expression:expression=x") is None


def test_an_edited_file_is_read_again(tmp_path):
    before = notation.problem("mine.py:bowl")
    (tmp_path / "mine.py").write_text(MINE.replace("SIZE = 2.0", "SIZE = 1.0"))
    after = notation.problem("mine.py:bowl")
    assert before != after
    assert before.loss([2.0, 0.0]) == after.loss([1.0, 0.0]) == 0
    cases.refused(lambda: pickle.loads(pickle.dumps(before)), ValueError, "mine.py:bowl", "another")
