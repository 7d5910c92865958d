"""Differences for a caller between two environments, or two routing profiles; and the command that tells them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt.cli.app import app
from pipelex_cogt.models.difference import Difference, find_differences
from tests.conftest import MINIMAL, Load, WriteTree

Run: TypeAlias = Callable[..., Result]
Differences: TypeAlias = Callable[..., list[Difference]]

NOTHING = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"
PROFILES = {
    "routing.toml": """
        active = "all"
        [profiles.all]
        fallback_order = ["a", "b", "off"]
        [profiles.same]
        fallback_order = ["a", "b"]
        [profiles.other]
        fallback_order = ["b", "a"]
        [profiles.only_a]
        default = "a"
    """
}


@pytest.fixture
def differences(load: Load) -> Differences:
    """What differs between development and production, whose table holds these lines."""

    def find(production: str, files: Mapping[str, str] | None = None) -> list[Difference]:
        tree = {**(files or {}), "settings.toml": NOTHING + production}
        return find_differences(load(tree, env="development").deck, load(tree, env="production").deck)

    return find


@pytest.fixture
def diff(write_tree: WriteTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `pipelex-cogt diff` on the minimal tree with other files laid over it."""

    def run_diff(*arguments: str, files: Mapping[str, str] | None = None) -> Result:
        write_tree({**MINIMAL, **(files or {})})
        monkeypatch.chdir(tmp_path / "app")
        return CliRunner().invoke(app, ["diff", *arguments])

    return run_diff


def about(found: list[Difference], kind: str) -> list[tuple[str, str | None, Any, Any]]:
    return [(each.name, each.field, each.before, each.after) for each in found if each.kind == kind]


def production(path: str, line: str) -> dict[str, str]:
    return {"settings.toml": f"{NOTHING}[production.cogt.{path}]\n{line}\n"}


# What differs


def test_equal_environments_differ_in_nothing(differences: Differences) -> None:
    assert differences("") == []


@pytest.mark.parametrize(
    "line",
    [
        "[production.cogt.routing.profiles.all]\ndescription = 'words'",
        "[production.cogt.deck.llm_presets.p]\ndescription = 'words'",
        "[production.cogt.models.a.m1]\ndescription = 'words'",
        "[production.cogt.models.a.m1]\nmax_tokens = 1000",
        "[production.cogt.models.b.m1]\nmodel_id = 'not the backend that serves it'",
        "[production.cogt.models.off.m-off]\nmax_tokens = 5",
        "[production.cogt.routing.profiles.unused]\ndefault = 'a'",
        "[production.cogt.backends.off]\nendpoint = 'https://off.example.com'",
        "[production.cogt.inference_config]\nmissing_credentials = 'error'",
    ],
)
def test_what_no_caller_notices_is_no_difference(load: Load, line: str) -> None:
    files = {"settings.toml": f"{NOTHING}{line}\n"}
    keys = {"A_KEY": "a", "B_KEY": "b"}
    decks = [load(files, env=env, environ=keys).deck for env in ("development", "production")]
    assert find_differences(*decks) == []


def test_a_model_appears(differences: Differences) -> None:
    found = differences("[production.cogt.models.a.new]\nmax_tokens = 5\n")
    assert about(found, "model") == [("new", None, None, "a")]


def test_a_model_vanishes(differences: Differences) -> None:
    found = differences("[production.cogt.models.a.only-a]\nenabled = false\n")
    assert found == [Difference("model", "only-a", None, "a", None)]


def test_a_model_changes_its_price(differences: Differences) -> None:
    found = differences("[production.cogt.models.a.m1.costs]\noutput = 2.5\ninput_cached = 0.1\n")
    assert about(found, "model") == [("m1", "costs.input_cached", None, 0.1), ("m1", "costs.output", 2.0, 2.5)]
    assert {each.kind for each in found} == {"model"}


def test_a_model_changes_its_string(differences: Differences) -> None:
    found = differences("[production.cogt.models.a.m1]\nmodel_id = 'm1-eu'\n")
    assert about(found, "model") == [("m1", "model_id", "m1", "m1-eu")]
    # It is told of the model, and of nothing that leads to it.
    assert {each.kind for each in found} == {"model"}


def test_a_model_changes_its_backend(differences: Differences) -> None:
    found = differences("[production.cogt.routing.profiles.all]\nfallback_order = ['b', 'a']\n")
    changed = {field: (before, after) for _, field, before, after in about(found, "model")}
    assert changed["backend_name"] == ("a", "b")
    assert changed["model_id"] == ("m1", "b/m1")
    assert changed["costs.input"] == (1.0, None)
    assert {each.kind for each in found} == {"model"}


def test_a_backend_that_is_switched_off_takes_its_models_with_it(differences: Differences) -> None:
    found = differences("[production.cogt.backends.b]\nenabled = false\n")
    assert [name for name, *_ in about(found, "backend")] == ["b"]
    assert [(name, after) for name, _, _, after in about(found, "model")] == [("only-b", None), ("dot.ted", None)]


