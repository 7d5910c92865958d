"""The rule of the loopback server: each SDK, sync and async, understands what it says, in every dialect."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anthropic
import boto3
import openai
import pytest
from google import genai
from google.auth.transport.requests import Request as GoogleRequest
from google.oauth2.credentials import Credentials
from pydantic import BaseModel

from tests.integrations.conftest import LeftTheMachineError
from tests.integrations.exchange import TEXT, Tokens
from tests.integrations.server import Provider

HELLO: Any = [{"role": "user", "content": "Hello"}]
USED = Tokens()


class City(BaseModel):
    name: str
    inhabitants: int


THE_CITY = City(name="text", inhabitants=1)
WEATHER: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
RESPONSES_TOOLS: Any = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
CLAUDE_TOOLS: Any = [{"name": "weather", "input_schema": WEATHER}]
SUNNY = {"city": "text"}


async def collected(stream: Any) -> list[Any]:
    return [piece async for piece in stream]


# OpenAI, chat completions


@pytest.fixture
def openai_client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def asynchronously(build: Callable[[], Any], use: Callable[[Any], Any]) -> Any:
    """Use a client of its own within an event loop of its own, and close it."""

    async def run() -> Any:
        async with build() as client:
            return await use(client)

    return asyncio.run(run())


@pytest.fixture
def async_openai(provider: Provider) -> Callable[[Callable[[Any], Any]], Any]:
    def run(use: Callable[[Any], Any]) -> Any:
        def build() -> openai.AsyncOpenAI:
            return openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="sk-test", max_retries=0)

        return asynchronously(build, use)

    return run


def test_chat_answers_and_counts(openai_client: openai.OpenAI, provider: Provider) -> None:
    answer = openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.completion_tokens_details is not None
    counted = (
        answer.usage.prompt_tokens,
        answer.usage.prompt_tokens_details.cached_tokens,
        answer.usage.completion_tokens,
        answer.usage.completion_tokens_details.reasoning_tokens,
    )
    assert counted == (USED.input, USED.cached, USED.output, USED.reasoning)
    request = provider.requests[-1]
    assert (request.method, request.path, request.host, request.dialect, request.model, request.status) == (
        "POST",
        "/v1/chat/completions",
        "openai",
        "chat",
        "gpt-5.4",
        200,
    )
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.body == {"model": "gpt-5.4", "messages": HELLO}


def test_chat_answers_an_async_client(async_openai: Any) -> None:
    answer = async_openai(lambda client: client.chat.completions.create(model="gpt-5.4", messages=HELLO))
    assert answer.choices[0].message.content == TEXT


def test_chat_streams_and_counts_at_the_end(openai_client: openai.OpenAI, provider: Provider) -> None:
    with openai_client.chat.completions.stream(
        model="gpt-5.4", messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert len(pieces) > 1
    assert "".join(pieces) == final.choices[0].message.content == TEXT
    assert final.usage is not None
    assert final.usage.total_tokens == USED.input + USED.output
    assert provider.requests[-1].stream


def test_chat_streams_without_counting_unless_asked(openai_client: openai.OpenAI) -> None:
    chunks = list(openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO, stream=True))
    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)


def test_chat_streams_to_an_async_client(async_openai: Any) -> None:
    async def use(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(model="gpt-5.4", messages=HELLO, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert async_openai(use) == TEXT


def test_chat_answers_with_an_object(openai_client: openai.OpenAI, async_openai: Any) -> None:
    answer = openai_client.chat.completions.parse(model="gpt-5.4", messages=HELLO, response_format=City)
    assert answer.choices[0].message.parsed == THE_CITY
    later = async_openai(lambda it: it.chat.completions.parse(model="gpt-5.4", messages=HELLO, response_format=City))
    assert later.choices[0].message.parsed == THE_CITY


def test_chat_calls_a_tool_and_speaks_after_its_result(openai_client: openai.OpenAI) -> None:
    create = openai_client.chat.completions.create
    message = create(model="gpt-5.4", messages=HELLO, tools=CHAT_TOOLS).choices[0].message
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "text"}')
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    conversation: Any = [*HELLO, message.to_dict(), result]
    assert create(model="gpt-5.4", messages=conversation, tools=CHAT_TOOLS).choices[0].message.content == TEXT


def test_chat_streams_a_call(openai_client: openai.OpenAI) -> None:
    with openai_client.chat.completions.stream(model="gpt-5.4", messages=HELLO, tools=CHAT_TOOLS) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.arguments == '{"city": "text"}'


# OpenAI, the Responses API


def test_responses_answer_and_count(openai_client: openai.OpenAI, async_openai: Any) -> None:
    for answer in (
        openai_client.responses.create(model="gpt-5.5-pro", input="Hello"),
        async_openai(lambda client: client.responses.create(model="gpt-5.5-pro", input="Hello")),
    ):
        assert answer.output_text == TEXT
        assert answer.output[0].type == "reasoning"
        used: Any = answer.usage
        counted = (used.input_tokens, used.input_tokens_details.cached_tokens, used.output_tokens)
        assert (*counted, used.output_tokens_details.reasoning_tokens) == (
            USED.input,
            USED.cached,
            USED.output,
            USED.reasoning,
        )


def test_responses_stream(openai_client: openai.OpenAI, async_openai: Any) -> None:
    with openai_client.responses.stream(model="gpt-5.5-pro", input="Hello") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert len(pieces) > 1
    assert "".join(pieces) == final.output_text == TEXT
    assert final.usage is not None

    async def use(client: openai.AsyncOpenAI) -> str:
        events = await collected(await client.responses.create(model="gpt-5.4", input="Hello", stream=True))
        return "".join(event.delta for event in events if event.type == "response.output_text.delta")

    assert async_openai(use) == TEXT


def test_responses_answer_with_an_object(openai_client: openai.OpenAI) -> None:
    answer = openai_client.responses.parse(model="gpt-5.4", input="Hello", text_format=City)
    assert answer.output_parsed == THE_CITY


def test_responses_call_a_tool_and_speak_after_its_result(openai_client: openai.OpenAI) -> None:
    first = openai_client.responses.create(model="gpt-5.5-pro", input=HELLO, tools=RESPONSES_TOOLS)
    call = first.output[-1]
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("weather", '{"city": "text"}')
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    conversation: Any = [*HELLO, *(item.to_dict() for item in first.output), result]
    second = openai_client.responses.create(model="gpt-5.5-pro", input=conversation, tools=RESPONSES_TOOLS)
    assert second.output_text == TEXT


def test_responses_stream_a_call(openai_client: openai.OpenAI) -> None:
    with openai_client.responses.stream(model="gpt-5.5-pro", input="Hello", tools=RESPONSES_TOOLS) as stream:
        call = stream.get_final_response().output[-1]
    assert call.type == "function_call"
    assert call.arguments == '{"city": "text"}'


# Azure


def test_azure_is_spoken_to_in_both_forms(provider: Provider) -> None:
    dated = openai.AzureOpenAI(azure_endpoint=provider.url, api_key="key", api_version="2026-01-01", max_retries=0)
    with dated:
        assert dated.chat.completions.create(model="gpt-5.4", messages=HELLO).choices[0].message.content == TEXT
        assert dated.responses.create(model="gpt-5.4", input="Hello").output_text == TEXT
    with openai.OpenAI(base_url=f"{provider.url}/openai/v1/", api_key="key", max_retries=0) as client:
        assert client.responses.create(model="gpt-5.4", input="Hello").output_text == TEXT
    assert [(request.host, request.path, dict(request.query)) for request in provider.requests] == [
        ("azure_openai", "/openai/deployments/gpt-5.4/chat/completions", {"api-version": "2026-01-01"}),
        ("azure_openai", "/openai/responses", {"api-version": "2026-01-01"}),
        ("azure_openai", "/openai/v1/responses", {}),
    ]
    assert provider.requests[0].headers["api-key"] == "key"


# Anthropic, on its three platforms

SONNET = "claude-sonnet-4-6"
ON_BEDROCK = "global.anthropic.claude-sonnet-4-6"


def claudes(provider: Provider) -> list[Any]:
    """Return how to build each of Anthropic's clients: sync, async, and a model of its platform."""
    on_bedrock = {"base_url": provider.url, "aws_region": "us-east-1", "max_retries": 0}
    on_vertex = {"base_url": f"{provider.url}/v1", "region": "global", "project_id": "p", "max_retries": 0}
    direct = {"base_url": provider.url, "api_key": "key", "max_retries": 0}
    signed = {**on_bedrock, "aws_access_key": "AKIA", "aws_secret_key": "secret"}
    return [
        (anthropic.Anthropic, anthropic.AsyncAnthropic, direct, SONNET),
        (anthropic.AnthropicVertex, anthropic.AsyncAnthropicVertex, {**on_vertex, "access_token": "ya29"}, SONNET),
        (anthropic.AnthropicBedrock, anthropic.AsyncAnthropicBedrock, {**on_bedrock, "api_key": "key"}, ON_BEDROCK),
        (anthropic.AnthropicBedrock, anthropic.AsyncAnthropicBedrock, signed, ON_BEDROCK),
    ]


