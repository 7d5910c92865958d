"""References where none can stand: each is told once, in our words, with the variable that does it instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from pipelex_cogt import Severity
from pipelex_cogt.config.reference_places import refuse_references
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.models.settings_schema import SETTINGS_SCHEMA
from tests.conftest import Load

Problems: TypeAlias = Callable[..., list[str]]

REFUSAL = "a reference cannot stand here, only in a backend's own settings, model_id, headers and extra_config"

PLACES: dict[str, tuple[Mapping[str, str], str, str]] = {
    "a switch": ({"backends.local.toml": "[a]\nenabled = '${X}'\n"}, "backends.a.enabled", "BACKENDS__A__ENABLED"),
    "a name for people": (
        {"backends.local.toml": "[a]\ndisplay_name = 'A of ${X}'\n"},
        "backends.a.display_name",
        "BACKENDS__A__DISPLAY_NAME",
    ),
    "a number": (
        {"backends/a.local.toml": "[m1]\nmax_tokens = '${X}'\n"},
        "models.a.m1.max_tokens",
        "MODELS__A__M1__MAX_TOKENS",
    ),
    "a price": (
        {"backends/b.local.toml": "['dot.ted']\ncosts = { input = '${X}' }\n"},
        'models.b."dot.ted".costs.input',
        "MODELS__B__DOT_TED__COSTS__INPUT",
    ),
    "a list of words": (
        {"backends/a.local.toml": "[m1]\ninputs = ['${X}']\n"},
        "models.a.m1.inputs.0",
        "MODELS__A__M1__INPUTS",
    ),
    "an alias": ({"deck/z.toml": "[aliases]\nx = '${X}'\n"}, "deck.aliases.x", "DECK__ALIASES__X"),
    "a member of an alias": ({"deck/z.toml": "[aliases]\nx = ['${X}']\n"}, "deck.aliases.x.0", "DECK__ALIASES__X"),
    "a handle": (
        {"deck/z.toml": "[llm_presets.q]\nllm_handle = '${X}'\n"},
        "deck.llm_presets.q.llm_handle",
        "DECK__LLM_PRESETS__Q__LLM_HANDLE",
    ),
    "a parameter": (
        {"deck/z.toml": "[llm_presets.p]\ntemperature = '${X}'\n"},
        "deck.llm_presets.p.temperature",
        "DECK__LLM_PRESETS__P__TEMPERATURE",
    ),
    "a choice": (
        {"deck/z.toml": "[llm_choice_overrides]\nfor_text = '${X}'\n"},
        "deck.llm_choice_overrides.for_text",
        "DECK__LLM_CHOICE_OVERRIDES__FOR_TEXT",
    ),
    "the profile": ({"routing.local.toml": "active = '${X}'\n"}, "routing.active", "ROUTING__ACTIVE"),
    "a route": (
        {"routing.local.toml": "[profiles.all]\nroutes = { m1 = '${X}' }\n"},
        "routing.profiles.all.routes.m1",
        "ROUTING__PROFILES__ALL__ROUTES__M1",
    ),
    "the backends in use": (
        {"settings.local.toml": "[default.cogt.inference_config]\nenabled_backends = ['a', 'b', '${X}']\n"},
        "inference_config.enabled_backends.2",
        "INFERENCE_CONFIG__ENABLED_BACKENDS",
    ),
    "a directory": (
        {"settings.local.toml": "[default.cogt.inference_config]\nllm_deck_dir = '${X}/deck'\n"},
        "inference_config.llm_deck_dir",
        "INFERENCE_CONFIG__LLM_DECK_DIR",
    ),
    "what a missing key means": (
        {"settings.local.toml": "[default.cogt.inference_config]\nmissing_credentials = '${X}'\n"},
        "inference_config.missing_credentials",
        "INFERENCE_CONFIG__MISSING_CREDENTIALS",
    ),
}
STANDING = {
    "endpoint": "endpoint = 'https://${X}'",
    "api_key": "api_key = '${X}'",
    "a further key": "region = '${X}'",
    "a further table": "default_headers = { x = { y = ['${X}'] } }",
    "an escape in a name for people": "display_name = 'costs $${X}'",
}


@pytest.mark.parametrize(("files", "path", "variable"), PLACES.values(), ids=PLACES)
def test_a_reference_where_none_can_stand_is_one_problem(
    problems: Problems, files: Mapping[str, str], path: str, variable: str
) -> None:
    (found,) = problems(files, environ={"X": "m1"})
    place, _, told = found.partition("  ")
    assert place.startswith(next(iter(files)))
    assert told == f"cogt.{path}: {REFUSAL}; set PIPELEX_COGT__{variable} instead"


@pytest.mark.parametrize("line", STANDING.values(), ids=STANDING)
def test_a_backends_settings_hold_references(load: Load, line: str) -> None:
    assert load({"backends.local.toml": f"[a]\n{line}\n"}).warnings == ()


def test_a_model_id_holds_references(load: Load) -> None:
    files = {"backends/a.local.toml": "[defaults]\nmodel_id = '${X}'\n[m1]\nmodel_id = '${X}'\n"}
    assert load(files, environ={"X": "x"}).backends["a"].model_specs["m1"].model_id == "x"


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"backends/a.local.toml": "['${X}']\n"}, 'models.a."${X}"'),
        ({"deck/z.toml": "[aliases]\n'${X}' = 'm1'\n"}, 'deck.aliases."${X}"'),
        ({"routing.local.toml": "[profiles.all.routes]\n'${X}' = 'a'\n"}, 'routing.profiles.all.routes."${X}"'),
    ],
    ids=["model", "alias", "route"],
)
def test_no_name_is_a_reference(problems: Problems, files: Mapping[str, str], path: str) -> None:
    (found,) = problems(files)
    assert found.endswith(f"cogt.{path}: {REFUSAL}; write the name itself")


def test_an_unknown_key_is_told_as_such(problems: Problems) -> None:
    assert problems({"backends/a.local.toml": "[m1]\nmax_token = '${X}'\n"}) == [
        "backends/a.local.toml:2  cogt.models.a.m1.max_token: unknown key; did you mean 'max_tokens'?"
    ]


def test_where_no_file_states_it_the_value_itself_is_asked_for(problems: Problems) -> None:
    name = "PIPELEX_COGT__DECK__LLM_PRESETS__P__LLM_HANDLE"
    found = problems(environ={name: "${X}"})
    assert found == [f"{name}  cogt.deck.llm_presets.p.llm_handle: {REFUSAL}; state the value itself"]


def test_a_tree_without_a_schema_holds_none() -> None:
    report = ProblemReport()
    refuse_references({"unknown": {"a": "${X}"}, "routing": "${X}", "deck": 5}, SETTINGS_SCHEMA, report)
    assert [problem.path for problem in report.problems(Severity.ERROR)] == ["cogt.routing"]
