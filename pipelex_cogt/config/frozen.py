"""A dictionary that cannot be changed, and yet pickles, copies and reads at a dictionary's speed."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def freeze(value: Any) -> Any:
    """A value of tables and lists that cannot be changed, all the way down."""
    if isinstance(value, dict):
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    return tuple(map(freeze, value)) if isinstance(value, list | tuple) else value


class FrozenDict(dict[K, V]):
    """A read-only dictionary."""

    __slots__ = ()

    def _refuse(self, *_args: Any, **_options: Any) -> NoReturn:
        raise TypeError("settings are read-only; load again with other settings instead")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict[K, V]], tuple[dict[K, V]]]:
        return FrozenDict, (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]  # because: what cannot change can be hashed, unlike its parent
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict[K, V]:
        return self
