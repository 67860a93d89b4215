"""How notebooks show problems, optimizers and sweeps: in a few words, with the formula and a small picture.

Results are shown by xarray, figures by matplotlib, films by themselves. `register` is called by the package where
IPython runs it; what is shown is only made when it is shown.
"""

import base64
import html
import inspect
import io
from typing import Any

_DPI, _SIZE = 80, (3.0, 2.2)


def register(shell: Any) -> None:
    """Tell an IPython shell how things are shown."""
    formatter = shell.display_formatter.formatters["text/html"]
    for module, name, shown in (
        ("gdfast.problems._problem", "Problem", problem),
        ("gdfast.optimizers._optimizer", "Optimizer", optimizer),
        ("gdfast.tiles.sweep", "Sweep", sweep),
    ):
        formatter.for_type_by_name(module, name, shown)


def problem(thing: Any) -> str:
    """A problem: what it is, where, its minima, and, of one or two coordinates, its landscape."""
    facts = {"coordinates": _named(thing.coordinates)}
    if thing.dimension <= 3:
        facts["domain"] = " × ".join(f"[{low:g}, {high:g}]" for low, high in thing.domain)
        facts["minima"] = _minima(thing)
    return _card(thing.label, _first_line(thing), facts, picture(thing))


def optimizer(thing: Any) -> str:
    """An optimizer: its rule in words, its hyperparameters, its default learning rate."""
    facts = {
        "hyperparameters": ", ".join(f"{name} = {value}" for name, value in thing.parameters.items()) or "none",
        "default learning rate": f"{thing.learning_rate:g}",
        "state": ", ".join(thing.state) or "none",
        "each step asks for": thing.cost,
    }
    return _card(thing.label, _first_line(thing), facts, "")


def sweep(thing: Any) -> str:
    """A sweep: how large it is, over what, and the problem's landscape."""
    rates = thing.learning_rates
    labels = thing.labels
    facts = {
        "trajectories": f"{thing.size:,} of at most {thing.max_steps:,} steps",
        "optimizers": f"{len(labels):,}: {', '.join(labels[:6])}{', …' if len(labels) > 6 else ''}",
        "learning rates": f"{len(rates):,} from {rates.min():.4g} to {rates.max():.4g}",
        "starts": f"{len(thing.starts):,}",
    }
    return _card(f"sweep of {thing.problem.label}", "", facts, picture(thing.problem))


def _first_line(thing: Any) -> str:
    text = inspect.getdoc(thing.make) if thing.make is not None else None
    return text.splitlines()[0] if text else ""


def _named(names: Any) -> str:
    return f"{len(names):,}: {', '.join(names[:6])}{', …' if len(names) > 6 else ''}"


def _minima(thing: Any) -> str:
    told = [f"{p.loss:.4g} at ({', '.join(f'{x:.4g}' for x in p.point)})" for p in thing.minima if p.point]
    return ("; ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")) or "none known"


def picture(thing: Any) -> str:
    """The landscape of one or two coordinates as a small PNG in base64; empty where there is none to be drawn."""
    from gdfast.problems import Landscape

    if thing.dimension > 2 or not isinstance(thing, Landscape):
        return ""
    from gdfast.plot import trajectory
    from gdfast.plot.look import apart

    (low, high), *_ = thing.domain.tolist()
    import numpy as np

    with apart(), np.errstate(all="ignore"):
        extent = None
        if thing.dimension == 1:
            losses = thing.loss(np.linspace(low, high, 200)[None])
            losses = losses[np.isfinite(losses)]
            if not losses.size or not np.ptp(losses):
                return ""
            margin = 0.05 * float(np.ptp(losses))
            extent = (low, high, float(losses.min()) - margin, float(losses.max()) + margin)
        ax = trajectory({}, thing, extent=extent, size=_SIZE)
        buffer = io.BytesIO()
        figure: Any = ax.figure
        figure.savefig(buffer, format="png", dpi=_DPI)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _card(title: str, words: str, facts: dict[str, str], picture: str) -> str:
    left = "text-align:left"
    rows = "".join(
        f"<tr><th style='{left}'>{html.escape(name)}</th><td style='{left}'>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    image = f"<img src='data:image/png;base64,{picture}' alt='{html.escape(title, quote=True)}'>" if picture else ""
    said = f"<div>{html.escape(words)}</div>" if words else ""
    return (
        f"<div style='display:flex;gap:1.5em;align-items:center'>{image}<div><b>{html.escape(title)}</b>{said}"
        f"<table>{rows}</table></div></div>"
    )


__all__ = ["picture", "register"]
