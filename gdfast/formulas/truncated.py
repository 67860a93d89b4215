"""Conjugate gradients on a second-order model of the loss, cut short: how far a round goes.

With B the curvature, from p = 0, r = g and d = −g, a round is

    p ← p + a d,  r ← r + a B d,  d ← β d − r,  a = rᵀr / dᵀBd,  β = rᵀr after / rᵀr before

until ‖r‖ ≤ tolerance · ‖g‖. Where dᵀBd ≤ 0 or ‖p + a d‖ would be the radius or more, a instead leads to the radius, of
the two ends to the one where the model is lower, and p is done. Without a radius p is done before such a d, and −g
where it is the first.

Sources: Steihaug (1983), SIAM Journal on Numerical Analysis 20; Dembo & Steihaug (1983), Mathematical Programming 26;
Nocedal & Wright (2006), Numerical Optimization, algorithms 7.1 and 7.2.
"""

from gdfast.formulas.elementary import maximum, select, sqrt

MOST = 10_000
"""Rounds that there may be."""


def length_along(left, bend, reached, along, square, radius, first):
    """Return a, how many times d is added to p, and 1 where p is done by it.

    Parameters are rᵀr, dᵀBd, pᵀp, pᵀd and dᵀd, the radius, or 0 for none, and 1 in the first round, else 0.
    """
    full = left / bend
    area = radius * radius
    short = (radius == 0) | (reached + 2 * full * along + full * full * square < area)
    inside = (bend > 0) & short
    root = sqrt(maximum(along * along + square * (area - reached), 0))
    ahead = (area - reached) / (along + root)
    behind = -(along + root) / square
    deeper = 0.5 * behind * behind * bend - behind * left < 0.5 * ahead * ahead * bend - ahead * left
    end = select((bend <= 0) & deeper, behind, ahead)
    beyond = select(radius > 0, end, select(first > 0, 1.0, 0.0))
    return select(inside, full, beyond), select(inside, 0.0, 1.0)
