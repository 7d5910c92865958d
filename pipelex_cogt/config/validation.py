"""Building a Pydantic model from a table: every fault is noted in our words, and what is sound is saved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from pipelex_cogt.config.dotted_names import is_dotted_name, note_dotted_tables, note_dotted_texts
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.masking import date_in
from pipelex_cogt.config.report import UNSTATED, ProblemReport
from pipelex_cogt.config.schema import QUOTE_IT, allows_any_key, given_fields, known_keys, schema_at
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.config.tables import FrozenDict, Table, goes_on, has_value, toml_type, trace_items

M = TypeVar("M", bound=BaseModel)

_NOTHING: Table = FrozenDict()
_Fault: TypeAlias = Mapping[str, Any]
_UNKNOWN, _MISSING = "extra_forbidden", "missing"
_OF_TEXT = ("string_type", "text", "path_type")
"""Pydantic's kinds of faults, and one of ours, where text belongs and something else stands."""
_PROBLEMS = {
    "bool_type": "expected true or false, got {type}",
    "date_type": "expected a date such as 2027-01-31, got {type}",
    "dict_type": "expected a table, got {type}",
    "enum": "expected one of {expected}, got {value}",
    "finite_number": "expected a finite number, got {value}",
    "float_type": "expected a number, got {type}",
    "greater_than": "expected a number above {gt:.15g}, got {value}",
    "greater_than_equal": "expected a number of at least {ge:.15g}, got {value}",
    "int_type": "expected an integer, got {type}",
    "less_than_equal": "expected a number of at most {le:.15g}, got {value}",
    "list_type": "expected a list, got {type}",
    "missing": UNSTATED,
    "model_type": "expected a table, got {type}",
    "path_type": "expected a string, got {type}",
    "string_too_short": "expected a string that is not empty, got {type}",
    "string_type": "expected a string, got {type}",
    "tuple_type": "expected a list, got {type}",
}
"""Pydantic's kinds of faults, each in our words.

The value is shown where it is a number or a word of a closed vocabulary, which are never secret. Limits are written as
people do: 2 rather than 2.0.
"""


class Inherited(NamedTuple):
    """A model that takes from other tables what its own does not state.

    Attributes:
        own: What its own table states.
        others: The other tables by their key path, the one that wins first; the faults of what it takes are told there.
    """

    own: Table
    others: Mapping[KeyPath, Table]

    def rests_on(self, location: KeyPath) -> tuple[KeyPath, ...]:
        """The places of the other tables, where the value at a location of the model comes from them."""
        return () if self._is_own(location) else tuple(self.others)

    def _is_own(self, location: KeyPath) -> bool:
        key, *positions = location or ("",)
        if positions and goes_on(self.own.get(str(key))):
            tables = (*reversed([*self.others.values()]), self.own)
            number, _ = trace_items(table.get(str(key)) for table in tables)[int(positions[0])]
            return tables[number] is self.own
        return has_value(self.own, location)


def build_sound(
    model: type[M], table: Table, path: KeyPath, report: ProblemReport, given: Table = _NOTHING, context: Any = None
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
        faulty = note_faults(error, model, path, report, stated=table)
    with suppress(ValidationError):
        return model.model_validate({key: fields[key] for key in fields.keys() - faulty}, context=context)
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
    stated: Collection[str] = (),
) -> set[str | int]:
    """Note everything that a validation refused.

    Args:
        error: The validation's error.
        model: What was validated.
        path: The key path of the table.
        report: Where faults are noted.
        inherited: Where the model takes from what its own table does not state.
        stated: The keys of the table.

    Returns:
        The keys of the table that have a fault; a fault of the table as a whole has none.
    """
    all_faults = error.errors(include_url=False)
    faults = _without_dotted_names(all_faults, model, path, report, stated)
    misspelt = [fault["loc"] for fault in faults if fault["type"] == _UNKNOWN]
    for fault in faults:
        location, place = fault["loc"], (*path, *fault["loc"])
        rests_on = inherited.rests_on(location) if inherited else ()
        # A value that was refused for what it is, such as a reference, is told once.
        if report.is_refused(place) or _is_misspelt(fault, misspelt):
            continue
        if fault["type"] == _UNKNOWN:
            report.unknown_key(place, known_keys(schema_at(model, location[:-1])), unless=rests_on)
        else:
            report.error(place, _in_our_words(fault), _next_step(fault), unless=rests_on)
    return set(chain.from_iterable(fault["loc"][:1] for fault in all_faults))


def _without_dotted_names(
    faults: Sequence[_Fault], model: type[BaseModel], path: KeyPath, report: ProblemReport, stated: Collection[str]
) -> list[_Fault]:
    """Note the faults that a name with dots outside quotes makes, and tell the others.

    A table that is there for the sake of such a name alone lacks nothing.
    """
    others = [fault for fault in faults if not _note_dotted_name(fault, model, path, report, stated)]
    is_table_of_name = len(others) < len(faults) and not {*known_keys(model)} & {*stated}
    return [fault for fault in others if fault["type"] != _MISSING] if is_table_of_name else others


def _note_dotted_name(
    fault: _Fault, model: type[BaseModel], path: KeyPath, report: ProblemReport, stated: Collection[str]
) -> bool:
    """Note a fault that a name with dots outside quotes makes; tell whether it is one."""
    location, value = fault["loc"], fault["input"]
    place, known = (*path, *location), known_keys(model)
    is_own = any(map(stated.__contains__, location[:1]))
    if not is_own or not isinstance(value, dict) or not getattr(model, "is_named", False):
        return False
    if fault["type"] == _UNKNOWN and location[:-1] == () and is_dotted_name(location[0], value, stated, known):
        note_dotted_tables(place, value, known, report)
        return True
    is_key_of_text = fault["type"] == "string_type" and allows_any_key(schema_at(model, location[:-1]))
    if not is_key_of_text or not value:
        return False
    note_dotted_texts(place, value, report)
    return True


def _is_misspelt(fault: _Fault, misspelt: Iterable[KeyPath]) -> bool:
    """Whether a key is missing only because it stands in its table under a name that comes near."""
    if fault["type"] != _MISSING:
        return False
    *table, key = fault["loc"]
    return any(NearName(str(name), [key], is_key=True).near() for *place, name in misspelt if place == table)


def _next_step(fault: _Fault) -> str | None:
    return QUOTE_IT if fault["type"] in _OF_TEXT and date_in(fault["input"]) else None


def _in_our_words(fault: _Fault) -> str:
    problem, value, kind = _PROBLEMS.get(fault["type"], "{message}"), fault["input"], toml_type(fault["input"])
    # A value is written out only where it is shown: it may be secret, or a number too long to write. A table may hold
    # anything, so its values are never shown.
    is_shown = "{value}" in problem and isinstance(value, str | int | float)
    facts = {**fault.get("ctx", {}), "message": fault["msg"], "type": kind, "value": repr(value) if is_shown else kind}
    return problem.format_map(facts)
