"""Bounds: how deep settings may be nested, and how large an integer may be, wherever they come from.

Much of what settings go through, ours and that of libraries, calls itself for each level, and an application may call a
load with little room left for calls. TOML asks for integers of 64 bits, and Python refuses to write out long ones. So
both are looked at where a table enters, and nothing behind it needs to.

    for excess in cut_excesses(table): ...   # what was beyond the bounds; the table is within them now
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, TypeVar

from pipelex_cogt.config.key_paths import KeyPath

T = TypeVar("T")

MAX_LEVELS = 64
"""How many tables and lists may lie in each other."""
MAX_VALUES = 1_000_000
"""How many values the code may state: one table that stands in many places counts in each."""
TOO_DEEP = f"expected at most {MAX_LEVELS} levels of tables and lists, got more"
TOO_LARGE = "expected an integer of at most 64 bits, got a larger one"
TOO_MANY = f"expected at most {MAX_VALUES:,} values, got more"
_LEAST, _MOST = -(2**63), 2**63 - 1
_STAND_IN = 1
_SHOWN_LEVELS = 8
"""How many keys name a value that lies too deep: all of them would fill a page."""
# A comment, a text of several lines, or keys with dots between them; a text is one key. Each begins with another
# character, and gives nothing back of what it takes; a text that nobody closes is taken too, up to the end of its line.
_KEY = r"""(?:"(?:[^"\\\n]|\\.)*+"?+|'[^'\n]*+'?+|[A-Za-z0-9_-]++)"""
_DOTTED_KEYS = re.compile(
    r"""#[^\n]*+|"{3}(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z)|'{3}(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"""
    rf"""|(?P<keys>{_KEY}(?:[ \t]*+\.[ \t]*+{_KEY})*+)""",
    re.DOTALL,
)


class Excess(NamedTuple):
    """A value beyond the bounds.

    Attributes:
        path: Its key path.
        problem: What was expected.
    """

    path: KeyPath
    problem: str

    @property
    def shown_path(self) -> KeyPath:
        """Where it is told: a value that lies too deep, at the table above it that a message can name."""
        return self.path[:_SHOWN_LEVELS] if self.problem == TOO_DEEP else self.path


def cut_excesses(table: dict[str, Any]) -> list[Excess]:
    """What is beyond the bounds in a table; a sound value stands in its place afterwards."""
    return [] if _is_within(table) else [*_cut(table)]


def excess_of(value: Any) -> Excess | None:
    """What is beyond the bounds in a value that the code states: of any types, and it may even lie in itself."""
    # What stands in many places is looked at once in each level, and counted as often as it stands there.
    level: dict[int, tuple[KeyPath, Any, int]] = {id(value): ((), value, 1)}
    count = 0
    for _ in range(MAX_LEVELS):
        below: dict[int, tuple[KeyPath, Any, int]] = {}
        for path, container, times in level.values():
            for key, item in _items(container):
                count += times
                if isinstance(item, int) and not _LEAST <= item <= _MOST:
                    return Excess((*path, key), TOO_LARGE)
                if count > MAX_VALUES:
                    return Excess((), TOO_MANY)
                if _is_container(item):
                    first, _, others = below.get(id(item), ((*path, key), item, 0))
                    below[id(item)] = first, item, others + times
        level = below
    return next((Excess(path, TOO_DEEP) for path, _, _ in level.values()), None)


def expect_bounded(value: T) -> T:
    """A value that is within the bounds.

    Raises:
        ValueError: It is not; the message says what was expected.
    """
    if excess := excess_of([value]):
        raise ValueError(excess.problem)
    return value


def line_of_deep_key(text: str) -> int | None:
    """On which line a TOML text has a dotted key that goes deeper than tables may; None where it has none.

    The parser takes a time for such a key that grows with its square.
    """
    if not any(line.count(".") >= MAX_LEVELS for line in text.split("\n")):
        return None
    deep = (found for found in _DOTTED_KEYS.finditer(text) if _levels_of(found["keys"] or "") > MAX_LEVELS)
    return next((text.count("\n", 0, found.start()) + 1 for found in deep), None)


def _levels_of(keys: str) -> int:
    """How many tables a dotted key opens, itself included."""
    return sum(1 for _ in re.finditer(_KEY, keys)) if keys.count(".") >= MAX_LEVELS else 1


def _is_within(table: dict[str, Any]) -> bool:
    """Whether a table holds nothing beyond the bounds; this is all that a sound one pays."""
    level: list[Any] = [table]
    for _ in range(MAX_LEVELS):
        values = [
            item for container in level for item in (container.values() if type(container) is dict else container)
        ]
        if any(not _LEAST <= item <= _MOST for item in values if type(item) is int):
            return False
        level = [item for item in values if type(item) is dict or type(item) is list]
        if not level:
            return True
    return False


def _cut(table: dict[str, Any]) -> Iterator[Excess]:
    waiting: list[tuple[KeyPath, Any]] = [((), table)]
    while waiting:
        path, container = waiting.pop()
        for key, item in [*_items(container)]:
            if isinstance(item, int) and not _LEAST <= item <= _MOST:
                container[key] = _STAND_IN
                yield Excess((*path, key), TOO_LARGE)
            elif _is_container(item) and len(path) + 1 >= MAX_LEVELS:
                container[key] = _STAND_IN
                yield Excess((*path, key), TOO_DEEP)
            elif _is_container(item):
                waiting.append(((*path, key), item))


def _is_container(value: Any) -> bool:
    is_text = isinstance(value, str | bytes | bytearray)
    return isinstance(value, Mapping | Sequence | AbstractSet) and not is_text


def _items(container: Any) -> Iterator[tuple[Any, Any]]:
    """What a container holds, each with its key or position; nothing of another value."""
    if isinstance(container, Mapping):
        yield from container.items()
    elif _is_container(container):
        yield from enumerate(container)
