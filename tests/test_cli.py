"""The command line, as typed; and what runs are interrupted or handed to other executors."""

import inspect
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import cases
import numpy as np
import pytest
import typer
import xarray
from typer.testing import CliRunner

import gdfast
from gdfast import optimizers, problems, schedules, transforms
from gdfast.cli import app
from gdfast.grids import parse_axis
from gdfast.literals import read

SWEEP = ["sweep", "--problem", "quartic", "--optimizer", "gd", "--optimizer", "adam:beta1=0.8"]
SMALL = [*SWEEP, "--lr", "1e-4:1:32", "--start", "-4:4:16", "--max-steps", "200"]


def gdfast_command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "gdfast", *map(str, arguments)], capture_output=True, text=True, **options
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "quartic.zarr"
    done = gdfast_command(*SMALL, "--out", path, "--keep-theta")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no bar where there is no terminal
    return path


@pytest.mark.slow
def test_a_history_is_recorded_and_drawn(tmp_path):
    path, picture = tmp_path / "along.zarr", tmp_path / "map.png"
    line = [*SMALL[:-2], "--max-steps", "50", "--history", "loss,sharpness:linear:6", "--out", path]
    done = gdfast_command(*line)
    assert done.returncode == 0, done.stderr
    got = xarray.open_zarr(path)
    np.testing.assert_array_equal(got.recorded_step, [0, 10, 20, 30, 40, 50])
    np.testing.assert_array_equal(got.history_loss[..., -1], got.loss)
    assert set(got.data_vars) >= {"history_loss", "history_sharpness"}
    done = gdfast_command("map", path, "-o", picture, "--quantity", "sharpness at step 22")
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 5000


@pytest.mark.slow
def test_budgets_are_run_out_if_that_is_asked_for(tmp_path):
    done = gdfast_command(
        *["sweep", "--problem", "quartic", "--optimizer", "rmsprop", "--lr", "0.01:0.1:3", "--start", "1:2:4"],
        *["--max-steps", "700", "--no-settle", "--out", tmp_path / "whole.zarr"],
    )
    assert done.returncode == 0, done.stderr
    assert "leave their minimum again" in done.stdout
    got = xarray.open_zarr(tmp_path / "whole.zarr")
    assert json.loads(got.attrs["specification"])["settle"] is False
    assert (got.steps.values == 700).all()


@pytest.mark.slow
def test_a_stored_sweep_is_the_one_asked_for(store):
    got = xarray.open_zarr(store)
    sweep = gdfast.Sweep(
        problems.quartic(),
        [optimizers.gd(), optimizers.adam(beta1=0.8)],
        np.geomspace(1e-4, 1, 32),
        np.linspace(-4, 4, 16)[:, None],
        200,
    )
    expected = gdfast.run(sweep, keep_theta=True)
    cases.assert_same(got, expected)
    specification = json.loads(got.attrs["specification"])
    assert specification == sweep.specification
    assert specification["optimizers"][1] == {
        "name": "adam",
        "parameters": {"beta1": 0.8, "beta2": 0.999, "eps": 1e-8, "amsgrad": False},
    }
    assert got.outcome.attrs["flag_meanings"].startswith("not_run global_minimum")


