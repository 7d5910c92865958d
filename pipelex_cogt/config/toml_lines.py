"""On which line a TOML file states a key.

The standard library's parser keeps no positions, and nothing needs them while all is well. So a file is read a second
time, by this scanner, only when a place in it has to be named. The scanner expects text that `tomllib` has accepted.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

from pipelex_cogt.config.key_paths import KeyPath

# The patterns expect valid TOML: each alternative begins with another character, so that none is tried twice. A comma
# stands between two values and tells no more than a blank.
_BLANK = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
KEY_PART = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*\.?""")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:\\.|[^"\\\n])*"|'[^'\n]*\''''
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


def find_lines(text: str) -> dict[KeyPath, int]:
    """Map every key path of a valid TOML document to the line, counted from 1, that first states it."""
    return _Scanner(text).scan()


def find_statements(text: str) -> list[Statement]:
    """Every header and every key with its value, of a text that is valid TOML or the beginning of one.

    What an inline table states is not told, but for one that the text does not close.
    """
    scanner = _Scanner(text)
    # Where the text ends within a value.
    with suppress(IndexError):
        scanner.scan()
    return scanner.statements


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._array_sizes: Counter[KeyPath] = Counter()
        self.statements: list[Statement] = []

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._position] == "[":
                table = self._read_header()
            else:
                self._read_pair(table)
        return self._lines

    def _read_header(self) -> KeyPath:
        start = self._position
        is_array = self._text.startswith("[[", start)
        self._position += 1 + is_array
        keys = self._read_key()
        self._position += 1 + is_array
        path: KeyPath = ()
        for depth, key in enumerate(keys, 1):
            path = (*path, key)
            self._note(path, start)
            if depth == len(keys):
                self.statements.append(Statement(path, self._line(start), is_table=True, table=path[:-1]))
            if is_array and depth == len(keys):
                self._array_sizes[path] += 1
            if path in self._array_sizes:
                path = (*path, self._array_sizes[path] - 1)
                self._note(path, start)
        return path

    def _read_pair(self, table: KeyPath) -> None:
        start = self._position
        path = table
        for key in self._read_key():
            path = (*path, key)
            self._note(path, start)
        self.statements.append(Statement(path, self._line(start), table=table))
        behind = len(self.statements)
        # Over the equals sign.
        self._position += 1
        self._skip(_BLANK)
        self._read_value(path)
        del self.statements[behind:]

    def _read_key(self) -> list[str]:
        keys = []
        while match := KEY_PART.match(self._text, self._position):
            part = match[1]
            keys.append(tomllib.loads(f"key={part}")["key"] if part[0] in "\"'" else part)
            self._position = match.end()
        return keys

    def _read_value(self, path: KeyPath) -> None:
        closing = _CLOSING.get(self._text[self._position])
        if closing:
            self._read_items(closing, path)
        else:
            self._skip(_SCALAR)

    def _read_items(self, closing: str, path: KeyPath) -> None:
        self._position += 1
        index = 0
        while self._text[self._skip(_BLANK)] != closing:
            if closing == "}":
                self._read_pair(path)
            else:
                self._note((*path, index), self._position)
                self._read_value((*path, index))
                index += 1
        self._position += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        """Go over what a pattern matches, to the end of a text that is not valid; tell the position behind it."""
        match = pattern.match(self._text, self._position)
        self._position = match.end() if match else len(self._text)
        return self._position

    def _note(self, path: KeyPath, position: int) -> None:
        self._lines.setdefault(path, self._line(position))

    def _line(self, position: int) -> int:
        return bisect_left(self._newlines, position) + 1
