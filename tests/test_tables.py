"""Tables: how two merge, how a value is found and wrapped, the one way to walk them, and how they are frozen."""

import pickle
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.tables import Table, freeze, leaves, map_leaves, merge, nest, thaw, value_at, without_none
from tests.frozen import CHANGES_OF_A_LIST, CHANGES_OF_A_TABLE, assert_frozen, containers_in

KEYS = st.text(max_size=5) | st.sampled_from(["items", "get", "a.b", "a-b", "A", "a", "dynaconf_merge", "@del"])


SCALARS = st.integers() | st.text(max_size=5) | st.booleans() | st.lists(st.integers(), max_size=3)


def tables_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Table]:
    return st.dictionaries(KEYS, values, max_size=4)


TABLES = tables_of(st.recursive(SCALARS, tables_of, max_leaves=8))


def same_shape(depth: int) -> st.SearchStrategy[Table]:
    """Tables in which a key's name says whether it holds a table, as a schema does."""
    scalars = st.dictionaries(KEYS.map("scalar ".__add__), SCALARS, max_size=3)
    if not depth:
        return scalars
    tables = st.dictionaries(KEYS.map("table ".__add__), st.deferred(lambda: same_shape(depth - 1)), max_size=3)
    return st.builds(lambda left, right: left | right, scalars, tables)


@pytest.mark.slow
@settings(deadline=None)
@given(TABLES, TABLES)
def test_merging_changes_neither_table(lower: Table, upper: Table) -> None:
    before = deepcopy((lower, upper))
    merge(lower, upper)
    assert (lower, upper) == before


@pytest.mark.slow
@settings(deadline=None)
@given(same_shape(2), same_shape(2), same_shape(2))
def test_merging_is_associative(low: Table, middle: Table, high: Table) -> None:
    assert merge(merge(low, middle), high) == merge(low, merge(middle, high))


@pytest.mark.slow
@given(TABLES)
def test_an_empty_layer_changes_nothing(table: Table) -> None:
    assert merge(table, {}) == table == merge({}, table) == merge(table, table)


@pytest.mark.slow
@settings(deadline=None)
@given(TABLES, TABLES)
def test_merging_keeps_every_key_and_the_upper_value(lower: Table, upper: Table) -> None:
    merged = merge(lower, upper)
    assert list(merged) == [*lower, *(key for key in upper if key not in lower)]
    for key, value in upper.items():
        below = lower.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        assert merged[key] == (merge(below, value) if both and isinstance(below, dict) else value)


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        pytest.param({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, id="tables merge"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists replace"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, {"a": [{"c": 1}]}, id="tables in lists replace"),
        pytest.param({"a": {"b": 1}}, {"a": 2}, {"a": 2}, id="a scalar replaces a table"),
        pytest.param({"a": 2}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="a table replaces a scalar"),
        pytest.param({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}, id="an empty table adds nothing"),
        pytest.param({"Qwen/X": 1}, {"qwen/x": 2}, {"Qwen/X": 1, "qwen/x": 2}, id="capitals differ"),
        pytest.param({"a b": 1}, {"a_b": 2}, {"a b": 1, "a_b": 2}, id="spaces differ"),
    ],
)
def test_tables_merge_and_everything_else_replaces(lower: Table, upper: Table, merged: Table) -> None:
    assert merge(lower, upper) == merged


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), {"a": {"b": [1, {"c": 2}]}}),
        (("a", "b", 0), 1),
        (("a", "b", 1, "c"), 2),
        (("a", "b", 2), None),
        (("a", "b", "c"), None),
        (("a", "x", "y"), None),
        (("a", "b", 0, "c"), None),
    ],
)
def test_a_value_is_found_by_its_key_path(path: KeyPath, value: object) -> None:
    assert value_at({"a": {"b": [1, {"c": 2}]}}, path) == value


def test_a_false_value_is_found() -> None:
    assert value_at({"a": {"b": False}}, ("a", "b"), "missing") is False
    assert value_at({"a": {"b": False}}, ("a", "c"), "missing") == "missing"


@given(st.lists(KEYS, max_size=5), SCALARS)
def test_a_nested_value_is_found_where_it_was_put(path: list[str], value: object) -> None:
    assert value_at(nest(tuple(path), value), tuple(path)) == value


# Walking


def containers_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(values, max_size=3)
    return st.dictionaries(KEYS, values, max_size=3) | lists | lists.map(tuple)