@pytest.mark.slow
@pytest.mark.parametrize("quantity", ["outcome", "steps"])
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_map_is_drawn_from_a_store(store, tmp_path, quantity, suffix):
    picture = tmp_path / "deep" / f"map.{suffix}"
    done = gdfast_command("map", store, "-o", picture, "--quantity", quantity)
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--problem", "quartc", "--optimizer", "gd"], ["problem 'quartc'", "did you mean quartic"]),
        (["--problem", "quartic", "--optimizer", "adma"], ["optimizer 'adma'", "did you mean adam"]),
        (["--problem", "quartic", "--optimizer", "adam:beta=1"], ["'beta'", "beta1"]),
        (["--problem", "quartic", "--optimizer", "adam:beta1"], ["'beta1'", "parameter=value"]),
        (["--problem", "quartic", "--optimizer", "adam:beta1=2"], ["beta1", "[0, 1)"]),
        (["--problem", "quartic", "--optimizer", "gd", "--lr", "0:1:5"], ["lr: low", "> 0"]),
        (
            ["--problem", "quartic", "--optimizer", "gd", "--lr", "1e-3:1"],
            ["lr", "low:high:count", "'1e-3:1'"],
        ),
        (["--problem", "quartic", "--optimizer", "gd", "--start", "a:b:3"], ["start", "'a:b:3'"]),
        (
            ["--problem", "quartic", "--optimizer", "gd", "--start", "1", "--start", "2"],
            ["start", "1 times", "not 2"],
        ),
        (["--problem", "quartic", "--optimizer", "gd", "--max-steps", "0"], ["max_steps", "0"]),
        (["--problem", "quartic", "--optimizer", "gd", "--workers", "0"], ["workers", "0"]),
        (["--problem", "quartic", "--optimizer", "gd", "--backend", "cuda"], ["backend 'cuda'"]),
    ],
)
def test_bad_input_ends_with_code_2_and_one_sentence(arguments, words, tmp_path):
    done = CliRunner().invoke(app, ["sweep", *arguments, "--out", str(tmp_path / "x.zarr")])
    assert done.exit_code == 2
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


COMMANDS = {
    **typer.main.get_command(app).commands,
    **{
        f"{group} {name}": command
        for group, holder in typer.main.get_command(app).commands.items()
        for name, command in getattr(holder, "commands", {}).items()
    },
}


def refused(*words):
    """What a command line that is wrong is told."""
    done = CliRunner().invoke(app, [part for word in words for part in word.split(" ")], prog_name="gdfast")
    assert done.exit_code == 2, done.stderr
    return done.stderr.removeprefix("gdfast: ").strip()


@pytest.mark.sampled(8)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_says_where_it_is(command):
    for option in ("-h", "--help"):
        done = CliRunner().invoke(app, [*command.split(" "), option])
        assert (done.exit_code, done.stderr) == (0, "")
        assert "Usage:" in done.stdout
    assert refused(command, "--qqqqqq") == f"no such option: --qqqqqq; gdfast {command} --help tells what there is"


def test_a_value_may_be_called_like_an_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = ["sweep", "--problem", "quartic", "--optimizer", "gd", "--lr", "0.1", "--start", "1", "-o", "o"]
    assert CliRunner().invoke(app, line).exit_code == 0
    assert (tmp_path / "o").is_dir()


@pytest.mark.slow
def test_every_option_is_named_where_it_is_written_wrongly():
    numbers = 0
    for name, command in COMMANDS.items():
        types = inspect.get_annotations(command.callback)
        for option in command.params:
            long = option.opts[-1]
            if not long.startswith("--"):
                continue
            assert refused(name, long[1:]) == f"{long[1:]} must be {long}, after two dashes"
            if long == "--out":
                assert "-o" in option.opts
            if re.search("int|float", str(types.get(option.name))):
                numbers += 1
                for word in ("ten", "1,5"):
                    told = refused(name, f"{long}={word}")
                    assert re.fullmatch(f"{long} must be a (whole )?number, not '{word}'", told)
    assert numbers > 10


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["swep"], "no such command 'swep'. Did you mean 'sweep'?; gdfast --help tells what there is"),
        (["sweep --optimizer gd --out x.zarr --lr=-1"], "lr must be a finite number > 0, not -1"),
        (["sweep --optimizer gd,adam --out x.zarr"], "optimizer 'gd,adam' is not known: give each by itself; "),
        (
            ["sweep --optimizer gd --out x.zarr --dtype double"],
            "dtype 'double' is not known; accepted: float64, float32",
        ),
        (["sweep --optimizer adam:beta1=1:2 --out x.zarr"], "adam: beta1 must be low:high:count, "),
        (["sweep --optimizer gd --out x.zarr --data iris"], "data must be given with from_model, linear_regression, "),
    ],
)
def test_a_sentence_says_what_to_type_instead(line, sentence):
    problem = ["--problem quartic"] if line[0].startswith("sweep") else []
    assert refused(*line, *problem).startswith(sentence)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("score adma", "'adma' must follow an option, such as --optimizer"),
        ("sweep quartic", "'quartic' must follow an option, such as --problem or --optimizer"),
        ("sweep --problem quartic --optimizer gd momentum", "'momentum' must follow an option, such as --problem"),
        ("handbook here", "'here' must follow an option, such as -o"),
        ("list optimizers gd adam", "beside NAME, 'adam' is one word too many"),
        ("map a.zarr b.zarr -o m.png", "beside STORE, 'b.zarr' must follow an option, such as --optimizer"),
    ],
)
def test_a_word_by_itself_is_told_where_it_may_stand(line, sentence):
    assert refused(*line.split()).startswith(sentence)


