"""Bad input: each fault with its exact message, and nothing half-loaded after it."""

import gc
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pipelex_cogt import CogtError, ModelManager, ProblemError, SettingsError, get_models_manager
from tests.conftest import MINIMAL, Load, WriteTree

Problems: TypeAlias = Callable[..., list[str]]
Files: TypeAlias = Mapping[str, str]

NOTHING = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"
CONSTRAINTS = (
    "'temperature_must_be_1', 'temperature_must_be_multiplied_by_2', 'max_tokens_must_be_high_enough',"
    " 'temperature_unsupported', 'temperature_unsupported_with_reasoning' or 'stop_unsupported'"
)
MODEL_KEYS = (
    "api, constraints, context_window, costs, description, enabled, extra_body, extra_config, headers, inputs,"
    " max_input_tokens, max_prompt_images, max_temperature, max_tokens, model_id, outputs, prompting_target,"
    " reasoning_budget, reasoning_efforts, retires, sdk, successor, tools"
)


def model(lines: str) -> Files:
    """Backend a's file, with these lines for its model m1, the first of them on line 4."""
    return {"backends/a.toml": f"[defaults]\nsdk = 's'\n[m1]\n{lines}\n[only-a]\n"}


def preset(lines: str, handle: str = "m1") -> Files:
    """A deck file with a preset q, whose further lines begin on line 3."""
    return {"deck/z.toml": f"[llm_presets.q]\nllm_handle = '{handle}'\n{lines}\n"}


def profile(lines: str) -> Files:
    """A routing file whose active profile's lines begin on line 3."""
    return {"routing.toml": f"active = 'x'\n[profiles.x]\n{lines}\n"}


def config(lines: str) -> Files:
    """A main file whose further lines of `inference_config` begin on line 3."""
    return {"settings.toml": f"{NOTHING}{lines}\n"}


def constrained(constraint: str) -> Files:
    return model(f"constraints = ['{constraint}']")


FILES = [
    pytest.param(
        {"deck/z.toml": "[aliases"},
        ["deck/z.toml:1  cogt.deck: not valid TOML: the header is not closed; end it with ]"],
        id="a header that stays open",
    ),
    pytest.param(
        {"deck/z.toml": "[aliases]\nx = m1\n"},
        ['deck/z.toml:2  cogt.deck: not valid TOML: text needs quotes; write x = "…"'],
        id="text without quotes",
    ),
    pytest.param(
        {"backends.toml": MINIMAL["backends.toml"] + "\n[a]\n"},
        [
            (
                "backends.toml:9  cogt.backends: not valid TOML: [a] is opened twice, on lines 1 and 9;"
                " write its keys below one header"
            )
        ],
        id="a backend stated twice",
    ),
    pytest.param(
        {"backends/a.toml": "[m1]\nsdk = 's'\nsdk = 't'\n"},
        [
            (
                "backends/a.toml:3  cogt.models.a: not valid TOML: m1.sdk is stated twice, on lines 2 and 3;"
                " keep one of the two"
            )
        ],
        id="a key stated twice",
    ),
    pytest.param(
        {"settings.toml": "[default.cogt\n"},
        ["settings.toml:1: not valid TOML: the header is not closed; end it with ]"],
        id="a broken main file",
    ),
    pytest.param(
        {".secrets.toml": '[default.cogt.backends.a]\napi_key = "x\n'},
        [
            (
                ".secrets.toml:2: not valid TOML: a string is not closed on its line;"
                " end it with its quote, or put three quotes around several lines"
            )
        ],
        id="a broken file of secrets",
    ),
    pytest.param(
        {"routing.local.toml": "active"},
        ["routing.local.toml:1  cogt.routing: not valid TOML: expected = and a value behind a key; write key = value"],
        id="a broken local file",
    ),
]

