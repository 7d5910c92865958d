"""What the tree under `cogt` looks like, as data: which keys each table has, and the type of each value.

A schema is a mapping from key to schema, a Pydantic model, or a value's type. The key `ANY_KEY` stands for keys that
people choose: names of backends, models, profiles, presets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from functools import cache, reduce
from itertools import chain, repeat
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from pipelex_cogt.config.dotted_names import is_dotted_name, note_dotted_tables, note_dotted_texts
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.masking import date_in
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.settings_model import GIVEN, REFERENCES
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table, leaves, map_leaves, toml_type

ANY_KEY = "*"
QUOTE_IT = "put it in quotes"
"""What to do with a date where text is meant: TOML has dates, and `2024-10-21` is one."""
_BELOW_HEADER = "write it below the [header] of a table"
_SCALARS = {bool: "true or false", int: "an integer", float: "a number"}
"""The types that a variable's text is read as, in the order in which they are tried, each in words."""
_WRAPPERS = {Annotated: 1, Union: None, UnionType: None, Literal: None}
"""What wraps the types and values of a field, each with how many of its arguments these are; None for all."""


def child_schema(schema: Any, key: str | int) -> Any:
    """The schema of a key's value, or of a list's item; None where no such key exists."""
    if isinstance(key, int):
        return _schema_of_items(schema)
    keys = _keys(schema)
    return keys.get(str(key), keys.get(ANY_KEY))


def schema_at(schema: Any, path: KeyPath) -> Any:
    """The schema at a key path, or None where no such place exists."""
    return reduce(child_schema, path, schema)


def known_keys(schema: Any) -> tuple[str, ...]:
    """The keys that a table's schema names."""
    return tuple(filter(ANY_KEY.__ne__, _keys(schema)))


def is_table(schema: Any) -> bool:
    """Whether a schema describes a table."""
    return bool(_keys(schema))


def allows_any_key(schema: Any) -> bool:
    """Whether a table may hold keys that its schema does not name."""
    return ANY_KEY in _keys(schema)


def takes_further_keys(schema: Any) -> bool:
    """Whether a table hands what its schema does not name to an SDK, as a backend's does."""
    return child_schema(schema, ANY_KEY) is str and bool(known_keys(schema))


def takes_text(schema: Any) -> bool:
    """Whether a plain field takes text, be it beside other things."""
    kinds = get_args(schema) if isinstance(schema, UnionType) else (schema,)
    return str in kinds


def takes_references(schema: Any) -> bool:
    """Whether a field is marked as one that may hold references."""
    return REFERENCES in getattr(schema, "__metadata__", ())


@cache
def given_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a model that no table states."""
    return frozenset(name for name, field in model.model_fields.items() if GIVEN in field.metadata)


@cache
def model_schema(model: type[BaseModel]) -> Mapping[str, Any]:
    """The keys of a model that a table states, each with its type."""
    given, fields = given_fields(model), model.model_fields.items()
    return {field.alias or name: field.rebuild_annotation() for name, field in fields if name not in given}


def home_of(schema: Mapping[str, Any], key: str) -> KeyPath:
    """The table of a tree in which a key belongs that stands one level too high; empty where there is none."""
    return next(((name,) for name, inner in schema.items() if key in known_keys(inner)), ())


def fits(content: Any, schema: Any) -> bool:
    """Whether a table states a key that its schema names, or holds a table that does."""
    if not isinstance(content, dict) or not is_table(schema):
        return False
    inner = child_schema(schema, ANY_KEY)
    return not content.keys().isdisjoint(known_keys(schema)) or any(map(fits, content.values(), repeat(inner)))


def _keys(schema: Any) -> Mapping[str, Any]:
    """A table's schema as a mapping, whichever way it is written; what is no table has no keys."""
    if isinstance(schema, Mapping):
        return schema
    return next(filter(None, map(_keys_of_part, _parts_of(schema))), FrozenDict())


def _keys_of_part(part: Any) -> Mapping[str, Any]:
    if get_origin(part) in (dict, Mapping):
        _key_type, value_type = get_args(part)
        return {ANY_KEY: value_type}
    return model_schema(part) if hasattr(part, "model_fields") else FrozenDict()


def _schema_of_items(schema: Any) -> Any:
    """The schema of each item of a list; None for what is no list."""
    lists = (kind for kind in _parts_of(schema) if get_origin(kind) in (list, tuple))
    return next((get_args(kind)[0] for kind in lists), None)


