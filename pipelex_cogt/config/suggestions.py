"""Suggestions: which known name comes near a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import takewhile
from operator import eq
from typing import NamedTuple, Protocol, TypeAlias

WhatIs: TypeAlias = Callable[[str], str | None]
"""Says what a name is that stands where another kind of name belongs, such as "a preset"; None where it is nothing."""

_SHORTEST_TELLING = 3


class Suggestion(Protocol):
    """What to suggest, looked for when somebody reads it."""

    def tell(self) -> str | None:
        """The suggestion in words, or None where there is none."""


class NearName(NamedTuple):
    """What to suggest for a wrong name; the near names are looked for when somebody reads the suggestion.

    Attributes:
        name: The wrong name.
        known: The names that exist.
        lists_known: Whether all of them are listed where none comes near.
        otherwise: What to suggest where none comes near and none is listed.
        what_is: Says whether something else is called so, which is told rather than names that come near.
    """

    name: str
    known: Collection[str]
    lists_known: bool = False
    otherwise: str | None = None
    what_is: WhatIs = lambda _name: None

    def tell(self) -> str | None:
        """The suggestion in words, or None where there is none."""
        identity = self.what_is(self.name)
        if identity is not None:
            return f"it is {identity}"
        otherwise = self.otherwise
        if self.lists_known and self.known:
            otherwise = f"expected one of {', '.join(self.known)}"
        return did_you_mean(self.name, self.known) or otherwise


def near_names(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known names that come near `name`, nearest first; capitals and punctuation hardly count."""
    from difflib import get_close_matches  # imported here because only a wrong name needs it

    wanted = name.casefold()
    by_shape: dict[str, str] = {}
    # As plain strings, also where the known names are members of an enumeration.
    for candidate in map(str, known):
        by_shape.setdefault(candidate.casefold(), candidate)
    nearest = get_close_matches(wanted, by_shape, n=limit, cutoff=0.7)
    # One or two letters are one slip away from too many names.
    if len(wanted) >= _SHORTEST_TELLING:
        slips = filter(partial(is_one_slip, wanted), by_shape)
        longer = [shape for shape in by_shape if shape.startswith(wanted)]
        nearest = [*slips, *nearest, *longer]
    return tuple(map(by_shape.__getitem__, [*dict.fromkeys(nearest)][:limit]))


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str | None:
    """A suggestion for a wrong name, or None where nothing comes near; `prefix` is what each is written with."""
    near = " or ".join(map(repr, map(prefix.__add__, near_names(name, known))))
    return f"did you mean {near}?" if near else None


def is_one_slip(text: str, known: str) -> bool:
    """Whether one letter added, left out, exchanged or swapped, or other capitals, turn `known` into `text`."""
    left, right = text.casefold().replace("-", "_"), known
    start = _common_start(left, right)
    left, right = left[start:], right[start:]
    end = _common_start(left[::-1], right[::-1])
    left, right = left[: len(left) - end], right[: len(right) - end]
    if len(left) == len("ab"):
        return left == right[::-1]
    return max(len(left), len(right)) <= 1


def _common_start(left: str, right: str) -> int:
    """How many characters two texts have in common at their start."""
    return sum(takewhile(bool, map(eq, left, right)))
