"""Problems and optimizers by whatever stands for them: the things, texts, factories."""

from typing import Any

from gdfast import arguments, notation
from gdfast.arguments import shown
from gdfast.named import is_factory
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem


def problem_of(problem: Any) -> Problem:
    """The problem of a thing, a text or a factory."""
    made = notation.problem(problem) if isinstance(problem, str) else called(problem)
    if not isinstance(made, Problem):
        raise TypeError(f"problem must be a problem, such as gdfast.problems.quartic(), not {shown(problem)}")
    return made


def called(factory: Any) -> Any:
    """What a factory under `named` makes of its defaults; anything else as it is."""
    return factory() if is_factory(factory) else factory


def optimizers_of(optimizers: Any) -> tuple[Optimizer, ...]:
    """The optimizers of things, texts or factories, one or several."""
    accepted = "optimizers, such as [gdfast.optimizers.adam()]"
    one = isinstance(optimizers, Optimizer | str) or is_factory(optimizers)
    several = [optimizers] if one else arguments.several("optimizers", optimizers, accepted)
    made: list[Optimizer] = []
    for optimizer in several:
        found = notation.optimizers(optimizer) if isinstance(optimizer, str) else [called(optimizer)]
        if not isinstance(found[0], Optimizer):
            raise TypeError(
                f"optimizers must hold optimizers, such as gdfast.optimizers.adam(), or, of a rule of one's own, "
                f"gdfast.optimizers.Optimizer(rule, learning_rate=0.1), not {shown(optimizer)}"
            )
        made += found
    return tuple(made)


def optimizer_of(optimizer: Any) -> Optimizer:
    """The optimizer of a thing, a text or a factory; one."""
    found = notation.optimizers(optimizer) if isinstance(optimizer, str) else [called(optimizer)]
    if len(found) > 1:
        raise ValueError(f"optimizer must be one, not the {len(found)} of {shown(optimizer)}")
    return arguments.instance("optimizer", found[0], Optimizer, "an optimizer, such as gdfast.optimizers.adam()")
