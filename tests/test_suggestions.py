"""Suggestions: which known names come near a wrong one, and what counts as one slip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.suggestions import (
    Later,
    are_opposite,
    did_you_mean,
    find_slips,
    is_one_slip,
    near_names,
    one_slip_from,
)

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
    assert did_you_mean(near_names("zzz", KNOWN)) is None
    assert did_you_mean([]) is None


def test_at_most_three_names_are_suggested() -> None:
    assert len(near_names("model", [f"model{number}" for number in range(9)])) == 3


def test_a_suggestion_is_a_question() -> None:
    assert did_you_mean(near_names("gpt-4.2", ["gpt-4.1", "other"])) == "did you mean 'gpt-4.1'?"
    assert did_you_mean(near_names("model", ["model1", "modem"])) == "did you mean 'model1' or 'modem'?"


def test_the_first_name_that_is_one_slip_away_is_meant() -> None:
    assert one_slip_from("stagin", ["production", "staging", "stagings"]) == "staging"
    assert one_slip_from("cogs", ["production", "staging"]) is None


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


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("output_cached", "input_cached"),
        ("input_non_cached", "input_cached"),
        ("input_uncached", "input_cached"),
        ("disabled", "enabled"),
        ("max_tokens", "min_tokens"),
        ("Input-Cache-Write", "input_cache_read"),
    ],
)
def test_the_opposite_is_never_suggested(name: str, other: str) -> None:
    assert are_opposite(name, other)
    assert are_opposite(other, name)
    assert near_names(name, [other]) == ()


@pytest.mark.parametrize(
    ("name", "other"), [("inputs", "input"), ("input_output", "output"), ("input_cach", "input_cached"), ("a", "b")]
)
def test_the_same_kind_is_no_opposite(name: str, other: str) -> None:
    assert not are_opposite(name, other)


def test_what_is_suggested_later_is_looked_for_when_somebody_reads_it() -> None:
    asked: list[str] = []

    def find() -> str:
        asked.append("asked")
        return "write it"

    suggestion = Later(find)
    assert asked == []
    assert (suggestion.tell(), asked) == ("write it", ["asked"])


@given(
    name=st.text("abAB-_", min_size=4, max_size=7), known=st.lists(st.text("ab_", min_size=3, max_size=7), max_size=5)
)
def test_slips_are_found_as_they_are_judged(name: str, known: list[str]) -> None:
    assert (name in find_slips([name], known)) == any(is_one_slip(name, each) for each in known)


def test_a_slip_is_found_with_what_was_meant() -> None:
    assert find_slips(["opnai", "zzz", "ab", "x" * 1000], ["ac", "openai", "x" * 999]) == {"opnai": "openai"}
