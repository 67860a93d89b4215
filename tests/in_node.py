"""Trajectories in Node, by the program that pages have, beside those of the reference."""

import json
import shutil
import subprocess

import numpy as np
import pytest

import gdfast
from gdfast.live import limits, texts
from gdfast.live.step_tables import table_of

NODE = shutil.which("node")

_RUN = """
const fs = require("fs"), task = GIVEN;
const limits = unpacked(task.limits), columns = PAIRS.map((_, k) => unpacked(task.columns[k]));
limits.representative = REPRESENTATIVE;
const out = [];
PAIRS.forEach((steps, k) => {
  const pair = { ...LANDSCAPE, ...steps };
  const runner = new Runner(pair, { ...task, limits, table: columns[k] });
  task.rates[k].forEach((rate, i) => task.starts.forEach((start, j) => {
    const end = runner.run(start[0], start[1], rate, i * task.starts.length + j);
    out.push([end.outcome, end.ending, end.steps, end.basin, end.period, end.loss, ...end.theta]);
  }));
});
fs.writeFileSync(1, Buffer.from(Float64Array.from(out.flat()).buffer));
"""


def needs_node():
    if NODE is None:
        pytest.skip("no node on this machine: apt-get install nodejs")


def node(script, given=None):
    """What a script writes, as bytes, in which ``GIVEN`` is this."""
    needs_node()
    text = f"const GIVEN = {json.dumps(given)};\n{script}"
    run = subprocess.run([NODE, "-"], input=text.encode(), capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    return run.stdout


def trajectories(sweep):
    """Outcome, ending, steps, basin, period, loss and end point of each trajectory of a sweep, in Node."""
    problem, pairs, columns = sweep.problem, [], []
    for optimizer in sweep.optimizers:
        own = texts.own_table(optimizer, problem, sweep.max_steps, sweep.dtype)
        pairs.append(texts.optimizer_text(problem, optimizer, table_of(optimizer, own), sweep.dtype))
        columns.append(limits.packed(own))
    tolerance, divergence = sweep.scaled_tolerances
    rates = [(sweep.group_rates[0] * o.unit).astype(sweep.dtype).astype(float).tolist() for o in sweep.optimizers]
    task = {
        "d": problem.dimension, "budget": sweep.max_steps, "tolerance": tolerance, "divergence": divergence,
        "limits": limits.limits_of(sweep), "columns": columns, "rates": rates, "starts": sweep.starts.tolist(),
    }  # fmt: skip
    script = (
        f"{texts.engine()}\nconst LANDSCAPE = {texts.landscape_text(problem, sweep.dtype)};\n"
        f"const REPRESENTATIVE = {limits.representative_of(problem)};\nconst PAIRS = [{', '.join(pairs)}];\n{_RUN}"
    )
    got = np.frombuffer(node(script, task))
    return got.reshape(*sweep.shape, 6 + problem.dimension)


def differing(sweep, backend="numpy"):
    """In how many trajectories each quantity differs from the reference's, or the kernel's."""
    expected = gdfast.run(sweep, backend=backend, keep_theta=True, progress=False, workers=1)
    got = trajectories(sweep)
    names = ["outcome", "ending", "steps", "basin", "period", "loss"]
    told = {name: np.asarray(expected[name].values, float) for name in names}
    differ = {name: int((~_same(got[..., j], told[name])).sum()) for j, name in enumerate(names)}
    differ["theta"] = int((~_same(got[..., 6:], expected.theta.values)).any(axis=-1).sum())
    return differ


def _same(a, b):
    return (a == b) | (np.isnan(a) & np.isnan(b))
