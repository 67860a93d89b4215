"""Networks: gradients against differences, plain loops and torch; lanes against NumPy; starts; what depth does."""

import itertools
import math
import pickle
from fractions import Fraction

import cases
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import EXACT, NETWORKS, ROUNDED, points_of, torch_loss
from typer.testing import CliRunner

import gdfast
from gdfast import optimizers, transforms
from gdfast.cli import app
from gdfast.data import load
from gdfast.formulas.lane_products import multiply
from gdfast.kernels.compiling import compiled
from gdfast.kernels.evaluation import GRADIENT, OBJECTIVE, evaluation_kernel
from gdfast.kernels.signatures import Pair
from gdfast.problems import linear_regression, mlp, trainability_network
from gdfast.problems._curvature import along_paths
from gdfast.problems.networks.arithmetic import Ordered
from gdfast.problems.networks.products import HessianProducts
from gdfast.storing.write import block_shape
from gdfast.tiles.outcomes import Outcome

# Formulas.


@pytest.mark.sampled(3)
@pytest.mark.parametrize("problem", NETWORKS, ids=cases.label)
def test_the_gradient_is_the_slope_of_the_loss(problem):
    theta = points_of(problem, 3, spread=0.7)
    scale = np.abs(problem.gradient(theta)).max()
    slope = cases.differences(problem.loss, theta, 1e-6)
    np.testing.assert_allclose(problem.gradient(theta), slope, atol=1e-7 * (1 + scale))
    for t in (0, 4):
        slope = cases.differences(lambda points: problem.step_objective(points, t), theta, 1e-6)  # noqa: B023
        np.testing.assert_allclose(problem.step_gradient(theta, t), slope, atol=1e-7 * (1 + scale))


@pytest.mark.parametrize("problem", [p for p in NETWORKS if p.batch_size is None], ids=cases.label)
def test_both_orders_of_summation_give_the_same_to_rounding(problem):
    theta = points_of(problem, 5)
    scale = np.abs(problem.gradient(theta)).max()
    np.testing.assert_allclose(problem.step_gradient(theta, 0), problem.gradient(theta), atol=1e-13 * scale)
    np.testing.assert_allclose(problem.step_objective(theta, 0), problem.loss(theta), rtol=1e-13)


ACTIVATION = {
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "gelu": lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2)),
}


def textbook_loss(parameters, theta, X, y):
    """The formula of the docstring, one number at a time."""
    widths, at, penalty, rows = parameters["widths"], 0, 0.0, [list(row) for row in X]
    for index, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        last = index == len(widths) - 2
        weights = theta[at : at + fan_in * fan_out]
        penalty += sum(0.5 * parameters["l2"] * w * w + parameters["l1"] * abs(w) for w in weights)
        at += fan_in * fan_out
        scale = 1 / math.sqrt(fan_in) if parameters["fan_in_scaling"] else 1.0
        z = [
            [scale * sum(row[j] * weights[j * fan_out + o] for j in range(fan_in)) for o in range(fan_out)]
            for row in rows
        ]
        if parameters["bias"]:
            z = [[row[o] + theta[at + o] for o in range(fan_out)] for row in z]
            at += fan_out
        if parameters["batch_norm"] and not last:
            for o in range(fan_out):
                mean = sum(row[o] for row in z) / len(z)
                variance = sum((row[o] - mean) ** 2 for row in z) / len(z)
                for row in z:
                    standard = (row[o] - mean) / math.sqrt(variance + parameters["eps"])
                    row[o] = theta[at + o] * standard + theta[at + fan_out + o]
            at += 2 * fan_out
        names = parameters["activation"]
        name = names if isinstance(names, str) else (*names, None)[index]
        factor = parameters["output_scale"] if last else parameters["gain"]
        rows = [[factor * v if last else ACTIVATION[name](factor * v) for v in row] for row in z]
    assert at == len(theta)
    if parameters["loss"] == "squared":
        total = sum((a - b) ** 2 for row, want in zip(rows, y, strict=True) for a, b in zip(row, want, strict=True))
        return total / (len(rows) * widths[-1]) + penalty
    total = sum(math.log(sum(math.exp(v) for v in row)) - row[int(k)] for row, k in zip(rows, y, strict=True))
    return total / len(rows) + penalty


@pytest.mark.parametrize("problem", [p for p in NETWORKS if p.name == "mlp"], ids=cases.label)
def test_the_loss_is_the_textbooks(problem):
    theta = points_of(problem, 3, seed=1)
    expected = [textbook_loss(problem.parameters, point, problem.X, problem.y) for point in theta.T]
    np.testing.assert_allclose(problem.loss(theta), expected, rtol=1e-12)


