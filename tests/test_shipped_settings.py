"""The shipped settings: every route, alias and preset resolves, in every environment, on any choice of backends."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import chdir
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import (
    BackendDisabledError,
    InferenceModelSpec,
    LLMChoice,
    ModelApi,
    ModelConstraint,
    ModelManager,
    ModelNotRoutedError,
    NotAvailableError,
    ReasoningEffort,
)
from pipelex_cogt.models.call_parameters import PARAMETERS, find_faults
from tests.conftest import WriteTree

SETTINGS = Path(__file__).parents[1] / "settings"
BACKEND_FILES = sorted((SETTINGS / "backends").glob("*.toml"))
BACKEND_TABLES = tomllib.loads((SETTINGS / "backends.toml").read_text(encoding="utf-8"))
BACKENDS = sorted(name for name, table in BACKEND_TABLES.items() if table.get("enabled", True))
SWITCHED_OFF = {"alibaba", "github", "huggingface", "moonshot", "nvidia", "perplexity", "zai"}
"""Backends that an application switches on with models of its own."""
ROUTING = tomllib.loads((SETTINGS / "routing.toml").read_text(encoding="utf-8"))
PROFILES = sorted(ROUTING["profiles"])
ENVIRONMENTS = ["development", "staging", "production"]

REQUIRED_BACKENDS = {
    "anthropic",
    "azure_openai",
    "bedrock",
    "deepseek",
    "google",
    "groq",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "vertexai",
    "xai",
}
REQUIRED_PROFILES = {"all_enabled", "all_openai", "all_anthropic", "all_azure_openai", "all_bedrock"}
REQUIRED_ALIASES = {"best-claude", "base-gpt", "cheap"}
LEAST_BACKENDS = 12
LEAST_ENTRIES = 120
LASTS_UNTIL = date(2027, 4, 1)
"""Four months after the facts were read; a load warns 60 days before a model that it leads to retires."""
LEAST_RESPONSES = 12
LEAST_REASONING = 150
LEAST_DATED = 75
LEAST_STEERED = 6
SECRET = "canary-e07c"

SDKS = {
    "anthropic": {"anthropic"},
    "azure_openai": {"openai"},
    "bedrock": {"anthropic", "bedrock", "openai"},
    "google": {"google"},
    "mistral": {"mistral"},
    "openai": {"openai"},
    "vertexai": {"anthropic", "google", "openai_compatible"},
}
"""What calls the models of each backend; of the others, what imitates OpenAI's API."""
NOT_SERVED = {("ollama", "llm_to_describe_img"), ("ollama", "llm_to_extract_from_img")}
"""Presets that lead to no model on one backend: no model of Ollama's reads pictures."""

STATED_FACTS = re.compile(
    r"(?=.*\blitellm \d+(\.\d+)+)(?=.*\bgenai-prices \d+(\.\d+)+).*\b\d{4}-\d{2}-\d{2}\b", re.DOTALL
)


REFERENCED = re.findall(r"\$\{(\w+)", (SETTINGS / "backends.toml").read_text(encoding="utf-8"))
BACKEND_KEYS = {name: re.findall(r"\w{4,}", table.get("api_key", "")) for name, table in BACKEND_TABLES.items()}
EVERY_KEY = {name: f"https://{SECRET}" if name.endswith(("ENDPOINT", "URL")) else SECRET for name in REFERENCED}


def load(env: str | None = None, environ: Mapping[str, str] | None = None, **overrides: Any) -> ModelManager:
    return ModelManager.load(env=env, environ=environ or {}, overrides=overrides)


def load_only(*backends: str, **overrides: Any) -> ModelManager:
    return load(inference_config={"enabled_backends": list(backends)}, **overrides)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> ModelManager:
    # Where tests are started, settings/ would be an application's own.
    with chdir(tmp_path_factory.mktemp("empty")):
        return load()


def entries(manager: ModelManager) -> Iterator[InferenceModelSpec]:
    for backend in manager.backends.values():
        yield from backend.model_specs.values()


def both_choices(manager: ModelManager) -> list[str]:
    return [manager.get_llm_deck().choice(choice).model.name for choice in LLMChoice]


def test_the_catalogue_loads_without_a_warning(manager: ModelManager) -> None:
    assert manager.warnings == ()


def test_the_catalogue_is_large_enough(manager: ModelManager) -> None:
    assert set(manager.backends) >= REQUIRED_BACKENDS
    assert len(manager.backends) >= LEAST_BACKENDS
    assert sum(1 for _ in entries(manager)) >= LEAST_ENTRIES


