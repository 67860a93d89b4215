"""How signals and gradients change from layer to layer of a network."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.problems.networks.mlp import MLP
from gdfast.starts import Starts

if TYPE_CHECKING:
    import xarray

_STEADY = 10.0  # the factor by which steady signals and gradients may change


def gradient_flow(problem: MLP, points: Any) -> "xarray.Dataset":
    """Tell the size of the signal and of the gradient in each layer, at starts or along a trajectory.

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
        explode, not a number where a norm is 0 or not finite. Labels of starts are coordinates.
        ``signal (layer, start)`` is the root mean square, over rows and units, of what enters each layer's activation.
        ``flow (start)`` says in a word what becomes of them: ``steady`` if from the first layer to the last hidden one
        the signal, and from the last layer to the first the gradient, change by no more than a factor of ten;
        ``explodes`` if one of them grows by more or is not finite, and else ``dies``.

    Raises
    ------
    TypeError, ValueError
        If the problem is no network, or the points do not have its dimension.

    Examples
    --------
    >>> import gdfast
    >>> problem = gdfast.problems.mlp((2, 4, 4, 1), "sigmoid", points=8)
    >>> flow = gdfast.gradient_flow(problem, problem.starts(init=["xavier_uniform"], seeds=range(3)))
    >>> bool((flow.log10_ratio < 0).all())  # the first layer's gradient is the smaller one
    True
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
        signal = problem.layer_signals(where.T)[0]
    return xarray.Dataset(
        {
            "norm": (("layer", along), norms, {"long_name": "norm of the gradient by a layer's weights"}),
            "log10_ratio": (
                along,
                np.where(np.isfinite(ratio), ratio, np.nan),
                {"long_name": "log₁₀ of first layer's norm over last layer's"},
            ),
            "signal": (("layer", along), signal, {"long_name": "root mean square of what enters a layer's activation"}),
            "flow": (
                along,
                _flow(signal, norms),
                {"long_name": "what becomes of signals and gradients over the layers"},
            ),
        },
        coords={
            "layer": np.arange(1, len(norms) + 1),
            **{name: (along, values) for name, values in labels.items()},
        },
        attrs={"problem": problem.label},
    )


def _flow(signal: Array, norms: Array) -> NDArray[np.str_]:
    """What becomes of the signal on its way to the last hidden layer, and of the gradient on its way back."""
    ahead, back = (signal[0], signal[max(len(signal) - 2, 0)]), (norms[-1], norms[0])
    finite = np.isfinite([*ahead, *back]).all(axis=0)
    grows = ~finite | np.any([last > _STEADY * first for first, last in (ahead, back)], axis=0)
    dies = np.any([(first == 0) | (last * _STEADY < first) for first, last in (ahead, back)], axis=0)
    return np.where(grows, "explodes", np.where(dies, "dies", "steady"))
