"""Key paths: how a place in the settings is written, so that TOML reads it back."""

import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelex_cogt.config.key_paths import format_key_path, join_keys, quote_key


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


def test_keys_are_joined_as_a_header_has_them() -> None:
    assert join_keys(["default", "cogt", "gpt-4.1", 0]) == 'default.cogt."gpt-4.1".0'


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
