"""Usage: what the SDKs return says the same as the JSON that they read."""

from __future__ import annotations

from types import SimpleNamespace

import litellm
import pytest
from anthropic.types import Message, RawMessageStartEvent
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseCompletedEvent
from pydantic_ai.usage import RunUsage

from pipelex_cogt import Usage, UsageError
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
    "messages, the first event": (RawMessageStartEvent.model_validate(STARTED), MESSAGE_USAGE),
    "gemini": (GenerateContentResponse.model_validate(GEMINI), GEMINI_USAGE),
    "litellm": (litellm.ModelResponse(usage=CHAT["usage"]), CHAT_USAGE),
    "a run of pydantic-ai": (SimpleNamespace(usage=RUN), RUN_USAGE),
    "a usage of pydantic-ai": (RUN, RUN_USAGE),
}


@pytest.mark.parametrize(("response", "usage"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_states_its_usage(response: object, usage: Usage) -> None:
    assert Usage.of(response) == usage


def test_a_chunk_before_the_last_states_none() -> None:
    chunk = ChatCompletionChunk.model_validate({**CHUNK, "usage": None})
    with pytest.raises(UsageError, match=r"^a ChatCompletionChunk states no usage"):
        Usage.of(chunk)