PLATFORMS = pytest.mark.parametrize("platform", range(4), ids=["anthropic", "vertexai", "bedrock", "bedrock-signed"])


@PLATFORMS
def test_claude_answers_and_counts(provider: Provider, platform: int) -> None:
    sync, asynchronous, options, model = claudes(provider)[platform]
    asked: Any = {"model": model, "max_tokens": 100, "messages": HELLO}
    with sync(**options) as client:
        first = client.messages.create(**asked)
    second = asynchronously(lambda: asynchronous(**options), lambda client: client.messages.create(**asked))
    for answer in (first, second):
        assert answer.content[0].text == TEXT
        used = answer.usage
        assert used.input_tokens + used.cache_read_input_tokens + used.cache_creation_input_tokens == USED.input
        assert (used.cache_read_input_tokens, used.output_tokens) == (USED.cached, USED.output)
    assert [(request.dialect, request.model, request.host) for request in provider.requests] == [
        ("messages", model, ("anthropic", "vertexai", "bedrock", "bedrock")[platform])
    ] * 2


@PLATFORMS
def test_claude_streams(provider: Provider, platform: int) -> None:
    sync, asynchronous, options, model = claudes(provider)[platform]
    asked: Any = {"model": model, "max_tokens": 100, "messages": HELLO}
    with sync(**options) as client, client.messages.stream(**asked) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == TEXT
    assert (final.usage.output_tokens, final.stop_reason) == (USED.output, "end_turn")

    async def use(client: Any) -> str:
        async with client.messages.stream(**asked) as stream:
            return str(await stream.get_final_text())

    assert asynchronously(lambda: asynchronous(**options), use) == TEXT
    assert all(request.stream for request in provider.requests)


