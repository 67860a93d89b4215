"""One page: what it is told as data, and the file."""

import functools
import html
import inspect
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from gdfast import arguments, literals, notation, outputs, theory
from gdfast.formulas.javascript import Script
from gdfast.live.limits import limits_of, representative_of
from gdfast.live.pairs import formulas_of
from gdfast.live.step_tables import Knob, Table
from gdfast.live.texts import columns_of, engine, landscape_text, optimizer_text, tables_of, text
from gdfast.named import Named
from gdfast.optimizers import Optimizer
from gdfast.plot.style import BASIN_COLOURS, OUTCOME_COLOURS
from gdfast.problems import Problem
from gdfast.theory import closed
from gdfast.tiles.outcomes import Outcome
from gdfast.tiles.sweep import Sweep

_MOST_MINIMA, _MOST_LIMITS = 200, 6
MOST_OPTIMIZERS, _MOST_STEPS = 12, 20_000


@dataclass(frozen=True)
class Live:
    """A page that runs a landscape and rules in the browser; notebooks show it.

    Attributes
    ----------
    title : str
        Its heading.
    html : str
        The whole file, which asks for nothing else.
    """

    title: str
    html: str

    def save(self, path: str | Path) -> None:
        """Write the page.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        place = Path(path)
        outputs.check(place)
        with outputs.beside(place) as part:
            part.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        inside = html.escape(self.html, quote=True)
        name = html.escape(self.title, quote=True)
        return f'<iframe srcdoc="{inside}" title="{name}" style="width:100%;height:1500px;border:0"></iframe>'

    def __repr__(self) -> str:
        return f"<live page {self.title}, {len(self.html) / 1000:.0f} kB>"


@dataclass(frozen=True)
class Around:
    """What stands around the view: the text of a lesson, and links to others.

    Attributes
    ----------
    lesson : mapping, optional
        Its ``number``, ``count``, ``claim``, ``question`` and ``notice``.
    pages : sequence of mapping
        Links, ``href`` and ``text``.
    subject : str, optional
        The problem as options of a command line; None where it cannot be told so.
    view : mapping
        ``map``, ``by`` and ``of``: what the map shows at first, in which colours, and for which optimizer.
    """

    lesson: Mapping[str, Any] | None = None
    pages: Sequence[Mapping[str, str]] = ()
    subject: str | None = None
    view: Mapping[str, Any] | None = None


def page(sweep: Sweep, learning_rate: float, start: Sequence[float], title: str, around: Around) -> Live:
    """Make the page of a sweep's problem and optimizers.

    Parameters
    ----------
    sweep : Sweep
        Its learning rates are the range of maps, its budget that of trajectories.
    learning_rate, start
        Where the page begins.
    title : str
        Its heading.
    around : Around
        What else stands on it.

    Raises
    ------
    ValueError
        If the problem is no landscape of one or two coordinates, or there are too many optimizers or steps.
    """
    problem = sweep.problem
    formulas_of(problem)
    for optimizer in sweep.optimizers:
        if optimizer.steps:
            raise ValueError(
                f"optimizers: {optimizer.label} asks for functions of whole vectors, such as losses at other points, "
                "which pages do not run; take one whose rule is of one coordinate"
            )
    if len(sweep.optimizers) > MOST_OPTIMIZERS:
        raise ValueError(f"optimizers must be at most {MOST_OPTIMIZERS} in a page, not {len(sweep.optimizers)}")
    if sweep.max_steps > _MOST_STEPS:
        raise ValueError(f"max_steps must be at most {_MOST_STEPS:,} in a page, not {sweep.max_steps:,}")
    tables = tables_of(problem, sweep.optimizers, sweep.max_steps)
    data = _data(sweep, tables, learning_rate, start, around)
    pairs = [optimizer_text(problem, o, t) for o, (t, _) in zip(sweep.optimizers, tables, strict=True)]
    lines = [_line(o, t) for o, (t, _) in zip(sweep.optimizers, tables, strict=True)]
    program = "\n".join(
        [
            engine(),
            f"const DATA = {json.dumps(data, ensure_ascii=False, allow_nan=False)};".replace("</", "<\\/"),
            f"const LANDSCAPE = {landscape_text(problem)};",
            f"const REPRESENTATIVE = {representative_of(problem)};",
            f"const PAIRS = [{', '.join(pairs)}];",
            f"const LINES = [{', '.join(lines)}];",
            text("maps.js"),
        ]
    )
    made = (
        environment()
        .get_template("live.html.j2")
        .render(
            title=title,
            lead=_lead(problem),
            lesson=around.lesson,
            pages=around.pages,
            dimension=problem.dimension,
            budget=f"{sweep.max_steps:,}",
            program=program,
            script="\n".join(map(text, ("draw.js", "page.js", "moves.js"))),
        )
    )
    return Live(title, made)


@functools.cache
def environment() -> jinja2.Environment:
    """The templates, with the style that they share."""
    names = ("live.html.j2", "gallery.html.j2")
    made = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=jinja2.DictLoader({n: text(n) for n in names})
    )
    made.globals.update(style=text("live.css"))
    return made


def _lead(problem: Problem) -> str:
    """What the problem is, in a sentence: that of its docstring, unless this tells how problems are made of a text."""
    told = problem.parameters
    if "expression" in told:
        params = ", ".join(f"{name} = {literals.write(value)}" for name, value in (told.get("params") or {}).items())
        return f"The loss {told['expression']}{params and f', where {params}'}."
    if isinstance(told.get("problem"), Problem):
        return f"{_lead(told['problem'])} It is upside down here, so that optimizers climb."
    words = inspect.getdoc(problem.make) if problem.make is not None else None
    return words.splitlines()[0] if words else f"The loss {problem.label}."


def _data(
    sweep: Sweep, tables: Sequence[tuple[Table, Any]], learning_rate: float, start: Sequence[float], around: Around
) -> dict[str, Any]:
    problem, view = sweep.problem, around.view or {}
    tolerance, divergence = sweep.scaled_tolerances
    rates = sweep.group_rates[0]
    minima = _minima(problem)
    limits = _limits(problem, sweep.optimizers, minima)
    return {
        "coordinates": list(problem.coordinates),
        "domain": problem.domain.tolist(),
        "rates": [float(rates.min()), float(rates.max())],
        "eta": float(learning_rate),
        "start": [float(x) for x in start],
        "map": view.get("map", "rate-start"),
        "by": view.get("by", "outcome"),
        "of": int(view.get("of", 0)),
        "tolerance": sweep.loss_tolerance or 1e-6,
        "task": {
            "d": problem.dimension,
            "budget": sweep.max_steps,
            "tolerance": tolerance,
            "divergence": divergence,
            "limits": limits_of(sweep),
        },
        "minima": minima,
        "colours": [OUTCOME_COLOURS[o] for o in Outcome],
        "basin_colours": BASIN_COLOURS,
        "subject": around.subject if all(o.make is not None for o in sweep.optimizers) else None,
        "optimizers": [
            {
                "label": optimizer.label,
                "unit": optimizer.unit,
                "parts": _parts(optimizer, table),
                "knobs": [_knob(knob, optimizer) for knob in table.knobs],
                "limits": limits[k],
                **columns_of(table, own),
            }
            for k, (optimizer, (table, own)) in enumerate(zip(sweep.optimizers, tables, strict=True))
        ],
    }


def _minima(problem: Problem) -> list[dict[str, Any]]:
    found = []
    for minimum in problem.minima[:_MOST_MINIMA]:
        with np.errstate(all="ignore"):
            bend = problem.hessian(np.array(minimum.point)[:, None])[..., 0]
        curvature = float(np.linalg.eigvalsh(bend)[-1]) if np.isfinite(bend).all() else 0.0
        found.append({"point": list(minimum.point), "loss": minimum.loss, "curvature": max(curvature, 0.0)})
    return found


def _limits(problem: Problem, optimizers: Sequence[Optimizer], minima: Sequence[Mapping[str, Any]]) -> Any:
    """Of each optimizer as it is, the largest rates at which minima attract; None where nothing is told."""
    if len(problem.minima) <= _MOST_LIMITS and problem.minima:
        table = theory.limits(problem, optimizers).to_numpy()
    else:
        few = [m["curvature"] for m in minima[:_MOST_LIMITS]]
        table = np.array([[theory.limit(o, c) if c > 0 else math.nan for c in few] for o in optimizers], dtype=float)
        told = np.full((len(optimizers), len(minima)), math.nan)
        told[:, : len(few)] = table.reshape(len(optimizers), len(few))
        table = told
    units = np.array([o.unit for o in optimizers])[:, None]
    return [[value if math.isfinite(value) else None for value in row] for row in (table / units).tolist()]


def _line(optimizer: Optimizer, table: Table) -> str:
    """The limit of an optimizer as a function of a curvature and its hyperparameters, where there is a formula."""
    if optimizer.schedule or optimizer.transforms or optimizer.make is None:
        return "null"
    script = Script()
    at = {knob.name: script.argument(f"p[{i}]") for i, knob in enumerate(table.knobs)}
    curvature = script.argument("curvature")
    forms: dict[str, Any] = {
        "gd": lambda: _plain(closed.gd)(curvature),
        "momentum": lambda: _plain(closed.heavy_ball)(curvature, at["momentum"]) / (1.0 - at["dampening"]),
        "nesterov": lambda: _plain(closed.nesterov)(curvature, at["momentum"]),
        "qhm": lambda: _plain(closed.qhm)(curvature, at["momentum"], at["nu"]),
    }
    if optimizer.name not in forms:
        return "null"
    result = forms[optimizer.name]().text
    return f"(curvature, p) => {{\n{script.body()}  return {result};\n}}"


def _plain(form: Any) -> Any:
    """A formula of theory without the check of its arguments."""
    return inspect.unwrap(form)


def _parts(optimizer: Optimizer, table: Table) -> list[dict[str, Any]]:
    """The rule, the schedule and the transforms: their names, and what of them cannot be moved and is not usual."""
    told = []
    schedules = [(1, part) for part in getattr(optimizer.schedule, "schedules", (optimizer.schedule,)) if part]
    for number, part in [(0, optimizer), *schedules, *enumerate(optimizer.transforms, start=2)]:
        moved = {knob.name for knob in table.knobs if knob.part == number}
        usual = _usual(part)
        fixed = [
            f"{name}={literals.write(value)}"
            for name, value in part.parameters.items()
            if name not in moved and name in usual and value != usual[name] and not isinstance(value, Named)
        ]
        told.append({"number": number, "name": part.name, "fixed": fixed})
    return told


def _usual(part: Named) -> dict[str, Any]:
    if part.make is None:
        return {}
    return {name: p.default for name, p in inspect.signature(part.make).parameters.items()}


def _knob(knob: Knob, optimizer: Optimizer) -> dict[str, Any]:
    """A hyperparameter as a slider: its scale, and how far that goes."""
    part = (optimizer, optimizer.schedule, *optimizer.transforms)[knob.part]
    assert part is not None
    low, high = knob.accepted.low, knob.accepted.high
    usual = _usual(part).get(knob.name, knob.value)
    told = {
        "part": knob.part,
        "name": knob.name,
        "label": knob.name if knob.part == 0 else f"{part.name}: {knob.name}",
        "value": knob.value,
        "usual": float(usual) if isinstance(usual, int | float) else None,
        "whole": knob.whole,
        "open": knob.accepted.high_open,
        "least": max(low, -1e300) if not knob.accepted.low_open else max(low + 1e-300, -1e300),
        "most": min(high, 1e300),
    }
    if knob.whole:
        return {**told, "scale": "linear", "low": 1, "high": max(10, 4 * int(knob.value))}
    if math.isfinite(low) and math.isfinite(high):
        if (low, high) == (0, 1) and knob.accepted.high_open:
            decades = max(4, math.ceil(-math.log10(1 - knob.value)) + 1)
            return {**told, "scale": "near1", "low": 0, "high": 1, "decades": decades}
        return {**told, "scale": "linear", "low": low, "high": high}
    if low < 0 or knob.value <= low:
        size = max(1.0, 2 * abs(knob.value))
        return {**told, "scale": "linear", "low": max(low, -size), "high": min(high, size)}
    return {
        **told,
        "scale": "log",
        "low": knob.value / 1e3 if low <= 0 else max(low, knob.value / 1e3),
        "high": min(high, max(knob.value * 1e3, 1.0)),
        "zero": low == 0 and not knob.accepted.low_open,
    }


def made(
    problem: Any,
    optimizers: Any,
    learning_rates: Any = None,
    *,
    learning_rate: float | None = None,
    start: Any = None,
    max_steps: int = 1000,
    title: str | None = None,
    subject: str | None = None,
    around: Around | None = None,
) -> Live:  # the arguments of `gdfast.live`, and what commands and lessons add
    """Make a page: `gdfast.live`, which tells of the arguments; `subject` is the problem as options of a command."""
    rules = [optimizers] if isinstance(optimizers, str) or not isinstance(optimizers, Sequence) else [*optimizers]
    whole = Sweep(problem, rules, [1.0], max_steps=max_steps)
    problem = whole.problem
    formulas_of(problem)
    rates, rate, at = usual_view(problem)
    if learning_rates is not None:
        rates = rate_range("learning_rates", learning_rates)
        rate = float(f"{(rates[0] * rates[1]) ** 0.5:.2g}")
    if learning_rate is not None:
        rate = arguments.number("learning_rate", learning_rate, arguments.POSITIVE)
    at = at if start is None else _start(problem, start)
    heading = f"{problem.label}: {', '.join(o.label for o in whole.optimizers)}"
    heading = heading if title is None else arguments.text("title", title)
    placed = replace(around or Around(), subject=subject or _subject(problem))
    return page(whole.replace(learning_rates=[*rates]), rate, at, heading, placed)


def _subject(problem: Problem) -> str | None:
    """The problem as an option of a command line, its domain with it; None for those of Python alone."""
    try:
        return f"--problem {shlex.quote(notation.written(problem))}"
    except (TypeError, ValueError):
        return None


def usual_view(problem: Problem) -> tuple[tuple[float, float], float, list[float]]:
    """Range of learning rates, learning rate and start of a problem, where none are given."""
    curved = [m["curvature"] for m in _minima(problem) if m["curvature"] > 0]
    # Where nothing is known of minima, gradients as they are and how far it is tell a curvature: that of a parabola.
    across = float(np.ptp(problem.domain, axis=1).max())
    edge = 2.0 / max(curved) if curved else across / (2.0 * problem.gradient_scale)
    low, high = (float(f"{edge * factor:.1g}") for factor in (1e-3, 20.0))
    shares = (0.75,) if problem.dimension == 1 else (0.2, 0.8)
    start = [a + (b - a) * s for (a, b), s in zip(problem.domain.tolist(), shares, strict=True)]
    return (low, high), float(f"{0.3 * edge:.2g}"), [float(f"{x:.3g}") for x in start]


def _start(problem: Problem, start: Any) -> list[float]:
    """A start, as a list of a number a coordinate."""
    point = np.atleast_1d(arguments.finite("start", start, f"({problem.dimension},)"))
    if point.shape != (problem.dimension,):
        raise ValueError(f"start must have a number for each of {', '.join(problem.coordinates)}, not {point.shape}")
    return [float(x) for x in point]


def rate_range(argument: str, told: Any) -> tuple[float, float]:
    """Return the lowest and the highest learning rate of a map.

    Raises
    ------
    TypeError, ValueError
        If they are none.
    """
    accepted = f"{argument} must be the lowest and the highest, low:high, both positive"
    values = told
    if isinstance(told, str):
        try:
            values = [float(each) for each in told.split(":")]
        except ValueError:
            raise ValueError(f"{accepted}, not {arguments.shown(told)}") from None
    ends = arguments.array(argument, values, "(2,)")
    if ends.shape != (2,) or not 0 < ends[0] < ends[1] < math.inf:
        raise ValueError(f"{accepted}, not {arguments.shown(told)}")
    return float(ends[0]), float(ends[1])