def test_gradients_are_torchs():
    torch = pytest.importorskip("torch")
    for problem in [p for p in NETWORKS if p.name == "mlp" and p.batch_size is None]:
        theta = points_of(problem, 2, seed=2)
        for lane in range(2):
            leaf = torch.tensor(theta[:, lane].copy(), dtype=torch.float64, requires_grad=True)
            loss = torch_loss(problem, leaf)
            loss.backward()
            expected = leaf.grad.numpy()
            np.testing.assert_allclose(problem.loss(theta)[lane], float(loss.detach()), rtol=1e-12)
            got = problem.gradient(theta)[:, lane]
            np.testing.assert_allclose(got, expected, atol=1e-12 * np.abs(expected).max(), err_msg=problem.label)


def test_without_hidden_layers_it_is_linear_regression():
    other = linear_regression()
    X, y = other.X, other.y
    problem = mlp((2, 1), bias=False, data=load((X, y), standardize=False))
    theta = points_of(problem, 4)
    np.testing.assert_allclose(problem.loss(theta), other.loss(theta), rtol=1e-14)
    np.testing.assert_allclose(problem.gradient(theta), 2 * other.gradient(theta), rtol=1e-12)
    np.testing.assert_allclose(problem.hessian(theta), 2 * other.hessian(theta), rtol=1e-8)


def test_the_trainability_network_is_the_papers():
    for activation, act in (("tanh", np.tanh), ("relu", lambda z: np.maximum(z, 0))):
        problem = trainability_network(width=8, activation=activation, seed=3)
        assert problem.X.shape == (72, 8)
        assert problem.dimension == 72
        theta = problem.starts("normal").points[0]
        w1, w2 = theta[:64].reshape(8, 8), theta[64:].reshape(8, 1)
        hidden = problem.X @ w1 / np.sqrt(8)
        hidden = act(np.sqrt(2) * hidden) if activation == "tanh" else np.sqrt(2) * act(hidden)
        output = hidden @ w2 / np.sqrt(8) / np.sqrt(8)
        expected = np.mean((output - problem.y) ** 2)
        assert problem.loss(theta[:, None])[0] == pytest.approx(expected, rel=1e-13)
    linear = trainability_network(width=8, activation="identity")
    assert linear.X.shape == (8, 8)
    assert trainability_network().dimension == 272


# Lanes.


def in_lanes(problem, theta, t):
    real = theta.dtype
    kernel = evaluation_kernel(problem.lane_kernel, real.name)
    data, layout = problem.lane_data(10)
    pair = Pair(0, 0, 0, problem.group, problem.arrays, data.astype(real), layout)
    work = np.full((problem.lane_kernel.work_rows, theta.shape[1]), np.nan, real)
    grad, objective = np.full_like(theta, np.nan), np.full_like(theta[0], np.nan)
    kernel(pair, GRADIENT, theta, grad, np.empty(0, real), work, theta.shape[1], t)
    kernel(pair, OBJECTIVE, theta, np.empty((0, 0), real), objective, work, theta.shape[1], t)
    again = np.full_like(grad, np.nan), np.full_like(objective, np.nan)
    kernel(pair, GRADIENT + OBJECTIVE, theta, *again, work, theta.shape[1], t)
    np.testing.assert_array_equal(again[0], grad)
    np.testing.assert_array_equal(again[1], objective)
    return grad, objective


@pytest.mark.sampled(1)
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("problem", EXACT, ids=cases.label)
def test_lanes_and_reference_agree_to_the_bit(problem, real):
    for t, n in ((0, 32), (3, 16)):
        theta = points_of(problem, n, seed=t).astype(real)
        theta[:, 0], theta[0, 1], theta[-1, 2], theta[:, 3] = 0.0, np.inf, np.nan, np.finfo(real).max ** 0.6
        with np.errstate(all="ignore"):
            expected = problem.step_gradient(theta, t), problem.step_objective(theta, t)
        for got, want in zip(in_lanes(problem, theta, t), expected, strict=True):
            np.testing.assert_array_equal(got, want)


