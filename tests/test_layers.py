"""Layers: how two tables merge, and where each states a value."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.layers import Layer, LayerKind, Origin, SourceFile
from pipelex_cogt.config.older_spellings import modernise_layer
from pipelex_cogt.config.report import ProblemReport
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


def test_a_layers_repr_holds_no_value() -> None:
    assert "canary" not in repr(Layer(Origin(LayerKind.DOTENV, "X"), {"a": "canary"}))


def test_every_layer_has_its_name_in_words() -> None:
    labels = [kind.label for kind in sorted(LayerKind)]
    assert len(set(labels)) == len(labels)
    assert labels[0] == "packaged settings"
    assert labels[-1] == "overrides given in code"


def test_a_variable_is_the_place_of_what_it_states() -> None:
    place = Origin(LayerKind.PROCESS_ENVIRONMENT, "PIPELEX_COGT__ROUTING__ACTIVE").place(("routing", "active"))
    assert str(place) == "PIPELEX_COGT__ROUTING__ACTIVE"


def write(path: Path, text: str) -> SourceFile:
    path.write_text(text, encoding="utf-8")
    return SourceFile.of(path, path.name, path.read_bytes())


def test_a_key_path_reads_otherwise_in_a_library_file(tmp_path: Path) -> None:
    file = write(tmp_path / "openai.toml", '["gpt-4.1"]\nmax_tokens = 1\n')
    origin = Origin(LayerKind.APPLICATION, "openai.toml", file, tree_prefix=("models", "openai"))
    assert str(origin.place(("models", "openai", "gpt-4.1", "max_tokens"))) == "openai.toml:2"


def test_a_key_path_reads_otherwise_in_the_main_file(tmp_path: Path) -> None:
    file = write(tmp_path / "settings.toml", "\n[production.cogt.routing]\nactive = 'x'\n")
    origin = Origin(LayerKind.ENVIRONMENT, "settings.toml", file, "production", file_prefix=("production", "cogt"))
    assert str(origin.place(("routing", "active"))) == "settings.toml:3"


def test_what_a_file_does_not_state_is_placed_at_the_nearest_table(tmp_path: Path) -> None:
    file = write(tmp_path / "openai.toml", "\n[m]\nsdk = 'x'\n")
    origin = Origin(LayerKind.APPLICATION, "openai.toml", file, tree_prefix=("models", "openai"))
    assert str(origin.place(("models", "openai", "m", "costs", "input"))) == "openai.toml:2"
    assert str(origin.place(("models", "openai", "other"))) == "openai.toml"


def test_the_older_spelling_is_found_by_todays_key(tmp_path: Path) -> None:
    file = write(tmp_path / "openai.toml", "\ndefault_sdk = 'x'\n")
    origin = Origin(LayerKind.APPLICATION, "openai.toml", file, tree_prefix=("models", "openai"))
    layer = modernise_layer(Layer(origin, {"models": {"openai": {"default_sdk": "x"}}}), ProblemReport())
    assert layer["models"]["openai"] == {"defaults": {"sdk": "x"}}
    assert str(layer.origin.place(("models", "openai", "defaults", "sdk"))) == "openai.toml:2"


def test_a_file_that_changed_since_it_was_read_is_said_to_have(tmp_path: Path) -> None:
    path = tmp_path / "routing.toml"
    file = write(path, "active = 'x'\n")
    path.write_text("\n\nactive = 'x'\n", encoding="utf-8")
    # The size and the times of a file may stay as they were; what it says does not.
    place = Origin(LayerKind.APPLICATION, "routing.toml", file, tree_prefix=("routing",)).place(("routing", "active"))
    assert (str(place), place.line) == ("routing.toml (changed since it was read)", None)


def test_a_file_that_has_gone_is_still_named(tmp_path: Path) -> None:
    path = tmp_path / "routing.toml"
    file = write(path, "active = 'x'\n")
    path.unlink()
    place = Origin(LayerKind.APPLICATION, "routing.toml", file, tree_prefix=("routing",)).place(("routing", "active"))
    assert (str(place), place.name) == ("routing.toml (changed since it was read)", "routing.toml")
