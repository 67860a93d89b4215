"""Public functions with arguments that they accept, and values that almost none of them does: for `test_calls`."""

import datetime
import decimal
import fractions
import functools
import inspect
import math
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure

import gdfast
from gdfast import (
    analysis,
    data,
    executors,
    measures,
    optimizers,
    plot,
    problems,
    schedules,
    starts,
    theory,
    transforms,
)


class Call(NamedTuple):
    """A function by its name, with arguments by theirs."""

    name: str
    function: Callable[..., Any]
    valid: dict[str, Any]


OWN_ERROR = "the user's function says no"
QUARTIC, PLANE = problems.quartic(), problems.himmelblau()
NETWORK = problems.mlp((2, 2, 1), points=4)
CLASSES = problems.mlp((2, 2, 2), loss="cross_entropy", points=4)
TABLE = data.load(([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0], [3.0, 1.0]], [0.0, 1.0, 1.0, 0.0]))
FRAME = pd.DataFrame({"a": [1.0, None, 3.0], "k": ["u", "v", "u"], "y": [1.0, 2.0, 4.0]})
LINEAR = problems.linear_regression(data=TABLE)
SOFTMAX = problems.softmax_regression(data=TABLE, validation=0.5)
PROBLEMS = [
    QUARTIC,
    PLANE,
    problems.rastrigin(dimension=9),
    problems.from_expression("x**2 + y**2"),
    problems.drawn(),
    LINEAR,
    problems.logistic_regression(data=TABLE),
    SOFTMAX,
    NETWORK,
    CLASSES,
    problems.from_model(),
    problems.from_model("a*w0 + b", data=TABLE, loss="logistic", validation=0.5),
]
"""One of each class of problems."""


@functools.cache
def results() -> dict[str, Any]:
    """Results and paths that functions accept."""
    pair = [optimizers.gd(), optimizers.momentum()]
    line = gdfast.Sweep(
        QUARTIC, pair, np.geomspace(1e-3, 1, 4), np.linspace(-2, 2, 5)[:, None], 20, history="loss,sharpness:8"
    )
    plane = gdfast.Sweep(PLANE, optimizers.gd(), [0.005], PLANE.grid(3), 20)
    run = functools.partial(gdfast.run, backend="numpy", progress=False)
    store = f"{tempfile.mkdtemp()}/plane.zarr"
    line, plane = run(line, keep_theta=True), run(plane, store=store)
    return {
        "store": store,
        "line": line,
        "one": line.isel(optimizer=[0]),
        "plane": plane,
        "difference": analysis.delta(line.isel(optimizer=[0]), line),
        "costs": analysis.costs({"quartic": line}),
        "paths": {"gd": gdfast.trajectory(QUARTIC, optimizers.gd(), 1.0, 0.01, 5)},
        "image": np.random.default_rng(0).normal(size=(64, 64)),
    }


def sweep(**changes: Any) -> gdfast.Sweep:
    """A small sweep."""
    arguments = {"problem": QUARTIC, "optimizers": optimizers.gd(), "learning_rates": [0.1, 0.2], "starts": [[1.0]]}
    return gdfast.Sweep(**{**arguments, "max_steps": 3} | changes)


