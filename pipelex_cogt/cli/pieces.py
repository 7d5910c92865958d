"""How a value looks in what a command prints: its digits and its colour.

    bad("missing")                 # a piece: text that no line breaks, in red
    text_of(1e-05)                 # 0.00001

Names, values, files, variables and arguments are other people's: all of them become pieces, which are `visible`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import chain, repeat
from typing import Any, Self

from pipelex_cogt.config.tables import map_leaves
from pipelex_cogt.visible import visible

NOTHING = "-"
"""What stands for a value that is not there."""
EMPTY = '""'
"""What stands for a text of no characters, which is stated all the same."""
# Python writes no longer number in decimal digits.
_MOST_BITS = 14_000


class Piece(str):
    """Text as it is shown, which no line breaks, with its colour.

    Attributes:
        colour: The colour on a terminal; None for the terminal's own.
        is_bold: Whether it stands out.
    """

    __slots__ = ("colour", "is_bold")

    colour: str | None
    is_bold: bool

    def __new__(cls, value: object, colour: str | None = None, *, is_bold: bool = False) -> Self:
        """The piece that shows a value."""
        piece = super().__new__(cls, visible(text_of(value)))
        piece.colour, piece.is_bold = colour, is_bold
        return piece

    @classmethod
    def of(cls, value: object) -> Piece:
        """The piece that shows a value; a piece is itself."""
        return value if isinstance(value, Piece) else Piece(value)

    def like_this(self, text: str) -> Piece:
        """Another text in the same colour."""
        return Piece(text, self.colour, is_bold=self.is_bold)


good = partial(Piece, colour="green")
bad = partial(Piece, colour="red")
doubtful = partial(Piece, colour="yellow")
strong = partial(Piece, is_bold=True)


def text_of(value: object) -> str:
    """A value in words: a number with all its digits and no exponent, a list and a table as TOML writes them."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {text_of(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(str(value)):f}"
    return NOTHING if value is None else str(value) or EMPTY


def as_data(value: Any) -> Any:
    """A value as JSON holds it, and as it is shown: `2` for 2.0, and text for what JSON does not know."""
    return map_leaves(value, lambda _path, leaf: _plain(leaf))


def _plain(value: Any) -> Any:
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() < _MOST_BITS else hex(value)
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else value
    return str(value)


def together(pieces: Sequence[Piece]) -> Piece:
    """Several pieces as one that no line breaks, in the colour of the first."""
    return pieces[0].like_this(" ".join(pieces))


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number of things in words: `1 error`, `2 errors`, `2 aliases`."""
    return f"1 {noun}" if number == 1 else f"{number} {plural or f'{noun}s'}"


def fact(name: str, value: object) -> Piece:
    """A value with its name, as one piece."""
    return Piece(f"{name} = {text_of(value)}")


def open_fact(name: str, value: object) -> tuple[Piece, ...]:
    """A value with its name, as one piece; a list as a piece for each item, so that a line may end between them."""
    if not isinstance(value, list | tuple) or not value:
        return (fact(name, value),)
    first, *more = map(text_of, value)
    return (*listed([f"{name} = [{first}", *more], end="]"),)


def in_order(facts: Iterable[Sequence[Piece]]) -> list[Piece]:
    """Facts of one or more pieces as the pieces of a list."""
    split = [*facts]
    ends = listed(last for *_, last in split)
    return [*chain.from_iterable((*pieces[:-1], end) for pieces, end in zip(split, ends, strict=True))]


def price_facts(costs: Mapping[str, Any], among: str = "") -> Iterator[Piece]:
    """Each price of a model's costs as one piece: the flat ones, those of long prompts, those from a date on.

    Args:
        costs: The costs as data.
        among: Of which prompts and dates the prices are, in words.
    """
    for name, value in costs.items():
        if name == "tiers":
            for tier in value:
                yield from price_facts(_without("above", tier), f"{among} above {tier['above']}")
        elif name == "from":
            for dated in value:
                yield from price_facts(_without("date", dated), f"{among} from {dated['date']}")
        else:
            yield fact(f"{name}{among}", value)


def _without(key: str, table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}


def listed(values: Iterable[object], separator: str = ",", end: str = "") -> list[Piece]:
    """Values as the pieces of a list: after each but the last stands the separator, after that one the end."""
    pieces = [*map(Piece.of, values)]
    behind = chain(repeat(separator, len(pieces) - 1), [end])
    return [piece.like_this(piece + mark) for piece, mark in zip(pieces, behind, strict=False)]
