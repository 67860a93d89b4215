"""Ends that are lower than all known minima: what they lead to becomes known, and the run is judged with it."""

import json
import pickle

import cases
import numpy as np
import pytest
import stored
from typer.testing import CliRunner

import gdfast
from gdfast import cli, measures, problems, storing
from gdfast.tiles.outcomes import Outcome

NEEDLE = "(x-1)**2/10 + (y+2)**2/10 - 300*exp(-((x-20.371)**2+(y-11.137)**2)*500)"
DOMAIN = {"x": (-100, 100), "y": (-100, 100)}
RATES = np.logspace(-6, -1, 12)
STARTS = np.array([[20.35, 11.1], [20.37, 11.15], [0.0, 0.0], [50.0, 50.0], [1.0, -2.0], [20.5, 11.2]])


@pytest.fixture
def sweep():
    problem = problems.from_expression(NEEDLE, DOMAIN)
    assert [minimum.point for minimum in problem.minima] == [(1.0, -2.0)]
    return gdfast.Sweep(problem, ["gd", "adam"], RATES, STARTS, 1000, measure=measures.steps_to_reach(1e-3))


@pytest.fixture
def result(sweep):
    return gdfast.run(sweep)


def test_what_is_found_becomes_known_and_the_run_is_judged_with_it(sweep, result):
    ((loss, *point),) = json.loads(result.attrs["found_minima"])
    np.testing.assert_allclose(point, [20.371, 11.137], atol=1e-4)
    assert loss == sweep.problem.loss(np.array(point)).item() == result.attrs["lowest_loss"]
    assert json.loads(result.attrs["minima"]) == [[loss, *point], [0.0, 1.0, -2.0]]
    best = result.outcome.values == Outcome.global_minimum
    assert best.any()
    np.testing.assert_array_equal(best, result.loss.values < loss + 1e-6 * result.attrs["loss_scale"])
    np.testing.assert_array_equal(result.basin.values[best], 0)
    assert np.isfinite(result.measure.values[best]).all()
    at_bowl = result.isel(start=4)  # began there, and was the lowest
    assert (at_bowl.outcome == Outcome.local_minimum).all()
    assert (at_bowl.basin == 1).all()
    assert result.attrs["specification"] == json.dumps(sweep.specification)


def test_the_result_is_that_of_the_problem_that_knows_it(sweep, result):
    ((_, *point),) = json.loads(result.attrs["found_minima"])
    known = sweep.problem.knowing(point)
    assert known != sweep.problem
    assert pickle.loads(pickle.dumps(known)) == known
    again = gdfast.run(sweep.replace(problem=known))
    cases.assert_same(again, result)
    assert {**again.attrs, "found_minima": 0}["minima"] == result.attrs["minima"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("workers", "tile_size"), [(1, 1), (2, 5), (2, 1000)])
def test_neither_tiles_nor_workers_matter(sweep, result, workers, tile_size):
    other = gdfast.run(sweep.replace(tile_size=tile_size), workers=workers)
    cases.assert_same(other, result)
    assert other.attrs["found_minima"] == result.attrs["found_minima"]


@pytest.mark.slow
def test_processes_find_it_too(sweep, result):
    with gdfast.executors.Processes(2) as pool:
        cases.assert_same(gdfast.run(sweep, executor=pool), result)


