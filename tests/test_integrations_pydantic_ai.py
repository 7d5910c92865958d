"""The settings that pydantic-ai is given for a preset, and what it cannot call: all that is known without an SDK."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pipelex_cogt.errors import CallRefusedError, MissingCredentialError, MissingExtraError
from pipelex_cogt.integrations import pydantic_ai
from tests.resolved import resolved

HOST = {"endpoint": "https://host.example.com/v1", "api_key": "${KEY}"}
AZURE = {**HOST, "api_version": "v1"}
BEDROCK = {"api_key": "${KEY}", "aws_region": "eu-west-1"}
VERTEX = {"gcp_project_id": "project"}
REASONS = {"reasoning_efforts": ["low", "high"]}
CLAUDE = {"sdk": "anthropic", "max_tokens": 64_000}
VERSION = {"anthropic-version": "2023-06-01"}
EVERYTHING = {
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 100,
    "seed": 7,
    "stop": ["END"],
    "timeout": 2.5,
    "extra_body": {"user": "me"},
}
SHARED = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 100, "stop_sequences": ["END"], "timeout": 2.5}


@pytest.mark.parametrize(
    ("backend", "model", "preset", "settings"),
    [
        pytest.param(HOST, {}, {}, {}, id="nothing stated"),
        pytest.param(HOST, {}, EVERYTHING, {**SHARED, "seed": 7, "extra_body": {"user": "me"}}, id="openai"),
        pytest.param(HOST, {}, {"temperature": 0.0, "seed": 0}, {"temperature": 0.0, "seed": 0}, id="zero is a value"),
        pytest.param(
            HOST,
            REASONS,
            {"reasoning_effort": "high", "stop": ["END"]},
            {"openai_reasoning_effort": "high", "stop_sequences": ["END"]},
            id="an effort, in chat",
        ),
        pytest.param(
            HOST,
            REASONS,
            {"reasoning_effort": "high"},
            {"openai_reasoning_effort": "high"},
            id="an effort, in responses",
        ),
        pytest.param(HOST, {"headers": {"x-team": "blue"}}, {}, {"extra_headers": {"x-team": "blue"}}, id="a header"),
        pytest.param(HOST, {"headers": {"x-team": "${TEAM}"}}, {}, {}, id="a header that may be secret"),
        pytest.param(
            HOST, {"sdk": "mistral"}, {"seed": 7}, {"extra_body": {"random_seed": 7}}, id="a seed of Mistral's"
        ),
        pytest.param(
            HOST,
            CLAUDE,
            {"temperature": 0.5, "stop": ["END"], "extra_body": {"user": "me"}},
            {
                "temperature": 0.5,
                "max_tokens": 21_333,
                "stop_sequences": ["END"],
                "extra_headers": VERSION,
                "extra_body": {"user": "me"},
            },
            id="claude",
        ),
        pytest.param(
            HOST,
            CLAUDE,
            {"temperature": 0.5, "extra_body": {"temperature": 0.1}},
            {"temperature": 0.5, "max_tokens": 21_333, "extra_headers": VERSION, "extra_body": {"temperature": 0.1}},
            id="claude, what the body states",
        ),
        pytest.param(
            HOST,
            {**CLAUDE, "constraints": ["temperature_unsupported"]},
            {"reasoning_effort": "high", "max_tokens": 100},
            {"max_tokens": 100, "anthropic_thinking": {"type": "adaptive"}, "anthropic_effort": "high"},
            id="claude, an effort",
        ),
        pytest.param(
            HOST,
            {**CLAUDE, "reasoning_budget": [1024, 60_000]},
            {"reasoning_budget": 2000, "max_tokens": 9000},
            {
                "max_tokens": 9000,
                "anthropic_thinking": {"type": "enabled", "budget_tokens": 2000},
                "extra_headers": VERSION,
            },
            id="claude, a budget",
        ),
        pytest.param(
            BEDROCK,
            CLAUDE,
            {"temperature": 0.5, "max_tokens": 100},
            {"temperature": 0.5, "max_tokens": 100, "extra_body": {"anthropic_version": "bedrock-2023-05-31"}},
            id="claude on bedrock",
        ),
        pytest.param(
            HOST,
            {"sdk": "google", "reasoning_budget": [0, 9000]},
            {**EVERYTHING, "reasoning_budget": 500, "max_tokens": 900, "extra_body": {}},
            {**SHARED, "max_tokens": 900, "seed": 7, "google_thinking_config": {"thinking_budget": 500}},
            id="gemini",
        ),
        pytest.param(
            BEDROCK,
            {"sdk": "bedrock", "reasoning_budget": [1024, 9000]},
            {"temperature": 0.5, "max_tokens": 9000, "reasoning_budget": 2000, "timeout": 5, "extra_body": {"k": 1}},
            {
                "temperature": 0.5,
                "max_tokens": 9000,
                "bedrock_additional_model_requests_fields": {
                    "thinking": {"type": "enabled", "budget_tokens": 2000},
                    "k": 1,
                },
            },
            id="converse",
        ),
    ],
)
def test_the_settings_of_a_preset(
    backend: dict[str, Any], model: dict[str, Any], preset: dict[str, Any], settings: dict[str, Any]
) -> None:
    assert pydantic_ai.settings(resolved(backend, model, preset)) == settings


@pytest.mark.parametrize(
    ("backend", "model", "problem"),
    [
        pytest.param(
            HOST, {"sdk": "cohere"}, "has sdk 'cohere' at its own API, which pydantic-ai cannot call", id="sdk"
        ),
        pytest.param(AZURE, CLAUDE, "has sdk 'anthropic' at Azure OpenAI, which anthropic cannot call", id="platform"),
        pytest.param(HOST, {"sdk": "bedrock"}, "has sdk 'bedrock' at its own API, which bedrock", id="not on bedrock"),
        pytest.param(
            HOST,
            {"sdk": "google", "extra_body": {"a": 1}},
            "has an extra_body, which pydantic-ai sends",
            id="extra_body",
        ),
    ],
)
def test_what_it_cannot_call_is_refused(backend: dict[str, Any], model: dict[str, Any], problem: str) -> None:
    llm = resolved(backend, model, {}, {"KEY": "k"})
    for refuse in (pydantic_ai.settings, pydantic_ai.model):
        with pytest.raises(CallRefusedError, match=problem):
            refuse(llm)


@pytest.mark.parametrize(
    ("backend", "preset", "is_responses"),
    [
        pytest.param(HOST, {}, True, id="openai"),
        pytest.param(HOST, {"seed": 3}, False, id="a seed"),
        pytest.param(HOST, {"stop": ["END"]}, False, id="a stop"),
        pytest.param(AZURE, {}, True, id="azure"),
        pytest.param({**AZURE, "api_version": "2025-04-01-preview"}, {}, True, id="azure, a later date"),
        pytest.param({**AZURE, "api_version": "2024-10-21"}, {}, False, id="azure, a date without responses"),
        pytest.param(BEDROCK, {}, False, id="bedrock"),
    ],
)
def test_what_reasons_at_openai_is_asked_through_responses(
    backend: dict[str, Any],
    preset: dict[str, Any],
    is_responses: bool,  # noqa: FBT001 -- because: a row of a table
) -> None:
    asked = pydantic_ai._as_agents_call(resolved(backend, REASONS, preset))
    assert (asked.model.api == "responses") is is_responses


def test_a_backend_without_endpoint_is_refused() -> None:
    with pytest.raises(CallRefusedError, match=r"api\.openai\.com"):
        pydantic_ai.model(resolved({"api_key": "${KEY}"}, {}, {}, {"KEY": "k"}))


def test_an_id_that_nothing_answers_is_told() -> None:
    with pytest.raises(MissingCredentialError):
        pydantic_ai.settings(resolved(HOST, {"model_id": "${DEPLOYMENT}"}, {}, {"KEY": "k"}))


@pytest.mark.parametrize(
    ("hidden", "backend", "model", "extra"),
    [
        ("openai", HOST, {}, "openai"),
        ("anthropic", HOST, CLAUDE, "anthropic"),
        ("google.genai", HOST, {"sdk": "google"}, "google"),
        ("boto3", BEDROCK, {"sdk": "bedrock"}, "bedrock"),
    ],
)
def test_an_sdk_that_is_not_installed_is_told(
    monkeypatch: pytest.MonkeyPatch, hidden: str, backend: dict[str, Any], model: dict[str, Any], extra: str
) -> None:
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(MissingExtraError) as caught:
        pydantic_ai.model(resolved(backend, model, {}, {"KEY": "k"}))
    assert caught.value.extra == extra


def test_the_settings_share_nothing_with_the_preset() -> None:
    llm = resolved(HOST, {}, {"extra_body": {"tags": ["a"]}})
    pydantic_ai.settings(llm)["extra_body"]["tags"].append("b")
    assert pydantic_ai.settings(llm)["extra_body"] == {"tags": ["a"]}
