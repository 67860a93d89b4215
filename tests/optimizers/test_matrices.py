"""Rules for the matrices of a network: their functions, the cut into stages, kernels beside the reference."""

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
import gdfast.theory
from gdfast import optimizers, problems
from gdfast.formulas import factors, matrices
from gdfast.formulas.formula import from_text
from gdfast.formulas.staged import staged

A, B, C = 3.4445, -4.775, 2.0315
MATRIX_RULES = [make for make in optimizers.CATALOGUE.values() if make().matrix_rule]
EXACT = problems.mlp((3, 5, 2), "relu", points=9)
NETWORKS = [
    EXACT,
    problems.mlp((5, 3, 4, 1), "leaky_relu", batch_norm=True, points=7, batch_size=4, layer_rates=True),
    problems.mlp((1, 6, 6, 1), "relu", bias=False, fan_in_scaling=True, gain=1.5, l2=0.01),
]
"""Wide, tall and square matrices, a row or a column alone; mini-batches, batch normalization, scaling."""


def rule_of_means(theta, grad, m, v, lr, rows, columns, beta):
    m = beta * m + (1 - beta) * matrices.row_mean(grad * grad)
    v = beta * v + (1 - beta) * matrices.column_mean(grad * grad)
    direction = grad / (matrices.mean(m) + m * v / rows + columns)
    theta = theta - lr * (direction - matrices.mean(direction))
    return theta, m, v


def plain(theta, grad, m, v, lr, square, dimension):
    return theta - lr * grad / (1 + square / dimension), m, v


def of_squares(theta, grad, m, v, lr, dimension):
    return grad * grad


MEANS = optimizers.Optimizer(
    plain, 0.1, sums=("square",), terms=of_squares, matrix_rule=rule_of_means, parameters={"beta": 0.7}
)


@pytest.mark.slow
@pytest.mark.parametrize("problem", NETWORKS, ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit(problem):
    starts = problem.starts(seeds=range(3))
    rates = np.geomspace(1e-4, 3.0, 5)
    cases.agree(gdfast.Sweep(problem, [MEANS, *(make() for make in MATRIX_RULES)], rates, starts, 40))


@pytest.mark.slow
@pytest.mark.parametrize("make", MATRIX_RULES, ids=lambda make: make.__name__)
@given(data=st.data())
@settings(max_examples=4)
def test_kernel_and_reference_agree_for_random_hyperparameters_on_a_network(make, data):
    optimizer = data.draw(cases.made_by(make))
    cases.agree(gdfast.Sweep(EXACT, optimizer, np.geomspace(1e-3, 1.0, 4), EXACT.starts(seeds=range(2)), 30))


@pytest.mark.slow
def test_transforms_schedules_and_measures_go_with_a_rule_for_matrices():
    chosen = "muon|cosine|clip_norm=0.1|weight_decay:weight=0.1"
    sweep = gdfast.Sweep(EXACT, chosen, [0.01, 0.1], EXACT.starts(seeds=range(3)), 40, measure="steps_to_reach")
    cases.agree(sweep)


def test_a_rule_for_matrices_is_one_formula_on_whole_arrays():
    path = gdfast.trajectory(EXACT, MEANS, EXACT.starts().points[0], 0.1, 5, gradient_tolerance=0.0).theta.values
    theta = path[0].copy()
    state = {0: [0.0, 0.0], 1: [0.0, 0.0]}
    for expected in path[1:]:
        grad = EXACT.gradient(theta[:, None])[:, 0]
        for k, layer in enumerate(EXACT.layers):
            G = grad[layer.weights].reshape(layer.fan_in, layer.fan_out)
            m, v = state[k]
            m = 0.7 * m + 0.3 * (G * G).mean(axis=1, keepdims=True)
            v = 0.7 * v + 0.3 * (G * G).mean(axis=0, keepdims=True)
            D = G / (m.mean() + m * v / layer.fan_in + layer.fan_out)
            theta[layer.weights] -= 0.1 * (D - D.mean()).ravel()
            bias = slice(layer.bias, layer.end)
            theta[bias] -= 0.1 * grad[bias] / (1 + np.mean(grad[bias] ** 2))
            state[k] = m, v
        np.testing.assert_allclose(theta, expected, rtol=1e-12)


@given(rows=st.integers(1, 7), columns=st.integers(1, 7), seed=st.integers(0, 2**32), size=st.floats(-100, 100))
@settings(max_examples=60)
def test_newton_schulz_keeps_singular_vectors_and_brings_values_near_one(rows, columns, seed, size):
    rng = np.random.default_rng(seed)
    k = min(rows, columns)
    left, right = (np.linalg.qr(rng.normal(size=(n, k)))[0] for n in (rows, columns))
    values = rng.uniform(0.2, 1, k)
    X = (left * values) @ right.T * 10.0**size
    got = matrices.orthogonalized(X[..., None], A, B, C, 0.0, 5)[..., 0]
    near_one = left.T @ got @ right
    np.testing.assert_allclose(got, left @ near_one @ right.T, atol=1e-9)
    np.testing.assert_allclose(near_one, np.diag(np.diag(near_one)), atol=1e-9)
    assert np.all((np.diag(near_one) > 0.6) & (np.diag(near_one) < 1.3))


def inverse_fourth_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors / values**0.25) @ vectors.T