SHAPES = [
    pytest.param(
        {"backends.local.toml": "c = 'openai'\n"},
        ["backends.local.toml:1  cogt.backends.c: expected a table, got a string"],
        id="a value as a backend",
    ),
    pytest.param(
        {"backends/a.local.toml": "new = 5\n"},
        ["backends/a.local.toml:1  cogt.models.a.new: expected a table, got an integer"],
        id="a value as a model",
    ),
    pytest.param(
        {"backends/a.toml": "defaults = 3\n[m1]\nsdk = 's'\n[only-a]\nsdk = 's'\n"},
        ["backends/a.toml:1  cogt.models.a.defaults: expected a table, got an integer"],
        id="a value as the defaults",
    ),
    pytest.param(
        {"backends/a.local.toml": "[[extra]]\nsdk = 's'\n"},
        ["backends/a.local.toml:1  cogt.models.a.extra: expected a table, got a list"],
        id="a list of models",
    ),
    pytest.param(
        model("max_tokens = { a = 1 }"),
        ["backends/a.toml:4  cogt.models.a.m1.max_tokens: expected an integer, got a table"],
        id="a table as a number",
    ),
    pytest.param(
        model("costs = 5"), ["backends/a.toml:4  cogt.models.a.m1.costs: expected a table, got an integer"], id="costs"
    ),
    pytest.param(
        model("inputs = 'text'"),
        ["backends/a.toml:4  cogt.models.a.m1.inputs: expected a list, got a string"],
        id="a value as a list",
    ),
    pytest.param(
        {"deck/z.toml": "aliases = 'm1'\n"},
        ["deck/z.toml:1  cogt.deck.aliases: expected a table, got a string"],
        id="a value as the aliases",
    ),
    pytest.param(
        {"deck/z.toml": "[aliases]\nx = 5\n"},
        ["deck/z.toml:2  cogt.deck.aliases.x: expected a name or a list of names, got an integer"],
        id="a number as an alias",
    ),
    pytest.param(
        {"deck/z.toml": "[aliases]\nx = [\n'm1',\n5]\n"},
        ["deck/z.toml:4  cogt.deck.aliases.x.1: expected a name, got an integer"],
        id="a number in a chain",
    ),
    pytest.param(
        {"deck/z.toml": "[llm_presets]\nq = 'm1'\n"},
        ["deck/z.toml:2  cogt.deck.llm_presets.q: expected a table, got a string"],
        id="a value as a preset",
    ),
    pytest.param(
        profile("routes = ['a']\ndefault = 'a'"),
        ["routing.toml:3  cogt.routing.profiles.x.routes: expected a table, got a list"],
        id="a list of routes",
    ),
    pytest.param(
        profile("fallback_order = 'a'\ndefault = 'a'"),
        ["routing.toml:3  cogt.routing.profiles.x.fallback_order: expected a list, got a string"],
        id="a value as the fallback order",
    ),
    pytest.param(
        {"settings.local.toml": "[default.cogt]\nrouting = 'all'\n"},
        ["settings.local.toml:2  cogt.routing: expected a table, got a string"],
        id="a value as the routing",
    ),
    pytest.param(
        config("enabled_backends = 'a'"),
        ["settings.toml:3  cogt.inference_config.enabled_backends: expected a list, got a string"],
        id="a value as the enabled backends",
    ),
    pytest.param(
        config("llm_deck_dir = 3"),
        ["settings.toml:3  cogt.inference_config.llm_deck_dir: expected a string, got an integer"],
        id="a number as a path",
    ),
]

KEYS = [
    pytest.param(
        model("max_token = 5"),
        ["backends/a.toml:4  cogt.models.a.m1.max_token: unknown key; did you mean 'max_tokens'?"],
        id="of a model",
    ),
    pytest.param(
        model("zzz = 5"),
        [f"backends/a.toml:4  cogt.models.a.m1.zzz: unknown key; expected one of {MODEL_KEYS}"],
        id="of a model, far from any",
    ),
    pytest.param(
        model("costs = { inptu = 1.0 }"),
        ["backends/a.toml:4  cogt.models.a.m1.costs.inptu: unknown key; did you mean 'input'?"],
        id="of costs",
    ),
    pytest.param(
        {"backends/a.local.toml": "[defaults]\nskd = 's'\n"},
        ["backends/a.local.toml:2  cogt.models.a.defaults.skd: unknown key; did you mean 'sdk'?"],
        id="of the defaults",
    ),
    pytest.param(
        {"backends.local.toml": "[a]\nendpont = 'x'\n"},
        ["backends.local.toml:2  cogt.backends.a.endpont: unknown key; did you mean 'endpoint'?"],
        id="of a backend, one slip away",
    ),
    pytest.param(
        preset("temprature = 1"),
        ["deck/z.toml:3  cogt.deck.llm_presets.q.temprature: unknown key; did you mean 'temperature'?"],
        id="of a preset",
    ),
    pytest.param(
        {"deck/z.toml": "[llm_choice_defaults]\nfor_objct = 'p'\n"},
        ["deck/z.toml:2  cogt.deck.llm_choice_defaults.for_objct: unknown key; did you mean 'for_object'?"],
        id="of the choices",
    ),
    pytest.param(
        {"deck/z.toml": "[alias]\nx = 'm1'\n"},
        ["deck/z.toml:1  cogt.deck.alias: unknown key; did you mean 'aliases'?"],
        id="of the deck",
    ),
    pytest.param(
        profile("default = 'a'\nfallback = ['a']"),
        ["routing.toml:4  cogt.routing.profiles.x.fallback: unknown key; did you mean 'fallback_order'?"],
        id="of a profile",
    ),
    pytest.param(
        {"routing.local.toml": "actve = 'all'\n"},
        ["routing.local.toml:1  cogt.routing.actve: unknown key; did you mean 'active'?"],
        id="of the routing",
    ),
    pytest.param(
        config("enabled_backend = ['a']"),
        ["settings.toml:3  cogt.inference_config.enabled_backend: unknown key; did you mean 'enabled_backends'?"],
        id="of the inference config",
    ),
    pytest.param(
        {"settings.local.toml": "[default.cogt.routng]\nactive = 'all'\n"},
        ["settings.local.toml:1  cogt.routng: unknown key; did you mean 'routing'?"],
        id="of the tree",
    ),
]

