"""Usage: which counts include which, what cannot be true, and what the answers of the APIs say."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import Usage, UsageError
from pipelex_cogt.model_backends.usage import COUNTS
from tests.usages import (
    CHAT,
    CHAT_USAGE,
    CONVERSE,
    CONVERSE_USAGE,
    GEMINI,
    GEMINI_USAGE,
    MESSAGE,
    MESSAGE_USAGE,
    RESPONSE,
    RESPONSE_USAGE,
    usages,
)

IMPOSSIBLE = {
    "negative": ({"input": -1}, "input: expected a number of tokens, got -1"),
    "a fraction": ({"output": 1.5}, "output: expected a number of tokens, got a Python float"),
    "text": ({"input": "12"}, "input: expected a number of tokens, got a Python str"),
    "true": ({"input": True}, "input: expected a number of tokens, got a Python bool"),
    "none": ({"input": None}, "input: expected a number of tokens, got a Python NoneType"),
    "more cached than read": ({"input": 5, "input_cached": 6}, "input_cached 6 cannot be part of input 5"),
    "more cached and written than read": (
        {"input": 5, "input_cached": 3, "input_cache_write": 3},
        "input_cached 3 and input_cache_write 3 cannot be part of input 5",
    ),
    "more kept than written": (
        {"input": 9, "input_cache_write": 3, "input_cache_write_1h": 4},
        "input_cache_write_1h 4 cannot be part of input_cache_write 3",
    ),
    "more audio than read": ({"input": 5, "input_audio": 6}, "input_audio 6 cannot be part of input 5"),
    "more cached audio than audio": (
        {"input": 9, "input_cached": 9, "input_audio": 1, "input_audio_cached": 2},
        "input_audio_cached 2 cannot be part of input_audio 1",
    ),
    "cached and audio, and none of it both": (
        {"input": 9, "input_cached": 6, "input_audio": 4},
        "input 9 cannot hold 10 tokens that are cached, written or audio",
    ),
    "more reasoning than written": (
        {"output": 5, "output_reasoning": 6},
        "output_reasoning 6 cannot be part of output 5",
    ),
}


@pytest.mark.parametrize(("counts", "problem"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_impossible_count_is_an_error_of_ours(counts: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        Usage(**counts)
    assert str(caught.value) == problem
    assert isinstance(caught.value, ValueError)


def test_what_is_cached_and_audio_at_once_counts_once() -> None:
    assert Usage(input=9, input_cached=6, input_audio=4, input_audio_cached=1).input_audio == 4


@given(usages(), usages(), usages())
def test_usages_add_up_count_by_count(first: Usage, second: Usage, third: Usage) -> None:
    assert (first + second) + third == first + (second + third)
    assert first + second == second + first
    assert first + Usage() == first
    for name in COUNTS:
        assert getattr(first + second, name) == getattr(first, name) + getattr(second, name)


def test_a_usage_adds_to_nothing_else() -> None:
    with pytest.raises(TypeError):
        Usage() + 5


def test_a_usage_is_a_value() -> None:
    usage = Usage(3, 2, input_cached=1)
    assert pickle.loads(pickle.dumps(usage)) == usage
    assert {usage: "x"}[Usage(3, 2, 1)] == "x"
    assert Usage.of(usage) is usage


# What APIs answer

ANSWERS = {
    "chat": (CHAT, CHAT_USAGE),
    "chat, the usage alone": (CHAT["usage"], CHAT_USAGE),
    "responses": (RESPONSE, RESPONSE_USAGE),
    "responses, the last event": ({"type": "response.completed", "response": RESPONSE}, RESPONSE_USAGE),
    "messages": (MESSAGE, MESSAGE_USAGE),
    "messages, the last event": ({"type": "message_stop", "message": MESSAGE}, MESSAGE_USAGE),
    "gemini": (GEMINI, GEMINI_USAGE),
    "converse": (CONVERSE, CONVERSE_USAGE),
    "converse, the last event": ({"metadata": {"usage": CONVERSE["usage"]}}, CONVERSE_USAGE),
    "an object": (SimpleNamespace(usage=SimpleNamespace(prompt_tokens=3, completion_tokens=2)), Usage(3, 2)),
    "without details": ({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}, Usage(3, 2)),
    "details that are null": (
        {"usage": {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": None}},
        Usage(3, 2),
    ),
    "counts that are null": (
        {"usage": {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": None}},
        Usage(3, 2),
    ),
    "responses of a host that states no details": ({"usage": {"input_tokens": 3, "output_tokens": 2}}, Usage(3, 2)),
    "an embedding": ({"usage": {"prompt_tokens": 3, "total_tokens": 3}}, Usage(3)),
    "deepseek's own words": (
        {"usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}},
        Usage(9, 2, input_cached=4),
    ),
    "moonshot's own words": (
        {"usage": {"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 4}},
        Usage(9, 2, input_cached=4),
    ),
    "langchain": (
        {
            "usage_metadata": {
                "input_tokens": 9,
                "output_tokens": 5,
                "total_tokens": 14,
                "input_token_details": {"cache_read": 4, "cache_creation": 2, "audio": 1},
                "output_token_details": {"reasoning": 3},
            }
        },
        Usage(9, 5, input_cached=4, input_cache_write=2, input_audio=1, output_reasoning=3),
    ),
    "xAI, which counts reasoning beside the answer": (
        {
            "usage": {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "total_tokens": 18,
                "completion_tokens_details": {"reasoning_tokens": 7},
            }
        },
        Usage(9, 9, output_reasoning=7),
    ),
    "audio and cached, and some of it must be both": (
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 5},
            }
        },
        Usage(10, 1, input_cached=8, input_audio=5, input_audio_cached=3),
    ),
}


@pytest.mark.parametrize(("response", "usage"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_states_its_usage(response: object, usage: Usage) -> None:
    assert Usage.of(response) == usage


NOTHING = {
    "no usage": ({"usage": None}, "a dict"),
    "an object": (SimpleNamespace(usage=None), "a SimpleNamespace"),
    "an event that counts the answer alone": ({"type": "message_delta", "usage": {"output_tokens": 9}}, "a dict"),
    "an event that counts no answer yet": ({"type": "message_start", "message": MESSAGE}, "a dict"),
    "metadata of the application's own": (
        {"usage": None, "metadata": {"input_tokens": 9, "usage": {"day": "1"}}},
        "a dict",
    ),
    "no answer": (None, "a NoneType"),
    "text": ("an answer", "a str"),
    "an empty usage": ({"usage": {}}, "a dict"),
}


@pytest.mark.parametrize(("response", "what"), NOTHING.values(), ids=NOTHING)
def test_an_answer_that_states_no_usage_is_not_free(response: object, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        Usage.of(response)
    assert str(caught.value) == (
        f"{what} states no usage; of a stream take the last chunk, and ask OpenAI's chat for it with"
        ' stream_options={"include_usage": True}'
    )


WRONG = {
    "negative": ({"prompt_tokens": -3}, "prompt_tokens: expected a number of tokens, got -3"),
    "text": ({"input_tokens": "3"}, "input_tokens: expected a number of tokens, got a Python str"),
    "impossible": (
        {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
        "input_cached 4 cannot be part of input 3",
    ),
}


@pytest.mark.parametrize(("usage", "problem"), WRONG.values(), ids=WRONG)
def test_an_answer_with_a_usage_that_cannot_be_true_is_refused(usage: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        Usage.of({"usage": usage})
    assert str(caught.value) == problem


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_anthropic_counts_beside_the_input_is_part_of_ours(plain: int, cached: int, short: int, long: int) -> None:
    usage = Usage.of(
        {
            "input_tokens": plain,
            "output_tokens": 0,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": short + long,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        }
    )
    assert usage.input == plain + cached + short + long
    assert usage == Usage(
        usage.input, 0, input_cached=cached, input_cache_write=short + long, input_cache_write_1h=long
    )