def test_every_backend_has_its_file_and_every_file_its_backend(manager: ModelManager) -> None:
    assert [path.stem for path in BACKEND_FILES] == BACKENDS
    assert set(manager.backends) == {*BACKENDS, *SWITCHED_OFF}


def test_every_backend_serves_something_and_has_a_name_for_people(manager: ModelManager) -> None:
    assert {name for name, backend in manager.backends.items() if not backend.model_specs} == SWITCHED_OFF
    assert [name for name, backend in manager.backends.items() if not backend.display_name] == []


@pytest.mark.parametrize("path", BACKEND_FILES, ids=lambda path: path.stem)
def test_the_head_of_a_file_states_source_and_date(path: Path) -> None:
    head = path.read_text(encoding="utf-8").partition("[")[0]
    assert all(line.startswith("#") for line in head.splitlines() if line.strip())
    assert STATED_FACTS.search(head)


@pytest.mark.parametrize("name", sorted(SWITCHED_OFF))
def test_a_backend_without_models_is_switched_off_and_works_with_models_of_ones_own(
    write_tree: WriteTree, name: str
) -> None:
    files = {
        "backends.toml": f"[{name}]\nenabled = true",
        f"backends/{name}.toml": '[mine]\nsdk = "openai_compatible"',
    }
    manager = ModelManager.load(write_tree(files), environ=dict.fromkeys(BACKEND_KEYS[name], SECRET))
    assert manager.warnings == ()
    assert manager.get_llm_deck().resolve("mine").backend.name == name
    assert manager.backends[name].is_ready


def test_every_model_says_what_it_reads_and_writes(manager: ModelManager) -> None:
    assert [spec.name for spec in entries(manager) if not (spec.inputs and spec.outputs)] == []


def test_no_answer_is_longer_than_the_context_window(manager: ModelManager) -> None:
    odd = [
        (spec.backend_name, spec.name)
        for spec in entries(manager)
        if spec.max_tokens and spec.context_window and spec.max_tokens > spec.context_window
    ]
    assert odd == []


def test_no_prompt_is_longer_than_the_context_window(manager: ModelManager) -> None:
    odd = [
        (spec.backend_name, spec.name)
        for spec in entries(manager)
        if spec.max_input_tokens and spec.max_input_tokens >= (spec.context_window or 0)
    ]
    assert odd == []


def test_every_model_has_an_output_limit(manager: ModelManager) -> None:
    assert [(spec.backend_name, spec.name) for spec in entries(manager) if spec.max_tokens is None] == []


def test_the_sdk_is_what_calls_the_model_there(manager: ModelManager) -> None:
    found = {name: {spec.sdk for spec in manager.backends[name].model_specs.values()} for name in BACKENDS}
    assert found == {name: SDKS.get(name, {"openai_compatible"}) for name in BACKENDS}


def test_the_responses_api_serves_models_of_openai_alone(manager: ModelManager) -> None:
    served = [spec for spec in entries(manager) if spec.api is ModelApi.RESPONSES]
    assert len(served) >= LEAST_RESPONSES
    assert {spec.sdk for spec in served} == {"openai"}


def test_efforts_are_stated_from_least_to_most(manager: ModelManager) -> None:
    order = [*ReasoningEffort]
    stated = [spec.reasoning_efforts for spec in entries(manager) if spec.reasoning_efforts]
    assert len(stated) >= LEAST_REASONING
    assert [efforts for efforts in stated if [*efforts] != sorted(efforts, key=order.index)] == []


def test_a_temperature_that_reasoning_forbids_is_one_of_a_model_that_may_not_reason(manager: ModelManager) -> None:
    constraint = ModelConstraint.TEMPERATURE_UNSUPPORTED_WITH_REASONING
    bound = [spec for spec in entries(manager) if constraint in spec.constraints]
    assert bound
    for spec in bound:
        assert spec.reasoning_budget or ReasoningEffort.NONE in (spec.reasoning_efforts or ()), spec.name
        assert ModelConstraint.TEMPERATURE_UNSUPPORTED not in spec.constraints


def test_nothing_was_retired_when_the_facts_were_read(manager: ModelManager) -> None:
    dated = [spec for spec in entries(manager) if spec.retires]
    assert len(dated) >= LEAST_DATED
    for spec in dated:
        head = (SETTINGS / "backends" / f"{spec.backend_name}.toml").read_text(encoding="utf-8").partition("[")[0]
        (read,) = re.findall(r"read (\d{4}-\d{2}-\d{2})", head)
        assert spec.retires is not None
        assert spec.retires > date.fromisoformat(read), spec.name


@pytest.mark.slow
def test_no_preset_leads_to_a_model_that_retires_soon() -> None:
    for backend in BACKENDS:
        deck = load_only(backend).get_llm_deck()
        models = [deck.resolve(name).model for name in deck.llm_presets if (backend, name) not in NOT_SERVED]
        assert [model.name for model in models if model.retires and model.retires < LASTS_UNTIL] == [], backend


