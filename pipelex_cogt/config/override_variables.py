"""Override variables: `PIPELEX_COGT__ROUTING__ACTIVE=all_azure` lays one value over everything that files state.

A variable's name holds letters, digits and `_`, so `_` stands for any character of a key that is neither a letter nor
a digit, and `__` for the step into a table. Keys may hold such runs themselves, so a name is matched against the keys
that exist, from the root downward, instead of being cut at every `__`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pipelex_cogt.config.environ import PREFIX, Variables
from pipelex_cogt.config.hiding import Hidden
from pipelex_cogt.config.inference_config import CONFIG_KEY
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
from pipelex_cogt.config.masking import stated_value
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import child_schema, is_table, known_keys, read_text, schema_at
from pipelex_cogt.config.suggestions import did_you_mean
from pipelex_cogt.config.tables import Table, nest, value_at

SEPARATOR = "__"
_CONFIG_PREFIX = f"{PREFIX}{CONFIG_KEY.upper()}{SEPARATOR}"
# What no variable's name can hold, and `_` itself. One character.
_NOT_ALPHANUMERIC = re.compile(r"[\W_]")


class Variable:
    """One variable that overrides a setting; its text is out of sight."""

    # A plain class: a dataclass costs every process that starts more than it saves here.
    def __init__(self, kind: LayerKind, name: str, text: str) -> None:
        self.kind = kind
        self.name = name
        self._text = Hidden(text)

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.open()

    @property
    def is_of_config(self) -> bool:
        """Whether it says where files are: such a variable is heard before the other files are read."""
        return self.name.upper().startswith(_CONFIG_PREFIX)

    def __repr__(self) -> str:
        return f"Variable({self.kind.name}, {self.name!r})"


def find_variables(kind: LayerKind, variables: Variables) -> list[Variable]:
    """The variables that override a setting, sorted by name."""
    return [Variable(kind, name, variables[name]) for name in sorted(variables.names()) if name.startswith(PREFIX)]


def build_variable_layer(variable: Variable, tree: Table, schema: Any, report: ProblemReport) -> Iterator[Layer]:
    """Turn a variable into a layer of its own; into none where a fault is noted.

    Args:
        variable: The variable.
        tree: The settings so far, whose keys the name is matched with.
        schema: The tree's schema, which gives the value its type.
        report: Where a name that fits nothing, or two keys, is noted.
    """
    name, place = variable.name.removeprefix(PREFIX).upper(), Place(variable.name)
    found = [*match_name(name, tree, schema)]
    if not found:
        near = did_you_mean(name, _variable_parts(tree, schema), prefix=PREFIX)
        report.error((), "no setting has such a name", near, place)
    elif len(found) == 1:
        yield from _read_layer(variable, found[0], tree, schema, report)
    else:
        keys = " and ".join(map(format_key_path, found))
        report.error((), f"could mean {keys}", "set the value in a file instead", place)


def _read_layer(variable: Variable, path: KeyPath, tree: Table, schema: Any, report: ProblemReport) -> Iterator[Layer]:
    kind = schema_at(schema, path)
    stated = stated_value(value_at(tree, path))
    if kind is str and isinstance(stated, bool | int | float):
        # A further key of a backend has no other type than the one it was stated with.
        kind = type(stated)
    try:
        value = _read_value(variable.text, kind)
    except ValueError as error:
        report.error(path, str(error), place=Place(variable.name))
    else:
        yield Layer(Origin(variable.kind, variable.name), nest(path, value))


def match_name(name: str, tree: Any, schema: Any) -> Iterator[KeyPath]:
    """Every key path that a variable's name, in capitals and without its prefix, can mean."""
    fitting = {key: part for key, part in _parts(tree, schema).items() if _fits(name, part)}
    for key, part in fitting.items():
        rest, inner = name.removeprefix(part), child_schema(schema, key)
        if not rest:
            yield (key,)
        elif inner is not None:
            below = match_name(rest.removeprefix(SEPARATOR), value_at(tree, (key,)), inner)
            yield from ((key, *path) for path in below)
    # A backend takes further keys, which a variable may be the first to state.
    takes_new_key = known_keys(schema) and child_schema(schema, "") is str
    if name and not fitting and takes_new_key and SEPARATOR not in name:
        yield (name.lower(),)


def _parts(tree: Any, schema: Any) -> dict[str, str]:
    """The keys that a table has or may have, each as it stands in a variable's name."""
    stated = tree if isinstance(tree, Mapping) else ()
    return {key: variable_part(key) for key in (*stated, *known_keys(schema))}


def variable_part(key: str) -> str:
    """A key as it stands in a variable's name."""
    return _NOT_ALPHANUMERIC.sub("_", key).upper()


def _fits(name: str, part: str) -> bool:
    """Whether a name begins with a key's part, and ends there or steps into the key's table."""
    return bool(part) and name.startswith(part) and name[len(part) :][: len(SEPARATOR)] in ("", SEPARATOR)


def _read_value(text: str, schema: Any) -> Any:
    if text.lstrip().startswith(("[", "{")):
        with suppress(ValueError, RecursionError):
            # Text of several lines may state further keys beside the one value.
            [value] = tomllib.loads(f"value = {text.strip()}").values()
            return value
        raise ValueError("expected TOML because the value begins with a bracket, and it is not valid TOML")
    if is_table(schema):
        raise ValueError("expected a table, written as TOML: { key = value }")
    return read_text(text, schema)


def _variable_parts(tree: Any, schema: Any, above: str = "") -> Iterator[str]:
    """What every variable could be called, without the prefix."""
    for key, part in _parts(tree, schema).items():
        inner = child_schema(schema, key)
        if is_table(inner):
            yield from _variable_parts(value_at(tree, (key,)), inner, f"{above}{part}{SEPARATOR}")
        else:
            yield f"{above}{part}"
