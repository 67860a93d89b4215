"""What refinement costs and what it misses: ``python -m bench refinement``, 4096 × 4096 of quartic × gd."""

import argparse
import time

import numpy as np

import gdfast


def main(arguments: list[str]) -> None:
    """Run the full grid once and refine it from blocks of several sizes."""
    argparse.ArgumentParser(prog="python -m bench refinement", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    n = 4096
    grid = gdfast.Sweep(
        gdfast.problems.quartic(),
        gdfast.optimizers.gd(),
        np.geomspace(1e-4, 1, n),
        np.linspace(-4, 4, n)[:, None],
        max_steps=1000,
    )
    gdfast.refine(grid, coarse=64)  # compiles
    began = time.perf_counter()
    full = gdfast.run(grid, progress=False)
    whole = time.perf_counter() - began
    print(f"the full grid: {whole:.2f} s")
    for coarse in (4, 8, 16, 32):
        began = time.perf_counter()
        found = gdfast.refine(grid, coarse=coarse)
        taken = time.perf_counter() - began
        steps = full.steps.values[found.computed.values].sum() / full.steps.values.sum()
        wrong = float((found.outcome != full.outcome).mean())
        print(
            f"from blocks of {coarse:2}: {taken:.2f} s, {100 * found.attrs['computed_share']:.1f} % of the "
            f"trajectories, {100 * steps:.1f} % of the steps, {100 * wrong:.3f} % of the cells differ"
        )