VALUES = [
    pytest.param(
        model("max_tokens = true"),
        ["backends/a.toml:4  cogt.models.a.m1.max_tokens: expected an integer, got a boolean"],
        id="true is not an integer",
    ),
    pytest.param(
        model("max_tokens = '5'"),
        ["backends/a.toml:4  cogt.models.a.m1.max_tokens: expected an integer, got a string"],
        id="text is not an integer",
    ),
    pytest.param(
        model("max_tokens = 5.0"),
        ["backends/a.toml:4  cogt.models.a.m1.max_tokens: expected an integer, got a float"],
        id="a float is not an integer",
    ),
    pytest.param(
        model("max_tokens = 2026-01-01"),
        ["backends/a.toml:4  cogt.models.a.m1.max_tokens: expected an integer, got a date"],
        id="a date is not an integer",
    ),
    pytest.param(
        model("context_window = 0"),
        ["backends/a.toml:4  cogt.models.a.m1.context_window: expected a number of at least 1, got 0"],
        id="no window at all",
    ),
    pytest.param(
        model("costs = { input = nan }"),
        ["backends/a.toml:4  cogt.models.a.m1.costs.input: expected a finite number, got nan"],
        id="nan is not a price",
    ),
    pytest.param(
        model("costs = { input = inf }"),
        ["backends/a.toml:4  cogt.models.a.m1.costs.input: expected a finite number, got inf"],
        id="inf is not a price",
    ),
    pytest.param(
        model("costs = { input = -0.5 }"),
        ["backends/a.toml:4  cogt.models.a.m1.costs.input: expected a number of at least 0, got -0.5"],
        id="a negative price",
    ),
    pytest.param(
        model("costs = { input = true }"),
        ["backends/a.toml:4  cogt.models.a.m1.costs.input: expected a number, got a boolean"],
        id="true is not a price",
    ),
    pytest.param(
        model("costs = { input = '1.0' }"),
        ["backends/a.toml:4  cogt.models.a.m1.costs.input: expected a number, got a string"],
        id="text is not a price",
    ),
    pytest.param(
        model("enabled = 1"),
        ["backends/a.toml:4  cogt.models.a.m1.enabled: expected true or false, got an integer"],
        id="1 is not true",
    ),
    pytest.param(
        model("sdk = ''"),
        ["backends/a.toml:4  cogt.models.a.m1.sdk: expected a string that is not empty, got an empty string"],
        id="an empty sdk",
    ),
    pytest.param(
        {"backends/a.toml": "[m1]\n[only-a]\nsdk = 's'\n"},
        ["backends/a.toml:1  cogt.models.a.m1.sdk: required, and nothing states it"],
        id="no sdk",
    ),
    pytest.param(
        model("inputs = ['txt']"),
        [
            (
                "backends/a.toml:4  cogt.models.a.m1.inputs.0: expected one of"
                " 'text', 'images', 'audio', 'video' or 'pdf', got 'txt'"
            )
        ],
        id="an unknown modality",
    ),
    pytest.param(
        constrained("temperature_1"),
        [f"backends/a.toml:4  cogt.models.a.m1.constraints.0: expected one of {CONSTRAINTS}, got 'temperature_1'"],
        id="an unknown constraint",
    ),
    pytest.param(
        model("prompting_target = 'llama'"),
        [
            (
                "backends/a.toml:4  cogt.models.a.m1.prompting_target: expected one of 'openai', 'anthropic', 'mistral'"
                " or 'gemini', got 'llama'"
            )
        ],
        id="an unknown prompting target",
    ),
    pytest.param(
        {"backends.local.toml": "[a]\nenabled = 'yes'\n"},
        ["backends.local.toml:2  cogt.backends.a.enabled: expected true or false, got a string"],
        id="yes is not true",
    ),
    pytest.param(
        {"backends.local.toml": "[a]\nendpoint = 5\n"},
        ["backends.local.toml:2  cogt.backends.a.endpoint: expected a string, got an integer"],
        id="a number as an endpoint",
    ),
    pytest.param(
        {"backends.local.toml": "[a]\napi_key = 4711\n"},
        ["backends.local.toml:2  cogt.backends.a.api_key: expected a string, got an integer"],
        id="a number as a key",
    ),
    pytest.param(
        {"backends/a.local.toml": "[defaults]\nmax_tokens = 'x'\n[only-a]\nmax_tokens = 5\n"},
        ["backends/a.local.toml:2  cogt.models.a.defaults.max_tokens: expected an integer, got a string"],
        id="a fault in the defaults is told once, where it is",
    ),
    pytest.param(
        {"backends/a.toml": "# old\ndefault_sdk = 5\n[m1]\n[only-a]\n"},
        ["backends/a.toml:2  cogt.models.a.defaults.sdk: expected a string, got an integer"],
        id="a fault in the older spelling is told once, where it is",
    ),
    pytest.param(
        config("missing_credentials = 'never'"),
        [
            (
                "settings.toml:3  cogt.inference_config.missing_credentials: expected one of"
                " 'prefer', 'defer', 'skip' or 'error', got 'never'"
            )
        ],
        id="an unknown choice",
    ),
    pytest.param(
        config("enabled_backends = ['a', 'nobody', 'b']"),
        [
            (
                "settings.toml:3  cogt.inference_config.enabled_backends.1: no backend is called 'nobody';"
                " expected one of a, b, off"
            )
        ],
        id="an unknown backend is enabled",
    ),
]

