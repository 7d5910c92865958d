"""The parser of TOML: Python's own, or the compiled one of the extra `fast`, where both read the same language.

tomli is where Python's parser comes from. What it refuses is parsed again by Python's, so that a fault is told in the
same words; and a release that reads a later TOML than this Python does is left alone, or the same file would be sound
on one machine and faulty on another.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

# What TOML 1.1 allows and 1.0 does not.
_OF_LATER_TOML = ('a = "\\e"', "a = {\nb = 1,\n}", "a = 07:32")


def parse_toml(text: str) -> dict[str, Any]:
    """What a text states.

    Raises:
        ValueError: It is no TOML, in the words of `tomllib`.
        RecursionError: Its tables are too deep.
    """
    compiled = compiled_parser()
    if compiled is not None:
        with suppress(ValueError, RecursionError):
            return compiled(text)
    return tomllib.loads(text)


@cache
def compiled_parser() -> Callable[[str], dict[str, Any]] | None:
    """The compiled parser, where one is installed that reads what Python's own reads."""
    try:
        from tomli import _parser
    except ImportError:
        return None
    # As plain Python it is the same parser once more.
    is_compiled = str(_parser.__file__).endswith(tuple(EXTENSION_SUFFIXES))
    return _parser.loads if is_compiled and all(map(_is_read_alike(_parser.loads), _OF_LATER_TOML)) else None


def _is_read_alike(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    return lambda text: _reads(parse, text) is _reads(tomllib.loads, text)


def _reads(parse: Callable[[str], Any], text: str) -> bool:
    with suppress(ValueError):
        parse(text)
        return True
    return False