@PLATFORMS
def test_claude_answers_with_an_object(provider: Provider, platform: int) -> None:
    sync, _, options, model = claudes(provider)[platform]
    with sync(**options) as client:
        answer = client.messages.parse(model=model, max_tokens=100, messages=HELLO, output_format=City)
    assert answer.parsed_output == THE_CITY


@PLATFORMS
def test_claude_calls_a_tool_and_speaks_after_its_result(provider: Provider, platform: int) -> None:
    sync, _, options, model = claudes(provider)[platform]
    asked: Any = {"model": model, "max_tokens": 100, "tools": CLAUDE_TOOLS}
    with sync(**options) as client:
        first = client.messages.create(**asked, messages=HELLO)
        with client.messages.stream(**asked, messages=HELLO) as stream:
            streamed = stream.get_final_message()
        call = first.content[0]
        assert (call.type, call.name, call.input) == ("tool_use", "weather", SUNNY)
        assert streamed.content[0].input == SUNNY
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
        said = {"role": "assistant", "content": [block.to_dict() for block in first.content]}
        conversation = [*HELLO, said, {"role": "user", "content": [result]}]
        assert client.messages.create(**asked, messages=conversation).content[0].text == TEXT


def test_a_claude_that_thinks_says_so_first(provider: Provider) -> None:
    with anthropic.Anthropic(base_url=provider.url, api_key="key") as client:
        asked: Any = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": HELLO}
        assert [block.type for block in client.messages.create(**asked).content] == ["thinking", "text"]
        with client.messages.stream(**asked) as stream:
            assert [block.type for block in stream.get_final_message().content] == ["thinking", "text"]


# Gemini, on both of Google's platforms


def gemini(provider: Provider, platform: str) -> genai.Client:
    if platform == "google":
        return genai.Client(api_key="key", http_options={"base_url": provider.url})
    return genai.Client(
        vertexai=True,
        project="p",
        location="global",
        credentials=Credentials(token="ya29"),
        http_options={"base_url": provider.url},
    )


GOOGLES = pytest.mark.parametrize("platform", ["google", "vertexai"])


