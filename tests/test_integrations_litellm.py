"""What LiteLLM is told of a resolved preset, and what it cannot call: all that is known without LiteLLM."""

from __future__ import annotations

import copy
import json
import pickle
import pprint
import sys
from collections.abc import Mapping
from importlib import reload
from typing import Any

import pytest
from pydantic import SecretStr

from pipelex_cogt import ModelManager, ResolvedLLM
from pipelex_cogt.errors import CallRefusedError, CogtError, MissingCredentialError
from pipelex_cogt.integrations import litellm
from pipelex_cogt.integrations.fallback import as_chain
from tests.resolved import resolved

HOST = {"endpoint": "https://host.example.com/v1", "api_key": "${KEY}"}
AZURE = {"endpoint": "https://r.openai.azure.com", "api_key": "${KEY}", "api_version": "2024-10-21"}
BEDROCK = {"aws_region": "eu-west-1"}
VERTEX = {"gcp_project_id": "project"}
KEY = "sk-canary-0123456789abcdef"
ENVIRON = {"KEY": KEY}
AT_HOST = {"api_base": "https://host.example.com/v1", "api_key": KEY}
AT_AZURE = {"api_base": "https://r.openai.azure.com", "api_key": KEY, "api_version": "2024-10-21"}
AT_VERTEX = {"vertex_project": "project", "vertex_location": "global"}
COMPATIBLE, RESPONSES = {"sdk": "openai_compatible"}, {"api": "responses"}
ANTHROPIC, GOOGLE = {"sdk": "anthropic"}, {"sdk": "google"}
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


@pytest.mark.parametrize(
    ("backend", "model", "told"),
    [
        pytest.param(HOST, {}, {"model": "openai/m", **AT_HOST}, id="OpenAI"),
        pytest.param(HOST, RESPONSES, {"model": "openai/responses/m", **AT_HOST}, id="OpenAI's other API"),
        pytest.param(HOST, COMPATIBLE, {"model": "openai/m", **AT_HOST}, id="a host that imitates it"),
        pytest.param(HOST, ANTHROPIC, {"model": "anthropic/m", **AT_HOST}, id="Anthropic"),
        pytest.param(HOST, {"sdk": "mistral"}, {"model": "mistral/m", **AT_HOST}, id="Mistral"),
        pytest.param(
            {**HOST, "endpoint": "https://google.example.com/"},
            GOOGLE,
            {"model": "gemini/m", "api_base": "https://google.example.com/v1beta", "api_key": KEY},
            id="Google, which is asked below /v1beta",
        ),
        pytest.param(
            {**HOST, "endpoint": "https://google.example.com/v1beta"},
            GOOGLE,
            {"model": "gemini/m", "api_base": "https://google.example.com/v1beta", "api_key": KEY},
            id="Google, where that is stated",
        ),
        pytest.param(AZURE, {}, {"model": "azure/m", **AT_AZURE}, id="Azure with dated versions"),
        pytest.param(AZURE, RESPONSES, {"model": "azure/responses/m", **AT_AZURE}, id="Azure's other API"),
        pytest.param(
            {**AZURE, "api_version": "${VERSION:-}"},
            {},
            {"model": "azure/m", **AT_AZURE, "api_version": "v1"},
            id="Azure without versions",
        ),
        pytest.param(
            {**AZURE, "api_key": "", "api_version": "v1", "azure_ad_token": "${KEY}"},
            {},
            {"model": "azure/m", **AT_AZURE, "api_version": "v1"},
            id="Entra ID's token is a key where Azure has no versions",
        ),
        pytest.param(
            {**AZURE, "api_key": "", "azure_ad_token": "${KEY}"},
            {},
            {"model": "azure/m", "api_base": AT_AZURE["api_base"], "api_version": "2024-10-21", "azure_ad_token": KEY},
            id="Entra ID's token where Azure has dated versions",
        ),
        pytest.param(
            BEDROCK, ANTHROPIC, {"model": "bedrock/m", "aws_region_name": "eu-west-1"}, id="Claude on Bedrock"
        ),
        pytest.param(BEDROCK, {}, {"model": "bedrock/m", "aws_region_name": "eu-west-1"}, id="gpt-oss on Bedrock"),
        pytest.param({}, {"sdk": "bedrock"}, {"model": "bedrock/m"}, id="Converse without a region"),
        pytest.param(
            {"aws_region": "", "aws_access_key_id": "${KEY}", "aws_secret_access_key": "${KEY}", "aws_profile": "me"},
            {"sdk": "bedrock"},
            {
                "model": "bedrock/m",
                "aws_access_key_id": KEY,
                "aws_secret_access_key": KEY,
                "aws_profile_name": "me",
            },
            id="credentials of AWS",
        ),
        pytest.param(
            {**BEDROCK, **HOST},
            ANTHROPIC,
            {
                "model": "bedrock/m",
                "api_key": KEY,
                "aws_region_name": "eu-west-1",
                "aws_bedrock_runtime_endpoint": "https://host.example.com/v1",
            },
            id="an endpoint on Bedrock",
        ),
        pytest.param(VERTEX, GOOGLE, {"model": "vertex_ai/m", **AT_VERTEX}, id="Gemini on Vertex AI"),
        pytest.param(
            {**VERTEX, "gcp_location": "europe-west4"},
            ANTHROPIC,
            {"model": "vertex_ai/m", **AT_VERTEX, "vertex_location": "europe-west4"},
            id="Claude on Vertex AI",
        ),
        pytest.param(VERTEX, COMPATIBLE, {"model": "vertex_ai/m", **AT_VERTEX}, id="open models on Vertex AI"),
    ],
)
def test_provider_address_and_key(backend: dict[str, Any], model: dict[str, Any], told: dict[str, Any]) -> None:
    assert litellm.arguments(resolved(backend, model, environ=ENVIRON)) == told


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("cerebras", "cerebras/m"),
        ("deepseek", "deepseek/m"),
        ("fireworks", "fireworks_ai/m"),
        ("groq", "groq/m"),
        ("openrouter", "openrouter/m"),
        ("together_ai", "together_ai/m"),
        ("xai", "xai/m"),
        ("cohere", "openai/m"),
        ("ollama", "openai/m"),
        ("mine", "openai/m"),
    ],
)
def test_a_host_that_litellm_knows_is_called_by_its_name(name: str, model_id: str) -> None:
    assert litellm.arguments(_at(name, {name: HOST}))["model"] == model_id


