"""Key paths: how a place in the settings is named.

format_key_path(("models", "openai", "gpt-4.1", "max_tokens"))   # cogt.models.openai."gpt-4.1".max_tokens
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the root `cogt` downward; an integer is a position in a list."""

ROOT = "cogt"
# What TOML allows without quotes. One class, repeated: each character is looked at once.
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def quote_key(key: str | int) -> str:
    """Write one key as TOML writes it: bare where that is allowed, else in double quotes."""
    text = str(key)
    if _BARE_KEY.fullmatch(text):
        return text
    return quote_text(text)


def quote_text(text: str) -> str:
    """Write a text as TOML writes it, in double quotes."""
    # JSON escapes what TOML escapes, but for the one character that TOML forbids and JSON allows.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def join_keys(keys: Iterable[str | int]) -> str:
    """Write keys as TOML writes them, one below the other: `default.cogt."gpt-4.1"`."""
    return ".".join(map(quote_key, keys))


def format_key_path(path: KeyPath) -> str:
    """Write a key path as TOML would: `cogt.models.openai."gpt-4.1".max_tokens`."""
    return join_keys((ROOT, *path))


def prefixes(path: KeyPath) -> Iterator[KeyPath]:
    """The key paths from the first key down to `path` itself: each key is added to those before it."""
    return accumulate(zip(path))
