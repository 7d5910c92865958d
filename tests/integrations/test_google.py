"""A preset reaches Gemini through Google's SDK, sync and async, on both platforms, as the settings say by then."""

from __future__ import annotations

import asyncio
import gc
import traceback
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from google import genai
from google.genai import errors
from pydantic import BaseModel

from pipelex_cogt import MissingCredentialError, ResolvedLLM, Usage
from pipelex_cogt.integrations import google
from tests.integrations.exchange import TEXT
from tests.integrations.google_account import write_service_account
from tests.integrations.server import Provider
from tests.resolved import resolved

KEY = "AIza-canary-7f3a9c1e5b"
FLASH = "gemini-2.5-flash"
OWN = {"api_key": "${KEY}"}
VERTEX = {"gcp_project_id": "my-project", "gcp_location": "europe-west1", "api_key": "${KEY}"}
PLATFORMS: Mapping[str, tuple[Mapping[str, Any], str, tuple[str, str]]] = {
    "own": (OWN, f"/v1beta/models/{FLASH}:", ("x-goog-api-key", KEY)),
    "vertex": (
        VERTEX,
        f"/v1beta1/projects/my-project/locations/europe-west1/publishers/google/models/{FLASH}:",
        ("authorization", f"Bearer {KEY}"),
    ),
}
"""What a backend states, where a call of it arrives, and the header that shows who calls."""
AMBIENT = {
    "GEMINI_API_KEY": "ambient",
    "GOOGLE_API_KEY": "ambient",
    "GOOGLE_CLOUD_LOCATION": "ambient",
    "GOOGLE_CLOUD_PROJECT": "ambient",
    "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9",
    "GOOGLE_GENAI_API_VERSION": "v9",
    "GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:9",
}

Gemini: TypeAlias = Callable[..., ResolvedLLM]


@pytest.fixture
def gemini(provider: Provider) -> Gemini:
    """Resolve a Gemini that answers at the loopback server, whichever its platform."""

    def resolve(
        preset: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        backend: Mapping[str, Any] = OWN,
        environ: Mapping[str, str] | None = None,
    ) -> ResolvedLLM:
        backend = {"endpoint": provider.url, **backend}
        model = {"model_id": FLASH, "sdk": "google", **(model or {})}
        return resolved(backend, model, preset, {"KEY": KEY} if environ is None else environ)

    return resolve


def ask(llm: ResolvedLLM) -> str:
    with google.client(llm) as client:
        return str(client.models.generate_content(contents="Hello", **google.arguments(llm)).text)


def ask_in_pieces(llm: ResolvedLLM) -> str:
    with google.client(llm) as client:
        chunks = client.models.generate_content_stream(contents="Hello", **google.arguments(llm))
        return "".join(chunk.text or "" for chunk in chunks)


def ask_async(llm: ResolvedLLM) -> str:
    async def call() -> str:
        async with google.async_client(llm) as client:
            return str((await client.models.generate_content(contents="Hello", **google.arguments(llm))).text)

    return asyncio.run(call())


def ask_async_in_pieces(llm: ResolvedLLM) -> str:
    async def call() -> str:
        async with google.async_client(llm) as client:
            chunks = await client.models.generate_content_stream(contents="Hello", **google.arguments(llm))
            return "".join([chunk.text or "" async for chunk in chunks])

    return asyncio.run(call())


@pytest.mark.parametrize("way", [ask, ask_in_pieces, ask_async, ask_async_in_pieces])
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("uses_vertex", ["true", "false"])
def test_a_preset_is_answered_on_each_platform_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
    provider: Provider,
    gemini: Gemini,
    platform: str,
    uses_vertex: str,
    way: Callable[..., str],
) -> None:
    for name, value in {**AMBIENT, "GOOGLE_GENAI_USE_VERTEXAI": uses_vertex}.items():
        monkeypatch.setenv(name, value)
    backend, path, (header, shown) = PLATFORMS[platform]
    preset = {"temperature": 0.5, "max_tokens": 100, "stop": "END", "seed": 7, "reasoning_budget": 64}
    assert way(gemini(preset, {"extra_body": {"labels": {"team": "a"}}}, backend)) == TEXT
    (request,) = provider.requests
    assert request.path.startswith(path)
    assert request.headers[header] == shown
    assert "ambient" not in repr(request.headers)
    config = request.body["generationConfig"]
    sent = [config[name] for name in ("temperature", "maxOutputTokens", "stopSequences", "seed")]
    assert sent == [0.5, 100, ["END"], 7]
    # Google's JSON takes names either way.
    assert [*config["thinkingConfig"].values()] == [64]
    assert request.body["labels"] == {"team": "a"}


