"""How gradients change from layer to layer of a network."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments
from gdfast.problems.networks.mlp import MLP
from gdfast.starts import Starts

if TYPE_CHECKING:
    import xarray


def gradient_flow(problem: MLP, points: Any) -> "xarray.Dataset":
    """Tell the size of the gradient by the weights of each layer, at starts or along a trajectory.

    Parameters
    ----------
    problem : MLP
        A network.
    points : Starts, array_like (m, d), or xarray.Dataset
        Where: starts, or a dataset that has ``theta (step, parameter)``, as `gdfast.trajectory` returns it.

    Returns
    -------
    xarray.Dataset
        ``norm (layer, start)`` (or ``step``), Euclidean, and ``log10_ratio (start)``, the decimal logarithm of the
        first layer's norm over the last one's: negative where gradients vanish on the way back, positive where they
        explode. Labels of starts are coordinates. Not a number where a norm is 0 or not finite.

    Raises
    ------
    TypeError, ValueError
        If the problem is no network, or the points do not have its dimension.
    """
    import xarray

    if not isinstance(problem, MLP):
        raise TypeError(f"problem must be a network, such as gdfast.problems.mlp(), not {arguments.shown(problem)}")
    if isinstance(points, xarray.Dataset):
        if "theta" not in points or points.theta.dims != ("step", "parameter"):
            raise ValueError("points must have theta (step, parameter), as gdfast.trajectory returns it")
        along, where, labels = "step", points.theta.values, {"step": points["step"].values}
    else:
        along, where = "start", arguments.array("points", points, f"(m, {problem.dimension})")
        labels = {
            "start": np.arange(len(np.atleast_1d(where))),
            **(points.labels if isinstance(points, Starts) else {}),
        }
    if where.ndim != 2 or where.shape[1] != problem.dimension:
        raise ValueError(f"points must have shape (m, {problem.dimension}) for this problem, not {where.shape}")
    with np.errstate(all="ignore"):
        norms = problem.layer_gradient_norms(where.T)
        ratio = np.log10(norms[0]) - np.log10(norms[-1])
    return xarray.Dataset(
        {
            "norm": (("layer", along), norms, {"long_name": "norm of the gradient by a layer's weights"}),
            "log10_ratio": (
                along,
                np.where(np.isfinite(ratio), ratio, np.nan),
                {"long_name": "log₁₀ of first layer's norm over last layer's"},
            ),
        },
        coords={
            "layer": np.arange(1, len(norms) + 1),
            **{name: (along, values) for name, values in labels.items()},
        },
        attrs={"problem": problem.label},
    )
