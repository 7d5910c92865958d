"""The model manager: one load, complete and immutable, or every problem at once."""

import copy
import gc
import logging
import os
import pickle
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import (
    BackendDisabledError,
    ModelDeck,
    ModelManager,
    Problem,
    SettingsError,
    Severity,
    UnknownNameError,
)
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.config.tables import Table
from pipelex_cogt.models.deck_warnings import find_warnings
from tests.conftest import MINIMAL, Load, WriteTree

Problems = Callable[..., list[str]]

MANY_FAULTS = {
    "backends.toml": '[a]\nendpont = "x"\n[b]\n[off]\nenabled = 3',
    "backends/a.toml": "[m1]\nsdk = 's'\nmax_tokens = true\n[only-a]",
    "backends/b.toml": "[only-b]\nsdk = 's'\ncosts = { input = nan }",
    "routing.toml": 'active = "al"\n[profiles.all]\nfallback_oder = []',
    "deck/base.toml": "[aliases]\nx = 'y'\ny = 'x'\n[llm_presets]\np = { llm_handle = 'only-b', temperature = 3 }",
}

BROKEN_FILES = ["backends.toml", "backends/a.toml", "routing.toml", "deck/base.toml", "settings.toml"]


def test_a_manager_is_complete(load: Load) -> None:
    manager = load()
    assert manager.environment == "development"
    assert manager.get_llm_deck() is manager.deck
    assert list(manager.backends) == ["a", "b", "off"]
    assert manager.routing.active.name == "all"
    assert manager.warnings == ()


def test_a_manager_answers_for_models_and_backends(load: Load) -> None:
    manager = load()
    assert manager.get_inference_model("best").name == "m1"
    assert manager.get_required_inference_backend("a").name == "a"
    with pytest.raises(UnknownNameError):
        manager.get_inference_model("nope")
    with pytest.raises(BackendDisabledError):
        manager.get_required_inference_backend("off")


def test_get_llm_deck_is_the_deck(load: Load) -> None:
    assert isinstance(load().get_llm_deck(), ModelDeck)


@pytest.mark.parametrize("as_path", [Path, str])
def test_the_directory_is_a_path_or_text(write_tree: WriteTree, as_path: Callable[[Path], Any]) -> None:
    manager = ModelManager.load(as_path(write_tree(MINIMAL)), environ={})
    assert list(manager.backends) == ["a", "b", "off"]


def test_the_arguments_may_be_given_by_position(write_tree: WriteTree) -> None:
    manager = ModelManager.load(write_tree(MINIMAL), "staging", {}, {"deck": {"aliases": {"x": "m1"}}})
    assert manager.environment == "staging"
    assert manager.get_inference_model("x").name == "m1"


def test_without_arguments_the_packaged_settings_are_loaded() -> None:
    assert len(ModelManager.load(environ={}).backends) >= 12


def test_the_environment_is_the_argument_else_the_variable(load: Load) -> None:
    assert load(env="staging", environ={"PIPELEX_ENV": "production"}).environment == "staging"
    assert load(environ={"PIPELEX_ENV": "staging"}).environment == "staging"


def test_an_unknown_environment_is_an_error(problems: Problems) -> None:
    assert problems(env="prodution") == [
        "the argument env: no file declares the environment 'prodution'; did you mean 'production'?"
    ]


def test_overrides_stay_as_they_were_given(load: Load) -> None:
    overrides: dict[str, Any] = {"deck": {"aliases": {"x": ["m1"]}}, "backends": {"a": {"api_key": "k"}}}
    before = copy.deepcopy(overrides)
    load(overrides=overrides)
    assert overrides == before


def test_overrides_changed_after_loading_change_nothing(load: Load) -> None:
    overrides: dict[str, Any] = {"deck": {"aliases": {"x": ["m1"]}}}
    manager = load(overrides=overrides)
    overrides["deck"]["aliases"]["x"].append("only-b")
    assert [model.name for model in manager.get_llm_deck().chain("x")] == ["m1"]


def test_two_managers_know_nothing_of_each_other(load: Load) -> None:
    first = load(overrides={"deck": {"aliases": {"x": "m1"}}})
    second = load(overrides={"deck": {"aliases": {"x": "only-b"}}})
    assert first.get_inference_model("x").name == "m1"
    assert second.get_inference_model("x").name == "only-b"


