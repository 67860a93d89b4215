"""Ways to run the same sweep: one callable each, with one result type, so that what is timed is what was checked."""

import importlib.util
from collections.abc import Callable
from typing import NamedTuple

from bench.contenders import in_c, in_jax, in_numba, in_numpy, in_torch
from bench.contenders.common import Ends, Grid

__all__ = ["CONTENDERS", "PROBLEMS_AND_OPTIMIZERS", "Contender", "Ends", "Grid"]

PROBLEMS_AND_OPTIMIZERS = [("quartic", "gd"), ("rosenbrock", "adam")]


class Contender(NamedTuple):
    """A way to run a sweep.

    Attributes
    ----------
    run : callable
        From the grid to the ends.
    exact : bool
        Whether its arithmetic is gdfast's, so that the ends are the same to the bit.
    cores : int
        How many cores it uses: 1, or 2 for all.
    needs : tuple of str
        Modules without which it is skipped; ``cc`` is a C compiler.
    optimizers : tuple of str
        Those that it runs.
    """

    run: Callable[[Grid], Ends]
    exact: bool = True
    cores: int = 2
    needs: tuple[str, ...] = ()
    optimizers: tuple[str, ...] = ("gd", "adam")

    @property
    def lacking(self) -> list[str]:
        """What it needs and is not there."""
        there = {name: importlib.util.find_spec(name) is not None for name in self.needs if name != "cc"}
        return [name for name in self.needs if not there.get(name, in_c.COMPILER is not None)]


CONTENDERS = {
    "numpy_compacting": Contender(in_numpy.numpy_compacting),
    "prange": Contender(in_numba.prange),
    "jax_fixed_loop": Contender(in_jax.jax_fixed_loop, exact=False, needs=("jax",)),
    "jax_while_loop": Contender(in_jax.jax_while_loop, exact=False, needs=("jax",)),
    "jax_optax": Contender(in_jax.jax_optax, exact=False, needs=("jax", "optax")),
    "jax_tuned": Contender(in_jax.jax_tuned, exact=False, needs=("jax",)),
    # Torch's root is not always correctly rounded; its quartic × gd is the same to the bit.
    "torch_compacting": Contender(in_torch.torch_compacting, exact=False, needs=("torch",)),
    "c_fused": Contender(in_c.c_fused, cores=1, needs=("cc",)),
    "c_textbook": Contender(in_c.c_textbook, exact=False, cores=1, needs=("cc",), optimizers=("adam",)),
    "gdfast_reference": Contender(in_numba.gdfast_reference, cores=1),
    "gdfast_one_core": Contender(in_numba.gdfast_one_core, cores=1),
    "gdfast_all_cores": Contender(in_numba.gdfast_all_cores),
}
