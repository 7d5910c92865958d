"""What the tree under `cogt` looks like, as data: which keys each table has, and the type of each value.

A schema is a mapping from key to schema, a Pydantic model, or a value's type. The key `ANY_KEY` stands for keys that
people choose: names of backends, models, profiles, presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pipelex_cogt.config.frozen import FrozenDict
from pipelex_cogt.config.key_paths import KeyPath, did_you_mean
from pipelex_cogt.config.layers import Table
from pipelex_cogt.config.report import ProblemReport, toml_type

ANY_KEY = "*"
GIVEN = "given"
"""Marks, in `Annotated`, a field that no table states: a name that is the table's key, what a library hands over."""


def child_schema(schema: Any, key: str) -> Any:
    """The schema of a key's value, or None where no such key exists."""
    schema = _table_schema(schema)
    return schema.get(key, schema.get(ANY_KEY)) if isinstance(schema, Mapping) else None


def known_keys(schema: Any) -> tuple[str, ...]:
    """The keys that a table's schema names."""
    schema = _table_schema(schema)
    return tuple(key for key in schema if key != ANY_KEY) if isinstance(schema, Mapping) else ()


def is_table(schema: Any) -> bool:
    """Whether a schema describes a table."""
    return isinstance(_table_schema(schema), Mapping)


def allows_any_key(schema: Any) -> bool:
    """Whether a table may hold keys that its schema does not name."""
    schema = _table_schema(schema)
    return isinstance(schema, Mapping) and ANY_KEY in schema


def stated_fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The fields of a model that a table states, by key."""
    return {field.alias or name: field for name, field in model.model_fields.items() if GIVEN not in field.metadata}


def check_shape(tree: Table, schema: Mapping[str, Any], report: ProblemReport, path: KeyPath = ()) -> Table:
    """Check the tables above the models: unknown keys, and values where tables belong.

    Returns:
        The tree without what is wrong.
    """
    sound: Table = {}
    table_keys = {key for key, inner in schema.items() if is_table(inner)}
    for key, value in tree.items():
        known = key if key in schema else ANY_KEY
        if known not in schema:
            report.unknown_key((*path, key), schema)
        elif known in table_keys and not isinstance(value, dict):
            near = None if key in schema else did_you_mean(key, known_keys(schema))
            report.unreadable((*path, key), f"expected a table, got {toml_type(value)}", suggestion=near)
        elif isinstance(schema[known], Mapping):
            sound[key] = check_shape(value, schema[known], report, (*path, key))
        else:
            sound[key] = value
    return FrozenDict(sound)


def read_text(text: str, schema: Any) -> Any:
    """Read a variable's text as the type of its field; text that the field itself must judge stays text.

    Raises:
        ValueError: The field holds something that the text is not; the message says what was expected.
    """
    kinds = _scalar_kinds(schema)
    if str in kinds or not kinds & {bool, int, float}:
        return text
    for kind in (bool, int, float):
        if kind in kinds:
            try:
                return TypeAdapter(kind).validate_python(text.strip())
            except ValidationError:
                continue
    if text.strip() in kinds:
        return text.strip()
    names = {bool: "true or false", int: "an integer", float: "a number"}
    expected = [names.get(kind, repr(kind)) for kind in sorted(kinds, key=str)]
    found = "other text" if text.strip() else "an empty text; unset the variable instead"
    raise ValueError(f"expected {' or '.join(expected)}, got {found}")


def _scalar_kinds(schema: Any) -> set[Any]:
    """The scalar types and literal values that a field takes."""
    origin = get_origin(schema)
    if origin is Annotated:
        return _scalar_kinds(get_args(schema)[0])
    if origin in (Union, UnionType):
        return {kind for part in get_args(schema) for kind in _scalar_kinds(part)}
    if origin is None:
        return {schema} - {NoneType}
    return set(get_args(schema)) if str(origin) == "typing.Literal" else {origin}


@cache
def _model_schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return {key: field.rebuild_annotation() for key, field in stated_fields(model).items()}


def _table_schema(schema: Any) -> Any:
    """A table's schema as a mapping, whichever way it is written; anything else as it is."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return _model_schema(schema)
    origin = get_origin(schema)
    if origin is Annotated:
        return _table_schema(get_args(schema)[0])
    if origin in (Union, UnionType):
        parts = map(_table_schema, get_args(schema))
        return next((part for part in parts if isinstance(part, Mapping)), None)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {ANY_KEY: get_args(schema)[1]}
    return schema