def test_a_second_account_is_called_like_the_first() -> None:
    second = {**HOST, "models_like": "groq"}
    assert litellm.arguments(_at("groq_eu", {"groq": HOST, "groq_eu": second}))["model"] == "groq/m"


def test_the_other_api_of_a_host_is_called_as_openai_s() -> None:
    assert litellm.arguments(_at("groq", {"groq": HOST}, RESPONSES))["model"] == "openai/responses/m"


def _at(name: str, backends: Mapping[str, Any], model: Mapping[str, Any] = COMPATIBLE) -> ResolvedLLM:
    """Resolve a model `m` at the backend of that name."""
    tree = {
        "inference_config": {"use_packaged_settings": False},
        "backends": backends,
        "models": {backend: {"m": {**COMPATIBLE, **model}} for backend in backends},
        "routing": {"active": "all", "profiles": {"all": {"default": name}}},
        "deck": {"llm_choice_defaults": {"for_text": "m", "for_object": "m"}},
    }
    return ModelManager.load(environ=ENVIRON, overrides=tree).deck.resolve("m")


@pytest.mark.parametrize(
    ("backend", "model", "preset", "told"),
    [
        pytest.param(
            HOST,
            {},
            EVERYTHING,
            {
                "temperature": 0.5,
                "top_p": 0.9,
                "max_completion_tokens": 100,
                "reasoning_effort": "high",
                "allowed_openai_params": ["reasoning_effort"],
                "seed": 7,
                "stop": ["END"],
                "timeout": 2.5,
                "extra_body": {"user": "me", "metadata": {"tags": ["a"]}},
            },
            id="everything, at OpenAI",
        ),
        pytest.param(AZURE, {}, {"max_tokens": 5}, {"max_completion_tokens": 5}, id="a deployment of any name"),
        pytest.param(
            HOST, COMPATIBLE, {"max_tokens": 5}, {"max_tokens": 5}, id="the limit of those who imitate OpenAI"
        ),
        pytest.param(BEDROCK, {}, {"max_tokens": 5}, {"max_tokens": 5}, id="the limit on Bedrock"),
        pytest.param(HOST, {**ANTHROPIC, "max_tokens": 9}, {}, {"max_tokens": 9}, id="Anthropic requires a limit"),
        pytest.param(HOST, {**GOOGLE, "max_tokens": 9}, {}, {}, id="others do not"),
        pytest.param(
            HOST, GOOGLE, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}, id="an effort that is translated"
        ),
        pytest.param(
            HOST,
            {"sdk": "anthropic", "reasoning_budget": [1024, 9000]},
            {"reasoning_budget": 2000},
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            id="a budget to reason with",
        ),
        pytest.param(
            HOST,
            {"sdk": "google", "reasoning_budget": [0, 9000]},
            {"reasoning_budget": 0},
            {"thinking": {"type": "enabled", "budget_tokens": 0}},
            id="no budget, in Google's words",
        ),
        pytest.param(
            HOST,
            {"sdk": "anthropic", "reasoning_budget": [0, 9000]},
            {"reasoning_budget": 0},
            {"thinking": {"type": "disabled"}},
            id="no budget, in Anthropic's words",
        ),
        pytest.param(
            HOST,
            {"sdk": "anthropic", "extra_body": {"service_tier": "auto", "empty": {}}},
            {"extra_body": {"z": 0}},
            {"service_tier": "auto", "empty": {}, "z": 0},
            id="to Anthropic a body is passed on",
        ),
        pytest.param(
            BEDROCK, {"sdk": "bedrock"}, {"extra_body": {"z": 0}}, {"z": 0}, id="on Bedrock a body is passed on"
        ),
        pytest.param(
            HOST, {"sdk": "google"}, {"extra_body": {"z": 0}}, {"extra_body": {"z": 0}}, id="to Google a body is a body"
        ),
        pytest.param(HOST, {}, {"temperature": 0.0}, {"temperature": 0.0}, id="zero is a temperature"),
        pytest.param(HOST, {}, {"seed": 0}, {"seed": 0}, id="zero is a seed"),
        pytest.param(
            {**HOST, "timeout": 9, "max_retries": 0}, {}, {}, {"timeout": 9.0, "num_retries": 0}, id="backend"
        ),
    ],
)
def test_parameters(
    backend: dict[str, Any], model: dict[str, Any], preset: dict[str, Any], told: dict[str, Any]
) -> None:
    arguments = litellm.arguments(resolved(backend, model, preset, ENVIRON))
    place = ("model", "api_base", "api_key", "api_version", "aws_region_name")
    assert {name: value for name, value in arguments.items() if name not in place} == told


