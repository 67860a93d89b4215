"""Names that the shell completes."""

from collections.abc import Callable

from gdfast.catalogues import catalogue, first_line


def completing(*kinds: str) -> Callable[[str], list[tuple[str, str]]]:
    """What completes a word to a name of some kinds, behind the last ``|`` of it, with what each is."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        before, bar, last = incomplete.rpartition("|")
        wanted = ("schedules", "transforms") if bar else kinds
        return [
            (before + bar + name, first_line(factory))
            for kind in wanted
            for name, factory in catalogue(kind).items()
            if name.startswith(last)
        ]

    return complete
