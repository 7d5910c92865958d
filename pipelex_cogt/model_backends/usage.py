"""Usage: the tokens of a call, by what is priced apart.

Usage(input=1200, output=300, input_cached=1000)
Usage.of(response)          # an answer of OpenAI, Anthropic, Google or Bedrock, as its SDK or as JSON has it

A total counts everything, and a detail says how much of a total, or of another detail, it is:

    input                   every token of the prompt
        input_cached            read from the provider's cache
            input_audio_cached      audio among them
        input_cache_write       written to the provider's cache
            input_cache_write_1h    to be kept for an hour rather than for five minutes
        input_audio             audio, cached or not
            input_audio_cached      (the same as above)
    output                  every token written
        output_reasoning        reasoning, be it shown or not
        output_audio            audio

These are the counts of `genai-prices`: `input_tokens`, `cache_read_tokens`, `cache_audio_read_tokens`,
`cache_write_tokens`, `cache_write_1h_tokens`, `input_audio_tokens`, `output_tokens`, `output_reasoning_tokens` and
`output_audio_tokens`. What an API counts beside a total (Anthropic the cache, Gemini the reasoning) is added to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from operator import add
from typing import Any, NamedTuple, Self

from pipelex_cogt.errors import UsageError

_NO_USAGE = (
    "states no usage; of a stream take the last chunk, and ask OpenAI's chat for it with"
    ' stream_options={"include_usage": True}'
)


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one call, or of several added up.

    A price may rise with the length of one prompt, so each call is priced by itself, and its cost added up.

    Attributes:
        input: Every token of the prompt.
        output: Every token written.
        input_cached: Those of the prompt that were read from the provider's cache.
        input_cache_write: Those of the prompt that were written to the provider's cache, for however long.
        input_audio: Those of the prompt that are audio, cached or not.
        output_audio: Those written that are audio.
        output_reasoning: Those written that are reasoning.
        input_cache_write_1h: Those written to the cache that are kept for an hour.
        input_audio_cached: Those read from the cache that are audio.
    """

    input: int = 0
    output: int = 0
    input_cached: int = 0
    input_cache_write: int = 0
    input_audio: int = 0
    output_audio: int = 0
    output_reasoning: int = 0
    input_cache_write_1h: int = 0
    input_audio_cached: int = 0

    def __post_init__(self) -> None:
        """Check the counts.

        Raises:
            UsageError: One is no count, or they cannot all be true.
        """
        for name in COUNTS:
            _check_count(name, getattr(self, name))
        for details, whole in _PARTS_OF:
            self._check_parts(details, whole)
        # What is both audio and cached is counted in each of the two.
        apart = self.input_cached + self.input_cache_write + self.input_audio - self.input_audio_cached
        if apart > self.input:
            raise UsageError(f"input {self.input} cannot hold {apart} tokens that are cached, written or audio")

    def _check_parts(self, details: tuple[str, ...], whole: str) -> None:
        total = sum(getattr(self, name) for name in details)
        if total > getattr(self, whole):
            stated = " and ".join(f"{name} {getattr(self, name)}" for name in details if getattr(self, name))
            raise UsageError(f"{stated} cannot be part of {whole} {getattr(self, whole)}")

    @classmethod
    def of(cls, response: object) -> Self:
        """The usage that an answer states.

        Args:
            response: What an SDK returned, the event or chunk of a stream that states the usage, the usage itself, or
                any of these as a mapping: OpenAI's chat and responses and what imitates them, Anthropic's messages,
                Gemini's answers, Bedrock's Converse, messages of LangChain, and runs of pydantic-ai.

        Raises:
            UsageError: It states none, or one that cannot be true.
        """
        if isinstance(response, cls):
            return response
        usage = _usage_in(response)
        form = next((form for form in _FORMS if form.fits(usage)), None)
        if form is None:
            raise UsageError(f"a {type(response).__name__} {_NO_USAGE}")
        return cls(**_settled(form.read(usage), _count(usage, "total_tokens")))

    def __add__(self, other: object) -> Self:
        """Both together."""
        if not isinstance(other, Usage):
            return NotImplemented
        return type(self)(*map(add, astuple(self), astuple(other)))