ROUTES = [
    pytest.param(
        profile("default = 'a'\nroutes = { 'm*' = 'nobody' }"),
        [
            (
                'routing.toml:4  cogt.routing.profiles.x.routes."m*": '
                "no backend is called 'nobody'; expected one of a, b, off"
            )
        ],
        id="to an unknown backend",
    ),
    pytest.param(
        profile("default = 'nobody'\nfallback_order = ['a']"),
        ["routing.toml:3  cogt.routing.profiles.x.default: no backend is called 'nobody'; expected one of a, b, off"],
        id="an unknown default",
    ),
    pytest.param(
        profile("fallback_order = [\n'a',\n'of']"),
        ["routing.toml:5  cogt.routing.profiles.x.fallback_order.1: no backend is called 'of'; did you mean 'off'?"],
        id="an unknown fallback",
    ),
    pytest.param(
        profile("default = 'a'\nroutes = { m1 = 'off' }"),
        [
            (
                "routing.toml:4  cogt.routing.profiles.x.routes.m1: backend 'off' is disabled;"
                " enable it in cogt.backends.off.enabled, or name another backend"
            )
        ],
        id="to a disabled backend",
    ),
    pytest.param(
        profile("default = 'a'\nroutes = { only-b = 'a' }"),
        [("routing.toml:4  cogt.routing.profiles.x.routes.only-b: backend 'a' does not serve 'only-b'; 'b' can")],
        id="to a backend that does not serve a known model",
    ),
    pytest.param(
        {"routing.local.toml": "active = 'al'\n"},
        ["routing.local.toml:1  cogt.routing.active: no routing profile is called 'al'; did you mean 'all'?"],
        id="an unknown profile",
    ),
    pytest.param(
        {"routing.local.toml": "active = 5\n"},
        ["routing.local.toml:1  cogt.routing.active: expected a string, got an integer"],
        id="a number as the profile",
    ),
    pytest.param(
        {"routing.toml": "[profiles.all]\ndefault = 'a'\n"},
        ["routing.toml  cogt.routing.active: required, and nothing states it; name the routing profile in force"],
        id="no profile",
    ),
    pytest.param(
        {"backends.local.toml": "[c]\n"},
        ["backends.local.toml:1  cogt.backends.c: no file states its models; expected them in backends/c.toml"],
        id="a backend without its file",
    ),
]