@pytest.mark.parametrize("way", [ask, ask_async_in_pieces])
def test_it_reasons_as_stated(provider: Provider, gemini: Gemini, way: Callable[..., str]) -> None:
    assert way(gemini({"reasoning_effort": "low"}, {"model_id": "gemini-4-argon"})) == TEXT
    assert [*provider.requests[-1].body["generationConfig"]["thinkingConfig"].values()] == ["LOW"]


class Person(BaseModel):
    name: str
    age: int


def test_an_answer_follows_a_schema(gemini: Gemini) -> None:
    llm = gemini({"temperature": 0.5})
    sent = google.arguments(llm, response_mime_type="application/json", response_schema=Person)
    assert isinstance(google.client(llm).models.generate_content(contents="Hello", **sent).parsed, Person)


def test_a_model_calls_tools(gemini: Gemini) -> None:
    parameters = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    tool = {"function_declarations": [{"name": "weather", "parameters": parameters}]}
    llm = gemini()
    answer = google.client(llm).models.generate_content(contents="Hello", **google.arguments(llm, tools=[tool]))
    assert [call.name for call in answer.function_calls or ()] == ["weather"]


def test_a_prompt_is_answered_in_pieces_and_what_it_took(gemini: Gemini) -> None:
    *pieces, usage = google.stream(gemini(), "Hello")
    assert "".join(map(str, pieces)) == TEXT
    assert len(pieces) > 1
    assert isinstance(usage, Usage)
    assert usage.input == 120


