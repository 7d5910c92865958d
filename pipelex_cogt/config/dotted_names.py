"""Names with dots that stand without quotes: `[gpt-4.9]` makes a table "9" in a table "gpt-4".

What is meant is known to people alone, and they are told the line to write: `["gpt-4.9"]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath, join_keys, quote_key
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import walk

DOT_OUTSIDE_QUOTES = "a dot outside quotes makes a table in a table"


def is_dotted_name(key: str | int, value: Any, beside: Collection[str], known: Collection[str]) -> bool:
    """Whether a key that a table does not know is the end of that table's own name, after a dot.

    Args:
        key: The key.
        value: Its value.
        beside: What else the table states.
        known: The keys that the table knows.
    """
    if not isinstance(value, dict):
        return False
    # A version, as in `gpt-4.1`; else a table that is there for the sake of this one alone.
    is_version = str(key)[:1].isdigit()
    is_alone = not {*known} & {*beside}
    return is_version or (is_alone and not NearName(str(key), known, is_key=True).near())


def parts_of_name(value: Any, content: str) -> Iterator[KeyPath]:
    """The keys that lead from a value to tables of a key that only the table of a whole name holds."""
    ends = walk(value, lambda table: not isinstance(table, dict) or content in table)
    return (path for path, table in ends if isinstance(table, dict))


def note_dotted_tables(path: KeyPath, value: Any, known: Collection[str], report: ProblemReport) -> None:
    """Note every table whose name has a dot without quotes.

    Args:
        path: The key path of a table whose own name ends before that dot, and the key behind it.
        value: The value of that key.
        known: The keys that such a table knows, which are no part of a name.
        report: Where they are noted.
    """
    *above, name, key = path
    for rest, _content in walk(value, lambda table: _is_content(table, known)):
        _note((*above, name), (key, *rest), "[{path}]", report)


def note_dotted_texts(path: KeyPath, value: Any, report: ProblemReport) -> None:
    """Note every key of text whose name has a dot without quotes; the arguments are those of `note_dotted_tables`."""
    for rest, _text in walk(value, _is_end):
        _note(path, rest, "{name} = \N{HORIZONTAL ELLIPSIS}", report)


def _is_content(value: Any, known: Collection[str]) -> bool:
    """Whether a value is what a name stands for, rather than a table that holds the rest of the name."""
    if _is_end(value) or not value.keys().isdisjoint(known):
        return True
    return not all(isinstance(item, dict) for item in value.values())


def _is_end(value: Any) -> bool:
    """Whether nothing more of a name can follow: a value is no table, or an empty one."""
    return not isinstance(value, dict) or not value


def _note(path: KeyPath, rest: KeyPath, written: str, report: ProblemReport) -> None:
    """Note one name; whatever needs it hears nothing of its own."""
    *above, name = path
    meant = (*above, ".".join(map(str, (name, *rest))))
    origin = report.locate((*path, *rest)).origin
    keys = origin.own_path(meant) if origin and origin.file else meant[-1:]
    line = written.format(path=join_keys(keys), name=quote_key(meant[-1]))
    report.unreadable(meant, DOT_OUTSIDE_QUOTES, path=(*path, *rest), hint=f"write {line}")