class Fused(Ordered):
    """Products that are not rounded before they are added, by exact fractions."""

    def product(self, left, right, start=0.0):
        lanes = max(len(left), len(right))
        left, right = (np.broadcast_to(matrix, (lanes, *matrix.shape[1:])) for matrix in (left, right))
        total = np.zeros((lanes, left.shape[1], right.shape[2]), right.dtype) + start
        for lane, i, j in np.ndindex(total.shape):
            for a, b in zip(left[lane, i].tolist(), right[lane, :, j].tolist(), strict=True):
                exact = Fraction(a) * Fraction(b) + Fraction(float(total[lane, i, j]))
                total[lane, i, j] = float(exact)  # in float32 rounded twice, which is once unless by rare chance
        return total


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_fused_arithmetic_rounds_products_with_their_sums(real):
    problem = mlp((3, 7, 5, 2), "relu", points=5, arithmetic="fused")
    theta = points_of(problem, 16).astype(real)
    grad, objective = in_lanes(problem, theta, 0)
    given = theta, problem.X, problem.y, Fused()
    np.testing.assert_array_equal(grad, problem.network.gradient(*given))
    np.testing.assert_array_equal(objective, problem.network.loss(*given))
    assert not np.array_equal(grad, problem.step_gradient(theta, 0))  # which differs by rounding
    eps = np.finfo(real).eps
    np.testing.assert_allclose(grad, problem.step_gradient(theta, 0), rtol=5000 * eps, atol=50 * eps)
    assert problem.specification != mlp((3, 7, 5, 2), "relu", points=5).specification  # so results tell it


@pytest.mark.sampled(3)
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("problem", ROUNDED, ids=cases.label)
def test_lanes_and_reference_agree_to_rounding(problem, real):
    for t in (0, 3):
        theta = points_of(problem, 64, seed=t).astype(real)
        grad, objective = in_lanes(problem, theta, t)
        expected = problem.step_gradient(theta, t)
        # Activations differ by 4 ulp at most; division by the batch's deviation magnifies that.
        margin = 64 if problem.parameters.get("batch_norm") else 16
        assert (np.abs(grad - expected) <= margin * np.spacing(np.abs(expected).max(axis=0))).all()
        np.testing.assert_allclose(objective, problem.step_objective(theta, t), rtol=45 * np.finfo(real).eps)
        if real == "float32":
            np.testing.assert_allclose(grad, problem.step_gradient(theta.astype(np.float64), t), rtol=1e-3, atol=1e-4)


def test_the_reference_does_not_depend_on_how_many_lanes_there_are():
    for problem in (EXACT[5], ROUNDED[2]):
        theta = points_of(problem, 40)
        whole = problem.step_gradient(theta, 0), problem.gradient(theta), problem.loss(theta)
        for lane in (0, 17, 39):
            one = np.ascontiguousarray(theta[:, lane : lane + 1])
            parts = problem.step_gradient(one, 0), problem.gradient(one), problem.loss(one)
            for got, expected in zip(parts, whole, strict=True):
                np.testing.assert_array_equal(got[..., 0], expected[..., lane])


@pytest.mark.slow  # compiles the largest kernel once more: one from the cache has no assembly to show
@pytest.mark.parametrize(("real", "product"), [("float64", "mulpd"), ("float32", "mulps")])
def test_the_kernel_is_made_of_vectors_and_allocates_nothing(real, product):
    features = numba.core.codegen.get_host_cpu_features().split(",")
    if "+avx" not in features:
        pytest.skip("this processor has no AVX registers to look for")
    register = "%zmm" if "+avx512f" in features else "%ymm"
    assembly = cases.assembly(lambda: evaluation_kernel(EXACT[0].lane_kernel, real))
    lines = assembly.splitlines()
    assert sum(register in line and product in line for line in lines) >= 100
    assert "NRT_MemInfo_alloc" not in assembly


SIZE = st.integers(1, 14)


@pytest.mark.slow
@given(SIZE, SIZE, SIZE, st.sampled_from(["zero", "row", "itself"]), st.booleans(), st.integers(0, 99))
@settings(max_examples=150)
def test_products_of_lanes_are_what_their_plain_text_says(P, R, Q, start, transposed, seed):
    array = np.random.default_rng(seed).normal(size=8 * (P * Q + P * R + R * Q + Q + 1))
    array[-8:] = 0.0
    got, expected = array.copy(), array.copy()
    a, b = P * Q, P * Q + P * R
    begin = {"zero": (b + R * Q + Q, 0, 0), "row": (b + R * Q, 0, 1), "itself": (0, Q, 1)}[start]
    left = (a, 1, P) if transposed else (a, R, 1)
    places = np.array([0, Q, 1, *begin, *left, b, Q, 1, P, R, Q])
    in_one_array(expected, places)
    compiled(numba.void(numba.float64[::1], numba.int64[::1]))(in_one_array)(got, places)
    np.testing.assert_array_equal(got, expected)


def in_one_array(numbers, at):
    c, begin = (numbers, at[0], at[1], at[2]), (numbers, at[3], at[4], at[5])
    a, b = (numbers, at[6], at[7], at[8]), (numbers, at[9], at[10], at[11])
    multiply(c, begin, a, b, at[12], at[13], at[14])


# Sweeps.

SMALL = mlp((2, 5, 2), "relu", batch_norm=True, batch_size=5, layer_rates=True)


