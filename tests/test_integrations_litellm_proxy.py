"""What the configuration of LiteLLM's proxy says of a deck: names, variables in the place of keys, prices."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from pipelex_cogt import ModelManager, SettingsError
from pipelex_cogt.errors import CallRefusedError, UnknownNameError
from pipelex_cogt.integrations.litellm import proxy_config
from pipelex_cogt.models.model_deck import ModelDeck
from tests.conftest import TODAY, Load

KEY = "sk-canary-0123456789abcdef"
ENVIRON = {"A_KEY": KEY, "B_KEY": KEY}
TREE: Mapping[str, Any] = {
    "inference_config": {"use_packaged_settings": False, "missing_credentials": "defer"},
    "backends": {
        "a": {"endpoint": "https://a.example.com", "api_key": "${A_KEY}", "max_retries": 4},
        "b": {"endpoint": "${B_BASE}", "api_key": "${B_KEY}", "timeout": 9, "max_retries": 1},
    },
    "models": {
        "a": {"claude": {"sdk": "anthropic", "model_id": "claude-x", "constraints": ["temperature_unsupported"]}},
        "b": {"gpt": {"sdk": "openai"}},
    },
    "routing": {"active": "all", "profiles": {"all": {"fallback_order": ["a", "b"]}}},
    "deck": {
        "aliases": {"smart": ["gpt", "claude"]},
        "llm_presets": {
            "writer": {"llm_handle": "smart", "temperature": 0.5},
            "short": {"llm_handle": "claude", "max_tokens": 20},
        },
        "llm_choice_defaults": {"for_text": "writer", "for_object": "writer"},
    },
}
NO_LITERAL = "LiteLLM's proxy is told no secret that is stated literally; state a variable, such as ${NAME}"


def deck_of(more: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> ModelDeck:
    """Load the tree above with tables over it, each given by its dotted path."""
    tree = json.loads(json.dumps(TREE))
    for path, value in (more or {}).items():
        *above, key = path.split(".")
        table = tree
        for step in above:
            table = table[step]
        table[key] = value
    return ModelManager.load(environ={**ENVIRON, **(environ or {})}, overrides=tree).deck


def params_of(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what the proxy is told of the group of that name."""
    (params,) = (group["litellm_params"] for group in config["model_list"] if group["model_name"] == name)
    return dict(params)


def test_each_preset_is_an_alias_with_its_fallbacks_and_each_member_has_its_own_parameters() -> None:
    config = proxy_config(deck_of())
    assert config["router_settings"] == {
        "model_group_alias": {"writer": "writer/gpt@b", "short": "short/claude@a"},
        "fallbacks": [{"writer": ["writer/claude@a"]}],
    }
    assert [(group["model_name"], group["litellm_params"]) for group in config["model_list"]] == [
        (
            "writer/gpt@b",
            {
                "model": "openai/gpt",
                "api_base": "os.environ/B_BASE",
                "api_key": "os.environ/B_KEY",
                "timeout": 9.0,
                "num_retries": 0,
                "temperature": 0.5,
            },
        ),
        (
            "writer/claude@a",
            {
                "model": "anthropic/claude-x",
                "api_base": "https://a.example.com",
                "api_key": "os.environ/A_KEY",
                "num_retries": 4,
            },
        ),
        (
            "short/claude@a",
            {
                "model": "anthropic/claude-x",
                "api_base": "https://a.example.com",
                "api_key": "os.environ/A_KEY",
                "num_retries": 4,
                "max_tokens": 20,
            },
        ),
    ]


def test_it_is_plain_data_without_a_key() -> None:
    config = proxy_config(deck_of())
    assert json.loads(json.dumps(config)) == config
    assert KEY not in json.dumps(config)


def test_names_of_models_and_aliases_are_told_where_they_are_asked_for() -> None:
    config = proxy_config(deck_of(), ["claude", "smart"])
    assert config["router_settings"] == {
        "model_group_alias": {"claude": "claude/claude@a", "smart": "smart/gpt@b"},
        "fallbacks": [{"smart": ["smart/claude@a"]}],
    }


def test_a_name_that_nothing_is_called_by_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no preset, model or alias is called 'writr'"):
        proxy_config(deck_of(), ["writr"])


def test_a_preset_that_leads_nowhere_is_left_out() -> None:
    config = proxy_config(deck_of({"backends.a.enabled": False}))
    assert config["router_settings"] == {"model_group_alias": {"writer": "writer/gpt@b"}, "fallbacks": []}


