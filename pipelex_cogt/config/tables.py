"""Tables: the values of TOML, and the one way to walk them.

A table is a dictionary of scalars, lists and tables. Everything that must look at each value of one, to seal it, to
show it or to find its references, walks it with `leaves` or `map_leaves`; whoever takes apart only some tables, with
`walk`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from itertools import count, filterfalse, repeat
from typing import Any, NoReturn, TypeAlias, TypeVar

from pydantic import SecretStr

from pipelex_cogt.config.key_paths import KeyPath

Table: TypeAlias = dict[str, Any]
_Entries: TypeAlias = list[tuple[Any, ...]]
_Copied: TypeAlias = dict[str, "_Copied"]
"""The tables that are ours to change, each below its key."""
K = TypeVar("K")
V = TypeVar("V")

BELOW = "..."
"""The item of a list that stands for what the layer below says there."""
_MISSING = object()
_CONTAINERS = (Mapping, list, tuple)
_UNFROZEN = {dict, list, tuple}
_TOML_TYPES: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "a string",
    SecretStr: "a string",
    dict: "a table",
    list: "a list",
    tuple: "a list",
    datetime: "a date and time",
    date: "a date",
    time: "a time",
}


def toml_type(value: object) -> str:
    """What TOML calls a value's type."""
    if value == "":
        return "an empty string"
    # The narrower type comes first: a boolean is an integer to Python, and a date and time is a date to it.
    names = filter(None, map(_TOML_TYPES.get, type(value).__mro__))
    return next(names, f"a Python {type(value).__name__}")


def _refuse(_self: object, *_args: object, **_options: object) -> NoReturn:
    raise TypeError("settings are read-only; load again with other settings instead")


class FrozenDict(dict[K, V]):
    """A dictionary that cannot be changed, and yet pickles, copies and reads at a dictionary's speed."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]  # because: what cannot change can be hashed, unlike its parent
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict[K, V]:
        return self


class FrozenList(list[V]):
    """A list that cannot be changed."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = extend = insert = _refuse
    pop = remove = clear = sort = reverse = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenList, ([*self],)

    def __hash__(self) -> int:  # type: ignore[override]  # because: as above
        return hash(tuple(self))


def freeze(value: Any) -> Any:
    """A value of tables and lists that cannot be changed, all the way down."""
    # Most values are scalars: looking at the type here costs less than a call for each.
    if type(value) is dict:
        return FrozenDict({k: freeze(v) if type(v) in _UNFROZEN else v for k, v in value.items()})
    return FrozenList(map(freeze, value)) if type(value) in _UNFROZEN else value


def value_at(table: Any, path: KeyPath, default: Any = None) -> Any:
    """The value at a key path of nested tables and lists, or `default` where there is none."""
    try:
        for key in path:
            # A text has positions too, and none of its letters is a value of its own.
            if isinstance(table, str):
                return default
            table = table[key]
    except (LookupError, TypeError):
        return default
    return table


def has_value(table: Any, path: KeyPath) -> bool:
    """Whether nested tables and lists hold anything at a key path."""
    return value_at(table, path, _MISSING) is not _MISSING


def merge(lower: Table, upper: Table) -> Table:
    """Lay one table over another: tables merge key by key, everything else replaces. Neither argument changes.

    In a list of the upper table `"..."` stands for the list, or the one text, of the lower. Where the lower has neither
    it stays, for a table still further below to answer.
    """
    merged = dict(lower)
    for key, value in upper.items():
        merged[key] = lay(merged[key], value) if key in merged else value
    return merged


def lay(below: Any, value: Any) -> Any:
    """What becomes of a value that is laid over another."""
    if isinstance(value, dict) and isinstance(below, dict):
        return merge(below, value)
    if goes_on(value) and isinstance(below, str | list):
        # Nobody asks where the items come from: entries of nothing but the item.
        below_entries, entries = zip(_items_of(below)), zip(value)
        return [item for (item,) in _continued([*below_entries], [*entries])]
    return value


class Merged:
    """Tables laid over each other in place, as `merge` does it: a table costs what it holds, whatever lies below it.

    Attributes:
        table: What they merge to; it changes with each that is laid over it.
    """

    def __init__(self) -> None:
        self.table: Table = {}
        self._copied: _Copied = {}

    def lay(self, upper: Table) -> None:
        """Lay a table over what is there; the table itself does not change."""
        _lay_over(self.table, upper, self._copied)


