"""A preset in the words of Google's SDK, and what that SDK cannot call, is known without the SDK."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from pipelex_cogt import MissingCredentialError, ResolvedLLM
from pipelex_cogt.errors import CallRefusedError, MissingExtraError
from pipelex_cogt.integrations import google
from tests.resolved import resolved

CANARY = "AIza-canary-7f3a9c1e5b"
OWN = {"endpoint": "https://gemini.example.com", "api_key": CANARY}


def gemini(
    preset: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    backend: Mapping[str, Any] = OWN,
    environ: Mapping[str, str] | None = None,
) -> ResolvedLLM:
    return resolved(backend, {"model_id": "gemini-x", "sdk": "google", **(model or {})}, preset, environ)


def test_what_nobody_states_is_left_out() -> None:
    assert google.arguments(gemini()) == {"model": "gemini-x", "config": {}}


def test_everything_that_can_be_stated_is_sent() -> None:
    preset = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 100,
        "seed": 7,
        "stop": "END",
        "timeout": 1.5,
        "reasoning_budget": 50,
    }
    model = {"headers": {"x-beta": "on"}, "extra_body": {"safetySettings": [{"threshold": "OFF"}]}}
    assert google.arguments(gemini(preset, model)) == {
        "model": "gemini-x",
        "config": {
            "temperature": 0.5,
            "top_p": 0.9,
            "max_output_tokens": 100,
            "seed": 7,
            "stop_sequences": ["END"],
            "thinking_config": {"thinking_budget": 50},
            "http_options": {
                "timeout": 1500,
                "headers": {"x-beta": "on"},
                "extra_body": {"safetySettings": [{"threshold": "OFF"}]},
            },
        },
    }


def test_what_an_application_adds_by_name_wins() -> None:
    sent = google.arguments(gemini({"temperature": 0.5, "seed": 7}), temperature=1, response_mime_type="text/plain")
    assert sent["config"] == {"temperature": 1, "seed": 7, "response_mime_type": "text/plain"}


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ({"reasoning_effort": "none"}, {"thinking_budget": 0}),
        ({"reasoning_effort": "minimal"}, {"thinking_level": "MINIMAL"}),
        ({"reasoning_effort": "xhigh"}, {"thinking_level": "XHIGH"}),
        ({"reasoning_budget": 0}, {"thinking_budget": 0}),
        ({"reasoning_budget": 512}, {"thinking_budget": 512}),
    ],
)
def test_reasoning_is_said_in_the_words_of_the_api(preset: dict[str, Any], expected: dict[str, Any]) -> None:
    assert google.arguments(gemini(preset))["config"] == {"thinking_config": expected}


@pytest.mark.parametrize(("seconds", "milliseconds"), [(30, 30_000), (0.0001, 1), (2.0004, 2000)])
def test_a_timeout_is_in_milliseconds_and_never_none_at_all(seconds: float, milliseconds: int) -> None:
    sent = google.arguments(gemini({"timeout": seconds}))
    assert sent["config"]["http_options"] == {"timeout": milliseconds}


def test_no_secret_is_in_the_arguments() -> None:
    model = {"headers": {"x-api-key": CANARY, "x-team": "${TEAM}", "x-plain": "seen"}}
    sent = google.arguments(gemini({"temperature": 1}, model, environ={"TEAM": CANARY}))
    assert sent["config"]["http_options"] == {"headers": {"x-plain": "seen"}}
    assert CANARY not in repr(sent)


def test_whoever_changes_the_arguments_changes_no_settings() -> None:
    llm = gemini({"reasoning_effort": "low", "extra_body": {"labels": {"team": "a"}}})
    first = google.arguments(llm)
    expected = repr(first)
    first["config"]["http_options"]["extra_body"]["labels"]["team"] = "b"
    first["config"]["thinking_config"]["thinking_level"] = "HIGH"
    assert repr(google.arguments(llm)) == expected


def test_a_model_id_that_nothing_answers_is_told() -> None:
    with pytest.raises(MissingCredentialError, match="ID"):
        google.arguments(gemini(model={"model_id": "${ID}"}))


OTHER_SDKS = (
    " this package calls sdk 'anthropic', 'bedrock', 'google', 'mistral', 'openai', 'openai_compatible':"
    " state one of them, or call it with an SDK of your own"
)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        pytest.param(
            {"model": {"sdk": "anthropic"}},
            "model 'm' on backend 'b' has sdk 'anthropic' at its own API, which google cannot call;"
            " call it with pipelex_cogt.integrations.anthropic",
            id="another SDK",
        ),
        pytest.param(
            {"backend": {"aws_region": "eu-west-1"}},
            f"model 'm' on backend 'b' has sdk 'google' at Amazon Bedrock, which google cannot call;{OTHER_SDKS}",
            id="Bedrock",
        ),
    ],
)
def test_what_the_sdk_cannot_send_is_refused(stated: dict[str, Any], told: str) -> None:
    with pytest.raises(CallRefusedError) as caught:
        google.arguments(gemini(**stated))
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        pytest.param(
            {"endpoint": "https://gemini.example.com"},
            "model 'm' on backend 'b' has no api_key, which sdk 'google' needs;"
            " state one, or headers that show who calls; where the host asks for none, any text does",
            id="no key",
        ),
        pytest.param(
            {"api_key": CANARY},
            "model 'm' on backend 'b' has no endpoint, and Google's SDK would send the prompt to"
            " generativelanguage.googleapis.com; state the backend's endpoint",
            id="no endpoint",
        ),
        pytest.param(
            {"gcp_project_id": ""},
            "model 'm' on backend 'b' has no gcp_project_id; state it at the backend",
            id="no project",
        ),
    ],
)
@pytest.mark.parametrize("client", [google.client, google.async_client])
def test_where_nobody_says_where_to_or_who_calls_no_client_is_built(
    client: Any, backend: dict[str, Any], told: str
) -> None:
    with pytest.raises(CallRefusedError) as caught:
        client(gemini(backend=backend))
    assert str(caught.value) == told


def test_an_extra_that_is_missing_is_told_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.genai", None)
    with pytest.raises(MissingExtraError) as caught:
        google.client(gemini())
    assert str(caught.value) == 'google.genai is not installed; run pip install "pipelex-cogt[google]"'
