"""Where references can stand, and what is said of those that stand elsewhere.

A reference is answered when a backend is used, so it can stand in a backend's settings and in what is sent to it, such
as `model_id`: in fields that are marked with `REFERENCES`, and in a backend's further keys. Everything else means the
same with and without keys; a variable that overrides it may change it from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from pipelex_cogt.config.environ import PREFIX
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.references import holds_reference
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import child_schema, takes_further_keys, takes_references
from pipelex_cogt.config.tables import Table
from pipelex_cogt.config.variable_names import SEPARATOR, variable_part

_PROBLEM = "a reference cannot stand here, only in a backend's own settings, model_id, headers and extra_config"


def refuse_references(tree: Table, schema: Mapping[str, Any], report: ProblemReport) -> None:
    """Note every reference that stands where none can; a key that no schema knows is told as such."""
    for path, is_key in _find(tree, schema, ()):
        origin = report.locate(path).origin
        is_in_file = origin is None or origin.file is not None
        hint = f"set {_variable(path)} instead" if is_in_file else "state the value itself"
        report.error(path, _PROBLEM, "write the name itself" if is_key else hint)


def _find(value: Any, schema: Any, path: KeyPath) -> Iterator[tuple[KeyPath, bool]]:
    """The key path of every reference that is out of place, and whether the key itself is one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _find_below(key, item, schema, path)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _find(item, child_schema(schema, index) or schema, (*path, index))
    elif isinstance(value, str) and holds_reference(value):
        yield path, False


def _find_below(key: str, item: Any, schema: Any, path: KeyPath) -> Iterator[tuple[KeyPath, bool]]:
    inner = child_schema(schema, key)
    if not isinstance(inner, Mapping) and not _may_hold_reference(key, item):
        return
    is_further = inner is str and takes_further_keys(schema)
    if inner is None or is_further or takes_references(inner):
        return
    if holds_reference(key):
        yield (*path, key), True
    else:
        yield from _find(item, inner, (*path, key))


def _may_hold_reference(key: str, item: Any) -> bool:
    """Whether it is worth while to look at each value of a table."""
    # Most hold none, and looking at the text of a whole model is quicker than at each of its values.
    try:
        return "${" in f"{key}{item}"
    except ValueError:
        # A number too long to write.
        return True
    except RecursionError:
        # No table of ours is so deep: it is refused for what it is.
        return False


def _variable(path: KeyPath) -> str:
    """The variable that overrides a key path, or the list that holds it."""
    keys = takewhile(lambda key: isinstance(key, str), path)
    return PREFIX + SEPARATOR.join(variable_part(str(key)) for key in keys)