def test_a_backend_changes_its_endpoint(differences: Differences) -> None:
    found = differences("[production.cogt.backends.a]\nendpoint = 'https://eu.example.com'\n")
    assert about(found, "backend") == [("a", "endpoint", "https://a.example.com", "https://eu.example.com")]


def test_a_preset_changes_a_parameter(differences: Differences) -> None:
    found = differences("[production.cogt.deck.llm_presets.p]\ntemperature = 0.2\nmax_tokens = 'auto'\n")
    assert about(found, "preset") == [("p", "temperature", 0.5, 0.2), ("p", "max_tokens", None, 1000)]


def test_a_preset_whose_model_takes_another_parameter_differs(differences: Differences) -> None:
    found = differences("[production.cogt.models.a.m1]\nconstraints = ['temperature_must_be_multiplied_by_2']\n")
    assert about(found, "preset") == [("p", "temperature", 0.5, 1.0)]


def test_a_preset_whose_auto_means_another_limit_differs(differences: Differences) -> None:
    files = {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'm1'\nmax_tokens = 'auto'\n"}
    found = differences("[production.cogt.models.a.m1]\nmax_tokens = 500\n", files)
    assert about(found, "preset") == [("q", "max_tokens", 1000, 500)]


def test_a_preset_that_resolves_differently_names_both_models(differences: Differences) -> None:
    found = differences("[production.cogt.deck.aliases]\nbest = 'only-a'\n")
    leads = ("leads to", "m1", "only-a")
    assert about(found, "alias") == [("best", *leads)]
    assert about(found, "preset") == [("p", *leads)]


def test_a_preset_that_leads_nowhere_on_one_side_differs(differences: Differences) -> None:
    files = {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-b'\n"}
    found = differences("[production.cogt.backends.b]\nenabled = false\n", files)
    assert about(found, "preset") == [("q", "leads to", "only-b", None)]


def test_a_preset_appears(differences: Differences) -> None:
    found = differences("[production.cogt.deck.llm_presets.q]\nllm_handle = 'only-a'\n")
    assert found == [Difference("preset", "q", None, None, "only-a")]


def test_a_choice_is_a_model_or_an_alias(differences: Differences) -> None:
    found = differences(
        "[production.cogt.deck.llm_choice_overrides]\nfor_text = 'best'\nfor_object = 'only-a'\n",
        {},
    )
    assert [(each.name, each.field, each.after) for each in found if each.kind == "choice"] == [
        ("for_text", "name", "best"),
        ("for_object", "name", "only-a"),
        ("for_object", "leads to", "only-a"),
    ]


def test_a_choice_is_another_preset(differences: Differences) -> None:
    files = {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-a'\n"}
    found = differences("[production.cogt.deck.llm_choice_overrides]\nfor_object = 'q'\n", files)
    assert found == [
        Difference("choice", "for_object", "name", "p", "q"),
        Difference("choice", "for_object", "leads to", "m1", "only-a"),
    ]


def test_the_other_way_round_before_and_after_change_places(load: Load) -> None:
    files = production("models.a.new", "max_tokens = 5")
    decks = [load(files, env=env).deck for env in ("development", "production")]
    forth, back = find_differences(*decks), find_differences(*reversed(decks))
    assert {(each.kind, each.name, each.field, each.before, each.after) for each in forth} == {
        (each.kind, each.name, each.field, each.after, each.before) for each in back
    }


def test_no_secret_is_told(differences: Differences) -> None:
    found = differences("[production.cogt.backends.a]\napi_key = 'canary'\ntoken = 'canary'\n")
    assert [name for name, *_ in about(found, "backend")] == ["a", "a"]
    assert "canary" not in str(found)


def test_another_secret_is_a_difference_that_is_told_without_it(load: Load) -> None:
    secrets = "[{}.cogt.backends.a]\napi_key = 'canary-{}'\nendpoint = 'https://me:canary-{}@h'\ncount = 5\n"
    tables = "".join(secrets.format(env, env, env) for env in ("development", "production"))
    decks = [load({".secrets.toml": tables}, env=env).deck for env in ("development", "production")]
    found = find_differences(*decks)
    assert about(found, "backend") == [
        ("a", "endpoint", "**********", "**********"),
        ("a", "api_key", "**********", "**********"),
    ]
    assert "canary" not in str(found)
    assert find_differences(decks[0], load({".secrets.toml": tables}, env="development").deck) == []


# The command


def test_the_command_says_that_nothing_differs(diff: Run) -> None:
    result = diff("development", "production")
    assert (result.exit_code, result.stdout) == (0, "no differences\n")


def test_the_command_tells_what_appears_vanishes_and_changes(diff: Run) -> None:
    result = diff(
        "development",
        "production",
        files={
            "settings.toml": f"""
                {NOTHING}
                [development.cogt.models.a.old]
                [production.cogt.models.a.new]
                [production.cogt.deck.llm_presets.p]
                temperature = 0.2
            """
        },
    )
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "1 model vanishes, 1 model appears, 1 preset changes",
        "- model old  a",
        "+ model new  a",
        "~ preset p  temperature: 0.5 -> 0.2",
    ]


def test_a_model_that_moves_is_one_line_with_all_that_differs_about_it(diff: Run) -> None:
    files = production("routing.profiles.all", "fallback_order = ['b', 'a']")
    assert diff("development", "production", files=files).stdout.splitlines() == [
        "1 model moves",
        (
            "~ model m1  backend_name: a -> b, model_id: m1 -> b/m1, sdk: sdk_a -> sdk_b, costs.input: 1 -> -,"
            " costs.output: 2 -> -, max_tokens: 1000 -> -"
        ),
    ]


def test_what_leads_to_another_model_in_the_same_way_is_one_line(diff: Run) -> None:
    files = production("deck.aliases", "best = 'only-a'")
    assert diff("development", "production", files=files).stdout.splitlines() == [
        "1 alias changes, 1 preset changes, 2 choices change",
        "~ leads to: m1 -> only-a  alias best, preset p, choice for_text, choice for_object",
    ]


def test_a_backend_that_is_switched_off_is_counted_with_its_models(diff: Run) -> None:
    files = {**production("backends.b", "enabled = false"), "deck/z.toml": "[aliases]\nx = 'only-b'\n"}
    assert diff("development", "production", files=files).stdout.splitlines() == [
        "1 backend vanishes, 2 models vanish, 1 alias changes",
        "- backend b  present",
        "- model only-b  b",
        "- model dot.ted  b",
        "~ leads to: only-b -> -  alias x",
    ]


def test_the_command_tells_what_a_missing_credential_means(diff: Run) -> None:
    files = production("inference_config", "missing_credentials = 'error'")
    result = diff("development", "production", files=files)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "1 setting changes",
        "~ setting inference_config  missing_credentials: defer -> error",
    ]
    (told,) = json.loads(diff("development", "production", "--json", files=files).stdout)
    assert told == {
        "kind": "setting",
        "name": "inference_config",
        "field": "missing_credentials",
        "before": "defer",
        "after": "error",
    }


def test_the_command_compares_profiles(diff: Run) -> None:
    result = diff("--profile", "all", "only_a", files=PROFILES)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["2 models vanish", "- model only-b  b", "- model dot.ted  b"]


def test_profiles_that_serve_the_same_are_equal(diff: Run) -> None:
    assert diff("--profile", "all", "same", files=PROFILES).exit_code == 0


def test_profiles_are_compared_in_the_environment_that_is_asked_for(diff: Run) -> None:
    files = {**PROFILES, **production("backends.a", "enabled = false")}
    assert diff("--profile", "all", "other", files=files).exit_code == 1
    assert diff("--profile", "all", "other", "--env", "production", files=files).exit_code == 0


def test_the_command_prints_data(diff: Run) -> None:
    result = diff("--json", "development", "production", files=production("models.a.m1.costs", "input = 3.0"))
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {"kind": "model", "name": "m1", "field": "costs.input", "before": 1.0, "after": 3.0}
    ]


