"""What OpenAI's SDK is sent for a preset, and what it cannot call: all that is known without the SDK."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pipelex_cogt.errors import CallRefusedError, MissingCredentialError, MissingExtraError
from pipelex_cogt.integrations import openai
from tests.resolved import resolved

HOST = {"endpoint": "https://host.example.com/v1", "api_key": "${KEY}"}
AZURE = {"endpoint": "https://r.openai.azure.com", "api_key": "${KEY}", "api_version": "v1"}
OLD_AZURE = {**AZURE, "api_version": "2024-10-21"}
BEDROCK = {"aws_region": "eu-west-1"}
VERTEX = {"gcp_project_id": "project", "gcp_location": "global"}
EVERYTHING = {
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 100,
    "reasoning_effort": "high",
    "seed": 7,
    "stop": ["END"],
    "timeout": 2.5,
    "extra_body": {"user": "me", "metadata": {"tags": ["a"]}},
}
COMPATIBLE, RESPONSES = {"sdk": "openai_compatible"}, {"api": "responses"}


@pytest.mark.parametrize(
    ("model", "preset", "sent"),
    [
        pytest.param({}, {}, {"model": "m"}, id="nothing stated"),
        pytest.param(
            {"model_id": "gpt-x"},
            EVERYTHING,
            {
                "model": "gpt-x",
                "temperature": 0.5,
                "top_p": 0.9,
                "max_completion_tokens": 100,
                "reasoning_effort": "high",
                "seed": 7,
                "stop": ["END"],
                "timeout": 2.5,
                "extra_body": {"user": "me", "metadata": {"tags": ["a"]}},
            },
            id="chat",
        ),
        pytest.param(COMPATIBLE, {"max_tokens": 5}, {"model": "m", "max_tokens": 5}, id="a host that imitates it"),
        pytest.param(
            RESPONSES,
            EVERYTHING | {"seed": None, "stop": None},
            {
                "model": "m",
                "temperature": 0.5,
                "top_p": 0.9,
                "max_output_tokens": 100,
                "reasoning": {"effort": "high"},
                "timeout": 2.5,
                "extra_body": {"user": "me", "metadata": {"tags": ["a"]}},
            },
            id="responses",
        ),
        pytest.param({}, {"temperature": 0.0}, {"model": "m", "temperature": 0.0}, id="zero is a temperature"),
        pytest.param({}, {"seed": 0}, {"model": "m", "seed": 0}, id="zero is a seed"),
        pytest.param(
            {"sdk": "mistral"},
            {"seed": 7, "max_tokens": 5},
            {"model": "m", "max_tokens": 5, "extra_body": {"random_seed": 7}},
            id="Mistral has a name of its own for a seed",
        ),
        pytest.param(
            {"sdk": "anthropic", "reasoning_budget": [1024, 9000]},
            {"reasoning_budget": 2000},
            {"model": "m", "extra_body": {"thinking": {"type": "enabled", "budget_tokens": 2000}}},
            id="a budget at Anthropic's door",
        ),
        pytest.param(
            {"sdk": "google", "reasoning_budget": [0, 9000]},
            {"reasoning_budget": 0},
            {"model": "m", "extra_body": {"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}},
            id="a budget at Google's door",
        ),
        pytest.param(
            {"extra_body": {"a": 1, "b": {"c": 1, "d": 1}}},
            {"extra_body": {"b": {"c": 2}}},
            {"model": "m", "extra_body": {"a": 1, "b": {"c": 2, "d": 1}}},
            id="the preset's body over the model's",
        ),
    ],
)
def test_a_preset_becomes_arguments(model: dict[str, Any], preset: dict[str, Any], sent: dict[str, Any]) -> None:
    stated = {name: value for name, value in preset.items() if value is not None}
    assert openai.arguments(resolved(HOST, model, stated)) == sent


def test_the_arguments_are_plain_and_one_s_own() -> None:
    llm = resolved(HOST, {}, EVERYTHING)
    arguments = openai.arguments(llm)
    assert json.loads(json.dumps(arguments)) == arguments
    assert type(arguments["reasoning_effort"]) is str
    arguments["extra_body"]["metadata"]["tags"].append("b")
    assert openai.arguments(llm)["extra_body"]["metadata"]["tags"] == ["a"]


def test_the_backend_s_timeout_counts_where_the_preset_states_none() -> None:
    assert openai.arguments(resolved({**HOST, "timeout": 30.0}))["timeout"] == 30.0
    assert openai.arguments(resolved({**HOST, "timeout": 30.0}, {}, {"timeout": 2.0}))["timeout"] == 2.0


def test_no_key_and_no_secret_header_is_in_the_arguments() -> None:
    model = {"headers": {"X-Model": "m", "X-Api-Key": "canary", "X-User": "${USER}"}}
    backend = {**HOST, "api_key": "canary-key", "headers": {"X-Team": "canary-team"}}
    llm = resolved(backend, model, environ={"USER": "canary"})
    assert openai.arguments(llm) == {"model": "m", "extra_headers": {"X-Model": "m"}}


REFUSED = [
    pytest.param(
        BEDROCK,
        {"sdk": "anthropic"},
        "model 'm' on backend 'b' has sdk 'anthropic' at Amazon Bedrock, which openai cannot call; "
        "call it with pipelex_cogt.integrations.anthropic",
        id="Claude on Bedrock",
    ),
    pytest.param(
        VERTEX,
        {"sdk": "google"},
        "model 'm' on backend 'b' has sdk 'google' at Vertex AI, which openai cannot call; "
        "call it with pipelex_cogt.integrations.google",
        id="Gemini on Vertex AI",
    ),
    pytest.param(
        HOST,
        {"sdk": "bedrock"},
        "model 'm' on backend 'b' has sdk 'bedrock' at its own API, which openai cannot call; "
        "call it with pipelex_cogt.integrations.bedrock",
        id="Converse",
    ),
    pytest.param(
        HOST,
        {"sdk": "grpc"},
        "model 'm' on backend 'b' has sdk 'grpc' at its own API, which openai cannot call; this package calls sdk "
        "'anthropic', 'bedrock', 'google', 'mistral', 'openai', 'openai_compatible': state one of them, or call it "
        "with an SDK of your own",
        id="an sdk that nobody knows",
    ),
    pytest.param(
        VERTEX,
        {"sdk": "mistral"},
        "model 'm' on backend 'b' has sdk 'mistral' at Vertex AI, which openai cannot call; this package calls sdk "
        "'anthropic', 'bedrock', 'google', 'mistral', 'openai', 'openai_compatible': state one of them, or call it "
        "with an SDK of your own",
        id="an sdk that this platform does not speak",
    ),
    pytest.param(
        HOST,
        {"sdk": "mistral", "api": "responses"},
        "model 'm' on backend 'b' has api 'responses', which sdk 'mistral' lacks; state api = \"chat\"",
        id="responses where there are none",
    ),
    pytest.param(
        VERTEX,
        {"sdk": "openai_compatible", "api": "responses"},
        "model 'm' on backend 'b' has api 'responses', which Vertex AI lacks; state api = \"chat\"",
        id="responses on Vertex AI",
    ),
]
UNREACHABLE = [
    pytest.param(
        {"api_key": "${KEY}"},
        {},
        "model 'm' on backend 'b' has no endpoint, and OpenAI's SDK would send the prompt to api.openai.com; "
        "state the backend's endpoint",
        id="no endpoint",
    ),
    pytest.param(
        {"api_key": "${KEY}", "api_version": "v1"},
        {},
        "model 'm' on backend 'b' has no endpoint, and OpenAI's SDK would send the prompt to api.openai.com; "
        "state the backend's endpoint",
        id="no endpoint at Azure",
    ),
    pytest.param(
        {"endpoint": "https://host.example.com"},
        {},
        "model 'm' on backend 'b' has no api_key, which sdk 'openai' needs; "
        "state one, or headers that show who calls; where the host asks for none, any text does",
        id="no key",
    ),
    pytest.param(
        {"endpoint": "https://host.example.com"},
        {"sdk": "mistral"},
        "model 'm' on backend 'b' has no api_key, which sdk 'mistral' needs; "
        "state one, or headers that show who calls; where the host asks for none, any text does",
        id="no key at a provider's own API",
    ),
    pytest.param(
        {**AZURE, "api_key": ""},
        {},
        "model 'm' on backend 'b' has no api_key, which sdk 'openai' needs; "
        "state one, or azure_ad_token for a token of Entra ID",
        id="no key at Azure",
    ),
    pytest.param(
        OLD_AZURE | {"api_key": ""},
        {},
        "model 'm' on backend 'b' has no api_key, which sdk 'openai' needs; "
        "state one, or azure_ad_token for a token of Entra ID",
        id="no key at Azure's dated API",
    ),
    pytest.param(
        OLD_AZURE,
        RESPONSES,
        "model 'm' on backend 'b' has api 'responses', which Azure's api_version '2024-10-21' lacks; "
        'state api_version = "v1", or one from 2025-03-01 on',
        id="responses at a version of Azure that has none",
    ),
    pytest.param(
        {"gcp_project_id": ""},
        COMPATIBLE,
        "model 'm' on backend 'b' has no gcp_project_id; state it at the backend",
        id="no project of Vertex AI",
    ),
]


@pytest.mark.parametrize(("backend", "model", "message"), REFUSED)
@pytest.mark.parametrize("ask", [openai.arguments, openai.client, openai.async_client])
def test_what_the_sdk_cannot_call_is_refused(
    backend: dict[str, Any], model: dict[str, Any], message: str, ask: Callable[..., Any]
) -> None:
    with pytest.raises(CallRefusedError) as caught:
        ask(resolved(backend, model))
    assert str(caught.value) == message


@pytest.mark.parametrize(("backend", "model", "message"), UNREACHABLE)
@pytest.mark.parametrize("ask", [openai.client, openai.async_client])
def test_a_client_that_would_not_know_where_to_go_or_what_to_show_is_refused(
    backend: dict[str, Any], model: dict[str, Any], message: str, ask: Callable[..., Any]
) -> None:
    with pytest.raises(CallRefusedError) as caught:
        ask(resolved(backend, model, environ={"KEY": "k"}))
    assert str(caught.value) == message


@pytest.mark.parametrize("ask", [openai.client, openai.async_client])
def test_a_missing_sdk_is_told_with_the_way_to_install_it(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    llm = resolved(HOST)
    with pytest.raises(MissingExtraError) as caught:
        ask(llm)
    assert str(caught.value) == 'openai is not installed; run pip install "pipelex-cogt[openai]"'
    assert openai.arguments(llm) == {"model": "m"}


def test_a_missing_endpoint_is_told_as_missing() -> None:
    with pytest.raises(MissingCredentialError, match=r"cogt\.backends\.b\.endpoint: backend 'b' needs HOST"):
        openai.client(resolved({**HOST, "endpoint": "${HOST}"}))
