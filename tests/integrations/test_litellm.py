"""A preset called with LiteLLM: what arrives at each provider, sync and async, and what its Router does with a deck."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipelex_cogt import ModelManager, ResolvedLLM
from pipelex_cogt.integrations import fallback, litellm
from tests.integrations.exchange import TEXT, Request, Tokens
from tests.integrations.google_account import write_service_account
from tests.integrations.server import Provider
from tests.resolved import resolved

# It exports less than it documents.
sdk: Any = import_module("litellm")
# What LiteLLM makes of Pydantic and of asyncio, and the connections that it leaves open.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:litellm"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

KEY = "sk-canary-one"
HELLO: Any = [{"role": "user", "content": "Hello"}]
WRONG_HOST = "http://wrong.example.com"
WRONG = {
    "ANTHROPIC_API_BASE": WRONG_HOST,
    "ANTHROPIC_API_KEY": "wrong",
    "ANTHROPIC_AUTH_TOKEN": "wrong",
    "ANTHROPIC_BASE_URL": WRONG_HOST,
    "AWS_ACCESS_KEY_ID": "wrong",
    "AWS_BEDROCK_RUNTIME_ENDPOINT": WRONG_HOST,
    "AWS_REGION_NAME": "wrong",
    "AWS_SECRET_ACCESS_KEY": "wrong",
    "AZURE_API_BASE": WRONG_HOST,
    "AZURE_API_KEY": "wrong",
    "AZURE_API_VERSION": "wrong",
    "DEEPSEEK_API_BASE": WRONG_HOST,
    "DEEPSEEK_API_KEY": "wrong",
    "GEMINI_API_BASE": WRONG_HOST,
    "GEMINI_API_KEY": "wrong",
    "GOOGLE_API_KEY": "wrong",
    "GROQ_API_BASE": WRONG_HOST,
    "GROQ_API_KEY": "wrong",
    "MISTRAL_API_BASE": WRONG_HOST,
    "MISTRAL_API_KEY": "wrong",
    "OPENAI_API_BASE": WRONG_HOST,
    "OPENAI_API_KEY": "wrong",
    "OPENAI_BASE_URL": WRONG_HOST,
    "OPENROUTER_API_KEY": "wrong",
    "VERTEXAI_LOCATION": "wrong",
    "VERTEXAI_PROJECT": "wrong",
    "XAI_API_KEY": "wrong",
}
"""What LiteLLM would read by itself."""


def ask(llm: ResolvedLLM, **more: Any) -> Any:
    return sdk.completion(messages=HELLO, **litellm.arguments(llm), **more)


async def ask_and_close(llm: ResolvedLLM, **more: Any) -> Any:
    try:
        return await sdk.acompletion(messages=HELLO, **litellm.arguments(llm), **more)
    finally:
        await sdk.close_litellm_async_clients()


def asked_later(llm: ResolvedLLM, **more: Any) -> Any:
    return asyncio.run(ask_and_close(llm, **more))


BOTH = pytest.mark.parametrize("call", [ask, asked_later], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def quiet_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let LiteLLM print nothing, and begin with no client: it keeps them by their address, which may come again."""
    monkeypatch.setattr(sdk, "suppress_debug_info", True)
    sdk.in_memory_llm_clients_cache.flush_cache()