@pytest.mark.parametrize(
    ("settings", "environ", "told"),
    [
        pytest.param({"api_key": "${env:X}"}, {}, {"api_key": "os.environ/X"}, id="a variable"),
        pytest.param({"api_key": "${X|Y}"}, {}, {"api_key": "os.environ/X"}, id="of two variables the first"),
        pytest.param({"api_key": "${X|Y}"}, {"Y": KEY}, {"api_key": "os.environ/Y"}, id="of two that which is set"),
        pytest.param({"api_key": "${secret:x|env:Y}"}, {}, {"api_key": "os.environ/Y"}, id="a variable after a file"),
        pytest.param({"api_key": "${X:-}"}, {"X": KEY}, {"api_key": "os.environ/X"}, id="a key that may be missing"),
        pytest.param({"api_key": "${X:-}"}, {}, {"api_key": "no-key-needed"}, id="a key that is missing"),
        pytest.param({"api_key": ""}, {}, {"api_key": "no-key-needed"}, id="no key"),
        pytest.param({"endpoint": "${X:-http://d}"}, {}, {"api_base": "http://d"}, id="a default is written out"),
        pytest.param({"endpoint": "${X:-http://d}"}, {"X": "http://x"}, {"api_base": "http://x"}, id="as it is today"),
        pytest.param({"headers": {"X-T": "${X}"}}, {}, {"extra_headers": {"X-T": "os.environ/X"}}, id="a header"),
        pytest.param({"headers": {"X-T": "me"}}, {}, {"extra_headers": {"X-T": "me"}}, id="a header that is no secret"),
        pytest.param({"api_version": "${X:-v1}"}, {}, {"api_version": "v1"}, id="a version"),
        pytest.param({"headers": {"X-T": "$${X}"}}, {}, {"extra_headers": {"X-T": "${X}"}}, id="no reference"),
    ],
)
def test_references(settings: dict[str, Any], environ: dict[str, str], told: dict[str, Any]) -> None:
    deck = deck_of({f"backends.b.{key}": value for key, value in settings.items()}, environ)
    params = params_of(proxy_config(deck), "writer/gpt@b")
    assert {name: params[name] for name in told} == told


