"""Circles: aliases that lead to themselves, found in one walk, and the order of those that do not.

[aliases]
smart = "best"
best = ["smart", "gpt-5.5"]       # aliases lead in a circle: 'smart' -> 'best' -> 'smart'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import BELOW

Steps: TypeAlias = Mapping[str, dict[str, None]]
"""The aliases, each with those that it names."""
_LONGEST_TURN = 12
_FIRST, _LAST = 6, 2
# Of a longer circle, the name that is declared first is not looked for.
_MOST_COMPARED = 1_000


class Circle(NamedTuple):
    """A way of aliases that ends where it begins.

    Attributes:
        start: The alias that it is told from.
        closing: The step that closes it: the alias that names another, and that other.
        shown: Its names from the start on, and the start again; of a long one those at the ends.
        reached_from: Each alias with the one that the walk came from.
    """

    start: str
    closing: tuple[str, str]
    shown: tuple[str, ...]
    reached_from: Mapping[str, str]

    def aliases(self) -> list[str]:
        """Every alias of the circle, in order."""
        name, entry = self.closing
        backwards = [name]
        while name != entry:
            name = self.reached_from[name]
            backwards.append(name)
        names = backwards[::-1]
        start = names.index(self.start)
        return [*names[start:], *names[:start]]


def in_order(steps: Steps, report: ProblemReport) -> list[str]:
    """The aliases, each after those it leads to; every circle is noted, and the step that closes it taken out."""
    with suppress(CycleError):
        return [*TopologicalSorter(steps).static_order()]
    for circle in [*find_circles(steps)]:
        _note(circle, report)
        name, closed = circle.closing
        del steps[name][closed]
    return [*TopologicalSorter(steps).static_order()]


def _note(circle: Circle, report: ProblemReport) -> None:
    # Whoever names an alias in itself mostly means what it stands for so far.
    is_of_one = circle.closing == (circle.start, circle.start)
    hint = f'"{BELOW}" stands for what the layer below says' if is_of_one else None
    text = f"aliases lead in a circle: {' -> '.join(circle.shown)}"
    report.error(_place(circle.start), text, hint, causes=partial(_places, circle))


def _place(alias: str) -> KeyPath:
    return ("deck", "aliases", alias)


def _places(circle: Circle) -> Iterator[KeyPath]:
    return map(_place, circle.aliases())


def find_circles(steps: Steps) -> Iterator[Circle]:
    """A circle for every step that leads back to an alias on the way to it, in one walk, depth first."""
    walk = _Walk(steps)
    for root in steps:
        walk.enter(root)
        while walk.way:
            name = next(walk.ahead[-1], None)
            if name is None:
                walk.leave()
            elif name in walk.places:
                yield walk.close(name)
            else:
                walk.enter(name)


class _Walk:
    """A walk from alias to alias, which enters each once.

    Attributes:
        way: The aliases from the root to where the walk stands.
        places: Each of them with its position.
        ahead: For each of them the aliases that it names and that were not looked at yet.
    """

    def __init__(self, steps: Steps) -> None:
        self.way: list[str] = []
        self.places: dict[str, int] = {}
        self.ahead: list[Iterator[str]] = []
        self._steps = steps
        self._ranks = {name: rank for rank, name in enumerate(steps)}
        self._reached_from: dict[str, str] = {}

    def enter(self, name: str) -> None:
        """Go on to an alias, unless the walk was there before."""
        if name not in self._reached_from:
            self._reached_from[name] = self.way[-1] if self.way else name
            self.places[name] = len(self.way)
            self.way.append(name)
            self.ahead.append(iter(self._steps[name]))

    def leave(self) -> None:
        """Go back from an alias that has nothing ahead."""
        self.ahead.pop()
        del self.places[self.way.pop()]

    def close(self, name: str) -> Circle:
        """The circle that a step back to an alias of the way makes."""
        entry = self.places[name]
        length = len(self.way) - entry
        # Most circles are told from the alias that is declared first, wherever the walk came upon them.
        start = min(self.way[entry : entry + _MOST_COMPARED], key=self._ranks.__getitem__)
        turned = self.places[start] - entry
        turn = [self.way[entry + (turned + step) % length] for step in _shown_steps(length)]
        shown = [*map(repr, turn)]
        if len(shown) <= length:
            shown.insert(_FIRST, f"{length + 1 - len(shown)} more")
        return Circle(start, (self.way[-1], name), tuple(shown), self._reached_from)


def _shown_steps(length: int) -> Sequence[int]:
    """The steps of a turn that are shown: of a long one the first and the last."""
    names = length + 1
    return range(names) if names <= _LONGEST_TURN else [*range(_FIRST), *range(names - _LAST, names)]
