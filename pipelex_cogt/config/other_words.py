"""What people write for our keys: the words of SDKs, of other tools and of older versions.

A near spelling would miss these, or find the opposite: `input_non_cached` is `input`, not `input_cached`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache

SDK_WORDS = {
    "endpoint": "base_url api_base api_base_url api_url url azure_endpoint",
    "api_key": "key api_token",
    "enabled": "disable disabled is_enabled",
    "headers": "extra_headers http_headers custom_headers",
    "timeout": "request_timeout timeout_seconds",
    "max_retries": "num_retries",
}
"""Keys of a backend with what SDKs and other tools call them. No SDK needs one of these words beside our key."""
_NOT_OF_TOKENS = (
    "image image_output input_image output_image per_image per_page per_request per_second web_search web_searches"
)
"""Prices that costs have no place for; they stand among the words for the price that people would find instead."""
_OF_BODIES = (
    "cache_control frequency_penalty logit_bias logprobs metadata min_p parallel_tool_calls presence_penalty"
    " repetition_penalty safety_settings service_tier top_k top_logprobs user verbosity"
)
"""What a request may carry that is no parameter of ours."""

_OTHER_WORDS = {
    **SDK_WORDS,
    "above": "context_over from_tokens input_tokens min_tokens over prompt_tokens start threshold tokens",
    "active": "active_profile current use",
    "aliases": "alias",
    "batch": "batch_discount batch_factor batches discount",
    "constraints": "valued_constraints",
    "context_window": "context context_length context_size max_context max_context_tokens num_ctx",
    "costs": "cost cost_per_token input_cost input_price output_cost output_price price prices pricing",
    "date": "day from on since start start_date",
    "default": "default_backend",
    "description": "comment desc notes",
    "display_name": "label name title",
    "enabled": "active disable disabled enable is_enabled",
    "extra_body": f"additional_model_request_fields additional_params extra extra_params model_kwargs {_OF_BODIES}",
    "extra_config": "additional_params api_key endpoint extra extra_params litellm_params max_retries rpm sdk_options "
    "seed stop structure_method temperature timeout top_p tpm",
    "fallback_order": "fallback fallbacks fallback_backends",
    "from": "conditions dated dates since start_date",
    "for_text": "default text llm_for_text",
    "for_object": "default object structured llm_for_object",
    "input": "input_cost input_cost_per_token input_non_cached input_price input_uncached non_cached_input prompt "
    f"prompt_cost {_NOT_OF_TOKENS}",
    "input_audio_cached": "cache_audio_read cached_audio input_cached_audio",
    "input_cached": "cache_read cached cached_input input_cache_read",
    "input_cache_write": "cache_creation cache_write input_cache_creation",
    "inputs": "input input_modalities modalities",
    "llm_choice_defaults": "choice choices choice_defaults",
    "llm_choice_overrides": "choice_overrides overrides",
    "llm_handle": "deployment engine handle llm model model_id model_name name",
    "llm_presets": "preset presets",
    "headers": "custom_headers default_headers extra_headers http_headers",
    "max_input_tokens": "input_limit input_token_limit max_input max_prompt_tokens",
    "max_prompt_images": "max_images",
    "max_retries": "num_retries retries retry",
    "max_tokens": "max_token max_completion_tokens max_new_tokens max_output_tokens num_predict",
    "model_id": "deployment deployment_name id model model_name name",
    "output": "completion completion_cost output_cost output_cost_per_token output_non_cached output_price",
    "outputs": "output output_modalities",
    "profiles": "profile routing_profiles",
    "reasoning_budget": "budget budget_tokens max_thinking_tokens reasoning reasoning_tokens thinking thinking_budget",
    "reasoning_effort": "effort reasoning reasoning_level thinking thinking_level thinking_mode",
    "reasoning_efforts": "effort efforts reasoning reasoning_effort reasoning_levels thinking thinking_level "
    "thinking_mode",
    "retires": "deprecated deprecation deprecation_date end_of_life retirement retirement_date shutdown_date sunset",
    "routes": "route rules",
    "sdk": "client library provider",
    "seed": "random_seed",
    "stop": "stop_sequence stop_sequences stop_words",
    "successor": "replaced_by replacement superseded_by",
    "temperature": "temp",
    "tiers": "above long_context tier",
    "timeout": "request_timeout timeout_seconds",
    "tools": "function_calling functions supports_function_calling supports_tools tool_calling",
    "top_p": "nucleus",
}
"""Our keys, each with what people write for it; a word may mean several, of which a table knows one."""
_NOTES = {
    **{
        (word.replace("_", ""), "input"): "only tokens have prices here: leave it out"
        for word in _NOT_OF_TOKENS.split()
    },
    **{
        (word.replace("_", ""), "extra_body"): "what a request carries beside the parameters belongs below extra_body"
        for word in _OF_BODIES.split()
    },
    ("apikey", "extra_config"): "a key belongs to a backend: state another one with it",
    ("disable", "enabled"): "write enabled = false to switch it off",
    ("disabled", "enabled"): "write enabled = false to switch it off",
    ("endpoint", "extra_config"): "an endpoint belongs to a backend: state another one with it",
    ("inputcostpertoken", "input"): "write input, in US dollars per million tokens",
    ("maxretries", "extra_config"): "it belongs to a backend: write it there",
    ("outputcostpertoken", "output"): "write output, in US dollars per million tokens",
    ("rpm", "extra_config"): "what the application's own code reads belongs below extra_config",
    ("structuremethod", "extra_config"): "what the application's own code reads belongs below extra_config",
    ("timeout", "extra_config"): "it belongs to a backend or a preset: write it there",
    ("tpm", "extra_config"): "what the application's own code reads belongs below extra_config",
    ("seed", "extra_config"): "it belongs to a preset: write it there",
    ("stop", "extra_config"): "it belongs to a preset: write it there",
    ("temperature", "extra_config"): "it belongs to a preset: write it there",
    ("topp", "extra_config"): "it belongs to a preset: write it there",
}
"""What to write for a word and the key that it means, where the key alone does not say it."""
# What is neither a letter nor a digit, and so no part of how a word sounds. One class of characters, repeated.
_SILENT = re.compile(r"[\W_]+")


def meanings(word: str, known: Collection[str]) -> tuple[str, ...]:
    """The known keys that people mean by a word, whatever its capitals and dashes."""
    return tuple(filter(known.__contains__, _meant()[_sound(word)]))


def note_on(word: str, known: Collection[str]) -> str | None:
    """What to write for a word, where more than the name of a key has to change."""
    notes = (_NOTES.get((_sound(word), key)) for key in meanings(word, known))
    return next(filter(None, notes), None)


def sdk_meaning(word: str) -> str | None:
    """The key of a backend that an SDK's word means."""
    return next((key for key, words in SDK_WORDS.items() if _sound(word) in map(_sound, words.split())), None)


@cache
def _meant() -> Mapping[str, list[str]]:
    meant: defaultdict[str, list[str]] = defaultdict(list)
    for key, words in _OTHER_WORDS.items():
        for word in words.split():
            meant[_sound(word)].append(key)
    return meant


def _sound(word: str) -> str:
    return _SILENT.sub("", word.casefold())