VALUES = st.recursive(SCALARS, containers_of, max_leaves=10)
SHAPES = [{}, [], (), {"a": {}}, {"a": []}, [[], {}, ()], {"a": {"b": [1, {"c": ()}, (2, [3])]}, "": None}]
"""Empty ones and nested ones of every kind."""


def plain_leaves(value: Any, path: KeyPath = (), *, opens_lists: bool) -> Iterator[tuple[KeyPath, Any]]:
    """Leaves as their definition says them, without a list of what is still to do."""
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(value.items())
    elif opens_lists and isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        yield path, value
        return
    for key, item in items:
        yield from plain_leaves(item, (*path, key), opens_lists=opens_lists)


def listed(value: Any) -> Any:
    """A value with its tuples as lists."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, list | tuple) else value


def on_values(test: Callable[[Any], None]) -> Callable[[Any], None]:
    """Run a property on random values, and always on those of every kind."""
    for shape in SHAPES:
        test = example(shape)(test)
    return given(VALUES)(test)


@on_values
def test_leaves_are_what_the_recursive_definition_says(value: Any) -> None:
    for opens_lists in (True, False):
        expected = [*plain_leaves(value, ("root",), opens_lists=opens_lists)]
        assert [*leaves(value, ("root",), opens_lists=opens_lists)] == expected


@on_values
def test_mapping_leaves_to_themselves_copies_a_value(value: Any) -> None:
    seen: list[tuple[KeyPath, Any]] = []

    def keep(path: KeyPath, leaf: Any) -> Any:
        seen.append((path, leaf))
        return leaf

    mapped = map_leaves(value, keep, ("root",))
    assert mapped == listed(value)
    assert seen == [*leaves(value, ("root",))]
    of_the_value = {id(container) for container in containers_in(value) if container}
    assert of_the_value.isdisjoint(id(container) for container in containers_in(mapped))


def test_leaves_are_replaced_where_they_stand() -> None:
    table = {"a": [1, {"b": 2}], "c": (3,)}
    assert map_leaves(table, lambda path, leaf: f"{path} {leaf}") == {
        "a": ["('a', 0) 1", {"b": "('a', 1, 'b') 2"}],
        "c": ["('c', 0) 3"],
    }


@given(TABLES)
def test_what_is_thawed_is_equal_and_can_be_changed_at_every_depth(table: Table) -> None:
    thawed = thaw(freeze(table))
    assert thawed == table
    assert {type(container) for container in containers_in(thawed)} <= {dict, list}


def test_only_none_is_taken_for_what_nobody_states() -> None:
    assert without_none({"a": None, "b": 0, "c": "", "d": False, "e": []}) == {"b": 0, "c": "", "d": False, "e": []}


def test_leaves_of_a_deep_table_are_found() -> None:
    path = tuple(["a"] * 5000)
    assert [*leaves(nest(path, 1))] == [(path, 1)]


# Freezing


def test_every_method_that_changes_something_is_among_those_that_are_tried() -> None:
    reading = {"copy", "count", "fromkeys", "get", "index", "items", "keys", "values"}
    for kind, changes in ((dict, CHANGES_OF_A_TABLE), (list, CHANGES_OF_A_LIST)):
        methods = {name for name in vars(kind) if not name.startswith("_")}
        assert methods - reading <= changes.keys()


@on_values
def test_what_is_frozen_is_equal_and_refuses_every_change_at_every_depth(value: Any) -> None:
    before = deepcopy(value)
    frozen = freeze(value)
    assert_frozen(frozen)
    assert frozen == listed(value)
    assert value == before
    assert freeze(frozen) is frozen


@pytest.mark.parametrize("twin", [copy, deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_what_is_frozen_stays_so_when_it_is_copied_or_pickled(twin: Callable[[Any], Any], shape: Any) -> None:
    frozen = freeze(shape)
    arrived = twin(frozen)
    assert arrived == frozen
    assert_frozen(arrived)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_is_frozen_pickles_in_every_protocol(protocol: int) -> None:
    frozen = freeze(SHAPES[-1])
    assert pickle.loads(pickle.dumps(frozen, protocol)) == frozen


def test_equal_frozen_values_have_one_hash() -> None:
    assert hash(freeze(SHAPES[-1])) == hash(freeze(deepcopy(SHAPES[-1])))
    assert len({freeze({"a": [1]}), freeze({"a": [1]}), freeze({"a": [2]})}) == 2


def test_what_is_frozen_can_be_merged() -> None:
    lower, upper = freeze({"a": {"b": [1]}}), freeze({"a": {"c": {}}})
    assert merge(lower, upper) == {"a": {"b": [1], "c": {}}}
    assert_frozen(lower)
    assert_frozen(upper)