DECK = [
    pytest.param(
        {"deck/z.toml": "[aliases]\n'gpt-*' = 'm1'\n"},
        ['deck/z.toml:2  cogt.deck.aliases."gpt-*": an alias\'s name holds no *; only routes are patterns'],
        id="a pattern as an alias",
    ),
    pytest.param(
        {"backends/a.local.toml": "['a/*']\n"},
        ['backends/a.local.toml:1  cogt.models.a."a/*": a model\'s name holds no *; only routes are patterns'],
        id="a pattern as a model",
    ),
    pytest.param(
        {"deck/z.toml": "[aliases]\nx = 'y'\ny = ['m1', 'z']\nz = 'x'\n"},
        ["deck/z.toml:2  cogt.deck.aliases.x: aliases lead in a circle: 'x' -> 'y' -> 'z' -> 'x'"],
        id="a circle of aliases",
    ),
    pytest.param(
        {"deck/z.toml": "[aliases]\nx = 'x'\n"},
        [
            (
                "deck/z.toml:2  cogt.deck.aliases.x: aliases lead in a circle: 'x' -> 'x';"
                ' "..." stands for what the layer below says'
            )
        ],
        id="an alias of itself",
    ),
    pytest.param(
        {"deck/z.toml": "[aliases]\nx = ['m1', 'only-c']\n"},
        [
            (
                "deck/z.toml:2  cogt.deck.aliases.x.1: no model or alias is called 'only-c';"
                " did you mean 'only-b' or 'only-a'?"
            )
        ],
        id="a chain that names what nobody knows",
    ),
    pytest.param(
        preset("", "m11"),
        ["deck/z.toml:2  cogt.deck.llm_presets.q.llm_handle: no model or alias is called 'm11'; did you mean 'm1'?"],
        id="a preset that names what nobody knows",
    ),
    pytest.param(
        {"deck/z.toml": "[llm_presets.q]\ntemperature = 1\n"},
        ["deck/z.toml:1  cogt.deck.llm_presets.q.llm_handle: required, and nothing states it"],
        id="a preset without a handle",
    ),
    pytest.param(
        preset("temperature = 2.5"),
        ["deck/z.toml:3  cogt.deck.llm_presets.q.temperature: expected a number of at most 2, got 2.5"],
        id="too hot",
    ),
    pytest.param(
        preset("temperature = -1"),
        ["deck/z.toml:3  cogt.deck.llm_presets.q.temperature: expected a number of at least 0, got -1"],
        id="too cold",
    ),
    pytest.param(
        preset("temperature = nan"),
        ["deck/z.toml:3  cogt.deck.llm_presets.q.temperature: expected a finite number, got nan"],
        id="nan is not a temperature",
    ),
    pytest.param(
        preset("max_tokens = 'lots'"),
        [
            (
                'deck/z.toml:3  cogt.deck.llm_presets.q.max_tokens: expected an integer of at least 1 or "auto",'
                " got a string"
            )
        ],
        id="another word than auto",
    ),
    pytest.param(
        preset("max_tokens = 0"),
        ['deck/z.toml:3  cogt.deck.llm_presets.q.max_tokens: expected an integer of at least 1 or "auto", got 0'],
        id="no tokens at all",
    ),
    pytest.param(
        preset("max_tokens = 1001"),
        ["deck/z.toml:3  cogt.deck.llm_presets.q.max_tokens: 1001 is more than the 1000 of model 'm1' on backend 'a'"],
        id="past the model's limit",
    ),
    pytest.param(
        {**constrained("temperature_must_be_1"), **preset("temperature = 1"), **preset("temperature = 0.5", "only-b")}
        | {"deck/y.toml": "[llm_presets.p]\nllm_handle = 'm1'\n"},
        [
            (
                "deck/base.toml:4  cogt.deck.llm_presets.p.temperature:"
                " model 'm1' on backend 'a' takes no temperature but 1, got 0.5"
            )
        ],
        id="a temperature where only 1 is taken",
    ),
    pytest.param(
        constrained("temperature_unsupported"),
        ["deck/base.toml:4  cogt.deck.llm_presets.p.temperature: model 'm1' on backend 'a' takes no temperature"],
        id="a temperature where none is taken",
    ),
    pytest.param(
        {**constrained("temperature_must_be_multiplied_by_2"), **preset("temperature = 1.5")},
        [
            (
                "deck/z.toml:3  cogt.deck.llm_presets.q.temperature:"
                " model 'm1' on backend 'a' doubles the temperature, so it may not pass 1, got 1.5"
            )
        ],
        id="a temperature that would be doubled past 2",
    ),
    pytest.param(
        {**constrained("max_tokens_must_be_high_enough"), **preset("max_tokens = 5")},
        [
            (
                "deck/z.toml:3  cogt.deck.llm_presets.q.max_tokens:"
                " 5 is less than the 16 that model 'm1' on backend 'a' needs"
            )
        ],
        id="too few tokens",
    ),
    pytest.param(
        {"deck/z.toml": "[llm_choice_defaults]\nfor_text = 'other'\n"},
        ["deck/z.toml:2  cogt.deck.llm_choice_defaults.for_text: no preset, model or alias is called 'other'"],
        id="a choice that names no preset",
    ),
    pytest.param(
        {"deck/z.toml": "[llm_choice_overrides]\nfor_text = 'disable'\n"},
        [
            (
                "deck/z.toml:2  cogt.deck.llm_choice_overrides.for_text: no preset, model or alias is called 'disable';"
                " did you mean 'disabled'?"
            )
        ],
        id="another word than disabled",
    ),
    pytest.param(
        {"deck/base.toml": "[llm_presets.p]\nllm_handle = 'm1'\n[llm_choice_defaults]\nfor_text = 'p'\n"},
        [
            (
                "deck/base.toml:3  cogt.deck.llm_choice_defaults.for_object: required, and nothing states it;"
                " name the preset, model or alias used when the caller names none"
            )
        ],
        id="no choice",
    ),
    pytest.param(
        {"deck/z.toml": "[llm_choice_defaults]\nfor_text = 'other'\nfor_objct = 'p'\n"},
        [
            "deck/z.toml:2  cogt.deck.llm_choice_defaults.for_text: no preset, model or alias is called 'other'",
            "deck/z.toml:3  cogt.deck.llm_choice_defaults.for_objct: unknown key; did you mean 'for_object'?",
        ],
        id="two faults in one table",
    ),
]