@functools.cache
def nasty() -> dict[str, Any]:
    """Values of wrong kinds, sizes and shapes, by a name for each."""
    line = results()["line"]
    other_package = xarray.Dataset({"temperature": (("time", "place"), np.zeros((2, 3)))}, {"time": [1, 2]})
    return {
        "None": None,
        "True": True,
        "0": 0,
        "-1": -1,
        "3": 3,
        "2.5": 2.5,
        "nan": math.nan,
        "inf": math.inf,
        "-inf": -math.inf,
        "10**400": 10**400,
        "-10**5000": -(10**5000),
        "1e-400 exactly": fractions.Fraction(1, 10**400),
        "Decimal": decimal.Decimal("0.5"),
        "1j": 1j,
        "numpy.float64": np.float64(0.5),
        "numpy.float32 nan": np.float32(math.nan),
        "numpy.int64": np.int64(2),
        "numpy.bool": np.bool_(False),
        "array of no axis": np.array(0.5),
        "empty text": "",
        "no": "no",
        "two lines": "a\nb\x1b[31m",
        "5000 letters": "x" * 5000,
        "bytes": b"adam",
        "[]": [],
        "()": (),
        "{}": {},
        "[None]": [None],
        "['a']": ["a"],
        "[nan]": [math.nan],
        "[10**400]": [10**400],
        "ragged": [[1.0, 2.0], [3.0]],
        "(0, 2)": np.empty((0, 2)),
        "(2, 3, 4)": np.zeros((2, 3, 4)),
        "three negative": [[-1.0, -2.0, -3.0]],
        "complex array": np.array([1j, 2.0]),
        "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
        "object array": np.array([object(), None], dtype=object),
        "set": {1, 2},
        "mapping": {"a": 1, 2: None},
        "mapping of None": {"gd": None},
        "generator": (i for i in range(3)),
        "range": range(0),
        "object": object(),
        "class": int,
        "function": lambda *_, **__: None,
        "function that raises": _raises,
        "module": math,
        "path": pathlib.Path("nowhere/at all"),
        "date": datetime.date(2020, 1, 1),
        "sweep": sweep(),
        "problem": PLANE,
        "optimizer": optimizers.adam(),
        "factory": optimizers.adam,
        "schedule": schedules.cosine(),
        "starts": starts.Starts(np.zeros((2, 1)), {"seed": [0, 1]}),
        "table": pd.DataFrame({"a": ["b", None]}),
        "no Dataset's variables": xarray.Dataset(),
        "Dataset of others": other_package,
        "DataArray": line.outcome,
        "result without outcomes": line.drop_vars("outcome"),
        "result without steps": line.drop_vars("steps"),
        "result without attributes": line.drop_attrs(),
        "result without coordinates": line.drop_vars(line.coords),
        "result of nothing": line.isel(start=slice(0, 0)),
        "result of one cell": line.isel(optimizer=0, learning_rate=0, start=0),
        "result squeezed": line.isel(optimizer=[0], start=[2]).squeeze(),
        "result with NaN": line.assign(loss=line.loss * math.nan),
        "result with a dimension more": xarray.concat([line, line], "batch_size"),
        "result stacked": line.stack(cell=("learning_rate", "start")),
        "result with outcome 99": line.assign(outcome=line.outcome * 0 + 99),
        "result with loss as text": line.assign(outcome=line.outcome.astype(str), steps=line.steps.astype(str)),
        "mapping to results": {"a": line},
        "mapping to a broken result": {"a": line.drop_vars("outcome")},
    }


ODD_FIGURES = {plot.race, plot.animate_map, plot.maps, plot.basin_map, plot.lr_sensitivity, plot.history_map}
"""Figures whose arguments are others than those that most take under these names."""


