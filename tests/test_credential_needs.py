"""What a missing credential means at load: which backends stay, which are left out, and what is told of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import MissingCredentialError, ModelManager, SettingsError
from tests.conftest import Load

SETTINGS = Path(__file__).parents[1] / "settings"
TABLES = tomllib.loads((SETTINGS / "backends.toml").read_text(encoding="utf-8"))
CATALOGUE = {name: table for name, table in TABLES.items() if table.get("enabled", True)}
"""The packaged backends that are in use."""
NEEDED = {name: re.findall(r"\$\{(\w+)(?:\|\w+)?\}", str(table)) for name, table in CATALOGUE.items()}
"""Each of them with the variables that it cannot do without."""
SETTING = {**NEEDED, "bedrock": ["AWS_DEFAULT_REGION"], "google": ["GOOGLE_API_KEY"]}
"""Each with the variables that say it is used; where several do, the second is named here."""


def backends(a: str = "", b: str = "") -> dict[str, str]:
    return {"backends.toml": f"[a]\n{a}\n[b]\n{b}\n[off]\nenabled = false"}


def prefer(**config: Any) -> dict[str, Any]:
    return {"inference_config": {"missing_credentials": "prefer", **config}}


def packaged(environ: dict[str, str], **arguments: Any) -> ModelManager:
    return ModelManager.load(**{"env": "development", "environ": environ, **arguments})


# One key and no settings


@pytest.mark.slow
@pytest.mark.parametrize("backend", [name for name, variables in SETTING.items() if variables])
def test_one_key_and_no_settings_leads_every_preset_to_its_provider(backend: str) -> None:
    Path(".env").write_text("".join(f"{name}=https://4f9d0c\n" for name in SETTING[backend]), encoding="utf-8")
    Path(".env").chmod(0o600)
    manager = packaged({})
    deck = manager.get_llm_deck()
    assert {deck.resolve(preset).backend.name for preset in deck.llm_presets} == {backend}
    assert (list(manager.backends.enabled), manager.warnings) == ([backend], ())


@pytest.mark.parametrize("env", ["development", "staging"])
def test_what_needs_no_key_stands_back_where_another_has_its_own(env: str) -> None:
    manager = packaged({"OPENAI_API_KEY": "4f9d0c"}, env=env)
    assert list(manager.backends.enabled) == ["openai"]
    assert manager.backends["bedrock"].missing_variables == ("AWS_REGION or AWS_DEFAULT_REGION",)


def test_no_key_at_all_leaves_everything_to_the_call() -> None:
    manager = packaged({})
    assert list(manager.backends.enabled) == list(CATALOGUE)
    with pytest.raises(MissingCredentialError, match="needs ANTHROPIC_API_KEY, which is not set"):
        _ = manager.get_llm_deck().resolve("llm_for_text").backend.api_key


def test_two_keys_share_the_deck() -> None:
    manager = packaged({"OPENAI_API_KEY": "4f9d0c", "GEMINI_API_KEY": "4f9d0c"})
    assert list(manager.backends.enabled) == ["openai", "google"]


# Backends that need no key


def test_a_backend_without_a_key_stands_back() -> None:
    manager = packaged({"COHERE_API_KEY": "4f9d0c"})
    assert manager.get_inference_model("smart").backend_name == "cohere"
    with pytest.raises(MissingCredentialError) as caught:
        manager.get_inference_model("mistral-7b")
    assert caught.value.reason == "backend 'ollama' is left out: OLLAMA_BASE_URL is not set"
    assert str(caught.value).endswith("or name the backends in use in cogt.inference_config.enabled_backends")


NAMED: dict[str, dict[str, Any]] = {
    "its variable": {"environ": {"OPENAI_API_KEY": "4f9d0c", "OLLAMA_BASE_URL": "http://gpu:11434/v1"}},
    "enabled_backends": {"overrides": {"inference_config": {"enabled_backends": ["openai", "ollama"]}}},
    "a table of its own": {"overrides": {"backends": {"ollama": {"display_name": "Mine"}}}},
    "a model of its own": {"overrides": {"models": {"ollama": {"mine": {"model_id": "mine:7b"}}}}},
    "the active profile": {"overrides": {"routing": {"active": "all_ollama"}}},
    "a route": {"overrides": {"routing": {"profiles": {"all_enabled": {"routes": {"gpt-oss-*": "ollama"}}}}}},
    "an order": {"overrides": {"routing": {"profiles": {"all_enabled": {"fallback_order": ["openai", "ollama"]}}}}},
}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", NAMED.values(), ids=NAMED)
def test_a_backend_that_the_application_names_stays(arguments: dict[str, Any]) -> None:
    manager = packaged(**{"environ": {"OPENAI_API_KEY": "4f9d0c"}, **arguments})
    assert {"openai", "ollama"} <= manager.backends.enabled.keys()
    assert manager.get_inference_model("mistral-7b").backend_name == "ollama"


def test_a_server_of_ones_own_is_preferred_to_what_has_no_key() -> None:
    manager = packaged({"OLLAMA_BASE_URL": "http://gpu:11434/v1"})
    assert list(manager.backends.enabled) == ["ollama"]


# What counts as credentials of its own


OWN: dict[str, tuple[dict[str, str], dict[str, str], list[str]]] = {
    "an answered key": (backends("api_key = '${A_KEY}'", "api_key = '${B_KEY}'"), {"A_KEY": "x"}, ["a"]),
    "both": (backends("api_key = '${A_KEY}'", "api_key = '${B_KEY}'"), {"A_KEY": "x", "B_KEY": "y"}, ["a", "b"]),
    "none": (backends("api_key = '${A_KEY}'", "api_key = '${B_KEY}'"), {}, ["a", "b"]),
    "a literal": (backends("api_key = 'sk-4f9d0c'", "api_key = '${B_KEY}'"), {}, ["a"]),
    "an empty literal": (backends("api_key = ' '", "api_key = '${B_KEY}'"), {}, ["a", "b"]),
    "nothing asked": (backends("", "api_key = '${B_KEY}'"), {}, ["a", "b"]),
    "a default": (backends("region = '${A_REGION:-eu}'", "api_key = '${B_KEY}'"), {}, ["a", "b"]),
    "a default that is set": (backends("region = '${R:-eu}'", "api_key = '${B_KEY}'"), {"R": "us"}, ["a"]),
    "half of it": (
        backends("endpoint = '${A_URL}'\napi_key = '${A_KEY}'", "api_key = '${B_KEY}'"),
        {"A_KEY": "x"},
        ["a", "b"],
    ),
    "literal with an escape": (backends("api_key = 'x$${y'", "api_key = '${B_KEY}'"), {}, ["a"]),
    "half of it beside all": (
        backends("endpoint = '${A_URL}'\napi_key = '${A_KEY}'", "api_key = '${B_KEY}'"),
        {"A_KEY": "x", "B_KEY": "y"},
        ["b"],
    ),
    "keyless beside a key": (backends("", "api_key = '${B_KEY}'"), {"B_KEY": "x"}, ["a", "b"]),
}


@pytest.mark.parametrize(("files", "environ", "in_use"), OWN.values(), ids=OWN)
def test_a_backend_with_credentials_of_its_own_is_preferred(
    load: Load, files: dict[str, str], environ: dict[str, str], in_use: list[str]
) -> None:
    assert list(load(files, environ=environ, overrides=prefer()).backends.enabled) == in_use


def test_what_the_application_states_and_is_left_out_is_told(load: Load) -> None:
    manager = load(overrides=prefer(), environ={"B_KEY": "x"})
    (warning,) = manager.warnings
    assert (warning.path, warning.problem) == ("cogt.backends.a.api_key", "backend 'a' is left out: A_KEY is not set")


def test_what_only_the_catalogue_states_is_not() -> None:
    assert packaged({"OPENAI_API_KEY": "4f9d0c"}).warnings == ()


def test_what_is_named_and_left_out_is_told() -> None:
    overrides = {"inference_config": {"enabled_backends": ["openai", "anthropic"]}}
    (warning,) = packaged({"OPENAI_API_KEY": "4f9d0c"}, overrides=overrides).warnings
    assert warning.problem == "backend 'anthropic' is left out: ANTHROPIC_API_KEY is not set"
    assert str(warning.suggestion).startswith("looked in the environment and ")


def test_a_secret_file_that_fails_stops_nothing(load: Load, tmp_path: Path) -> None:
    (tmp_path / "no-secrets" / "A_KEY").write_bytes(b"\xff")
    manager = load(overrides=prefer(), environ={"B_KEY": "x"})
    assert list(manager.backends.enabled) == ["a", "b"]
    assert {warning.problem for warning in manager.warnings} == {"expected UTF-8 text"}


class FailingVault:
    def get(self, _name: str) -> str | None:
        raise ConnectionError


@pytest.mark.parametrize(("means", "stops"), [("prefer", False), ("skip", True), ("error", True)])
def test_a_source_that_fails_is_told_by_who_asks(load: Load, means: str, stops: object) -> None:
    overrides = {"inference_config": {"missing_credentials": means}}
    problem = "the secret source FailingVault, asked for 'B_KEY', failed with ConnectionError"
    try:
        found = load(overrides=overrides, environ={"A_KEY": "x"}, sources=[FailingVault()]).warnings
        assert not stops
    except SettingsError as error:
        assert stops
        found = error.problems
    assert [each.problem for each in found] == [problem]


class Counting:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, name: str) -> str | None:
        self.asked.append(name)
        return "4f9d0c"


@pytest.mark.parametrize("means", ["prefer", "skip", "error"])
def test_each_name_is_asked_for_once_a_load_whoever_needs_it(load: Load, means: str) -> None:
    vault = Counting()
    files = backends("api_key = '${K}'\nregion = '${K}-${L}'", "api_key = '${K}'")
    manager = load(files, overrides={"inference_config": {"missing_credentials": means}}, sources=[vault])
    assert sorted(vault.asked) == ["K", "L"]
    assert manager.warnings == ()
    assert sorted(vault.asked) == ["K", "L"]


# A missing key is no other fault


LOST: dict[str, dict[str, Any]] = {
    "an exact route": {"profiles": {"all": {"routes": {"only-a": "a"}}}},
    "a pattern": {"profiles": {"all": {"routes": {"only-*": "a"}}}},
    "the default": {"profiles": {"all": {"default": "a", "fallback_order": []}}},
    "the order": {"profiles": {"all": {"fallback_order": ["a"]}}},
}


@pytest.mark.parametrize("means", ["skip", "prefer"])
@pytest.mark.parametrize("routing", LOST.values(), ids=LOST)
def test_a_rule_that_names_what_was_left_out_is_no_fault(load: Load, means: str, routing: dict[str, Any]) -> None:
    deck = {"llm_presets": {"p": {"llm_handle": "only-a", "temperature": 0.5}}}
    config = {"missing_credentials": means}
    manager = load(environ={"B_KEY": "x"}, overrides={"inference_config": config, "routing": routing, "deck": deck})
    asks: list[Callable[[], object]] = [
        lambda: manager.get_llm_deck().choice("for_text"),
        lambda: manager.get_llm_deck().resolve("p"),
        lambda: manager.get_llm_deck().chain("only-a"),
        lambda: manager.get_inference_model("only-a"),
    ]
    for ask in asks:
        with pytest.raises(MissingCredentialError) as caught:
            ask()
        assert caught.value.reason == "backend 'a' is left out: A_KEY is not set"


# Refusing a load


def test_production_without_settings_says_that_first(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(env="production", environ={"OPENAI_KEY": "x", "XAI_API_KEY": "x"})
    first, second, *others = [str(problem).replace(str(tmp_path), "TMP") for problem in caught.value.problems]
    assert first == (
        "no application settings were found: expected settings/ in TMP/work; name them with PIPELEX_SETTINGS_DIR; "
        "without them every packaged backend needs its credentials"
    )
    assert second.partition("  ")[2] == (
        "cogt.backends.openai.api_key: backend 'openai' needs OPENAI_API_KEY, which is not set; "
        "looked in the environment and TMP/no-secrets (no .env in TMP/work); OPENAI_KEY is set in the environment; "
        'set it, or leave the backend out with cogt.inference_config.enabled_backends or missing_credentials = "skip"'
    )
    missing = [name for names in NEEDED.values() for name in names if name not in ("OPENAI_API_KEY", "XAI_API_KEY")]
    assert [re.findall(r"needs (\w+)(?: or \w+)?, which is not set$", each) for each in others] == [
        [name] for name in missing
    ]


def test_with_settings_nobody_looks_for_others(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(overrides={"inference_config": {"missing_credentials": "error"}})
    assert "no application settings" not in str(caught.value)


def test_each_missing_variable_has_its_own_near_names(load: Load) -> None:
    files = backends("api_key = '${OPENAI_API_KEY}'", "api_key = '${GEMINI_API_KEY}'")
    overrides = {"inference_config": {"missing_credentials": "error"}}
    with pytest.raises(SettingsError) as caught:
        load(files, overrides=overrides, environ={"OPENAI_KEY": "x", "GOOGLE_API_KEY": "y"})
    first, second = caught.value.problems
    assert "; OPENAI_KEY is set in the environment; " in str(first)
    assert second.suggestion == "GOOGLE_API_KEY is set in the environment"


def test_a_variable_that_many_lack_is_told_once_with_the_first_of_them(problems: Callable[..., list[str]]) -> None:
    many = "".join(f"[p{number}]\napi_key = '${{P_KEY}}'\nmodels_like = 'a'\n" for number in range(50))
    overrides = {"inference_config": {"missing_credentials": "error"}}
    (problem,) = [each for each in problems({"backends.local.toml": many}, overrides=overrides) if "P_KEY," in each]
    assert "backends 'p0' and 'p1' and" in problem
    assert "and 'p11' and 38 more need P_KEY, which is not set" in problem
