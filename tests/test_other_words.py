"""What people write for our keys: the right key is named, whichever spelling comes nearer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from pipelex_cogt.config.other_words import meanings, sdk_meaning
from pipelex_cogt.config.schema import known_keys
from pipelex_cogt.config.suggestions import NearName
from pipelex_cogt.model_backends.backend import InferenceBackend
from pipelex_cogt.model_backends.costs import DatedPrices, ModelCosts, PriceTier
from pipelex_cogt.model_backends.model_spec import InferenceModelSpec
from pipelex_cogt.model_routing.routing_profile import RoutingProfile
from pipelex_cogt.models.llm_setting import LLMChoices, LLMSetting
from tests.conftest import Load

Problems: TypeAlias = Callable[..., list[str]]

WORDS = {
    LLMSetting: {
        "model": "llm_handle",
        "model_name": "llm_handle",
        "handle": "llm_handle",
        "llm": "llm_handle",
        "name": "llm_handle",
        "max_output_tokens": "max_tokens",
        "max_completion_tokens": "max_tokens",
        "maxOutputTokens": "max_tokens",
        "temp": "temperature",
        "effort": "reasoning_effort",
        "thinking_budget": "reasoning_budget",
        "budget_tokens": "reasoning_budget",
        "stop_sequences": "stop",
        "random_seed": "seed",
        "request_timeout": "timeout",
        "extra": "extra_body",
        "extra_params": "extra_body",
    },
    InferenceModelSpec: {
        "id": "model_id",
        "name": "model_id",
        "model": "model_id",
        "valued_constraints": "constraints",
        "context_length": "context_window",
        "context": "context_window",
        "price": "costs",
        "pricing": "costs",
        "cost": "costs",
        "input_modalities": "inputs",
        "output_modalities": "outputs",
        "max-output-tokens": "max_tokens",
        "input_cost": "costs",
        "output_price": "costs",
        "max_input": "max_input_tokens",
        "extra_headers": "headers",
        "effort": "reasoning_efforts",
        "reasoning_effort": "reasoning_efforts",
        "thinking_budget": "reasoning_budget",
        "deprecation_date": "retires",
        "replacement": "successor",
        "supports_function_calling": "tools",
    },
    ModelCosts: {
        "input_non_cached": "input",
        "cached_input": "input_cached",
        "prompt": "input",
        "completion": "output",
        "cache_write": "input_cache_write",
        "input_cost": "input",
        "output_cost": "output",
        "cached_audio": "input_audio_cached",
        "dates": "from",
        "tier": "tiers",
        "above": "tiers",
        "batch_discount": "batch",
    },
    PriceTier: {"tokens": "above", "threshold": "above", "start": "above", "cached": "input_cached"},
    DatedPrices: {"since": "date", "start_date": "date", "from": "date", "tier": "tiers"},
    RoutingProfile: {"default_backend": "default", "fallbacks": "fallback_order", "fallback": "fallback_order"},
}
NOTES = {
    "input_cost_per_token": (ModelCosts, "write input, in US dollars per million tokens"),
    "output_cost_per_token": (ModelCosts, "write output, in US dollars per million tokens"),
    "per_image": (ModelCosts, "only tokens have prices here: leave it out"),
    "web-search": (PriceTier, "only tokens have prices here: leave it out"),
    "disabled": (InferenceModelSpec, "write enabled = false to switch it off"),
    "thinking": (LLMSetting, "did you mean 'reasoning_budget' or 'reasoning_effort'?"),
    "Thinking": (InferenceModelSpec, "did you mean 'reasoning_budget' or 'reasoning_efforts'?"),
    "extra": (InferenceModelSpec, "did you mean 'extra_body' or 'extra_config'?"),
    "extra_params": (InferenceModelSpec, "did you mean 'extra_body' or 'extra_config'?"),
    "rpm": (InferenceModelSpec, "what the application's own code reads belongs below extra_config"),
    "endpoint": (InferenceModelSpec, "an endpoint belongs to a backend: state another one with it"),
    "api_key": (InferenceModelSpec, "a key belongs to a backend: state another one with it"),
    "timeout": (InferenceModelSpec, "it belongs to a backend or a preset: write it there"),
    "max_retries": (InferenceModelSpec, "it belongs to a backend: write it there"),
    "temperature": (InferenceModelSpec, "it belongs to a preset: write it there"),
    "default": (LLMChoices, "did you mean 'for_text' or 'for_object'?"),
}
SDK_WORDS = {
    "base_url": "endpoint",
    "baseURL": "endpoint",
    "api_base": "endpoint",
    "api-base": "endpoint",
    "url": "endpoint",
    "azure_endpoint": "endpoint",
    "request_timeout": "timeout",
    "num_retries": "max_retries",
    "extra_headers": "headers",
    "key": "api_key",
    "Key": "api_key",
    "api_token": "api_key",
    "apiToken": "api_key",
}
FURTHER = (
    "endpoint_url",
    "token",
    "auth_token",
    "default_headers",
    "retries",
    "organization",
    "description",
    "api",
    "tools",
)
OF_MODELS = (
    *("constraints", "max_tokens", "inputs", "outputs", "costs", "context_window", "prompting_target", "sdk"),
    *("max_input_tokens", "max_temperature", "reasoning_efforts", "reasoning_budget", "retires", "successor"),
)


@pytest.mark.parametrize(
    ("model", "word", "key"), [(model, word, key) for model, words in WORDS.items() for word, key in words.items()]
)
def test_a_word_is_suggested_by_its_meaning(model: type, word: str, key: str) -> None:
    assert NearName(word, known_keys(model), lists_known=True, is_key=True).tell() == f"did you mean {key!r}?"


@pytest.mark.parametrize(("word", "model", "note"), [(word, *what) for word, what in NOTES.items()])
def test_where_more_than_the_key_changes_the_line_to_write_is_told(word: str, model: type, note: str) -> None:
    assert NearName(word, known_keys(model), is_key=True).tell() == note


def test_a_name_that_people_choose_is_no_key() -> None:
    assert NearName("model", ["llm_handle"]).tell() is None


def test_no_word_means_itself() -> None:
    keys = {
        *known_keys(InferenceModelSpec),
        *known_keys(ModelCosts),
        *known_keys(PriceTier),
        *known_keys(DatedPrices),
        *known_keys(LLMSetting),
    }
    assert [key for key in keys if key in meanings(key, [key])] == []


@pytest.mark.parametrize("word", ["top_k", "Frequency-Penalty", "logit_bias", "service_tier"])
def test_what_is_no_parameter_is_told_where_a_preset_may_have_it(problems: Problems, word: str) -> None:
    told = problems({"deck/z.toml": f"[llm_presets.p]\n{word} = 5\n"})
    hint = "what a request carries beside the parameters belongs below extra_body"
    assert told == [f"deck/z.toml:2  cogt.deck.llm_presets.p.{word}: unknown key; {hint}"]


@pytest.mark.parametrize(("word", "key"), SDK_WORDS.items())
def test_what_an_sdk_calls_a_key_of_a_backend_is_refused(problems: Problems, word: str, key: str) -> None:
    told = problems({"backends.local.toml": f"[a]\n{word} = 'sk-canary'\n"})
    assert told == [f"backends.local.toml:2  cogt.backends.a.{word}: unknown key; did you mean {key!r}?"]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("disabled", "write enabled = false to switch it off"),
        ("disable", "write enabled = false to switch it off"),
        ("is_enabled", "did you mean 'enabled'?"),
    ],
)
def test_a_backend_that_is_disabled_is_told_how(problems: Problems, word: str, hint: str) -> None:
    told = problems({"backends.local.toml": f"[a]\n{word} = true\n"})
    assert told == [f"backends.local.toml:2  cogt.backends.a.{word}: unknown key; {hint}"]


@pytest.mark.parametrize("key", FURTHER)
def test_any_other_word_is_the_sdks(load: Load, key: str) -> None:
    assert sdk_meaning(key) is None
    assert key in load({"backends.local.toml": f"[a]\n{key} = 'x'\n"}).backends["a"].extra_config


@pytest.mark.parametrize("key", OF_MODELS)
def test_what_a_model_states_is_told_where_it_belongs(problems: Problems, key: str) -> None:
    assert key not in known_keys(InferenceBackend)
    assert problems({"backends.local.toml": f"[a]\n{key} = 5\n"}) == [
        (
            f"backends.local.toml:2  cogt.backends.a.{key}: unknown key;"
            " it belongs to models: write it below [defaults] of backends/a.toml"
        )
    ]


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("constraint", "'constraints' below [defaults] of"),
        ("valued_constraints", "'constraints' below [defaults] of"),
        ("price", "'costs' below [defaults] of"),
        ("max_token", "'max_tokens' below [defaults] of"),
        ("default_sdk", "'sdk' below [defaults] of"),
        ("defaults", "[defaults] in"),
    ],
)
def test_what_models_state_is_told_by_its_right_name(problems: Problems, key: str, what: str) -> None:
    assert problems({"backends.local.toml": f"[a.{key}]\nx = 5\n"}) == [
        (
            f"backends.local.toml:1  cogt.backends.a.{key}: unknown key;"
            f" it belongs to models: write {what} backends/a.toml"
        )
    ]


@pytest.mark.parametrize("line", ["model = 'm1'", "model = '${X}'"])
def test_a_handle_by_another_name_is_told_once(problems: Problems, line: str) -> None:
    told = problems({"deck/z.toml": f"[llm_presets.q]\n{line}\n"})
    assert told == ["deck/z.toml:2  cogt.deck.llm_presets.q.model: unknown key; did you mean 'llm_handle'?"]


# Two trees that people wrote, with other words for what the settings take today


def test_a_gateway_that_wants_a_header_of_each_model_is_told_what_to_write(problems: Problems) -> None:
    lines = """
        [m1]
        extra_headers = { x-gateway-provider = "@anthropic" }
        [only-a]
        extra_headers = { x-gateway-provider = "@openai" }
        rpm = 60
    """
    assert problems({"backends/a.local.toml": lines.strip()}) == [
        "backends/a.local.toml:2  cogt.models.a.m1.extra_headers: unknown key; did you mean 'headers'?",
        "backends/a.local.toml:4  cogt.models.a.only-a.extra_headers: unknown key; did you mean 'headers'?",
        (
            "backends/a.local.toml:5  cogt.models.a.only-a.rpm: unknown key;"
            " what the application's own code reads belongs below extra_config"
        ),
    ]


def test_what_they_are_told_to_write_is_what_they_meant(load: Load) -> None:
    lines = """
        [m1]
        headers = { x-gateway-provider = "@anthropic" }
        [only-a]
        headers = { x-gateway-provider = "@openai" }
        extra_config = { rpm = 60 }
    """
    manager = load({"backends/a.local.toml": lines})
    specs = manager.backends["a"].model_specs
    assert [specs[name].headers["x-gateway-provider"] for name in ("m1", "only-a")] == ["@anthropic", "@openai"]
    assert specs["only-a"].extra_config["rpm"] == 60
    assert manager.warnings == ()


def test_presets_of_one_model_may_differ_in_their_effort_alone(load: Load) -> None:
    deck = load(
        {
            "backends/a.local.toml": "[m1]\nreasoning_efforts = ['low', 'high']\nmax_tokens = 100_000\n",
            "deck/effort.toml": """
                [llm_presets.think_long]
                llm_handle = "m1"
                reasoning_effort = "high"
                max_tokens = 32_000
                [llm_presets.answer_at_once]
                llm_handle = "m1"
                reasoning_effort = "low"
            """,
        }
    ).get_llm_deck()
    sent = [deck.resolve(name).parameters.sent for name in ("think_long", "answer_at_once")]
    assert sent == [{"max_tokens": 32_000, "reasoning_effort": "high"}, {"reasoning_effort": "low"}]