@pytest.mark.slow
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), rank=st.integers(1, 9), data=st.data())
@settings(max_examples=25)
def test_factors_are_those_of_lapack(rows, columns, rank, data):
    seed, size, of_rank = (data.draw(one) for one in (st.integers(0, 2**32), st.floats(-60, 60), st.integers(1, 9)))
    rng, small = np.random.default_rng(seed), min(rows, columns)
    G = rng.normal(size=(rows, of_rank)) @ rng.normal(size=(of_rank, columns)) * 10.0**size
    kept = factors.Factors.within(np.zeros((factors.kept(rows, columns), 1)), rows, columns)
    factors.accumulated(G[..., None], kept, 1.0, 1.0)
    statistics = [G @ G.T, G.T @ G]
    for got, expected in zip(kept[:2], statistics, strict=True):
        np.testing.assert_allclose(got[..., 0], expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())
    eps = 1e-3 * np.linalg.norm(G) ** 2
    with np.errstate(all="ignore"):
        got = factors.whitened(G[..., None], kept, eps, 1.0)[..., 0]
    roots = [inverse_fourth_root(S + eps * np.eye(len(S))) for S in statistics]
    np.testing.assert_allclose(got, roots[0] @ G @ roots[1], atol=1e-11)

    with np.errstate(all="ignore"):
        factors.turned(G[..., None], kept, 2.0)
    bases = [basis[..., 0].copy() for basis in kept[2:]]
    for S, A in zip(statistics, bases, strict=True):
        np.testing.assert_allclose(A.T @ A, np.eye(len(A)), atol=1e-13)
        np.testing.assert_allclose(A.T @ S @ A, np.diag(np.diag(A.T @ S @ A)), atol=1e-12 * np.linalg.norm(S))
        values = np.sort(np.diag(A.T @ S @ A))
        np.testing.assert_allclose(values, np.linalg.eigvalsh(S), atol=1e-12 * np.linalg.norm(S))
    labels = np.arange(G.size, dtype=float).reshape(G.shape)
    with np.errstate(all="ignore"):
        moved = factors.turned(labels[..., None], kept, 1.0)[..., 0]
    orders, clear = [], int(np.sum(np.linalg.eigvalsh(G @ G.T) > 1e-6 * np.linalg.norm(G) ** 2))
    for S, A, got in zip(statistics, bases, kept[2:], strict=True):
        order = np.argsort(-np.sum(A * (S @ A), axis=0), kind="stable")
        expected = np.linalg.qr((S @ A)[:, order])[0]
        orders.append(order[:clear])  # the rest is any basis of what is left
        np.testing.assert_allclose(got[:, :clear, 0], expected[:, :clear], atol=1e-7)
        np.testing.assert_allclose(got[..., 0].T @ got[..., 0], np.eye(len(A)), atol=1e-13)
    np.testing.assert_array_equal(moved[:clear, :clear], labels[np.ix_(*orders)])

    with np.errstate(all="ignore"):
        low = factors.into_basis(factors.aligned(G[..., None], kept, rank, 1.0), kept)
    count = min(rank, small)
    left, values, right = np.linalg.svd(G, full_matrices=False)
    best = (left[:, :count] * values[:count]) @ right[:count]
    np.testing.assert_allclose(factors.out_of_basis(low, kept)[..., 0], best, atol=1e-12 * values[0])
    rest = low[:, count:] if columns > rows else low[count:]
    assert not rest.any()
    basis = kept.of_right if columns > rows else kept.of_left
    assert all(vector[np.abs(vector).argmax()] >= 0 for vector in basis[..., 0].T)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"every": 7, "beta": 0.9, "momentum": 0.6, "weight_decay": 0.2, "eps": 0.01}])
def test_shampoo_is_the_papers_with_roots_by_lapack(options):
    told = {"momentum": 0.0, "beta": 1.0, "weight_decay": 0.0, "eps": 1e-6, "every": 1} | options
    path = gdfast.trajectory(
        EXACT, optimizers.shampoo(**options), EXACT.starts().points[0], 0.05, 40, gradient_tolerance=0.0
    ).theta.values
    theta, state = path[0].copy(), {}
    share = 1.0 if told["beta"] == 1 else 1 - told["beta"]
    for t, expected in enumerate(path[1:]):
        grad = EXACT.gradient(theta[:, None])[:, 0]
        step = np.zeros_like(theta)
        for k, layer in enumerate(EXACT.layers):
            G, g = grad[layer.weights].reshape(layer.fan_in, layer.fan_out), grad[layer.bias : layer.end]
            L, R, v = state.get(k, (0.0, 0.0, 0.0, None))[:3]
            L, R, v = (told["beta"] * old + share * new for old, new in ((L, G @ G.T), (R, G.T @ G), (v, g * g)))
            if t % told["every"] == 0:
                roots = [inverse_fourth_root(S + told["eps"] * np.eye(len(S))) for S in (L, R)]
            else:
                roots = state[k][3]
            state[k] = L, R, v, roots
            step[layer.weights] = (roots[0] @ G @ roots[1]).ravel()
            step[layer.bias : layer.end] = g / np.sqrt(v + told["eps"])
        momentum = told["momentum"] * state.get("m", 0.0) + step
        state["m"] = momentum
        theta = theta * (1 - 0.05 * told["weight_decay"]) - 0.05 * momentum
        np.testing.assert_allclose(theta, expected, atol=1e-7)


