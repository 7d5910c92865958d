"""Names of variables: an index finds what going through every key finds, whatever was laid over the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.environ import PREFIX
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.schema import child_schema, is_table, known_keys, takes_further_keys
from pipelex_cogt.config.suggestions import is_one_slip, near_names
from pipelex_cogt.config.tables import Table, merge, nest, value_at
from pipelex_cogt.config.variable_names import SEPARATOR, VariableNames, letters_of, variable_part
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from tests.conftest import steps

ENDS = ["a", "a-b", "a_b", "A", "a__b", "b", "", "-", "ab", "api_key", "max_tokens", "headers"]
KEYS = st.sampled_from(ENDS)
CONTENT: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["text", 1, []]), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
SECTIONS = st.sampled_from([("backends",), ("models",), ("models", "a"), ("deck", "aliases"), ("deck", "llm_presets")])
TREES = st.lists(st.builds(nest, SECTIONS, st.dictionaries(KEYS, CONTENT, max_size=3)), max_size=3)
STEPS = st.sampled_from([*map(variable_part, ENDS), "BACKENDS", "MODELS", "DECK", "ALIASES", "MAX_TOKENZ"])
NAMES = st.builds(
    lambda section, names: SEPARATOR.join([*map(variable_part, section), *names]),
    SECTIONS | st.just(()),
    st.lists(STEPS, max_size=3),
)


def parts(tree: Any, schema: Any) -> dict[str, str]:
    stated = tree if isinstance(tree, Mapping) else ()
    return {key: variable_part(key) for key in (*stated, *known_keys(schema))}


def fits(name: str, part: str) -> bool:
    return bool(part) and name.startswith(part) and name[len(part) :][: len(SEPARATOR)] in ("", SEPARATOR)


def match(name: str, tree: Any, schema: Any) -> Iterator[KeyPath]:
    fitting = {key: part for key, part in parts(tree, schema).items() if fits(name, part)}
    for key, part in fitting.items():
        rest, inner = name.removeprefix(part), child_schema(schema, key)
        if not rest:
            yield (key,)
        elif inner is not None:
            for path in match(rest.removeprefix(SEPARATOR), value_at(tree, (key,)), inner):
                yield (key, *path)
    if name and not fitting and takes_further_keys(schema) and SEPARATOR not in name:
        yield (name.lower(),)


def spelt_alike(letters: str, tree: Any, schema: Any, above: str = "") -> Iterator[str]:
    for key, part in parts(tree, schema).items():
        own, inner = letters_of(part), child_schema(schema, key)
        if own and letters == own:
            yield above + part
        elif own and letters.startswith(own) and inner is not None:
            below = value_at(tree, (key,))
            yield from spelt_alike(letters.removeprefix(own), below, inner, above + part + SEPARATOR)


def a_level_off(name: str, tree: Any) -> Iterator[str]:
    _, _, rest = name.partition(SEPARATOR)
    yield from spelt_alike(letters_of(rest), tree, SETTINGS_SCHEMA)
    for key, part in parts(tree, SETTINGS_SCHEMA).items():
        below, inner = value_at(tree, (key,)), child_schema(SETTINGS_SCHEMA, key)
        yield from spelt_alike(letters_of(name), below, inner, part + SEPARATOR)


def spelt_nearly(name: str, tree: Any, schema: Any, above: str = "") -> Iterator[str]:
    step, _, rest = name.partition(SEPARATOR if SEPARATOR in name else "_")
    keys = {part: key for key, part in parts(tree, schema).items()}
    near = near_names(step, keys) or [part for part in keys if is_one_slip(step, part.casefold())]
    for part in [step] if step in keys else near:
        inner = child_schema(schema, keys[part])
        if not is_table(inner):
            yield above + part
        elif rest:
            yield from spelt_nearly(rest, value_at(tree, (keys[part],)), inner, above + part + SEPARATOR)


def nearest(name: str, tree: Any) -> list[str]:
    ways = (
        spelt_alike(letters_of(name), tree, SETTINGS_SCHEMA),
        a_level_off(name, tree),
        spelt_nearly(name, tree, SETTINGS_SCHEMA),
    )
    return [PREFIX + part for part in next(filter(None, map(list, ways)), [])[:3]]


@given(TREES, TREES, TREES, st.lists(NAMES, min_size=1, max_size=3))
def test_an_index_finds_what_going_through_every_key_finds(
    below: list[Table], laid: list[Table], above: list[Table], asked: list[str]
) -> None:
    tree: Table = {}
    upper: Table = {}
    for table in below:
        tree = merge(tree, table)
    for table in above:
        upper = merge(upper, table)
    names = VariableNames(SETTINGS_SCHEMA, tree, upper)
    # What was asked before something was laid over the settings changes no later answer.
    for table in [{}, *laid]:
        tree = merge(tree, table)
        names.lay(table)
        seen = merge(tree, upper)
        for name in asked:
            # Where a key came with a variable, the order is that in which they came.
            assert sorted(names.match(name)) == sorted(match(name, seen, SETTINGS_SCHEMA))
            for path in names.match(name):
                assert names.value_at(path) == value_at(seen, path)


@given(TREES, NAMES)
def test_what_could_be_meant_is_told_in_the_order_of_the_settings(tables: list[Table], name: str) -> None:
    tree: Table = {}
    for table in tables:
        tree = merge(tree, table)
    names = VariableNames(SETTINGS_SCHEMA, tree)
    assert [*names.match(name)] == [*match(name, tree, SETTINGS_SCHEMA)]
    assert names.nearest(name) == nearest(name, tree)


def test_a_name_costs_the_same_among_many_keys() -> None:
    def look(count: int) -> None:
        names = VariableNames(SETTINGS_SCHEMA, {"deck": {"aliases": {f"a{number}": "m" for number in range(count)}}})
        for number in range(count):
            assert [*names.match(f"DECK__ALIASES__A{number}")] == [("deck", "aliases", f"a{number}")]
            assert names.nearest(f"DECK_ALIASES_A{number}") == [f"{PREFIX}DECK__ALIASES__A{number}"]
            names.lay({"deck": {"aliases": {f"a{number}": "n"}}})

    assert steps(lambda: look(400)) < 5 * steps(lambda: look(100))
