"""What is told while a sweep runs."""

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.running import progress


def test_progress_is_told_to_a_callable():
    calls = []
    sweep = gdfast.Sweep(
        problems.quartic(),
        optimizers.gd(),
        np.logspace(-3, 0, 50),
        problems.quartic().grid(50),
        50,
        tile_size=1000,
    )
    gdfast.run(sweep, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (2500, 2500)
    assert len(calls) == 3


def test_a_line_of_progress_counts_from_what_was_there_before(monkeypatch, capsys):
    clock = iter([0.0, 0.0, 40.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    report = progress._lines()
    report(progress.State(1000, 9000, 0, 8, 1.0))
    report(progress.State(3000, 9000, 2, 8, 1.0))
    line = capsys.readouterr().err
    assert "3,000 of 9,000 trajectories, 50 a second, 2 of 8 tiles" in line
    assert "120 s left" in line
