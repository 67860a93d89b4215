"""Mechanic, which learns by what factor to take the way that another rule has gone so far.

It has too many running numbers to be written out: the text of its rule is made, with one of each for every β.
"""

from gdfast.arguments import NONNEGATIVE, POSITIVE
from gdfast.formulas.families import define
from gdfast.named import named
from gdfast.transforms._transform import THE_START, Transform

_BETAS = [1.0 - 0.1**k for k in range(1, 7)]
_NUMBERS = [f"{kind}{k}" for kind in "smvr" for k in range(1, 7)]
_TAKEN = ["theta", "grad", "before", "origin", *_NUMBERS, "lr"]
_COEFFICIENTS = ["weight_decay", "eps", "first"]


def _texts() -> list[str]:
    lines = ["way = (origin - before) / (scale + eps) - (theta - before)"]
    for k, beta in enumerate(_BETAS, start=1):
        lines += [
            f"within = maximum(minimum(h, m{k}), -m{k})",
            f"m{k} = maximum({beta!r} * m{k}, absolute(h) + eps)",
            f"v{k} = {beta * beta!r} * v{k} + h * h",
            f"r{k} = {beta!r} * r{k} + within * s{k}",
            f"s{k} = (first / {len(_BETAS)} * m{k} + maximum(r{k}, 0)) / (sqrt(v{k}) + eps)",
        ]
    return lines


_SCALE = f"scale = {' + '.join(f's{k}' for k in range(1, 7))}"
_rule = define(
    "mechanic",
    [*_TAKEN, "slope_size", "point_size", "h", *_COEFFICIENTS],
    [_SCALE, *_texts(), _SCALE],
    ["origin - scale * way", "origin", *_NUMBERS],
)
_entries = define("sizes", [*_TAKEN, *_COEFFICIENTS], [], ["grad", "before"])
_terms = define(
    "terms",
    [*_TAKEN, "slope_size", "point_size", *_COEFFICIENTS],
    [_SCALE, "pull = grad + weight_decay * scale * slope_size / (point_size + eps) * before"],
    "pull * ((origin - before) / (scale + eps))",
)


@named(weight_decay=NONNEGATIVE, eps=POSITIVE, initial=POSITIVE)
def mechanic(weight_decay: float = 0.01, eps: float = 1e-8, initial: float = 1e-6) -> Transform:
    """Mechanic: θ = x₀ − (Σ sᵢ) Δ, where Δ is the way that the rule has gone so far and the sᵢ are learnt.

    With x₀ the start, u the update, Δ′ = (x₀ − θ)/(Σ sᵢ + ε), and for each βᵢ = 0.9, 0.99, …, 0.999999:

        h = ⟨g + λ (Σ sᵢ) ‖g‖/(‖θ‖ + ε) θ, Δ′⟩,   Δ = Δ′ − u
        rᵢ ← βᵢ rᵢ + sᵢ clip(h, −mᵢ, mᵢ),   mᵢ ← max(βᵢ mᵢ, |h| + ε),   vᵢ ← βᵢ² vᵢ + h²
        sᵢ ← (s₀ mᵢ / 6 + max(rᵢ, 0)) / (√vᵢ + ε)

    The learning rate is the rule's own, for which 1 is usual. Source: Cutkosky, Defazio & Mehta (2023), arXiv
    2306.00144, as in ``optax.contrib.mechanize``, which clips h.

    Parameters
    ----------
    weight_decay : float >= 0
        λ.
    eps : float > 0
        ε.
    initial : float > 0
        s₀, the first scale.
    """
    scalars = tuple(_NUMBERS)
    first = {"origin": THE_START, **dict.fromkeys(scalars[:6], float(initial))}
    return Transform(
        _rule,
        after=True,
        initial=first,
        scalars=scalars,
        norms=("slope_size", "point_size"),
        entries=_entries,
        sums=("h",),
        terms=_terms,
        step_table=lambda t: {"first": initial},
    )
