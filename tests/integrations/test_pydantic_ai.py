"""A preset as the model of an agent: what arrives from pydantic-ai at each platform, and which model answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.exceptions import FallbackExceptionGroup, ModelHTTPError
from pydantic_ai.models.fallback import FallbackModel

from pipelex_cogt import MissingCredentialError, ModelDeck, ModelManager, ResolvedLLM
from pipelex_cogt.integrations import pydantic_ai
from tests.integrations.exchange import TEXT, Request
from tests.integrations.server import Provider
from tests.resolved import resolved

T = TypeVar("T")
KEY = "sk-canary-one"
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
]


class City(BaseModel):
    name: str
    inhabitants: int


class Place(NamedTuple):
    """Where a model is called, and what has to arrive there."""

    backend: dict[str, Any]
    model: dict[str, Any]
    preset: dict[str, Any]
    path: str
    body: dict[str, Any]
    header: str = "authorization"
    shown: str = f"Bearer {KEY}"

    def at(self, provider: Provider, keys: dict[str, str]) -> ResolvedLLM:
        endpoint = self.backend["endpoint"].format(root=provider.url)
        return resolved({"api_key": "${KEY}", **self.backend, "endpoint": endpoint}, self.model, self.preset, keys)


CLAUDE = {"model_id": "claude-opus-4-6", "sdk": "anthropic", "max_tokens": 64_000}
GEMINI = {"model_id": "gemini-3.6-pro", "sdk": "google"}
NOVA = {"model_id": "amazon.nova-pro-v1:0", "sdk": "bedrock"}
VERTEX = {"gcp_project_id": "project", "gcp_location": "global"}
PLACES = {
    "openai, chat": Place(
        {"endpoint": "{root}/v1"},
        {"model_id": "gpt-4.1"},
        {"temperature": 0.3, "top_p": 0.9, "max_tokens": 100, "seed": 3, "stop": ["X"], "extra_body": {"user": "me"}},
        "/v1/chat/completions",
        {"temperature": 0.3, "top_p": 0.9, "max_completion_tokens": 100, "seed": 3, "stop": ["X"], "user": "me"},
    ),
    "openai, a model that reasons": Place(
        {"endpoint": "{root}/v1"},
        {"model_id": "gpt-5.4", "reasoning_efforts": ["none", "low", "high"]},
        {"reasoning_effort": "low", "max_tokens": 100},
        "/v1/responses",
        {"reasoning": {"effort": "low"}, "max_output_tokens": 100},
    ),
    "openai, responses": Place(
        {"endpoint": "{root}/v1"},
        {"model_id": "gpt-5.5-pro", "api": "responses"},
        {"reasoning_effort": "high", "max_tokens": 100},
        "/v1/responses",
        {"reasoning": {"effort": "high"}, "max_output_tokens": 100},
    ),
    "azure": Place(
        {"endpoint": "{root}", "api_version": "v1"},
        {"model_id": "gpt-4.1"},
        {"max_tokens": 100},
        "/openai/v1/chat/completions",
        {"model": "gpt-4.1", "max_completion_tokens": 100},
    ),
    "azure, a model that reasons": Place(
        {"endpoint": "{root}", "api_version": "v1"},
        {"model_id": "gpt-5.4", "reasoning_efforts": ["none", "low", "high"]},
        {"reasoning_effort": "low", "max_tokens": 100},
        "/openai/v1/responses",
        {"reasoning": {"effort": "low"}, "max_output_tokens": 100},
    ),
    "azure, dated": Place(
        {"endpoint": "{root}", "api_version": "2025-04-01-preview"},
        {"model_id": "my-deployment"},
        {"max_tokens": 100},
        "/openai/deployments/my-deployment/chat/completions",
        {"max_completion_tokens": 100},
        "api-key",
        KEY,
    ),
    "a host that imitates openai": Place(
        {"endpoint": "{root}/as/deepseek"},
        {"model_id": "deepseek-chat", "sdk": "openai_compatible"},
        {"temperature": 0.3, "max_tokens": 100},
        "/chat/completions",
        {"temperature": 0.3, "max_tokens": 100},
    ),
    "mistral": Place(
        {"endpoint": "{root}/as/mistral"},
        {"model_id": "mistral-large-latest", "sdk": "mistral"},
        {"temperature": 0.3, "max_tokens": 100, "seed": 4},
        "/v1/chat/completions",
        {"temperature": 0.3, "max_tokens": 100, "random_seed": 4},
    ),
    "gpt-oss on bedrock": Place(
        {"endpoint": "{root}", "aws_region": "eu-west-1"},
        {"model_id": "openai.gpt-oss-120b-1:0"},
        {"temperature": 0.3},
        "/openai/v1/chat/completions",
        {"temperature": 0.3},
    ),
    "grok on vertex": Place(
        {"endpoint": "{root}", **VERTEX},
        {"model_id": "xai/grok-4", "sdk": "openai_compatible"},
        {"temperature": 0.3},
        "/v1/projects/project/locations/global/endpoints/openapi/chat/completions",
        {"temperature": 0.3},
    ),
    "claude": Place(
        {"endpoint": "{root}"},
        CLAUDE,
        {"temperature": 0.3, "stop": ["X"]},
        "/v1/messages",
        {"temperature": 0.3, "stop_sequences": ["X"]},
    ),
    "claude, all that it writes": Place(
        {"endpoint": "{root}"}, CLAUDE, {"max_tokens": "auto"}, "/v1/messages", {"max_tokens": 64_000}
    ),
    "claude, an effort": Place(
        {"endpoint": "{root}"},
        {**CLAUDE, "constraints": ["temperature_unsupported"]},
        {"reasoning_effort": "high", "max_tokens": 9000},
        "/v1/messages",
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}, "max_tokens": 9000},
    ),
    "claude, a budget": Place(
        {"endpoint": "{root}"},
        {**CLAUDE, "model_id": "claude-haiku-4-5", "reasoning_budget": [1024, 60_000]},
        {"reasoning_budget": 2000, "max_tokens": 9000},
        "/v1/messages",
        {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 9000},
    ),
    "claude on bedrock": Place(
        {"endpoint": "{root}", "aws_region": "eu-west-1"},
        {**CLAUDE, "model_id": "us.anthropic.claude-opus-4-6-v1"},
        {"temperature": 0.3},
        "/model/us.anthropic.claude-opus-4-6-v1/invoke",
        {"temperature": 0.3, "anthropic_version": "bedrock-2023-05-31"},
    ),
    "claude on vertex": Place(
        {"endpoint": "{root}", **VERTEX},
        CLAUDE,
        {"temperature": 0.3},
        "/v1/projects/project/locations/global/publishers/anthropic/models/claude-opus-4-6:rawPredict",
        {"temperature": 0.3, "anthropic_version": "vertex-2023-10-16"},
    ),
    "gemini": Place(
        {"endpoint": "{root}"},
        GEMINI,
        {"temperature": 0.3, "max_tokens": 500, "seed": 3, "stop": ["X"], "reasoning_effort": "low", "timeout": 20},
        "/v1beta/models/gemini-3.6-pro:generateContent",
        {
            "generationConfig": {
                "temperature": 0.3,
                "maxOutputTokens": 500,
                "seed": 3,
                "stopSequences": ["X"],
                "thinkingConfig": {"thinking_level": "LOW"},
                "responseModalities": ["TEXT"],
            }
        },
        "x-goog-api-key",
        KEY,
    ),
    "gemini on vertex": Place(
        {"endpoint": "{root}", **VERTEX},
        GEMINI,
        {"temperature": 0.3},
        "/v1beta1/projects/project/locations/global/publishers/google/models/gemini-3.6-pro:generateContent",
        {"generationConfig": {"temperature": 0.3, "responseModalities": ["TEXT"]}},
    ),
    "nova": Place(
        {"endpoint": "{root}", "aws_region": "eu-west-1"},
        NOVA,
        {"temperature": 0.3, "max_tokens": 500, "extra_body": {"inferenceConfig": {"topK": 3}}, "timeout": 20},
        "/model/amazon.nova-pro-v1:0/converse",
        {
            "inferenceConfig": {"maxTokens": 500, "temperature": 0.3},
            "additionalModelRequestFields": {"inferenceConfig": {"topK": 3}},
        },
    ),
}
EVERYWHERE = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
_ONE_EACH = ["openai, chat", "openai, responses", "claude", "gemini", "nova"]
WITH_EACH_SDK = pytest.mark.parametrize("place", [PLACES[name] for name in _ONE_EACH], ids=_ONE_EACH)
WRONG = {
    "OPENAI_API_KEY": "wrong",
    "OPENAI_BASE_URL": "http://wrong.example.com",
    "OPENAI_ORG_ID": "wrong",
    "OPENAI_API_VERSION": "wrong",
    "AZURE_OPENAI_API_KEY": "wrong",
    "AZURE_OPENAI_ENDPOINT": "http://wrong.example.com",
    "ANTHROPIC_API_KEY": "wrong",
    "ANTHROPIC_AUTH_TOKEN": "wrong",
    "ANTHROPIC_BASE_URL": "http://wrong.example.com",
    "GOOGLE_API_KEY": "wrong",
    "GEMINI_API_KEY": "wrong",
    "GOOGLE_GENAI_USE_VERTEXAI": "true",
    "MISTRAL_API_KEY": "wrong",
    "DEEPSEEK_API_KEY": "wrong",
    "AWS_BEARER_TOKEN_BEDROCK": "wrong",
    "AWS_ACCESS_KEY_ID": "wrong",
    "AWS_SECRET_ACCESS_KEY": "wrong",
}
"""What SDKs and pydantic-ai would read by themselves."""


def key_of(request: Request, place: Place) -> str:
    """The key that a request shows; Anthropic's SDK has shown it in another header before 2.0."""
    return request.headers.get(place.header) or f"Bearer {request.headers['x-api-key']}"


