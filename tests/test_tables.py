"""Tables: how two merge, how a value is found and wrapped, the one way to walk them, and how they are frozen."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.tables import Table, merge, nest, value_at

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