def test_a_member_of_a_chain_that_another_follows_is_tried_once() -> None:
    llm = resolved({**HOST, "max_retries": 4}, environ=ENVIRON)
    assert [litellm.arguments(member)["num_retries"] for member in as_chain([llm, llm])] == [0, 4]


def test_headers_of_the_model_lie_over_those_of_the_backend() -> None:
    backend = {**HOST, "headers": {"X-Team": "${TEAM}", "X-Tier": "slow"}}
    llm = resolved(backend, {"headers": {"x-tier": "fast"}}, environ={**ENVIRON, "TEAM": "seven"})
    assert litellm.arguments(llm)["extra_headers"] == {"X-Team": "seven", "x-tier": "fast"}


def test_references_of_the_model_are_answered() -> None:
    llm = resolved(HOST, {"model_id": "${DEPLOYMENT}"}, environ={**ENVIRON, "DEPLOYMENT": "ours"})
    assert litellm.arguments(llm)["model"] == "openai/ours"


def test_a_host_without_a_key_is_shown_a_stand_in() -> None:
    arguments = litellm.arguments(resolved({"endpoint": "http://localhost:11434/v1"}, COMPATIBLE))
    assert arguments["api_key"] == "no-key-needed"


def test_a_rotated_key_is_in_the_next_arguments() -> None:
    environ = dict(ENVIRON)
    llm = resolved(HOST, environ=environ)
    before = litellm.arguments(llm)["api_key"]
    environ["KEY"] = "sk-rotated"
    assert (before, litellm.arguments(llm)["api_key"]) == (KEY, "sk-rotated")


