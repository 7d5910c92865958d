"""Falling back with the real SDKs: what each of them raises is judged alike, whatever its classes are called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import boto3
import httpx2
import litellm
import mistralai.client
import openai as openai_sdk
import pytest
from botocore.config import Config
from google import genai

from pipelex_cogt import FallbackError, ModelManager, ResolvedLLM
from pipelex_cogt.integrations import anthropic, fallback, google, openai
from tests.integrations.exchange import TEXT
from tests.integrations.server import Provider

KEY = "sk-canary-one"
HELLO: Any = [{"role": "user", "content": "Hello"}]
Ask = Callable[[str], Any]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    # LiteLLM's own.
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:litellm"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def members(provider: Provider) -> tuple[ResolvedLLM, ...]:
    """A chain of three SDKs, each behind its own backend."""
    tree = {
        "inference_config": {"use_packaged_settings": False},
        "backends": {
            "first": {"endpoint": f"{provider.url}/v1", "api_key": "${KEY}", "max_retries": 2},
            "second": {"endpoint": provider.url, "api_key": "${KEY}", "max_retries": 2},
            "third": {"endpoint": provider.url, "api_key": "${KEY}", "max_retries": 1},
        },
        "models": {
            "first": {"gpt": {"model_id": "gpt-4.1", "sdk": "openai"}},
            "second": {"gemini": {"model_id": "gemini-3.6-pro", "sdk": "google"}},
            "third": {
                "claude": {"model_id": "claude-opus-5", "sdk": "anthropic", "constraints": ["temperature_unsupported"]}
            },
        },
        "routing": {"active": "all", "profiles": {"all": {"fallback_order": ["first", "second", "third"]}}},
        "deck": {
            "aliases": {"best": ["gpt", "gemini", "claude"]},
            "llm_presets": {"p": {"llm_handle": "best", "temperature": 0.4, "max_tokens": 9000}},
            "llm_choice_defaults": {"for_text": "p", "for_object": "p"},
        },
    }
    return ModelManager.load(environ={"KEY": KEY}, overrides=tree).deck.resolve_all("p", ready=True)


def ask(llm: ResolvedLLM) -> str:
    if llm.model.sdk == "openai":
        answer = openai.client(llm).chat.completions.create(messages=HELLO, **openai.arguments(llm))
        return str(answer.choices[0].message.content)
    if llm.model.sdk == "google":
        return str(google.client(llm).models.generate_content(contents="Hello", **google.arguments(llm)).text)
    message = anthropic.client(llm).messages.create(messages=HELLO, **anthropic.arguments(llm))
    return str(message.content[-1].text)


async def ask_later(llm: ResolvedLLM) -> str:
    if llm.model.sdk == "openai":
        async with openai.async_client(llm) as client:
            answer = await client.chat.completions.create(messages=HELLO, **openai.arguments(llm))
        return str(answer.choices[0].message.content)
    if llm.model.sdk == "google":
        client = google.async_client(llm)
        try:
            return str((await client.models.generate_content(contents="Hello", **google.arguments(llm))).text)
        finally:
            await client.aclose()
    async with anthropic.async_client(llm) as client:
        message = await client.messages.create(messages=HELLO, **anthropic.arguments(llm))
    return str(message.content[-1].text)


def call(members: tuple[ResolvedLLM, ...]) -> str:
    return fallback.call(members, ask)


def call_later(members: tuple[ResolvedLLM, ...]) -> str:
    return asyncio.run(fallback.async_call(members, ask_later))


BOTH = pytest.mark.parametrize("answer", [call, call_later], ids=["sync", "async"])


@BOTH
def test_each_is_asked_with_its_own_parameters_and_only_the_last_tries_again(
    answer: Any, members: tuple[ResolvedLLM, ...], provider: Provider
) -> None:
    for host in ("openai", "google", "anthropic"):
        provider.fail_next(503, host=host)
    assert answer(members) == TEXT
    assert [request.host for request in provider.requests] == ["openai", "google", "anthropic", "anthropic"]
    assert provider.requests[0].body["temperature"] == 0.4
    assert "temperature" not in provider.requests[-1].body


@BOTH
def test_every_failure_is_kept(
    answer: Any, members: tuple[ResolvedLLM, ...], provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.drop_next(host="openai")
    provider.fail_next(401, host="google")
    provider.fail_next(529, host="anthropic", times=2)
    with pytest.raises(FallbackError) as caught:
        answer(members)
    assert [(failure.model, failure.status, failure.reason) for failure in caught.value.failures] == [
        ("gpt", None, "it cannot be reached"),
        ("gemini", 401, "its key is refused"),
        ("claude", 529, "its backend is in trouble"),
    ]
    loud = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert loud == ["model 'gemini' on backend 'second' failed with ClientError 401: its key is refused"]
    assert KEY not in f"{caught.value} {caplog.text}"


@BOTH
def test_what_the_others_would_refuse_alike_stops(
    answer: Any, members: tuple[ResolvedLLM, ...], provider: Provider
) -> None:
    provider.fail_next(422)
    with pytest.raises(openai_sdk.UnprocessableEntityError):
        answer(members)
    assert len(provider.requests) == 1


# What other SDKs raise


def with_openai(url: str) -> Any:
    with openai_sdk.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=0.3) as client:
        return client.chat.completions.create(model="gpt-4.1", messages=HELLO)


def with_openai_streaming(url: str) -> Any:
    with openai_sdk.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, timeout=0.3) as client:
        return [*client.responses.create(model="gpt-4.1", input="Hello", stream=True)]


def with_anthropic(url: str) -> Any:
    import anthropic as sdk

    with sdk.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=0.3) as client:
        return client.messages.create(model="claude-opus-5", max_tokens=9, messages=HELLO)


def with_google(url: str) -> Any:
    options = {"base_url": url, "timeout": 300, "retry_options": {"attempts": 1}}
    with genai.Client(api_key=KEY, http_options=options) as client:  # type: ignore[arg-type]  # because: a table does
        return client.models.generate_content(model="gemini-3.6-pro", contents="Hello")


def with_mistral(url: str) -> Any:
    with mistralai.client.Mistral(server_url=f"{url}/as/mistral", api_key=KEY, timeout_ms=300) as client:
        return client.chat.complete(model="mistral-large-latest", messages=HELLO)


def with_boto3(url: str) -> Any:
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=0.3),
    )
    return client.converse(modelId="amazon.nova-pro-v1:0", messages=[{"role": "user", "content": [{"text": "Hello"}]}])


def with_litellm(url: str) -> Any:
    return litellm.completion(
        "openai/gpt-4.1", messages=HELLO, api_base=f"{url}/v1", api_key=KEY, num_retries=0, max_retries=0, timeout=0.3
    )


def with_httpx(url: str) -> Any:
    body = {"model": "gpt-4.1", "messages": HELLO}
    headers = {"authorization": f"Bearer {KEY}"}
    return httpx2.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=0.3).raise_for_status()


SDKS: dict[str, Ask] = {
    "openai": with_openai,
    "openai, streaming": with_openai_streaming,
    "anthropic": with_anthropic,
    "google": with_google,
    "mistral": with_mistral,
    "boto3": with_boto3,
    "litellm": with_litellm,
    "httpx": with_httpx,
}
WITH_EACH_SDK = pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)
TOO_LONG = {"error": {"code": "context_length_exceeded", "message": "prompt is too long: input is too long"}}


def reason_of(sdk: Ask, url: str) -> fallback.Reason | None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- because: what it is differs from SDK to SDK
        sdk(url)
    assert not isinstance(caught.value, Warning)
    return fallback.reason_to_go_on(caught.value)


@WITH_EACH_SDK
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529])
def test_a_status_means_the_same_with_each_sdk(sdk: Ask, status: int, provider: Provider) -> None:
    stops = (400, 413, 422)
    loud = (401, 402, 403, 404)
    provider.fail_next(status, times=9)
    reason = reason_of(sdk, provider.url)
    assert (reason is None) == (status in stops)
    assert bool(reason and reason.is_loud) == (status in loud)


@WITH_EACH_SDK
def test_a_prompt_that_is_too_long_is_known_with_each_sdk(sdk: Ask, provider: Provider) -> None:
    aws = {"message": "Input is too long for requested model."}
    provider.fail_next(400, aws if sdk is with_boto3 else TOO_LONG, times=9)
    assert reason_of(sdk, provider.url) == fallback.Reason("the prompt is too long for it", is_loud=True)


@WITH_EACH_SDK
def test_a_lost_connection_is_known_with_each_sdk(sdk: Ask, provider: Provider) -> None:
    provider.drop_next(9)
    reason = reason_of(sdk, provider.url)
    assert reason is not None
    assert not reason.is_loud


@WITH_EACH_SDK
def test_a_lost_hour_is_known_with_each_sdk(sdk: Ask, provider: Provider) -> None:
    provider.hang_next(9)
    reason = reason_of(sdk, provider.url)
    assert reason is not None
    assert not reason.is_loud


@WITH_EACH_SDK
def test_a_host_that_is_not_there_is_known_with_each_sdk(sdk: Ask) -> None:
    reason = reason_of(sdk, "http://127.0.0.1:9")
    assert reason is not None
    assert not reason.is_loud
