"""A preset called with OpenAI's SDK: what arrives at each platform, with which key, and what the SDK makes of it."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import traceback
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai as sdk
import pytest
from pydantic import BaseModel

from pipelex_cogt import MissingCredentialError, ResolvedLLM, Usage
from pipelex_cogt.errors import CallRefusedError, MissingExtraError
from pipelex_cogt.integrations import openai
from tests.integrations.exchange import TEXT, Request
from tests.integrations.google_account import write_service_account
from tests.integrations.server import Provider
from tests.resolved import resolved

KEY = "sk-canary-one"
HELLO: Any = [{"role": "user", "content": "Hello"}]
WRONG = {
    "OPENAI_API_KEY": "wrong",
    "OPENAI_ADMIN_KEY": "wrong",
    "OPENAI_BASE_URL": "http://wrong.example.com",
    "OPENAI_ORG_ID": "wrong",
    "OPENAI_PROJECT_ID": "wrong",
    "OPENAI_CUSTOM_HEADERS": "X-Wrong: wrong\nAuthorization: Bearer wrong\napi-key: wrong",
    "OPENAI_API_VERSION": "wrong",
    "AZURE_OPENAI_API_KEY": "wrong",
    "AZURE_OPENAI_AD_TOKEN": "wrong",
    "AZURE_OPENAI_ENDPOINT": "http://wrong.example.com",
    "AWS_BEDROCK_BASE_URL": "http://wrong.example.com",
}
"""What the SDK would read by itself."""


class Keys(dict[str, str]):
    """An environment that rotates."""


@pytest.fixture
def keys() -> Keys:
    return Keys(KEY=KEY)


def ask(llm: ResolvedLLM) -> Any:
    client = openai.client(llm)
    if llm.model.api == "responses":
        return client.responses.create(input="Hello", **openai.arguments(llm))
    return client.chat.completions.create(messages=HELLO, **openai.arguments(llm))


async def ask_later(llm: ResolvedLLM) -> Any:
    async with openai.async_client(llm) as client:
        if llm.model.api == "responses":
            return await client.responses.create(input="Hello", **openai.arguments(llm))
        return await client.chat.completions.create(messages=HELLO, **openai.arguments(llm))


def asked_later(llm: ResolvedLLM) -> Any:
    return asyncio.run(ask_later(llm))


def text_of(answer: Any) -> str:
    return str(answer.choices[0].message.content if hasattr(answer, "choices") else answer.output_text)


BOTH = pytest.mark.parametrize("call", [ask, asked_later], ids=["sync", "async"])


class Place:
    """Where a model is called, and what has to arrive there."""

    def __init__(self, path: str, shown: dict[str, str], backend: dict[str, Any], **model: Any) -> None:
        self.path, self.shown, self.backend, self.model = path, shown, backend, model

    def at(self, provider: Provider, keys: Keys, **preset: Any) -> ResolvedLLM:
        endpoint = self.backend["endpoint"].format(root=provider.url)
        return resolved({**self.backend, "endpoint": endpoint}, self.model, preset, keys)


BEARER = {"authorization": f"Bearer {KEY}"}
AZURE = {"endpoint": "{root}/", "api_key": "${KEY}"}
KEYED = {"api_key": "${KEY}"}
PLACES = {
    "openai": Place("/v1/chat/completions", BEARER, {"endpoint": "{root}/v1", **KEYED}, model_id="gpt-5.4"),
    "responses": Place(
        "/v1/responses", BEARER, {"endpoint": "{root}/v1", **KEYED}, model_id="gpt-5.5-pro", api="responses"
    ),
    "anthropic": Place(
        "/v1/chat/completions", BEARER, {"endpoint": "{root}/as/anthropic", **KEYED}, sdk="anthropic", model_id="claude"
    ),
    "google": Place("/v1beta/openai/chat/completions", BEARER, {"endpoint": "{root}", **KEYED}, sdk="google"),
    "mistral": Place("/v1/chat/completions", BEARER, {"endpoint": "{root}/as/mistral", **KEYED}, sdk="mistral"),
    "ollama": Place(
        "/v1/chat/completions",
        {"authorization": "Bearer no-key-needed"},
        {"endpoint": "{root}/as/ollama/v1"},
        sdk="openai_compatible",
    ),
    "deepseek": Place(
        "/chat/completions", BEARER, {"endpoint": "{root}/as/deepseek", **KEYED}, sdk="openai_compatible"
    ),
    "azure": Place("/openai/v1/chat/completions", BEARER, {**AZURE, "api_version": "v1"}, model_id="gpt-5.4"),
    "azure, as its portal writes it": Place(
        "/openai/v1/responses",
        BEARER,
        {"endpoint": "{root}/openai/v1/", **KEYED, "api_version": ""},
        model_id="gpt-5.5-pro",
        api="responses",
    ),
    "azure, dated": Place(
        "/openai/deployments/gpt-5.4/chat/completions",
        {"api-key": KEY},
        {**AZURE, "api_version": "2024-10-21"},
        model_id="gpt-5.4",
    ),
    "azure, dated responses": Place(
        "/openai/responses",
        {"api-key": KEY},
        {**AZURE, "api_version": "2025-04-01-preview"},
        model_id="gpt-5.5-pro",
        api="responses",
    ),
    "azure with a token": Place(
        "/openai/v1/chat/completions", BEARER, {"endpoint": "{root}", "azure_ad_token": "${KEY}", "api_version": "v1"}
    ),
    "azure, dated, with a token": Place(
        "/openai/deployments/m/chat/completions",
        BEARER,
        {"endpoint": "{root}", "azure_ad_token": "${KEY}", "api_version": "2024-10-21"},
    ),
    "bedrock with a key": Place(
        "/openai/v1/chat/completions",
        BEARER,
        {"endpoint": "{root}/as/bedrock", **KEYED, "aws_region": "eu-west-1"},
        model_id="openai.gpt-oss-120b-1:0",
    ),
    "vertex with a token": Place(
        "/v1/projects/project/locations/global/endpoints/openapi/chat/completions",
        BEARER,
        {"endpoint": "{root}", **KEYED, "gcp_project_id": "project"},
        sdk="openai_compatible",
        model_id="xai/grok-4.7",
    ),
}


def shown(request: Request) -> dict[str, str]:
    """Whatever a request shows of who calls."""
    names = ("authorization", "api-key", "openai-organization", "openai-project", "x-wrong")
    return {name: request.headers[name] for name in names if name in request.headers}


@BOTH
@pytest.mark.parametrize("name", PLACES)
def test_a_call_arrives_at_its_place_with_its_key_and_nothing_of_the_environment(
    name: str, call: Callable[[ResolvedLLM], Any], provider: Provider, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in WRONG.items():
        monkeypatch.setenv(variable, value)
    place = PLACES[name]
    assert text_of(call(place.at(provider, keys, max_tokens=100))) == TEXT
    (request,) = provider.requests
    assert (request.path, shown(request), request.status) == (place.path, place.shown, 200)
    assert request.body.get("model") == place.model.get("model_id", "m")
    assert request.ignored == ()


@BOTH
@pytest.mark.parametrize("name", [name for name in PLACES if name != "ollama"])
def test_a_rotated_key_is_used_by_the_next_request_of_a_kept_client(
    name: str, call: Callable[[ResolvedLLM], Any], provider: Provider, keys: Keys
) -> None:
    llm = PLACES[name].at(provider, keys)

    async def twice() -> None:
        async with openai.async_client(llm) as client:
            await create(client, llm)
            keys["KEY"] = "sk-two"
            await create(client.with_options(timeout=60), llm)

    if call is ask:
        client = openai.client(llm)
        create(client, llm)
        keys["KEY"] = "sk-two"
        create(client.with_options(timeout=60), llm)
        assert openai.client(llm) is client
    else:
        asyncio.run(twice())
    first, second = (" ".join(shown(request).values()) for request in provider.requests)
    assert second == first.replace(KEY, "sk-two")


def create(client: Any, llm: ResolvedLLM) -> Any:
    if llm.model.api == "responses":
        return client.responses.create(input="Hello", **openai.arguments(llm))
    return client.chat.completions.create(messages=HELLO, **openai.arguments(llm))


@BOTH
@pytest.mark.parametrize("name", ["openai", "responses", "azure", "azure, dated", "azure, dated, with a token"])
def test_a_missing_key_is_told_as_missing_and_nothing_is_sent(
    name: str, call: Callable[[ResolvedLLM], Any], provider: Provider
) -> None:
    with pytest.raises(MissingCredentialError, match="backend 'b' needs KEY, which is not set"):
        call(PLACES[name].at(provider, Keys()))
    assert provider.requests == []


def test_a_missing_key_of_bedrock_is_told_when_its_client_is_asked_for(provider: Provider) -> None:
    with pytest.raises(MissingCredentialError, match="backend 'b' needs KEY, which is not set"):
        openai.client(PLACES["bedrock with a key"].at(provider, Keys()))


@pytest.mark.parametrize("name", ["openai", "azure, dated, with a token"])
def test_an_empty_key_is_refused_and_nothing_is_sent(name: str, provider: Provider) -> None:
    place = PLACES[name]
    empty = {key: "${KEY:-}" if value == "${KEY}" else value for key, value in place.backend.items()}
    with pytest.raises(CallRefusedError, match="has no api_key, which sdk 'openai' needs"):
        ask(Place(place.path, {}, empty, **place.model).at(provider, Keys()))
    assert provider.requests == []


def test_a_host_that_may_have_a_key_is_called_without_it_too(provider: Provider, keys: Keys) -> None:
    backend = {"endpoint": f"{provider.url}/as/ollama/v1", "api_key": "${KEY:-}"}
    llm = resolved(backend, {"sdk": "openai_compatible"}, {}, keys)
    ask(llm)
    del keys["KEY"]
    ask(llm)
    assert [shown(request)["authorization"] for request in provider.requests] == [
        f"Bearer {KEY}",
        "Bearer no-key-needed",
    ]


@pytest.mark.parametrize(
    ("sdk_name", "endpoint", "base_url"),
    [
        ("mistral", "https://h.example.com", "https://h.example.com/v1/"),
        ("mistral", "https://h.example.com/v1/", "https://h.example.com/v1/"),
        ("google", "https://h.example.com/v1beta", "https://h.example.com/v1beta/openai/"),
        ("google", "https://h.example.com/v1beta/openai/", "https://h.example.com/v1beta/openai/"),
        ("openai_compatible", "https://h.example.com/any/path", "https://h.example.com/any/path/"),
    ],
)
def test_a_path_is_added_where_it_is_missing(sdk_name: str, endpoint: str, base_url: str) -> None:
    client = openai.client(resolved({"endpoint": endpoint, "api_key": "k"}, {"sdk": sdk_name}))
    assert str(client.base_url) == base_url


# What the parameters become


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_every_parameter_is_taken(api: str, provider: Provider, keys: Keys) -> None:
    preset = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 100, "timeout": 7.0, "extra_body": {"user": "me"}}
    chat = {"seed": 7, "stop": ["END"]} if api == "chat" else {}
    llm = resolved(
        {"endpoint": f"{provider.url}/v1", **KEYED}, {"model_id": "gpt-4.1", "api": api}, {**preset, **chat}, keys
    )
    ask(llm)
    body = dict(provider.requests[-1].body)
    limit = body.pop("max_completion_tokens" if api == "chat" else "max_output_tokens")
    del body["messages" if api == "chat" else "input"]
    assert limit == 100
    assert body == {"model": "gpt-4.1", "temperature": 0.5, "top_p": 0.9, "user": "me", **chat}
    assert provider.requests[-1].headers["x-stainless-read-timeout"] == "7.0"


@pytest.mark.parametrize(("api", "place"), [("chat", "reasoning_effort"), ("responses", "reasoning")])
def test_an_effort_is_taken(api: str, place: str, provider: Provider, keys: Keys) -> None:
    llm = resolved(
        {"endpoint": f"{provider.url}/v1", **KEYED},
        {"model_id": "gpt-5.4", "api": api},
        {"reasoning_effort": "xhigh"},
        keys,
    )
    ask(llm)
    assert provider.requests[-1].body[place] == ("xhigh" if api == "chat" else {"effort": "xhigh"})


def test_mistral_takes_a_seed_and_is_not_asked_to_count(provider: Provider, keys: Keys) -> None:
    llm = PLACES["mistral"].at(provider, keys, seed=7, max_tokens=9)
    assert isinstance([*openai.stream(llm, "Hello")][-1], Usage)
    body = provider.requests[-1].body
    assert (body["random_seed"], body["max_tokens"]) == (7, 9)


def test_headers_of_the_backend_and_of_the_model_are_sent_and_rotate(provider: Provider, keys: Keys) -> None:
    backend = {
        "endpoint": f"{provider.url}/v1",
        **KEYED,
        "headers": {"X-Team": "blue", "X-Gateway": "${KEY}", "X-B": "b"},
    }
    llm = resolved(backend, {"headers": {"X-Model": "m", "x-b": "m", "X-Secret": "${KEY}"}}, {}, keys)
    client = openai.client(llm)
    create(client, llm)
    keys["KEY"] = "sk-two"
    create(client.with_options(default_headers={"x-team": "red"}), llm)
    names = ("x-team", "x-gateway", "x-model", "x-b", "x-secret")
    assert [[request.headers[name] for name in names] for request in provider.requests] == [
        ["blue", KEY, "m", "m", KEY],
        ["red", "sk-two", "m", "m", "sk-two"],
    ]


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION"])
def test_a_header_stands_over_the_key_whatever_its_capitals(name: str, provider: Provider, keys: Keys) -> None:
    backend = {"endpoint": f"{provider.url}/v1", **KEYED, "headers": {name: "Bearer of-the-gateway"}}
    ask(resolved(backend, {}, {}, keys))
    assert shown(provider.requests[-1]) == {"authorization": "Bearer of-the-gateway"}


def test_a_header_may_show_who_calls_where_there_is_no_key(provider: Provider) -> None:
    backend = {"endpoint": f"{provider.url}/v1", "headers": {"Authorization": "Basic ${USER}"}}
    ask(resolved(backend, {}, {}, {"USER": "me"}))
    assert shown(provider.requests[-1]) == {"authorization": "Basic me"}


def test_a_model_with_secret_headers_has_a_client_of_its_own(provider: Provider, keys: Keys) -> None:
    plain = PLACES["openai"].at(provider, keys)
    assert openai.client(plain) is openai.client(plain)
    own = resolved({"endpoint": f"{provider.url}/v1", **KEYED}, {"headers": {"X-Model": "${KEY}"}}, {}, keys)
    assert openai.client(own) is openai.client(own) is not openai.client(plain)


# Platforms with credentials of their own


@pytest.fixture
def google_account(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", write_service_account(tmp_path, provider.url))


@BOTH
@pytest.mark.usefixtures("google_account")
def test_vertex_is_shown_a_token_of_google_s_default_credentials(
    call: Callable[[ResolvedLLM], Any], provider: Provider
) -> None:
    backend = {"endpoint": provider.url, "gcp_project_id": "project", "gcp_location": "us-east5"}
    llm = resolved(backend, {"sdk": "openai_compatible", "model_id": "meta/llama"})
    assert text_of(call(llm)) == TEXT
    token, request = provider.requests
    assert token.path == "/token"
    assert request.path == "/v1/projects/project/locations/us-east5/endpoints/openapi/chat/completions"
    assert shown(request) == {"authorization": "Bearer ya29.loopback"}


@pytest.mark.usefixtures("google_account")
def test_a_token_of_google_is_fetched_once_for_many_calls(provider: Provider) -> None:
    llm = resolved({"endpoint": provider.url, "gcp_project_id": "project"}, {"sdk": "openai_compatible"})
    ask(llm)
    ask(llm)
    assert [request.path.rpartition("/")[2] for request in provider.requests] == ["token", "completions", "completions"]


@pytest.mark.parametrize(
    ("location", "host"),
    [("global", "aiplatform.googleapis.com"), ("us-east5", "us-east5-aiplatform.googleapis.com")],
)
def test_vertex_is_found_by_its_location(location: str, host: str) -> None:
    backend = {"api_key": "k", "gcp_project_id": "project", "gcp_location": location}
    client = openai.client(resolved(backend, {"sdk": "openai_compatible"}))
    assert str(client.base_url) == f"https://{host}/v1/projects/project/locations/{location}/endpoints/openapi/"


AWS_KEYS = {"aws_access_key_id": "${ID}", "aws_secret_access_key": "${SECRET}", "aws_session_token": "${SESSION}"}


@BOTH
@pytest.mark.parametrize("stated", [True, False], ids=["keys that are stated", "keys of AWS's own chain"])
def test_bedrock_is_shown_a_signature(
    stated: bool,  # noqa: FBT001 -- because: a test has it by name
    call: Callable[[ResolvedLLM], Any],
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("botocore")
    keys = {"ID": "AKIASTATED", "SECRET": "s", "SESSION": "session"}
    if not stated:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACHAIN")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    backend = {"endpoint": f"{provider.url}/as/bedrock", "aws_region": "eu-west-1", **(AWS_KEYS if stated else {})}
    llm = resolved(backend, {"model_id": "openai.gpt-oss-120b-1:0"}, {}, keys)
    assert text_of(call(llm)) == TEXT
    signature = shown(provider.requests[-1])["authorization"]
    named = "AKIASTATED" if stated else "AKIACHAIN"
    assert signature.startswith(f"AWS4-HMAC-SHA256 Credential={named}/")
    assert "/eu-west-1/bedrock/aws4_request" in signature
    assert provider.requests[-1].headers.get("x-amz-security-token") == ("session" if stated else None)


def test_rotated_keys_of_aws_sign_the_next_request(provider: Provider) -> None:
    keys = Keys(ID="AKIAONE", SECRET="s", SESSION="t")
    backend = {"endpoint": f"{provider.url}/as/bedrock", "aws_region": "eu-west-1", **AWS_KEYS}
    llm = resolved(backend, {"model_id": "openai.gpt-oss-120b-1:0"}, {}, keys)
    client = openai.client(llm)
    create(client, llm)
    keys["ID"] = "AKIATWO"
    create(client, llm)
    assert ["AKIATWO" in shown(request)["authorization"] for request in provider.requests] == [False, True]


@pytest.mark.parametrize(
    ("backend", "url"),
    [
        ({"aws_region": "eu-west-1"}, "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1/"),
        ({"aws_region": ""}, "https://bedrock-runtime.ap-south-1.amazonaws.com/openai/v1/"),
        (
            {"aws_region": "us-east-1", "endpoint": "https://bedrock-mantle.us-east-1.api.aws/openai/v1"},
            "https://bedrock-mantle.us-east-1.api.aws/openai/v1/",
        ),
    ],
    ids=["its region", "the region of AWS's own chain", "the newer of its services"],
)
def test_bedrock_is_found_by_its_region(backend: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    client = openai.client(resolved({**backend, "api_key": "k"}, {"model_id": "openai.gpt-oss-120b-1:0"}))
    assert f"{str(client.base_url).rstrip('/')}/" == url


@pytest.mark.parametrize(
    ("module", "backend", "model", "message"),
    [
        (
            "botocore",
            {"aws_region": "eu-west-1"},
            {},
            'botocore.credentials is not installed; run pip install "pipelex-cogt[bedrock]"',
        ),
        (
            "google.auth",
            {"gcp_project_id": "project"},
            {"sdk": "openai_compatible"},
            'google.auth is not installed; run pip install "pipelex-cogt[vertex]"',
        ),
    ],
)
def test_what_a_platform_needs_beside_the_sdk_is_told(
    module: str, backend: dict[str, Any], model: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        openai.client(resolved(backend, model))
    assert str(caught.value) == message


# What the SDK makes of the answer


class City(BaseModel):
    name: str
    inhabitants: int


def test_objects_and_tools_work_with_the_same_arguments(provider: Provider, keys: Keys) -> None:
    llm = PLACES["openai"].at(provider, keys)
    client, arguments = openai.client(llm), openai.arguments(llm)
    parsed = client.chat.completions.parse(messages=HELLO, response_format=City, **arguments)
    assert parsed.choices[0].message.parsed == City(name="text", inhabitants=1)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    effort = {"reasoning_effort": "none"}
    called = client.chat.completions.create(messages=HELLO, tools=[tool], **arguments, **effort)
    assert called.choices[0].message.tool_calls[0].function.name == "weather"
    llm = PLACES["responses"].at(provider, keys)
    answer = openai.client(llm).responses.parse(input="Hello", text_format=City, **openai.arguments(llm))
    assert answer.output_parsed == City(name="text", inhabitants=1)


@pytest.mark.parametrize("name", ["openai", "responses", "azure, dated", "google", "mistral"])
def test_a_stream_is_pieces_of_text_and_then_the_usage(name: str, provider: Provider, keys: Keys) -> None:
    *pieces, usage = openai.stream(PLACES[name].at(provider, keys), "Hello")
    assert len(pieces) > 1
    assert "".join(map(str, pieces)) == TEXT
    assert isinstance(usage, Usage)
    assert (usage.input, usage.output, usage.input_cached, usage.output_reasoning) == (120, 30, 20, 10)


def test_a_response_that_fails_on_its_way_raises_the_sdk_s_error(provider: Provider, keys: Keys) -> None:
    failed = {
        "type": "response.failed",
        "sequence_number": 0,
        "response": {
            "id": "r",
            "object": "response",
            "status": "failed",
            "error": {"code": "server_error", "message": "it broke"},
            "output": [],
        },
    }
    body = f"event: response.failed\ndata: {json.dumps(failed)}\n\n"
    provider.fail_next(200, body, headers={"content-type": "text/event-stream"})
    with pytest.raises(sdk.APIError, match="it broke") as caught:
        list(openai.stream(PLACES["responses"].at(provider, keys), "Hello"))
    assert caught.value.code == "server_error"


def test_retries_are_the_backend_s_and_none_where_another_model_follows(provider: Provider, keys: Keys) -> None:
    llm = resolved({"endpoint": f"{provider.url}/v1", **KEYED, "max_retries": 1}, {}, {}, keys)
    provider.fail_next(429, times=2, headers={"retry-after-ms": "1"})
    with pytest.raises(sdk.RateLimitError):
        ask(llm)
    provider.fail_next(429, headers={"retry-after-ms": "1"})
    with pytest.raises(sdk.RateLimitError):
        ask(replace(llm, is_followed=True))
    assert [request.status for request in provider.requests] == [429] * 3


# Clients


def test_a_closed_client_is_not_handed_out_again(provider: Provider, keys: Keys) -> None:
    llm = PLACES["openai"].at(provider, keys)
    for _ in range(2):
        with openai.client(llm) as client:
            create(client, llm)


def test_an_event_loop_has_its_own_client(provider: Provider, keys: Keys) -> None:
    llm = PLACES["openai"].at(provider, keys)

    async def use() -> Any:
        client = openai.async_client(llm)
        assert openai.async_client(llm) is client
        async with client:
            await create(client, llm)
        return client

    assert asyncio.run(use()) is not asyncio.run(use())


def test_a_client_goes_with_its_backend(provider: Provider, keys: Keys) -> None:
    llm = PLACES["openai"].at(provider, keys)
    client = weakref.ref(openai.client(llm))
    backend = weakref.ref(llm.backend)
    del llm
    gc.collect()
    assert (backend(), client()) == (None, None)


def test_a_kept_client_works_without_its_backend(provider: Provider, keys: Keys) -> None:
    llm = PLACES["openai"].at(provider, keys)
    client, arguments = openai.client(llm), openai.arguments(llm)
    del llm
    gc.collect()
    client.chat.completions.create(messages=HELLO, **arguments)
    assert shown(provider.requests[-1]) == BEARER
    client.close()


def test_no_key_is_in_what_is_shown_of_a_client_or_of_an_error_of_ours(provider: Provider, keys: Keys) -> None:
    llm = PLACES["openai"].at(provider, keys)
    client = openai.client(llm)
    create(client, llm)
    assert "canary" not in repr(client) + repr(openai.arguments(llm))
    del keys["KEY"]
    with pytest.raises(MissingCredentialError) as caught:
        create(client, llm)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(told.format())
