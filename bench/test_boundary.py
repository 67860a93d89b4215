"""The map of trainability by gdfast and by JAX: how often their classes agree, and the ratio of their times in one run.

``GDFAST_BENCH=full`` takes 512 × 512 pixels. The two sum in different orders, and their tanh differ in the last places.
Away from the boundary that changes hardly a class; at it training is chaotic and magnifies rounding, and neither is
right: starts a unit in the last place apart differ as much.
"""

import os
import statistics
import time

import pytest

from bench.boundary import disagreement, views
from bench.registry import MAPS

pytestmark = pytest.mark.skipif(bool(MAPS["jax"].lacking), reason="JAX is not installed (extra parity)")
RESOLUTION = 512 if os.environ.get("GDFAST_BENCH") == "full" else 128


@pytest.mark.parametrize("name", views(1))
def test_map_of_trainability(benchmark, name):
    view = views(RESOLUTION)[name]
    times: dict[str, list[float]] = {"jax": [], "gdfast": []}
    images = {}

    def pair():
        for who, contender in MAPS.items():
            draw = contender.on(view)
            began = time.perf_counter()
            images[who] = draw()
            times[who].append(time.perf_counter() - began)

    benchmark.group = "map of trainability: gdfast against JAX's scan under vmap, alternating"
    benchmark.pedantic(pair, rounds=3 if benchmark.enabled else 1, iterations=1, warmup_rounds=1)
    away, at, share = disagreement(images["gdfast"], images["jax"])
    assert share > 0  # a view without a boundary compares nothing
    assert away < 0.01 or name != "whole plane"  # closer up, all may be chaotic
    ratio = statistics.median(j / g for j, g in zip(times["jax"], times["gdfast"], strict=True))
    benchmark.extra_info.update(ratio=ratio, required=3, differing_away=away, differing_at=at, boundary_share=share)
    print(
        f"\n{name}, {RESOLUTION} × {RESOLUTION}: gdfast {statistics.median(times['gdfast']):.2f} s, {ratio:.1f} × JAX "
        f"(wanted: 3); classes differ at {100 * away:.3f} % of the pixels away from the boundary "
        f"and at {100 * at:.1f} % of those at it ({100 * share:.1f} % of all)"
    )
