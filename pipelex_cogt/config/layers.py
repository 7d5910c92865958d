"""Layers: the sources of settings, lowest first, and where each states a value.

A layer is one table shaped like the tree under `cogt`, with its origin. An origin remembers how a key path of the
tree reads in its own file: `cogt.models.openai."gpt-4.1"` is `["gpt-4.1"]` in `backends/openai.toml` and
`[production.cogt.models.openai."gpt-4.1"]` in `settings.toml`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from zlib import crc32

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.regular_files import read_file
from pipelex_cogt.config.tables import FrozenDict, Table, contents_of, freeze, has_value

if TYPE_CHECKING:
    from pipelex_cogt.config.toml_lines import Lines


class LayerKind(IntEnum):
    """The layers in their order, lowest first; a higher one wins."""

    label: str
    """The layer in words, for people."""

    def __new__(cls, order: int, label: str) -> Self:
        """A layer at its place in the order, which alone is its value."""
        kind = int.__new__(cls, order)
        kind._value_ = order
        kind.label = label
        return kind

    PACKAGED = 1, "packaged settings"
    APPLICATION = 2, "application settings"
    ENVIRONMENT = 3, "environment table"
    LOCAL = 4, "local file"
    SECRETS_FILE = 5, "secrets file"
    SECRETS_DIRECTORY = 6, "secrets directory"
    DOTENV = 7, ".env"
    PROCESS_ENVIRONMENT = 8, "environment variable"
    OVERRIDES = 9, "overrides given in code"


class Place(NamedTuple):
    """Where a value is stated: a file with a line, or the name of a variable.

    Attributes:
        name: The file as people write it, or the variable.
        line: The line, counted from 1; None where there is no file or the line is not known.
        is_changed: Whether the file changed after it was read, so that no line of it can be told.
    """

    name: str
    line: int | None = None
    is_changed: bool = False

    def __str__(self) -> str:
        if self.is_changed:
            return f"{self.name} (changed since it was read)"
        return self.name if self.line is None else f"{self.name}:{self.line}"


class Location(NamedTuple):
    """Where a key path is stated last.

    Attributes:
        place: The file and line, or the variable; None where nothing states it.
        is_packaged: Whether that is a packaged file.
        stated: What is stated there: the key path itself, or the nearest table above it.
        origin: The origin of the layer that states it.
    """

    place: Place | None = None
    is_packaged: bool = False
    stated: KeyPath = ()
    origin: Origin | None = None


@dataclass(frozen=True, repr=False)
class SourceFile:
    """A TOML file as a load read it: on which line it states a key.

    Attributes:
        path: The file.
        name: The file as people write it.
        checksum: A sum of what was read. The text itself, which may hold secrets, is not kept for the sake of lines.
    """

    path: Path
    name: str
    checksum: int

    @classmethod
    def of(cls, path: Path, name: str, content: bytes) -> SourceFile:
        """The file at a path, of which `content` was read."""
        return cls(path, name, crc32(content))

    def place(self, path: KeyPath) -> Place:
        """Where the file states a key path of its own, or the nearest table above it."""
        if self._lines is None:
            return Place(self.name, is_changed=True)
        return Place(self.name, self._lines.nearest(path))

    def __getstate__(self) -> dict[str, Any]:
        """A pickle leaves the lines behind: whoever asks for one looks into the file again."""
        return {name: value for name, value in vars(self).items() if name != "_lines"}

    @cached_property
    def _lines(self) -> Lines | None:
        """The line of every key path; None where the file is not what was read."""
        from pipelex_cogt.config.toml_lines import find_lines  # imported here because most loads tell no line

        with suppress(OSError):
            content = read_file(self.path)
            if crc32(content) == self.checksum:
                # Of brackets in brackets in brackets, as many as the parser takes, no line is told.
                with suppress(RecursionError):
                    return find_lines(content.decode("utf-8-sig"))
                return find_lines("")
        return None


class Origin(NamedTuple):
    """Where a layer comes from.

    Attributes:
        kind: Which layer it is.
        name: The variable's name, or the file as people write it.
        file: The file, where there is one.
        environment: The environment whose table it is, or None.
        tree_prefix: The tree's keys above what the file states.
        file_prefix: The file's keys above what belongs to the tree.
        is_packaged: Whether it ships with the package rather than belongs to the application.
        older: The key paths that the file states in an older spelling, each with that spelling.
    """

    kind: LayerKind
    name: str
    file: SourceFile | None = None
    environment: str | None = None
    tree_prefix: KeyPath = ()
    file_prefix: KeyPath = ()
    is_packaged: bool = False
    older: Mapping[KeyPath, KeyPath] = FrozenDict()

    def place(self, path: KeyPath) -> Place:
        """Where this origin states `path`, or the nearest table above it."""
        if self.file is None:
            return Place(self.name)
        return self.file.place(self.own_path(self.older.get(path, path)))

    def own_path(self, path: KeyPath) -> KeyPath:
        """How a key path of the tree reads in the file."""
        return (*self.file_prefix, *path[len(self.tree_prefix) :])


class Layer(FrozenDict[str, Any]):
    """One layer: a table shaped like the tree under `cogt`, and its origin."""

    __slots__ = ("origin",)

    def __init__(self, origin: Origin, table: Table) -> None:
        super().__init__(table)
        self.origin = origin

    def __reduce__(self) -> tuple[Any, ...]:
        return Layer, (self.origin, dict(self))

    def __repr__(self) -> str:
        return f"Layer({self.origin.name!r}, {len(self)} keys)"

    def frozen(self) -> Layer:
        """The layer, frozen all the way down."""
        return Layer(self.origin, freeze(dict(self)))

    def is_stating(self, path: KeyPath) -> bool:
        """Whether it states anything at a key path."""
        return has_value(self, path)


class LayerIndex:
    """Finds the layers that state a key path. A table is gone through once, when somebody first asks below it.

    Attributes:
        stated: The layers that state something here, in their order, each with what it states.
    """

    def __init__(self, stated: Iterable[tuple[Layer, Any]] = ()) -> None:
        self.stated = [*stated]

    def stating(self, path: KeyPath) -> list[Layer]:
        """The layers that state something at a key path, in their order."""
        place, layers = self.nearest(path)
        return layers if place == path else []

    def nearest(self, path: KeyPath) -> tuple[KeyPath, list[Layer]]:
        """The longest beginning of a key path that a layer states, and the layers that do."""
        index, depth = self, 0
        for key in path:
            if key not in index.below:
                break
            index, depth = index.below[key], depth + 1
        return path[:depth], [layer for layer, _value in index.stated]

    @cached_property
    def below(self) -> Mapping[str | int, LayerIndex]:
        """The same of each key, or of each position in a list."""
        below: defaultdict[str | int, LayerIndex] = defaultdict(LayerIndex)
        for layer, value in self.stated:
            for key, item in contents_of(value):
                below[key].stated.append((layer, item))
        return below