@pytest.fixture(autouse=True, scope="module")
def nothing_left_behind() -> Iterator[None]:
    """Forget LiteLLM's clients before other tests run: it closes none of them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sdk.in_memory_llm_clients_cache.flush_cache()
        gc.collect()


class Place:
    """Where a model is called, and what has to arrive there."""

    def __init__(self, path: str, shown: dict[str, str], backend: dict[str, Any], **model: Any) -> None:
        self.path, self.shown, self.backend, self.model = path, shown, backend, model

    def at(self, provider: Provider, name: str = "b", **preset: Any) -> ResolvedLLM:
        endpoint = self.backend["endpoint"].format(root=provider.url)
        tree = {
            "inference_config": {"use_packaged_settings": False, "missing_credentials": "defer"},
            "backends": {name: {**self.backend, "endpoint": endpoint}},
            "models": {name: {"m": {"sdk": "openai", **self.model}}},
            "routing": {"active": "all", "profiles": {"all": {"default": name}}},
            "deck": {
                "llm_presets": {"p": {"llm_handle": "m", **preset}},
                "llm_choice_defaults": {"for_text": "p", "for_object": "p"},
            },
        }
        return ModelManager.load(environ={"KEY": KEY}, overrides=tree).deck.resolve("p")


BEARER = {"authorization": f"Bearer {KEY}"}
KEYED = {"api_key": "${KEY}"}
AZURE = {"endpoint": "{root}", **KEYED}
AWS = {"endpoint": "{root}", "aws_region": "eu-west-1"}
VERTEX = {"endpoint": "{root}", "gcp_project_id": "project", "gcp_location": "europe-west4"}
ON_VERTEX = "/v1/projects/project/locations/europe-west4"
TOKEN = {"authorization": "Bearer ya29.loopback"}
PLACES = {
    "openai": Place("/v1/chat/completions", BEARER, {"endpoint": "{root}/v1", **KEYED}, model_id="gpt-5.4"),
    "responses": Place(
        "/v1/responses", BEARER, {"endpoint": "{root}/v1", **KEYED}, model_id="gpt-5.5-pro", api="responses"
    ),
    "anthropic": Place(
        "/v1/messages", {"x-api-key": KEY}, {"endpoint": "{root}", **KEYED}, sdk="anthropic", model_id="claude-opus-5-5"
    ),
    "google": Place(
        "/v1beta/models/gemini-3.8-flash:generateContent",
        {"x-goog-api-key": KEY},
        {"endpoint": "{root}", **KEYED},
        sdk="google",
        model_id="gemini-3.8-flash",
    ),
    "mistral": Place("/v1/chat/completions", BEARER, {"endpoint": "{root}/as/mistral", **KEYED}, sdk="mistral"),
    "deepseek": Place(
        "/chat/completions", BEARER, {"endpoint": "{root}/as/deepseek", **KEYED}, sdk="openai_compatible"
    ),
    "groq": Place(
        "/openai/v1/chat/completions",
        BEARER,
        {"endpoint": "{root}/as/groq/openai/v1", **KEYED},
        sdk="openai_compatible",
        model_id="openai/gpt-oss-120b",
    ),
    "openrouter": Place(
        "/api/v1/chat/completions",
        BEARER,
        {"endpoint": "{root}/as/openrouter/api/v1", **KEYED},
        sdk="openai_compatible",
        model_id="anthropic/claude-opus-5.5",
    ),
    "cohere": Place(
        "/compatibility/v1/chat/completions",
        BEARER,
        {"endpoint": "{root}/as/cohere/compatibility/v1", **KEYED},
        sdk="openai_compatible",
    ),
    "ollama": Place(
        "/v1/chat/completions",
        {"authorization": "Bearer no-key-needed"},
        {"endpoint": "{root}/as/ollama/v1"},
        sdk="openai_compatible",
    ),
    "azure": Place("/openai/v1/chat/completions", BEARER, {**AZURE, "api_version": "v1"}, model_id="gpt-5.4"),
    "azure, with a dated version": Place(
        "/openai/deployments/gpt-5.4/chat/completions",
        {"api-key": KEY},
        {**AZURE, "api_version": "2024-10-21"},
        model_id="gpt-5.4",
    ),
    "azure, responses": Place(
        "/openai/v1/responses",
        {"api-key": KEY},
        {**AZURE, "api_version": "v1"},
        model_id="gpt-5.5-pro",
        api="responses",
    ),
    "azure, with a token of Entra ID": Place(
        "/openai/v1/chat/completions",
        BEARER,
        {"endpoint": "{root}", "api_version": "v1", "azure_ad_token": "${KEY}"},
        model_id="gpt-5.4",
    ),
    "bedrock": Place(
        "/model/global.anthropic.claude-opus-5-5/converse",
        BEARER,
        {**AWS, **KEYED},
        sdk="anthropic",
        model_id="global.anthropic.claude-opus-5-5",
    ),
    "bedrock, signed": Place(
        "/model/amazon.nova-pro-v1:0/converse",
        {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/"},
        {**AWS, "aws_access_key_id": "AKIA", "aws_secret_access_key": "${KEY}"},
        sdk="bedrock",
        model_id="amazon.nova-pro-v1:0",
    ),
    "vertex, Gemini": Place(
        f"{ON_VERTEX}/publishers/google/models/gemini-3.8-flash:generateContent",
        TOKEN,
        VERTEX,
        sdk="google",
        model_id="gemini-3.8-flash",
    ),
    "vertex, Claude": Place(
        f"{ON_VERTEX}/publishers/anthropic/models/claude-opus-5-5:rawPredict",
        TOKEN,
        VERTEX,
        sdk="anthropic",
        model_id="claude-opus-5-5",
    ),
    "vertex, an open model": Place(
        f"{ON_VERTEX}/endpoints/openapi/chat/completions",
        TOKEN,
        VERTEX,
        sdk="openai_compatible",
        model_id="meta/llama-4-scout-17b-16e-instruct-maas",
    ),
}


def name_of(place: str) -> str:
    return place.partition(",")[0]


EVERY_PLACE = pytest.mark.parametrize("place", PLACES)


@pytest.fixture
def google_account(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a service account of Google's, as the machine's own chain finds it."""
    file = write_service_account(tmp_path, provider.url)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", file)


