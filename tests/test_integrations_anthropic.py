"""A preset in the words of Anthropic's SDK, and what that SDK cannot call, is known without the SDK."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from pipelex_cogt.errors import CallRefusedError, MissingCredentialError, MissingExtraError
from pipelex_cogt.integrations import anthropic
from pipelex_cogt.models.model_deck import ResolvedLLM
from tests.resolved import resolved

CANARY = "sk-ant-canary-7f3a9c1e5b"
OWN = {"endpoint": "https://claude.example.com", "api_key": CANARY}
BEDROCK = {"aws_region": "eu-west-1"}
VERTEX = {"gcp_project_id": "my-project"}
OLDER = {"anthropic-version": "2023-06-01"}
ADAPTIVE = {"reasoning_efforts": ["none", "low", "medium", "high", "xhigh", "max"]}
EITHER = {**ADAPTIVE, "reasoning_budget": [1024, 127_999]}
WITHIN_BUDGETS = {"reasoning_efforts": ["low", "medium", "high"], "reasoning_budget": [1024, 63_999]}


def claude(
    preset: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    backend: Mapping[str, Any] = OWN,
    environ: Mapping[str, str] | None = None,
) -> ResolvedLLM:
    return resolved(backend, {"model_id": "claude-x", "sdk": "anthropic", **(model or {})}, preset, environ)


def test_what_nobody_states_is_left_out() -> None:
    assert anthropic.arguments(claude()) == {"model": "claude-x", "max_tokens": 8192}


def test_everything_that_can_be_stated_is_sent() -> None:
    preset = {"temperature": 0.5, "max_tokens": 100, "stop": ["END", "."], "timeout": 30}
    model = {"headers": {"anthropic-beta": "context-1m"}, "extra_body": {"service_tier": "auto"}}
    assert anthropic.arguments(claude(preset, model)) == {
        "model": "claude-x",
        "max_tokens": 100,
        "stop_sequences": ["END", "."],
        "timeout": 30.0,
        "extra_headers": {**OLDER, "anthropic-beta": "context-1m"},
        "extra_body": {"temperature": 0.5, "service_tier": "auto"},
    }


@pytest.mark.parametrize(
    ("preset", "model", "limit", "timeout"),
    [
        pytest.param({}, {"max_tokens": 64_000}, 21_333, None, id="what the SDK waits for"),
        pytest.param({}, {"max_tokens": 4_096}, 4_096, None, id="no more than the model writes"),
        pytest.param({"max_tokens": 21_333}, {}, 21_333, None, id="just what the SDK waits for"),
        pytest.param({"max_tokens": 25_600}, {}, 25_600, 720.0, id="longer than the SDK waits"),
        pytest.param({"max_tokens": "auto"}, {"max_tokens": 128_000}, 128_000, 3600.0, id="all that the model writes"),
        pytest.param({"max_tokens": 64_000, "timeout": 5}, {}, 64_000, 5.0, id="a timeout of one's own"),
        pytest.param({"reasoning_budget": 10_000}, {}, 18_192, None, id="a budget comes on top"),
        pytest.param(
            {"reasoning_budget": 60_000},
            {**WITHIN_BUDGETS, "max_tokens": 64_000},
            64_000,
            1800.0,
            id="within the limit",
        ),
    ],
)
def test_the_token_limit_is_always_sent_with_the_time_that_it_takes(
    preset: dict[str, Any], model: dict[str, Any], limit: int, timeout: float | None
) -> None:
    sent = anthropic.arguments(claude(preset, model))
    assert (sent["max_tokens"], sent.get("timeout")) == (limit, timeout)


@pytest.mark.parametrize(
    ("preset", "model", "expected"),
    [
        pytest.param({}, ADAPTIVE, {}, id="nothing stated"),
        pytest.param(
            {"reasoning_budget": 2000},
            WITHIN_BUDGETS,
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            id="a budget",
        ),
        pytest.param(
            {"reasoning_effort": "xhigh"},
            ADAPTIVE,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
            id="an effort",
        ),
        pytest.param(
            {"reasoning_effort": "low"},
            EITHER,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            id="an effort, where a budget would do",
        ),
        pytest.param(
            {"reasoning_effort": "low"},
            WITHIN_BUDGETS,
            {"output_config": {"effort": "low"}},
            id="an effort of Claude 4.5",
        ),
        pytest.param({"reasoning_effort": "none"}, ADAPTIVE, {"thinking": {"type": "disabled"}}, id="no effort"),
        pytest.param({"reasoning_budget": 0}, {}, {"thinking": {"type": "disabled"}}, id="no budget"),
    ],
)
def test_reasoning_is_said_in_the_words_of_the_api(
    preset: dict[str, Any], model: dict[str, Any], expected: dict[str, Any]
) -> None:
    sent = anthropic.arguments(claude(preset, model))
    assert {name: sent[name] for name in ("thinking", "output_config") if name in sent} == expected


@pytest.mark.parametrize("body", [{"temperature": 0.5}, {"top_p": 0.5}, {"extra_body": {"top_k": 5}}])
def test_what_samples_needs_the_older_version(body: dict[str, Any]) -> None:
    assert anthropic.arguments(claude(body))["extra_headers"] == OLDER


def test_a_version_that_the_model_states_wins() -> None:
    sent = anthropic.arguments(claude({"temperature": 0.5}, {"headers": {"Anthropic-Version": "2099-01-01"}}))
    assert sent["extra_headers"] == {"Anthropic-Version": "2099-01-01"}


@pytest.mark.parametrize(
    ("backend", "version"),
    [
        pytest.param(BEDROCK, "bedrock-2023-05-31", id="Bedrock"),
        pytest.param(VERTEX, "vertex-2023-10-16", id="Vertex AI"),
    ],
)
def test_on_platforms_the_body_says_the_version(backend: dict[str, Any], version: str) -> None:
    sent = anthropic.arguments(claude({"temperature": 0.5}, backend=backend))
    assert sent["extra_body"] == {"anthropic_version": version, "temperature": 0.5}
    assert "extra_headers" not in sent


def test_no_secret_is_in_the_arguments() -> None:
    model = {"headers": {"x-api-key": CANARY, "x-team": "${TEAM}", "x-plain": "seen"}}
    sent = anthropic.arguments(claude({"temperature": 1}, model, environ={"TEAM": CANARY}))
    assert sent["extra_headers"] == {**OLDER, "x-plain": "seen"}
    assert CANARY not in repr(sent)


def test_whoever_changes_the_arguments_changes_no_settings() -> None:
    llm = claude({"stop": "END", "extra_body": {"metadata": {"user_id": "a"}}})
    first = anthropic.arguments(llm)
    first["extra_body"]["metadata"]["user_id"] = "b"
    first["stop_sequences"].append("other")
    assert anthropic.arguments(llm)["extra_body"] == {"metadata": {"user_id": "a"}}
    assert anthropic.arguments(llm)["stop_sequences"] == ["END"]


def test_a_model_id_that_nothing_answers_is_told() -> None:
    with pytest.raises(MissingCredentialError, match="ARN"):
        anthropic.arguments(claude(model={"model_id": "${ARN}"}))


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        pytest.param(
            {"model": {"sdk": "google"}},
            "model 'm' on backend 'b' has sdk 'google' at its own API, which anthropic cannot call;"
            " call it with pipelex_cogt.integrations.google",
            id="another SDK",
        ),
        pytest.param(
            {"backend": {**OWN, "api_version": "v1"}},
            "model 'm' on backend 'b' has sdk 'anthropic' at Azure OpenAI, which anthropic cannot call;"
            " this package calls sdk 'anthropic', 'bedrock', 'google', 'mistral', 'openai', 'openai_compatible':"
            " state one of them, or call it with an SDK of your own",
            id="Azure",
        ),
    ],
)
def test_what_the_sdk_cannot_send_is_refused(stated: dict[str, Any], told: str) -> None:
    with pytest.raises(CallRefusedError) as caught:
        anthropic.arguments(claude(**stated))
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        pytest.param(
            {"endpoint": "https://claude.example.com"},
            "model 'm' on backend 'b' has no api_key, which sdk 'anthropic' needs;"
            " state one, or headers that show who calls; where the host asks for none, any text does",
            id="no key",
        ),
        pytest.param(
            {"api_key": CANARY},
            "model 'm' on backend 'b' has no endpoint, and Anthropic's SDK would send the prompt to api.anthropic.com;"
            " state the backend's endpoint",
            id="no endpoint",
        ),
        pytest.param(
            {"gcp_project_id": ""},
            "model 'm' on backend 'b' has no gcp_project_id; state it at the backend",
            id="no project",
        ),
    ],
)
@pytest.mark.parametrize("client", [anthropic.client, anthropic.async_client])
def test_where_nobody_says_where_to_or_who_calls_no_client_is_built(
    client: Any, backend: dict[str, Any], told: str
) -> None:
    with pytest.raises(CallRefusedError) as caught:
        client(claude(backend=backend))
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("backend", "module", "told"),
    [
        (OWN, "anthropic", 'anthropic is not installed; run pip install "pipelex-cogt[anthropic]"'),
        (BEDROCK, "boto3", 'boto3 is not installed; run pip install "pipelex-cogt[bedrock]"'),
        (
            VERTEX,
            "google.auth.credentials",
            'google.auth.credentials is not installed; run pip install "pipelex-cogt[vertex]"',
        ),
    ],
)
def test_an_extra_that_is_missing_is_told_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch, backend: dict[str, Any], module: str, told: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        anthropic.client(claude(backend=backend))
    assert str(caught.value) == told