def test_what_litellm_wants_within_a_longer_text_is_written_out() -> None:
    more = {"models.b.gpt.model_id": "${ID}", "models.b.gpt.sdk": "google"}
    params = params_of(proxy_config(deck_of(more, {"ID": "ours", "B_BASE": "https://g"})), "writer/gpt@b")
    assert (params["model"], params["api_base"]) == ("gemini/ours", "https://g/v1beta")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        pytest.param(
            {"backends.b.endpoint": "https://${X}/v1"},
            "overrides  cogt.backends.b.endpoint: LiteLLM's proxy takes no reference within a longer text; "
            "state all of it in one variable, such as ${NAME}",
            id="a reference within a text",
        ),
        pytest.param(
            {"backends.b.api_key": KEY},
            f"overrides  cogt.backends.b.api_key: {NO_LITERAL}",
            id="a literal key",
        ),
        pytest.param(
            {"backends.b.api_key": f"${{X:-{KEY}}}"},
            f"overrides  cogt.backends.b.api_key: {NO_LITERAL}",
            id="a literal key as a default",
        ),
        pytest.param(
            {"backends.b.headers": {"Authorization": "Bearer of news"}},
            f"overrides  cogt.backends.b.headers.Authorization: {NO_LITERAL}",
            id="a literal header that is a secret by its name",
        ),
        pytest.param(
            {"backends.b.headers": {"X-T": KEY}},
            f"overrides  cogt.backends.b.headers.X-T: {NO_LITERAL}",
            id="a literal header that looks like a key",
        ),
        pytest.param(
            {"backends.b.api_key": "${secret:b}"},
            "overrides  cogt.backends.b.api_key: LiteLLM's proxy reads variables, and no secret's file; "
            "state ${env:NAME|secret:b}",
            id="a file",
        ),
        pytest.param(
            {"models.b.gpt.extra_body": {"api_token": "canary"}},
            f"overrides  cogt.models.b.gpt.extra_body.api_token: {NO_LITERAL}",
            id="a secret in the body of a model",
        ),
        pytest.param(
            {"deck.llm_presets.writer.extra_body": {"api_token": "canary"}},
            f"overrides  cogt.deck.llm_presets.writer.extra_body.api_token: {NO_LITERAL}",
            id="a secret in the body of a preset",
        ),
    ],
)
def test_what_a_proxy_cannot_be_told(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        proxy_config(deck_of(more))
    assert str(caught.value) == f"1 problem in what LiteLLM's proxy is to be told\n  {problem}"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert "canary" not in str([entry.frame.f_locals for entry in caught.traceback[1:]])


def test_all_of_it_is_told_at_once_each_at_its_line(load: Load) -> None:
    files = {
        "backends.toml": """
            [a]
            endpoint = "https://${HOST}/v1"
            api_key = "${secret:a}"
        """,
        "backends/a.toml": """
            [defaults]
            sdk = "openai"
            [m1]
        """,
        "routing.toml": """
            active = "all"
            [profiles.all]
            default = "a"
        """,
        "deck/base.toml": """
            [llm_presets]
            p = { llm_handle = "m1" }
            q = { llm_handle = "m1" }
            [llm_choice_defaults]
            for_text = "p"
            for_object = "p"
        """,
    }
    manager = load(files, environ={"HOST": "a"}, overrides={"inference_config": {"missing_credentials": "defer"}})
    with pytest.raises(SettingsError) as caught:
        proxy_config(manager.deck)
    assert [(str(problem.place)[-15:], problem.path) for problem in caught.value.problems] == [
        ("backends.toml:2", "cogt.backends.a.endpoint"),
        ("backends.toml:3", "cogt.backends.a.api_key"),
    ]


def test_a_model_that_litellm_cannot_call_is_refused() -> None:
    with pytest.raises(CallRefusedError, match="has sdk 'mine' at its own API, which LiteLLM cannot call"):
        proxy_config(deck_of({"models.b.gpt.sdk": "mine"}))


YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        pytest.param({}, {}, id="unknown"),
        pytest.param(
            {"input": 0.3, "output": 1.1, "input_cached": 0.075, "input_cache_write": 0.0, "input_audio": 1},
            {
                "input_cost_per_token": 3e-07,
                "output_cost_per_token": 1.1e-06,
                "cache_read_input_token_cost": 7.5e-08,
                "cache_creation_input_token_cost": 0.0,
                "input_cost_per_audio_token": 1e-06,
            },
            id="per token, and free is not unknown",
        ),
        pytest.param(
            {"input": 2, "output": 8, "batch": 0.5},
            {
                "input_cost_per_token": 2e-06,
                "output_cost_per_token": 8e-06,
                "input_cost_per_token_batches": 1e-06,
                "output_cost_per_token_batches": 4e-06,
            },
            id="batches",
        ),
        pytest.param(
            {"input": 2, "output": 8, "tiers": [{"above": 272_000, "input": 4}, {"above": 500_001, "input": 6}]},
            {
                "input_cost_per_token": 2e-06,
                "output_cost_per_token": 8e-06,
                "input_cost_per_token_above_272k_tokens": 4e-06,
                "output_cost_per_token_above_272k_tokens": 8e-06,
                "input_cost_per_token_above_500001_tokens": 6e-06,
                "output_cost_per_token_above_500001_tokens": 8e-06,
            },
            id="long prompts",
        ),
        pytest.param(
            {"input": 2, "from": [{"date": TOMORROW, "input": 3, "tiers": [{"above": 9000, "input": 5}]}]},
            {"input_cost_per_token": 2e-06},
            id="what holds from tomorrow on is not told",
        ),
        pytest.param(
            {"input": 2, "from": [{"date": YESTERDAY, "input": 3, "tiers": [{"above": 9000, "input": 5}]}]},
            {"input_cost_per_token": 3e-06, "input_cost_per_token_above_9k_tokens": 5e-06},
            id="what holds since yesterday is",
        ),
    ],
)
def test_prices(costs: dict[str, Any], told: dict[str, float]) -> None:
    deck = _with_model({"costs": costs})
    (group,) = proxy_config(deck, ["gpt"])["model_list"]
    assert {name: price for name, price in group["model_info"].items() if "cost" in name} == told


def test_limits_and_abilities() -> None:
    spec = {"max_tokens": 9, "context_window": 99, "inputs": ["text", "images"], "tools": False}
    (group,) = proxy_config(_with_model(spec), ["gpt"])["model_list"]
    assert group["model_info"] == {
        "max_tokens": 9,
        "max_output_tokens": 9,
        "max_input_tokens": 99,
        "supports_vision": True,
        "supports_response_schema": False,
        "supports_function_calling": False,
    }
    (group,) = proxy_config(_with_model({**spec, "max_input_tokens": 50}), ["gpt"])["model_list"]
    assert group["model_info"]["max_input_tokens"] == 50


def _with_model(spec: Mapping[str, Any]) -> ModelDeck:
    """Load the tree with more of the model `gpt`; dates stay dates."""
    models = {**TREE["models"], "b": {"gpt": {"sdk": "openai", **spec}}}
    return ModelManager.load(environ=ENVIRON, overrides={**TREE, "models": models}).deck