def test_a_successor_is_another_model_of_the_catalogue(manager: ModelManager) -> None:
    stated = {spec.name: spec.successor for spec in entries(manager) if spec.successor}
    assert stated
    assert {name for name, successor in stated.items() if name == successor} == set()
    assert set(stated.values()) - set(manager.backends.known_models) == set()


def test_no_cached_price_is_above_the_full_one(manager: ModelManager) -> None:
    odd = [
        (spec.backend_name, spec.name)
        for spec in entries(manager)
        if spec.costs.input is not None and spec.costs.input_cached is not None
        if spec.costs.input_cached > spec.costs.input
    ]
    assert odd == []


def test_no_two_entries_of_a_backend_are_the_same_model(manager: ModelManager) -> None:
    for backend in manager.backends.values():
        ids = [spec.model_id for spec in backend.model_specs.values()]
        assert sorted(ids) == sorted(set(ids)), backend.name


def test_every_alias_resolves(manager: ModelManager) -> None:
    deck = manager.get_llm_deck()
    assert set(deck.aliases) >= REQUIRED_ALIASES
    assert all(deck.chain(alias) for alias in deck.aliases)


def test_no_alias_is_named_like_a_model_or_a_preset(manager: ModelManager) -> None:
    deck = manager.get_llm_deck()
    assert set(deck.aliases).isdisjoint({*manager.backends.known_models, *deck.llm_presets})
    assert set(deck.llm_presets).isdisjoint(manager.backends.known_models)


def test_a_preset_that_states_a_temperature_fits_every_member_of_its_chain(manager: ModelManager) -> None:
    deck = manager.get_llm_deck()
    stated = {name: setting for name, setting in deck.llm_presets.items() if setting.temperature is not None}
    assert len(stated) >= LEAST_STEERED
    for name, setting in stated.items():
        assert deck.resolve(name).model == deck.get_inference_model(setting.llm_handle)
        assert [fault for model in deck.chain(setting.llm_handle) for fault in setting.faults_for(model)] == [], name


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_preset_can_be_sent_to_each_backend(backend: str) -> None:
    deck = load_only(backend).get_llm_deck()
    served = {name for name in deck.llm_presets if (backend, name) not in NOT_SERVED}
    for name in served:
        first, *others = deck.resolve_all(name)
        assert first.parameters.adapted == (), name
        for llm in (first, *others):
            sent = {key: getattr(llm.parameters, key) for key in PARAMETERS}
            assert [*find_faults(sent, llm.model)] == [], (name, llm.model.name)
    for name in set(deck.llm_presets) - served:
        with pytest.raises(NotAvailableError):
            deck.resolve_all(name)


def test_who_wants_it_to_think_hard_has_a_model_that_is_asked_to() -> None:
    for backend in BACKENDS:
        llm = load_only(backend).get_llm_deck().resolve("llm_to_think_hard")
        assert llm.parameters.reasoning_effort is ReasoningEffort.HIGH, backend


def test_every_preset_is_described(manager: ModelManager) -> None:
    presets = manager.get_llm_deck().llm_presets
    assert [name for name, setting in presets.items() if not setting.description] == []


def test_vision_presets_lead_to_models_that_see(manager: ModelManager) -> None:
    deck = manager.get_llm_deck()
    names = [name for name in deck.llm_presets if name.endswith("_img")]
    assert names
    assert all(model.is_vision_supported for name in names for model in deck.chain(deck.llm_presets[name].llm_handle))


@pytest.mark.parametrize("preset", ["llm_for_object", "llm_to_extract", "cheap_llm_for_object"])
def test_presets_for_objects_lead_to_models_that_write_them(manager: ModelManager, preset: str) -> None:
    assert manager.get_llm_deck().resolve(preset).model.is_gen_object_supported


def test_both_default_choices_resolve(manager: ModelManager) -> None:
    assert len(both_choices(manager)) == 2


def test_every_model_of_the_catalogue_is_served_by_the_active_profile(manager: ModelManager) -> None:
    assert set(manager.get_llm_deck().inference_models) == set(manager.backends.known_models)


def test_the_fallback_order_names_every_backend(manager: ModelManager) -> None:
    order = manager.routing["all_enabled"].fallback_order
    assert sorted(order) == sorted(manager.backends)


def test_the_profiles_are_there(manager: ModelManager) -> None:
    assert set(manager.routing) >= REQUIRED_PROFILES
    assert manager.routing.active.name == "all_enabled"
    assert any(len(profile.routes) > 1 for profile in manager.routing.values())


