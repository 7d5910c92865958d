"""Warnings as data: what a load allows and a person should hear of. The exact texts are in `reports/`."""

from __future__ import annotations

import dataclasses
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import ModelManager, Problem, SettingsError, Severity
from tests.conftest import Load, WriteTree

NOTHING = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"
DARK = {"deck/z.toml": "[aliases]\nchain = ['m-off', 'm1']\n"}
TWO_BACKENDS = "[default.cogt.inference_config]\nenabled_backends = ['openai', 'anthropic']\n"


def routed(lines: str) -> dict[str, str]:
    """A routing file whose active profile's lines begin on line 4."""
    return {"routing.toml": f"active = 'x'\n[profiles.x]\nfallback_order = ['a', 'b']\n{lines}\n"}


def paths(manager: ModelManager) -> list[str]:
    return [warning.path for warning in manager.warnings]


@pytest.fixture
def over_packaged(write_tree: WriteTree) -> Load:
    """Load files over the packaged settings."""

    def load_files(files: Mapping[str, str], **arguments: Any) -> ModelManager:
        return ModelManager.load(write_tree(files), **{"environ": {}, **arguments})

    return load_files


# Shape


def test_a_warning_is_a_problem_with_every_fact(load: Load) -> None:
    (warning,) = load(DARK).warnings
    assert isinstance(warning, Problem)
    assert warning.severity is Severity.WARNING
    assert warning.path == "cogt.deck.aliases.chain.0"
    assert warning.file is not None
    assert Path(warning.file).name == "z.toml"
    assert warning.line == 2
    assert "'m-off'" in warning.problem


def test_warnings_are_a_tuple_of_immutable_values(load: Load) -> None:
    manager = load(DARK)
    assert isinstance(manager.warnings, tuple)
    with pytest.raises(dataclasses.FrozenInstanceError):
        manager.warnings[0].problem = "other"  # type: ignore[misc]  # because: that is what must not work


def test_warnings_survive_pickling(load: Load) -> None:
    warnings = load(DARK).warnings
    assert pickle.loads(pickle.dumps(warnings)) == warnings


def test_warnings_come_in_the_order_of_files_and_lines(load: Load) -> None:
    files = {
        **routed("routes = { 'zz-*' = 'a' }\noptional_routes = { 'yy-*' = 'a' }"),
        "deck/z.toml": "[aliases]\ny = 'm-off'\nx = 'm-off'\n",
        "deck/a.toml": "[aliases]\nw = 'm-off'\n",
    }
    told = [(Path(warning.file or "").name, warning.line) for warning in load(files).warnings]
    assert told == [("a.toml", 2), ("z.toml", 2), ("z.toml", 3), ("routing.toml", 4), ("routing.toml", 5)]


def test_a_warning_is_told_once(load: Load) -> None:
    warnings = load({**DARK, **routed("routes = { 'zz-*' = 'a' }")}).warnings
    assert len(warnings) == len(set(warnings)) == 2


def test_a_warning_stops_nothing(load: Load) -> None:
    assert load(DARK).deck.resolve("chain").model.name == "m1"


