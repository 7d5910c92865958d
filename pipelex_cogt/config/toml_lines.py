"""On which line a TOML file states a key.

The standard library's parser keeps no positions, and nothing needs them while all is well. So a file is read a second
time, by this scanner, only when a place in it has to be named. The scanner expects text that `tomllib` has accepted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath

# The patterns expect valid TOML: each alternative begins with another character, so that none is tried twice. A comma
# stands between two values and tells no more than a blank. Nothing is given back of what was taken: to remember each
# character costs a hundred bytes.
_BLANK = re.compile(r"(?:[ \t\r\n,]++|#[^\n]*+)*+")
KEY_PART = re.compile(r"""[ \t]*("(?:[^"\\\n]++|\\.)*+"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*\.?""")
_SCALAR = re.compile(
    r'''"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*\''''
    r"""|\d{4}-\d\d-\d\d[ ]\d[^,\]}\s#]*|[^,\[\]{}\s#]+""",
    re.DOTALL,
)
_CLOSING = {"[": "]", "{": "}"}


class Statement(NamedTuple):
    """A header or a key with its value.

    Attributes:
        path: The key path that it states.
        line: The line on which it begins, counted from 1.
        is_table: Whether it is a header.
        table: The table in which it stands.
    """

    path: KeyPath
    line: int
    is_table: bool = False
    table: KeyPath = ()


class Lines(Mapping[KeyPath, int]):
    """The line, counted from 1, that first states each key path of a file."""

    def __init__(self, root: _Node) -> None:
        self._root = root

    def nearest(self, path: KeyPath) -> int | None:
        """The line of a key path, or of the nearest table above it; None where the file states neither."""
        *_, node = self._follow(path)
        return node.line or None

    def _follow(self, path: KeyPath) -> Iterator[_Node]:
        """What is stated from the root down to a key path, as far as it is."""
        node: _Node | None = self._root
        for key in (*path, None):
            if node is None:
                break
            yield node
            node = None if key is None else node.below.get(key)

    def __getitem__(self, path: KeyPath) -> int:
        *above, node = self._follow(path)
        if not path or len(above) < len(path):
            raise KeyError(path)
        return node.line

    def __iter__(self) -> Iterator[KeyPath]:
        waiting = [*self._root.below.values()]
        while waiting:
            node = waiting.pop()
            yield node.path()
            waiting += node.below.values()

    def __len__(self) -> int:
        return sum(1 for _path in self)


def find_lines(text: str) -> Lines:
    """Map every key path of a valid TOML document to the line that first states it."""
    scanner = _Scanner(text)
    scanner.scan()
    return Lines(scanner.root)


def find_statements(text: str) -> list[Statement]:
    """Every header and every key with its value, of a text that is valid TOML or the beginning of one.

    What an inline table states is not told, but for one that the text does not close.
    """
    scanner = _Scanner(text)
    # Where the text ends within a value.
    with suppress(IndexError):
        scanner.scan()
    return [Statement(node.path(), line, is_table, table.path()) for node, line, is_table, table in scanner.statements]


class _Node:
    """A key or a position that a file states. It knows its own key alone: a path for each would outgrow the file.

    Attributes:
        key: The key or the position; None for the root.
        above: What it stands in.
        line: The line that first states it; 0 for the root.
        below: What stands in it.
        tables: How many tables of an array have been opened here.
    """

    __slots__ = ("above", "below", "key", "line", "tables")

    def __init__(self, key: str | int | None = None, above: _Node | None = None, line: int = 0) -> None:
        self.key, self.above, self.line = key, above, line
        self.below: dict[str | int, _Node] = {}
        self.tables = 0

    def path(self) -> KeyPath:
        """The key path."""
        keys: list[str | int] = []
        node: _Node | None = self
        while node is not None and node.key is not None:
            keys.append(node.key)
            node = node.above
        return tuple(reversed(keys))


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        # The line is counted on from where it was asked for last.
        self._line = 1
        self._counted = 0
        self.root = _Node()
        self.statements: list[tuple[_Node, int, bool, _Node]] = []

    def scan(self) -> None:
        table = self.root
        while self._skip(_BLANK) < len(self._text):
            self._count_lines()
            if self._text[self._position] == "[":
                table = self._read_header()
            else:
                self._read_pair(table)

    def _read_header(self) -> _Node:
        is_array = self._text.startswith("[[", self._position)
        self._position += 1 + is_array
        node = self.root
        for key in self._read_key():
            node = self._note(key, self._open_last(node))
        self._position += 1 + is_array
        # Where a text that is not valid ends in the brackets.
        if node.above is None:
            return node
        self.statements.append((node, self._line, True, node.above))
        node.tables += is_array
        return self._open_last(node)

    def _open_last(self, node: _Node) -> _Node:
        """The table of a header: the last one of an array."""
        return self._note(node.tables - 1, node) if node.tables else node

    def _read_pair(self, table: _Node) -> None:
        node = table
        for key in self._read_key():
            node = self._note(key, node)
        self.statements.append((node, self._line, False, table))
        behind = len(self.statements)
        # Over the equals sign.
        self._position += 1
        self._skip(_BLANK)
        self._read_value(node)
        del self.statements[behind:]

    def _read_key(self) -> list[str]:
        keys = []
        while match := KEY_PART.match(self._text, self._position):
            part = match[1]
            keys.append(tomllib.loads(f"key={part}")["key"] if part[0] in "\"'" else part)
            self._position = match.end()
        return keys

    def _read_value(self, node: _Node) -> None:
        closing = _CLOSING.get(self._text[self._position])
        if closing:
            self._read_items(closing, node)
        else:
            self._skip(_SCALAR)

    def _read_items(self, closing: str, node: _Node) -> None:
        self._position += 1
        index = 0
        while self._text[self._skip(_BLANK)] != closing:
            self._count_lines()
            if closing == "}":
                self._read_pair(node)
            else:
                self._read_value(self._note(index, node))
                index += 1
        self._position += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        """Go over what a pattern matches, to the end of a text that is not valid; tell the position behind it."""
        match = pattern.match(self._text, self._position)
        self._position = match.end() if match else len(self._text)
        return self._position

    def _note(self, key: str | int, above: _Node) -> _Node:
        """What stands at a key, which is first stated here unless it is known."""
        if key not in above.below:
            above.below[key] = _Node(key, above, self._line)
        return above.below[key]

    def _count_lines(self) -> None:
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = self._position