@asynccontextmanager
async def closing(*models: Any) -> AsyncIterator[None]:
    """Close the clients of models when the loop has done with them."""
    try:
        yield
    finally:
        for model in models:
            client = model.client
            if hasattr(client, "aio"):
                await client.aio.aclose()
            elif asyncio.iscoroutinefunction(client.close):
                await client.close()


def run(model: Any, use: Callable[[], Awaitable[T]]) -> T:
    """What a loop of its own answers."""

    async def use_and_close() -> T:
        members = model.models if isinstance(model, FallbackModel) else [model]
        async with closing(*members):
            return await use()

    return asyncio.run(use_and_close())


def ask(model: Any, **settings: Any) -> str:
    agent = Agent(model)
    return str(run(model, lambda: agent.run("Hello", **settings)).output)


@EVERYWHERE
def test_the_settings_arrive(place: Place, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    assert ask(pydantic_ai.model(place.at(provider, {"KEY": KEY}))) == TEXT
    (request,) = provider.requests
    assert request.path == place.path
    # pydantic-ai states the context of what OpenAI's models reason, too.
    request.body.get("reasoning", {}).pop("context", None)
    assert {name: request.body.get(name) for name in place.body} == place.body
    assert key_of(request, place) == place.shown
    assert request.ignored == ()
    assert "wrong" not in str(request)


@EVERYWHERE
def test_it_answers_with_an_object(place: Place, provider: Provider) -> None:
    model = pydantic_ai.model(place.at(provider, {"KEY": KEY}))
    agent = Agent(model, output_type=City)
    assert run(model, lambda: agent.run("Hello")).output == City(name="text", inhabitants=1)


@EVERYWHERE
def test_it_streams(place: Place, provider: Provider) -> None:
    model = pydantic_ai.model(place.at(provider, {"KEY": KEY}))

    async def stream() -> list[str]:
        async with Agent(model).run_stream("Hello") as answer:
            return [piece async for piece in answer.stream_text(delta=True, debounce_by=None)]

    pieces = run(model, stream)
    assert len(pieces) > 1
    assert "".join(pieces) == TEXT


@EVERYWHERE
def test_it_calls_tools(place: Place, provider: Provider) -> None:
    model = pydantic_ai.model(place.at(provider, {"KEY": KEY}))
    agent, asked = Agent(model), list[str]()

    @agent.tool_plain
    def weather(city: str) -> str:
        asked.append(city)
        return "sunny"

    assert run(model, lambda: agent.run("Hello")).output == TEXT
    assert asked == ["text"]


@EVERYWHERE
def test_the_next_request_uses_a_rotated_key(place: Place, provider: Provider) -> None:
    keys = {"KEY": KEY}
    model = pydantic_ai.model(place.at(provider, keys))
    agent = Agent(model)

    async def ask_twice() -> None:
        await agent.run("Hello")
        keys["KEY"] = "sk-canary-two"
        await agent.run("Hello")

    run(model, ask_twice)
    shown = [key_of(request, place) for request in provider.requests]
    assert shown == [place.shown, place.shown.replace(KEY, "sk-canary-two")]


@EVERYWHERE
def test_a_key_that_went_away_is_told_before_anything_is_sent(place: Place, provider: Provider) -> None:
    keys = {"KEY": KEY}
    model = pydantic_ai.model(place.at(provider, keys))
    keys.clear()
    with pytest.raises(MissingCredentialError, match="backend 'b' needs KEY, which is not set"):
        ask(model)
    assert provider.requests == []


@WITH_EACH_SDK
def test_each_loop_has_a_client_of_its_own(place: Place, provider: Provider) -> None:
    model = pydantic_ai.model(place.at(provider, {"KEY": KEY}))
    assert [ask(model), ask(model)] == [TEXT, TEXT]


@WITH_EACH_SDK
def test_nothing_that_is_shown_holds_the_key(place: Place, provider: Provider) -> None:
    model = pydantic_ai.model(place.at(provider, {"KEY": KEY}))
    assert KEY not in f"{model!r} {model.settings} {model._provider!r} {vars(model._provider)!r}"


@WITH_EACH_SDK
def test_secret_headers_arrive_and_stand_in_no_settings(place: Place, provider: Provider) -> None:
    headers = {"X-Team": "blue", "X-Api-Token": "${TOKEN}"}
    place = place._replace(model={**place.model, "headers": headers})
    model = pydantic_ai.model(place.at(provider, {"KEY": KEY, "TOKEN": "canary-token"}))
    assert "canary-token" not in str(model.settings)
    ask(model)
    sent = provider.requests[-1].headers
    assert (sent["x-team"], sent["x-api-token"]) == ("blue", "canary-token")


@pytest.mark.parametrize("name", ["openai, chat", "claude", "gemini"])
def test_a_run_may_state_others(name: str, provider: Provider) -> None:
    ask(pydantic_ai.model(PLACES[name].at(provider, {"KEY": KEY})), model_settings={"temperature": 0.7})
    body = provider.requests[-1].body
    assert body.get("generationConfig", body)["temperature"] == 0.7


def test_a_run_may_state_a_temperature_where_the_preset_does_not(provider: Provider) -> None:
    llm = PLACES["claude"]._replace(preset={}).at(provider, {"KEY": KEY})
    ask(pydantic_ai.model(llm), model_settings={"temperature": 0.7})
    assert provider.requests[-1].body["temperature"] == 0.7


def test_a_model_without_tools_writes_objects_by_schema(provider: Provider) -> None:
    place = PLACES["openai, chat"]
    for outputs, asked in [(["text", "structured"], "json_schema"), (["text"], None)]:
        llm = place._replace(model={**place.model, "tools": False, "outputs": outputs}).at(provider, {"KEY": KEY})
        model = pydantic_ai.model(llm)
        provider.answer('{"name": "text", "inhabitants": 1}')
        assert run(model, lambda: Agent(model, output_type=City).run("Hello")).output.name == "text"  # noqa: B023
        body = provider.requests[-1].body
        assert "tools" not in body
        assert body.get("response_format", {}).get("type") in (asked, "json_object")


def test_the_context_window_is_that_of_the_settings(provider: Provider) -> None:
    place = PLACES["openai, chat"]
    llm = place._replace(model={**place.model, "context_window": 1234}).at(provider, {"KEY": KEY})
    assert pydantic_ai.model(llm).profile["context_window"] == 1234


@pytest.mark.parametrize("service", pydantic_ai._IMITATORS.values(), ids=pydantic_ai._IMITATORS)
def test_pydantic_ai_knows_those_who_imitate_openai(service: Any) -> None:
    # One of the lowest versions does not know all of them.
    module = pytest.importorskip(f"pydantic_ai.providers.{service.module}")
    provider = getattr(module, service.provider)
    assert provider.model_profile("openai/a-model") is not None


def test_a_backend_is_taken_for_the_service_that_it_is_like() -> None:
    tree = {
        "inference_config": {"use_packaged_settings": False},
        "backends": {
            "deepseek": {"endpoint": "https://deepseek.example.com", "api_key": "${KEY}"},
            "mine": {"endpoint": "https://mine.example.com", "api_key": "${KEY}", "models_like": "deepseek"},
            "other": {"endpoint": "https://other.example.com", "api_key": "${KEY}"},
        },
        "models": {
            "deepseek": {"m": {"model_id": "deepseek-v4-pro", "sdk": "openai_compatible"}},
            "other": {"n": {"model_id": "deepseek-v4-pro", "sdk": "openai_compatible"}},
        },
        "routing": {"active": "all", "profiles": {"all": {"fallback_order": ["deepseek", "mine", "other"]}}},
        "deck": {"llm_choice_defaults": {"for_text": "m", "for_object": "m"}},
    }
    deck = ModelManager.load(environ={"KEY": KEY}, overrides=tree).deck
    known = [pydantic_ai.model(deck.resolve(name)) for name in ("m@deepseek", "m@mine", "n")]
    assert [model.system for model in known] == ["deepseek", "deepseek", "other"]
    assert [model.profile.get("openai_chat_thinking_field") for model in known[:2]] == ["reasoning_content"] * 2
    assert [model.base_url.rstrip("/") for model in known] == [
        f"https://{name}.example.com" for name in ("deepseek", "mine", "other")
    ]


def test_signed_requests_use_rotated_keys(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "wrong")
    keys = {"ID": "AKIAONE", "SECRET": "secret"}
    stated = {"aws_access_key_id": "${ID}", "aws_secret_access_key": "${SECRET}", "aws_region": "eu-west-1"}
    model = pydantic_ai.model(resolved({"endpoint": provider.url, **stated}, NOVA, {}, keys))
    ask(model)
    keys["ID"] = "AKIATWO"
    ask(model)
    one, two = (request.headers["authorization"] for request in provider.requests)
    assert "Credential=AKIAONE/" in one
    assert "Credential=AKIATWO/" in two


# Chains


def deck_of(provider: Provider, keys: dict[str, str] | None = None) -> ModelDeck:
    """A chain of three: gpt-4.1 at two backends, then a Claude that takes no temperature."""
    tree = {
        "inference_config": {"use_packaged_settings": False, "missing_credentials": "defer"},
        "backends": {
            "first": {"endpoint": f"{provider.at('openai')}/v1", "api_key": "${FIRST}", "max_retries": 2},
            "second": {"endpoint": f"{provider.at('groq')}/openai/v1", "api_key": "${SECOND}", "max_retries": 2},
            "third": {"endpoint": provider.url, "api_key": "${THIRD}", "max_retries": 1},
        },
        "models": {
            "first": {"gpt": {"model_id": "gpt-4.1", "sdk": "openai"}},
            "second": {"other": {"model_id": "gpt-4.1", "sdk": "openai_compatible"}},
            "third": {
                "claude": {"model_id": "claude-opus-5", "sdk": "anthropic", "constraints": ["temperature_unsupported"]}
            },
        },
        "routing": {"active": "all", "profiles": {"all": {"fallback_order": ["first", "second", "third"]}}},
        "deck": {
            "aliases": {"best": ["gpt", "other", "claude"]},
            "llm_presets": {"p": {"llm_handle": "best", "temperature": 0.4, "max_tokens": 9000}},
            "llm_choice_defaults": {"for_text": "p", "for_object": "p"},
        },
    }
    environ = {"FIRST": KEY, "SECOND": KEY, "THIRD": KEY} if keys is None else keys
    return ModelManager.load(environ=environ, overrides=tree).deck


def hosts(provider: Provider) -> list[str]:
    return [request.host for request in provider.requests]


def test_a_chain_answers_with_its_first(provider: Provider) -> None:
    assert ask(pydantic_ai.fallback_model(deck_of(provider), "p")) == TEXT
    assert hosts(provider) == ["openai"]


def test_each_member_has_its_own_settings_and_only_the_last_tries_again(provider: Provider) -> None:
    provider.fail_next(503, host="openai")
    provider.fail_next(429, host="groq")
    provider.fail_next(500, host="anthropic")
    assert ask(pydantic_ai.fallback_model(deck_of(provider), "p")) == TEXT
    assert hosts(provider) == ["openai", "groq", "anthropic", "anthropic"]
    temperatures = [request.body.get("temperature") for request in provider.requests]
    assert temperatures == [0.4, 0.4, None, None]
    limits = [
        request.body.get("max_completion_tokens", request.body.get("max_tokens")) for request in provider.requests
    ]
    assert limits == [9000, 9000, 9000, 9000]


def test_a_chain_answers_with_objects(provider: Provider) -> None:
    provider.drop_next(host="openai")
    model = pydantic_ai.fallback_model(deck_of(provider), "p")
    agent = Agent(model, output_type=City)
    assert run(model, lambda: agent.run("Hello")).output == City(name="text", inhabitants=1)
    assert hosts(provider) == ["openai", "groq"]


def test_a_chain_streams(provider: Provider) -> None:
    provider.fail_next(503, host="openai")
    model = pydantic_ai.fallback_model(deck_of(provider), "p")

    async def stream() -> str:
        async with Agent(model).run_stream("Hello") as answer:
            return await answer.get_output()

    assert run(model, stream) == TEXT
    assert hosts(provider) == ["openai", "groq"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_others_would_refuse_alike_stops(status: int, provider: Provider) -> None:
    provider.fail_next(status)
    with pytest.raises(ModelHTTPError) as caught:
        ask(pydantic_ai.fallback_model(deck_of(provider), "p"))
    assert caught.value.status_code == status
    assert hosts(provider) == ["openai"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, None, "its key is refused"),
        (404, None, "its backend does not know the model or the address"),
        (429, {"error": {"code": "insufficient_quota", "message": "…"}}, "its account has no credit left"),
        (400, {"error": {"code": "context_length_exceeded", "message": "…"}}, "the prompt is too long for it"),
    ],
)
def test_somebody_hears_of_what_they_have_to_mend(
    status: int, body: Any, reason: str, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    # Both serve the same id, so that only the member can tell which backend it was.
    provider.fail_next(503, host="openai")
    provider.fail_next(status, body, host="groq")
    assert ask(pydantic_ai.fallback_model(deck_of(provider), "p")) == TEXT
    assert hosts(provider) == ["openai", "groq", "anthropic"]
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told.startswith("model 'other' on backend 'second' failed with ")
    assert told.endswith(f" {status}: {reason}")


def test_a_member_whose_key_goes_away_is_passed_over_aloud(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {"FIRST": KEY, "SECOND": KEY, "THIRD": KEY}
    model = pydantic_ai.fallback_model(deck_of(provider, keys), "p")
    del keys["FIRST"]
    assert ask(model) == TEXT
    assert hosts(provider) == ["groq"]
    assert "backend 'first' needs FIRST, which is not set" in caplog.text


def test_members_that_cannot_be_called_are_left_out(provider: Provider) -> None:
    model = pydantic_ai.fallback_model(deck_of(provider, {"SECOND": KEY}), "p")
    assert [member.model_name for member in model.models] == ["gpt-4.1"]
    with pytest.raises(MissingCredentialError):
        pydantic_ai.fallback_model(deck_of(provider, {}), "p")


def test_every_failure_is_kept_where_none_answers(provider: Provider) -> None:
    provider.fail_next(503, times=4)
    with pytest.raises(FallbackExceptionGroup) as caught:
        ask(pydantic_ai.fallback_model(deck_of(provider), "p"))
    assert [getattr(error, "status_code", None) for error in caught.value.exceptions] == [503, 503, 503]
    assert hosts(provider) == ["openai", "groq", "anthropic", "anthropic"]
