"""Transforms: what is done to the gradient before the update, and to the point after it.

A transform is a rule for one coordinate, in the grammar of update rules. Before the update it returns the gradient the
next transform or the optimizer takes, or, as `sam` does, the point where that is taken instead; its arguments, in this
order, are ``theta, grad``; ``lr``, the learning rate with its schedule; Euclidean norms of the vectors of `entries`;
sums over all coordinates of `terms`; ``noise``, a standard normal number of its own for each trajectory, step and
coordinate, or ``chance``, one drawn uniformly from (0, 1); and its coefficients. After the update it returns the point,
and has besides ``before``, the point that the update began at, and if it likes state slots and scalars, as rules of
optimizers have. Use transforms by ``optimizer.transformed(clip_norm(1.0), lookahead(k=5))``, which applies them from
left to right, first those of the gradient, then, around any rule, those of the point.

Of a network a transform may be of its matrices alone, as decay of weights is, and sums and norms may be over each array
of parameters or each unit, as those of gradient centralization are.

A trajectory is stationary, or has diverged, by the gradient of the loss, whatever transforms make of it: a gradient
beyond the limit is so before it is clipped, and where `l2` or `weight_decay` holds a point off the minimum, or a
projection at an edge, the trajectory is ``frozen`` there, or at the minimum if its loss is within the tolerance.
"""

from collections.abc import Callable

from gdfast.transforms._transform import THE_START, Transform
from gdfast.transforms.gradients import centralize, clip_norm, clip_value, l1, l2, noise, normalize, sam
from gdfast.transforms.mechanic import mechanic
from gdfast.transforms.points import (
    ball,
    box,
    cautious,
    l1_ball,
    lookahead,
    simplex,
    soft_threshold,
    weight_decay,
)
from gdfast.transforms.precision import rounded

CATALOGUE: dict[str, Callable[..., Transform]] = {
    make.__name__: make
    for make in (
        clip_norm,
        clip_value,
        normalize,
        centralize,
        l1,
        l2,
        noise,
        sam,
        weight_decay,
        soft_threshold,
        box,
        ball,
        l1_ball,
        simplex,
        cautious,
        lookahead,
        mechanic,
        rounded,
    )
}
"""The transforms by name."""

__all__ = [
    "CATALOGUE",
    "THE_START",
    "Transform",
    "ball",
    "box",
    "cautious",
    "centralize",
    "clip_norm",
    "clip_value",
    "l1",
    "l1_ball",
    "l2",
    "lookahead",
    "mechanic",
    "noise",
    "normalize",
    "rounded",
    "sam",
    "simplex",
    "soft_threshold",
    "weight_decay",
]