def with_a_name_like_a_result(theta, grad, lr):
    row_mean_0 = 2 * grad
    return theta - lr * matrices.row_mean(grad) * row_mean_0


def test_results_of_functions_of_matrices_take_no_name_of_the_rule():
    (stage,), last = staged(with_a_name_like_a_result)
    assert stage.function == "row_mean"
    assert last(1.0, 3.0, 1.0, 5.0) == 1.0 - 5.0 * 6.0


def test_muon_of_a_landscape_is_adam():
    expected, got = (
        gdfast.run(gdfast.Sweep("rosenbrock", name, [0.001, 0.01, 0.1], [[-1.2, 1.0]], 300), keep_theta=True)
        for name in ("adam", "muon")
    )
    np.testing.assert_array_equal(got.outcome, expected.outcome)
    np.testing.assert_allclose(got.theta, expected.theta, rtol=1e-8)


@pytest.mark.slow
def test_the_limits_of_a_landscape_are_those_of_the_rule_for_what_is_no_matrix():
    assert gdfast.theory.limit(optimizers.muon(), 0.25) == pytest.approx(gdfast.theory.limit(optimizers.adam(), 0.25))
    assert gdfast.theory.limit(optimizers.adafactor(), 0.25) is not None


def test_a_rule_is_cut_where_it_calls_a_function_of_matrices():
    cut = staged(rule_of_means)
    assert [stage.function for stage in cut.stages] == ["row_mean", "column_mean", "mean", "mean"]
    assert cut.stages[1].value.__text__.endswith("    return grad * grad")  # what it does not need is left out


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (
            "theta, grad, m, v, lr): return theta - lr * orthogonalized(grad), m, v",
            ValueError,
            ("a, b, c, eps, steps",),
        ),
        ("theta, grad, m, v, lr, s): return theta - mean(grad, s), m, v", ValueError, ("mean takes the entry",)),
        ("theta, grad, m, lr): return theta - lr * grad, m", ValueError, ("theta, grad, m, v, lr first", "not theta")),
        ("theta, grad, m, v, lr): return theta - lr * grad", ValueError, ("must return 3",)),
        ("theta, grad, m, v, lr, foreign): return theta - foreign, m, v", ValueError, ("foreign has no value",)),
    ],
)
def test_a_rule_for_matrices_that_does_not_fit_is_refused(text, kind, words):
    scope = {name: getattr(matrices, name) for name in matrices.__all__}
    exec(f"def other({text}", scope)
    scope["other"].__text__ = f"def other({text}"
    make = lambda: optimizers.Optimizer(  # noqa: E731
        plain, 0.1, sums=("square",), terms=of_squares, matrix_rule=scope["other"], parameters={"beta": 0.7}
    )
    cases.refused(make, kind, *words)


@pytest.mark.parametrize(("steps", "kind"), [(-1, ValueError), (100, ValueError), (2.5, TypeError), (True, TypeError)])
def test_rounds_of_the_iteration_are_a_whole_number(steps, kind):
    cases.refused(lambda: optimizers.muon(steps=steps), kind, "muon: steps", "from 0 to 99")


@pytest.mark.parametrize(
    "make", [optimizers.shampoo, optimizers.soap, optimizers.galore], ids=lambda make: make.__name__
)
def test_steps_from_one_basis_to_the_next_are_a_whole_number(make):
    cases.refused(lambda: make(every=0), ValueError, f"{make.__name__}: every")
    cases.refused(lambda: make(every=2.5), TypeError, f"{make.__name__}: every")


def test_a_rule_beside_one_for_matrices_has_no_norms():
    rule = from_text("def rule(theta, grad, lr, loss): return theta - lr * grad * loss")
    of_matrices = from_text("def of_matrices(theta, grad, lr): return theta - lr * grad")
    cases.refused(
        lambda: optimizers.Optimizer(rule, 0.1, matrix_rule=of_matrices), ValueError, "scalars, norms nor loss"
    )


def test_the_arrays_of_a_network_are_those_of_its_layers():
    arrays, at, shapes = NETWORKS[1].arrays, 0, []
    while at < len(arrays):
        size, *shape = arrays[at].tolist()
        assert (arrays[at : at + size] == arrays[at]).all()
        shapes.append(tuple(shape))
        at += size
    assert [shape for shape in shapes if shape != (0, 0)] == [(5, 3), (3, 4), (4, 1)]
    assert not problems.rosenbrock().has_matrices