def small_sweep(tile_size=None):
    rates = np.geomspace(1e-3, 1e4, 6)
    pairs = np.stack(np.meshgrid(rates, rates, indexing="ij"), axis=-1).reshape(-1, 2)
    starts = SMALL.starts(["he_normal", "zeros"], seeds=range(8), gain=[0.5, 2.0])
    return gdfast.Sweep(SMALL, optimizers.gd(), pairs, starts, 150, tile_size=tile_size)


@pytest.mark.slow
def test_sweeps_agree_to_the_bit_whatever_the_tiles():
    expected = gdfast.run(small_sweep(), backend="numpy", keep_theta=True)
    assert len(np.unique(expected.outcome)) >= 2
    for workers, tile_size in ((2, None), (1, 100)):
        got = gdfast.run(small_sweep(tile_size), workers=workers, keep_theta=True)
        cases.assert_same(got, expected)


@pytest.mark.slow
def test_a_result_knows_its_starts_and_the_rates_of_its_layers():
    result = gdfast.run(small_sweep(), backend="numpy")
    assert result.init.dims == result.seed.dims == result.gain.dims == ("start",)
    assert set(result.init.values) == {"he_normal", "zeros"}
    assert sorted(set(result.seed.values)) == list(range(8))
    assert result.group_rate.dims == ("learning_rate", "group")
    assert list(result.group.values) == ["layer1", "layer2"]
    frame = result.to_dataframe()
    assert {"init", "gain", "seed", "outcome"} <= set(frame.columns)


def test_each_layer_has_its_own_rate():
    problem = trainability_network(width=4, seed=1)
    start = problem.starts("normal")
    sweep = gdfast.Sweep(problem, optimizers.gd(), [[0.5, 1e-300], [1e-300, 0.5]], start, 20)
    end = gdfast.run(sweep, backend="numpy", keep_theta=True).theta.values[0, :, 0]
    moved = end != start.points[0]
    assert moved[0, :16].all()
    assert not moved[0, 16:].any()
    assert not moved[1, :16].any()
    assert moved[1, 16:].all()


def test_a_network_that_fits_its_data_is_at_a_global_minimum_and_a_dead_one_is_stalled():
    problem = mlp((2, 8, 1), points=4)
    starts = problem.starts(["xavier_normal", "zeros"], seeds=range(3))
    result = gdfast.run(gdfast.Sweep(problem, optimizers.momentum(), [0.1], starts, 6000), backend="numpy")
    ends = result.outcome.values[0, 0]
    # From zeros only the output's bias moves: a saddle, at the loss of the best constant.
    assert (ends[3:] == Outcome.stalled).all()
    np.testing.assert_allclose(result.loss.values[0, 0, 3:], np.var(problem.y), rtol=1e-9)
    assert (ends[:3] == Outcome.global_minimum).all()
    assert (result.loss.values[0, 0, :3] < 1e-10).all()
    assert (result.basin.values[0, 0] == [0, 0, 0, -1, -1, -1]).all()


def test_with_a_penalty_no_end_point_counts_as_a_perfect_fit():
    problem = mlp((2, 8, 1), points=4)
    shrunk = optimizers.momentum().transformed(transforms.l2(weight=1.0))
    sweep = gdfast.Sweep(problem, shrunk, [0.1], problem.starts("xavier_normal"), 1000)
    end = gdfast.run(sweep, backend="numpy")
    assert end.outcome.item() == Outcome.frozen
    assert end.basin.item() == -1
    assert mlp(l2=0.1).stationary_points == ()


def test_classes_are_learned():
    problem = mlp((2, 12, 3), "tanh", loss="cross_entropy", points=60)
    start = problem.starts("xavier_normal", seeds=range(4))
    before = problem.accuracy(start.points.T)
    result = gdfast.run(gdfast.Sweep(problem, optimizers.adam(), [0.03], start, 400), backend="numpy", keep_theta=True)
    after = problem.accuracy(result.theta.values[0, 0].T)
    assert (after >= 0.95).all()
    assert (before < 0.8).all()
    assert problem.predict(start.points.T, [[0.0, 1.0]]).shape == (4, 1, 3)


