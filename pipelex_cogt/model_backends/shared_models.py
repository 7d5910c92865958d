"""Shared models: a backend that is like another one serves the same models, under the same names.

[my_proxy]
endpoint = "https://proxy.example.com/v1"
models_like = "openai"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from pipelex_cogt.config.flat_prices import settle_file, settle_table
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.older_spellings import DEFAULTS_KEY
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table, has_value, merge, value_at
from pipelex_cogt.errors import abridge

KEY = "models_like"


def lineage(backend: str, like: Mapping[str, str]) -> list[str]:
    """A backend, and those whose models it takes, the nearest first.

    Args:
        backend: The backend's name.
        like: The backends with the models of another, each with that other; nobody is led in a circle.
    """
    found = [backend]
    while found[-1] in like:
        found.append(like[found[-1]])
    return found


def tables_of(model: str, backends: Iterable[str]) -> Iterator[KeyPath]:
    """The key paths of the tables that may state a key of a model, the one that wins first.

    Args:
        model: The model's name.
        backends: The backend that serves it, and those whose models it takes, the nearest first.
    """
    names = [*backends]
    yield from (("models", name, table) for table in (model, DEFAULTS_KEY) for name in names)


class StatedBy:
    """Which of a backend, and those whose models it takes, states something; each step of a long way is gone once."""

    def __init__(self, files: Mapping[str, Table], like: Mapping[str, str]) -> None:
        """Ask of some files.

        Args:
            files: The models that each backend's file states.
            like: The backends with the models of another, each with that other; nobody is led in a circle.
        """
        self._files = files
        self._like = like
        self._found: dict[tuple[str | None, KeyPath], str | None] = {}

    def __call__(self, backend: str, *keys: str) -> str | None:
        """The nearest backend whose file states something below some keys; None where none does."""
        way: list[str] = []
        name: str | None = backend
        while name is not None and (name, keys) not in self._found and not has_value(self._files, (name, *keys)):
            way.append(name)
            name = self._like.get(name)
        found = self._found.get((name, keys), name)
        self._found.update(dict.fromkeys(((each, keys) for each in way), found))
        return found

    def table_of(self, backend: str, model: str, *keys: str) -> KeyPath | None:
        """The key path of the table that states a key of a model: its own, or a `[defaults]`; None where none does."""
        for table in (model, DEFAULTS_KEY):
            stated_by = self(backend, table, *keys)
            if stated_by is not None:
                return ("models", stated_by, table)
        return None


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
    """What is stated of each backend's models: of those of the backend that it is like, with its own file over it.

    Attributes:
        like: The backends with the models of another, each with that other.
    """

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
        self.like: dict[str, str] = {}
        followed: set[str] = set()
        for name, table in tables.items():
            other = table.get(KEY)
            if isinstance(other, str) and other:
                # Only what another one follows can close a circle: a long way is not gone once for each step of it.
                way = lineage(other, self.like) if name in followed else [other]
                if _is_sound(name, way, tables, report):
                    self.like[name] = other
                    followed.add(other)
        self._known: dict[str, Stated] = {}
        self._stated_by = StatedBy(files, self.like)

    def __contains__(self, backend: str) -> bool:
        return backend in self._files or backend in self.like

    def __getitem__(self, backend: str) -> Stated:
        for name in reversed(self._unread(backend)):
            own, like = self._read(name), self.like.get(name)
            self._known[name] = own.over(self._known[like]) if like else own
        return self._known[backend]

    def _unread(self, backend: str) -> list[str]:
        """A backend and those whose models it takes, the nearest first, down to one that was read before."""
        found: list[str] = []
        name: str | None = backend
        while name is not None and name not in self._known:
            found.append(name)
            name = self.like.get(name)
        return found

    def places(self, backend: str, model: str) -> Iterator[KeyPath]:
        """The key paths of the tables that may state a key of a model, the one that wins first."""
        return tables_of(model, lineage(backend, self.like))

    def stated_at(self, place: KeyPath) -> Table:
        """What a file states at the key path of a table; nothing where there is no table."""
        table = value_at(self._files, place[1:])
        return table if isinstance(table, dict) else FrozenDict()

    def place_of(self, backend: str, model: str, *keys: str) -> KeyPath:
        """The key path that states a key of a model; that of its own table where none does."""
        table = self._stated_by.table_of(backend, model, *keys)
        return (*(table or ("models", backend, model)), *keys)


def _is_sound(name: str, way: list[str], tables: Mapping[str, Table], report: ProblemReport) -> bool:
    """Whether a backend may take the models of the first on a way, which leads on to those it takes its own from."""
    place = ("backends", name, KEY)
    if name in way:
        told = " -> ".join([*abridge([*map(repr, [name, *way[: way.index(name)]])]), repr(name)])
        report.error(place, f"models_like leads in a circle: {told}", "take one of them away")
    elif way[0] not in tables:
        near = NearName(way[0], tables, lists_known=True)
        report.unknown_name(place, "backend", near, unless=[("backends", way[0])])
    else:
        return True
    return False