@GOOGLES
def test_gemini_answers_and_counts(provider: Provider, platform: str) -> None:
    asked: Any = {"model": "gemini-3.5-flash", "contents": "Hello"}

    async def use() -> Any:
        async with gemini(provider, platform).aio as client:
            return await client.models.generate_content(**asked)

    with gemini(provider, platform) as client:
        first = client.models.generate_content(**asked)
    for answer in (first, asyncio.run(use())):
        assert answer.text == TEXT
        used: Any = answer.usage_metadata
        assert (used.prompt_token_count, used.cached_content_token_count) == (USED.input, USED.cached)
        assert used.candidates_token_count + used.thoughts_token_count == USED.output
    assert [(request.dialect, request.model, request.host) for request in provider.requests] == [
        ("gemini", "gemini-3.5-flash", platform)
    ] * 2


@GOOGLES
def test_gemini_streams(provider: Provider, platform: str) -> None:
    asked: Any = {"model": "gemini-3.5-flash", "contents": "Hello"}
    with gemini(provider, platform) as client:
        chunks = list(client.models.generate_content_stream(**asked))
    assert len(chunks) > 1
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT

    async def use() -> str:
        async with gemini(provider, platform).aio as client:
            stream: AsyncIterator[Any] = await client.models.generate_content_stream(**asked)
            return "".join([chunk.text async for chunk in stream])

    assert asyncio.run(use()) == TEXT


@GOOGLES
def test_gemini_answers_with_an_object(provider: Provider, platform: str) -> None:
    config: Any = {"response_mime_type": "application/json", "response_schema": City}
    with gemini(provider, platform) as client:
        answer = client.models.generate_content(model="gemini-3.5-flash", contents="Hello", config=config)
    assert answer.parsed == THE_CITY


@GOOGLES
def test_gemini_calls_a_tool_and_speaks_after_its_result(provider: Provider, platform: str) -> None:
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"sunny in {city}"

    with gemini(provider, platform) as client:
        answer = client.models.generate_content(model="gemini-3.5-flash", contents="Hello", config={"tools": [weather]})
    assert answer.text == TEXT
    assert [request.status for request in provider.requests] == [200, 200]


# Bedrock's Converse


@pytest.fixture
def bedrock(provider: Provider) -> Iterator[Any]:
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=provider.url,
        region_name="us-east-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
    )
    yield client
    client.close()


NOVA = "global.amazon.nova-2-lite-v1:0"
CONVERSATION: Any = [{"role": "user", "content": [{"text": "Hello"}]}]
CONVERSE_TOOLS: Any = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": WEATHER}}}]}


def test_converse_answers_counts_and_streams(bedrock: Any, provider: Provider) -> None:
    answer = bedrock.converse(modelId=NOVA, messages=CONVERSATION)
    assert answer["output"]["message"]["content"] == [{"text": TEXT}]
    used = answer["usage"]
    assert (used["cacheReadInputTokens"], used["outputTokens"]) == (USED.cached, USED.output)
    events = list(bedrock.converse_stream(modelId=NOVA, messages=CONVERSATION)["stream"])
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert len(deltas) > 1
    assert "".join(deltas) == TEXT
    assert events[-1]["metadata"]["usage"] == used
    assert [(request.dialect, request.model) for request in provider.requests] == [("converse", NOVA)] * 2


def test_converse_calls_a_tool_and_speaks_after_its_result(bedrock: Any) -> None:
    asked: Any = {"modelId": NOVA, "toolConfig": CONVERSE_TOOLS}
    said = bedrock.converse(messages=CONVERSATION, **asked)["output"]["message"]
    call = said["content"][0]["toolUse"]
    assert (call["name"], call["input"]) == ("weather", SUNNY)
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "sunny"}]}}
    conversation = [*CONVERSATION, said, {"role": "user", "content": [result]}]
    answer = bedrock.converse(messages=conversation, **asked)
    assert answer["output"]["message"]["content"] == [{"text": TEXT}]


# What a test can plan


def test_an_error_comes_in_the_words_of_its_dialect(openai_client: openai.OpenAI, provider: Provider) -> None:
    provider.fail_next(429, times=2, headers={"retry-after": "7"})
    with pytest.raises(openai.RateLimitError) as caught:
        openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO)
    assert caught.value.response.headers["retry-after"] == "7"
    with (
        anthropic.Anthropic(base_url=provider.url, api_key="key", max_retries=0) as client,
        pytest.raises(anthropic.RateLimitError) as raised,
    ):
        client.messages.create(model=SONNET, max_tokens=100, messages=HELLO)
    assert raised.value.body == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "planned: 429"},
        "request_id": "req_loopback",
    }
    assert openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO).choices
    assert [request.status for request in provider.requests] == [429, 429, 200]


