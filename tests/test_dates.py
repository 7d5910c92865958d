"""TOML dates: where text belongs one is refused at its line, whichever layer states it, and never shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, TypeAlias

import pytest

from tests.conftest import Load

Problems: TypeAlias = Callable[..., list[str]]

QUOTE_IT = "expected a string, got a date; put it in quotes"
DATE = "2024-10-21"

PLACES = {
    "a further key of a backend": ("backends.local.toml", "[a]", f"api_version = {DATE}", "backends.a.api_version"),
    "a moment": ("backends.local.toml", "[a]", "since = 1979-05-27T07:32:00Z", "backends.a.since"),
    "deep in further keys": ("backends.local.toml", "[a]", f"x = {{ y = [1, {DATE}] }}", "backends.a.x.y.1"),
    "endpoint": ("backends.local.toml", "[a]", f"endpoint = {DATE}", "backends.a.endpoint"),
    "api_key": ("backends.local.toml", "[a]", f"api_key = {DATE}", "backends.a.api_key"),
    "display_name": ("backends.local.toml", "[a]", f"display_name = {DATE}", "backends.a.display_name"),
    "model_id": ("backends/a.local.toml", "[m1]", f"model_id = {DATE}", "models.a.m1.model_id"),
    "a model's description": ("backends/a.local.toml", "[m1]", f"description = {DATE}", "models.a.m1.description"),
    "defaults": ("backends/a.local.toml", "[defaults]", f"sdk = {DATE}", "models.a.defaults.sdk"),
    "an alias": ("deck/z.toml", "[aliases]", f"x = {DATE}", "deck.aliases.x"),
    "a member of an alias": ("deck/z.toml", "[aliases]", f"x = ['m1', {DATE}]", "deck.aliases.x.1"),
    "a handle": ("deck/z.toml", "[llm_presets.q]", f"llm_handle = {DATE}", "deck.llm_presets.q.llm_handle"),
    "a choice": ("deck/z.toml", "[llm_choice_overrides]", f"for_text = {DATE}", "deck.llm_choice_overrides.for_text"),
    "a route": ("routing.local.toml", "[profiles.all.routes]", f"m1 = {DATE}", "routing.profiles.all.routes.m1"),
    "a path": (
        "settings.local.toml",
        "[default.cogt.inference_config]",
        f"llm_deck_dir = {DATE}",
        "inference_config.llm_deck_dir",
    ),
    "a secret": (".secrets.toml", "[default.cogt.backends.a]", f"version = {DATE}", "backends.a.version"),
    "a secret of a secret name": (
        ".secrets.toml",
        "[default.cogt.backends.a]",
        f"a_token = {DATE}",
        "backends.a.a_token",
    ),
}


@pytest.mark.parametrize(("file", "header", "line", "path"), PLACES.values(), ids=PLACES)
def test_a_date_where_text_belongs_is_told_to_be_quoted(
    problems: Problems, file: str, header: str, line: str, path: str
) -> None:
    told = problems({file: f"{header}\n{line}\n"})
    expected = QUOTE_IT.replace("a date", "a date and time") if "T07:32" in line else QUOTE_IT
    assert told == [f"{file}:2  cogt.{path}: {expected}"]
    assert DATE not in "".join(told)


def test_the_profile_is_no_date(problems: Problems) -> None:
    assert problems({"routing.local.toml": f"active = {DATE}\n"}) == [
        f"routing.local.toml:1  cogt.routing.active: {QUOTE_IT}"
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (date(2024, 10, 21), "a date"),
        (datetime(2024, 10, 21, 7, 32), "a date and time"),  # noqa: DTZ001 -- because: TOML has dates without a zone
        (time(7, 32), "a time"),
    ],
)
@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        (lambda value: {"backends": {"a": {"x": value}}}, "backends.a.x"),
        (lambda value: {"backends": {"a": {"x": {"y": [value]}}}}, "backends.a.x.y.0"),
        (lambda value: {"models": {"a": {"m1": {"model_id": value}}}}, "models.a.m1.model_id"),
        (lambda value: {"deck": {"aliases": {"x": value}}}, "deck.aliases.x"),
    ],
)
def test_a_date_of_the_code_is_refused_too(
    problems: Problems, overrides: Callable[[Any], Mapping[str, Any]], path: str, value: object, kind: str
) -> None:
    (found,) = problems(overrides=overrides(value))
    assert found == f"overrides  cogt.{path}: expected a string, got {kind}; put it in quotes"


def test_a_date_of_a_variable_is_refused_too(problems: Problems) -> None:
    name = "PIPELEX_COGT__BACKENDS__A__X"
    assert problems(environ={name: f"[{DATE}]"}) == [f"{name}  cogt.backends.a.x.0: {QUOTE_IT}"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"max_tokens = {DATE}", "expected an integer, got a date"),
        (f"inputs = {DATE}", "expected a list, got a date"),
        (f"prompting_target = {DATE}", "expected one of 'openai', 'anthropic', 'mistral' or 'gemini', got a date"),
    ],
)
def test_where_no_text_belongs_quotes_are_no_cure(problems: Problems, line: str, expected: str) -> None:
    (found,) = problems({"backends/a.local.toml": f"[m1]\n{line}\n"})
    assert found.endswith(expected)


def test_in_quotes_it_is_what_the_sdk_gets(load: Load) -> None:
    backend = load({"backends.local.toml": f"[a]\napi_version = '{DATE}'\nyear = 2024\n"}).backends["a"]
    assert dict(backend.extra_config) == {"api_version": DATE, "year": 2024}
    assert f'"{DATE}"' in backend.model_dump_json()
