"""What the arguments of an optimizer's rule are.

A rule is written once, as plain arithmetic on one coordinate. The same text runs on NumPy arrays (the
reference), in compiled lanes (the kernel) and on symbols (theory). Its arguments, in this order, are

``theta, grad``
    the parameter and its gradient;
*state slots*
    any number of names, each a running quantity of the coordinate (a velocity, a second moment), which start at
    zero unless `initial` says otherwise;
*scalars*
    the last of the slots may be running numbers of the whole trajectory (a distance, a sum), one for all coordinates;
    what they become is made of scalars, ``lr``, norms, sums, ``loss`` and coefficients alone;
``lr``
    the learning rate of the trajectory;
*norms*
    quantities of the whole vector: each the norm over all coordinates of one value of `entries`, a function
    of the rule's other arguments. They neither overflow nor underflow where sums of squares would;
*sums*
    the same with sums over all coordinates of the values of `terms`, a function of the rule's other arguments, norms
    among them;
``loss``
    the loss at the present point, if the rule has an argument of this name;
*coefficients*
    hyperparameters by their name; columns of the step table, numbers that depend on the step alone; and of the
    problem ``dimension`` and ``lowest``, the loss of its lowest known minimum.

It returns the new ``theta``, the new state slots and the new scalars, in the order of the arguments.
`gdfast.kernels` states what such a text may contain, and checks it.

A rule may also call functions of whole vectors, see `gdfast.formulas.vectors`: inner products, gradient and loss at
points that it names, a line search, the Hessian's inverse. Then theta, gradient and state slots are vectors, all its
other arguments numbers, and it has no norms and sums.

An optimizer may have another rule for matrices, such as the weights between two layers of a network. It is a text of
the same kind, which besides may call the functions of `gdfast.formulas.matrices` and of `gdfast.formulas.factors`: each
takes a quantity of every entry of the matrix and returns one of every entry. Its arguments are ``theta, grad``, the
same state slots, ``lr``, if it likes ``rows`` and ``columns``, the numbers of them, and coefficients. The other rule
then is for what is no matrix, such as biases, each array of parameters for itself, sums and ``dimension`` too; a
landscape is one such array.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gdfast.formulas.formula import Formula
from gdfast.formulas.staged import Stage, staged
from gdfast.formulas.vectors import Steps
from gdfast.optimizers._search import Search
from gdfast.problems._landscape import LARGEST_LANDSCAPE
from gdfast.rules import arguments_of, check_reduced, check_results, check_scalars, state_of
from gdfast.transforms import Transform


class Signature(NamedTuple):
    """What the arguments of a rule are."""

    state: tuple[str, ...]
    uses_loss: bool
    coefficients: tuple[str, ...]
    steps: Steps | None


@functools.lru_cache(maxsize=4096)
def signature_of(
    rule: Any,
    norms: tuple[str, ...],
    entries: Any,
    sums: tuple[str, ...],
    terms: Any,
    scalars: tuple[str, ...],
    search: Search | None,
) -> Signature:
    """Tell what the arguments of a rule are; refuse it if they do not fit each other or what it returns."""
    names = arguments_of("rule", rule, ("theta", "grad", "lr"))
    if "lr" not in names[2:]:
        raise ValueError(
            f"rule {rule.__name__} must have an argument lr, the learning rate, after theta, grad and its state slots, "
            f"not {', '.join(names)}"
        )
    after = names[names.index("lr") + 1 :]
    taken = [name for name in names if name not in (*norms, *sums, "loss")]
    check_reduced("norms, of entries", norms, entries, taken, after[: len(norms)])
    taken = [name for name in names if name not in (*sums, "loss")]
    check_reduced("sums, of terms", sums, terms, taken, after[len(norms) : len(norms) + len(sums)])
    after = after[len(norms) + len(sums) :]
    if "loss" in names and after[:1] != ("loss",):
        raise ValueError(f"rule {rule.__name__} must have loss right after lr, norms and sums, before its coefficients")
    slots = names[2 : names.index("lr")]
    check_results(rule, ("theta", *slots), "its state slots are the arguments between grad and lr", of_vectors=True)
    state = state_of(slots, scalars)
    steps = Steps(Formula.of(rule, 1 + len(slots), of_vectors=True).tree, (*names[:2], *state))
    if not steps.functions:
        if search is not None:
            raise ValueError(f"search must come with a rule that calls line_search, which {rule.__name__} does not")
        check_scalars(rule, state, scalars)
        return Signature(state, "loss" in names, after[("loss" in names) :], None)
    steps.check(state, scalars, bool(norms or sums), search is not None)
    coefficients = dict.fromkeys((*after[("loss" in names) :], *(search.coefficients if search else ())))
    return Signature(state, "loss" in names or bool(search and "loss" in search.seen), tuple(coefficients), steps)


class ForMatrices(NamedTuple):
    """A rule for matrices.

    Attributes
    ----------
    stages : tuple of Stage
        What comes before `rule`.
    rule : callable
        A formula of the arguments and of what the stages have found.
    takes_shape : bool
        Whether rows and columns come after lr.
    coefficients : tuple of str
        Names of the arguments after that.
    """

    stages: tuple[Stage, ...]
    rule: Any
    takes_shape: bool
    coefficients: tuple[str, ...]

    @property
    def keeps(self) -> bool:
        """Whether it keeps factors of each matrix."""
        return any(stage.keeps for stage in self.stages)


@functools.lru_cache(maxsize=4096)
def for_matrices(rule: Any, other: Any, state: tuple[str, ...], plain: bool) -> ForMatrices | None:
    """Tell what a rule for matrices is made of; refuse it if it does not fit the other rule."""
    if rule is None:
        return None
    if not plain:
        raise ValueError(
            f"matrix_rule: rule {other.__name__} beside it must have neither scalars, norms nor loss, nor call "
            "functions of whole vectors"
        )
    names = arguments_of("matrix_rule", rule, ("theta", "grad", "lr"))
    if names[2 : 3 + len(state)] != (*state, "lr"):
        raise ValueError(
            f"matrix_rule {rule.__name__} must have the arguments {', '.join(('theta', 'grad', *state, 'lr'))} first, "
            f"with the state slots of {other.__name__}, not {', '.join(names)}"
        )
    cut = staged(rule)
    check_results(cut.rule, ("theta", *state), "its state slots are the arguments between grad and lr")
    after = names[3 + len(state) :]
    takes_shape = after[:2] == ("rows", "columns")
    return ForMatrices(*cut, takes_shape, after[2 * takes_shape :])


def needs_of(signature: Signature, transforms: Sequence[Transform]) -> Mapping[str, str]:
    """What a problem must provide for a rule with transforms, with the words for it."""
    needs = {"lowest": "the loss of the lowest minimum"} if "lowest" in signature.coefficients else {}
    if signature.steps and signature.steps.takes_hessian:
        needs["hessian"] = f"the Hessian of a landscape, a formula of at most {LARGEST_LANDSCAPE} coordinates"
    elif signature.steps and signature.steps.takes_products:
        needs |= [_FIELDS[signature.steps.takes_products]]
    if any(transform.of_matrices for transform in transforms):
        needs["matrices"] = "matrices of parameters, such as a network's weights"
    return needs


_FIELDS = {
    "product": ("hessian_product", "products of the Hessian with vectors"),
    "gauss_newton": (
        "gauss_newton_product",
        "a matrix of Gauss and Newton, as regressions, models and networks have it",
    ),
    "fisher": ("fisher_diagonal", "a likelihood to draw targets from, as regressions and networks have it"),
}
_SINGULAR = {
    "gradients": "gradient",
    "losses": "loss",
    "Hessians": "Hessian",
    "Hessian products": "Hessian product",
    "Gauss-Newton products": "Gauss-Newton product",
}


def cost_of(signature: Signature, search: Search | None, elsewhere: bool = False) -> str:
    """What a step asks for, in words; each gradient is two where a transform takes it elsewhere."""
    functions = [each.function for each in signature.steps.statements] if signature.steps else []
    whole = signature.steps is not None and signature.steps.takes_hessian
    counts = {
        "gradients": (1 + functions.count("gradient_at")) * (1 + elsewhere),
        "losses": signature.uses_loss + functions.count("loss_at"),
        "Hessians": int(whole),
        "Hessian products": 0 if whole else functions.count("hessian_product"),
        "Gauss-Newton products": functions.count("gauss_newton_product"),
    }
    words = [f"{n} {what if n > 1 else _SINGULAR[what]}" for what, n in counts.items() if n]
    if "hessian_diagonal" in functions:
        words.append("1 Hessian product where it is due")
    if "fisher_diagonal" in functions:
        words.append("1 gradient of drawn targets where it is due")
    rounds = {"hessian_cg": "Hessian", "gauss_newton_cg": "Gauss-Newton"}
    words += [f"1 {what} product a round" for function, what in rounds.items() if function in functions]
    trials = {"value": "a loss", "slope": "a gradient"}
    if search and search.most:
        words.append(" and ".join(trials[each] for each in search.seen if each in trials) + " at each trial")
    return ", ".join(words)
