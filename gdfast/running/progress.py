"""How a run tells how far it is: a bar on a terminal or in a notebook, elsewhere now and then a line, or a callable."""

import contextlib
import html
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Callback = Callable[[int, int], None]
_LINE_EVERY = 30.0  # seconds


class State(NamedTuple):
    """How far a run is: trajectories and tiles done, of how many, and the useful share of the lane-steps so far.

    `waiting` says why nothing can be finished at present; it is empty as long as nothing is wrong.
    """

    done: int
    total: int
    tiles: int
    all_tiles: int
    useful: float
    waiting: str = ""


Report = Callable[[State], None]


@contextlib.contextmanager
def reporting(progress: bool | Callback | None) -> Iterator[Report]:
    """Give a function to be called with the state of a run whenever it changes.

    Parameters
    ----------
    progress : bool or callable, optional
        True shows a bar, False nothing, None a bar on a terminal or in a notebook for what takes over two seconds,
        elsewhere a line on standard error every half a minute. A callable is called with trajectories done and in all.
    """
    if callable(progress):
        yield _calls(progress)
    elif progress is False:
        yield lambda state: None
    elif (shell := _notebook()) is not None:
        with _cell(shell, patience=0.0 if progress else 2.0) as report:
            yield report
    elif progress or sys.stderr.isatty():
        with _bar(patience=0.0 if progress else 2.0) as report:
            yield report
    else:
        yield _lines()


def _notebook() -> Any:
    """The module by which the notebook that runs this shows things; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return importlib.import_module("IPython.display") if hasattr(shell, "kernel") else None


@contextlib.contextmanager
def _cell(display: Any, patience: float) -> Iterator[Report]:
    """Show a bar in a notebook's cell once `patience` seconds have passed, and take it away at the end."""
    handle: Any = None
    began = shown = time.perf_counter()
    first: State | None = None

    def report(state: State) -> None:
        nonlocal handle, shown, first
        first = first or state
        now = time.perf_counter()
        if now - began < patience or (now - shown < 0.2 and state.done < state.total and not state.waiting):
            return
        shown = now
        rate = (state.done - first.done) / max(now - began, 1e-9)
        left = f"{(state.total - state.done) / rate:,.0f} s left" if rate else ""
        waiting = f"; waiting: {html.escape(state.waiting)}" if state.waiting else ""
        bar = display.HTML(
            f"<progress value='{state.done}' max='{state.total}'></progress> {state.done:,} of {state.total:,} "
            f"trajectories, {rate:,.0f} a second, {left}{waiting}"
        )
        if handle is None:
            handle = display.display(bar, display_id=True)
        else:
            handle.update(bar)

    try:
        yield report
    finally:
        if handle is not None:
            handle.update(display.HTML(""))


def _calls(progress: Callback) -> Report:
    """Call a function whenever tiles have been finished."""
    tiles = 0

    def report(state: State) -> None:
        nonlocal tiles
        if state.tiles > tiles:
            tiles = state.tiles
            progress(state.done, state.total)

    return report


def _lines() -> Report:
    """Write a line on standard error every half a minute, and what is waited for at once."""
    began = last = time.perf_counter()
    first: State | None = None
    waiting = ""

    def report(state: State) -> None:
        nonlocal last, first, waiting
        first = first or state
        if state.waiting != waiting:
            waiting = state.waiting
            print(f"gdfast: waiting: {waiting}" if waiting else "gdfast: going on", file=sys.stderr, flush=True)
        now = time.perf_counter()
        if now - last >= _LINE_EVERY:
            last = now
            rate = (state.done - first.done) / (now - began)
            left = (state.total - state.done) / max(rate, 1e-9)
            print(
                f"gdfast: {state.done:,} of {state.total:,} trajectories, {rate:,.0f} a second, "
                f"{state.tiles:,} of {state.all_tiles:,} tiles, {100 * state.useful:.0f} % of the lane-steps useful, "
                f"{left:,.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    return report


@contextlib.contextmanager
def _bar(patience: float) -> Iterator[Report]:
    """Show a bar on standard error once `patience` seconds have passed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(),
        TextColumn("{task.fields[tiles]:,} of {task.fields[all_tiles]:,} tiles,"),
        TextColumn("{task.fields[rate]:,.0f} trajectories a second, {task.fields[useful]:.0f} % useful,"),
        TimeRemainingColumn(),
        TextColumn("left{task.fields[waiting]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("", total=None, rate=0.0, tiles=0, all_tiles=0, useful=0.0, waiting="")
    began = shown = time.perf_counter()
    first: State | None = None

    def report(state: State) -> None:
        nonlocal first, shown
        first = first or state
        now = time.perf_counter()
        if (
            now - shown < 0.05 and state.done < state.total and not state.waiting
        ):  # an update takes 0.1 ms, a small tile not much more
            return
        shown = now
        bar.update(
            task,
            total=state.total,
            completed=state.done,
            rate=(state.done - first.done) / max(now - began, 1e-9),
            tiles=state.tiles,
            all_tiles=state.all_tiles,
            useful=100 * state.useful,
            waiting=f"; waiting: {state.waiting}" if state.waiting else "",
        )
        if now - began >= patience and not bar.live.is_started:
            bar.start()

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