def calls(provider: Provider) -> list[Request]:
    """Return what was asked of a model; a token of Google's is none of it."""
    return [each for each in provider.requests if each.path != "/token"]


@BOTH
@EVERY_PLACE
@pytest.mark.usefixtures("google_account")
def test_what_arrives(
    place: str, call: Callable[..., Any], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    where = PLACES[place]
    answer = call(where.at(provider, name_of(place), max_tokens=50, timeout=9))
    assert answer.choices[0].message.content == TEXT
    (request,) = calls(provider)
    assert (request.path, request.status) == (where.path, 200)
    assert {name: request.headers[name][: len(value)] for name, value in where.shown.items()} == where.shown
    assert "wrong" not in str([*request.headers.values(), *request.query.values()])


@EVERY_PLACE
@pytest.mark.usefixtures("google_account")
def test_a_stream(place: str, provider: Provider) -> None:
    pieces = [*ask(PLACES[place].at(provider, name_of(place)), stream=True)]
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == TEXT
    assert [request.stream for request in calls(provider)] == [True]


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("place", ["openai", "responses", "anthropic", "google", "groq", "azure"])
def test_structured_output(place: str, provider: Provider) -> None:
    answer = ask(PLACES[place].at(provider, place), response_format=Person)
    Person.model_validate_json(answer.choices[0].message.content)


TOOL = {"type": "function", "function": {"name": "look_up", "parameters": Person.model_json_schema()}}


@pytest.mark.parametrize("place", ["openai", "anthropic", "google", "groq", "mistral"])
def test_tools(place: str, provider: Provider) -> None:
    answer = ask(PLACES[place].at(provider, place), tools=[TOOL])
    assert [call.function.name for call in answer.choices[0].message.tool_calls] == ["look_up"]


@pytest.mark.parametrize(
    ("place", "preset", "sent"),
    [
        (
            "openai",
            {"max_tokens": 50, "reasoning_effort": "low"},
            {"max_completion_tokens": 50, "reasoning_effort": "low"},
        ),
        ("responses", {"max_tokens": 50}, {"max_output_tokens": 50}),
        ("azure", {"max_tokens": 50}, {"max_completion_tokens": 50}),
        ("deepseek", {"max_tokens": 50, "seed": 7, "stop": "END"}, {"max_tokens": 50, "seed": 7, "stop": ["END"]}),
        ("groq", {"reasoning_effort": "low", "temperature": 0.5}, {"reasoning_effort": "low", "temperature": 0.5}),
        ("mistral", {"seed": 7, "top_p": 0.5}, {"random_seed": 7, "top_p": 0.5}),
        ("anthropic", {"max_tokens": 50, "stop": "END"}, {"max_tokens": 50, "stop_sequences": ["END"]}),
        ("anthropic", {"reasoning_effort": "low"}, {"output_config": {"effort": "low"}}),
        ("anthropic", {"extra_body": {"service_tier": "auto"}}, {"service_tier": "auto"}),
        ("openai", {"extra_body": {"store": False}}, {"store": False}),
        ("google", {"max_tokens": 50}, {"generationConfig": {"max_output_tokens": 50}}),
    ],
)
def test_parameters_arrive_under_the_provider_s_names(
    place: str, preset: dict[str, Any], sent: dict[str, Any], provider: Provider
) -> None:
    ask(PLACES[place].at(provider, place, **preset))
    (request,) = provider.requests
    assert {name: request.body[name] for name in sent} == sent


def test_the_deployment_of_azure_may_have_any_name(provider: Provider) -> None:
    backend = {"endpoint": provider.url, "api_key": "k", "api_version": "v1"}
    ask(resolved(backend, {"model_id": "ours"}, {"max_tokens": 50, "reasoning_effort": "low"}))
    assert provider.requests[0].body["max_completion_tokens"] == 50


def test_headers_arrive(provider: Provider) -> None:
    backend = {"endpoint": f"{provider.url}/v1", "api_key": "k", "headers": {"X-Team": "${TEAM}"}}
    ask(resolved(backend, {"headers": {"X-Tier": "fast"}}, environ={"TEAM": "seven"}))
    (request,) = provider.requests
    assert (request.headers["x-team"], request.headers["x-tier"]) == ("seven", "fast")


def test_a_rotated_key_is_sent_with_the_next_call(provider: Provider) -> None:
    environ = {"KEY": "sk-one"}
    llm = resolved({"endpoint": f"{provider.url}/v1", "api_key": "${KEY}"}, environ=environ)
    ask(llm)
    environ["KEY"] = "sk-two"
    ask(llm)
    assert [request.headers["authorization"] for request in provider.requests] == ["Bearer sk-one", "Bearer sk-two"]


def test_no_retry_where_none_is_wanted(provider: Provider) -> None:
    provider.fail_next(500, times=9)
    llm = resolved({"endpoint": f"{provider.url}/v1", "api_key": "k", "max_retries": 0})
    with pytest.raises(sdk.InternalServerError):
        ask(llm)
    assert len(provider.requests) == 1


def test_a_member_of_a_chain_that_another_follows_is_tried_once(provider: Provider) -> None:
    provider.fail_next(500, times=9, model="first")
    backend = {"endpoint": f"{provider.url}/v1", "api_key": "k", "max_retries": 2}
    chain = [resolved(backend, {"model_id": model_id}) for model_id in ("first", "second")]
    assert fallback.call(chain, ask)
    assert [request.model for request in provider.requests] == ["first", "second"]


# A deck as a Router


def deck_at(provider: Provider) -> Any:
    """Load a chain of two providers, of which only the second takes a temperature."""
    tree = {
        "inference_config": {"use_packaged_settings": False},
        "backends": {
            "anthropic": {"endpoint": provider.at("anthropic"), "api_key": "${ANTHROPIC_KEY}"},
            "openai": {"endpoint": f"{provider.at('openai')}/v1", "api_key": "${OPENAI_KEY}", "max_retries": 0},
        },
        "models": {
            "anthropic": {
                "claude": {
                    "sdk": "anthropic",
                    "model_id": "claude-opus-5-5",
                    "max_tokens": 30,
                    "constraints": ["temperature_unsupported"],
                }
            },
            "openai": {"gpt": {"sdk": "openai", "model_id": "gpt-4.1", "costs": {"input": 1000.0, "output": 2000.0}}},
        },
        "routing": {"active": "all", "profiles": {"all": {"fallback_order": ["anthropic", "openai"]}}},
        "deck": {
            "aliases": {"smart": ["gpt", "claude"], "wise": ["claude", "gpt"]},
            "llm_presets": {
                "writer": {"llm_handle": "smart", "temperature": 0.5, "max_tokens": 40},
                "thinker": {"llm_handle": "wise", "max_tokens": 20},
            },
            "llm_choice_defaults": {"for_text": "writer", "for_object": "thinker"},
        },
    }
    return ModelManager.load(environ={"ANTHROPIC_KEY": "a-key", "OPENAI_KEY": "o-key"}, overrides=tree).deck


SENT: Mapping[str, Mapping[str, Any]] = {
    "gpt-4.1": {"temperature": 0.5, "max_completion_tokens": 40},
    "claude-opus-5-5": {"max_tokens": 30},
}
"""What each member is to be sent for the preset `writer`."""


def look(provider: Provider, statuses: dict[str, int]) -> None:
    """Look that each member was asked once, in order, with its own parameters and its own key."""
    assert {each.model: each.status for each in provider.requests} == statuses
    assert len(provider.requests) == len(statuses)
    for request in provider.requests:
        assert SENT[request.model].items() <= request.body.items()
        assert ("temperature" in request.body) == ("temperature" in SENT[request.model])
    keys = {each.host: each.headers.get("x-api-key") or each.headers["authorization"] for each in provider.requests}
    assert keys.items() <= {"anthropic": "a-key", "openai": "Bearer o-key"}.items()


def test_arguments_make_a_router(provider: Provider) -> None:
    members = deck_at(provider).resolve_all("writer")
    model_list = [{"model_name": llm.model.name, "litellm_params": litellm.arguments(llm)} for llm in members]
    router = sdk.Router(model_list=model_list, fallbacks=[{"gpt": ["claude"]}])
    assert router.completion(model="gpt", messages=HELLO).choices[0].message.content == TEXT
    look(provider, {"gpt-4.1": 200})


@pytest.mark.parametrize("is_async", [False, True])
def test_a_proxy_s_configuration_falls_back_with_each_member_s_own_parameters(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, *, is_async: bool
) -> None:
    config = litellm.proxy_config(deck_at(provider))
    monkeypatch.setenv("OPENAI_KEY", "o-key")
    monkeypatch.setenv("ANTHROPIC_KEY", "a-key")
    router = sdk.Router(model_list=config["model_list"], **config["router_settings"])
    provider.fail_next(500, host="openai")

    async def later() -> Any:
        try:
            return await router.acompletion(model="writer", messages=HELLO)
        finally:
            await sdk.close_litellm_async_clients()

    answer = asyncio.run(later()) if is_async else router.completion(model="writer", messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    look(provider, {"gpt-4.1": 500, "claude-opus-5-5": 200})


def test_a_proxy_counts_with_the_prices_of_the_deck(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_KEY", "o-key")
    monkeypatch.setenv("ANTHROPIC_KEY", "a-key")
    provider.tokens = Tokens(cached=0, cache_write=0)
    config = litellm.proxy_config(deck_at(provider), ["gpt"])
    router = sdk.Router(model_list=config["model_list"], **config["router_settings"])
    answer = router.completion(model="gpt", messages=HELLO)
    cost = provider.tokens.input * 0.001 + provider.tokens.output * 0.002
    assert answer._hidden_params["response_cost"] == pytest.approx(cost)