def _lay_over(table: Table, upper: Table, copied: _Copied) -> None:
    for key, value in upper.items():
        below = table.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            # A table is somebody else's until it is copied.
            if key not in copied:
                table[key], copied[key] = dict(below), {}
            _lay_over(table[key], value, copied[key])
        else:
            table[key] = lay(below, value)
            copied.pop(key, None)


def goes_on(value: Any) -> bool:
    """Whether a value is a list that goes on with what is below it."""
    return isinstance(value, list) and BELOW in value


def trace_items(values: Iterable[Any]) -> list[tuple[int, int]]:
    """Where each item of a list comes from.

    Args:
        values: What layers state of one key, the lowest first.

    Returns:
        For each item of the list that they merge to, the number of the value that states it, and the position in that.
    """
    traced: _Entries = []
    for number, value in enumerate(values):
        stated = [*zip(_items_of(value), repeat(number), count())]
        traced = _continued(traced, stated) if goes_on(value) else stated
    return [(number, index) for _item, number, index in traced]


def _items_of(value: Any) -> Sequence[Any]:
    """The items of a list; one text is a list of one, and nothing else has any."""
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) else ()


def _continued(below: _Entries, stated: _Entries) -> _Entries:
    """A list that goes on with another, both of entries that begin with an item of the list.

    A text that both lists hold stands once, where the upper one has it.
    """
    items = [item for item, *_ in stated]
    mark = items.index(BELOW)
    own = {item for item in items if isinstance(item, str)} - {BELOW}
    kept = [entry for entry in below if not isinstance(entry[0], str) or entry[0] not in own]
    return [*stated[:mark], *kept, *stated[mark + 1 :]]


def without(table: Table, keys: Iterable[str]) -> Table:
    """A table without some of its keys."""
    return {key: table[key] for key in filterfalse({*keys}.__contains__, table)}


def nest(path: KeyPath, value: Any) -> Table:
    """Wrap a value in the tables of its key path."""
    for key in reversed(path):
        value = {key: value}
    table: Table = value
    return table


def leaves(value: Any, path: KeyPath = (), *, opens_lists: bool = True) -> Iterator[tuple[KeyPath, Any]]:
    """Every value that is no table, with its key path, in the order of the text.

    Args:
        value: A table, a list or a single value.
        path: The key path of it.
        opens_lists: Whether a list is taken apart too, or is one value.
    """
    opened = _CONTAINERS if opens_lists else Mapping
    return walk(value, lambda item: not isinstance(item, opened), path)


def walk(value: Any, is_leaf: Callable[[Any], bool], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value that `is_leaf` does not want taken apart, with its key path, in the order of the text."""
    # A list of what is still to be taken apart, for tables may be nested deeper than calls may.
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if is_leaf(value):
            yield path, value
        else:
            waiting += reversed([((*path, key), item) for key, item in contents_of(value)])


def contents_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """What a table or a list holds, each with its key or position; any other value holds nothing."""
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def odd_keys(table: Mapping[Any, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    """The key path of every key of nested tables that is no text, as no file could state it."""
    for key, value in table.items():
        if not isinstance(key, str):
            yield (*path, key)
        if isinstance(value, Mapping):
            yield from odd_keys(value, (*path, str(key)))


def map_leaves(value: Any, change: Callable[[KeyPath, Any], Any], path: KeyPath = ()) -> Any:
    """A copy of tables and lists in which `change`, given key path and value, has replaced every other value."""
    if not isinstance(value, _CONTAINERS):
        return change(path, value)
    copied = {key: map_leaves(item, change, (*path, key)) for key, item in contents_of(value)}
    return copied if isinstance(value, Mapping) else [*copied.values()]


def thaw(table: Mapping[str, Any]) -> Table:
    """A copy of a table, of dictionaries and lists that anybody can change."""
    thawed: Table = map_leaves(table, lambda _path, value: value)
    return thawed


def without_none(table: Mapping[str, Any]) -> Table:
    """A copy of a table that lacks what is None."""
    return {name: value for name, value in table.items() if value is not None}
