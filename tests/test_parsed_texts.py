"""What a wheel carries parsed is what the parser says of the same text, and answers for no other text."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import ModelManager
from pipelex_cogt.config import parsed_texts
from pipelex_cogt.config.parsed_texts import read_parsed, table_of, write_parsed
from pipelex_cogt.config.toml_files import parse_once
from tests.test_shipped_settings import SETTINGS

OFFSETS = st.sampled_from([None, UTC, timezone(timedelta(hours=-7, minutes=-30))])
# TOML knows no hour that is passed twice.
CLOCKS = (st.times() | st.datetimes(timezones=OFFSETS)).map(lambda value: value.replace(fold=0))
SCALARS = st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.dates() | CLOCKS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda below: st.lists(below) | st.dictionaries(st.text(), below), max_leaves=20
)
TEXT = """
retires = 2027-01-31
at = 07:32:00
since = [1979-05-27T07:32:00Z, { until = 1979-05-27T00:32:00.5 }]
plain = "2027-01-31"
odd = { "" = inf, items = [[], {}], "a.b" = 0x7fff_ffff_ffff_ffff }
"""


@pytest.mark.slow
@given(st.dictionaries(st.text(), VALUES))
def test_a_table_comes_back_as_it_was(table: dict[str, Any]) -> None:
    (read,) = read_parsed(write_parsed(["text"], lambda _text: table)).values()
    assert repr(read) == repr(table)


def test_dates_times_and_odd_numbers_come_back_as_they_were() -> None:
    (read,) = read_parsed(write_parsed([TEXT], tomllib.loads)).values()
    assert repr(read) == repr(tomllib.loads(TEXT))
    assert (read["retires"], read["at"], read["plain"]) == (date(2027, 1, 31), time(7, 32), "2027-01-31")
    assert read["since"][0] == datetime(1979, 5, 27, 7, 32, tzinfo=UTC)


def test_another_text_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = read_parsed(write_parsed([TEXT], tomllib.loads))
    monkeypatch.setattr(parsed_texts, "_packaged", lambda: parsed)
    assert repr(table_of(TEXT)) == repr(tomllib.loads(TEXT))
    assert [table_of(TEXT + "\n"), table_of(TEXT.replace("31", "30")), table_of("")] == [None, None, None]


def test_a_checkout_has_none() -> None:
    assert parsed_texts._packaged() == {}


def test_a_load_is_the_same_with_what_was_parsed_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ModelManager.load(environ={})
    texts = [path.read_bytes().decode("utf-8-sig") for path in sorted(SETTINGS.rglob("*.toml"))]
    parsed = read_parsed(write_parsed(texts, tomllib.loads))
    monkeypatch.setattr(parsed_texts, "_packaged", lambda: parsed)
    monkeypatch.setattr(tomllib, "loads", pytest.fail)
    parse_once.cache_clear()
    beforehand = ModelManager.load(environ={})
    assert beforehand.settings.tree == plain.settings.tree
    assert beforehand.deck.inference_models == plain.deck.inference_models
