"""Suggestions: which known names come near a wrong one, and what counts as one slip."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from itertools import islice, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config import suggestions
from pipelex_cogt.config.suggestions import (
    Later,
    NearName,
    are_opposite,
    did_you_mean,
    find_slips,
    is_one_slip,
    near_names,
    one_slip_from,
)
from tests.conftest import steps

FAMILIES = ("claude", "gpt", "gemini", "mistral", "qwen")
MODELS = [f"{name}-{version}{size}" for name in FAMILIES for version in ("4", "4.1", "5") for size in ("", "-mini")]
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


def near_names_plainly(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Every known name compared with the wrong one in every way."""
    wanted, by_shape = name.casefold(), dict[str, str]()
    for candidate in known:
        by_shape.setdefault(candidate.casefold(), candidate)
    shapes = [shape for shape in by_shape if not are_opposite(wanted, shape)]
    nearest = get_close_matches(wanted, shapes, n=3, cutoff=0.7)
    if len(wanted) >= 3:
        slips = [shape for shape in shapes if is_one_slip(wanted, shape)]
        nearest = [*slips, *nearest, *(shape for shape in shapes if shape.startswith(wanted))]
    return tuple(by_shape[shape] for shape in [*dict.fromkeys(nearest)][:3])


words = st.lists(
    st.sampled_from(["gpt", "mini", "input", "output", "not", "4", "a", "B", "-", "_", "ß", "ä"]), max_size=5
)
names = st.one_of(st.text("abcAB-_.1", max_size=9), words.map("".join), st.text(max_size=4))


@given(name=names, known=st.lists(names.filter(bool), max_size=12))
def test_names_are_found_in_an_index_as_if_each_were_compared(name: str, known: list[str]) -> None:
    assert near_names(name, known) == near_names_plainly(name, known)


@given(st.sampled_from(MODELS), st.data())
def test_names_of_models_are_found_as_if_each_were_compared(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name)))
    wrong = name[:start] + data.draw(st.text("ab4-", max_size=2)) + name[start + data.draw(st.integers(0, 3)) :]
    assert near_names(wrong, MODELS) == near_names_plainly(wrong, MODELS)


MANY = {
    "alike": [f"model-number-{index}" for index in range(8_000)],
    "of the same letters": ["".join(letters) for letters in islice(permutations("abcdefgh"), 8_000)],
    "long": [f"{index:04}" + "ab" * 30 for index in range(8_000)],
    "all of one letter": ["a" * index for index in range(1_000)],
}


@pytest.mark.parametrize("known", MANY.values(), ids=MANY)
def test_however_many_names_are_known_few_are_compared(known: list[str]) -> None:
    def compare(size: int) -> int:
        some = known[:size]
        near_names("some", some)
        return sum(steps(partial(near_names, f"{known[-1][:-3]}{letter}{known[-1][-3:]}", some)) for letter in "xyz")

    assert compare(len(known)) < 3 * compare(len(known) // 8)


@pytest.mark.parametrize("length", [81, 1_000_000])
def test_nothing_is_like_a_text_that_is_no_name(length: int) -> None:
    assert near_names("a" * length, ["a" * 80, "b", "a" * (length + 1)]) == ()


def test_letters_of_any_alphabet_are_told_apart_as_far_as_an_index_stays_small() -> None:
    known = [chr(0x4E00 + index) * 70 for index in range(300)]
    index = suggestions._Index(known)
    index.near("gpt", 3)
    assert len(index._holders) <= 64 * 6


def test_of_many_names_the_first_ones_are_listed() -> None:
    told = NearName("zzz", [f"name-{index}" for index in range(5_000)], lists_known=True).tell()
    assert told is not None
    assert told.startswith("expected one of name-0, name-1, ")
    assert told.endswith(", name-99, 4900 more")


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
