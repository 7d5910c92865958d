"""Patterns of many routes: the index finds what asking one after the other finds, in the same order, without asking."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt.model_routing.patterns import PatternIndex
from tests.conftest import steps

LETTERS = st.text(st.sampled_from("ab*-."), max_size=7)
PATTERNS = st.lists(st.tuples(LETTERS, LETTERS).map("*".join), max_size=60)


def matching_one_by_one(patterns: list[str], name: str) -> list[int]:
    """The plain definition: `*` stands for any text, and each pattern is asked."""
    expressions = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
    return [place for place, each in enumerate(expressions) if re.fullmatch(each, name, re.DOTALL)]


@settings(max_examples=100)
@given(PATTERNS, st.lists(st.text(st.sampled_from("ab*-.\n"), max_size=9), max_size=5))
def test_the_index_finds_what_each_pattern_says(patterns: list[str], names: list[str]) -> None:
    index = PatternIndex(patterns)
    for name in names:
        assert [*index.matching(name)] == matching_one_by_one(patterns, name)


@pytest.mark.slow
@settings(max_examples=50)
@given(st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=3), min_size=33, unique=True), st.text("abc"))
def test_the_index_finds_one_part_of_many_anywhere_in_a_name(parts: list[str], name: str) -> None:
    patterns = [f"*{part}*" for part in parts]
    assert [*PatternIndex(patterns).matching(name)] == [place for place, part in enumerate(parts) if part in name]


SHAPES = {
    "start": "{0}-*",
    "end": "*-{0}",
    "start and end": "a*-{0}",
    "anywhere": "*-{0}-*",
    "anywhere after a start": "a*-{0}-*",
    "several": "*a*-{0}-*b*",
    "a part that all have": "*aa*-{0}*",
}


@pytest.mark.parametrize("name", ["aa-7777-bb", "aa-none-bb"], ids=["matched", "unmatched"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_name_does_not_meet_every_pattern(shape: str, name: str) -> None:
    few, many = (PatternIndex(shape.format(number) for number in range(1_000, top)) for top in (2_000, 9_000))
    assert steps(lambda: [*many.matching(name)]) < 2 * steps(lambda: [*few.matching(name)]) < 1_000


@pytest.mark.parametrize("stars", [10, 20_000])
def test_an_index_of_a_pattern_of_many_stars_travels(stars: int) -> None:
    index = pickle.loads(pickle.dumps(PatternIndex(["*a" * stars, "*b"])))
    assert [*index.matching("a" * stars)] == [0]
    assert [*index.matching("b")] == [1]
