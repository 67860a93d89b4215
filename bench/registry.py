"""All contenders in one table: what the benchmarks time and the scripts, after checking it, is what stands here.

A task has a kind: a sweep (`Grid`), the training of networks (`networks.Task`) or a map of trainability (`View`). All
contenders of a kind take its tasks and give one type of result.
"""

from bench import boundary, networks
from bench.contenders import in_c, in_jax, in_numba, in_numpy, in_torch
from bench.contenders.common import Contender

PROBLEMS_AND_OPTIMIZERS = [("quartic", "gd"), ("rosenbrock", "adam")]

SWEEPS: dict[str, Contender] = {
    "numpy_compacting": Contender(in_numpy.numpy_compacting),
    "prange": Contender(in_numba.prange),
    "jax_fixed_loop": Contender(in_jax.jax_fixed_loop, exact=False, needs=("jax",)),
    "jax_while_loop": Contender(in_jax.jax_while_loop, exact=False, needs=("jax",)),
    "jax_optax": Contender(in_jax.jax_optax, exact=False, needs=("jax", "optax")),
    "jax_tuned": Contender(in_jax.jax_tuned, exact=False, needs=("jax",)),
    # Torch's root is not always correctly rounded; its quartic × gd is the same to the bit.
    "torch_compacting": Contender(in_torch.torch_compacting, exact=False, needs=("torch",)),
    "c_fused": Contender(in_c.c_fused, cores=1, needs=("cc",)),
    "c_textbook": Contender(in_c.c_textbook, exact=False, cores=1, needs=("cc",), tasks=("adam",)),
    "gdfast_reference": Contender(in_numba.gdfast_reference, cores=1),
    "gdfast_one_core": Contender(in_numba.gdfast_one_core, cores=1),
    "gdfast_all_cores": Contender(in_numba.gdfast_all_cores),
}
_PLAIN = "trainability network", "digits network"
NETWORKS: dict[str, Contender] = {
    "numpy_batched": Contender(networks.numpy_batched, exact=False, tasks=_PLAIN),
    "jax_scan": Contender(networks.jax_scan, exact=False, needs=("jax",), tasks=_PLAIN),
    "jax_optax": Contender(networks.jax_optax, exact=False, needs=("jax", "optax"), tasks=("digits network by Muon",)),
    "jax_tuned": Contender(networks.jax_tuned, exact=False, needs=("jax",), tasks=("trainability network",)),
    "gdfast_one_core": Contender(networks.gdfast_one_core, cores=1),
    "gdfast_all_cores": Contender(networks.gdfast_all_cores),
}
MAPS: dict[str, Contender] = {
    "jax": Contender(boundary.jax_map, exact=False, needs=("jax",)),
    "gdfast": Contender(boundary.gdfast_map),
}
CONTENDERS = {"sweep": SWEEPS, "network": NETWORKS, "map": MAPS}
"""By the kind of task."""