COUNTS = tuple(field.name for field in fields(Usage))
"""The names of the counts."""
_PARTS_OF = (
    (("input_cached", "input_cache_write"), "input"),
    (("input_audio",), "input"),
    (("input_cache_write_1h",), "input_cache_write"),
    (("input_audio_cached",), "input_cached"),
    (("input_audio_cached",), "input_audio"),
    (("output_audio", "output_reasoning"), "output"),
)
"""Details that have no token in common, with what they are part of."""


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{name}: expected a number of tokens, got a Python {type(value).__name__}")
    if value < 0:
        raise UsageError(f"{name}: expected a number of tokens, got {value}")


# What APIs answer


class _Form(NamedTuple):
    """How an API states a usage.

    A place is keys with dots between them; in a list such a key is the modality, or the time to live, of the item.

    Attributes:
        mark: A place that the API always states, and the forms below this one never do.
        counts: Our counts, each with the places that are added up; of places beside each other the first that is
            stated counts.
    """

    mark: str
    counts: Mapping[str, tuple[str | tuple[str, ...], ...]]

    def fits(self, usage: object) -> bool:
        """Whether a usage has this form."""
        return _value_at(usage, self.mark) is not None

    def read(self, usage: object) -> dict[str, int]:
        """Our counts, read from a usage of this form."""
        return {name: sum(_count(usage, place) for place in places) for name, places in self.counts.items()}


_FORMS = (
    # Gemini: https://ai.google.dev/api/generate-content#UsageMetadata
    _Form(
        "prompt_token_count",
        {
            "input": ("prompt_token_count", "tool_use_prompt_token_count"),
            "output": ("candidates_token_count", "thoughts_token_count"),
            "input_cached": ("cached_content_token_count",),
            "input_audio": (
                "prompt_tokens_details.AUDIO.token_count",
                "tool_use_prompt_tokens_details.AUDIO.token_count",
            ),
            "input_audio_cached": ("cache_tokens_details.AUDIO.token_count",),
            "output_audio": ("candidates_tokens_details.AUDIO.token_count",),
            "output_reasoning": ("thoughts_token_count",),
        },
    ),
    # OpenAI's chat: https://platform.openai.com/docs/api-reference/chat/object; LiteLLM adds what Anthropic says.
    _Form(
        "prompt_tokens",
        {
            "input": ("prompt_tokens",),
            "output": ("completion_tokens",),
            "input_cached": (("prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens", "cached_tokens"),),
            "input_cache_write": (("prompt_tokens_details.cache_write_tokens", "cache_creation_input_tokens"),),
            "input_cache_write_1h": ("prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",),
            "input_audio": ("prompt_tokens_details.audio_tokens",),
            "output_audio": ("completion_tokens_details.audio_tokens",),
            "output_reasoning": ("completion_tokens_details.reasoning_tokens",),
        },
    ),
    # OpenAI's responses: https://platform.openai.com/docs/api-reference/responses/object
    _Form(
        "input_tokens_details",
        {
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "input_cached": ("input_tokens_details.cached_tokens",),
            "input_cache_write": ("input_tokens_details.cache_write_tokens",),
            "output_reasoning": ("output_tokens_details.reasoning_tokens",),
        },
    ),
    # LangChain's `usage_metadata`, and OpenAI's realtime answers
    _Form(
        "input_token_details",
        {
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "input_cached": (("input_token_details.cache_read", "input_token_details.cached_tokens"),),
            "input_cache_write": ("input_token_details.cache_creation",),
            "input_audio": (("input_token_details.audio", "input_token_details.audio_tokens"),),
            "output_audio": (("output_token_details.audio", "output_token_details.audio_tokens"),),
            "output_reasoning": ("output_token_details.reasoning",),
        },
    ),
    # pydantic-ai: `RequestUsage` and `RunUsage`, which count as genai-prices does
    _Form(
        "cache_read_tokens",
        {
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "input_cached": ("cache_read_tokens",),
            "input_cache_write": ("cache_write_tokens",),
            "input_cache_write_1h": ("cache_write_1h_tokens",),
            "input_audio": ("input_audio_tokens",),
            "input_audio_cached": ("cache_audio_read_tokens",),
            "output_audio": ("output_audio_tokens",),
            "output_reasoning": ("output_reasoning_tokens",),
        },
    ),
    # Anthropic: https://docs.anthropic.com/en/api/messages; Bedrock's Converse counts alike, and says `cacheWrite…`:
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
    _Form(
        "input_tokens",
        {
            "input": (
                "input_tokens",
                "cache_read_input_tokens",
                ("cache_creation_input_tokens", "cache_write_input_tokens"),
            ),
            "output": ("output_tokens",),
            "input_cached": ("cache_read_input_tokens",),
            "input_cache_write": (("cache_creation_input_tokens", "cache_write_input_tokens"),),
            "input_cache_write_1h": (("cache_creation.ephemeral_1h_input_tokens", "cache_details.1h.input_tokens"),),
            "output_reasoning": ("output_tokens_details.thinking_tokens",),
        },
    ),
)
"""What the APIs state, tried in this order."""
_PLACES_OF_USAGE = ("usage", "usage_metadata", "response", "message", "metadata.usage")
"""Where an answer, or an event of a stream, holds its usage, or the answer that does."""
_BEGINNING = "message_start"
"""The event of Anthropic's streams that counts the prompt, and of the answer what is written so far."""