def test_every_route_leads_somewhere(manager: ModelManager) -> None:
    for profile in manager.routing.values():
        decisions = [manager.routing.decide(name, profile.name) for name in manager.backends.known_models]
        used = {decision.key for decision in decisions if decision.backend is not None}
        assert {*profile.routes, *profile.optional_routes} <= used, profile.name


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_loads_when_active(profile: str) -> None:
    manager = load(routing={"active": profile})
    assert manager.routing.active.name == profile
    assert len(both_choices(manager)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "all_enabled" and name.startswith("all_")])
def test_each_profile_of_one_backend_loads_with_that_backend_alone(profile: str) -> None:
    backend = profile.removeprefix("all_")
    manager = load_only(backend, routing={"active": profile})
    assert {model.backend_name for model in manager.get_llm_deck().inference_models.values()} == {backend}
    assert set(manager.get_llm_deck().inference_models) == set(manager.backends[backend].model_specs)
    assert len(both_choices(manager)) == 2


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_each_environment_loads_given_its_keys(env: str) -> None:
    manager = load(env, EVERY_KEY)
    assert manager.environment == env
    assert manager.warnings == ()
    assert set(manager.backends.enabled) == set(BACKENDS)
    assert len(both_choices(manager)) == 2


def test_the_environments_differ_in_what_a_missing_credential_means() -> None:
    means = {env: load(env, EVERY_KEY).settings.inference_config.missing_credentials.value for env in ENVIRONMENTS}
    assert means == {"development": "prefer", "staging": "skip", "production": "error"}


def test_staging_works_with_one_key() -> None:
    manager = load("staging", {"ANTHROPIC_API_KEY": SECRET})
    assert "anthropic" in manager.backends.enabled
    assert "openai" not in manager.backends.enabled
    assert len(both_choices(manager)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_each_backend_alone_loads_and_serves_both_choices(backend: str) -> None:
    manager = load_only(backend)
    assert set(manager.backends.enabled) == {backend}
    assert len(both_choices(manager)) == 2
    assert manager.warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize("first", BACKENDS)
def test_each_pair_loads_and_serves_both_choices(first: str) -> None:
    for pair in combinations(BACKENDS, 2):
        if pair[0] == first:
            manager = load_only(*pair)
            assert set(manager.backends.enabled) == set(pair)
            assert len(both_choices(manager)) == 2
            assert manager.warnings == (), pair


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_credential_of_a_backend_is_a_reference_that_a_key_answers(backend: str) -> None:
    used = load(environ=EVERY_KEY).get_required_inference_backend(backend)
    assert used.api_key is None or used.api_key.get_secret_value() == SECRET
    assert used.endpoint is None or used.endpoint
    assert all(used.extra_config.values())
    assert SECRET not in repr(used)


APPLICATION = {
    "settings.toml": """
        [default.cogt.inference_config]
        enabled_backends = ["openai", "anthropic"]
        [default.cogt.deck.llm_presets.llm_to_review]
        llm_handle = "steerable"
        temperature = 0.3
        [production.cogt.deck.llm_presets.llm_to_review]
        temperature = 0.1
    """
}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_an_application_of_two_backends_and_a_preset_has_no_warning(write_tree: WriteTree, env: str) -> None:
    manager = ModelManager.load(write_tree(APPLICATION), env, EVERY_KEY)
    assert manager.warnings == ()
    llm = manager.get_llm_deck().resolve("llm_to_review")
    assert llm.backend.name in {"openai", "anthropic"}
    assert llm.setting.temperature == (0.1 if env == "production" else 0.3)


def test_such_an_application_is_told_about_its_own_mistakes(write_tree: WriteTree) -> None:
    files = {**APPLICATION, "routing.toml": '[profiles.mine]\nroutes = { "claude-*" = "bedrock" }'}
    (warning,) = ModelManager.load(write_tree(files), environ={}).warnings
    assert warning.path == 'cogt.routing.profiles.mine.routes."claude-*"'
    assert warning.problem == "backend 'bedrock' is disabled"


def test_what_such_an_application_left_out_is_told_apart_from_a_typo(write_tree: WriteTree) -> None:
    deck = ModelManager.load(write_tree(APPLICATION), environ={}).get_llm_deck()
    with pytest.raises(BackendDisabledError) as caught:
        deck.resolve("best-gemini")
    assert caught.value.backends
    assert "openai" not in caught.value.backends


def test_a_model_outside_the_active_profile_says_so() -> None:
    with pytest.raises(ModelNotRoutedError) as caught:
        load(routing={"active": "all_anthropic"}).get_inference_model("base-gpt")
    assert caught.value.profile == "all_anthropic"
