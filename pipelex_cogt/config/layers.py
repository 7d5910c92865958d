"""Layers: the sources of settings, lowest first, and where each states a value.

A layer is one table shaped like the tree under `cogt`, with its origin. An origin remembers how a key path of the
tree reads in its own file: `cogt.models.openai."gpt-4.1"` is `["gpt-4.1"]` in `backends/openai.toml` and
`[production.cogt.models.openai."gpt-4.1"]` in `settings.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.older_spellings import older_spelling

Table: TypeAlias = dict[str, Any]


class LayerKind(IntEnum):
    """The layers in their order, lowest first; a higher one wins."""

    PACKAGED = 1
    APPLICATION = 2
    ENVIRONMENT = 3
    LOCAL = 4
    SECRETS_FILE = 5
    SECRETS_DIRECTORY = 6
    DOTENV = 7
    PROCESS_ENVIRONMENT = 8
    OVERRIDES = 9

    @property
    def label(self) -> str:
        """The layer in words, for people."""
        return _LABELS[self]


_LABELS = {
    LayerKind.PACKAGED: "packaged settings",
    LayerKind.APPLICATION: "application settings",
    LayerKind.ENVIRONMENT: "environment table",
    LayerKind.LOCAL: "local file",
    LayerKind.SECRETS_FILE: "secrets file",
    LayerKind.SECRETS_DIRECTORY: "secrets directory",
    LayerKind.DOTENV: ".env",
    LayerKind.PROCESS_ENVIRONMENT: "environment variable",
    LayerKind.OVERRIDES: "overrides given in code",
}


class Place(NamedTuple):
    """Where a value is stated: a file with a line, or the name of a variable."""

    name: str
    line: int | None = None

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}:{self.line}"


class Origin(NamedTuple):
    """Where a layer comes from.

    Attributes:
        kind: Which layer it is.
        name: The variable's name, or the file as people write it.
        path: The file, where there is one.
        environment: The environment whose table it is, or None.
        tree_prefix: The tree's keys above what the file states.
        file_prefix: The file's keys above what belongs to the tree.
        is_packaged: Whether it ships with the package rather than belongs to the application.
    """

    kind: LayerKind
    name: str
    path: Path | None = None
    environment: str | None = None
    tree_prefix: KeyPath = ()
    file_prefix: KeyPath = ()
    is_packaged: bool = False

    def place(self, path: KeyPath) -> Place:
        """Where this origin states `path`, or the nearest table above it."""
        if self.path is None:
            return Place(self.name)
        lines = _lines_of(self.path, _modified(self.path))
        stated = (*self.file_prefix, *path[len(self.tree_prefix) :])
        for end in range(len(stated), 0, -1):
            for spelling in (stated[:end], older_spelling(stated[:end])):
                if spelling in lines:
                    return Place(self.name, lines[spelling])
        return Place(self.name)


@dataclass(frozen=True, repr=False, eq=False)
class Layer:
    """One layer: a table shaped like the tree under `cogt`, and its origin."""

    origin: Origin
    table: Table

    def __repr__(self) -> str:
        return f"Layer({self.origin.name!r}, {len(self.table)} keys)"


_MISSING = object()


def value_at(table: Any, path: KeyPath, default: Any = None) -> Any:
    """The value at a key path of nested tables and lists, or `default` where there is none."""
    for key in path:
        if isinstance(table, dict):
            table = table.get(key, _MISSING)
        elif isinstance(table, list | tuple) and isinstance(key, int) and key < len(table):
            table = table[key]
        else:
            return default
        if table is _MISSING:
            return default
    return table


def states(layer: Layer, path: KeyPath) -> bool:
    """Whether a layer states anything at a key path."""
    return has_value(layer.table, path)


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


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _lines_of(path: Path, _modified: int) -> dict[KeyPath, int]:
    """The lines of a file; `_modified` makes a changed file a different question."""
    from pipelex_cogt.config.toml_lines import find_lines

    try:
        return find_lines(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
