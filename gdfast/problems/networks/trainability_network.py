"""The network of "The boundary of neural network trainability is fractal" (Sohl-Dickstein 2024, arXiv 2402.06184).

n inputs, n hidden units, one output, no biases, weights of variance 1 (the scheme ``normal``), one learning rate for
each of the two layers:

    A = act(√2 X W₁/√n),   output = A W₂/√n /√n,   loss = mean squared error

for tanh; for relu the same, since √2 relu(Z) = relu(√2 Z); for the identity without the factor √2. Inputs and targets
are N(0, 1), and there are as many points as parameters, n² + n; for the identity, n points.
"""

import numpy as np

from gdfast import arguments, memory
from gdfast.data import load
from gdfast.named import named
from gdfast.problems.networks.mlp import MLP, mlp


@named()
def trainability_network(
    width: int = 16,
    activation: str = "tanh",
    points: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    sampling: str = "independent",
    arithmetic: str = "exact",
) -> MLP:
    """The network whose boundary of trainability is fractal.

    Parameters
    ----------
    width : int
        n, the number of inputs and of hidden units: 16 in the paper, 8 in its notebook.
    activation : str
        ``tanh``, ``relu`` or ``identity``.
    points : int, optional
        Rows of data; n² + n if not given, n for the identity.
    batch_size : int, optional
        Rows of each step; all if not given. The paper has a variant with mini-batches of 16.
    seed : int
        Of the data, and of the draws of rows.
    sampling : str
        ``independent`` or ``epochs``, as in `RowProblem`.
    arithmetic : str
        ``exact`` or ``fused``, as in `mlp`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind.
    """
    name = "trainability_network"
    n = arguments.integer(f"{name}: width", width, high=2**12)
    arguments.choice(f"{name}: activation", activation, ["tanh", "relu", "identity"])
    linear = activation == "identity"
    m = (n if linear else n * n + n) if points is None else arguments.integer(f"{name}: points", points)
    seed = arguments.integer(f"{name}: seed", seed, low=0, high=2**63 - 1)
    memory.fits(f"{name}: {m:,} points of {n:,} inputs", 32 * m * n)
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(m, n)), rng.normal(size=m)
    if batch_size is not None:
        arguments.integer(f"{name}: batch_size", batch_size, high=m)
    return mlp(
        widths=(n, n, 1),
        activation=activation,
        bias=False,
        fan_in_scaling=True,
        gain=1.0 if linear else float(np.sqrt(2.0)),
        output_scale=float(1 / np.sqrt(n)),
        data=load((X, y), standardize=False),
        batch_size=batch_size,
        seed=seed,
        sampling=sampling,
        layer_rates=True,
        arithmetic=arithmetic,
    )
