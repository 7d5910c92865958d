"""Lists that go on with what is below, `smart = ["mine", "..."]`, and empty ones that take it away, `smart = []`.

The merge puts what the layer below says in the place of `"..."`. What is over nothing is told here: a `"..."` that is
left, an alias that is taken away and was never there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import compress, count, filterfalse
from operator import eq
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer
from pipelex_cogt.config.older_spellings import value_in_defaults
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import BELOW, Table, goes_on, leaves, merge, value_at

_IS_MARK = partial(eq, BELOW)
_NOTHING_BELOW = (
    f'"{BELOW}" stands for the list below, and no layer below states one',
    "leave it out, or state the whole list",
)
_ALIASES: KeyPath = ("deck", "aliases")
_TWICE = (f'"{BELOW}" stands twice in one list', "leave one out")


def settle_lists(tree: Table, stating: Callable[[KeyPath], list[Layer]], report: ProblemReport) -> Table:
    """The merged settings without a `"..."` that stands for nothing; each is noted.

    Args:
        tree: The merged settings.
        stating: Says which layers state a key path, lowest first.
        report: Where faults are noted.
    """
    settled: Table = {}
    for path in _unsettled(tree):
        # What a model's own table leaves open goes on with the `[defaults]` of its file.
        if not isinstance(value_in_defaults(tree, path), str | list):
            _note(path, stating(path), report)
            _put(settled, path, without_mark(value_at(tree, path)))
    return merge(tree, settled)


def _put(table: Table, path: KeyPath, value: Any) -> None:
    *above, key = map(str, path)
    for name in above:
        table = table.setdefault(name, {})
    table[key] = value


def warn_of_nothing_taken(tree: Table, stating: Callable[[KeyPath], list[Layer]], report: ProblemReport) -> None:
    """Warn of an empty list for an alias that no layer below states; the arguments are those of `settle_lists`."""
    aliases: Table = value_at(tree, _ALIASES, {})
    kept = {name: value for name, value in aliases.items() if value != []}
    for name in filterfalse(kept.__contains__, aliases):
        path = (*_ALIASES, name)
        if not any(map(partial(value_at, path=path), stating(path))):
            report.warning(path, "takes nothing away: no layer below states this alias", NearName(name, kept))


def without_mark(value: Any) -> Any:
    """A list without its `"..."`; any other value as it is."""
    return [*filterfalse(_IS_MARK, value)] if goes_on(value) else value


def _unsettled(tree: Table) -> Iterator[KeyPath]:
    """The key path of every list that still holds `"..."`."""
    # Most trees hold none, and to look without keeping the paths takes a tenth of the time.
    if _holds_mark(tree):
        yield from (path for path, value in leaves(tree, opens_lists=False) if goes_on(value))


def _holds_mark(tree: Table) -> bool:
    waiting: list[Any] = [tree]
    while waiting:
        for value in waiting.pop().values():
            if type(value) is dict:
                waiting.append(value)
            elif type(value) is list and BELOW in value:
                return True
    return False


def _note(path: KeyPath, layers: list[Layer], report: ProblemReport) -> None:
    """Note a `"..."` that stands for nothing, at the line of it."""
    lists = ((layer.origin, value_at(layer, path)) for layer in layers)
    marks = [(origin, [*compress(count(), map(_IS_MARK, value))]) for origin, value in lists if goes_on(value)]
    # The lowest layer that has it twice, else the lowest that has it.
    origin, positions = max(marks, key=lambda found: len(found[1]) > 1)
    problem, hint = _TWICE if len(positions) > 1 else _NOTHING_BELOW
    report.error((*path, positions[:2][-1]), problem, hint, origin)