def test_the_data_of_equal_environments_is_an_empty_list(diff: Run) -> None:
    result = diff("--json", "staging", "production")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_an_environment_that_only_the_application_declares_can_be_compared(diff: Run) -> None:
    files = {"settings.toml": f"{NOTHING}[preview.cogt.deck.llm_presets.p]\ntemperature = 0.1\n"}
    assert diff("preview", "staging", files=files).stdout.splitlines() == [
        "1 preset changes",
        "~ preset p  temperature: 0.1 -> 0.5",
    ]


def test_no_key_is_needed(diff: Run) -> None:
    files = {
        "settings.toml": f"""
            {NOTHING}
            [staging.cogt.inference_config]
            missing_credentials = "skip"
            [production.cogt.inference_config]
            missing_credentials = "error"
        """
    }
    result = diff("staging", "production", files=files)
    assert result.stdout.splitlines() == [
        "1 setting changes",
        "~ setting inference_config  missing_credentials: skip -> error",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["development", "prodution"], "did you mean 'production'?"),
        (["--profile", "all", "smae"], "no routing profile is called 'smae'; did you mean 'same'?"),
    ],
)
def test_an_unknown_side_is_told(diff: Run, arguments: list[str], told: str) -> None:
    result = diff(*arguments, files=PROFILES)
    assert (result.exit_code > 0, result.stdout) == (True, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_profiles_of_the_packaged_settings_differ_for_every_caller(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["diff", "--profile", "all_enabled", "mixed", "--json"])
    assert (tmp_path.is_dir(), result.exit_code) == (True, 1)
    claude = [each for each in json.loads(result.stdout) if each["name"] == "claude-5.5-sonnet"]
    assert ("backend_name", "anthropic", "bedrock") in [
        (each["field"], each["before"], each["after"]) for each in claude
    ]
