"""The page: where a command prints, and how lines and tables are laid out on it.

    page = Page.of_stdout()
    page.line("profile", "all_enabled")
    page.table(["backend", "key"], [["openai", [bad("missing")]]])

Lines are filled with pieces up to the width of the terminal. No piece is ever broken: one that is wider than the
terminal is left to it. Where there is no terminal, lines have no end.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, TextIO, TypeAlias

import typer
from rich.cells import cell_len

from pipelex_cogt.cli.pieces import Piece, fact, listed, strong
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.visible import visible, without_command

# Where there is no terminal, a cell that is wider moves the rest of its own row alone.
_WIDEST_COLUMN = 60
_GAP = 2
_BELOW = 4
# A last cell in less room than that reads better below the others.
_ROOM_FOR_LAST = 40

Row: TypeAlias = Sequence[Any]
"""The cells of a row, a value each; the last is a list of pieces."""
Filled: TypeAlias = list[list[Piece]]
"""Pieces by the lines that they fill."""


def print_data(data: Any) -> None:
    """Print data as JSON, in which every character that a terminal or a CI runner might obey is escaped."""
    typer.echo(json.dumps(data, indent=2).replace("##", r"#\u0023"))


@dataclass(frozen=True)
class Page:
    """Where a command prints.

    Attributes:
        stream: What takes the text.
        width: The columns of the terminal; None where there is none, so that no line is broken.
        has_colour: Whether it takes colours.
    """

    stream: TextIO
    width: int | None = None
    has_colour: bool = False

    @classmethod
    def of(cls, stream: TextIO | None) -> Page:
        """The page of a stream, such as `sys.stdout`; of one that somebody has closed, where nothing is seen."""
        stream = stream or io.StringIO()
        width = shutil.get_terminal_size().columns if stream.isatty() else None
        return cls(stream, width, _takes_colour(stream, Environ.of_process()))

    @classmethod
    def of_stdout(cls) -> Page:
        """The page for what is asked."""
        return cls.of(sys.stdout)

    @classmethod
    def of_stderr(cls) -> Page:
        """The page for what is wrong."""
        return cls.of(sys.stderr)

    def line(self, *values: object, indent: int = 0) -> None:
        """Print values side by side; nothing breaks the line."""
        pieces = [*map(Piece.of, values)]
        pieces[:1] = [first.like_this(without_command(first)) for first in pieces[:1]]
        self._write(" " * indent + " ".join(map(self._coloured, pieces)))

    def text(self, pieces: Iterable[str]) -> None:
        """Print a text as it comes, its own lines and tabs kept.

        On a terminal each piece is shown at once. Elsewhere a line waits for its end, for a CI runner looks for
        commands at its start.
        """
        last = "\n"
        for piece in filter(None, pieces if self.width else _by_lines(pieces)):
            self._write(self._readable(piece), ends_line=False)
            last = piece[-1]
        if last != "\n":
            self._write("")

    def _readable(self, text: str) -> str:
        """A text of several lines in which nothing is left that a terminal or a CI runner would obey."""
        lines = ("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))
        return "\n".join(lines if self.width else map(without_command, lines))

    def heading(self, text: str) -> None:
        """Print a line that stands out, after an empty one."""
        self.line()
        self.line(strong(text))

    def command(self, text: str) -> None:
        """Print a line that a CI runner is meant to obey."""
        self._write(visible(text))

    def flow(self, pieces: Iterable[object], indent: int = 0, hang: int = 0) -> None:
        """Fill lines with pieces.

        Args:
            pieces: What is printed.
            indent: The columns before the first line.
            hang: How many more are before the others.
        """
        self._hang([], pieces, indent, beside=indent + hang)

    def entry(self, name: object, pieces: Iterable[object], indent: int = 0, width: int = 0) -> None:
        """Print a name, and beside it lines that are filled with pieces.

        Args:
            name: What stands first.
            pieces: What belongs to it.
            indent: The columns before the name.
            width: The columns of the name, where several entries stand below each other.
        """
        label = _pad(Piece.of(name), width)
        self._hang([label], pieces, indent, beside=indent + cell_len(label) + 1)

    def table(self, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Print rows below the names of their columns, or where these do not fit, in a narrower layout.

        The pieces of the last cell fill lines beside the other cells, else below them. Where not even the others fit
        side by side, each row is a block with the names of the columns in it.
        """
        table = _Table.of(columns, rows, sys.maxsize if self.width else _WIDEST_COLUMN)
        if not table.rows:
            self.line("none")
        elif self._fits(table.indent + table.room_for_last):
            for cells, last in table.lines():
                self._hang(table.padded(cells, is_followed=bool(last)), last, 0, beside=table.indent)
        elif self._fits(table.indent):
            for cells, last in table.lines():
                self.line(*table.padded(cells, is_followed=False))
                self.flow(last, indent=_BELOW)
        else:
            self._blocks(table)

    def _blocks(self, table: _Table) -> None:
        kind, *names, last_name = table.columns
        for (first, *cells), last in table.rows:
            self.line(f"{kind}:", strong(first))
            self.flow(listed(map(fact, names, cells)), indent=_GAP)
            self.entry(f"{last_name}:", last, indent=_GAP)

    def _hang(self, label: Sequence[Piece], pieces: Iterable[object], indent: int, *, beside: int) -> None:
        """Print a label, the first line of pieces beside it, and the others below that one."""
        first, *more = self._fill(pieces, beside) or [[]]
        if label or first:
            self.line(*label, *first, indent=indent)
        for filled in more:
            self.line(*filled, indent=beside)

    def _fits(self, width: int) -> bool:
        return self.width is None or width <= self.width

    def _fill(self, values: Iterable[object], indent: int) -> Filled:
        """Pieces by the lines that they fill, from a column on."""
        lines: Filled = []
        column = indent
        for piece in map(Piece.of, values):
            end = column + cell_len(piece)
            if lines and self._fits(end):
                lines[-1].append(piece)
            else:
                end = indent + cell_len(piece)
                lines.append([piece])
            column = end + 1
        return lines

    def _coloured(self, piece: Piece) -> str:
        if self.has_colour and (piece.colour or piece.is_bold):
            return typer.style(piece, fg=piece.colour, bold=piece.is_bold or None)
        return piece

    def _write(self, text: str, *, ends_line: bool = True) -> None:
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        # A character that the stream's encoding has none for is written as an escape too.
        known = text.encode(encoding, "backslashreplace").decode(encoding)
        typer.echo(known, file=self.stream, nl=ends_line, color=self.has_colour)


