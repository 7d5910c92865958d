"""Where handles lead when no credential is missing, and which line of the application's is told for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelex_cogt import InferenceModelSpec, ModelManager, Problem, SettingsError
from pipelex_cogt.models.leads import Absences, lead_of_settings
from pipelex_cogt.models.model_deck import tell_absence
from tests.conftest import MINIMAL, Load, WriteTree, dedent

ONE_BACKEND = "[default.cogt.inference_config]\nenabled_backends = ['openai']\n"
ONLY_MINE = "[default.cogt.inference_config]\nenabled_backends = ['mine']\n"
PACKAGED_BACKENDS = (
    *("openai", "anthropic", "google", "mistral", "xai", "deepseek", "cohere", "azure_openai", "bedrock"),
    *("vertexai", "groq", "cerebras", "fireworks", "together_ai", "openrouter", "ollama"),
)
CHOICE = "cogt.deck.llm_choice_defaults.for_{} (packaged choices.toml)"
NO_CHOICE = (
    f"does not fit {CHOICE.format('text')} and {CHOICE.format('object')}: "
    "handle 'base' leads to no model that is served: 'claude-5.5-sonnet' is known only to what is disabled: "
)
MINE = {"backends.toml": "[mine]", "backends/mine.toml": "[my-model]\nsdk = 's'"}
NO_TEMPERATURE = (
    "does not fit cogt.deck.llm_presets.llm_to_reason.temperature (packaged presets.toml): "
    "model 'gpt-5.5' on backend 'openai' takes no temperature"
)
STEERED = (
    *("llm_for_factual_writing", "llm_for_creative_writing", "llm_to_summarize", "llm_to_translate"),
    *("llm_to_reason", "llm_to_extract", "llm_to_extract_from_img"),
)
NO_TEMPERATURES = "does not fit {}: model 'gpt-5.5' on backend 'openai' takes no temperature".format(
    " and ".join(f"cogt.deck.llm_presets.{preset}.temperature (packaged presets.toml)" for preset in STEERED)
)
CHEAP = "cogt.deck.llm_presets.cheap_llm_for_{}.max_tokens (packaged presets.toml)"
TOO_MANY = (
    f"does not fit {CHEAP.format('text')} and {CHEAP.format('object')}: "
    "4000 is more than the 1000 of model 'gpt-6-luna' on backend 'openai'"
)
CIRCLE = (
    "does not fit cogt.deck.aliases.best-mistral (packaged aliases.toml): "
    "aliases lead in a circle: 'best-mistral' -> 'mistral-large' -> 'best-mistral'"
)
ALIAS_VARIABLE, LIMIT_VARIABLE = (
    "PIPELEX_COGT__DECK__ALIASES__STEERABLE_REASONING",
    ("PIPELEX_COGT__MODELS__OPENAI__GPT_6_LUNA__MAX_TOKENS"),
)

TOLD: dict[str, tuple[dict[str, str], dict[str, str], list[str]]] = {
    "a handle": (
        {"settings.toml": ONE_BACKEND, "deck/mine.toml": "[llm_presets.llm_to_reason]\nllm_handle = 'gpt-5.5'"},
        {},
        [f"deck/mine.toml:2  cogt.deck.llm_presets.llm_to_reason.llm_handle: {NO_TEMPERATURE}"],
    ),
    "an alias": (
        {"settings.toml": ONE_BACKEND, "deck/mine.toml": "[aliases]\nsteerable-reasoning = 'gpt-5.5'"},
        {},
        [f"deck/mine.toml:2  cogt.deck.aliases.steerable-reasoning: {NO_TEMPERATURE}"],
    ),
    "an alias behind a packaged one": (
        {
            "settings.toml": ONE_BACKEND,
            "deck/mine.toml": "[aliases]\n'claude-4.6-sonnet' = ['best-gpt', 'gpt-5.5']\nbest-gpt = 'gpt-5.5'",
        },
        {},
        [f'deck/mine.toml:2  cogt.deck.aliases."claude-4.6-sonnet": {NO_TEMPERATURES}'],
    ),
    "an alias in a variable": (
        {"settings.toml": ONE_BACKEND},
        {ALIAS_VARIABLE: "gpt-5.5"},
        [f"{ALIAS_VARIABLE}  cogt.deck.aliases.steerable-reasoning: {NO_TEMPERATURE}"],
    ),
    "a model's limit": (
        {"settings.toml": ONE_BACKEND, "backends/openai.toml": "[gpt-6-luna]\nmax_tokens = 1000"},
        {},
        [f"backends/openai.toml:2  cogt.models.openai.gpt-6-luna.max_tokens: {TOO_MANY}"],
    ),
    "a model's limit in a variable": (
        {"settings.toml": ONE_BACKEND},
        {LIMIT_VARIABLE: "1000"},
        [f"{LIMIT_VARIABLE}  cogt.models.openai.gpt-6-luna.max_tokens: {TOO_MANY}"],
    ),
    "a constraint": (
        {
            "settings.toml": ONE_BACKEND,
            "backends/openai.toml": "['gpt-5.4']\nconstraints = ['temperature_unsupported']",
            "deck/mine.toml": "[llm_presets]\n"
            + "\n".join(
                f"{name}.temperature = 1\n{name}.llm_handle = 'gpt-4.1'"
                for name in (
                    "llm_for_factual_writing",
                    "llm_for_creative_writing",
                    "llm_to_summarize",
                    "llm_to_translate",
                    "llm_to_extract",
                    "llm_to_extract_from_img",
                )
            ),
        },
        {},
        [
            'backends/openai.toml:2  cogt.models.openai."gpt-5.4".constraints: '
            + NO_TEMPERATURE.replace("gpt-5.5", "gpt-5.4")
        ],
    ),
    "a choice of backends that leaves none": (
        {"settings.toml": ONLY_MINE, **MINE},
        {},
        ["settings.toml:2  cogt.inference_config.enabled_backends"],
    ),
    "every model of a file switched off": (
        {"settings.toml": ONE_BACKEND, "backends/openai.toml": "[defaults]\nenabled = false"},
        {},
        ["backends/openai.toml:2  cogt.models.openai.defaults.enabled"],
    ),
    "every backend switched off": (
        {"backends.toml": "\n".join(f"[{name}]\nenabled = false" for name in PACKAGED_BACKENDS)},
        {},
        [f"backends.toml:4  cogt.backends.anthropic.enabled: {NO_CHOICE}"],
    ),
    "an alias that leads nowhere": (
        {"settings.toml": ONE_BACKEND, "deck/mine.toml": "[aliases]\nbase = ['claude-5-sonnet']"},
        {},
        ["deck/mine.toml:2  cogt.deck.aliases.base"],
    ),
    "an alias of many behind a choice of backends that leaves none": (
        {
            "settings.toml": ONLY_MINE,
            **MINE,
            "deck/mine.toml": "[aliases]\nsmall-open = ['gpt-oss-20b', 'gpt-oss-120b']",
        },
        {},
        ["settings.toml:2  cogt.inference_config.enabled_backends"],
    ),
    "a profile that leads nowhere": (
        {"settings.toml": ONE_BACKEND, "routing.toml": "active = 'none'\n[profiles.none]"},
        {},
        ["routing.toml:1  cogt.routing.active"],
    ),
    "a route that leads nowhere": (
        {**MINE, "routing.toml": "[profiles.all_enabled.routes]\n'*' = 'mine'"},
        {},
        ['routing.toml:2  cogt.routing.profiles.all_enabled.routes."*"'],
    ),
    "a fallback that leads nowhere": (
        {**MINE, "routing.toml": "[profiles.all_enabled]\nfallback_order = ['mine']"},
        {},
        ["routing.toml:2  cogt.routing.profiles.all_enabled.fallback_order"],
    ),
    "a circle through a packaged alias": (
        {"deck/mine.toml": "[aliases]\nmistral-large = 'best-mistral'"},
        {},
        [f"deck/mine.toml:2  cogt.deck.aliases.mistral-large: {CIRCLE}"],
    ),
}


def told(problem: Problem) -> str:
    """A problem with paths relative to `settings/`, and packaged places without their lines."""
    text = re.sub(r"\((?:packaged )?(?:[^()\s]*/)?([\w-]+\.toml):\d+\)", r"(packaged \1)", str(problem))
    return text.rpartition("/app/settings/")[2]


@pytest.mark.parametrize(("files", "environ", "expected"), TOLD.values(), ids=TOLD)
def test_what_does_not_fit_a_packaged_value_is_told_at_the_application_s_line(
    write_tree: WriteTree, files: Mapping[str, str], environ: Mapping[str, str], expected: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(write_tree(files), environ=environ)
    found = [told(problem) for problem in caught.value.problems]
    assert [message[: len(start)] for message, start in zip(found, expected, strict=True)] == expected


# When no credential is missing

MODELS = ["m1", "only-a", "only-b", "m-off"]
ALIASES = ["v", "w", "x", "y"]
TREE = {
    **MINIMAL,
    "backends.toml": """
        [a]
        api_key = "${A_KEY}"
        [b]
        api_key = "${B_KEY}"
        [off]
        enabled = false
        api_key = "${OFF_KEY}"
    """,
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("leads")
    for name, text in TREE.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
    return directory


PROFILES: dict[str, dict[str, object]] = {
    "fallback": {"fallback_order": ["a", "b"]},
    "the other way round": {"fallback_order": ["b", "a"]},
    "a route": {"routes": {"m1": "b"}, "fallback_order": ["a"]},
    "an optional route": {"optional_routes": {"m1": "b", "only-*": "a"}, "default": "a", "fallback_order": ["b"]},
}
# An alias leads to those declared after it, or to a model: there is no circle.
ALIAS_TABLES = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from([*ALIASES[index + 1 :], *MODELS]), min_size=1, max_size=4)
        for index, name in enumerate(ALIASES)
    },
    optional={
        name: st.lists(st.sampled_from(["only-a", "only-b"]), min_size=1, max_size=2) for name in ("m1", "m-off")
    },
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    aliases=ALIAS_TABLES,
    profile=st.sampled_from([*PROFILES]),
    keys=st.sets(st.sampled_from(["A_KEY", "B_KEY"])),
)
def test_handles_lead_where_they_would_if_every_key_were_there(
    tree: Path, aliases: dict[str, list[str]], profile: str, keys: set[str]
) -> None:
    deck = {"aliases": aliases}
    routing = {"active": "tried", "profiles": {"tried": PROFILES[profile]}}
    shared = {"deck": deck, "routing": routing}
    skipping = {**shared, "inference_config": {"missing_credentials": "skip"}}
    with_keys = ModelManager.load(tree, environ={"A_KEY": "a", "B_KEY": "b"}, overrides=skipping).deck
    lead = lead_of_settings(ModelManager.load(tree, environ=dict.fromkeys(keys, "k"), overrides=skipping).deck)
    for handle in [*ALIASES, *MODELS, "nobody"]:
        assert named(lead(handle)) == named(with_keys.model_in_force(handle))


def named(model: InferenceModelSpec | None) -> tuple[str, str] | None:
    return None if model is None else (model.name, model.backend_name)


def test_what_the_code_states_is_told_as_overrides() -> None:
    overrides = {"inference_config": {"enabled_backends": ["openai"]}, "routing": {"active": "all_anthropic"}}
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(environ={}, overrides=overrides)
    (problem,) = caught.value.problems
    assert (problem.file, problem.path) == ("overrides", "cogt.routing.active")


@pytest.mark.parametrize("mode", ["skip", "prefer"])
def test_why_handles_lead_nowhere_is_the_same_looked_at_together_and_alone(load: Load, mode: str) -> None:
    aliases = {
        "self": "dot.ted",
        "only-b": ["dark", "only-b"],
        "dark": ["m-off"],
        "far": ["near", "dark"],
        "near": ["dark", "only-b", "dot.ted"],
        "dot.ted": "dot.ted",
    }
    names = "\n".join(f"{name!r} = {stands_for!r}" for name, stands_for in aliases.items())
    files = {
        "settings.local.toml": f"[default.cogt.inference_config]\nmissing_credentials = '{mode}'",
        "deck/more.toml": f"[aliases]\n{names}",
    }
    deck = load(files, environ={"A_KEY": "key-of-a-for-tests"}).deck
    absences = Absences(deck)
    handles = [name for name in (*aliases, "only-b", "m-off") if not deck.is_served(name)]
    assert len(handles) > len(aliases)
    assert [tell_absence(absences(name)) for name in handles] == [deck.why_absent(name) for name in handles]