class Interruption(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("calls", [1, 4, 11, 14, 17, 22])
def test_an_interrupted_store_is_resumed_to_the_same_bytes(sweep, result, tmp_path, monkeypatch, calls):
    stored.small_blocks(12, monkeypatch)
    whole, cut = tmp_path / "whole.zarr", tmp_path / "cut.zarr"
    cases.assert_same(gdfast.run(sweep, store=whole).load(), result)
    left = [calls]

    def interrupt(done, total):
        left[0] -= 1
        if left[0] == 0:
            raise Interruption

    with pytest.raises(Interruption):
        gdfast.run(sweep, store=cut, progress=interrupt, workers=1)
    assert not storing.store.status(cut, whole=True).damages
    gdfast.run(sweep, store=cut, progress=False).close()
    assert stored.contents(cut) == stored.contents(whole)
    assert storing.store.status(cut, whole=True).summary["state"] == "complete"
    finished = (cut / ".gdfast-journal").read_bytes()
    gdfast.run(sweep, store=cut, progress=False).close()  # nothing is run again
    assert (cut / ".gdfast-journal").read_bytes() == finished


@pytest.mark.slow
@pytest.mark.parametrize("calls", [4, 11])
def test_a_store_that_knows_less_is_judged_anew(sweep, result, tmp_path, monkeypatch, calls):
    stored.small_blocks(12, monkeypatch)
    ((_, *point),) = json.loads(result.attrs["found_minima"])
    knowing, path = sweep.replace(problem=sweep.problem.knowing(point)), tmp_path / "a.zarr"
    left = [calls]

    def interrupt(done, total):
        left[0] -= 1
        if left[0] == 0:
            raise Interruption

    with pytest.raises(Interruption):
        gdfast.run(sweep, store=path, progress=interrupt, workers=1)
    assert not storing.journal.Journal.read(path).found
    cases.assert_same(gdfast.run(knowing, store=path, progress=False).load(), result)
    assert list(storing.journal.Journal.read(path).found) == [point]
    assert storing.store.status(path, whole=True).summary["state"] == "complete"
    finished = (path / ".gdfast-journal").read_bytes()
    gdfast.run(knowing, store=path, progress=False).close()
    assert (path / ".gdfast-journal").read_bytes() == finished


def test_nothing_is_taken_over_from_what_found_a_minimum(sweep, tmp_path):
    gdfast.run(sweep, store=tmp_path / "a.zarr").close()
    wider = sweep.replace(learning_rates=np.append(RATES, 0.2))
    cases.refused(lambda: gdfast.run(wider, reuse=tmp_path / "a.zarr"), ValueError, "reuse", "found a minimum")


@pytest.mark.parametrize(
    ("text", "domain", "starts"),
    [
        ("x*sin(x)", (0, 10), [4.0, 9.0, 9.9]),  # lower beyond the border only
        ("(x-10)**2", (-2, 2), [1.0, -1.0]),
        ("tanh(x)", (-100, 100), [-90.0, 3.0]),  # a limit
        ("x**2-y**2", (-2, 2), [[1.0, 1e-3], [1.0, 0.0]]),  # a saddle, and no bound
        ("(x**2-1)**2 + x/10", (-3, 3), [-1.0, 1.0]),
    ],
)
def test_only_minima_inside_the_domain_become_known(text, domain, starts):
    names = sorted(set("xy") & set(text))
    problem = problems.from_expression(text, dict.fromkeys(names, domain))
    result = gdfast.run(gdfast.Sweep(problem, "gd", [1e-3, 0.1], starts, 50), backend="numpy")
    assert "found_minima" not in result.attrs
    assert gdfast.analysis.found_minima(result) == []


def test_refined_maps_and_single_trajectories_know_it_too(sweep, result):
    refined = gdfast.refine(sweep, coarse=1)
    np.testing.assert_array_equal(refined.outcome, result.outcome)
    assert refined.attrs["found_minima"] == result.attrs["found_minima"]
    problem, rule = sweep.problem, sweep.optimizers[0]
    path = gdfast.trajectory(problem, rule, STARTS[0], RATES[0], 1000)
    assert (path.attrs["outcome"], path.attrs["basin"]) == ("global_minimum", 0)


def test_results_side_by_side_tell_what_each_found(sweep):
    together = gdfast.run_over({"place": [0, 2]}, lambda place: sweep.replace(starts=STARTS[place : place + 1]))
    found = json.loads(together.attrs["found_minima"])
    assert [len(each) for each in found] == [1, 0]


def test_the_command_line_says_so(tmp_path):
    loss = "(x-1)**2/10 - 300*exp(-(x-20.3711)**2*1e6)"
    line = ["sweep", "--loss", loss, "--start", "x=-29.629:170.371:5", "--optimizer", "gd", "--lr", "1e-10:1e-8:5"]
    told = CliRunner().invoke(cli.app, [*line, "--out", str(tmp_path / "a.zarr")]).output
    assert "a minimum lower than all that were known was found and judged with: loss -262.4" in told
    assert "x = 20.3711" in told


def test_a_result_that_tells_minima_otherwise_is_refused(result):
    for wrong in ("[", "3", '[["a", 1, 2]]', "[[1.0]]", 3):
        told = result.assign_attrs(found_minima=wrong)
        cases.refused(lambda told=told: gdfast.analysis.found_minima(told), ValueError, "found_minima")
    (sentence,) = gdfast.analysis.found_minima(result)
    assert "loss -245.2" in sentence
    assert "x = 20.371" in sentence
