"""Building a Pydantic model from a table: every fault is noted in our words, and what is sound is saved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import given_fields, known_keys, schema_at
from pipelex_cogt.config.suggestions import near_names
from pipelex_cogt.config.tables import FrozenDict, Table, has_value, toml_type

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "enum": "one of {expected}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "an integer",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "model_type": "a table",
    "path_type": "a string",
    "string_too_short": "a string that is not empty",
    "string_type": "a string",
    "tuple_type": "a list",
}
"""Pydantic's kinds of faults, each with what was expected."""
_SHOWS_VALUE = {"enum", "finite_number", "greater_than", "greater_than_equal", "less_than_equal"}
"""The kinds whose message shows the value: numbers and words of a closed vocabulary, which are never secret."""


class Inherited(NamedTuple):
    """A model that takes from another table what its own does not state.

    Attributes:
        own: What its own table states.
        place: The key path of the other table, where the faults of what it takes are told.
    """

    own: Table
    place: KeyPath


def build_sound(
    model: type[M],
    table: Table,
    path: KeyPath,
    report: ProblemReport,
    given: Mapping[str, Any] = FrozenDict(),
    context: Any = None,
) -> M | None:
    """Build a model; its faults are noted, and what is sound is built without the keys that have one.

    Args:
        model: The model.
        table: What the settings state.
        path: The key path of the table.
        report: Where faults are noted.
        given: The fields that no table states, by key.
        context: What the model is handed beside its fields.

    Returns:
        The model, or None where a key that it needs is missing or has a fault.
    """
    note_given(model, table, path, report)
    fields = {**table, **given}
    try:
        return model.model_validate(fields, context=context)
    except ValidationError as error:
        faulty = note_faults(error, model, path, report)
    sound = {key: value for key, value in fields.items() if key not in faulty}
    try:
        return model.model_validate(sound, context=context)
    except ValidationError:
        return None


def note_given(model: type[BaseModel], table: Table, path: KeyPath, report: ProblemReport) -> None:
    """Note the keys of a table that name what no table states."""
    for key in filter(table.__contains__, given_fields(model)):
        report.unknown_key((*path, key), known_keys(model))


def note_faults(
    error: ValidationError,
    model: type[BaseModel],
    path: KeyPath,
    report: ProblemReport,
    inherited: Inherited | None = None,
    told: Collection[KeyPath] = (),
) -> set[str | int]:
    """Note everything that a validation refused.

    Args:
        error: The validation's error.
        model: What was validated.
        path: The key path of the table.
        report: Where faults are noted.
        inherited: Where the model takes from what its own table does not state.
        told: The key paths whose values were refused before, such as references where none can stand.

    Returns:
        The keys of the table that have a fault.
    """
    faults = error.errors(include_url=False, include_input=True)
    misspelt = [fault["loc"] for fault in faults if fault["type"] == "extra_forbidden"]
    for fault in faults:
        location, place = fault["loc"], (*path, *fault["loc"])
        is_inherited = inherited is not None and not has_value(inherited.own, location)
        rests_on = [inherited.place] if inherited is not None and is_inherited else []
        if place in told or (fault["type"] == "missing" and _is_meant(location, misspelt)):
            continue
        if fault["type"] == "extra_forbidden":
            report.unknown_key(place, known_keys(schema_at(model, location[:-1])), unless=rests_on)
        elif fault["type"] == "missing":
            report.required([place], unless=rests_on)
        else:
            report.error(place, _in_our_words(fault), unless=rests_on)
    return {fault["loc"][0] for fault in faults if fault["loc"]}


def _is_meant(missing: KeyPath, misspelt: Iterable[KeyPath]) -> bool:
    """Whether a missing key stands in its table under a name that comes near."""
    return any(path[:-1] == missing[:-1] and near_names(str(path[-1]), [str(missing[-1])]) for path in misspelt)


def _in_our_words(fault: Mapping[str, Any]) -> str:
    kind, value = fault["type"], fault["input"]
    if kind not in _EXPECTED:
        return str(fault["msg"])
    limits = {name: _plain(limit) for name, limit in fault.get("ctx", {}).items()}
    is_shown = kind in _SHOWS_VALUE and not isinstance(value, Mapping)
    return f"expected {_EXPECTED[kind].format_map(limits)}, got {repr(value) if is_shown else toml_type(value)}"


def _plain(limit: object) -> object:
    """A limit as people write it: 2 rather than 2.0."""
    return f"{limit:g}" if isinstance(limit, float) else limit
