"""What gdfast is to reach against each contender, as ratios in one run on two idle cores."""

# (task, contender): at least how many times as fast gdfast is to be. Against contenders on one core it is gdfast on one
# core, and checked steps a second: of the contender all that it computes, of gdfast those of moving trajectories only.
RATIOS: dict[tuple[str, str], float] = {
    ("quartic × gd", "numpy_compacting"): 28,
    ("quartic × gd", "prange"): 22,
    ("quartic × adam", "prange"): 4,
    ("quartic × gd", "jax_fixed_loop"): 5,
    ("quartic × gd", "jax_tuned"): 2.5,
    ("quartic × gd", "c_fused"): 1.0,
    ("rosenbrock × adam", "numpy_compacting"): 15,
    ("rosenbrock × adam", "jax_optax"): 8,
    ("rosenbrock × adam", "jax_tuned"): 1.5,
    ("rosenbrock × adam", "c_textbook"): 1.4,
    ("trainability network", "jax_scan"): 3,
    ("trainability network", "jax_tuned"): 2,
    ("digits network", "numpy_batched"): 5,
    ("digits network by Muon", "jax_optax"): 3,
}
ROOFLINE_SHARE = 60  # percent, of any elementwise pair
USEFUL_SHARE = 95  # percent of the lane-steps on mixed grids
LANE_MATH = 1.5  # times NumPy's own time, at most
SHARPNESS = 3.0  # times the same, with 64 sharpnesses, so that these cost at most 2 × the training
HISTORY = 1.05  # times the same sweep of 1000 steps without one, at most, with a history of 64 losses

SINGLE_FUSED = 3.0
"""How many times as fast the digits network is by float32 and fused multiply-add as by float64, on one core."""
L_BFGS = 10
"""How many times as fast a sweep of starts by L-BFGS is, on one core, as SciPy one after the other."""
