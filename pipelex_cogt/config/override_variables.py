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
from functools import partial
from operator import itemgetter, methodcaller
from types import GenericAlias
from typing import Any, NoReturn

from pipelex_cogt.config.environ import PREFIX, Variables
from pipelex_cogt.config.hiding import Hidden
from pipelex_cogt.config.inference_config import CONFIG_KEY
from pipelex_cogt.config.key_paths import KeyPath, format_key_path
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, Place
from pipelex_cogt.config.masking import seal_layer, stated_value
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import child_schema, is_table, known_keys, read_text, schema_at, takes_further_keys
from pipelex_cogt.config.suggestions import did_you_mean, is_one_slip, near_names
from pipelex_cogt.config.tables import Table, leaves, nest, value_at

SEPARATOR = "__"
_CONFIG_PREFIX = f"{PREFIX}{CONFIG_KEY.upper()}{SEPARATOR}"
_MOST_SUGGESTED = 3
_SCALARS = (bool, int, float)
_ADDS_NOTHING = "a variable changes what exists; state what is new in a file"
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
    names = filter(methodcaller("startswith", PREFIX), variables.names())
    return [Variable(kind, name, variables[name]) for name in sorted(names)]


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
        hint = did_you_mean(nearest_variables(name, tree, schema)) or _ADDS_NOTHING
        report.error((), "no setting has such a name", hint, place)
    elif len(found) == 1:
        yield from _read_layer(variable, found[0], tree, schema, report)
    else:
        keys = " and ".join(map(format_key_path, found))
        report.error((), f"could mean {keys}", "set the value in a file instead", place)


def _read_layer(variable: Variable, path: KeyPath, tree: Table, schema: Any, report: ProblemReport) -> Iterator[Layer]:
    kind = schema_at(schema, path)
    if kind in (str, Any, None):
        # What people name themselves, such as a further key of a backend and what lies below it, has the type it was
        # stated with.
        kind = _type_of(stated_value(value_at(tree, path)))
    try:
        value = _read_value(variable.text, kind)
    except ValueError as error:
        report.error(path, str(error), place=Place(variable.name))
    else:
        yield seal_layer(Layer(Origin(variable.kind, variable.name), nest(path, value)))


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
    if name and not fitting and takes_further_keys(schema) and SEPARATOR not in name:
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
    for read in (_read_toml, _read_json):
        with suppress(ValueError, RecursionError):
            value = read(text)
            break
    else:
        raise ValueError("expected TOML or JSON because the value begins with a bracket, and it is neither")
    if None in map(itemgetter(1), leaves(value)):
        raise ValueError("expected a value, got null, which settings do not have; leave it out")
    return value


def _read_toml(text: str) -> Any:
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


def nearest_variables(name: str, tree: Table, schema: Any) -> list[str]:
    """The variables that a name without its prefix, in capitals, may be meant for, nearest first.

    One of the same letters and digits is meant, whatever stands between them, with the table left out or an environment
    put before it; else the name is followed from the root downward, at each table to the keys that come near.
    """
    ways = (
        _spelt_alike(letters_of(name), tree, schema),
        _a_level_off(name, tree, schema),
        _spelt_nearly(name, tree, schema),
    )
    found = next(filter(None, map(list, ways)), [])
    return [PREFIX + part for part in found[:_MOST_SUGGESTED]]


def letters_of(name: str) -> str:
    """A variable's name without what stands between its letters and digits."""
    return _NOT_ALPHANUMERIC.sub("", name)


def _spelt_alike(letters: str, tree: Any, schema: Any, above: str = "") -> Iterator[str]:
    for key, part in _parts(tree, schema).items():
        own, inner = letters_of(part), child_schema(schema, key)
        if own and letters == own:
            yield above + part
        elif own and letters.startswith(own) and inner is not None:
            below = letters.removeprefix(own)
            yield from _spelt_alike(below, value_at(tree, (key,)), inner, f"{above}{part}{SEPARATOR}")


def _a_level_off(name: str, tree: Table, schema: Any) -> Iterator[str]:
    _, _, rest = name.partition(SEPARATOR)
    yield from _spelt_alike(letters_of(rest), tree, schema)
    for key, part in _parts(tree, schema).items():
        below = f"{part}{SEPARATOR}"
        yield from _spelt_alike(letters_of(name), value_at(tree, (key,)), child_schema(schema, key), below)


def _spelt_nearly(name: str, tree: Any, schema: Any, above: str = "") -> Iterator[str]:
    step, _, rest = name.partition(SEPARATOR if SEPARATOR in name else "_")
    keys = {part: key for key, part in _parts(tree, schema).items()}
    # In one table even a short key is told by one slip.
    near = near_names(step, keys) or [part for part in keys if is_one_slip(step, part.casefold())]
    for part in [step] if step in keys else near:
        inner = child_schema(schema, keys[part])
        if not is_table(inner):
            yield above + part
        elif rest:
            yield from _spelt_nearly(rest, value_at(tree, (keys[part],)), inner, f"{above}{part}{SEPARATOR}")
