"""The names of override variables: which key `PIPELEX_COGT__ROUTING__ACTIVE` stands for, and which one is near.

A variable's name holds letters, digits and `_`, so `_` stands for any character of a key that is neither a letter nor
a digit, and `__` for the step into a table. Keys may hold such runs themselves, so a name is matched against the keys
that exist, from the root downward, instead of being cut at every `__`.

The keys of a table are put in order when a name first leads there: thousands of variables over thousands of keys cost
what both of them hold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, takewhile
from typing import Any

from pipelex_cogt.config.environ import PREFIX
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.schema import child_schema, is_table, known_keys, takes_further_keys
from pipelex_cogt.config.suggestions import is_one_slip, near_names
from pipelex_cogt.config.tables import FrozenDict, Merged, Table, value_at

SEPARATOR = "__"
_MOST_SUGGESTED = 3
_NOTHING: Table = FrozenDict()
# What no variable's name can hold, and `_` itself. One character.
_NOT_ALPHANUMERIC = re.compile(r"[\W_]")


def variable_part(key: str) -> str:
    """A key as it stands in a variable's name."""
    return _NOT_ALPHANUMERIC.sub("_", key).upper()


def letters_of(name: str) -> str:
    """A variable's name without what stands between its letters and digits."""
    return _NOT_ALPHANUMERIC.sub("", name)


class VariableNames:
    """The names of variables that the settings have, with the settings themselves.

    Attributes:
        schema: What the settings look like.
    """

    # A plain class, whose repr does not show the settings.
    def __init__(self, schema: Any, below: Table = _NOTHING, above: Table = _NOTHING) -> None:
        """Put names in order.

        Args:
            schema: What the settings look like.
            below: The settings that variables are laid over.
            above: Those that are laid over the variables, which a name may mean too.
        """
        self.schema = schema
        self._above = above
        self._settings = Merged()
        self._names = _Names(None, schema)
        self._lay(below)
        self._lay(above)

    def lay(self, table: Table) -> None:
        """Lay what a variable states over the settings below."""
        self._lay(table)
        self._lay(_shared(self._above, table))

    def _lay(self, table: Table) -> None:
        self._settings.lay(table)
        self._names.add(table)

    def value_at(self, path: KeyPath) -> Any:
        """What the settings state at a key path."""
        return value_at(self._settings.table, path)

    def match(self, name: str) -> Iterator[KeyPath]:
        """Every key path that a variable's name, in capitals and without its prefix, can mean."""
        return self._names.match(name, self._settings.table)

    def nearest(self, name: str) -> list[str]:
        """The variables that a name without its prefix, in capitals, may be meant for, nearest first.

        One of the same letters and digits is meant, whatever stands between them, with the table left out or an
        environment put before it; else the name is followed from the root downward, at each table to the keys that
        come near.
        """
        ways = (
            self._names.spelt_alike(letters_of(name), self._settings.table),
            self._names.a_level_off(name, self._settings.table),
            self._names.spelt_nearly(name, self._settings.table),
        )
        found = next(filter(None, map(list, ways)), [])
        return [PREFIX + part for part in found[:_MOST_SUGGESTED]]