REFERENCES = [
    pytest.param(
        {"backends.local.toml": "[a.headers]\nx = '${}'\n"},
        ["backends.local.toml:2  cogt.backends.a.headers.x: a reference needs a name, and this one is empty"],
        id="an empty name",
    ),
    pytest.param(
        model("sdk = '${SDK}'"),
        [
            (
                "backends/a.toml:4  cogt.models.a.m1.sdk: a reference cannot stand here, only in a backend's own"
                " settings, model_id, headers and extra_config; set PIPELEX_COGT__MODELS__A__M1__SDK instead"
            )
        ],
        id="in an sdk",
    ),
]


@pytest.mark.parametrize(
    ("files", "found"), [*FILES, *SHAPES, *KEYS, *VALUES, *ROUTES, *DECK, *REFERENCES]
)  # fmt: skip
def test_a_fault_is_told_with_place_path_and_what_was_expected(
    problems: Problems, files: Files, found: list[str]
) -> None:
    assert problems(files) == found


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        pytest.param(
            {"env": "prod"},
            ["the argument env: no file declares the environment 'prod'; did you mean 'production'?"],
            id="an unknown environment in code",
        ),
        pytest.param(
            {"environ": {"PIPELEX_ENV": "moon"}},
            ["PIPELEX_ENV: no file declares the environment 'moon'; expected one of development, staging, production"],
            id="an unknown environment in a variable",
        ),
        pytest.param(
            {"overrides": {"routng": {}}}, ["overrides  cogt.routng: unknown key; did you mean 'routing'?"], id="a key"
        ),
        pytest.param(
            {"overrides": {"routing": 5}}, ["overrides  cogt.routing: expected a table, got an integer"], id="a value"
        ),
        pytest.param(
            {"overrides": {"routing": {"active": None}}},
            ["overrides  cogt.routing.active: required, and nothing states it; name the routing profile in force"],
            id="nothing",
        ),
        pytest.param(
            {"overrides": {"models": {"a": {"m1": {"max_tokens": "5"}}}}},
            ["overrides  cogt.models.a.m1.max_tokens: expected an integer, got a string"],
            id="text in code",
        ),
        pytest.param(
            {"environ": {"PIPELEX_COGT__ROUTING__ACTIVE": "al"}},
            [
                (
                    "PIPELEX_COGT__ROUTING__ACTIVE  cogt.routing.active: no routing profile is called 'al';"
                    " did you mean 'all'?"
                )
            ],
            id="an unknown profile in a variable",
        ),
        pytest.param(
            {"environ": {"PIPELEX_COGT__DECK__LLM_PRESETS__P__TEMPERATURE": "9"}},
            [
                (
                    "PIPELEX_COGT__DECK__LLM_PRESETS__P__TEMPERATURE  cogt.deck.llm_presets.p.temperature:"
                    " expected a number of at most 2, got 9.0"
                )
            ],
            id="too hot in a variable",
        ),
    ],
)
def test_what_code_and_variables_state_is_told_the_same_way(
    problems: Problems, arguments: dict[str, Any], found: list[str]
) -> None:
    assert problems(**arguments) == found


