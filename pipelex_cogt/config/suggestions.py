"""Suggestions: which known name comes near a wrong one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain, filterfalse, takewhile
from operator import eq, methodcaller
from typing import NamedTuple, Protocol, TypeAlias

from pipelex_cogt.config.other_words import meanings, note_on

WhatIs: TypeAlias = Callable[[str], str | None]
"""Says what a name is that stands where another kind of name belongs, such as "a preset"; None where it is nothing."""
Words: TypeAlias = AbstractSet[str]
_SHORTEST_TELLING = 3
_LONGEST_TELLING = 80
# Where one word ends. One class of characters, repeated.
_WORD_END = re.compile(r"[\W_]+")
_OPPOSITES = (
    ({"input", "inputs", "prompt"}, {"output", "outputs", "completion"}),
    ({"enabled", "enable"}, {"disabled", "disable"}),
    ({"min", "least"}, {"max", "most"}),
    ({"read"}, {"write"}),
)
"""Words that say the opposite of others."""
_DENIALS = {"no", "non", "not", "uncached", "without"}
"""Words that turn what is beside them into its opposite."""


class Suggestion(Protocol):
    """What to suggest, looked for when somebody reads it."""

    def tell(self) -> str | None:
        """The suggestion in words, or None where there is none."""


class Later:
    """What to suggest, found in whichever way when somebody reads it."""

    def __init__(self, find: Callable[[], str | None]) -> None:
        self._find = find

    def tell(self) -> str | None:
        """The suggestion in words, or None where there is none."""
        return self._find()


class NearName(NamedTuple):
    """What to suggest for a wrong name; the near names are looked for when somebody reads the suggestion.

    Attributes:
        name: The wrong name.
        known: The names that exist.
        lists_known: Whether all of them are listed where none comes near.
        otherwise: What to suggest where none comes near and none is listed.
        what_is: Says whether something else is called so, which is told rather than names that come near.
        is_key: Whether it is a key of a table, which may be called otherwise elsewhere.
    """

    name: str
    known: Collection[str]
    lists_known: bool = False
    otherwise: str | None = None
    what_is: WhatIs = lambda _name: None
    is_key: bool = False

    def near(self) -> tuple[str, ...]:
        """The known names that may be meant, nearest first."""
        return (self.is_key and meanings(self.name, self.known)) or near_names(self.name, self.known)

    def tell(self) -> str | None:
        """The suggestion in words, or None where there is none."""
        identity = self.what_is(self.name)
        if identity is not None:
            return f"it is {identity}"
        otherwise = self.otherwise
        if self.lists_known and self.known:
            otherwise = f"expected one of {', '.join(self.known)}"
        note = note_on(self.name, self.known) if self.is_key else None
        return note or did_you_mean(self.near()) or otherwise


def near_names(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known names that come near `name`, nearest first; capitals and punctuation hardly count."""
    from difflib import get_close_matches  # imported here because only a wrong name needs it

    wanted = name.casefold()
    by_shape: dict[str, str] = {}
    # As plain strings, also where the known names are members of an enumeration.
    for candidate in map(str, known):
        by_shape.setdefault(candidate.casefold(), candidate)
    shapes = [*filterfalse(partial(are_opposite, wanted), by_shape)]
    nearest = get_close_matches(wanted, shapes, n=limit, cutoff=0.7)
    # One or two letters are one slip away from too many names.
    if len(wanted) >= _SHORTEST_TELLING:
        slips = filter(partial(is_one_slip, wanted), shapes)
        longer = filter(methodcaller("startswith", wanted), shapes)
        nearest = [*slips, *nearest, *longer]
    return tuple(map(by_shape.__getitem__, [*dict.fromkeys(nearest)][:limit]))


def are_opposite(left: str, right: str) -> bool:
    """Whether a word of one name says the opposite of a word of the other, such as `output_x` of `input_x`."""
    words, others = (frozenset(_WORD_END.split(name.casefold())) for name in (left, right))
    if words.isdisjoint(_DENIALS) is not others.isdisjoint(_DENIALS):
        return True
    return any(map(partial(_are_apart, words, others), _OPPOSITES))


def _are_apart(words: Words, others: Words, opposites: tuple[Words, Words]) -> bool:
    """Whether one name is of one kind alone, and the other of the opposite kind alone."""
    kinds, other_kinds = ([*map(names.isdisjoint, opposites)] for names in (words, others))
    return kinds[0] != kinds[1] and other_kinds == kinds[::-1]


def did_you_mean(names: Iterable[str]) -> str | None:
    """The question after the names that may be meant; None where there are none."""
    near = " or ".join(map(repr, names))
    return f"did you mean {near}?" if near else None


def one_slip_from(text: str, known: Iterable[str]) -> str | None:
    """The first known name that a text is one slip away from."""
    return next(filter(partial(is_one_slip, text), known), None)


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


def find_slips(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """The names that are one slip away from a known one, each with that one; each name is looked at once."""
    shapes: defaultdict[str, list[str]] = defaultdict(list)
    found: dict[str, str] = {}
    for name in names:
        if not shapes:
            for each in known:
                for shape in _shapes(each):
                    shapes[shape].append(each)
        near = chain.from_iterable(shapes.get(shape, ()) for shape in _shapes(name))
        if slip := one_slip_from(name, near):
            found[name] = slip
    return found


def _shapes(name: str) -> Iterator[str]:
    """A name, and what one letter left out makes of it: names that are one slip apart have one in common."""
    text = name.casefold().replace("-", "_")
    if _SHORTEST_TELLING <= len(text) <= _LONGEST_TELLING:
        yield text
        yield from (text[:index] + text[index + 1 :] for index in range(len(text)))


def _common_start(left: str, right: str) -> int:
    """How many characters two texts have in common at their start."""
    return sum(takewhile(bool, map(eq, left, right)))