def test_real_data_train_a_network():
    problem = mlp((61, 16, 10), "relu", loss="cross_entropy", data="digits", batch_size=32)
    np.testing.assert_allclose(problem.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(problem.X.std(axis=0), 1)
    sweep = gdfast.Sweep(problem, optimizers.adam(), [0.01], problem.starts("he_normal"), 300)
    end = gdfast.run(sweep, backend="numpy", keep_theta=True)
    assert problem.accuracy(end.theta.values[0, 0].T)[0] > 0.95
    raw = mlp((61, 16, 10), loss="cross_entropy", data=load("digits", standardize=False))
    assert raw.X.max() == 16
    assert raw.specification["parameters"]["data"] == {"source": "digits", "target": "class", "standardize": False}
    assert mlp((10, 1), data="diabetes").y.shape == (442, 1)


def test_problems_survive_pickling():
    for problem in NETWORKS:
        again = pickle.loads(pickle.dumps(problem))
        assert again.label == problem.label
        theta = points_of(problem, 2)
        np.testing.assert_array_equal(again.gradient(theta), problem.gradient(theta))


def test_the_command_line_sweeps_a_network(tmp_path):
    out = tmp_path / "net.zarr"
    arguments = ["sweep", "--problem", "mlp:widths=2/4/2,activation=relu,loss=cross_entropy", "--optimizer", "gd"]
    done = CliRunner().invoke(
        app, [*arguments, "--lr", "0.1:1:2", "--backend", "numpy", "--out", str(out), "--max-steps", "5"]
    )
    assert done.exit_code == 0, done.output
    from gdfast import store

    result = store.read(out)
    assert result.sizes["start"] == 256
    assert list(result.init.values[:2]) == ["lecun_normal", "lecun_normal"]


# What depth does.


def deep(activation, depth, batch_norm=False):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 64)), rng.normal(size=64)
    return mlp((64,) * (depth + 1) + (1,), activation, data=load((X, y), standardize=False), batch_norm=batch_norm)


def factor_per_layer(problem, init, gain=1.0):
    """By what the gradient of the hidden layers grows from one to the next, on average over them, for 8 seeds."""
    norms = np.log(gdfast.gradient_flow(problem, problem.starts(init, range(8), gain)).norm.values[:-1])
    return np.exp((norms[-1] - norms[0]) / (len(norms) - 1))


def test_gradients_of_deep_sigmoid_networks_vanish_and_those_of_tanh_do_not():
    # Weights of Xavier's scale keep the size of errors on average, and σ′ <= ¼.
    lost = factor_per_layer(deep("sigmoid", 12), "xavier_normal")
    assert 3.9 < np.exp(np.log(lost).mean()) < 4.8
    assert ((lost > 3) & (lost < 5.5)).all()
    for init in ("xavier_normal", "xavier_uniform", "orthogonal"):
        kept = factor_per_layer(deep("tanh", 12), init)
        assert ((kept > 0.9) & (kept < 1.15)).all()


@pytest.mark.slow
def test_a_gain_scales_the_gradients_of_all_relu_layers_alike():
    """Folklore says that too large weights make gradients explode on their way back through relu layers.

    A layer's gradient is the product of the values before it and the errors behind it. With weights γ times as
    large values grow by γ a layer forwards and errors by γ a layer backwards: the product is the same for every
    layer. What explodes is all of them, like γ^(2 · depth), since the error at the output grows too.
    """
    problem = deep("relu", 50)
    kept = factor_per_layer(problem, "he_normal")
    assert ((kept > 0.93) & (kept < 1.08)).all()
    sizes = {}
    for gain in (0.5, 1.0, 2.0):
        flow = gdfast.gradient_flow(problem, problem.starts("he_normal", range(8), gain))
        sizes[gain] = float(np.median(np.log2(flow.norm)))
        assert (np.abs(flow.log10_ratio) < 2.5).all()
    assert abs(sizes[1.0]) < 4
    # 51 layers: 50 factors in a gradient, and 51 more in the error that is then all output.
    assert 90 < sizes[2.0] - sizes[1.0] < 102
    # A vanishing output leaves the error alone: only the 50 factors are lost.
    assert -52 < sizes[0.5] - sizes[1.0] < -46


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_batch_normalization_removes_the_gain_from_the_loss(activation):
    """The loss does not depend on the gain of hidden layers, and their gradient is as its inverse.

    But gradients are not as steady as He's alone: through batch-normalized relu they grow by √(π/(π − 1)) = 1.21 a
    layer on the way back (Yang et al. 2019, "A mean field theory of batch normalization").
    """
    problem = deep(activation, 10, batch_norm=True)
    hidden = problem.layers[-1].weight
    starts = [problem.starts("he_normal", range(4), gain).points for gain in (1.0, 4.0, 16.0)]
    for points in starts[1:]:
        points[:, hidden:] = starts[0][:, hidden:]  # the output layer is not normalized
    losses = [problem.loss(points.T) for points in starts]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-3)
    norms = [problem.layer_gradient_norms(points.T)[:-1] for points in starts]
    np.testing.assert_allclose(norms[1] * 4, norms[0], rtol=0.01)
    np.testing.assert_allclose(norms[2] * 16, norms[0], rtol=0.01)
    grows = 1 / factor_per_layer(problem, "he_normal")
    low, high = (1.12, 1.3) if activation == "relu" else (0.97, 1.12)
    assert ((grows > low) & (grows < high)).all()


