"""Usages that can be true, for property tests, and answers of the APIs as JSON, each with its usage."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipelex_cogt import Usage

CHAT: dict[str, Any] = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5.5",
    "choices": [],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "total_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100, "audio_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 20, "accepted_prediction_tokens": 5},
    },
}
CHAT_USAGE = Usage(
    1000, 300, input_cached=600, input_cache_write=100, input_audio=50, output_audio=20, output_reasoning=200
)
RESPONSE: dict[str, Any] = {
    "id": "r",
    "object": "response",
    "created_at": 1,
    "model": "o3-pro",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "metadata": {"usage": "the application's own"},
    "usage": {
        "input_tokens": 1000,
        "output_tokens": 300,
        "total_tokens": 1300,
        "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
        "output_tokens_details": {"reasoning_tokens": 200},
    },
}
RESPONSE_USAGE = Usage(1000, 300, input_cached=600, input_cache_write=100, output_reasoning=200)
MESSAGE: dict[str, Any] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "claude-5-opus",
    "content": [],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 300,
        "output_tokens": 200,
        "cache_read_input_tokens": 600,
        "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
        "output_tokens_details": {"thinking_tokens": 150},
    },
}
MESSAGE_USAGE = Usage(1000, 200, input_cached=600, input_cache_write=100, input_cache_write_1h=40, output_reasoning=150)
GEMINI: dict[str, Any] = {
    "candidates": [],
    "usageMetadata": {
        "promptTokenCount": 1000,
        "candidatesTokenCount": 200,
        "thoughtsTokenCount": 100,
        "toolUsePromptTokenCount": 50,
        "cachedContentTokenCount": 600,
        "totalTokenCount": 1350,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 900},
            {"modality": "AUDIO", "tokenCount": 100},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}, {"modality": "TEXT", "tokenCount": 570}],
    },
}
GEMINI_USAGE = Usage(1050, 300, input_cached=600, input_audio=100, input_audio_cached=30, output_reasoning=100)
CONVERSE: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": []}},
    "usage": {
        "inputTokens": 300,
        "outputTokens": 200,
        "totalTokens": 1200,
        "cacheReadInputTokens": 600,
        "cacheWriteInputTokens": 100,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 60}, {"ttl": "1h", "inputTokens": 40}],
    },
    "metrics": {"latencyMs": 5},
}
CONVERSE_USAGE = Usage(1000, 200, input_cached=600, input_cache_write=100, input_cache_write_1h=40)

TOKENS = st.integers(0, 2_000_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any usage that can be true, made of parts that have no token in common."""
    plain, cached, audio, cached_audio, short, long = (draw(TOKENS) for _ in range(6))
    answer, reasoning, spoken = (draw(TOKENS) for _ in range(3))
    return Usage(
        input=plain + cached + audio + cached_audio + short + long,
        output=answer + reasoning + spoken,
        input_cached=cached + cached_audio,
        input_cache_write=short + long,
        input_audio=audio + cached_audio,
        output_audio=spoken,
        output_reasoning=reasoning,
        input_cache_write_1h=long,
        input_audio_cached=cached_audio,
    )