def _parts_of(schema: Any) -> Iterable[Any]:
    """The types and literal values that a field takes, without what wraps them."""
    wrapper = get_origin(schema)
    if wrapper not in _WRAPPERS:
        return (schema,)
    wrapped = get_args(schema)[: _WRAPPERS[wrapper]]
    return chain.from_iterable(map(_parts_of, wrapped))


def check_shape(tree: Table, schema: Mapping[str, Any], report: ProblemReport, path: KeyPath = ()) -> Table:
    """Check the tables above the models: unknown keys, and values where tables belong.

    Returns:
        The tree without what is wrong.
    """
    sound: Table = {}
    for key, value in tree.items():
        place, inner = (*path, key), schema.get(key, schema.get(ANY_KEY))
        if inner is None:
            home = home_of(schema, key)
            belongs = f"it belongs to {format_key_path((*path, *home))}" if home else None
            report.unknown_key(place, schema, belongs)
        # Most values are tables, and looking at the value is quicker than at its schema.
        elif not isinstance(value, dict) and is_table(inner):
            # A key that people choose may be a misspelling of one that the schema names.
            near = None if key in schema else NearName(key, known_keys(schema))
            hint = _BELOW_HEADER if key in known_keys(inner) else near
            report.unreadable(place, f"expected a table, got {toml_type(value)}", hint=hint)
        elif isinstance(inner, Mapping):
            checked = check_shape(value, inner, report, place)
            # What held nothing but the rest of names with dots is nobody's table.
            if checked or not value or not takes_further_keys(inner):
                sound[key] = checked
        elif type(value) is not str and takes_text(inner):
            sound.update(_check_text(place, value, schema, report, beside=tree))
        else:
            sound[key] = value
    return sound


def _check_text(path: KeyPath, value: Any, schema: Mapping[str, Any], report: ProblemReport, *, beside: Table) -> Table:
    """Check what stands where text belongs, for a date and for a table that a name with dots has made.

    Args:
        path: The key path.
        value: What stands there.
        schema: The schema of the table.
        report: Where faults are noted.
        beside: The table.

    Returns:
        The table's key with its value, dates as text; nothing where there is no such key.
    """
    key, known, is_further = str(path[-1]), known_keys(schema), takes_further_keys(schema)
    if value and isinstance(value, dict) and key not in known and not is_further:
        note_dotted_texts(path, value, report)
        return {}
    if is_further and is_dotted_name(key, value, beside, known) and not {*known}.isdisjoint(value):
        note_dotted_tables(path, value, known, report)
        return {}
    dates = {place: date for place, leaf in leaves(value, path) if (date := date_in(leaf))}
    for place, date in dates.items():
        report.error(place, f"expected a string, got {toml_type(date)}", QUOTE_IT)
    if dates:
        # What is judged further on is what is meant.
        value = map_leaves(value, lambda place, leaf: str(leaf) if place in dates else leaf, path)
    return {key: value}


def read_text(text: str, schema: Any) -> Any:
    """Read a variable's text as the type of its field; text that the field itself must judge stays text.

    A list takes `a,b`; where a field takes one text or a list, only a comma makes it a list.

    Raises:
        ValueError: The field holds something that the text is not; the message says what was expected.
    """
    kinds = [*_parts_of(schema)]
    lists = [kind for kind in kinds if get_origin(kind) in (list, tuple)]
    if lists and ("," in text or str not in kinds):
        item_type, *_ = get_args(lists[0])
        return [read_text(item, item_type) for item in _split_items(text)]
    if date in kinds:
        return _read_date(text)
    numeric = [*filter(kinds.__contains__, _SCALARS)]
    if str in kinds or not numeric:
        return text
    stripped = text.strip()
    for kind in numeric:
        with suppress(ValidationError):
            return TypeAdapter(kind).validate_python(stripped)
    if stripped in kinds:
        return stripped
    expected = [_SCALARS.get(kind, repr(kind)) for kind in sorted({*kinds} - {NoneType}, key=str)]
    raise ValueError(f"expected {' or '.join(expected)}, got other text")


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("expected a date such as 2027-01-31, got other text") from None


def _split_items(text: str) -> list[str]:
    items = [*map(str.strip, text.split(","))]
    if "" in items:
        raise ValueError("expected a list such as a,b, got an empty item")
    return items