def test_an_error_of_bedrock_and_one_of_google(bedrock: Any, provider: Provider) -> None:
    provider.fail_next(403, host="bedrock")
    with pytest.raises(bedrock.exceptions.AccessDeniedException):
        bedrock.converse(modelId=NOVA, messages=CONVERSATION)
    provider.fail_next(400, {"error": {"code": 400, "message": "mine", "status": "MINE"}})
    with gemini(provider, "google") as client, pytest.raises(genai.errors.ClientError) as caught:
        client.models.generate_content(model="gemini-3.5-flash", contents="Hello")
    assert (caught.value.code, caught.value.status, caught.value.message) == (400, "MINE", "mine")


def test_a_plan_waits_for_its_model(openai_client: openai.OpenAI, provider: Provider) -> None:
    provider.fail_next(503, model="gpt-6-sol")
    openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO)
    with pytest.raises(openai.InternalServerError):
        openai_client.chat.completions.create(model="gpt-6-sol", messages=HELLO)


def test_a_connection_is_dropped_or_left_hanging(provider: Provider) -> None:
    provider.drop_next()
    provider.hang_next()
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="key", max_retries=0, timeout=0.2) as client:
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(model="gpt-5.4", messages=HELLO)
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="gpt-5.4", messages=HELLO)
    assert [request.status for request in provider.requests] == [0, 0]


def test_a_test_says_what_is_answered(openai_client: openai.OpenAI, provider: Provider) -> None:
    provider.answer("Bonjour")
    answer = openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO)
    assert answer.choices[0].message.content == "Bonjour"


def test_many_threads_are_served_at_once(provider: Provider, openai_client: openai.OpenAI) -> None:
    def ask() -> None:
        openai_client.chat.completions.create(model="gpt-5.4", messages=HELLO)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [request.status for request in provider.requests] == [200] * 20


def test_google_hands_out_a_token(provider: Provider) -> None:
    credentials = Credentials(
        token=None, refresh_token="1//x", token_uri=f"{provider.url}/token", client_id="c", client_secret="s"
    )
    credentials.refresh(GoogleRequest())
    assert credentials.token == "ya29.loopback"
    assert provider.requests[-1].body["refresh_token"] == "1//x"


# Nothing leaves the machine


def test_a_connection_to_elsewhere_fails_the_test(nothing_leaves_the_machine: list[str]) -> None:
    with socket.socket() as client, pytest.raises(LeftTheMachineError, match="not on this machine"):
        client.connect(("192.0.2.1", 443))
    with pytest.raises(LeftTheMachineError):
        socket.getaddrinfo("api.openai.com", 443)
    with pytest.raises(LeftTheMachineError):
        socket.create_connection(("api.anthropic.com", 443))
    assert nothing_leaves_the_machine == ["('192.0.2.1', 443)", "api.openai.com", "api.anthropic.com"]
    nothing_leaves_the_machine.clear()


def test_a_connection_in_a_thread_is_seen_even_where_its_error_is_swallowed(
    nothing_leaves_the_machine: list[str],
) -> None:
    def leave() -> None:
        client = openai.OpenAI(api_key="sk-test", max_retries=0)
        with client, pytest.raises(openai.APIConnectionError):
            client.models.list()

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert nothing_leaves_the_machine == ["api.openai.com"]
    nothing_leaves_the_machine.clear()


def test_an_event_loop_is_watched_too(nothing_leaves_the_machine: list[str]) -> None:
    async def leave() -> None:
        await asyncio.open_connection("192.0.2.1", 443)

    with pytest.raises(LeftTheMachineError):
        asyncio.run(leave())
    assert nothing_leaves_the_machine
    nothing_leaves_the_machine.clear()


def test_the_loopback_interface_is_no_elsewhere(provider: Provider, nothing_leaves_the_machine: list[str]) -> None:
    port = int(provider.url.rsplit(":", 1)[1])
    socket.create_connection(("localhost", port)).close()
    assert nothing_leaves_the_machine == []


def test_the_server_ends_with_its_context() -> None:
    with Provider() as provider:
        port = int(provider.url.rsplit(":", 1)[1])
    time.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
