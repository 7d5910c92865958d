"""Key paths: how a place in the settings is named, and which known name comes near a wrong one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the root `cogt` downward; an integer is a position in a list."""

ROOT = "cogt"
_SHORTEST_TELLING = 3
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def quote_key(key: str | int) -> str:
    """Write one key as TOML writes it: bare where that is allowed, else in double quotes."""
    text = str(key)
    return text if _BARE_KEY.fullmatch(text) else json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_key_path(path: KeyPath) -> str:
    """Write a key path as TOML would: `cogt.models.openai."gpt-4.1".max_tokens`."""
    return ".".join(map(quote_key, (ROOT, *path)))


def near_names(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known names that come near `name`, nearest first; capitals and punctuation hardly count."""
    from difflib import get_close_matches  # imported here because only a wrong name needs it

    wanted = name.casefold()
    by_shape: dict[str, str] = {}
    for candidate in known:
        by_shape.setdefault(candidate.casefold(), f"{candidate}")
    is_telling = len(wanted) >= _SHORTEST_TELLING
    matches = [shape for shape in by_shape if is_telling and is_one_slip(wanted, shape)]
    matches += (shape for shape in get_close_matches(wanted, by_shape, n=limit, cutoff=0.7) if shape not in matches)
    if is_telling:
        matches += [shape for shape in by_shape if shape.startswith(wanted) and shape not in matches]
    return tuple(by_shape[match] for match in matches[:limit])


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A suggestion for a wrong name, or None where nothing comes near."""
    near = near_names(name, known)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else None


def is_one_slip(text: str, known: str) -> bool:
    """Whether one letter added, left out, exchanged or swapped, or other capitals, turn `known` into `text`."""
    left, right = text.casefold().replace("-", "_"), known
    start = _common_start(left, right)
    left, right = left[start:], right[start:]
    end = _common_start(left[::-1], right[::-1])
    left, right = left[: len(left) - end], right[: len(right) - end]
    is_one_letter = len(left) <= 1 and len(right) <= 1
    return is_one_letter or (len(left) == len("ab") and left == right[::-1])


def _common_start(left: str, right: str) -> int:
    differing = (index for index, (one, other) in enumerate(zip(left, right, strict=False)) if one != other)
    return next(differing, min(len(left), len(right)))