def _usual(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments of a figure by the names of its parameters; what has another name must have a default."""
    made, rates = results(), {"gd": 0.1, "momentum": 0.1}
    values = {
        "result": made["line"],
        "results": {"a": made["line"]},
        "difference": made["difference"],
        "paths": made["paths"],
        "problem": QUARTIC,
        "optimizer": "gd",
        "ax": None,
        "x": "learning_rate",
        "y": "start",
        "rates": "default",
        "defaults": rates,
        "figure": Figure(),
        "present": {1, 2},
        "extent": (-1.0, 1.0, -1.0, 1.0),
        "above": 0.0,
    }
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return {p.name: values.get(p.name, p.default) for p in parameters}


def _at_rates(**arguments: Any) -> Any:
    return list(analysis.at_rates(**arguments))


def _pieces(**arguments: Any) -> Any:
    return list(gdfast.tidy_pieces(**arguments))


def _raises(*_: Any, **__: Any) -> None:
    raise ValueError(OWN_ERROR)


def calls() -> list[Call]:
    """Every public function, each with arguments that it accepts."""
    made = results()
    line, one, axes = made["line"], made["one"], None
    point = np.full((1, 2), 0.5)
    table = [
        (gdfast.Sweep, {**_arguments_of_a_sweep()}),
        (gdfast.run, {"sweep": sweep(), "backend": "numpy", "workers": 1, "keep_theta": False, "progress": False}),
        (gdfast.run, {"sweep": sweep(), "executor": None, "store": None, "overwrite": False}),
        (
            gdfast.sweep,
            {
                "problem": QUARTIC,
                "optimizers": "gd",
                "learning_rates": [0.1],
                "starts": [0.5],
                "max_steps": 2,
                "backend": "numpy",
                "progress": False,
            },
        ),
        (gdfast.run_over, {"axes": {"budget": [3, 4]}, "make": _with_budget, "backend": "numpy"}),
        (gdfast.refine, {"sweep": sweep(), "coarse": 2, "backend": "numpy", "workers": 1}),
        (gdfast.trajectory, _arguments_of_a_trajectory()),
        (gdfast.live.live, _arguments_of_a_page()),
        (gdfast.tune, _arguments_of_a_tuning()),
        (gdfast.gradient_flow, {"problem": NETWORK, "points": NETWORK.starts(seeds=[0, 1])}),
        (gdfast.load, {"store": made["store"]}),
        (gdfast.sweep_of, {"result": line, "problem": None}),
        (gdfast.tidy, {"result": line, "history": False}),
        (_pieces, {"result": line, "rows": 8, "history": True}),
        (gdfast.check_gradient, {"problem": QUARTIC, "points": [[1.0], [2.0]], "tolerance": 1e-6}),
        (analysis.reached, {"result": line, "tolerance": [1e-2, 1e-4]}),
        (analysis.attracting, {"result": line, "sweep": None}),
        (analysis.leaves, {"result": line, "sweep": None}),
        *[
            (function, {"result": line})
            for function in (analysis.account, analysis.advice, analysis.excess, analysis.found_minima)
        ],
        (analysis.budget, {"result": line}),
        (analysis.paths, {"result": line, "problem": None}),
        (analysis.outcome_shares, {"result": line}),
        (analysis.lr_tolerance, {"result": line, "share": 0.5}),
        (analysis.best_rates, {"result": line, "of": "evaluations"}),
        (analysis.summary, {"result": line, "share": 0.5, "of": "evaluations"}),
        (analysis.best_of_k, {"result": line, "tries": [1, 2], "of": "evaluations"}),
        (analysis.delta, {"before": one, "after": line, "of": "evaluations"}),
        (analysis.transitions, {"before": one, "after": line}),
        (analysis.change_counts, {"difference": made["difference"]}),
        (analysis.nearest, {"result": line, "at": ["start=1", "learning_rate=#2"]}),
        (analysis.nearest_rates, {"result": line, "wanted": {"gd": 0.1}}),
        (
            _at_rates,
            {"result": line, "rates": "default", "defaults": {"gd": 0.1, "momentum": 0.1}, "of": "evaluations"},
        ),
        (
            analysis.steps_ecdf,
            {"result": line, "rates": "default", "defaults": {"gd": 0.1, "momentum": 0.1}, "of": "evaluations"},
        ),
        (
            analysis.costs,
            {"results": {"a": line}, "rates": "default", "defaults": {"gd": 0.1, "momentum": 0.1}, "of": "evaluations"},
        ),
        (analysis.performance_profile, {"costs": made["costs"]}),
        (plot.maps, {"result": line, "quantity": "outcome", "limits": {"gd": [0.1]}, "x": "learning_rate"}),
        (plot.maps, {"result": line, "quantity": "steps", "optimizers": ["gd"], "y": "start"}),
        (plot.maps, {"result": line, "quantity": "loss at step 3", "optimizers": ["gd"]}),
        (plot.history_map, {"result": line, "optimizer": "gd", "ax": axes, "quantity": "excess"}),
        (plot.basin_map, {"result": made["plane"], "optimizer": "gd", "ax": axes, "x": "x", "y": "y"}),
        (plot.lr_sensitivity, {"result": line, "ax": axes, "quantity": "share"}),
        *(
            (figure, _usual(figure))
            for figure in map(plot.__dict__.get, plot.__all__)
            if inspect.isfunction(figure) and figure not in ODD_FIGURES
        ),
        (plot.race, {"paths": made["paths"], "problem": QUARTIC, "frames": 3, "extent": None, "size": (4, 2)}),
        (plot.animate_map, {"result": line, "over": "step", "quantity": "loss", "x": "learning_rate", "rate": 5.0}),
        (theory.gd, {"curvature": 2.0}),
        (theory.heavy_ball, {"curvature": 2.0, "momentum": 0.9}),
        (theory.nesterov, {"curvature": 2.0, "momentum": 0.9}),
        (theory.ema_momentum, {"curvature": 2.0, "beta": 0.9}),
        (theory.qhm, {"curvature": 2.0, "momentum": 0.9, "nu": 0.7}),
        (theory.adam_frozen, {"curvature": 2.0, "beta1": 0.9}),
        (theory.limit, {"optimizer": optimizers.gd(), "curvature": 2.0}),
        (theory.mean_field, {"weight_variance": 1.5, "bias_variance": 0.1}),
        (theory.next_variance, {"variance": 0.5, "weight_variance": 1.5, "bias_variance": 0.1}),
        (theory.critical_weights, {"bias_variance": 0.1}),
        (theory.edge, {"optimizer": optimizers.adam()}),
        (theory.limits, {"problem": QUARTIC, "optimizers": [optimizers.gd()]}),
        (
            theory.spectral_radius,
            {"optimizer": optimizers.adam(), "learning_rates": [0.1], "hessian": [[2.0]], "state": {"v": 1.0}},
        ),
        (optimizers.grid, {"factory": optimizers.momentum, "momentum": [0.1, 0.2]}),
        (
            optimizers.combine,
            {"optimizers": [optimizers.gd()], "schedules": [schedules.cosine()], "transforms": [transforms.l2()]},
        ),
        (schedules.of_step, {"schedule": lambda t: 0.9**t}),
        (starts.Starts, {"points": np.zeros((2, 1)), "labels": {"seed": [0, 1]}}),
        (NETWORK.starts, {"init": "he_normal", "seeds": [0, 1], "gain": 1.0, "bias": 0.1}),
        (executors.Processes, {"count": 1}),
        (data.design, {"data": TABLE, "bias": True}),
        (data.as_numbers, {"data": TABLE}),
        (data.as_classes, {"data": TABLE, "positive": "1"}),
        (data.draw_batches, {"m": 4, "batch_size": 2, "max_steps": 3, "seed": 0, "sampling": "epochs"}),
        (problems.from_expression, {"expression": "x**2", "domain": (-1.0, 1.0), "minimum": 0.0}),
        (
            problems.from_model,
            {
                **_defaults(problems.from_model),
                "data": {"source": {"days": [1.0, 2.0], "y": [1.0, 2.0]}, "target": "y"},
            },
        ),
        (problems.Landscape, _arguments_of_a_landscape()),
        (NETWORK.predict, {"theta": np.zeros((NETWORK.dimension, 2)), "X": point}),
    ]
    found = [Call(_name(function), function, _own_axes(valid)) for function, valid in table]
    found.append(
        Call(
            "optimizers.gd().transformed",
            lambda transform: optimizers.gd().transformed(transform),
            {"transform": transforms.l2()},
        )
    )
    two = {"schedule": schedules.warmup(), "other_schedule": schedules.cosine()}  # one name in all sentences
    found.append(
        Call(
            "optimizers.gd().scheduled",
            lambda schedule: optimizers.gd().scheduled(schedule),
            {"schedule": schedules.cosine()},
        )
    )
    found.append(
        Call("schedules.chained", lambda schedule, other_schedule: schedules.chained(schedule, other_schedule), two)
    )
    history = {"quantity": "loss", "steps": 64, "spacing": "log"}
    found.append(Call("gdfast.History", lambda quantity, **how: gdfast.History(quantity, **how), history))
    found.append(Call("data.load", lambda data: gdfast.data.load(data), {"data": "iris"}))
    arrays = {"X": [[1.0], [2.0]], "y": [1.0, 2.0], "standardize": None}  # as the source says, or True
    of_arrays = Call(
        "data.load of arrays", lambda X, y, standardize: data.load((X, y), standardize=standardize), arrays
    )
    found.append(of_arrays)
    table = {
        "data": FRAME,
        "target": "y",
        "features": ["a", "k"],
        "drop": "k",
        "missing": "mean",
        "standardize": None,
    }
    found.append(Call("data.load of a table", lambda data, **told: gdfast.data.load(data, **told), table))
    for module in (optimizers, schedules, transforms, measures, problems):
        for name, factory in module.CATALOGUE.items():
            found.append(Call(f"{module.__name__}.{name}", factory, _defaults(factory)))
    for problem in PROBLEMS:
        theta = np.full((problem.dimension, 2), 0.5)
        methods = {
            **{name: {"theta": theta} for name in ("loss", "gradient", "hessian", "objective", "judge")},
            "sharpness": {"theta": theta, "preconditioner": np.ones_like(theta)},
            "sharpness_along": {"paths": theta.T[None], "preconditioner": np.ones_like(theta.T)[None]},
            **({"distance": {"theta": theta}} if "minima" in problem.provides else {}),
            **{name: {"theta": theta, "t": 1} for name in ("step_gradient", "step_objective")},
            **{
                f"step_{name.removeprefix('hessian_').removesuffix('_product')}": {"theta": theta, "way": theta, "t": 1}
                for name in ("hessian_product", "gauss_newton_product")
                if name in problem.provides
            },
            **(
                {"step_fisher": {"theta": theta, "seeds": [0.2, 0.7], "t": 1}}
                if "fisher_diagonal" in problem.provides
                else {}
            ),
            "locate": {"theta": theta, "loss": np.zeros(2), "gradient_tolerance": 1e-8},
            "random": {"n": 2, "seed": 0},
            "default_starts": {"n": 2},
            **({} if problem.dimension > 2 else {"grid": {"n": 2}}),
            "predict": {"theta": theta},
            **{name: {"theta": theta} for name in ("accuracy", "validation_accuracy", "validation_loss")},
            "layer_gradient_norms": {"theta": theta},
            "layer_signals": {"theta": theta},
            "step_sharpness": {"theta": theta, "t": 1},
        }
        told = {"accuracy", "validation_accuracy", "validation_loss"}
        for name, valid in methods.items():
            if hasattr(problem, name) and (name not in told or name in problem.provides):
                found.append(Call(f"{problem.name}.{name}", getattr(problem, name), valid))
    return found


class Wrong(NamedTuple):
    """A function called with a nasty value for one of its arguments."""

    function: str
    argument: str
    value: str
    call: Callable[[], Any]
    arguments: list[str]  # those that a message may name: this one first
    no_flag: bool  # whether the argument is True or False, and the value is not
    calls_a_stranger: bool  # whether the value is a function, which may say no by itself


def wrong_calls() -> Iterator[Wrong]:
    """For each function and each of its arguments each of the nasty values."""
    for call in calls():
        for argument, valid in call.valid.items():
            for name, value in nasty().items():
                yield Wrong(
                    call.name,
                    argument,
                    name,
                    functools.partial(call.function, **{**call.valid, argument: value}),
                    [argument, *call.valid],
                    isinstance(valid, bool) and argument != "progress" and not isinstance(value, bool | np.bool_),
                    name == "factory" and argument in ("make", "progress", "factory"),
                )


def _own_axes(valid: dict[str, Any]) -> dict[str, Any]:
    return {**valid, "ax": Figure().subplots()} if "ax" in valid else valid


def _name(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(factory).parameters.items()}


def _with_budget(budget: int) -> gdfast.Sweep:
    return sweep(max_steps=int(budget))


def _arguments_of_a_sweep() -> dict[str, Any]:
    return {
        "problem": QUARTIC,
        "optimizers": [optimizers.gd()],
        "learning_rates": [0.1, 0.2],
        "starts": [[1.0], [2.0]],
        "max_steps": 3,
        "gradient_tolerance": 1e-8,
        "divergence_limit": 1e12,
        "tile_size": None,
        "measure": None,
        "check_every": 1,
        "dtype": "float64",
        "settle": True,
        "history": "loss:2",
    }


def _arguments_of_a_trajectory() -> dict[str, Any]:
    return {
        "problem": QUARTIC,
        "optimizer": optimizers.gd(),
        "start": 1.0,
        "learning_rate": 0.1,
        "max_steps": 3,
        "gradient_tolerance": 1e-8,
        "divergence_limit": 1e12,
        "number": 0,
    }


def _arguments_of_a_page() -> dict[str, Any]:
    return {
        "problem": QUARTIC,
        "optimizers": optimizers.gd(),
        "learning_rates": "0.01:1",
        "learning_rate": 0.1,
        "start": 1.0,
        "max_steps": 3,
        "title": "mine",
    }


def _arguments_of_a_tuning() -> dict[str, Any]:
    return {
        "data": TABLE,
        "target": None,
        "problem": "linear_regression",
        "optimizers": "gd",
        "batch_sizes": [0],
        "seeds": 1,
        "max_steps": 4,
        "validation": 0.5,
    }


def _arguments_of_a_landscape() -> dict[str, Any]:
    return {
        "loss_formula": lambda x: x * x,
        "gradient_formula": lambda x: 2 * x,
        "domain": (-1.0, 1.0),
        "near": None,
        "name": "mine",
        "representative": None,
        "minimum": 0.0,
    }
