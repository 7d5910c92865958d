"""Parsed texts: what the packaged TOML files state, which a wheel carries parsed beside them.

Parsing is a quarter of a new process's way to a ready deck. A text is known by its digest, so that what was parsed of
another text, or of this one before somebody changed it, never answers for it. The TOML stays the source: a checkout
has no such file, and the hook in `.ci/wheel.py` writes it when a wheel is built.

This module imports nothing of the package, for the hook runs where no dependency is installed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

FILE = "parsed_settings.json"
"""What holds them, in the folder of the package."""

_Table: TypeAlias = dict[str, Any]
_Path: TypeAlias = list[Any]
# What TOML has and JSON has not, the narrower type first: to Python a date and time is a date.
_DATES: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}


def table_of(text: str) -> _Table | None:
    """What a text states, where it was parsed beforehand."""
    table: _Table | None = _packaged().get(_digest(text))
    return table


def write_parsed(texts: Iterable[str], parse: Any) -> str:
    """What texts state, as the text of the file that holds it."""
    tables = {_digest(text): parse(text) for text in texts}
    dates = [(kind, path, value.isoformat()) for kind, path, value in _dates_in(tables)]
    return json.dumps({"tables": tables, "dates": dates}, default=str, separators=(",", ":"))


def read_parsed(written: str) -> _Table:
    """The tables of such a file, by the digest of the text that states them."""
    held = json.loads(written)
    for kind, path, text in held["dates"]:
        *above, last = path
        table = held["tables"]
        for key in above:
            table = table[key]
        table[last] = _DATES[kind].fromisoformat(text)
    tables: _Table = held["tables"]
    return tables


@cache
def _packaged() -> _Table:
    """The tables that the package carries; none in a checkout."""
    with suppress(OSError):
        return read_parsed(Path(__file__).parents[1].joinpath(FILE).read_text("utf-8"))
    return {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _dates_in(value: Any, *path: Any) -> Iterator[tuple[str, _Path, Any]]:
    """Every date and time of nested tables and lists, with what it is and its path."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _dates_in(item, *path, key)
    for kind in [name for name, type_ in _DATES.items() if isinstance(value, type_)][:1]:
        yield kind, [*path], value
