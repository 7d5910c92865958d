"""A preset reaches Claude through Anthropic's SDK, sync and async, on each platform, as the settings say by then."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import traceback
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import anthropic as sdk
import pytest
from pydantic import BaseModel

from pipelex_cogt.errors import CallRefusedError, MissingCredentialError
from pipelex_cogt.integrations import anthropic
from pipelex_cogt.model_backends.usage import Usage
from pipelex_cogt.models.model_deck import ResolvedLLM
from tests.integrations.exchange import TEXT
from tests.integrations.google_account import write_service_account
from tests.integrations.server import Provider
from tests.resolved import resolved

HELLO = [{"role": "user", "content": "Hello"}]
KEY = "sk-ant-canary-7f3a9c1e5b"
HAIKU = "claude-haiku-4-5"
ADAPTIVE = {"model_id": "claude-opus-5-5", "reasoning_efforts": ["low", "high", "max"], "max_tokens": 128_000}
AMBIENT = {
    "ANTHROPIC_API_KEY": "ambient",
    "ANTHROPIC_AUTH_TOKEN": "ambient",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_BEDROCK_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_CUSTOM_HEADERS": "x-ambient: yes",
    "ANTHROPIC_PROFILE": "ambient",
    "ANTHROPIC_VERTEX_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_VERTEX_PROJECT_ID": "ambient",
    "AWS_BEARER_TOKEN_BEDROCK": "ambient",
    "AWS_DEFAULT_REGION": "ambient-1",
    "AWS_REGION": "ambient-1",
    "CLOUD_ML_REGION": "ambient",
}
SIGNED = {
    "aws_region": "eu-west-1",
    "aws_access_key_id": "AKIA",
    "aws_secret_access_key": "${AWS_SECRET}",
    "aws_session_token": "${AWS_TOKEN}",
}
PLATFORMS: Mapping[str, tuple[Mapping[str, Any], str, str]] = {
    "own": ({"api_key": "${KEY}"}, "/v1/messages", KEY),
    "bedrock": ({"aws_region": "eu-west-1", "api_key": "${KEY}"}, f"/model/{HAIKU}/invoke", KEY),
    "bedrock signed": (SIGNED, f"/model/{HAIKU}/invoke", "/eu-west-1/bedrock/aws4_request"),
    "vertex": (
        {"gcp_project_id": "my-project", "gcp_location": "europe-west1", "api_key": "${KEY}"},
        f"/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/{HAIKU}:rawPredict",
        KEY,
    ),
}
"""What a backend states, where a call of it arrives, and what it shows there."""
ENVIRON = {"KEY": KEY, "AWS_SECRET": KEY, "AWS_TOKEN": "session"}

Claude: TypeAlias = Callable[..., ResolvedLLM]


@pytest.fixture
def claude(provider: Provider) -> Claude:
    """Resolve a Claude that answers at the loopback server, whichever its platform."""

    def resolve(
        preset: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        backend: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> ResolvedLLM:
        backend = {"endpoint": provider.url, **(backend or {"api_key": "${KEY}"})}
        return resolved(backend, {"model_id": HAIKU, "sdk": "anthropic", **(model or {})}, preset, environ or ENVIRON)

    return resolve


def ask(llm: ResolvedLLM) -> str:
    with anthropic.client(llm) as client:
        return str(client.messages.create(messages=HELLO, **anthropic.arguments(llm)).content[-1].text)


def ask_in_pieces(llm: ResolvedLLM) -> str:
    with (
        anthropic.client(llm) as client,
        client.messages.stream(messages=HELLO, **anthropic.arguments(llm)) as stream,
    ):
        return str(stream.get_final_text())


def ask_async(llm: ResolvedLLM) -> str:
    async def call() -> str:
        async with anthropic.async_client(llm) as client:
            message = await client.messages.create(messages=HELLO, **anthropic.arguments(llm))
            return str(message.content[-1].text)

    return asyncio.run(call())


def ask_async_in_pieces(llm: ResolvedLLM) -> str:
    async def call() -> str:
        async with (
            anthropic.async_client(llm) as client,
            client.messages.stream(messages=HELLO, **anthropic.arguments(llm)) as stream,
        ):
            return str(await stream.get_final_text())

    return asyncio.run(call())


WAYS = [ask, ask_in_pieces, ask_async, ask_async_in_pieces]


def shown_by(headers: Mapping[str, str]) -> str:
    """Who calls, as a request says it: SDK 2.x sends a key as a bearer, earlier ones in a header of its own."""
    return headers.get("x-api-key") or headers["authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_preset_is_answered_on_each_platform_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, claude: Claude, platform: str, way: Callable[..., str]
) -> None:
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    backend, path, shown = PLATFORMS[platform]
    assert way(claude({"temperature": 0.5, "stop": "END", "max_tokens": 100}, backend=backend)) == TEXT
    (request,) = provider.requests
    assert request.path.startswith(path.removesuffix("invoke").removesuffix("rawPredict"))
    assert shown in shown_by(request.headers)
    assert "x-ambient" not in request.headers
    assert (request.body["temperature"], request.body["max_tokens"]) == (0.5, 100)
    assert request.body["stop_sequences"] == ["END"]


@pytest.mark.parametrize("way", WAYS)
def test_all_that_a_model_writes_can_be_asked_for(provider: Provider, claude: Claude, way: Callable[..., str]) -> None:
    assert way(claude({"max_tokens": "auto"}, ADAPTIVE)) == TEXT
    assert provider.requests[-1].body["max_tokens"] == 128_000


@pytest.mark.parametrize("way", [ask, ask_async_in_pieces])
@pytest.mark.parametrize(
    ("preset", "model"),
    [
        ({"reasoning_effort": "high"}, ADAPTIVE),
        ({"reasoning_budget": 2000}, {"reasoning_budget": [1024, 63_999], "max_tokens": 64_000}),
        ({"reasoning_budget": 50_000}, {"reasoning_budget": [1024, 63_999], "max_tokens": 64_000}),
    ],
)
def test_it_reasons_as_stated(
    provider: Provider, claude: Claude, preset: dict[str, Any], model: dict[str, Any], way: Callable[..., str]
) -> None:
    assert way(claude(preset, model)) == TEXT
    sent = anthropic.arguments(claude(preset, model))
    assert provider.requests[-1].body["thinking"] == sent["thinking"]
    assert provider.requests[-1].body.get("output_config") == sent.get("output_config")


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("preset", [{}, {"reasoning_effort": "high"}])
def test_an_answer_follows_a_schema_beside_an_effort(claude: Claude, preset: dict[str, Any]) -> None:
    llm = claude(preset, ADAPTIVE)
    answer = anthropic.client(llm).messages.parse(messages=HELLO, output_format=Person, **anthropic.arguments(llm))
    assert isinstance(answer.parsed_output, Person)


def test_a_model_calls_tools(claude: Claude) -> None:
    tool = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    llm = claude({"temperature": 0.5})
    answer = anthropic.client(llm).messages.create(messages=HELLO, tools=[tool], **anthropic.arguments(llm))
    assert answer.content[-1].name == "weather"


def test_a_prompt_is_answered_in_pieces_and_what_it_took(claude: Claude) -> None:
    *pieces, usage = anthropic.stream(claude(), "Hello")
    assert "".join(map(str, pieces)) == TEXT
    assert len(pieces) > 1
    assert isinstance(usage, Usage)
    assert usage.input == 120


# Keys


def keys_of(provider: Provider) -> list[str]:
    return [shown_by(request.headers) for request in provider.requests]


def test_a_rotated_key_is_used_by_the_next_request_of_a_client_that_is_kept(provider: Provider, claude: Claude) -> None:
    environ = dict(ENVIRON)
    llm = claude(environ=environ)
    client, sent = anthropic.client(llm), anthropic.arguments(llm)
    copy = client.with_options(timeout=5)
    for key in ("sk-ant-one", "sk-ant-two"):
        environ["KEY"] = key
        client.messages.create(messages=HELLO, **sent)
        copy.messages.create(messages=HELLO, **sent)
    assert keys_of(provider) == ["sk-ant-one", "sk-ant-one", "sk-ant-two", "sk-ant-two"]


def test_a_rotated_key_is_used_by_the_next_request_of_an_async_client(provider: Provider, claude: Claude) -> None:
    environ = dict(ENVIRON)
    llm = claude(environ=environ)

    async def call() -> None:
        async with anthropic.async_client(llm) as client:
            for key in ("sk-ant-one", "sk-ant-two"):
                environ["KEY"] = key
                await client.messages.create(messages=HELLO, **anthropic.arguments(llm))

    asyncio.run(call())
    assert keys_of(provider) == ["sk-ant-one", "sk-ant-two"]


@pytest.mark.parametrize("platform", ["bedrock", "vertex"])
def test_a_rotated_key_is_used_on_platforms_too(provider: Provider, claude: Claude, platform: str) -> None:
    environ = dict(ENVIRON)
    llm = claude(backend=PLATFORMS[platform][0], environ=environ)
    client, sent = anthropic.client(llm), anthropic.arguments(llm)
    copy = client.with_options(timeout=5)
    for key in ("one", "two"):
        environ["KEY"] = key
        client.messages.create(messages=HELLO, **sent)
        copy.messages.create(messages=HELLO, **sent)
    assert keys_of(provider) == ["one", "one", "two", "two"]


def test_keys_of_aws_that_are_rotated_sign_the_next_request(provider: Provider, claude: Claude) -> None:
    environ = dict(ENVIRON)
    llm = claude(backend=SIGNED, environ=environ)
    client, sent = anthropic.client(llm), anthropic.arguments(llm)
    for token in ("one", "two"):
        environ["AWS_TOKEN"] = token
        client.with_options(timeout=5).messages.create(messages=HELLO, **sent)
    assert [request.headers["x-amz-security-token"] for request in provider.requests] == ["one", "two"]


def test_a_copy_goes_on_asking_a_source_that_answers_anew_each_time(provider: Provider) -> None:
    class Minted(dict[str, str]):
        def get(self, name: str, _default: Any = None) -> Any:
            return f"sk-ant-minted-{next(count)}" if name == "KEY" else None

    count = itertools.count()
    backend = {"endpoint": provider.url, "api_key": "${KEY}"}
    llm = resolved(backend, {"model_id": HAIKU, "sdk": "anthropic"}, {}, Minted(KEY="anything"))
    copy = anthropic.client(llm).with_options(timeout=5)
    for _ in range(3):
        copy.messages.create(messages=HELLO, **anthropic.arguments(llm))
    assert len({*keys_of(provider)}) == 3


def test_another_key_that_somebody_gives_a_copy_stays(provider: Provider, claude: Claude) -> None:
    llm = claude()
    client = anthropic.client(llm).with_options(api_key="sk-ant-another").with_options(timeout=5)
    client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    assert keys_of(provider) == ["sk-ant-another"]


def test_a_missing_key_is_told_before_anything_is_sent(provider: Provider, claude: Claude) -> None:
    environ = dict(ENVIRON)
    llm = claude(environ=environ)
    client = anthropic.client(llm)
    del environ["KEY"]
    with pytest.raises(MissingCredentialError, match="KEY"):
        client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    assert provider.requests == []


def test_no_key_is_in_a_client_or_in_the_frames_of_our_errors(claude: Claude) -> None:
    llm = claude(backend={"api_key": "${KEY}", "headers": {"x-a-token": "${KEY}", "x-b": "${OTHER}"}})
    client = anthropic.client(llm)
    assert KEY not in repr((client, vars(client), [*map(str, vars(client).values())]))
    with pytest.raises(MissingCredentialError, match="OTHER") as caught:
        client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    # The frame of the test is its own.
    left = caught.value.with_traceback(caught.tb.tb_next)
    told = traceback.TracebackException.from_exception(left, capture_locals=True)
    assert KEY not in "".join(told.format())


def test_where_headers_show_who_calls_no_key_is_sent(provider: Provider, claude: Claude) -> None:
    llm = claude(backend={"headers": {"Authorization": "Bearer ${KEY}", "x-team": "blue"}})
    assert ask(llm) == TEXT
    headers = provider.requests[-1].headers
    assert (headers["authorization"], headers["x-team"], "x-api-key" in headers) == (f"Bearer {KEY}", "blue", False)


def test_headers_are_those_of_the_backend_then_of_the_model_then_of_a_copy(provider: Provider, claude: Claude) -> None:
    headers = {"X-A": "backend", "x-b": "backend", "x-c-key": "backend", "user-agent": "mine"}
    llm = claude(
        backend={"api_key": "${KEY}", "headers": headers}, model={"headers": {"x-b": "model", "x-c-key": "${KEY}"}}
    )
    client = anthropic.client(llm).with_options(default_headers={"X-A": "copy"})
    client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    sent = provider.requests[-1].headers
    assert [sent[name] for name in ("x-a", "x-b", "x-c-key", "user-agent")] == ["copy", "model", KEY, "mine"]


# Clients


def test_a_backend_has_one_client_and_one_for_each_event_loop(claude: Claude) -> None:
    llm = claude()

    async def clients() -> list[Any]:
        return [anthropic.async_client(llm), anthropic.async_client(llm)]

    (first, again), (other, _) = asyncio.run(clients()), asyncio.run(clients())
    assert anthropic.client(llm) is anthropic.client(llm)
    assert first is again
    assert first is not other


def test_a_client_is_the_class_of_the_sdk(claude: Claude) -> None:
    classes = [sdk.Anthropic, sdk.AnthropicBedrock, sdk.AnthropicBedrock, sdk.AnthropicVertex]
    for (backend, _path, _key), expected in zip(PLATFORMS.values(), classes, strict=True):
        assert isinstance(anthropic.client(claude(backend=backend)), expected)


def test_a_client_does_not_keep_its_backend(claude: Claude) -> None:
    llm = claude()
    client, backend = anthropic.client(llm), weakref.ref(llm.backend)
    sent = anthropic.arguments(llm)
    del llm
    gc.collect()
    assert backend() is None
    assert client.messages.create(messages=HELLO, **sent).content[-1].text == TEXT


def test_a_version_at_the_end_of_an_endpoint_is_not_said_twice(provider: Provider, claude: Claude) -> None:
    for endpoint in (f"{provider.url}/v1", f"{provider.url}/v1/", f"{provider.url}/"):
        ask(claude(backend={"api_key": "${KEY}", "endpoint": endpoint}))
    assert {request.path for request in provider.requests} == {"/v1/messages"}


def test_time_and_retries_are_those_of_the_backend(provider: Provider, claude: Claude) -> None:
    llm = claude(backend={"api_key": "${KEY}", "timeout": 7, "max_retries": 1})
    client = anthropic.client(llm)
    assert (client.timeout, client.max_retries) == (7, 1)
    provider.fail_next(503, times=2)
    with pytest.raises(sdk.InternalServerError):
        ask(llm)
    assert len(provider.requests) == 2


@pytest.mark.parametrize(
    ("stated", "host"),
    [
        ({"aws_region": "eu-west-1", "api_key": "k"}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        ({"gcp_project_id": "p", "api_key": "k"}, "https://aiplatform.googleapis.com/v1/"),
        ({"gcp_project_id": "p", "gcp_location": "eu", "api_key": "k"}, "https://aiplatform.eu.rep.googleapis.com/v1/"),
        (
            {"gcp_project_id": "p", "gcp_location": "us-east5", "api_key": "k"},
            "https://us-east5-aiplatform.googleapis.com/v1/",
        ),
    ],
)
def test_without_an_endpoint_the_place_tells_the_host(claude: Claude, stated: dict[str, Any], host: str) -> None:
    client = anthropic.client(claude(backend={"endpoint": "", **stated}))
    assert str(client.base_url).rstrip("/") == host.rstrip("/")


def test_without_a_region_aws_says_where(monkeypatch: pytest.MonkeyPatch, claude: Claude) -> None:
    llm = claude(backend={"aws_region": "", "api_key": "k", "endpoint": ""})
    with pytest.raises(CallRefusedError, match="has no aws_region, nor has AWS's own configuration"):
        anthropic.client(llm)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert anthropic.client(llm).aws_region == "us-west-2"


def test_without_a_key_aws_finds_one(monkeypatch: pytest.MonkeyPatch, provider: Provider, claude: Claude) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert ask(claude(backend={"aws_region": "eu-west-1"})) == TEXT
    assert "AKIAAMBIENT" in provider.requests[-1].headers["authorization"]


def test_without_a_key_google_finds_one(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, claude: Claude, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", write_service_account(tmp_path, provider.url))
    assert ask(claude(backend={"gcp_project_id": "my-project"})) == TEXT
    assert provider.requests[-1].headers["authorization"] == "Bearer ya29.loopback"


def test_errors_of_the_sdk_pass_through(provider: Provider, claude: Claude) -> None:
    provider.fail_next(400, json.loads('{"type": "error", "error": {"type": "invalid", "message": "no"}}'))
    with pytest.raises(sdk.BadRequestError):
        ask(claude())