@pytest.mark.slow
@pytest.mark.parametrize("depth", [20, 50])
def test_what_depth_does_holds_for_more_layers_too(depth):
    lost = factor_per_layer(deep("sigmoid", depth), "xavier_normal")
    assert ((lost > 3.8) & (lost < 5)).all()
    for activation, init in (("tanh", "xavier_normal"), ("relu", "he_uniform"), ("gelu", "he_normal")):
        kept = factor_per_layer(deep(activation, depth), init)
        assert ((kept > 0.9) & (kept < 1.15)).all(), activation
    # The same weights twice as large: tanh saturates, and gradients explode on the way back.
    wide = factor_per_layer(deep("tanh", depth), "xavier_normal", gain=2.0)
    assert ((wide > 0.8) & (wide < 0.95)).all()


def test_gradient_flow_along_a_trajectory():
    problem = mlp((2, 4, 4, 1))
    path = gdfast.trajectory(problem, optimizers.gd(), problem.starts().points[0], 0.1, 30)
    flow = gdfast.gradient_flow(problem, path)
    assert flow.norm.dims == ("layer", "step")
    assert flow.sizes == {"layer": 3, "step": 31}
    grad = problem.gradient(path.theta.values.T)
    np.testing.assert_allclose(flow.norm[0], np.linalg.norm(grad[:8], axis=0))
    np.testing.assert_allclose(flow.log10_ratio, np.log10(flow.norm[0] / flow.norm[-1]))
    labelled = gdfast.gradient_flow(problem, problem.starts(["zeros", "normal"], range(2)))
    assert list(labelled.init.values) == ["zeros", "zeros", "normal", "normal"]
    assert np.isnan(labelled.log10_ratio.values[:2]).all()
    assert np.isfinite(labelled.log10_ratio.values[2:]).all()


# Refusals.


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: mlp(widths=3), TypeError, ["widths", "(2, 8, 1)", "3"]),
        (lambda: mlp(widths=(3,)), ValueError, ["widths", "two", "(3,)"]),
        (lambda: mlp(widths=(2, 0, 1)), ValueError, ["widths", "1", "0"]),
        (lambda: mlp(activation="rleu"), ValueError, ["'rleu'", "did you mean", "relu"]),
        (lambda: mlp(activation=("relu", "tanh")), ValueError, ["activation", "1 hidden", "relu"]),
        (lambda: mlp(loss="crossentropy"), ValueError, ["'crossentropy'", "did you mean cross_entropy"]),
        (lambda: mlp(l2=-1.0), ValueError, ["l2", ">= 0", "-1"]),
        (lambda: mlp(data=[[1.0, 2.0]]), TypeError, ["data", "(X, y)", "[[1.0, 2.0]]"]),
        (lambda: mlp(data="digist"), ValueError, ["'digist'", "did you mean digits"]),
        (lambda: mlp((61, 10), data="digits"), ValueError, ["digits", "class"]),
        (lambda: mlp((64, 10), loss="cross_entropy", data="digits"), ValueError, ["widths", "begin with 61", "64"]),
        (lambda: mlp(data=([[1.0, 2.0], [1.0, 3.0]], [1.0, 2.0])), ValueError, ["w0", "constant", "standardize=False"]),
        (lambda: mlp(data=([[1.0, 2.0, 3.0]], [1.0])), ValueError, ["widths", "begin with 3", "2"]),
        (lambda: mlp(data=([[1.0, 2.0]], [[1.0, 2.0]])), ValueError, ["widths", "end with 2", "1"]),
        (lambda: mlp(data=([[1.0, 2.0]], [1.0, 2.0])), ValueError, ["X and y", "(1, 2)", "(2,)"]),
        (lambda: mlp(data=([[1.0, np.inf]], [1.0])), ValueError, ["X[0, 1]", "inf"]),
        (lambda: mlp((1, 3), loss="cross_entropy", data=([[1.0]], [3])), ValueError, ["y", "0 to 2", "not 3"]),
        (lambda: mlp((1, 3), loss="cross_entropy", data=([[1.0]], [0.5])), ValueError, ["y", "not 0.5"]),
        (lambda: mlp((1, 3), loss="cross_entropy", data=([[1.0]], [[1, 0, 0]])), ValueError, ["y", "(1, 3)"]),
        (lambda: mlp(batch_size=33), ValueError, ["batch_size", "1 to 32", "33"]),
        (lambda: mlp(batch_size=0), ValueError, ["batch_size", "0"]),
        (lambda: mlp(points=0), ValueError, ["points", "0"]),
        (lambda: mlp().starts("he"), ValueError, ["init", "'he'", "accepted", "he_normal"]),
        (lambda: mlp().starts(seeds=-1), ValueError, ["seeds", "-1"]),
        (lambda: mlp().starts(seeds=[]), ValueError, ["starts: seeds", "at least one"]),
        (lambda: mlp().starts(gain=[np.nan]), ValueError, ["gain", "nan"]),
        (lambda: mlp().predict(np.zeros((33, 1)), [[1.0]]), ValueError, ["predict", "(rows, 2)", "(1, 1)"]),
        (lambda: mlp().accuracy(np.zeros((33, 1))), ValueError, ["accuracy", "cross_entropy"]),
        (lambda: trainability_network(width=0), ValueError, ["width", "0"]),
        (lambda: trainability_network(activation="gelu"), ValueError, ["activation", "'gelu'", "tanh"]),
        (lambda: trainability_network(points=8, batch_size=9), ValueError, ["batch_size", "8", "9"]),
        (lambda: gdfast.gradient_flow(linear_regression(), [[1.0, 2.0]]), TypeError, ["problem", "network"]),
        (lambda: gdfast.gradient_flow(mlp(), [[1.0, 2.0]]), ValueError, ["points", "(m, 33)", "(1, 2)"]),
    ],
)
def test_refusals_are_one_sentence(call, kind, words):
    cases.refused(call, kind, *words)


