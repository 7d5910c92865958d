"""Variables: `PIPELEX_COGT__ROUTING__ACTIVE=all_azure` lays one value over everything that files state.

A variable's name holds letters, digits and `_`, so `_` stands for any character of a key that is neither a letter nor
a digit, and `__` for the step into a table. Keys may hold such runs themselves, so a name is matched against the keys
that exist, from the root downward, instead of being cut at every `__`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelex_cogt.config.key_paths import KeyPath, format_key_path, near_names
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place, Table, nest, value_at
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import allows_any_key, child_schema, is_table, known_keys, read_text

PREFIX = "PIPELEX_COGT__"
SEPARATOR = "__"
_NOT_ALPHANUMERIC = re.compile(r"[\W_]")


@dataclass(frozen=True, repr=False)
class Variable:
    """One variable that overrides a setting; its repr shows no value."""

    kind: LayerKind
    name: str
    text: str

    def __repr__(self) -> str:
        return f"Variable({self.kind.name}, {self.name!r})"


def find_variables(kind: LayerKind, values: Mapping[str, str]) -> list[Variable]:
    """The variables among `values` that override a setting, sorted by name."""
    return [Variable(kind, name, values[name]) for name in sorted(values) if name.startswith(PREFIX)]


def build_variable_layers(
    variables: Iterable[Variable], tree: Table, schema: Any, report: ProblemReport
) -> Iterator[Layer]:
    """Turn each variable into a layer of its own.

    Args:
        variables: The variables, lowest layer first.
        tree: The settings so far, whose keys the names are matched with.
        schema: The tree's schema, which gives every value its type.
        report: Where a name that fits nothing, or two keys, is noted.
    """
    for variable in variables:
        name = variable.name.removeprefix(PREFIX).upper()
        found = list(dict.fromkeys(match_name(name, tree, schema)))
        if len(found) == 1:
            yield from _build_layer(variable, found[0], tree, schema, report)
        elif found:
            keys = " and ".join(map(format_key_path, found))
            report.error((), f"could mean {keys}", "set the value in a file instead", Place(variable.name))
        else:
            known = {known.removeprefix(PREFIX): known for known in _variable_names(tree, schema)}
            near = [f"{PREFIX}{each}" for each in near_names(name, known)]
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else None
            report.error((), "no setting has such a name", hint, Place(variable.name))


def match_name(name: str, tree: Any, schema: Any) -> Iterator[KeyPath]:
    """Every key path that a variable's name, in capitals and without its prefix, can mean."""
    known = [*(tree if isinstance(tree, Mapping) else ()), *known_keys(schema)]
    fitting = [key for key in dict.fromkeys(known) if _fits(name, variable_part(key))]
    for key in fitting:
        rest = name[len(variable_part(key)) :]
        inner = child_schema(schema, key)
        if not rest:
            yield (key,)
        elif inner is not None:
            below = tree.get(key) if isinstance(tree, Mapping) else None
            yield from ((key, *path) for path in match_name(rest.removeprefix(SEPARATOR), below, inner))
    takes_new_key = allows_any_key(schema) and known_keys(schema) and child_schema(schema, "") is str
    if name and not fitting and takes_new_key and SEPARATOR not in name:
        yield (name.lower(),)


def variable_part(key: str) -> str:
    """A key as it stands in a variable's name."""
    return _NOT_ALPHANUMERIC.sub("_", key).upper()


def _fits(name: str, part: str) -> bool:
    return bool(part) and name.startswith(part) and name[len(part) : len(part) + 2] in ("", SEPARATOR)


def _build_layer(variable: Variable, path: KeyPath, tree: Table, schema: Any, report: ProblemReport) -> Iterator[Layer]:
    for key in path:
        schema = child_schema(schema, str(key))
    stated = value_at(tree, path)
    if schema is str and isinstance(stated, bool | int | float):
        schema = type(stated)  # a further key of a backend has no other type than the one it was stated with
    try:
        value = _read_value(variable.text, schema)
    except ValueError as error:
        report.error(path, str(error), place=Place(variable.name))
        return
    yield Layer(Origin(variable.kind, variable.name), nest(path, value))


def _read_value(text: str, schema: Any) -> Any:
    if text.lstrip().startswith(("[", "{")):
        try:
            document = tomllib.loads(f"value = {text.strip()}")
        except (ValueError, RecursionError):
            document = {}
        if len(document) == 1:
            return document["value"]
        raise ValueError("expected TOML because the value begins with a bracket, and it is not valid TOML")
    if is_table(schema):
        raise ValueError("expected a table, written as TOML: { key = value }")
    return read_text(text, schema)


def _variable_names(tree: Any, schema: Any, prefix: str = PREFIX) -> Iterator[str]:
    keys = dict.fromkeys([*(tree if isinstance(tree, Mapping) else ()), *known_keys(schema)])
    for key in keys:
        inner = child_schema(schema, key)
        if is_table(inner):
            below = tree.get(key) if isinstance(tree, Mapping) else None
            yield from _variable_names(below, inner, f"{prefix}{variable_part(key)}{SEPARATOR}")
        else:
            yield f"{prefix}{variable_part(key)}"
