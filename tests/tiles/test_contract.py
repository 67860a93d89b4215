"""What holds for every optimizer on every problem."""

import pickle

import cases
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfast
from gdfast import optimizers, problems, schedules
from gdfast.formulas.formula import Formula

QUARTIC, REGRESSION, ROSENBROCK = problems.quartic(), problems.linear_regression(), problems.rosenbrock()
MATYAS = problems.matyas()
NAMES = list(optimizers.CATALOGUE)


def agree_on_a_whole_grid(problem, optimizer, n):
    got = cases.agree(cases.sweep_of(problem, optimizer, n))
    if optimizer.name in {"gd", "momentum", "nesterov"}:
        assert (got.outcome == gdfast.outcomes.Outcome.diverged).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "optimizer"),
    [([QUARTIC, REGRESSION][k % 2], optimizer) for k, optimizer in enumerate(cases.OPTIMIZERS)],
    ids=cases.label,
)
def test_kernel_and_reference_agree_to_the_bit_on_whole_grids(problem, optimizer):
    agree_on_a_whole_grid(problem, optimizer, 64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "optimizer"),
    [([REGRESSION, QUARTIC][k % 2], optimizer) for k, optimizer in enumerate(cases.OPTIMIZERS)],
    ids=cases.label,
)
def test_kernel_and_reference_agree_to_the_bit_on_whole_large_grids(problem, optimizer):
    agree_on_a_whole_grid(problem, optimizer, 128)  # on the problem that the test above has not


@pytest.mark.sampled(6)
@pytest.mark.parametrize("optimizer", cases.MORE_OPTIMIZERS, ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit_for_every_rule(optimizer):
    cases.agree(cases.sweep_of(cases.one_of_each_template(optimizer, ROSENBROCK), optimizer, 32))


@pytest.mark.slow
@pytest.mark.parametrize("problem", cases.EXACT, ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit_on_every_problem(problem):
    chosen = [optimizers.gd(), optimizers.lamb(), optimizers.polyak_sgd()]
    cases.agree(cases.sweep_of(problem, chosen, 32))


SCHEDULES = st.sampled_from(list(schedules.CATALOGUE.values())).flatmap(cases.made_by)


def agree_for_random_hyperparameters(data, name, scheduled):
    optimizer = data.draw(cases.made_by(optimizers.CATALOGUE[name]))
    ground = ROSENBROCK  # as above, so that most kernels serve both tests
    if data.draw(scheduled):
        optimizer = optimizer.scheduled(data.draw(SCHEDULES))
        ground = MATYAS  # as in the test of schedules that start or end at 0
    cases.agree(cases.sweep_of(cases.one_of_each_template(optimizer, ground), optimizer, 12, max_steps=60))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=6)
def test_kernel_and_reference_agree_for_random_hyperparameters(name, data):
    agree_for_random_hyperparameters(data, name, st.just(False))  # a schedule makes another kernel


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=cases.examples(24))
def test_kernel_and_reference_agree_for_many_random_hyperparameters(name, data):
    agree_for_random_hyperparameters(data, name, st.booleans())


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "tile_size"), [(1, 1), (2, 777), (2, 513), (1, 4096), (3, None)])
@pytest.mark.parametrize("problem", cases.PROBLEMS[:3], ids=cases.label)
def test_results_depend_on_neither_workers_nor_tiles(problem, workers, tile_size):
    chosen = [cases.OPTIMIZERS[i] for i in (0, 1, 8, 11)]
    n = 12 if tile_size == 1 else 64
    expected = gdfast.run(cases.sweep_of(problem, chosen, n), workers=1, keep_theta=True)
    got = gdfast.run(cases.sweep_of(problem, chosen, n, tile_size=tile_size), workers=workers, keep_theta=True)
    cases.assert_same(got, expected)


@pytest.mark.parametrize("optimizer", cases.ALL_OPTIMIZERS, ids=cases.label)
def test_every_rule_is_in_the_grammar(optimizer):
    results = 1 + len(optimizer.state + optimizer.scalars)
    assert Formula.of(optimizer.rule, results, of_vectors=True).source.startswith("def ")


@pytest.mark.parametrize("thing", [*cases.ALL_OPTIMIZERS, *cases.PROBLEMS], ids=cases.label)
def test_named_things_survive_pickling(thing):
    again = pickle.loads(pickle.dumps(thing))
    assert again.label == thing.label
    assert again.specification == thing.specification
