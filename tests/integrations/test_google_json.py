"""The rule of Google's JSON: names in both spellings, and no name below what is somebody else's."""

from __future__ import annotations

from tests.integrations.google_json import camel


def test_names_are_spelled_as_google_prefers_them() -> None:
    body = {"generation_config": {"top_p": 1}, "tools": [{"function_declarations": [{"name": "get_it"}]}]}
    assert camel(body) == {"generationConfig": {"topP": 1}, "tools": [{"functionDeclarations": [{"name": "get_it"}]}]}


def test_the_names_of_a_schema_are_left_alone() -> None:
    body = {"response_json_schema": {"properties": {"first_name": {}}}, "function_call": {"args": {"first_name": 1}}}
    assert camel(body) == {
        "responseJsonSchema": {"properties": {"first_name": {}}},
        "functionCall": {"args": {"first_name": 1}},
    }
