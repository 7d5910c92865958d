"""Override variables: `PIPELEX_COGT__ROUTING__ACTIVE=all_azure` lays one value over everything that files state.

Which key a name stands for is the matter of `variable_names`; here its text becomes a value.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from operator import itemgetter, methodcaller
from types import GenericAlias
from typing import Any, NoReturn

from pipelex_cogt.config.bounds import TOO_DEEP, expect_bounded, line_of_deep_key
from pipelex_cogt.config.environ import PREFIX, Variables
from pipelex_cogt.config.hiding import Hidden
from pipelex_cogt.config.inference_config import CONFIG_KEY
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
from pipelex_cogt.config.masking import seal_layer, stated_value
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import is_table, read_text, schema_at
from pipelex_cogt.config.suggestions import Later, did_you_mean
from pipelex_cogt.config.tables import Table, leaves, nest
from pipelex_cogt.config.variable_names import SEPARATOR, VariableNames

_CONFIG_PREFIX = f"{PREFIX}{CONFIG_KEY.upper()}{SEPARATOR}"
_SCALARS = (bool, int, float)
_ADDS_NOTHING = "a variable changes what exists; state what is new in a file"


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
    names = filter(methodcaller("startswith", PREFIX), variables.names())
    return [Variable(kind, name, variables[name]) for name in sorted(names)]


def build_variable_layer(variable: Variable, names: VariableNames, report: ProblemReport) -> Iterator[Layer]:
    """Turn a variable into a layer of its own; into none where a fault is noted.

    Args:
        variable: The variable.
        names: The settings so far, whose keys the name is matched with.
        report: Where a name that fits nothing, or two keys, is noted.
    """
    name, place = variable.name.removeprefix(PREFIX).upper(), Place(variable.name)
    found = [*names.match(name)]
    if not found:
        report.error((), "no setting has such a name", Later(partial(_tell_nearest, name, names)), place)
    elif len(found) == 1:
        yield from _read_layer(variable, found[0], names, report)
    else:
        keys = " and ".join(map(format_key_path, found))
        report.error((), f"could mean {keys}", "set the value in a file instead", place)


def _tell_nearest(name: str, names: VariableNames) -> str:
    return did_you_mean(names.nearest(name)) or _ADDS_NOTHING


def _read_layer(variable: Variable, path: KeyPath, names: VariableNames, report: ProblemReport) -> Iterator[Layer]:
    kind = schema_at(names.schema, path)
    if kind in (str, Any, None):
        # What people name themselves, such as a further key of a backend and what lies below it, has the type it was
        # stated with.
        kind = _type_of(stated_value(names.value_at(path)))
    try:
        value = expect_bounded(_read_value(variable.text, kind))
    except ValueError as error:
        report.error(path, str(error), place=Place(variable.name))
    else:
        yield seal_layer(Layer(Origin(variable.kind, variable.name), nest(path, value)))


def _type_of(stated: Any) -> Any:
    """The type that a further key of a backend has, after what states it so far."""
    if isinstance(stated, list):
        return GenericAlias(list, _type_of(next(iter(stated), None)))
    return next(filter(partial(isinstance, stated), _SCALARS), str)


def _read_value(text: str, schema: Any) -> Any:
    if text.lstrip().startswith(("[", "{")):
        return _read_bracket(text.strip())
    if is_table(schema):
        raise ValueError("expected a table, written as TOML or JSON: { key = value }")
    return read_text(text, schema)


def _read_bracket(text: str) -> Any:
    """Read text that begins with a bracket as TOML, else as JSON.

    Raises:
        ValueError: It is neither, or holds a null.
    """
    try:
        for read in (_read_toml, _read_json):
            with suppress(ValueError):
                value = read(text)
                break
        else:
            raise ValueError("expected TOML or JSON because the value begins with a bracket, and it is neither")
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    if None in map(itemgetter(1), leaves(value)):
        raise ValueError("expected a value, got null, which settings do not have; leave it out")
    return value


def _read_toml(text: str) -> Any:
    if line_of_deep_key(text):
        raise RecursionError
    # Text of several lines may state further keys beside the one value.
    [value] = tomllib.loads(f"value = {text}").values()
    return value


def _read_json(text: str) -> Any:
    import json  # imported here because few variables hold JSON

    value = json.loads(text, object_pairs_hook=_table_of_pairs, parse_constant=_refuse_constant)
    # Half a character, which JSON can escape and no file can hold, does not encode.
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _table_of_pairs(pairs: list[tuple[str, Any]]) -> Table:
    """A table of JSON, in which a key stands once, as in TOML."""
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands twice")
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
