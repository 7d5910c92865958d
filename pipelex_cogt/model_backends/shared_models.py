"""Shared models: a backend that is like another one serves the same models, under the same names.

[my_proxy]
endpoint = "https://proxy.example.com/v1"
models_like = "openai"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from pipelex_cogt.config.flat_prices import settle_file, settle_table
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table, has_value, merge, value_at

KEY = "models_like"


class Stated(NamedTuple):
    """What is stated of a backend's models.

    Attributes:
        defaults: What holds for each of them.
        models: The tables of the models, by name.
    """

    defaults: Table = FrozenDict()
    models: Table = FrozenDict()

    def over(self, lower: Stated) -> Stated:
        """This, laid over what another backend states."""
        defaults, models = settle_table(self.defaults, lower.defaults), settle_file(self.models, lower.models)
        return Stated(merge(lower.defaults, defaults), merge(lower.models, models))


class SharedModels:
    """What is stated of each backend's models: of those of the backend that it is like, with its own file over it."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        files: Mapping[str, Table],
        read: Callable[[str], Stated],
        report: ProblemReport,
    ) -> None:
        """Follow every `models_like`; a name that no backend has, and a circle, are noted and lead no further.

        Args:
            tables: The tables of the backends.
            files: The models that each backend's file states.
            read: Answers what the file of a backend states; it is asked once for each.
            report: Where faults are noted.
        """
        self._files = files
        self._read = read
        self._like: dict[str, str] = {}
        for name, table in tables.items():
            other = table.get(KEY)
            if isinstance(other, str) and other and self._is_sound(name, other, tables, report):
                self._like[name] = other
        self._known: dict[str, Stated] = {}

    def __contains__(self, backend: str) -> bool:
        return backend in self._files or backend in self._like

    def __getitem__(self, backend: str) -> Stated:
        for name in reversed(self._unread(backend)):
            own, like = self._read(name), self._like.get(name)
            self._known[name] = own.over(self._known[like]) if like else own
        return self._known[backend]

    def _unread(self, backend: str) -> list[str]:
        """A backend and those whose models it takes, the nearest first, down to one that was read before."""
        found: list[str] = []
        name: str | None = backend
        while name is not None and name not in self._known:
            found.append(name)
            name = self._like.get(name)
        return found

    def lineage(self, backend: str) -> list[str]:
        """A backend, and those whose models it takes, the nearest first."""
        found = [backend]
        while found[-1] in self._like:
            found.append(self._like[found[-1]])
        return found

    def places(self, backend: str, model: str) -> Iterator[KeyPath]:
        """The key paths of the tables that may state a key of a model, the one that wins first."""
        lineage = self.lineage(backend)
        yield from (("models", name, table) for table in (model, DEFAULTS_KEY) for name in lineage)

    def stated_at(self, place: KeyPath) -> Table:
        """What a file states at the key path of a table; nothing where there is no table."""
        table = value_at(self._files, place[1:])
        return table if isinstance(table, dict) else FrozenDict()

    def place_of(self, backend: str, model: str, key: str) -> KeyPath:
        """The key path that states a key of a model; that of its own table where none does."""
        stated = (place for place in self.places(backend, model) if has_value(self._files, (*place[1:], key)))
        return (*next(stated, ("models", backend, model)), key)

    def _is_sound(self, name: str, other: str, tables: Mapping[str, Table], report: ProblemReport) -> bool:
        place, turn = ("backends", name, KEY), self.lineage(other)
        if name in turn:
            told = " -> ".join(map(repr, [name, *turn[: turn.index(name) + 1]]))
            report.error(place, f"models_like leads in a circle: {told}", "take one of them away")
        elif other not in tables:
            near = NearName(other, tables, lists_known=True)
            report.unknown_name(place, "backend", near, unless=[("backends", other)])
        else:
            return True
        return False