def directory_in_place(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def latin_1(path: Path) -> None:
    path.write_bytes(b"# ok\n# caf\xe9\n")


def dangling_link(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("gone.toml")


def endless_link(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("backends.toml", "cogt.backends"),
        ("backends/a.toml", "cogt.models.a"),
        ("routing.toml", "cogt.routing"),
        ("deck/base.toml", "cogt.deck"),
        ("deck/base.local.toml", "cogt.deck"),
        ("settings.toml", ""),
        ("settings.local.toml", ""),
        (".secrets.toml", ""),
    ],
)
@pytest.mark.parametrize(
    ("spoil", "line", "problem"),
    [
        pytest.param(directory_in_place, "", "expected a TOML file, found a directory", id="directory"),
        pytest.param(latin_1, ":2", "expected UTF-8 text, found the byte 0xe9", id="latin-1"),
        pytest.param(dangling_link, "", "expected a TOML file, found nothing here", id="dangling link"),
        pytest.param(endless_link, "", "cannot be read: Too many levels of symbolic links", id="unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_is_the_only_problem(
    write_tree: WriteTree, name: str, path: str, spoil: Callable[[Path], None], line: str, problem: str
) -> None:
    directory = write_tree(MINIMAL)
    spoil(directory / name)
    overrides = {"inference_config": {"use_packaged_settings": False}}
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(directory, environ={}, overrides=overrides)
    where = "  ".join(part for part in (f"{directory / name}{line}", path) if part)
    assert [str(found) for found in caught.value.problems] == [f"{where}: {problem}"]


@pytest.mark.parametrize("table", ["backends", "models", "routing", "deck", "inference_config"])
def test_a_key_that_is_no_text_is_an_error(problems: Problems, table: str) -> None:
    (found,) = problems(overrides={table: {1: {}}})
    assert found.startswith(f"overrides  cogt.{table}.1: ")


SEVERAL = {
    "backends.toml": MINIMAL["backends.toml"].replace("endpoint", "endpont"),
    "backends/a.toml": "[m1]\nsdk = 's'\nmax_tokens = true\n[only-a]\nsdk = 's'\ncosts = { input = -1 }\n",
    "backends/b.toml": "[broken",
    "deck/z.toml": "[llm_presets]\nq = { llm_handle = 'gone' }\nr = { llm_handle = 'only-a', temperature = 3 }\n",
    "routing.toml": "active = 'all'\n[profiles.all]\ndefault = 'nobody'\nfallback_order = ['a', 'b']\n",
}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("settings.local.toml", "[default.cgt]\n", ":1: default.cgt: unknown key, expected cogt"),
        (".secrets.toml", "[broken", ":1: not valid TOML: the header is not closed; end it with ]"),
        ("../.env", "PIPELEX_COGT__ROUTNG=x\n", "PIPELEX_COGT__ROUTNG: no setting has such a name"),
    ],
)
def test_a_fault_beside_the_library_files_hides_none_of_theirs(
    problems: Problems, name: str, text: str, found: str
) -> None:
    told = "\n".join(problems({name: text, "backends.toml": SEVERAL["backends.toml"]}))
    assert "backends.toml:2  cogt.backends.a.endpont: unknown key" in told
    assert found in told


def test_all_problems_are_told_at_once_in_the_order_of_files_and_lines(problems: Problems) -> None:
    assert problems(SEVERAL) == [
        "backends.toml:2  cogt.backends.a.endpont: unknown key; did you mean 'endpoint'?",
        "backends/a.toml:3  cogt.models.a.m1.max_tokens: expected an integer, got a boolean",
        "backends/a.toml:6  cogt.models.a.only-a.costs.input: expected a number of at least 0, got -1",
        "backends/b.toml:1  cogt.models.b: not valid TOML: the header is not closed; end it with ]",
        "deck/z.toml:3  cogt.deck.llm_presets.r.temperature: expected a number of at most 2, got 3",
        "routing.toml:3  cogt.routing.profiles.all.default: no backend is called 'nobody'; expected one of a, b, off",
    ]


@pytest.mark.parametrize(
    ("files", "count"),
    [
        pytest.param({"backends.toml": "[broken"}, 1, id="backends"),
        pytest.param({"backends.local.toml": "a = 5\n"}, 1, id="one backend"),
        pytest.param({"backends/b.toml": "[broken"}, 1, id="models"),
        pytest.param({"backends/b.toml": "[only-b]\nmax_tokens = true\nsdk = 's'\n"}, 1, id="one model"),
        pytest.param({"routing.toml": "[broken"}, 1, id="routing"),
        pytest.param({"routing.local.toml": "profiles = 5\n"}, 1, id="profiles"),
        pytest.param({"deck/base.toml": "[broken"}, 1, id="deck"),
        pytest.param({"deck/z.toml": "[llm_presets]\np = 5\n"}, 1, id="one preset"),
        pytest.param({"deck/z.toml": "[aliases]\nbest = 5\n"}, 1, id="one alias"),
        pytest.param({"settings.local.toml": "[broken"}, 1, id="main file"),
        pytest.param(
            {
                **config("missing_credentials = 'never'\nrouting_profile_library_path = 'other.toml'"),
                "routing.toml": "active = 'nobody reads this'\n",
                "other.toml": MINIMAL["routing.toml"],
            },
            1,
            id="one choice",
        ),
        pytest.param(
            {
                "backends.local.toml": "[a2]\nmodels_like = 'a'\n",
                "backends/a.local.toml": "[only-a]\nmax_tokens = true\n",
                "routing.local.toml": "[profiles.all.routes]\nonly-a = 'a2'\n",
                "deck/z.toml": "[llm_choice_overrides]\nfor_text = 'only-a@a2'\n",
            },
            1,
            id="one model of two backends",
        ),
    ],
)
def test_a_fault_has_no_invented_consequences(problems: Problems, files: Files, count: int) -> None:
    found = problems(files)
    assert len(found) == count, found


@pytest.fixture
def error(load: Load) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(SEVERAL)
    return caught.value


def test_the_error_is_a_group_of_our_own_errors(error: SettingsError) -> None:
    assert isinstance(error, CogtError)
    assert all(isinstance(each, ProblemError) for each in error.exceptions)
    assert len(error.problems) == len(error.exceptions) == 6
    assert str(error).startswith("6 problems in the settings of environment 'development'\n")
    assert str(error).count("\n") == 6


def test_no_exception_of_a_library_stands_behind_the_error(error: SettingsError) -> None:
    assert error.__cause__ is error.__context__ is None


def test_the_error_survives_pickling(error: SettingsError) -> None:
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.problems, str(copied)) == (error.problems, str(error))


