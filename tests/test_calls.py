"""No call with wrong arguments ends in anything but a result or one sentence that names the argument."""

import contextlib
import inspect
import random
import signal
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import calls
import numpy as np
import pytest

import gdfast
from gdfast import analysis, executors, measures, optimizers, plot, problems, schedules, theory, transforms

PACKAGE = Path(gdfast.__file__).parent
LONGEST = 700  # characters of a sentence
HANG = 60  # seconds

# What `test_every_public_function_is_called_wrongly` leaves out, and why.
ELSEWHERE = {
    "dask",  # waits for a cluster: test_executors
    "of",  # takes what the command line has checked
    "parity",  # takes nothing
    "libraries",  # nor does it
    "chained",  # takes any number of schedules; `calls` has it with two
    "debiasing",  # a part of rules
    "named",  # a decorator
}


class Hang(BaseException):
    """A call does not end."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """End what hangs."""

    def late(*_: Any) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fault(wrong: calls.Wrong) -> str | None:
    """What is wrong with the answer to a call: None for a result, and for one sentence that names an argument."""
    try:
        with warnings.catch_warnings(), bounded():
            warnings.simplefilter("error")
            wrong.call()
    except (TypeError, ValueError) as error:
        message, frame = str(error), traceback.extract_tb(error.__traceback__)[-1]
        if message == calls.OWN_ERROR or wrong.calls_a_stranger:
            return None
        where = f"{Path(frame.filename).name}:{frame.lineno}: {type(error).__name__}: {message[:LONGEST]!r}"
        if PACKAGE not in Path(frame.filename).parents or not (frame.line or "").lstrip().startswith("raise "):
            return f"is not raised by gdfast: {where}"
        if not message.isprintable() or len(message) > LONGEST:
            return f"is not one short line: {where}"
        return (
            None
            if any(name.removesuffix("s") in message for name in wrong.arguments)
            else f"names no argument: {where}"
        )
    except OSError as error:  # of a path that does not exist
        return None if str(error) else "is an OSError without a word"
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"is {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {str(error)[:200]!r}"
    return "is a result, though the argument is a flag" if wrong.no_flag else None


def faults(wrong_calls: list[calls.Wrong]) -> str:
    """All faults, a line each."""
    told = [(wrong, fault(wrong)) for wrong in wrong_calls]
    return "\n".join(f"{w.function}({w.argument}={w.value}) {what}" for w, what in told if what)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # stores are written where a text was given as their path


@pytest.mark.slow
def test_a_wrong_value_for_each_argument_of_each_function_gets_one_sentence():
    drawn: dict[tuple[str, str], list[calls.Wrong]] = {}
    for wrong in calls.wrong_calls():
        drawn.setdefault((wrong.function, wrong.argument), []).append(wrong)
    rng = random.Random(13)
    sample = [wrong for several in drawn.values() for wrong in rng.sample(several, 2)]
    assert len(sample) > 1000
    assert not (found := faults(sample)), found


@pytest.mark.slow
def test_every_wrong_value_for_each_argument_of_each_function_gets_one_sentence():
    assert not (found := faults(list(calls.wrong_calls()))), found


def test_every_call_is_accepted_before_it_is_made_wrong():
    for call in calls.calls():
        call.function(**call.valid)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", ["problem", "optimizer", "optimizers"])
def test_wherever_a_problem_or_an_optimizer_is_wanted_its_text_and_its_factory_will_do(name):
    catalogue = problems if name == "problem" else optimizers
    refused, count = [], 0
    for call in calls.calls():
        thing = call.valid.get(name)
        if not isinstance(thing, problems.Problem | optimizers.Optimizer) or thing.name not in catalogue.CATALOGUE:
            continue
        if call.function in (gdfast.check_gradient, gdfast.gradient_flow):  # parts of problems, which know no texts
            continue
        for other in (thing.label, catalogue.CATALOGUE[thing.name]):
            count += 1
            try:
                call.function(**{**call.valid, name: other})
            except (TypeError, ValueError) as error:
                refused.append(f"{call.function.__qualname__}({name}={other!r}): {error}")
    assert count
    assert not refused, "\n".join(refused)


def test_every_public_function_is_called_wrongly():
    called = {inspect.unwrap(getattr(call.function, "__func__", call.function)) for call in calls.calls()}
    called |= {analysis.at_rates, gdfast.data.load, gdfast.tidy_pieces}  # under another name: lazy, or an alias
    for module in (gdfast, analysis, plot, theory, problems, optimizers, schedules, transforms, measures, executors):
        names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
        for name in names:
            function = getattr(module, name)
            ours = inspect.isfunction(function) and inspect.getmodule(function).__name__.startswith(module.__name__)
            if ours and name not in ELSEWHERE and module is not executors:
                assert inspect.unwrap(function) in called, f"{module.__name__}.{name}"


@pytest.mark.parametrize("problem", calls.PROBLEMS, ids=lambda problem: problem.name)
def test_one_point_is_a_vector_and_other_shapes_are_refused(problem):
    d = problem.dimension
    theta = np.linspace(0.1, 0.9, d)
    for name in ("loss", "gradient", "hessian", "objective", "judge", "predict"):
        if method := getattr(problem, name, None):
            for one, column in zip(np.atleast_1d(method(theta)), np.atleast_1d(method(theta[:, None])), strict=True):
                np.testing.assert_array_equal(one, column)
            for wrong in (np.zeros(d + 1), np.zeros((d + 1, 2)), np.zeros((d, 2, d + 1)), [[0.0]] * (d + 1)):
                with pytest.raises(ValueError, match=rf"theta must have shape \({d}, n\)"):
                    method(wrong)
            assert len(np.atleast_1d(method(np.zeros((d, 0))))) >= 0