def test_a_page_is_named_like_one(tmp_path):
    told = refused("live", "quartic", "-o", str(tmp_path / "l.png"))
    assert told == "out must end in .html, since it is a page, not 'l.png'"
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_what_cannot_be_written_is_told_by_its_own_name(store):
    for line in (["map", str(store), "-o", "/proc/a.png"], ["table", str(store), "-o", "/proc/a.csv"]):
        assert refused(*line) == f"out: {line[-1]} cannot be written: No such file or directory"


@pytest.mark.slow
def test_labels_are_printed_as_they_are_typed_and_losses_that_overflowed_as_such(tmp_path):
    rules = ["--optimizer", "gd|clip_norm=2", "--optimizer", "normalized_gd"]
    for name, more, words in (
        ("a", rules, ["gd|clip_norm:max_norm=2 ", "normalized_gd "]),
        ("b", [*rules[:1], "gd"], [" inf "]),
    ):
        path = str(tmp_path / f"{name}.zarr")
        line = ["sweep", "--problem", "quartic", *more, "--lr", "10:100:4", "--start", "-4:4:4", "--out", path]
        assert CliRunner().invoke(app, line).exit_code == 0
        done = CliRunner().invoke(app, ["summary", path])
        assert done.exit_code == 0, done.output
        assert all(word in done.stdout for word in words)


@pytest.mark.slow
def test_a_map_tells_what_it_leaves_out(tmp_path):
    path, picture = str(tmp_path / "run.zarr"), str(tmp_path / "m.png")
    line = ["sweep", "--problem", "quartic", "--optimizer", "momentum:momentum=0.1/0.5", "--optimizer", "gd"]
    assert CliRunner().invoke(app, [*line, "--lr", "0.01:0.1:3", "--start", "1:2:2", "--out", path]).exit_code == 0
    done = CliRunner().invoke(app, ["map", path, "--y", "momentum", "-o", picture])
    assert "not shown, for want of a value along an axis: gd\n" in done.stdout
    assert "not shown" not in CliRunner().invoke(app, ["map", path, "-o", picture]).stdout


@pytest.mark.slow
def test_what_two_sweeps_differ_in_beside_the_optimizers_is_told(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.zarr", "b.zarr")]
    for path, more in zip(paths, (["--problem", "quartic"], ["--loss", "x**2", "--max-steps", "5"]), strict=True):
        line = ["sweep", *more, "--optimizer", "gd", "--lr", "0.001:0.1:4", "--start", "-4:4:4", "--out", path]
        assert CliRunner().invoke(app, line).exit_code == 0
    assert "the sweeps differ in problem and max_steps, too" in CliRunner().invoke(app, ["compare", *paths]).stdout
    assert "differ" not in CliRunner().invoke(app, ["compare", paths[0], paths[0]]).stdout


def test_a_netcdf_file_has_no_status(tmp_path):
    (tmp_path / "x.nc").write_bytes(b"")
    assert "is a netCDF file, written when a sweep was done" in refused("status", str(tmp_path / "x.nc"))


@pytest.mark.slow
def test_unwritable_or_taken_places_are_refused_before_the_work(store, tmp_path):
    (tmp_path / "file").write_text("")
    long = ["sweep", "--problem", "quartic", "--optimizer", "gd", "--max-steps", "2000000000", "--lr", "1e-9"]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "treasure").write_text("mine")
    places = [(tmp_path / "file", "not a store"), (tmp_path / "folder", "not a store"), (store, "another sweep")]
    for place, word in (*places, (tmp_path / "file" / "x.zarr", "cannot be written")):
        done = gdfast_command(*long, "--out", place, timeout=30)
        assert done.returncode == 2
        assert word in done.stderr
    for command in (
        ["report", "--out", tmp_path / "file" / "r"],
        ["map", store, "-o", tmp_path / "file" / "m.png"],
    ):
        done = gdfast_command(*command, timeout=30)
        assert done.returncode == 2
        assert "cannot be written" in done.stderr


