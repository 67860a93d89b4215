"""What newcomers do with a formula of their own and a table: fit it, predict, batch it, hold rows out."""

import numpy as np
import pandas as pd
import pytest
import xarray
from typer.testing import CliRunner

import gdfast
from gdfast import problems
from gdfast.cli import app

HOURS = np.linspace(0, 6, 40)
WARMTH = 20 + np.sin(HOURS)
HEAT = 50 * np.exp(-0.4 * HOURS) + 0.5 * WARMTH + 0.2 * np.cos(7 * HOURS)
COOLING = pd.DataFrame({"hours": HOURS, "room temperature": WARMTH, "heat": HEAT})
FORMULA = "a*exp(-b*hours) + c*`room temperature`"


@pytest.fixture
def csv(tmp_path):
    COOLING.to_csv(tmp_path / "cooling.csv", index=False)
    return str(tmp_path / "cooling.csv")


def typed(*words):
    got = CliRunner().invoke(app, [*words, "--optimizer", "gd", "--lr", "1e-4:1e-2:4", "--max-steps", "50"])
    return got.exit_code, got.output


def test_fit_a_formula_to_a_file(csv):
    problem = problems.from_model("a*exp(-b*hours) + c", data=csv, target="heat", drop="room temperature")
    assert problem.coordinates == ("a", "b", "c")
    assert problem.optimum[1] == pytest.approx(0.4, abs=0.05)


def test_fit_a_formula_to_a_table_and_predict_new_rows():
    problem = problems.from_model(FORMULA, COOLING, target="heat")
    result = gdfast.sweep(problem, "adam", [0.01], max_steps=5, keep_theta=True)
    assert result.sizes["parameter"] == 3
    new = pd.DataFrame({"hours": [0.0, 10.0], "room temperature": [20.0, 20.0]})
    assert problem.predict(problem.optimum, new).shape == (2, 1)


@pytest.mark.slow
def test_fit_a_formula_to_arrays():
    line = problems.from_model("slope*x + intercept", (HOURS, 3 * HOURS + 1))
    np.testing.assert_allclose(line.optimum, [1, 3], atol=1e-12)


def test_a_loss_that_outliers_do_not_pull():
    spoiled = COOLING.assign(heat=HEAT + np.where(np.arange(40) == 20, 300.0, 0.0))
    plain, robust = (problems.from_model(FORMULA, spoiled, target="heat", loss=loss) for loss in ("squared", "huber"))
    assert abs(robust.optimum[1] - 0.4) < 0.05 < abs(plain.optimum[1] - 0.4)


def test_from_the_shell(csv, tmp_path):
    out = str(tmp_path / "s.zarr")
    code, said = typed("sweep", "--model", FORMULA, "--data", csv, "--target", "heat", "-o", out)
    assert code == 0, said
    with gdfast.load(out) as result:
        assert result.parameter.values.tolist() == ["a", "b", "c"]


def test_from_the_shell_with_a_loss_batches_and_held_out_rows(csv, tmp_path):
    out = str(tmp_path / "s.zarr")
    how = "huber:delta=2,batch_size=8,validation=0.25,domain=(a=0/100,b=0/1)"
    code, said = typed("sweep", "--model", FORMULA, "--model-loss", how, "--data", csv, "--target", "heat", "-o", out)
    assert code == 0, said
    with xarray.open_zarr(out) as result:
        assert np.isfinite(result.validation_loss).all()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--model", "a*exp(-b*time)", "--target", "heat"], "the columns of"),
        (["--model", "a*Hours", "--target", "heat"], "'Hours' is no column, but 'hours' is"),
        (["--model", "a*room temperature", "--target", "heat"], "`room temperature`"),
        (["--model", "a*hours"], "target (--target) must be given"),
        (["--model", "a*hours", "--target", "heat", "--model-loss", "mse"], "accepted: squared"),
        (["--model", "a*hours", "--target", "heat", "--loss", "x**2"], "loss must not be given beside a model"),
        (["--model-loss", "huber", "--problem", "linear_regression"], "model_loss must be given with a model"),
    ],
)
def test_what_is_missing_or_mistyped_is_told(csv, tmp_path, words, says):
    code, said = typed("sweep", *words, "--data", csv, "-o", str(tmp_path / "s.zarr"))
    assert code == 2
    assert says in said


def test_a_model_without_data_is_asked_for_them(tmp_path):
    code, said = typed("sweep", "--model", "a*x", "-o", str(tmp_path / "s.zarr"))
    assert code == 2
    assert "data must be given with a model" in said


def test_batches_as_a_loader_makes_them(csv, tmp_path):
    problem = problems.linear_regression(csv, target="heat", batch_size=8, sampling="epochs")
    epoch = np.concatenate([problem.rows(t) for t in range(5)])
    assert sorted(epoch) == list(range(40))
    out = str(tmp_path / "s.zarr")
    how = "linear_regression:batch_size=8,sampling=epochs"
    code, said = typed("sweep", "--problem", how, "--data", csv, "--target", "heat", "-o", out)
    assert code == 0, said


def test_schemes_scales_and_biases_of_initialization_as_axes(tmp_path):
    out = str(tmp_path / "n.zarr")
    axes = ("init=he_normal/xavier_uniform", "gain=0.5:2:3", "bias=0/0.1", "seed=0:1:2")
    starts = [word for axis in axes for word in ("--start", axis)]
    code, said = typed("sweep", "--problem", "mlp:points=8", "--backend", "numpy", *starts, "-o", out)
    assert code == 0, said
    with gdfast.load(out) as result:
        assert result.loss.groupby("bias").median(...).sizes["bias"] == 2
        assert set(result.init.values) == {"he_normal", "xavier_uniform"}


def test_what_was_trained_is_used():
    problem = problems.linear_regression(COOLING, target="heat")
    result = gdfast.sweep(problem, "gd", [0.1, 0.5], max_steps=30, backend="numpy", keep_theta=True)
    best = result.theta.sel(optimizer="gd", learning_rate=0.5).isel(start=0)
    assert problem.loss(best).item() == pytest.approx(result.loss.sel(optimizer="gd", learning_rate=0.5)[0].item())
    assert problem.predict(best, COOLING[["hours", "room temperature"]]).shape == (40,)
    assert problem.loss(result.theta).dims == result.loss.dims
    with pytest.raises(ValueError, match=r"points in rows are given as theta\.T"):
        problem.loss(result.theta.values[0, 0])
