"""Suggestions: which known name comes near a wrong one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache, partial
from itertools import chain, filterfalse, islice, takewhile
from operator import eq, itemgetter, methodcaller
from typing import NamedTuple, Protocol, TypeAlias

from pipelex_cogt.config.other_words import meanings, note_on

WhatIs: TypeAlias = Callable[[str], str | None]
"""Says what a name is that stands where another kind of name belongs, such as "a preset"; None where it is nothing."""
Words: TypeAlias = AbstractSet[str]
_MOST_LISTED = 100
_SHORTEST_TELLING = 3
_LONGEST_TELLING = 80
_CLOSE = 0.7
"""How like another a name is that comes near it: twice the letters in common, of all letters of the two."""
# What is done for one wrong name, however many names are known: letters compared with letters, and names looked at.
_MOST_EFFORT = 16_000
_MOST_SLIPS = 500
# Letters are told apart as far as an index stays small, whatever is written in it.
_KINDS, _MOST_OF_A_KIND = 64, 6
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
            otherwise = f"expected one of {', '.join(_abridge(self.known))}"
        note = note_on(self.name, self.known) if self.is_key else None
        return note or did_you_mean(self.near()) or otherwise


def _abridge(names: Collection[str]) -> Iterator[str]:
    """The names, of many the first ones and how many come after them."""
    more = len(names) - _MOST_LISTED
    return chain(islice(names, _MOST_LISTED), [f"{more} more"] if more > 0 else ())


def near_names(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known names that come near `name`, nearest first; capitals and punctuation hardly count."""
    return _index_of(tuple(known)).near(name.casefold(), limit)


class _Index:
    """Known names, arranged so that those with most letters of a wrong one are found at once.

    Each letter has a number with a byte for each known name, which is 1 where the name has the letter; the second `s`
    of a name is a letter of its own. The sum of the numbers of a wrong name's letters says, byte by byte, how many of
    them each known name has.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._by_shape: dict[str, str] = {}
        # As plain strings, also where the known names are members of an enumeration.
        for candidate in map(str, known):
            self._by_shape.setdefault(candidate.casefold(), candidate)
        # Those of one length stand beside each other, in the order in which they are known.
        self._shapes = sorted(self._by_shape, key=len)

    def near(self, wanted: str, limit: int) -> tuple[str, ...]:
        """The known names that come near a wrong one, nearest first."""
        common = self._letters_in_common(wanted)
        nearest = self._close(wanted, common, limit)
        # One or two letters are one slip away from too many names.
        if len(wanted) >= _SHORTEST_TELLING:
            nearest = chain(self._slips(wanted, common), nearest, self._longer(wanted, common))
        distinct = dict[str, None]()
        for shape in filterfalse(partial(are_opposite, wanted), nearest):
            distinct[shape] = None
            if len(distinct) == limit:
                break
        return tuple(map(self._by_shape.__getitem__, distinct))

    @cached_property
    def _parts(self) -> dict[int, range]:
        """Where the names of each length stand."""
        lengths = [*map(len, self._shapes)]
        return {length: range(bisect_left(lengths, length), bisect_right(lengths, length)) for length in {*lengths}}

    @cached_property
    def _holders(self) -> dict[int, int]:
        """The letters of all names, each with its number."""
        holders: defaultdict[int, bytearray] = defaultdict(partial(bytearray, len(self._shapes)))
        for place, shape in enumerate(self._shapes):
            for letter in _letters(shape):
                holders[letter][place] = 1
        return {letter: int.from_bytes(held, "little") for letter, held in holders.items()}

    def _letters_in_common(self, wanted: str) -> bytes:
        """Of every name the most letters that it can have in common with a wrong one; none with what is no name."""
        if len(wanted) > _LONGEST_TELLING:
            return bytes(len(self._shapes))
        letters = _letters(wanted)
        total = sum(self._holders.get(letter, 0) for letter in letters)
        # What is not told apart may be in common too.
        spare = bytes(min(each + len(wanted) - len(letters), 255) for each in range(256))
        return total.to_bytes(len(self._shapes), "little").translate(spare)

    def _slips(self, wanted: str, common: bytes) -> Iterator[str]:
        """The names that are one slip away: these lack one letter at most."""
        likely: list[str] = []
        for length in (len(wanted) - 1, len(wanted), len(wanted) + 1):
            part = self._parts.get(length, range(0))
            least = max(length, len(wanted)) - 1
            places = (place for place in part if common[place] >= least)
            likely += map(self._shapes.__getitem__, islice(places, _MOST_SLIPS))
        return self._as_known({*filter(partial(is_one_slip, wanted), likely)})

    def _longer(self, wanted: str, common: bytes) -> Iterator[str]:
        """The names that begin with a wrong one: these have all of its letters."""
        parts = (slice(part.start, part.stop) for length, part in self._parts.items() if length >= len(wanted))
        likely = chain.from_iterable(self._shapes[part] for part in parts if max(common[part]) >= len(wanted))
        return self._as_known({*filter(methodcaller("startswith", wanted), likely)})

    def _as_known(self, shapes: AbstractSet[str]) -> Iterator[str]:
        """Some of the names, in the order in which they are known."""
        return filter(shapes.__contains__, self._by_shape) if shapes else iter(())

    def _close(self, wanted: str, common: bytes, limit: int) -> Iterator[str]:
        """The names that `difflib.get_close_matches` finds, of which only the likeliest are compared."""
        from difflib import SequenceMatcher  # imported here because only a wrong name needs it

        matcher, best = SequenceMatcher(b=wanted), list[tuple[float, str]]()
        most = _MOST_EFFORT // (len(wanted) ** 2 or 1)
        for bound, shape in islice(self._likeliest(wanted, common), most):
            if len(best) == limit and bound < best[-1][0]:
                break
            matcher.set_seq1(shape)
            ratio = matcher.ratio()
            if ratio >= _CLOSE and not are_opposite(wanted, shape):
                best = sorted([*best, (ratio, shape)], reverse=True)[:limit]
        yield from map(itemgetter(1), best)

    def _likeliest(self, wanted: str, common: bytes) -> Iterator[tuple[float, str]]:
        """The names that may be close, each after how close it can be, the likeliest first."""
        levels = [
            (2 * letters / (len(wanted) + length), letters, part)
            for length, part in self._parts.items()
            for letters in {*common[part.start : part.stop]}
            if 2 * letters >= _CLOSE * (len(wanted) + length) > 0
        ]
        for bound, letters, part in sorted(levels, key=itemgetter(0), reverse=True):
            place = common.find(letters, part.start, part.stop)
            while place >= 0:
                yield bound, self._shapes[place]
                place = common.find(letters, place + 1, part.stop)


@lru_cache(maxsize=16)
def _index_of(known: tuple[str, ...]) -> _Index:
    """The index of names, kept for the next wrong name, for many are compared with the same ones."""
    return _Index(known)


def _letters(name: str) -> list[int]:
    """The letters of a name that are told apart, as numbers: of which kind, and the how many-th of its kind."""
    found: list[int] = []
    before = [0] * _KINDS
    for letter in name.replace("-", "_"):
        kind = ord(letter) % _KINDS
        if before[kind] < _MOST_OF_A_KIND:
            found.append(kind + _KINDS * before[kind])
        before[kind] += 1
    return found


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
