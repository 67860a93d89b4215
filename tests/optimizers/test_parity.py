"""Update rules against other libraries' optimizers, over whole trajectories of 300 steps.

The oracle trajectories are stored (every tenth point); where the libraries are installed (the extra ``parity``), they
are also run, and every point is compared. What ships of that, `gdfast/optimizers/parity.csv`, `oracles/make.py` writes.
"""

import csv
import importlib.util
import sys
from pathlib import Path

import cases
import numpy as np
import pytest

import gdfast
import gdfast.notation

ORACLES = Path(__file__).parent / "oracles"
sys.path.insert(0, str(ORACLES))
import libraries  # noqa: E402
import oracle_texts  # noqa: E402
import peers  # noqa: E402

PROBLEMS = {
    "quadratic": cases.least_squares(peers.X, peers.Y),
    "rosenbrock": gdfast.problems.rosenbrock(),
    "quartic": gdfast.problems.quartic(),
    "beale": gdfast.problems.beale(),
    "network": gdfast.problems.mlp(
        (3, 4, 2), data=gdfast.data.load((peers.NETWORK_X, peers.NETWORK_Y), standardize=False)
    ),
    "square network": gdfast.problems.mlp(
        (3, 3, 3), data=gdfast.data.load((peers.NETWORK_X, peers.SQUARE_Y), standardize=False)
    ),
}


def optimizer_of(case):
    optimizer = gdfast.optimizers.CATALOGUE[case.name](**case.parameters)
    changes = [gdfast.transforms.CATALOGUE[name](**parameters) for name, parameters in case.transforms]
    optimizer = optimizer.transformed(*changes) if changes else optimizer
    if case.schedule is None:
        return optimizer
    name, parameters = case.schedule
    return optimizer.scheduled(gdfast.schedules.CATALOGUE[name](**parameters))


def difference(case, problem, expected):
    """The largest difference of any coordinate, relative to the coordinate's largest value on the way."""
    stride = peers.STEPS // (len(expected) - 1)
    path = gdfast.trajectory(
        PROBLEMS[problem],
        optimizer_of(case),
        peers.PROBLEMS[problem].start,
        case.learning_rate,
        peers.STEPS,
        gradient_tolerance=0.0,
    ).theta.values
    got = path[np.minimum(np.arange(0, peers.STEPS + 1, stride), len(path) - 1)]
    return float(np.max(np.abs(got - expected) / np.abs(expected).max(axis=0)))


@pytest.mark.sampled(1)
@pytest.mark.parametrize("case", peers.CASES, ids=lambda case: case.label)
def test_stored_trajectories(case):
    paths = oracle_texts.read(case.name)
    for problem in case.problems:
        assert difference(case, problem, paths[case.label, problem]) < case.tolerance, problem


@pytest.mark.slow
@pytest.mark.parametrize("case", peers.CASES, ids=lambda case: case.label)
@pytest.mark.filterwarnings("ignore")
def test_live_trajectories(case):
    package = case.library.split(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed; pip install 'gdfast[parity]'")
    for problem in case.problems:
        assert difference(case, problem, peers.trajectory(case, problem)) < case.tolerance, problem


@pytest.mark.slow
@pytest.mark.parametrize("deviation", peers.DEVIATIONS, ids=lambda d: f"{d.library}.{d.call}")
@pytest.mark.filterwarnings("ignore")
def test_known_deviations_are_still_there(deviation):
    package = deviation.library.split(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed; pip install 'gdfast[parity]'")
    case = peers.Case(
        deviation.name,
        deviation.parameters,
        deviation.learning_rate,
        deviation.library,
        deviation.call,
        deviation.options,
    )
    assert difference(case, deviation.problem, peers.trajectory(case, deviation.problem)) > 1e-10


def test_every_optimizer_is_compared_or_said_not_to_be():
    compared = {case.name for case in peers.CASES}
    assert compared | set(peers.WITHOUT_PEER) == set(gdfast.optimizers.CATALOGUE)
    assert not compared & set(peers.WITHOUT_PEER)
    unusual = {case.name for case in peers.CASES if case.parameters}
    with_parameters = {n for n in compared if optimizer_of(next(c for c in peers.CASES if c.name == n)).parameters}
    assert with_parameters <= unusual


@pytest.mark.slow
def test_the_published_matrix_holds_every_case():
    with open(Path(gdfast.optimizers.__file__).parent / "parity.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    listed = {(row["optimizer"], row["compared with"]) for row in rows}
    for case in peers.CASES:
        assert (optimizer_of(case).label, f"{case.library}.{case.call}") in listed


@pytest.mark.parametrize("library", libraries.OPTIMIZERS)
def test_the_table_of_libraries_tells_of_all_their_optimizers_what_they_are(library):
    told = libraries.OPTIMIZERS[library]
    listed = [row for row in gdfast.optimizers.libraries() if row["library"] == library]
    assert [(row["its optimizer"], row["gdfast's"], row["note"]) for row in listed] == [
        (name, one.notation, one.told) for name, one in told.items()
    ]
    for name, one in told.items():
        rules = gdfast.notation.optimizers(one.notation) if one.notation else []
        assert " ".join(rule.label for rule in rules) == one.notation
        assert rules or one.told, name
        assert all(other in told for other in one.within.split()), name
    if importlib.util.find_spec(library.split(".")[0]) is None:
        pytest.skip(f"{library} is not installed; pip install 'gdfast[parity]'")
    there = libraries.names(library)
    assert there == set(told) if library in libraries.WHOLE else there >= set(told)


def test_what_the_table_of_libraries_calls_the_same_was_compared():
    compared = {(case.library, case.call, optimizer_of(case).name) for case in peers.CASES}
    not_compared = {"noisy_sgd", "add_noise", "reduce_on_plateau"}  # of other random numbers; no rule
    for library, told in libraries.OPTIMIZERS.items():
        for name, one in told.items():
            for rule in gdfast.notation.optimizers(one.notation) if one.notation else []:
                places = {(library, each, rule.name) for each in (name, *one.within.split())}
                assert places & compared or name in not_compared, (library, name)
    told_of = {(library, name) for library, told in libraries.OPTIMIZERS.items() for name in told}
    assert {(case.library, case.call) for case in peers.CASES} <= told_of
    for row in gdfast.optimizers.libraries():
        assert bool(row["largest relative difference"]) == (
            (row["library"], row["its optimizer"])
            in {*((case.library, case.call) for case in peers.CASES), *((d.library, d.call) for d in peers.DEVIATIONS)}
        )


def test_trajectories_are_stored_of_every_case_and_schedule_and_of_nothing_else():
    assert oracle_texts.names() == {case.name for case in peers.CASES}
    kept = {key for name in oracle_texts.names() for key in oracle_texts.read(name)}
    assert kept == {(case.label, problem) for case in peers.CASES for problem in case.problems}
    assert set(oracle_texts.read_schedules()) == {call for _, _, call, _ in peers.SCHEDULES}


@pytest.mark.parametrize(
    ("name", "parameters", "call", "options"), peers.SCHEDULES, ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.filterwarnings("ignore")
def test_schedules_are_torchs(name, parameters, call, options):
    got = gdfast.schedules.CATALOGUE[name](**parameters).multipliers(peers.STEPS)
    # torch multiplies step by step, which adds up roundings.
    np.testing.assert_allclose(got, oracle_texts.read_schedules()[call], rtol=1e-10, atol=1e-13)
    if importlib.util.find_spec("torch") is not None:
        np.testing.assert_allclose(got, peers.multipliers(call, options), rtol=1e-10, atol=1e-13)