def test_blocks_and_tiles_are_smaller_where_a_trajectory_takes_longer():
    network = trainability_network(width=16)
    assert network.step_work == 272 * 272 // 16
    cheap, dear = (block_shape((1, 65536, 1), 500 * work, 24) for work in (1, network.step_work))
    assert cheap == (1, 65536, 1)
    assert dear == (1, 1024, 1)
    rates = np.logspace(-3, 0, 16)[:, None].repeat(2, axis=1)
    few = gdfast.Sweep(network, optimizers.gd(), rates, network.starts(seeds=range(16)), 10)
    assert [tile.last - tile.first for tile in few.tiles] == [64, 64, 64, 64]


UP_TO_500_WEIGHTS = [
    mlp((4, 16, 3), "tanh", loss="cross_entropy", data="iris"),
    mlp((4, 6, 5, 3), "gelu", loss="cross_entropy", data="iris", batch_norm=True, l2=0.1, gain=1.3),
    mlp((10, 24, 8, 1), "sigmoid", points=30, fan_in_scaling=True, output_scale=2.0),
    mlp((4, 9, 6, 2), ["relu", "leaky_relu"], points=30, bias=False, batch_norm=True),
    mlp((2, 3, 1), "tanh", points=8, l1=0.1),
]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("problem", UP_TO_500_WEIGHTS, ids=cases.label)
def test_sharpness_is_the_eigenvalue_of_the_dense_hessian_within_a_hundredth(problem):
    """And products of the Hessian are its own: by the direction's, to what differences of gradients are good for."""
    theta = np.asarray(problem.starts(seeds=range(2), gain=[1.0, 2.0]))[1:]
    dense = np.moveaxis(problem.hessian(theta.T), -1, 0)
    np.testing.assert_allclose(problem.sharpness(theta.T), np.linalg.eigvalsh(dense)[:, -1], rtol=0.01)
    along = np.random.default_rng(0).normal(size=theta.shape)
    got = HessianProducts(problem.network, theta, problem.X, problem.y)(along)
    expected = np.einsum("nij,nj->ni", dense, along)
    np.testing.assert_allclose(got, expected, atol=1e-7 * np.abs(expected).max(), rtol=0)
    scale = np.geomspace(0.1, 10.0, problem.dimension)[:, None].repeat(3, axis=1)
    preconditioned = dense / np.sqrt(scale.T[:, :, None] * scale.T[:, None])
    got = problem.sharpness(theta.T, scale)
    np.testing.assert_allclose(got, np.linalg.eigvalsh(preconditioned)[:, -1], rtol=0.01)
    np.testing.assert_array_equal(got, [problem.sharpness(t[:, None], scale[:, :1])[0] for t in theta])
    assert np.isnan(problem.sharpness(theta.T, 0.0 * scale)).all()


