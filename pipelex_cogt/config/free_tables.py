"""Free tables: tables whose keys people choose, because an SDK or a provider reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import PlainValidator, SecretStr
from pydantic_core import PydanticCustomError

from pipelex_cogt.config.key_paths import join_keys
from pipelex_cogt.config.masking import date_in
from pipelex_cogt.config.tables import freeze, leaves, toml_type

# What HTTP calls a token. One class of characters, repeated.
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


def _check_free(table: Any) -> Any:
    if not isinstance(table, Mapping):
        raise PydanticCustomError("free_table", "expected a table, got {found}", {"found": toml_type(table)})
    for path, value in leaves(table):
        if date_in(value) is not None:
            facts = {"found": toml_type(date_in(value)), "key": join_keys(path)}
            raise PydanticCustomError("free_table", "expected no date, got {found} in {key}; put it in quotes", facts)
    return freeze(table)


def _check_headers(table: Any) -> Any:
    if not isinstance(table, Mapping):
        raise PydanticCustomError("free_table", "expected a table, got {found}", {"found": toml_type(table)})
    for name, value in table.items():
        if not isinstance(value, str | SecretStr):
            facts = {"found": toml_type(value), "key": name}
            raise PydanticCustomError("headers", "expected a string, got {found} in {key}", facts)
        if not _HEADER_NAME.fullmatch(name):
            text = "a header's name holds letters, digits and dashes, got {key}"
            raise PydanticCustomError("headers", text, {"key": repr(name)})
    return freeze(table)


FreeTable: TypeAlias = Annotated[Mapping[str, Any], PlainValidator(_check_free, json_schema_input_type=dict[str, Any])]
"""Text, numbers, booleans, tables and lists; never a date, which no request can carry."""
Headers: TypeAlias = Annotated[Mapping[str, Any], PlainValidator(_check_headers, json_schema_input_type=dict[str, str])]
"""Texts by the names of HTTP headers."""
