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
NINE = problems.quadratic(dimension=9)  # with a lane kernel
NAMES = list(optimizers.CATALOGUE)


def agree_on_a_whole_grid(problem, optimizer, n):
    got = cases.agree(cases.sweep_of(problem, optimizer, n))
    if optimizer.name in {"gd", "momentum", "nesterov"}:
        assert (got.outcome == gdfast.outcomes.Outcome.diverged).any()


@pytest.mark.parametrize(
    ("problem", "optimizer"),
    [([QUARTIC, REGRESSION][k % 2], optimizer) for k, optimizer in enumerate(cases.OPTIMIZERS)],
    ids=cases.label,
)
def test_kernel_and_reference_agree_to_the_bit_on_whole_grids(problem, optimizer):
    agree_on_a_whole_grid(problem, optimizer, 64)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS, ids=cases.label)
@pytest.mark.parametrize("problem", [QUARTIC, REGRESSION], ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit_on_whole_large_grids(problem, optimizer):
    agree_on_a_whole_grid(problem, optimizer, 128)


def one_of_each_template(optimizer):
    """A problem in whose kernels coordinates are in registers, or rows of lanes in memory, where the rule can be."""
    return NINE if NAMES.index(optimizer.name) % 2 and "hessian" not in optimizer.needs else ROSENBROCK


@pytest.mark.parametrize("optimizer", cases.MORE_OPTIMIZERS, ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit_for_every_rule(optimizer):
    cases.agree(cases.sweep_of(one_of_each_template(optimizer), optimizer, 32))


@pytest.mark.parametrize("problem", cases.EXACT, ids=cases.label)
def test_kernel_and_reference_agree_to_the_bit_on_every_problem(problem):
    chosen = [optimizers.gd(), optimizers.lamb(), optimizers.polyak_sgd()]
    cases.agree(cases.sweep_of(problem, chosen, 32))


SCHEDULES = st.sampled_from(list(schedules.CATALOGUE.values())).flatmap(cases.made_by)


def agree_for_random_hyperparameters(data, name, scheduled):
    optimizer = data.draw(cases.made_by(optimizers.CATALOGUE[name]))
    if scheduled:
        optimizer = optimizer.scheduled(data.draw(SCHEDULES))
    # The same templates as above, so that most kernels serve both tests.
    cases.agree(cases.sweep_of(one_of_each_template(optimizer), optimizer, 12, max_steps=60))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=6)
def test_kernel_and_reference_agree_for_random_hyperparameters(name, data):
    agree_for_random_hyperparameters(data, name, scheduled=False)  # a schedule makes another kernel


@pytest.mark.slow
@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=cases.examples(20))
def test_kernel_and_reference_agree_for_many_random_hyperparameters(name, scheduled, data):
    agree_for_random_hyperparameters(data, name, scheduled)


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