@pytest.mark.slow
@pytest.mark.parametrize("problem", UP_TO_500_WEIGHTS, ids=cases.label)
def test_sharpness_along_paths_is_within_a_hundredth_and_a_point_that_stays_has_its_value(problem):
    ends = np.asarray(problem.starts(seeds=range(2), gain=[1.0, 1.5]))
    along = np.array([0.0, 0.0, 0.05, 0.1, 0.2, 0.2])[:, None, None]
    paths = np.moveaxis(ends + along * (np.roll(ends, 1, axis=0) - ends), 0, 1)
    scales = np.geomspace(0.1, 10.0, problem.dimension) * (1.0 + along[:, 0])
    for scale in (np.ones_like(scales), scales):
        dense = np.moveaxis(problem.hessian(paths.reshape(-1, problem.dimension).T), -1, 0)
        dense = dense.reshape(4, 6, *dense.shape[1:]) / np.sqrt(scale[:, :, None] * scale[:, None])
        got = problem.sharpness_along(paths, np.broadcast_to(scale, paths.shape))
        np.testing.assert_allclose(got, np.linalg.eigvalsh(dense)[..., -1], rtol=0.01)
        np.testing.assert_array_equal(got[:, [0, 4]], got[:, [1, 5]])
        one = problem.sharpness_along(paths[2:3], np.broadcast_to(scale, paths[2:3].shape))
        np.testing.assert_array_equal(got[2:3], one)
    lost = problem.sharpness_along(np.where(along.ravel()[:, None] > 0.1, np.nan, paths))
    assert np.isnan(lost[:, 4:]).all()
    assert np.isfinite(lost[:, :4]).all()


def test_an_eigenvalue_that_overtakes_the_largest_is_followed():
    """1.2 − t and 0.2 + t at right angles to one another: nothing of the one is in what was found of the other."""
    axes = np.linalg.qr(np.random.default_rng(5).normal(size=(150, 150)))[0]
    time = np.linspace(0.0, 1.0, 64)

    def products(points):
        t = points[:, :1]
        values = np.concatenate([np.linspace(0.0, 0.3, 148) + 0.0 * t, 1.2 - t, 0.2 + t], axis=1)
        return lambda vectors: (vectors @ axes * values) @ axes.T

    got = along_paths(products, np.repeat(time[None, :, None], 150, axis=2))
    np.testing.assert_allclose(got[0], np.maximum(1.2 - time, 0.2 + time), rtol=0.01)


@pytest.mark.parametrize(
    ("activation", "scheme", "gain", "expected"),
    [
        ("relu", "he_normal", 1.0, "steady"),
        ("tanh", "lecun_normal", 1.1, "steady"),
        ("tanh", "lecun_normal", 0.5, "dies"),
        ("sigmoid", "xavier_normal", 1.0, "dies"),
        ("relu", "he_normal", 2.0, "explodes"),
        ("tanh", "lecun_normal", 4.0, "explodes"),
        ("relu", "zeros", 1.0, "dies"),
        ("identity", "normal", 1e60, "explodes"),
    ],
)
def test_gradient_flow_tells_a_signal_that_dies_from_one_that_is_steady(activation, scheme, gain, expected):
    deep = mlp((32,) * 13, activation, points=8)
    flow = gdfast.gradient_flow(deep, deep.starts(scheme, seeds=range(2), gain=gain))
    assert flow.flow.values.tolist() == [expected, expected]


def test_the_signal_of_a_layer_is_the_root_mean_square_of_what_enters_and_leaves_its_activation():
    problem = mlp((3, 5, 4, 2), ["tanh", "relu"], points=7, gain=1.5, fan_in_scaling=True)
    theta = np.asarray(problem.starts(seeds=range(2), bias=0.1))
    got, flow = problem.layer_signals(theta.T), gdfast.gradient_flow(problem, theta)
    np.testing.assert_array_equal(flow.signal.values, got[0])
    for n, point in enumerate(theta):
        value, at = problem.X, 0
        for i, (a, b, act) in enumerate([(3, 5, np.tanh), (5, 4, lambda z: np.maximum(z, 0)), (4, 2, lambda z: z)]):
            z = value @ point[at : at + a * b].reshape(a, b) / np.sqrt(a) + point[at + a * b : at + a * b + b]
            z *= 1.0 if i == 2 else 1.5
            value, at = act(z), at + a * b + b
            np.testing.assert_allclose(got[:, i, n], [np.sqrt(np.mean(z**2)), np.sqrt(np.mean(value**2))], rtol=1e-12)


def test_the_sharpness_of_a_step_is_that_of_its_rows():
    problem = mlp((3, 6, 1), points=40, batch_size=8, seed=3)
    theta = problem.default_starts(2).points.T
    for t in (0, 5):
        rows = problem.rows(t)
        table = gdfast.data.Data(problem.X[rows], problem.y[rows], ("a", "b", "c"), "y", standardize=False)
        np.testing.assert_array_equal(problem.step_sharpness(theta, t), mlp((3, 6, 1), data=table).sharpness(theta))
    whole = mlp((3, 6, 1), points=40, seed=3)
    np.testing.assert_array_equal(whole.step_sharpness(theta, 2), whole.sharpness(theta))
