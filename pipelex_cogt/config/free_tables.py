"""Free tables: tables whose keys people choose, because an SDK or a provider reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import PlainValidator, SecretStr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import date_in, stated_value
from pipelex_cogt.config.tables import freeze, leaves, toml_type

# What HTTP calls a token. One class of characters, repeated.
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


def _check_free(table: Any) -> Any:
    _check_table(table)
    _raise(_fault_of_text(path, value) for path, value in leaves(table) if date_in(value) is not None)
    return freeze(table)


def _check_headers(table: Any) -> Any:
    _check_table(table)
    _raise(filter(None, map(_fault_of_header, table.items())))
    return freeze(table)


def _check_table(table: Any) -> None:
    if not isinstance(table, Mapping):
        raise PydanticCustomError("free_table", "expected a table, got {found}", {"found": toml_type(table)})


def _fault_of_header(header: tuple[str, Any]) -> InitErrorDetails | None:
    name, value = header
    # A number of a layer of secrets is sealed, and is none the less a number.
    if not isinstance(stated_value(value), str | SecretStr):
        return _fault_of_text((name,), value)
    if _HEADER_NAME.fullmatch(name):
        return None
    problem = PydanticCustomError("header_name", "a header's name holds no space and no separator but a dash")
    return InitErrorDetails(type=problem, loc=(name,), input=name)


def _fault_of_text(path: KeyPath, value: Any) -> InitErrorDetails:
    facts = {"found": toml_type(date_in(value) or stated_value(value))}
    problem = PydanticCustomError("text", "expected a string, got {found}", facts)
    return InitErrorDetails(type=problem, loc=path, input=value)


def _raise(faults: Iterable[InitErrorDetails]) -> None:
    """Raise every fault of a table, each at its own key path; nothing where there is none."""
    found = [*faults]
    if found:
        raise ValidationError.from_exception_data("free table", found, hide_input=True)


FreeTable: TypeAlias = Annotated[Mapping[str, Any], PlainValidator(_check_free, json_schema_input_type=dict[str, Any])]
"""Text, numbers, booleans, tables and lists; never a date, which no request can carry."""
Headers: TypeAlias = Annotated[Mapping[str, Any], PlainValidator(_check_headers, json_schema_input_type=dict[str, str])]
"""Texts by the names of HTTP headers."""
