"""What cannot be changed: every way to change a table or a list, tried on each of a value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import pytest


def merge_in_place(table: Any) -> None:
    table |= {"x": 1}


def add_in_place(items: Any) -> None:
    items += [1]


def multiply_in_place(items: Any) -> None:
    items *= 2


CHANGES_OF_A_TABLE: dict[str, Callable[[Any], object]] = {
    "set": lambda table: operator.setitem(table, "x", 1),
    "delete": lambda table: operator.delitem(table, next(iter(table), "x")),
    "merge in place": merge_in_place,
    "clear": lambda table: table.clear(),
    "pop": lambda table: table.pop(next(iter(table), "x")),
    "pop with a default": lambda table: table.pop("x", None),
    "popitem": lambda table: table.popitem(),
    "setdefault": lambda table: table.setdefault("x", 1),
    "update": lambda table: table.update(x=1),
}
CHANGES_OF_A_LIST: dict[str, Callable[[Any], object]] = {
    "set": lambda items: operator.setitem(items, 0, 1),
    "set a part": lambda items: operator.setitem(items, slice(0, 1), [1, 2]),
    "delete": lambda items: operator.delitem(items, 0),
    "delete a part": lambda items: operator.delitem(items, slice(0, 1)),
    "add in place": add_in_place,
    "multiply in place": multiply_in_place,
    "append": lambda items: items.append(1),
    "clear": lambda items: items.clear(),
    "extend": lambda items: items.extend([1]),
    "insert": lambda items: items.insert(0, 1),
    "pop": lambda items: items.pop(),
    "remove": lambda items: items.remove(next(iter(items), 1)),
    "reverse": lambda items: items.reverse(),
    "sort": lambda items: items.sort(),
}


def containers_in(value: Any) -> Iterator[Any]:
    """Every table, list and tuple of a value, itself included."""
    if isinstance(value, dict | list | tuple):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers_in(item)


def assert_frozen(value: Any) -> None:
    """Assert that no method changes any table or list of a value; a tuple has none that would."""
    for container in containers_in(value):
        changes = CHANGES_OF_A_TABLE if isinstance(container, dict) else CHANGES_OF_A_LIST
        if isinstance(container, tuple):
            continue
        for change in changes.values():
            with pytest.raises(TypeError, match="settings are read-only; load again with other settings instead"):
                change(container)