class _Names:
    """The keys that one table has or may have, by how they stand in variables' names.

    Whoever asks hands over the table itself too, which changes while variables are laid over it.
    """

    def __init__(self, table: Any, schema: Any) -> None:
        self._schema = schema
        self._numbers: dict[str, int] = {}
        self._by_part: defaultdict[str, list[str]] = defaultdict(list)
        self._by_letters: defaultdict[str, list[str]] = defaultdict(list)
        self._below: dict[str, _Names] = {}
        self._longest = 0
        self._note(chain(table if isinstance(table, Mapping) else (), known_keys(schema)))

    def _note(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in self._numbers:
                self._numbers[key] = len(self._numbers)
                part = variable_part(key)
                self._longest = max(self._longest, len(part))
                self._by_part[part].append(key)
                self._by_letters[letters_of(part)].append(key)

    def add(self, table: Table) -> None:
        """Take in the keys of what is laid over the table."""
        self._note(table)
        for key in filter(self._below.__contains__, table):
            if isinstance(table[key], dict):
                self._below[key].add(table[key])
            else:
                del self._below[key]

    def below(self, key: str, value: Any) -> _Names:
        """The names below a key, given its value."""
        if key not in self._below:
            self._below[key] = _Names(value, child_schema(self._schema, key))
        return self._below[key]

    def match(self, name: str, table: Any) -> Iterator[KeyPath]:
        """Every key path that a name can mean."""
        ends = (end for end in range(1, len(name) + 1) if name[end : end + len(SEPARATOR)] in ("", SEPARATOR))
        fitting = self._beginning(name, ends, self._by_part)
        for key, end in fitting:
            if end == len(name):
                yield (key,)
            elif child_schema(self._schema, key) is not None:
                value = value_at(table, (key,))
                below = self.below(key, value).match(name[end:].removeprefix(SEPARATOR), value)
                yield from ((key, *path) for path in below)
        # A backend takes further keys, which a variable may be the first to state.
        if name and not fitting and takes_further_keys(self._schema) and SEPARATOR not in name:
            yield (name.lower(),)

    def spelt_alike(self, letters: str, table: Any, above: str = "") -> Iterator[str]:
        """The variables of the same letters and digits."""
        for key, end in self._beginning(letters, range(1, len(letters) + 1), self._by_letters):
            part = above + variable_part(key)
            if end == len(letters):
                yield part
            elif child_schema(self._schema, key) is not None:
                value = value_at(table, (key,))
                yield from self.below(key, value).spelt_alike(letters[end:], value, part + SEPARATOR)

    def a_level_off(self, name: str, table: Any) -> Iterator[str]:
        """The variables of the same letters and digits with a table put before them, or left out."""
        _, _, rest = name.partition(SEPARATOR)
        yield from self.spelt_alike(letters_of(rest), table)
        for key in sorted(known_keys(self._schema), key=self._numbers.__getitem__):
            value, above = value_at(table, (key,)), variable_part(key) + SEPARATOR
            yield from self.below(key, value).spelt_alike(letters_of(name), value, above)

    def spelt_nearly(self, name: str, table: Any, above: str = "") -> Iterator[str]:
        """The variables that a name leads to where it comes near a key, table by table."""
        step, _, rest = name.partition(SEPARATOR if SEPARATOR in name else "_")
        for part in [step] if step in self._by_part else self._near(step):
            key = self._by_part[part][-1]
            if not is_table(child_schema(self._schema, key)):
                yield above + part
            elif rest:
                value = value_at(table, (key,))
                yield from self.below(key, value).spelt_nearly(rest, value, f"{above}{part}{SEPARATOR}")

    def _near(self, step: str) -> Iterable[str]:
        # In one table even a short key is told by one slip.
        return near_names(step, self._by_part) or [part for part in self._by_part if is_one_slip(step, part.casefold())]

    def _beginning(self, name: str, ends: Iterable[int], keys: Mapping[str, list[str]]) -> list[tuple[str, int]]:
        """The keys that stand at the beginning of a name up to one of its ends, each with that end, in their order."""
        possible = takewhile(self._longest.__ge__, ends)
        found = [(key, end) for end in possible for key in keys.get(name[:end], ())]
        return sorted(found, key=lambda entry: self._numbers[entry[0]])


def _shared(above: Table, table: Table) -> Table:
    """What a table states of the keys that another states."""
    shared = {key: (above[key], value) for key, value in table.items() if key in above}
    both = {key: isinstance(value, dict) and isinstance(own, dict) for key, (own, value) in shared.items()}
    return {key: _shared(own, value) if both[key] else own for key, (own, value) in shared.items()}
