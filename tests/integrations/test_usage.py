"""Usage: what each SDK returns says the same as the JSON that it read, and as the server that answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import anthropic
import boto3
import litellm
import openai
import pytest
from anthropic.types import Message, RawMessageStartEvent
from google import genai
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseCompletedEvent
from pydantic_ai.usage import RunUsage

from pipelex_cogt import Usage, UsageError
from tests.integrations.exchange import Tokens
from tests.integrations.server import Provider
from tests.usages import (
    CHAT,
    CHAT_USAGE,
    GEMINI,
    GEMINI_USAGE,
    MESSAGE,
    MESSAGE_USAGE,
    RESPONSE,
    RESPONSE_USAGE,
)

CHUNK = {**CHAT, "object": "chat.completion.chunk"}
COMPLETED = {"type": "response.completed", "sequence_number": 9, "response": RESPONSE}
STARTED = {"type": "message_start", "message": MESSAGE}
RUN = RunUsage(input_tokens=9, output_tokens=5, cache_read_tokens=4, cache_write_tokens=2, input_audio_tokens=1)
RUN_USAGE = Usage(9, 5, input_cached=4, input_cache_write=2, input_audio=1)

ANSWERS = {
    "chat": (ChatCompletion.model_validate(CHAT), CHAT_USAGE),
    "chat, the last chunk": (ChatCompletionChunk.model_validate(CHUNK), CHAT_USAGE),
    "responses": (Response.model_validate(RESPONSE), RESPONSE_USAGE),
    "responses, the last event": (ResponseCompletedEvent.model_validate(COMPLETED), RESPONSE_USAGE),
    "messages": (Message.model_validate(MESSAGE), MESSAGE_USAGE),
    "gemini": (GenerateContentResponse.model_validate(GEMINI), GEMINI_USAGE),
    "litellm": (litellm.ModelResponse(usage=CHAT["usage"]), CHAT_USAGE),
    "a run of pydantic-ai": (SimpleNamespace(usage=RUN), RUN_USAGE),
    "a usage of pydantic-ai": (RUN, RUN_USAGE),
}


@pytest.mark.parametrize(("response", "usage"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_states_its_usage(response: object, usage: Usage) -> None:
    assert Usage.of(response) == usage


def test_the_first_event_of_messages_counts_no_answer_yet() -> None:
    with pytest.raises(UsageError, match="RawMessageStartEvent states no usage"):
        Usage.of(RawMessageStartEvent.model_validate(STARTED))


def test_a_chunk_before_the_last_states_none() -> None:
    chunk = ChatCompletionChunk.model_validate({**CHUNK, "usage": None})
    with pytest.raises(UsageError, match=r"^a ChatCompletionChunk states no usage"):
        Usage.of(chunk)


# Answers of a server

HELLO: Any = [{"role": "user", "content": "Hello"}]
SPENT = Usage(1000, 300, input_cached=600, input_cache_write=100, output_reasoning=200)
TOKENS = Tokens(input=1000, output=300, cached=600, cache_write=100, reasoning=200)


def of_chat(url: str, *, streams: bool) -> object:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0) as client:
        if not streams:
            return client.chat.completions.create(model="gpt-5.4", messages=HELLO)
        with_usage: Any = {"stream": True, "stream_options": {"include_usage": True}}
        *_, last = client.chat.completions.create(model="gpt-5.4", messages=HELLO, **with_usage)
        return last


def of_responses(url: str, *, streams: bool) -> object:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0) as client:
        if not streams:
            return client.responses.create(model="gpt-5.5-pro", input="Hello")
        *_, last = client.responses.create(model="gpt-5.5-pro", input="Hello", stream=True)
        return last


def of_messages(url: str, *, streams: bool) -> object:
    asked: Any = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": HELLO}
    with anthropic.Anthropic(base_url=url, api_key="key", max_retries=0) as client:
        if not streams:
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            return stream.get_final_message()


def of_gemini(url: str, *, streams: bool) -> object:
    client = genai.Client(api_key="key", http_options={"base_url": url})
    asked: Any = {"model": "gemini-3.1-pro-preview", "contents": "Hello"}
    if not streams:
        return client.models.generate_content(**asked)
    *_, last = client.models.generate_content_stream(**asked)
    return last


def of_converse(url: str, *, streams: bool) -> object:
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}
    client = boto3.client("bedrock-runtime", endpoint_url=url, region_name="us-east-1", **keys)
    asked = {
        "modelId": "global.amazon.nova-2-lite-v1:0",
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
    }
    if not streams:
        return client.converse(**asked)
    return next(event for event in client.converse_stream(**asked)["stream"] if "metadata" in event)


CALLS = {
    "chat": (of_chat, SPENT),
    "responses": (of_responses, SPENT),
    "messages": (of_messages, SPENT),
    # Gemini counts no writes to its cache, for they are requests of their own.
    "gemini": (of_gemini, replace(SPENT, input_cache_write=0)),
    # Converse says nothing of reasoning.
    "converse": (of_converse, replace(SPENT, output_reasoning=0)),
}


@pytest.mark.parametrize("streams", [False, True], ids=["create", "stream"])
@pytest.mark.parametrize(("call", "usage"), CALLS.values(), ids=CALLS)
def test_a_call_states_what_it_took(
    provider: Provider, call: Callable[..., object], usage: Usage, *, streams: bool
) -> None:
    provider.tokens = TOKENS
    assert Usage.of(call(provider.url, streams=streams)) == usage
