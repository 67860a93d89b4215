"""Products of networks' Hessians with vectors, and of Gauss and Newton: differences, torch, lanes against NumPy."""

import cases
import numpy as np
import pytest
from networks import EXACT, NETWORKS, points_of, torch_loss, torch_loss_of, torch_outputs

import gdfast
from gdfast import optimizers
from gdfast.formulas.noise import keys, random_sign
from gdfast.formulas.records import record
from gdfast.kernels.evaluation import product_kernel
from gdfast.kernels.signatures import Pair
from gdfast.problems import mlp
from gdfast.problems.networks.lanes import NETWORK

KINDS = {"product": "step_product", "gauss_newton": "step_gauss_newton"}


def in_lanes(problem, theta, way, t, kind):
    real = theta.dtype
    kernel = product_kernel(problem.lane_kernel, real.name, kind)
    data, layout = problem.lane_data(10)
    pair = Pair(0, 0, 0, problem.group, problem.arrays, data.astype(real), layout)
    work = np.full((problem.lane_kernel.product_rows, theta.shape[1]), np.nan, real)
    out = np.full_like(theta, np.nan)
    kernel(pair, theta, way, out, work, theta.shape[1], t)
    return out


@pytest.mark.parametrize("problem", NETWORKS, ids=cases.label)
def test_products_are_the_differences_of_gradients(problem):
    theta, way = points_of(problem, 3, spread=0.7), points_of(problem, 3, seed=3)
    for t in (0, 4):
        ahead, behind = (problem.step_gradient(theta + s * way, t) for s in (1e-5, -1e-5))
        expected = (ahead - behind) / 2e-5
        got = problem.step_product(theta, way, t)
        np.testing.assert_allclose(got, expected, atol=1e-6 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("problem", [p for p in NETWORKS if p.name == "mlp"], ids=cases.label)
def test_products_are_torchs(problem):
    torch = pytest.importorskip("torch")
    theta, way = points_of(problem, 1, seed=2), points_of(problem, 1, seed=3)
    rows = slice(None) if problem.batch_size is None else problem.rows(1)
    leaf, along = (torch.tensor(array[:, 0].copy()) for array in (theta, way))
    _, expected = torch.autograd.functional.hvp(lambda point: torch_loss(problem, point, rows), leaf, along)
    expected, got = expected.numpy(), problem.step_product(theta, way, 1)[:, 0]
    np.testing.assert_allclose(got, expected, atol=1e-12 * np.abs(expected).max(), rtol=0)

    def outputs(point):
        return torch_outputs(problem, point, rows)[0]

    moved = torch.autograd.functional.jvp(outputs, leaf, along)[1]
    bent = torch.autograd.functional.hvp(lambda output: torch_loss_of(problem, output, rows), outputs(leaf), moved)[1]
    _, expected = torch.autograd.functional.vjp(outputs, leaf, bent)
    weights = np.zeros(problem.dimension)
    for layer in problem.layers:
        weights[layer.weights] = problem.parameters["l2"]
    expected = expected.numpy() + weights * way[:, 0]
    got = problem.step_gauss_newton(theta, way, 1)[:, 0]
    np.testing.assert_allclose(got, expected, atol=1e-12 * np.abs(expected).max(), rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_lanes_and_reference_have_the_same_products(kind, real):
    """To the bit where no exponential occurs; of 70 rows some at a time, and one vector of lanes where it lies.

    Where one does, within 16 units in the last place of the largest entry: functions of lanes are off by 2, and batch
    normalization makes more of it.
    """
    vector = 8 if real == "float64" else 16
    for problem in NETWORKS:
        for lanes in (64, vector):
            theta, way = (points_of(problem, lanes, seed=k).astype(real) for k in (0, 3))
            got, expected = in_lanes(problem, theta, way, 3, kind), getattr(problem, KINDS[kind])(theta, way, 3)
            assert expected.dtype == real
            if problem in EXACT:
                np.testing.assert_array_equal(got, expected, err_msg=problem.label)
            else:
                assert np.abs(got - expected).max() <= 16 * np.finfo(real).eps * np.abs(expected).max(), problem.label


def test_some_rows_at_a_time_are_tried():
    layouts = [record(problem._header, 0, NETWORK) for problem in EXACT]
    assert sum(net.rows > net.some for net in layouts) >= 2


@pytest.mark.slow
def test_fused_products_are_near_the_exact_ones():
    fused, exact = (mlp((5, 9, 7, 2), "tanh", points=40, arithmetic=a) for a in ("fused", "exact"))
    theta, way = points_of(exact, 64), points_of(exact, 64, seed=1)
    for kind in KINDS:
        got, expected = (in_lanes(problem, theta, way, 0, kind) for problem in (fused, exact))
        np.testing.assert_allclose(got, expected, atol=1e-13 * np.abs(expected).max(), rtol=0)
        assert (got != expected).any()


@pytest.mark.slow
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_adahessian_and_sophia_are_the_same_in_both_backends(real):
    problem = mlp((3, 7, 5, 2), ("relu", "leaky_relu"), batch_norm=True, l2=0.3, l1=0.1, gain=1.3, batch_size=20)
    rules = [optimizers.adahessian(eps=0.1, interval=2), optimizers.sophia(interval=3)]
    starts = problem.starts("he_normal", range(5))
    result = cases.agree(gdfast.Sweep(problem, rules, np.geomspace(1e-3, 1, 4), starts, 30, dtype=real))
    assert set(result.evaluations.sel(optimizer="sophia:interval=3").values.ravel()) == {40}


def textbook_adahessian(problem, theta, rate, steps, number, seed=0):
    """AdaHessian with Hutchinson's estimates by torch's products."""
    import torch

    m = v = np.zeros_like(theta)
    for t in range(1, steps + 1):
        rows = slice(None) if problem.batch_size is None else problem.rows(t - 1)
        key = keys(2**63 + seed, np.array([t]))[0]
        with np.errstate(over="ignore"):
            z = np.array([random_sign(*key, np.int64(number), np.int64(i)) for i in range(len(theta))])
        point = torch.tensor(theta, requires_grad=True)

        def loss(at, rows=rows):
            return torch_loss(problem, at, rows)

        grad = torch.autograd.grad(loss(point), point)[0].numpy()
        _, product = torch.autograd.functional.hvp(loss, point.detach(), torch.tensor(z))
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * (z * product.numpy()) ** 2
        theta = theta - rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-4)
    return theta


@pytest.mark.parametrize(
    "problem",
    [
        mlp((3, 5, 4, 2), "tanh", points=12),
        mlp((4, 6, 3), "gelu", loss="cross_entropy", data="iris", batch_size=16, batch_norm=True, l2=0.01),
    ],
    ids=cases.label,
)
def test_adahessian_on_a_network_is_a_textbook_loop_with_torchs_products(problem):
    pytest.importorskip("torch")
    starts = np.asarray(problem.starts(seeds=range(2)))
    sweep = gdfast.Sweep(problem, optimizers.adahessian(), [0.01], starts, 60, gradient_tolerance=0.0)
    got = gdfast.run(sweep, keep_theta=True).theta.values[0, 0]
    for number, start in enumerate(starts):
        expected = textbook_adahessian(problem, start, 0.01, 60, number)
        np.testing.assert_allclose(got[number], expected, rtol=1e-10, atol=1e-10)