def _usage_in(response: object) -> object:
    """What an answer says of its usage; the answer itself, where that is a usage."""
    if _item(response, "type") == _BEGINNING:
        return None
    if any(form.fits(response) for form in _FORMS):
        return response
    held = (_value_at(response, place) for place in _PLACES_OF_USAGE)
    found = (_usage_in(inner) for inner in held if inner is not None)
    return next((usage for usage in found if usage is not None), None)


def _settled(counts: dict[str, int], total: int) -> dict[str, int]:
    """Counts in which what an API leaves open is settled."""
    reasoning = counts["output_reasoning"]
    # xAI counts reasoning beside the answer, as its total shows.
    if reasoning and counts["input"] + counts["output"] + reasoning == total:
        counts["output"] += reasoning
    # OpenAI's chat says how much was cached and how much is audio, not how much is both: no less than this.
    apart = counts["input_cached"] + counts.get("input_cache_write", 0) + counts.get("input_audio", 0)
    shared = min(apart - counts["input"], counts["input_cached"], counts.get("input_audio", 0))
    counts.setdefault("input_audio_cached", max(0, shared))
    return counts


def _count(usage: object, place: str | tuple[str, ...]) -> int:
    """The count at a place, or at the first of several that is stated; 0 where none is.

    Raises:
        UsageError: What stands there is no count.
    """
    places = (place,) if isinstance(place, str) else place
    stated = ((each, _value_at(usage, each)) for each in places)
    for name, value in stated:
        if value is not None:
            _check_count(name, value)
            return int(value)
    return 0


def _value_at(holder: object, place: str) -> Any:
    """What stands at a place of an object, a mapping or a list; None where nothing does."""
    value = holder
    for key in place.split("."):
        value = _item(value, key)
    return value


def _item(holder: object, key: str) -> Any:
    if isinstance(holder, Mapping):
        return holder.get(key, holder.get(_in_camel_case(key)))
    if isinstance(holder, list | tuple):
        return next((item for item in holder if key in _labels(item)), None)
    return getattr(holder, key, None)


def _labels(item: object) -> Iterator[object]:
    """What tells an item of a list from the others."""
    yield from (_item(item, label) for label in ("modality", "ttl"))


def _in_camel_case(key: str) -> str:
    """A key as JSON of Google and of AWS writes it."""
    first, *more = key.split("_")
    return first + "".join(map(str.capitalize, more))
