"""Tables: the values of TOML, and the one way to walk them.

A table is a dictionary of scalars, lists and tables. Everything that must look at each value of one, to seal it, to
show it or to find its references, walks it with `leaves` or `map_leaves`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any, NoReturn, TypeAlias, TypeVar

from pydantic import SecretStr

from pipelex_cogt.config.key_paths import KeyPath

Table: TypeAlias = dict[str, Any]
K = TypeVar("K")
V = TypeVar("V")

_MISSING = object()
# A boolean is an integer to Python and a date and time is a date, so the narrower type stands first.
_TOML_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    ((str, SecretStr), "a string"),
    (Mapping, "a table"),
    ((list, tuple), "a list"),
    (date, "a date"),
    (time, "a time"),
)


def toml_type(value: object) -> str:
    """What TOML calls a value's type."""
    if value == "":
        return "an empty string"
    for kind, name in _TOML_TYPES:
        if isinstance(value, kind):
            return name
    return f"a Python {type(value).__name__}"


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


_CONTAINERS = {dict, list, tuple}


def freeze(value: Any) -> Any:
    """A value of tables and lists that cannot be changed, all the way down."""
    # Most values are scalars: looking at the type here costs less than a call for each.
    kind = type(value)
    if kind is dict:
        return FrozenDict({k: freeze(v) if type(v) in _CONTAINERS else v for k, v in value.items()})
    return FrozenList(map(freeze, value)) if kind in _CONTAINERS else value


def value_at(table: Any, path: KeyPath, default: Any = None) -> Any:
    """The value at a key path of nested tables and lists, or `default` where there is none."""
    for key in path:
        table = _child(table, key)
    return default if table is _MISSING else table


def _child(table: Any, key: str | int) -> Any:
    if isinstance(table, Mapping):
        return table.get(key, _MISSING)
    if isinstance(table, list | tuple) and isinstance(key, int):
        return table[key] if key < len(table) else _MISSING
    return _MISSING


def has_value(table: Any, path: KeyPath) -> bool:
    """Whether nested tables and lists hold anything at a key path."""
    return value_at(table, path, _MISSING) is not _MISSING


def merge(lower: Table, upper: Table) -> Table:
    """Lay one table over another: tables merge key by key, everything else replaces. Neither argument changes."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


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
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        items: Iterable[tuple[Any, Any]]
        if isinstance(value, Mapping):
            items = value.items()
        elif opens_lists and isinstance(value, list | tuple):
            items = enumerate(value)
        else:
            yield path, value
            continue
        waiting += reversed([((*path, key), item) for key, item in items])


def odd_keys(table: Mapping[Any, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    """The key path of every key of nested tables that is no text, as no file could state it."""
    for key, value in table.items():
        if not isinstance(key, str):
            yield (*path, key)
        if isinstance(value, Mapping):
            yield from odd_keys(value, (*path, str(key)))


def map_leaves(value: Any, change: Callable[[KeyPath, Any], Any], path: KeyPath = ()) -> Any:
    """A copy of tables and lists in which `change`, given key path and value, has replaced every other value."""
    if isinstance(value, Mapping):
        return {key: map_leaves(item, change, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_leaves(item, change, (*path, index)) for index, item in enumerate(value)]
    return change(path, value)