def test_files_changed_after_loading_change_nothing(load: Load, write_tree: WriteTree) -> None:
    manager = load()
    write_tree({"deck/base.toml": "", "backends.toml": "", "backends/a.toml": ""})
    assert manager.get_llm_deck().resolve("p").model.name == "m1"


def test_every_problem_is_told_at_once(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(MANY_FAULTS)
    places = [(Path(problem.file or "").name, problem.line, problem.path) for problem in caught.value.problems]
    assert {
        ("backends.toml", 2, "cogt.backends.a.endpont"),
        ("backends.toml", 5, "cogt.backends.off.enabled"),
        ("a.toml", 3, "cogt.models.a.m1.max_tokens"),
        ("a.toml", 4, "cogt.models.a.only-a.sdk"),
        ("b.toml", 3, "cogt.models.b.only-b.costs.input"),
        ("routing.toml", 1, "cogt.routing.active"),
        ("base.toml", 2, "cogt.deck.aliases.x"),
        ("base.toml", 5, "cogt.deck.llm_presets.p.temperature"),
    } <= set(places)


def test_problems_come_in_file_and_line_order(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(MANY_FAULTS)
    places = [(problem.file, problem.line) for problem in caught.value.problems]
    assert places == sorted(places, key=lambda place: (place[0] or "", place[1] or 0))


def test_problems_are_errors_and_each_is_told_once(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(MANY_FAULTS)
    assert {problem.severity for problem in caught.value.problems} == {Severity.ERROR}
    assert len(set(caught.value.problems)) == len(caught.value.problems)
    assert str(len(caught.value.problems)) in caught.value.message
    assert "development" in caught.value.message


@pytest.mark.parametrize("file", BROKEN_FILES)
def test_a_file_that_does_not_parse_is_one_problem_without_consequences(problems: Problems, file: str) -> None:
    files = {file: "[a\n", "settings.toml": MINIMAL["settings.toml"]}
    found = problems({**files, file: "[a\n"}, overrides={"inference_config": {"use_packaged_settings": False}})
    assert len(found) == 1
    assert found[0].startswith(f"{file}:1")


def test_warnings_are_data(load: Load) -> None:
    manager = load({"backends/off.toml": "[m-off]\nsdk = 3"})
    (warning,) = manager.warnings
    assert isinstance(warning, Problem)
    assert warning.severity is Severity.WARNING
    assert (warning.path, warning.line) == ("cogt.models.off.m-off.sdk", 2)
    assert warning.file is not None
    assert warning.file.endswith("off.toml")


def test_warnings_are_looked_for_once(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[ModelDeck] = []

    def remember(deck: ModelDeck, models: Table, report: ProblemReport, today: date) -> tuple[Problem, ...]:
        looked_for.append(deck)
        return find_warnings(deck, models, report, today)

    monkeypatch.setattr("pipelex_cogt.models.deck_warnings.find_warnings", remember)
    manager = load({"backends/off.toml": "[m-off]\nsdk = 3"})
    assert looked_for == []
    first = manager.warnings
    assert len(first) == 1
    assert manager.warnings is first
    assert looked_for == [manager.deck]


@pytest.mark.parametrize("name", ["settings", "backends", "routing", "deck", "environment", "anything"])
def test_a_manager_is_frozen(load: Load, name: str) -> None:
    with pytest.raises((AttributeError, TypeError)):
        setattr(load(), name, None)


REPRS: dict[str, tuple[Callable[[ModelManager], object], str]] = {
    "deck": (
        lambda manager: manager.deck,
        "ModelDeck(4 models, 2 aliases, 2 presets, routing profile 'all')",
    ),
    "manager": (
        lambda manager: manager,
        "ModelManager(environment='staging', ModelDeck(4 models, 2 aliases, 2 presets, routing profile 'all'))",
    ),
    "backends": (lambda manager: manager.backends, "InferenceBackendLibrary(3 backends, 2 in use)"),
    "routing": (lambda manager: manager.routing, "RoutingProfileLibrary(2 profiles, 'all' is active)"),
    "settings": (lambda manager: manager.settings, "Settings(environment='staging', 10 layers)"),
}


@pytest.mark.parametrize(("part", "text"), REPRS.values(), ids=REPRS)
def test_a_repr_says_what_is_held_and_nothing_of_it(
    load: Load, part: Callable[[ModelManager], object], text: str
) -> None:
    files = {
        "deck/z.toml": "[aliases]\nz = 'm1'\n[llm_presets.q]\nllm_handle = 'z'\n",
        "routing.local.toml": "[profiles.y]\ndefault = 'a'\n",
    }
    manager = load(files, env="staging", overrides={"backends": {"b": {"api_key": "canary-90f"}}})
    assert f"{part(manager)!r}" == f"{part(manager)}" == text


def test_a_manager_shows_no_key(load: Load) -> None:
    manager = load(environ={"A_KEY": "canary-90f"}, overrides={"backends": {"b": {"api_key": "canary-90f"}}})
    assert manager.backends["a"].api_key is not None
    shown = [part(manager) for part, _text in REPRS.values()]
    assert "canary-90f" not in f"{shown} {manager.settings.tree} {manager.settings.layers}"


def test_loading_says_only_where_settings_were_found(
    load: Load, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load({"backends/off.toml": "[m-off]\nsdk = 3"})
    assert [(record.name, record.levelname) for record in caplog.records] == [("pipelex_cogt", "INFO")]
    assert capfd.readouterr() == ("", "")


def test_loading_leaves_the_process_as_it_was(load: Load) -> None:
    Path(".env").write_text("A_KEY=x\n")
    before = dict(os.environ)
    assert gc.isenabled()
    load()
    assert dict(os.environ) == before
    assert gc.isenabled()


def test_a_failed_load_leaves_the_process_as_it_was(load: Load) -> None:
    before = dict(os.environ)
    with pytest.raises(SettingsError):
        load(MANY_FAULTS)
    assert dict(os.environ) == before
    assert gc.isenabled()


def test_a_missing_directory_is_one_of_our_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(tmp_path / "nowhere", environ={})
    (problem,) = caught.value.problems
    assert problem.problem == "expected a settings directory, found nothing"
    assert problem.suggestion == "named by the argument settings_dir"


def test_a_source_of_ones_own_answers_references(load: Load) -> None:
    class Vault:
        def get(self, name: str) -> str | None:
            return {"A_KEY": "from-vault"}.get(name)

    api_key = load(sources=[Vault()]).get_required_inference_backend("a").api_key
    assert api_key is not None
    assert api_key.get_secret_value() == "from-vault"


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_load_leaves_the_garbage_collector_to_the_application(load: Load, *, is_enabled: bool) -> None:
    states = []

    class Looking:
        def get(self, _name: str) -> None:
            states.append((gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()))

    before = (is_enabled, gc.get_threshold(), gc.get_freeze_count())
    skips = {"inference_config": {"missing_credentials": "prefer"}}
    try:
        (gc.enable if is_enabled else gc.disable)()
        _ = load(sources=[Looking()], overrides=skips).warnings
    finally:
        gc.enable()
    assert {*states} == {before}


def test_a_manager_survives_a_pickle(load: Load) -> None:
    manager = load({"backends/a.toml": "default_sdk = 's'\n[m1]\n"})
    again: ModelManager = pickle.loads(pickle.dumps(manager))
    assert again.get_inference_model("best") == manager.get_inference_model("best")
    assert again.warnings == manager.warnings != ()


def test_a_manager_out_of_a_pickle_tells_no_warning_that_was_none_before() -> None:
    two = {"inference_config": {"enabled_backends": ["openai", "anthropic"]}}
    manager = ModelManager.load(environ={}, overrides=two)
    again: ModelManager = pickle.loads(pickle.dumps(manager))
    assert again.warnings == manager.warnings == ()


def test_a_manager_out_of_a_pickle_tells_no_consequence(load: Load) -> None:
    routes = "active = 'all'\n[profiles.all]\nroutes = { 'zzz*' = 'a' }\nfallback_order = ['a', 'b']\n"
    manager = load({"backends/off.toml": "[m-off\n", "routing.toml": routes})
    again: ModelManager = pickle.loads(pickle.dumps(manager))
    assert [warning.path for warning in again.warnings] == ["cogt.models.off"]
    assert again.warnings == manager.warnings