# Keys


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_rotated_key_is_used_by_the_next_request_of_a_client_that_is_kept(
    provider: Provider, gemini: Gemini, platform: str
) -> None:
    backend, _path, (header, shown) = PLATFORMS[platform]
    environ = {"KEY": KEY}
    llm = gemini(backend=backend, environ=environ)
    client, sent = google.client(llm), google.arguments(llm)
    for key in ("one", "two"):
        environ["KEY"] = key
        client.models.generate_content(contents="Hello", **sent)
    assert [request.headers[header] for request in provider.requests] == [
        shown.replace(KEY, "one"),
        shown.replace(KEY, "two"),
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_rotated_key_is_used_by_the_next_request_of_an_async_client(
    provider: Provider, gemini: Gemini, platform: str
) -> None:
    backend, _path, (header, shown) = PLATFORMS[platform]
    environ = {"KEY": KEY}
    llm = gemini(backend=backend, environ=environ)

    async def call() -> None:
        async with google.async_client(llm) as client:
            for key in ("one", "two"):
                environ["KEY"] = key
                await client.models.generate_content(contents="Hello", **google.arguments(llm))

    asyncio.run(call())
    assert [request.headers[header] for request in provider.requests] == [
        shown.replace(KEY, "one"),
        shown.replace(KEY, "two"),
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_missing_key_is_told_before_anything_is_sent(provider: Provider, gemini: Gemini, platform: str) -> None:
    environ = {"KEY": KEY}
    llm = gemini(backend=PLATFORMS[platform][0], environ=environ)
    client = google.client(llm)
    del environ["KEY"]
    with pytest.raises(MissingCredentialError, match="KEY"):
        client.models.generate_content(contents="Hello", **google.arguments(llm))
    assert provider.requests == []


def test_no_key_is_in_a_client_or_in_the_frames_of_our_errors(gemini: Gemini) -> None:
    llm = gemini(backend={"api_key": "${KEY}", "headers": {"x-a-token": "${KEY}", "x-b": "${OTHER}"}})
    client = google.client(llm)
    api = client._api_client
    assert KEY not in repr((client, vars(client), vars(api)))
    with pytest.raises(MissingCredentialError, match="OTHER") as caught:
        client.models.generate_content(contents="Hello", **google.arguments(llm))
    # The frame of the test is its own.
    left = caught.value.with_traceback(caught.tb.tb_next)
    told = traceback.TracebackException.from_exception(left, capture_locals=True)
    assert KEY not in "".join(told.format())


def test_where_headers_show_who_calls_no_other_key_is_sent(provider: Provider, gemini: Gemini) -> None:
    assert ask(gemini(backend={"headers": {"X-Goog-Api-Key": "${KEY}"}})) == TEXT
    assert provider.requests[-1].headers["x-goog-api-key"] == KEY


def test_headers_are_those_of_the_backend_then_of_the_model(provider: Provider, gemini: Gemini) -> None:
    headers = {"X-A": "backend", "x-b": "backend", "x-c-key": "backend", "user-agent": "mine"}
    model = {"headers": {"X-B": "model", "x-c-key": "${KEY}"}}
    ask(gemini(model=model, backend={**OWN, "headers": headers}))
    sent = provider.requests[-1].headers
    assert [sent[name] for name in ("x-a", "x-b", "x-c-key", "user-agent")] == ["backend", "model", KEY, "mine"]


# Clients


def test_a_backend_has_one_client_and_one_for_each_event_loop(gemini: Gemini) -> None:
    llm = gemini()

    async def clients() -> list[Any]:
        async with google.async_client(llm) as client:
            return [client, google.async_client(llm)]

    (first, again), (other, _) = asyncio.run(clients()), asyncio.run(clients())
    assert google.client(llm) is google.client(llm)
    assert isinstance(google.client(llm), genai.Client)
    assert first is again
    assert first is not other


def test_a_closed_client_is_not_handed_out_again(gemini: Gemini) -> None:
    llm = gemini()

    async def call() -> list[str]:
        return [await in_a_new_client(), await in_a_new_client()]

    async def in_a_new_client() -> str:
        async with google.async_client(llm) as client:
            return str((await client.models.generate_content(contents="Hello", **google.arguments(llm))).text)

    assert [ask(llm), ask(llm)] == [TEXT, TEXT]
    assert asyncio.run(call()) == [TEXT, TEXT]


def test_an_async_client_that_is_asked_for_outside_a_loop_works_in_one(gemini: Gemini) -> None:
    llm = gemini()
    client = google.async_client(llm)
    gc.collect()

    async def call() -> str:
        async with client:
            return str((await client.models.generate_content(contents="Hello", **google.arguments(llm))).text)

    assert asyncio.run(call()) == TEXT


def test_a_client_does_not_keep_its_backend(gemini: Gemini) -> None:
    llm = gemini()
    client, backend = google.client(llm), weakref.ref(llm.backend)
    sent = google.arguments(llm)
    del llm
    gc.collect()
    assert backend() is None
    assert client.models.generate_content(contents="Hello", **sent).text == TEXT


@pytest.mark.parametrize(
    ("end", "path"), [("/", "/v1beta/"), ("/v1beta", "/v1beta/"), ("/v1/", "/v1/"), ("/v1alpha", "/v1alpha/")]
)
def test_a_version_at_the_end_of_an_endpoint_is_the_version(
    provider: Provider, gemini: Gemini, end: str, path: str
) -> None:
    ask(gemini(backend={**OWN, "endpoint": f"{provider.url}{end}"}))
    assert provider.requests[-1].path.startswith(f"{path}models/")


def test_time_and_retries_are_those_of_the_backend(provider: Provider, gemini: Gemini) -> None:
    llm = gemini(backend={**OWN, "timeout": 7, "max_retries": 1})
    assert google.client(llm)._api_client._http_options.timeout == 7000
    provider.fail_next(503, times=2)
    with pytest.raises(errors.ServerError):
        ask(llm)
    assert len(provider.requests) == 2


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("us-east5", "https://us-east5-aiplatform.googleapis.com"),
    ],
)
def test_without_an_endpoint_the_location_tells_the_host(gemini: Gemini, location: str, host: str) -> None:
    client = google.client(gemini(backend={**VERTEX, "endpoint": "", "gcp_location": location}))
    assert client._api_client._http_options.base_url.rstrip("/") == host


@pytest.mark.parametrize("way", [ask, ask_async])
def test_without_a_key_google_finds_one(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, gemini: Gemini, tmp_path: Path, way: Callable[..., str]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", write_service_account(tmp_path, provider.url))
    assert way(gemini(backend={"gcp_project_id": "my-project"})) == TEXT
    assert provider.requests[-1].headers["authorization"] == "Bearer ya29.loopback"


def test_errors_of_the_sdk_pass_through(provider: Provider, gemini: Gemini) -> None:
    provider.fail_next(400)
    with pytest.raises(errors.ClientError):
        ask(gemini())


def test_a_client_that_nobody_holds_is_closed_at_once(gemini: Gemini) -> None:
    built = google._build(gemini())
    http_client = built._api_client._httpx_client
    del built
    assert http_client.is_closed
