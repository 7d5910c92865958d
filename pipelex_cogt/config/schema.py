"""What the tree under `cogt` looks like, as data: which keys each table has, and the type of each value.

A schema is a mapping from key to schema, a Pydantic model, or a value's type. The key `ANY_KEY` stands for keys that
people choose: names of backends, models, profiles, presets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, reduce
from itertools import chain
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.settings_model import GIVEN
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table, toml_type

ANY_KEY = "*"
_SCALARS = {bool: "true or false", int: "an integer", float: "a number"}
"""The types that a variable's text is read as, in the order in which they are tried, each in words."""


def child_schema(schema: Any, key: str | int) -> Any:
    """The schema of a key's value, or None where no such key exists."""
    keys = _keys(schema)
    return keys.get(str(key), keys.get(ANY_KEY))


def schema_at(schema: Any, path: KeyPath) -> Any:
    """The schema at a key path, or None where no such place exists."""
    return reduce(child_schema, path, schema)


def known_keys(schema: Any) -> tuple[str, ...]:
    """The keys that a table's schema names."""
    return tuple(key for key in _keys(schema) if key != ANY_KEY)


def is_table(schema: Any) -> bool:
    """Whether a schema describes a table."""
    return table_schema(schema) is not None


def allows_any_key(schema: Any) -> bool:
    """Whether a table may hold keys that its schema does not name."""
    return ANY_KEY in _keys(schema)


def _keys(schema: Any) -> Mapping[str, Any]:
    return table_schema(schema) or {}


@cache
def given_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a model that no table states."""
    return frozenset(name for name, field in model.model_fields.items() if GIVEN in field.metadata)


@cache
def model_schema(model: type[BaseModel]) -> Mapping[str, Any]:
    """The keys of a model that a table states, each with its type."""
    given, fields = given_fields(model), model.model_fields.items()
    return {field.alias or name: field.rebuild_annotation() for name, field in fields if name not in given}


def table_schema(schema: Any) -> Mapping[str, Any] | None:
    """A table's schema as a mapping, whichever way it is written; None for what is no table."""
    for part in _parts_of(schema):
        if isinstance(part, Mapping):
            return part
        if get_origin(part) in (dict, Mapping):
            return {ANY_KEY: get_args(part)[1]}
        if isinstance(part, type) and issubclass(part, BaseModel):
            return model_schema(part)
    return None


def _parts_of(schema: Any) -> Iterator[Any]:
    """The types and literal values that a field takes, without what `Annotated` and unions wrap them in."""
    origin, arguments = get_origin(schema), get_args(schema)
    if origin is Annotated:
        yield from _parts_of(arguments[0])
    elif origin in (Union, UnionType):
        yield from chain.from_iterable(map(_parts_of, arguments))
    else:
        yield from arguments if origin is Literal else (schema,)


def check_shape(tree: Table, schema: Mapping[str, Any], report: ProblemReport, path: KeyPath = ()) -> Table:
    """Check the tables above the models: unknown keys, and values where tables belong.

    Returns:
        The tree without what is wrong.
    """
    sound: Table = {}
    table_keys = set(filter(lambda key: is_table(schema[key]), schema))
    for key, value in tree.items():
        known = key if key in schema else ANY_KEY
        place = (*path, key)
        if known not in schema:
            report.unknown_key(place, schema)
        elif known in table_keys and not isinstance(value, dict):
            # A key that people choose may be a misspelling of one that the schema names.
            near = NearName(key, known_keys(schema)) if known == ANY_KEY else None
            report.unreadable(place, f"expected a table, got {toml_type(value)}", hint=near)
        elif isinstance(schema[known], Mapping):
            sound[key] = check_shape(value, schema[known], report, place)
        else:
            sound[key] = value
    return FrozenDict(sound)


def read_text(text: str, schema: Any) -> Any:
    """Read a variable's text as the type of its field; text that the field itself must judge stays text.

    Raises:
        ValueError: The field holds something that the text is not; the message says what was expected.
    """
    kinds = {get_origin(part) or part for part in _parts_of(schema)} - {NoneType}
    numeric = [kind for kind in _SCALARS if kind in kinds]
    if str in kinds or not numeric:
        return text
    stripped = text.strip()
    for kind in numeric:
        with suppress(ValidationError):
            return TypeAdapter(kind).validate_python(stripped)
    if stripped in kinds:
        return stripped
    expected = [_SCALARS.get(kind, repr(kind)) for kind in sorted(kinds, key=str)]
    found = "other text" if stripped else "an empty text; unset the variable instead"
    raise ValueError(f"expected {' or '.join(expected)}, got {found}")
