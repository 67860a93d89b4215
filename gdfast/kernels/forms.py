"""What is compiled in the place of functions whose text is not meant for lanes, by the types of what they are given."""

import functools
from collections.abc import Callable
from typing import Any, Final

Form = Callable[..., Any]

FORMS: Final[dict[Any, Callable[..., Form]]] = {}
"""For each such function, what makes its compiled form of numba's types of the arguments."""


def compiled_form(function: Any) -> Callable[[Form], Form]:
    """Let a function be compiled in the place of another one."""

    def keep(form: Form) -> Form:
        FORMS[function] = lambda *types: form
        return form

    return keep


def compiled_forms(function: Any) -> Callable[[Callable[..., Form]], Callable[..., Form]]:
    """Let what this makes, of the types of the arguments, be compiled in the place of a function."""

    def keep(make: Callable[..., Form]) -> Callable[..., Form]:
        FORMS[function] = functools.cache(make)
        return make

    return keep


__all__ = ["FORMS", "compiled_form", "compiled_forms"]
