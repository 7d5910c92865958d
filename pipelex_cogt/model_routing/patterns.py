"""Patterns: names with `*` in them, and which of many match a name, without asking one by one.

    index = PatternIndex(["gpt-*-mini", "gpt-*", "*sonnet*"])
    [*index.matching("gpt-5-mini")]     # [0, 1]: the positions of those that match, in order

A pattern is what a name begins with, what it ends with, and the parts that stand between, in their order. Patterns that
begin with the same parts share a branch, so that a name is compared with each part once, whatever comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from pipelex_cogt.model_backends.model_spec import WILDCARD

# So many searches of a whole name cost as much as looking at each piece of it that has a part's length.
_FEW = 32


def is_pattern(key: str) -> bool:
    """Whether a route's key is a pattern rather than a model name."""
    return WILDCARD in key


def specificity(pattern: str) -> int:
    """How specific a pattern is: its number of literal characters."""
    return len(pattern.replace(WILDCARD, ""))


class _Branch:
    """The patterns that begin with the same parts.

    Attributes:
        first: The position of the foremost of them.
        whole: The positions of those that have no further part.
        further: The branches of those that have one, by that part.
        lengths: The lengths of these parts.
    """

    __slots__ = ("first", "further", "lengths", "whole")

    def __init__(self, first: int) -> None:
        self.first = first
        self.whole: list[int] = []
        self.further: dict[str, _Branch] = {}
        self.lengths: dict[int, None] = {}

    def grow(self, part: str, position: int) -> _Branch:
        """The branch of the patterns that go on with a part."""
        self.lengths[len(part)] = None
        if part not in self.further:
            self.further[part] = _Branch(position)
        return self.further[part]


_Waiting: TypeAlias = tuple[int, _Branch | None, int, int]
"""What is still to be looked at: the foremost position, its branch, or None where that pattern matches for certain, and
from where to where the name is still to be searched."""


class PatternIndex:
    """Patterns in an order, such as the most specific first."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(patterns)
        self._root = _Branch(0)
        for position, pattern in enumerate(self._patterns):
            start, *inner, end = pattern.split(WILDCARD)
            branch = self._root.grow(start, position).grow(end, position)
            for part in filter(None, inner):
                branch = branch.grow(part, position)
            branch.whole.append(position)

    def __reduce__(self) -> tuple[type[PatternIndex], tuple[tuple[str, ...]]]:
        # A pattern of many parts is nested deeper than a pickle may be.
        return PatternIndex, (self._patterns,)

    def matching(self, name: str) -> Iterator[int]:
        """The positions of the patterns that match a name, in order."""
        waiting = [*self._framing(name)]
        heapify(waiting)
        while waiting:
            # No two have the same position: a branch gives way to those that it holds.
            position, branch, start, end = heappop(waiting)
            if branch is None:
                yield position
                continue
            for whole in branch.whole:
                heappush(waiting, (whole, None, start, end))
            for part, after in _found(branch, name, start, end):
                further = branch.further[part]
                heappush(waiting, (further.first, further, after, end))

    def _framing(self, name: str) -> Iterator[_Waiting]:
        """The branches of the patterns that a name begins and ends as."""
        size = len(name)
        for start in self._root.lengths:
            beginning = self._root.further.get(name[:start])
            if beginning is not None:
                yield from _ending(beginning, name, start, size)


def _ending(beginning: _Branch, name: str, start: int, size: int) -> Iterator[_Waiting]:
    """The branches of the patterns that a name ends as, without what they begin with."""
    for length in beginning.lengths:
        branch = beginning.further.get(name[size - length :])
        if branch is not None and start + length <= size:
            yield branch.first, branch, start, size - length


def _found(branch: _Branch, name: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """The next parts that stand in a name between two positions, each with where its foremost place ends."""
    if len(branch.further) <= _FEW * len(branch.lengths):
        for part in branch.further:
            at = name.find(part, start, end)
            if at >= 0:
                yield part, at + len(part)
        return
    found: dict[str, int] = {}
    for length in branch.lengths:
        for at in range(start, end - length + 1):
            piece = name[at : at + length]
            if piece in branch.further:
                found.setdefault(piece, at + length)
    yield from found.items()
