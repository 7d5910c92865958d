"""The smallest value that fits a JSON Schema, in JSON's spelling or in Google's (`OBJECT`, `nullable`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = {
    "date": "2026-11-30",
    "date-time": "2026-11-30T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return a value that `schema` accepts; `root` is where its references lead."""
    root = schema if root is None else root
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    if "$ref" in schema:
        return example(referred(schema["$ref"], root), root)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], root)
    if "allOf" in schema:
        return example({key: value for part in schema["allOf"] for key, value in part.items()}, root)
    return of_its_type(schema, root)


def referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema that a reference such as `#/$defs/Person` names."""
    found = root
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    return found


def of_its_type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    named = schema.get("type", "object" if "properties" in schema else "string")
    kind = (named[0] if isinstance(named, list) else named).lower()
    if kind == "object":
        return {key: example(value, root) for key, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {}), root)] * max(1, schema.get("minItems", 1))
    text = TEXTS.get(schema.get("format", ""), "text".ljust(schema.get("minLength", 0), "t"))
    least = schema.get("minimum", 1)
    return {"integer": int(least), "number": float(least), "boolean": True, "null": None}.get(kind, text)