def test_a_load_that_fails_tells_errors_alone(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load({**DARK, "routing.local.toml": "active = 'al'\n"})
    assert {problem.severity for problem in caught.value.problems} == {Severity.ERROR}


def test_lines_are_those_of_the_file_when_it_was_read(load: Load) -> None:
    manager = load(DARK)
    before = manager.warnings
    assert before[0].file is not None
    Path(before[0].file).unlink()
    assert [warning.path for warning in manager.warnings] == [warning.path for warning in before]


# Kinds


def test_models_that_no_rule_serves_are_told_once_each(load: Load) -> None:
    files = {"routing.toml": "active = 'x'\n[profiles.x]\nroutes = { m1 = 'b', only-a = 'a' }\n"}
    told = paths(load(files))
    assert told == ["cogt.models.b.only-b", 'cogt.models.b."dot.ted"', "cogt.deck.aliases.best.1"]


def test_a_model_that_backends_are_like_is_told_once_where_it_is_stated(load: Load) -> None:
    like = "endpoint = 'https://x.example'\nmodels_like = "
    files = {
        "backends.local.toml": f"[mine]\n{like}'a'\n[theirs]\n{like}'mine'",
        "backends/mine.toml": "[new]\nsdk = 'sdk'",
    }
    (warning,) = load(files).warnings
    assert warning.path == "cogt.models.mine.new"
    assert (Path(str(warning.file)).name, warning.line) == ("mine.toml", 1)
    assert "'mine' and 'theirs' can" in str(warning)


def test_a_model_that_is_switched_off_is_no_model_that_no_rule_serves(load: Load) -> None:
    assert paths(load({"backends/a.local.toml": "[only-a]\nenabled = false\n"})) == []


def test_a_chain_with_a_member_that_is_served_names_only_the_others(load: Load) -> None:
    assert paths(load({"deck/z.toml": "[aliases]\nx = ['m1', 'm-off', 'only-a', 'm-off']\n"})) == [
        "cogt.deck.aliases.x.1",
        "cogt.deck.aliases.x.3",
    ]


def test_what_leads_nowhere_in_one_environment_is_told_there_alone(load: Load) -> None:
    files = {
        "settings.toml": f"{NOTHING}[production.cogt.backends.off]\nenabled = true\n",
        "deck/z.toml": "[aliases]\nx = 'm-off'\n[llm_presets.q]\nllm_handle = 'x'\n",
    }
    assert paths(load(files, env="development")) == ["cogt.deck.aliases.x", "cogt.deck.llm_presets.q.llm_handle"]
    assert paths(load(files, env="production")) == []


def test_a_broken_profile_that_is_not_active_is_told_with_every_fault(load: Load) -> None:
    files = {"routing.local.toml": "[profiles.y]\ndefault = 'nobody'\nroutes = { m1 = 'off' }\nx = 1\n"}
    assert paths(load(files)) == [
        "cogt.routing.profiles.y.default",
        "cogt.routing.profiles.y.routes.m1",
        "cogt.routing.profiles.y.x",
    ]


def test_an_unused_route_of_a_profile_that_is_not_active_is_not_told(load: Load) -> None:
    assert paths(load({"routing.local.toml": "[profiles.y]\ndefault = 'a'\nroutes = { 'zz*' = 'b' }\n"})) == []


# What is packaged


@pytest.mark.parametrize("env", ["development", "staging", "production"])
def test_two_backends_and_one_preset_over_the_packaged_settings_have_no_warning(over_packaged: Load, env: str) -> None:
    files = {"settings.toml": TWO_BACKENDS, "deck/mine.toml": "[llm_presets.mine]\nllm_handle = 'best-gpt'\n"}
    keys = {"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b"}
    assert over_packaged(files, env=env, environ=keys).warnings == ()


@pytest.mark.parametrize("backend", ["openai", "bedrock", "ollama", "cohere"])
def test_one_backend_alone_over_the_packaged_settings_has_no_warning(over_packaged: Load, backend: str) -> None:
    config = f"[default.cogt.inference_config]\nenabled_backends = ['{backend}']\n"
    assert over_packaged({"settings.toml": config}).warnings == ()


def test_a_packaged_profile_made_active_has_no_warning_about_its_packaged_routes(over_packaged: Load) -> None:
    assert over_packaged({"routing.toml": "active = 'mixed'\n"}).warnings == ()


def test_what_the_application_wrote_over_the_packaged_settings_is_told(over_packaged: Load) -> None:
    files = {
        "settings.toml": TWO_BACKENDS,
        "deck/mine.toml": "[aliases]\nmine = ['best-gpt', 'mistral-large-4']\n",
        "routing.toml": "[profiles.all_enabled.routes]\n'gtp-*' = 'openai'\n",
    }
    assert paths(over_packaged(files)) == [
        "cogt.deck.aliases.mine.1",
        'cogt.routing.profiles.all_enabled.routes."gtp-*"',
    ]


def test_a_packaged_name_that_the_application_changed_is_the_application_s(over_packaged: Load) -> None:
    files = {"settings.toml": TWO_BACKENDS, "deck/mine.toml": "[aliases]\nbest-mistral = ['mistral-large-3']\n"}
    assert paths(over_packaged(files)) == ["cogt.deck.aliases.best-mistral"]


# Names that two things have, parameters that the model in force takes otherwise


HIDDEN: dict[str, tuple[dict[str, str], str, str]] = {
    "a packaged model by a preset": (
        {"deck/mine.toml": "[llm_presets.gpt-6-luna]\nllm_handle = 'gpt-6-luna'"},
        "cogt.deck.llm_presets.gpt-6-luna",
        "does not fit cogt.models.openai.gpt-6-luna (packaged openai.toml): the preset of the same name hides it",
    ),
    "a packaged alias by a preset": (
        {"deck/mine.toml": "[llm_presets.smart]\nllm_handle = 'gpt-6-luna'"},
        "cogt.deck.llm_presets.smart",
        "does not fit cogt.deck.aliases.smart (packaged aliases.toml): the preset of the same name hides it",
    ),
    "a packaged alias by a model": (
        {"backends/openai.toml": "[smart]\n"},
        "cogt.models.openai.smart",
        "does not fit cogt.deck.aliases.smart (packaged aliases.toml): the model of the same name hides it",
    ),
    "an alias by a packaged model": (
        {"deck/mine.toml": "[aliases]\ngpt-6-luna = ['best-gpt', 'gpt-6-luna']"},
        "cogt.deck.aliases.gpt-6-luna",
        "the model of the same name hides it",
    ),
    "an alias by a packaged preset": (
        {"deck/mine.toml": "[aliases]\nllm_to_reason = 'best-gpt'"},
        "cogt.deck.aliases.llm_to_reason",
        "the preset of the same name hides it",
    ),
}


@pytest.mark.parametrize(("files", "path", "text"), HIDDEN.values(), ids=HIDDEN)
def test_a_hidden_name_is_told_at_the_line_of_the_application(
    over_packaged: Load, files: dict[str, str], path: str, text: str
) -> None:
    (warning,) = over_packaged(files).warnings
    packaged = re.sub(r"\((?:packaged )?(?:[^()\s]*/)?([\w-]+\.toml):\d+\)", r"(packaged \1)", warning.problem)
    assert (warning.path, packaged) == (path, text)


@pytest.mark.parametrize("alias", ["m1", ["m1"]])
def test_an_alias_that_stands_for_its_own_name_alone_hides_nothing(load: Load, alias: object) -> None:
    assert load(overrides={"deck": {"aliases": {"m1": alias}}}).warnings == ()


def test_an_alias_of_the_name_of_a_model_that_is_not_served_is_not_hidden(load: Load) -> None:
    assert paths(load({"deck/z.toml": "[aliases]\nm-off = 'only-a'\n"})) == []


LESS = {
    "settings.toml": "[development.cogt.inference_config]\nenabled_backends = ['openai', 'anthropic']\n"
    "missing_credentials = 'skip'",
    "deck/mine.toml": "[aliases]\nsteerable-reasoning = ['claude-4.6-opus', 'gpt-5.5']",
}


def test_a_packaged_preset_that_is_sent_less_is_told_at_the_application_s_alias(over_packaged: Load) -> None:
    warnings = over_packaged(LESS, environ={"OPENAI_API_KEY": "sk-1"}).warnings
    (warning,) = [
        each for each in warnings if each.problem.endswith(": temperature 0.5 left out: 'gpt-5.5' takes none")
    ]
    assert (warning.path, warning.line) == ("cogt.deck.aliases.steerable-reasoning", 2)
    assert warning.suggestion == "'gpt-5.5' on backend 'openai' answers while backend 'anthropic' is left out"


def test_a_preset_over_a_mixed_chain_is_not_told_while_its_first_member_answers(over_packaged: Load) -> None:
    assert over_packaged(LESS, environ={"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"}).warnings == ()


def test_auto_of_a_packaged_model_without_a_limit_is_told_once_at_the_preset(over_packaged: Load) -> None:
    files = {
        "backends/openai.toml": "[mine]\n",
        "deck/mine.toml": "[llm_presets.mine-too]\nllm_handle = 'mine'\nmax_tokens = 'auto'",
    }
    (warning,) = over_packaged(files).warnings
    assert (warning.path, warning.line) == ("cogt.deck.llm_presets.mine-too.max_tokens", 3)