@pytest.mark.slow
def test_what_is_no_store_is_refused(tmp_path):
    for place in (tmp_path / "none.zarr", tmp_path):
        done = gdfast_command("map", place, "-o", tmp_path / "m.png")
        assert done.returncode == 2
        assert "store" in done.stderr
        assert "Traceback" not in done.stderr


def test_lists_and_version():
    assert "amsgrad" in gdfast_command("list", "optimizers").stdout
    listed = gdfast_command("list", "problems").stdout
    assert all(name in listed for name in problems.CATALOGUE)
    assert gdfast_command("--version").stdout.strip() == f"gdfast {gdfast.__version__}"


def test_defaults_are_those_of_python():
    told = {**inspect.signature(gdfast.run).parameters, **inspect.signature(gdfast.Sweep).parameters}
    names, compared = {"lr": "learning_rates", "start": "starts"}, 0
    for option, parameter in inspect.signature(COMMANDS["sweep"].callback).parameters.items():
        name = names.get(option, option)
        if name in told and told[name].default is not inspect.Parameter.empty:
            assert parameter.default == told[name].default, option
            compared += 1
    assert compared > 8


def test_a_sweep_of_a_problem_and_an_optimizer_has_the_usual_grid():
    quartic = problems.quartic()
    expected = gdfast.Sweep(quartic, optimizers.gd(), np.geomspace(1e-4, 1, 256), quartic.default_starts(256))
    assert gdfast.Sweep("quartic", "gd") == expected


@pytest.mark.slow
def test_each_optimizer_meets_each_schedule_and_all_transforms(tmp_path):
    line = [*SMALL, "--backend", "numpy", "--schedule", "cosine", "--schedule", "linear", "--transform", "l2=0.1"]
    several = ["--schedule", "cosine:end=0/0.5", "--transform", "l2=0.1/0.2", "--transform", "clip_value=1/2"]
    assert (
        CliRunner().invoke(app, [*SMALL, "--backend", "numpy", *several, "--out", str(tmp_path / "y.zarr")]).exit_code
        == 0
    )
    assert xarray.open_zarr(tmp_path / "y.zarr").optimizer.values.tolist() == [
        f"{rule}|l2:weight={weight}|{clip}".replace("|", f"|{plan}|", 1)
        for rule in ("gd", "adam:beta1=0.8")
        for weight in (0.1, 0.2)
        for clip in ("clip_value", "clip_value:limit=2")
        for plan in ("cosine", "cosine:end=0.5")
    ]
    assert CliRunner().invoke(app, [*line, "--out", str(tmp_path / "x.zarr")]).exit_code == 0
    rules = [optimizers.gd(), optimizers.adam(beta1=0.8)]
    plans = [schedules.cosine(), schedules.linear()]
    labels = [rule.label for rule in optimizers.combine(rules, plans, [transforms.l2(0.1)])]
    assert labels == [f"{rule.label}|{plan.label}|l2:weight=0.1" for rule in rules for plan in plans]
    assert xarray.open_zarr(tmp_path / "x.zarr").optimizer.values.tolist() == labels
    with pytest.raises(ValueError, match=r"optimizer gd\|cosine or for all"):
        optimizers.combine([optimizers.gd().scheduled(plans[0])], plans)