def test_nothing_is_half_loaded_after_an_error(load: Load, write_tree: WriteTree, monkeypatch: Any) -> None:
    monkeypatch.setenv("PIPELEX_SETTINGS_DIR", str(write_tree({**MINIMAL, **SEVERAL})))
    for _ in range(2):
        with pytest.raises(SettingsError):
            get_models_manager()
    write_tree({**MINIMAL, "deck/z.toml": ""})
    manager = get_models_manager()
    assert manager is get_models_manager()
    assert set(manager.deck.inference_models) == set(load({"deck/z.toml": ""}).deck.inference_models)


def test_the_collector_runs_again_after_an_error(problems: Problems) -> None:
    assert gc.isenabled()
    problems(SEVERAL)
    assert gc.isenabled()


def test_a_load_that_worked_is_untouched_by_one_that_fails(load: Load, problems: Problems) -> None:
    manager = load()
    before = manager.deck.resolve("p")
    problems(SEVERAL)
    assert manager.deck.resolve("p") == before
    assert manager.warnings == ()


def test_a_choice_that_a_fault_of_the_inference_config_costs_is_not_told(problems: Problems) -> None:
    lost = {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-b'\n[llm_choice_defaults]\nfor_text = 'q'\n"}
    assert problems({**lost, **config("enabled_backends = ['a', 'bb']")}) == [
        (
            "settings.toml:3  cogt.inference_config.enabled_backends.1: no backend is called 'bb';"
            " expected one of a, b, off"
        )
    ]
    (told,) = problems({**lost, **config("enabled_backends = ['a']")})
    assert told.startswith("deck/z.toml:4  cogt.deck.llm_choice_defaults.for_text: preset 'q' leads to no model")
