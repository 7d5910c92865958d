"""The schema: what the tree looks like, and how a variable's text is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from pipelex_cogt import Severity
from pipelex_cogt.config.key_paths import KeyPath
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.schema import (
    ANY_KEY,
    allows_any_key,
    check_shape,
    child_schema,
    is_table,
    known_keys,
    read_text,
)
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA


class Inner(BaseModel):
    count: int | None = None


class Outer(BaseModel):
    inner: Inner = Inner()
    shown: Annotated[str, Field(alias="written")] = ""
    routes: dict[str, str] = {}
    maybe: Annotated[Inner | None, Field(description="x")] = None


def schema_at(path: KeyPath) -> Any:
    schema: Any = SETTINGS_SCHEMA
    for key in path:
        schema = child_schema(schema, str(key))
    return schema


@pytest.mark.parametrize(
    "path",
    [
        ("backends",),
        ("backends", "any"),
        ("models", "any"),
        ("models", "any", "defaults"),
        ("models", "any", "defaults", "costs"),
        ("models", "any", "any"),
        ("models", "any", "any", "costs"),
        ("routing", "profiles", "any", "routes"),
        ("deck", "llm_presets", "any"),
        ("deck", "llm_choice_overrides"),
        ("inference_config",),
    ],
)
def test_the_tree_has_its_tables(path: KeyPath) -> None:
    assert is_table(schema_at(path))


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        (("backends", "any", "enabled"), "false", False),
        (("backends", "any", "whatever"), "5", "5"),
        (("models", "any", "any", "max_tokens"), "5", 5),
        (("models", "any", "any", "model_id"), "5", "5"),
        (("models", "any", "default_sdk"), "5", "5"),
        (("routing", "active"), "5", "5"),
        (("deck", "aliases", "any"), "5", "5"),
        (("deck", "llm_presets", "any", "temperature"), "1", 1.0),
        (("inference_config", "use_packaged_settings"), "no", False),
        (("inference_config", "llm_deck_dir"), "5", "5"),
    ],
)
def test_the_trees_values_have_their_types(path: KeyPath, text: str, value: object) -> None:
    read = read_text(text, schema_at(path))
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("path", [("nothing",), ("routing", "nothing"), ("deck", "llm_presets", "any", "nothing")])
def test_a_key_that_nothing_knows_has_no_schema(path: KeyPath) -> None:
    assert schema_at(path) is None


@pytest.mark.parametrize(
    ("schema", "keys", "is_open"),
    [
        ({"a": int, ANY_KEY: str}, ("a",), True),
        ({"a": int}, ("a",), False),
        (Outer, ("inner", "written", "routes", "maybe"), False),
        (dict[str, int], (), True),
        (Mapping[str, int] | None, (), True),
        (Annotated[Inner | None, Field()], ("count",), False),
        (int, (), False),
        (None, (), False),
        (list[str], (), False),
    ],
)
def test_a_schema_may_be_written_in_several_ways(schema: Any, keys: tuple[str, ...], is_open: bool) -> None:  # noqa: FBT001 -- because: a column of the table
    assert known_keys(schema) == keys
    assert allows_any_key(schema) is is_open
    assert is_table(schema) is bool(keys or is_open)


def test_children_are_found_through_models_and_unions() -> None:
    assert read_text("1", child_schema(child_schema(Outer, "inner"), "count")) == 1
    assert read_text("1", child_schema(child_schema(Outer, "maybe"), "count")) == 1
    assert child_schema(child_schema(Outer, "routes"), "any") is str
    assert child_schema(int, "any") is None


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("true", bool, True),
        ("off", bool, False),
        ("7", int, 7),
        ("-7", int, -7),
        ("7", float, 7.0),
        ("7", int | float, 7),
        ("7.5", int | float, 7.5),
        ("7", int | None, 7),
        ("7", str | None, "7"),
        ("7", int | str, "7"),
        ("7", Annotated[int | None, Field(ge=1)], 7),
        ("auto", int | Literal["auto"] | None, "auto"),
        (" auto ", int | Literal["auto"] | None, "auto"),
        ("7", int | Literal["auto"] | None, 7),
        ("7", Path, "7"),
        ("7", tuple[str, ...], ["7"]),
        ("7", Any, "7"),
        ("", str, ""),
    ],
)
def test_text_is_read_as_its_type(text: str, schema: Any, value: object) -> None:
    read = read_text(text, schema)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [
        ("x", bool, "expected true or false, got other text"),
        ("2", bool, "expected true or false, got other text"),
        ("x", int, "expected an integer, got other text"),
        ("1.5", int, "expected an integer, got other text"),
        ("Auto", int | Literal["auto"] | None, "expected an integer or 'auto', got other text"),
    ],
)
def test_text_of_another_type_is_refused(text: str, schema: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{expected}$"):
        read_text(text, schema)


def shape_of(tree: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    report = ProblemReport()
    sound = check_shape(tree, SETTINGS_SCHEMA, report)
    return sound, [str(problem) for problem in report.problems(Severity.ERROR)]


def test_a_sound_tree_stays_as_it_is() -> None:
    tree = {
        "routing": {"active": 5, "profiles": {"*": {"routes": {"*": "a"}}}},
        "models": {"a": {"defaults": {}, "items": {"sdk": "x"}}},
        "backends": {"a": {"api_version": {"deep": 1}}},
        "deck": {"aliases": {"x": ["y"]}},
    }
    assert shape_of(tree) == (tree, [])


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"routng": {}}, "cogt.routng: unknown key; did you mean 'routing'?"),
        (
            {"zzz": {}},
            "cogt.zzz: unknown key; expected one of backends, deck, inference_config, models, routing",
        ),
        ({"backends": []}, "cogt.backends: expected a table, got a list"),
        ({"backends": {"a": 1.5}}, "cogt.backends.a: expected a table, got a float"),
        ({"models": {"a": {"m.1": True}}}, 'cogt.models.a."m.1": expected a table, got a boolean'),
        ({"deck": {"llm_preset": {}}}, "cogt.deck.llm_preset: unknown key; did you mean 'llm_presets'?"),
        ({"deck": {"llm_presets": {"p": "m1"}}}, "cogt.deck.llm_presets.p: expected a table, got a string"),
        (
            {"models": {"a": {"sdk": "openai"}}},
            "cogt.models.a.sdk: expected a table, got a string; write it below the [header] of a table",
        ),
        ({"llm_presets": {}}, "cogt.llm_presets: unknown key; it belongs to cogt.deck"),
        ({"enabled_backends": []}, "cogt.enabled_backends: unknown key; it belongs to cogt.inference_config"),
    ],
)
def test_what_is_wrong_is_noted_and_left_out(tree: dict[str, Any], problem: str) -> None:
    sound, problems = shape_of({**tree, "routing": {"active": "x"}})
    assert problems == [problem]
    assert sound["routing"] == {"active": "x"}


def test_every_fault_is_noted() -> None:
    _sound, problems = shape_of({"a": 1, "b": 2, "deck": {"c": 3, "aliases": 4}})
    assert len(problems) == 4