@pytest.mark.parametrize("name", ["x.png", "x.PDF", "x.csv"])
def test_a_store_is_not_named_like_a_picture_or_a_table(tmp_path, name):
    with pytest.raises(ValueError, match=r"must be a folder, such as .*x\.zarr, or a netCDF file"):
        gdfast.run(gdfast.Sweep("quartic", "gd"), store=tmp_path / name, backend="numpy")
    assert not list(tmp_path.iterdir())


def test_values_and_axes_are_read():
    assert [read(t) for t in ("true", "False", "3", "1e-3", "name")] == [True, False, 3, 0.001, "name"]
    np.testing.assert_allclose(parse_axis("lr", "1e-2:1:3", True), [0.01, 0.1, 1])
    np.testing.assert_allclose(parse_axis("start", "-1:1:3", False), [-1, 0, 1])
    np.testing.assert_allclose(parse_axis("start", "-1.5", False), [-1.5])


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT, which only POSIX systems deliver to one process")
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_ctrl_c_ends_a_sweep_of_hours_at_once(tmp_path, backend):
    # A budget of hours; every tile is far longer than a second.
    arguments = [
        "sweep",
        "--problem",
        "quartic",
        "--optimizer",
        "gd",
        "--lr",
        "1e-12:1e-11:64",
        "--start",
        "-4:4:64",
    ]
    arguments += ["--max-steps", "2000000000", "--backend", backend]
    child = subprocess.Popen(
        [sys.executable, "-m", "gdfast", *arguments, "--out", tmp_path / "x.zarr"],
        stderr=subprocess.PIPE,
        text=True,
        # A test run started in the background ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    place = tmp_path / "x.zarr"
    for _ in range(600):
        if (place / ".zmetadata").exists():
            break
        time.sleep(0.1)
    time.sleep(1)  # in the midst of the first tiles, or of loading their kernels
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    assert child.returncode == 130
    assert errors.strip() == f"gdfast: interrupted; the same command again completes {place}"
    assert "0 of 4,096 done" in gdfast_command("status", place).stdout


@pytest.mark.slow
def test_processes_give_the_same_result():
    sweep = gdfast.Sweep(
        problems.linear_regression(),
        [optimizers.gd(), optimizers.adam(beta1=0.5)],
        np.logspace(-3, 0, 40),
        problems.linear_regression().grid(6),
        200,
        tile_size=500,
    )
    expected = gdfast.run(sweep, keep_theta=True)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        got = gdfast.run(sweep, executor=executor, keep_theta=True)
    cases.assert_same(got, expected)


@pytest.mark.slow
def test_two_stores_are_compared(store, tmp_path):
    other = tmp_path / "other.zarr"
    one = ["sweep", "--problem", "quartic", "--lr", "1e-4:1:32", "--start", "-4:4:16", "--max-steps", "200"]
    assert gdfast_command(*one, "--optimizer", "momentum", "--out", other).returncode == 0
    done = gdfast_command("compare", other, store, "-o", tmp_path / "delta.png")
    assert done.returncode == 0, done.stderr
    before, after = xarray.open_zarr(other).outcome.values[0] == 1, xarray.open_zarr(store).outcome.values == 1
    for label, now in zip(["gd", "adam:beta1=0.8"], after, strict=True):
        cells = [int((~before & now).sum()), int((before & ~now).sum()), int((before & now).sum())]
        assert re.search(rf"^{label} +{' +'.join(map(str, cells))} +{512 - sum(cells)} ", done.stdout, re.MULTILINE)
    assert "before \\ after" in done.stdout
    assert (tmp_path / "delta.png").stat().st_size > 5000


@pytest.mark.slow
def test_stores_of_other_grids_are_not_compared(store, tmp_path):
    other = tmp_path / "other.zarr"
    assert gdfast_command(*SWEEP, "--lr", "1e-4:1:16", "--start", "-4:4:16", "--out", other).returncode == 0
    for arguments, words in (
        ([store, other], "32 and 16 learning rates"),
        ([store, tmp_path / "none.zarr"], "none.zarr"),
        ([store, store, "-o", tmp_path / "delta.gif"], "out: suffix"),
    ):
        done = gdfast_command("compare", *arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