@pytest.mark.parametrize(
    ("backend", "model", "problem"),
    [
        pytest.param(
            {"api_key": "${KEY}"},
            {},
            "model 'm' on backend 'b' has no endpoint, so LiteLLM would send the prompt to a host of its own choice; "
            "state endpoint in [b]",
            id="no endpoint",
        ),
        pytest.param(
            {"api_key": "${KEY}", "endpoint": "${BASE:-}", "api_version": "v1"},
            {},
            "model 'm' on backend 'b' has no endpoint, so LiteLLM would send the prompt to a host of its own choice; "
            "state endpoint in [b]",
            id="an endpoint that is empty",
        ),
        pytest.param(
            {"endpoint": "https://r.openai.azure.com", "api_version": "v1"},
            {},
            "model 'm' on backend 'b' has no api_key; state one, or azure_ad_token for a token of Entra ID",
            id="Azure without a key",
        ),
        pytest.param(
            {**VERTEX, "api_key": "${KEY}"},
            GOOGLE,
            "model 'm' on backend 'b' has an api_key, which LiteLLM does not show to Vertex AI; "
            "leave it to Google's application default credentials",
            id="Vertex AI with a key",
        ),
        pytest.param(
            BEDROCK,
            RESPONSES,
            "model 'm' on backend 'b' has api 'responses', which LiteLLM calls at OpenAI and Azure, not at bedrock; "
            'state api = "chat"',
            id="responses elsewhere",
        ),
        pytest.param(
            HOST,
            {"sdk": "mine"},
            "model 'm' on backend 'b' has sdk 'mine' at its own API, which LiteLLM cannot call; this package calls sdk "
            "'anthropic', 'bedrock', 'google', 'mistral', 'openai', 'openai_compatible': state one of them, or call it "
            "with an SDK of your own",
            id="an unknown sdk",
        ),
        pytest.param(
            AZURE,
            ANTHROPIC,
            "model 'm' on backend 'b' has sdk 'anthropic' at Azure OpenAI, which LiteLLM cannot call; "
            "call it with pipelex_cogt.integrations.anthropic",
            id="an sdk of another platform",
        ),
    ],
)
def test_what_litellm_cannot_call(backend: dict[str, Any], model: dict[str, Any], problem: str) -> None:
    with pytest.raises(CallRefusedError) as caught:
        litellm.arguments(resolved(backend, model, environ=ENVIRON))
    assert str(caught.value) == problem
    assert str(pickle.loads(pickle.dumps(caught.value))) == problem


def test_a_missing_key_is_told_as_ours() -> None:
    with pytest.raises(MissingCredentialError, match="needs KEY, which is not set"):
        litellm.arguments(resolved(HOST))


SECRETS = {**HOST, "headers": {"X-Team": "team-canary", "Authorization": "Bearer ${KEY}"}}


@pytest.mark.parametrize("show", [repr, str, pprint.pformat, lambda told: repr(copy.deepcopy(told))])
@pytest.mark.parametrize(
    "backend",
    [
        SECRETS,
        {"aws_region": "x", "aws_access_key_id": "${KEY}", "aws_secret_access_key": KEY, "aws_session_token": KEY},
        {**AZURE, "api_key": "", "azure_ad_token": SecretStr(KEY)},
    ],
)
def test_no_repr_shows_a_secret(show: Any, backend: dict[str, Any]) -> None:
    told = litellm.arguments(resolved(backend, environ=ENVIRON))
    assert KEY in json.dumps(told)
    assert "canary" not in show(told)


def test_an_error_leaves_no_key_in_its_frames() -> None:
    llm = resolved({**HOST, "headers": {"X-Team": "${TEAM}"}}, environ=ENVIRON)
    with pytest.raises(CogtError) as caught:
        litellm.arguments(llm)
    frames = [entry.frame.f_locals for entry in caught.traceback[1:]]
    assert frames
    assert KEY not in repr([{name: str(value) for name, value in frame.items()} for frame in frames])


def test_litellm_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)
    assert reload(litellm).arguments(resolved(HOST, environ=ENVIRON))["model"] == "openai/m"