def _by_lines(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a text, put together to whole lines; what comes after the last of them is last."""
    begun: list[str] = []
    for piece in pieces:
        end, mark, rest = piece.rpartition("\n")
        if mark:
            yield "".join([*begun, end, mark])
            begun = []
        # They are joined once, for an answer may be one line of megabytes.
        begun.append(rest)
    yield "".join(begun)


class _Table(NamedTuple):
    """A table before it is laid out: the pieces of each row, those of its last cell apart."""

    columns: Sequence[str]
    rows: Sequence[tuple[list[Piece], list[Piece]]]
    widths: Sequence[int]

    @classmethod
    def of(cls, columns: Sequence[str], rows: Iterable[Row], widest_column: int) -> _Table:
        """The table of these rows, with columns of at most that width."""
        split = [([*map(Piece.of, cells)], [*map(Piece.of, last)]) for *cells, last in rows]
        by_column = zip(columns[:-1], *(cells for cells, _ in split), strict=True)
        return cls(columns, split, [min(max(map(cell_len, column)), widest_column) for column in by_column])

    @property
    def indent(self) -> int:
        """The column in which the last cell begins."""
        return sum(self.widths) + _GAP * len(self.widths)

    @property
    def room_for_last(self) -> int:
        """The columns that the last cells need: for any piece, and to be filled into few lines."""
        lasts = [[Piece(self.columns[-1])], *(last for _, last in self.rows)]
        widest_piece = max(map(cell_len, chain.from_iterable(lasts)))
        widest_cell = max(cell_len(" ".join(last)) for last in lasts)
        return max(widest_piece, min(widest_cell, _ROOM_FOR_LAST))

    def lines(self) -> Iterator[tuple[list[Piece], list[Piece]]]:
        """The head, then the rows."""
        *heads, last_head = map(strong, self.columns)
        yield heads, [last_head]
        yield from self.rows

    def padded(self, cells: list[Piece], *, is_followed: bool) -> list[Piece]:
        """The cells as wide as their columns; the last of them only where something follows it."""
        wide = [_pad(cell, width + _GAP - 1) for cell, width in zip(cells, self.widths, strict=True)]
        return wide if is_followed else [*wide[:-1], *cells[-1:]]


def _pad(piece: Piece, width: int) -> Piece:
    return piece.like_this(piece + " " * (width - cell_len(piece)))


def _takes_colour(stream: TextIO, environ: Environ) -> bool:
    """Whether to colour: https://no-color.org and https://force-color.org, else whether it is a terminal."""
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (stream.isatty() and environ.get("TERM") != "dumb")
