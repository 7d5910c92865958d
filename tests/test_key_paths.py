"""Key paths, and the names that come near a wrong one."""

import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelex_cogt.config.key_paths import format_key_path, quote_key
from pipelex_cogt.config.suggestions import did_you_mean, is_one_slip, near_names


@pytest.mark.parametrize(
    ("key", "quoted"),
    [
        ("plain", "plain"),
        ("with-dash_and_9", "with-dash_and_9"),
        ("gpt-4.1", '"gpt-4.1"'),
        ("meta/llama", '"meta/llama"'),
        ("two words", '"two words"'),
        ("é", '"é"'),
        ("", '""'),
        ('"', '"\\""'),
        (3, "3"),
    ],
)
def test_a_key_is_quoted_where_toml_asks_for_it(key: str | int, quoted: str) -> None:
    assert quote_key(key) == quoted


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
@example(["\x7f"])
@example(["a\r\nb", "\x00", "\\"])
def test_a_key_path_reads_back_as_toml(path: list[str]) -> None:
    value: Any = tomllib.loads(f"{format_key_path(tuple(path))} = 1")
    for key in ["cogt", *path]:
        value = value[key]
    assert value == 1


def test_a_key_path_begins_at_the_root() -> None:
    assert format_key_path(("models", "openai", "gpt-4.1", "inputs", 0)) == 'cogt.models.openai."gpt-4.1".inputs.0'
    assert format_key_path(()) == "cogt"


KNOWN = ["claude-4-sonnet", "claude-4-opus", "gpt-4.1", "gpt-4.1-mini", "Qwen/X"]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("claude-4-sonet", "claude-4-sonnet"),
        ("claude_4_opus", "claude-4-opus"),
        ("GPT-4.1", "gpt-4.1"),
        ("gpt4.1", "gpt-4.1"),
        ("qwen/x", "Qwen/X"),
    ],
)
def test_the_nearest_name_comes_first(name: str, first: str) -> None:
    assert near_names(name, KNOWN)[0] == first


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert near_names("zzz", KNOWN) == ()
    assert did_you_mean("zzz", KNOWN) is None
    assert did_you_mean("zzz", []) is None


def test_at_most_three_names_are_suggested() -> None:
    assert len(near_names("model", [f"model{number}" for number in range(9)])) == 3


def test_a_suggestion_is_a_question() -> None:
    assert did_you_mean("gpt-4.2", ["gpt-4.1", "other"]) == "did you mean 'gpt-4.1'?"
    assert did_you_mean("model", ["model1", "modem"]) == "did you mean 'model1' or 'modem'?"


@given(st.lists(st.text(max_size=6), max_size=6), st.text(max_size=6))
def test_only_known_names_are_suggested_each_once(known: list[str], name: str) -> None:
    near = near_names(name, known)
    assert set(near) <= set(known)
    assert len(set(near)) == len(near)


@pytest.mark.parametrize(
    "text",
    ["endpont", "endpoints", "endpiont", "endpoinr", "xendpoint", "Endpoint", "ENDPOINT", "nedpoint", "endpoin"],
)
def test_one_slip_is_a_misspelling(text: str) -> None:
    assert is_one_slip(text, "endpoint")


@pytest.mark.parametrize("text", ["api-key", "apikey", "API_KEY", "api_kye"])
def test_one_slip_from_a_name_with_an_underscore_is_a_misspelling(text: str) -> None:
    assert is_one_slip(text, "api_key")


@pytest.mark.parametrize("text", ["api_version", "endpoint_url", "region", "", "endp", "tniopdne", "my_endpoint"])
def test_another_word_is_no_misspelling(text: str) -> None:
    assert not is_one_slip(text, "endpoint")
