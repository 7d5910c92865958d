"""Models that their providers stop serving: told once, where an application can mend it, if anything leads there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelex_cogt import ModelManager
from pipelex_cogt.cli.app import app
from tests.conftest import MINIMAL, TODAY, Load, WriteTree, dedent, steps

SOON = TODAY + timedelta(days=30)


def told(manager: ModelManager) -> list[str]:
    return [re.sub(r"[^ ]*/app/settings/", "", str(each)) for each in manager.warnings]


def retiring(model: str = "m1", when: date = SOON, more: str = "") -> dict[str, str]:
    """A model of backend a with the day on which it retires, on line 2."""
    return {"backends/a.local.toml": f"[{model}]\nretires = {when}\n{more}"}


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The minimal tree as the packaged settings; its m1, the first of what its preset names, retires soon."""
    directory = tmp_path / "packaged"
    models = dedent(MINIMAL["backends/a.toml"]).replace("[m1]\n", f"[m1]\nretires = {SOON}\n")
    main = "[default.cogt.inference_config]\nmissing_credentials = 'defer'\n"
    for name, text in {**MINIMAL, "backends/a.toml": models, "settings.toml": main}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    monkeypatch.setattr("pipelex_cogt.config.directories.packaged_settings_dir", lambda: directory)
    return directory


DAYS = {
    "long ago": (timedelta(days=-400), "retired"),
    "yesterday": (timedelta(days=-1), "retired"),
    "today": (timedelta(), "retired"),
    "tomorrow": (timedelta(days=1), "retires"),
    "in sixty days": (timedelta(days=60), "retires"),
    "in sixty-one days": (timedelta(days=61), None),
    "in years": (timedelta(days=4000), None),
}


@pytest.mark.parametrize(("distance", "verb"), DAYS.values(), ids=DAYS)
def test_a_model_is_told_from_sixty_days_before_it_retires(load: Load, distance: timedelta, verb: str | None) -> None:
    when = TODAY + distance
    expected = f"deck/base.toml:2  cogt.deck.aliases.best: model 'm1' on backend 'a' {verb} on {when}"
    assert told(load(retiring(when=when))) == ([f"{expected}; choose another model"] if verb else [])


def test_its_successor_is_named(load: Load) -> None:
    (warning,) = load(retiring(more="successor = 'only-b'")).warnings
    assert warning.suggestion == "its successor is 'only-b'"


def test_what_resolves_never_changes_with_the_calendar(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in (TODAY, SOON, SOON + timedelta(days=1000)):
        monkeypatch.setattr("pipelex_cogt.config.clock.today", lambda day=day: day)
        manager = load(retiring(more="successor = 'only-b'"))
        assert (len(manager.warnings), manager.deck.resolve("p").model.name) == (1, "m1")


PLACES: dict[str, tuple[Mapping[str, str], str]] = {
    "a preset that names it": (
        {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-a'"},
        "deck/z.toml:2  cogt.deck.llm_presets.q.llm_handle",
    ),
    "the alias rather than the preset over it": (
        {"deck/z.toml": "[llm_presets.q]\nllm_handle = 'x'\n[aliases]\nx = 'only-a'"},
        "deck/z.toml:4  cogt.deck.aliases.x",
    ),
    "the nearest of several aliases": (
        {"deck/z.toml": "[aliases]\ny = ['x', 'm1']\nx = 'only-a'"},
        "deck/z.toml:3  cogt.deck.aliases.x",
    ),
    "a choice": (
        {"deck/z.toml": "[llm_choice_overrides]\nfor_text = 'only-a'"},
        "deck/z.toml:2  cogt.deck.llm_choice_overrides.for_text",
    ),
    "an alias whose first member is not served": (
        {"deck/z.toml": "[aliases]\nx = ['m-off', 'only-a', 'm1']"},
        "deck/z.toml:2  cogt.deck.aliases.x",
    ),
    "a handle that pins it to its backend": (
        {
            "deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-a@a'",
            "routing.toml": "active = 'x'\n[profiles.x]\nfallback_order = ['b']",
        },
        "deck/z.toml:2  cogt.deck.llm_presets.q.llm_handle",
    ),
}


@pytest.mark.parametrize(("files", "place"), PLACES.values(), ids=PLACES)
def test_it_is_told_once_at_the_line_that_is_to_be_mended(load: Load, files: Mapping[str, str], place: str) -> None:
    warnings = [each for each in told(load({**retiring("only-a"), **files})) if " retires on " in each]
    assert warnings == [f"{place}: model 'only-a' on backend 'a' retires on {SOON}; choose another model"]


@pytest.mark.parametrize("deck", ["", "[aliases]\nx = ['m1', 'only-a']"], ids=["nowhere", "behind another"])
def test_a_model_that_nothing_leads_to_is_not_told(load: Load, deck: str) -> None:
    assert told(load({**retiring("only-a"), "deck/z.toml": deck})) == []


def test_a_model_that_is_not_served_is_not_told(load: Load) -> None:
    assert told(load(retiring(more="enabled = false"))) == []
    files = {
        **retiring(),
        "routing.toml": "active = 'x'\n[profiles.x]\nroutes = { m1 = 'b' }\nfallback_order = ['a', 'b']",
    }
    assert told(load(files)) == []


def test_what_the_defaults_of_a_file_say_is_told_for_each_model_that_something_leads_to(load: Load) -> None:
    files = {**retiring("defaults"), "deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-a'"}
    places = {
        "m1": "deck/base.toml:2  cogt.deck.aliases.best",
        "only-a": "deck/z.toml:2  cogt.deck.llm_presets.q.llm_handle",
    }
    assert told(load(files)) == [
        f"{place}: model {name!r} on backend 'a' retires on {SOON}; choose another model"
        for name, place in places.items()
    ]


def test_a_backend_with_the_models_of_another_is_told_for_itself(load: Load) -> None:
    files = {
        **retiring("only-a"),
        "backends.local.toml": "[proxy]\nmodels_like = 'a'\nendpoint = 'https://proxy.example.com'\n",
        "routing.toml": "active = 'x'\n[profiles.x]\nfallback_order = ['proxy', 'b']",
        "deck/z.toml": "[llm_presets.q]\nllm_handle = 'only-a'",
    }
    (warning,) = [each for each in told(load(files)) if " retires on " in each]
    assert warning == (
        f"deck/z.toml:2  cogt.deck.llm_presets.q.llm_handle: model 'only-a' on backend 'proxy' retires on {SOON};"
        " choose another model"
    )


AT_ITS_LINE = f"model 'm1' on backend 'a' retires on {SOON}; choose another model"


def test_an_application_without_settings_of_its_own_hears_of_what_its_presets_lead_to(packaged: Path) -> None:
    assert packaged.is_dir()
    (warning,) = ModelManager.load(environ={"A_KEY": "a"}).warnings
    assert str(warning) == f"packaged backends/a.toml:4  cogt.models.a.m1.retires: {AT_ITS_LINE}"


def test_a_packaged_model_that_only_a_packaged_alias_names_is_not_told(packaged: Path) -> None:
    deck = packaged / "deck" / "base.toml"
    deck.write_text(deck.read_text().replace('llm_handle = "best"', 'llm_handle = "only-b"'))
    assert ModelManager.load(environ={"A_KEY": "a", "B_KEY": "b"}).warnings == ()


def test_over_the_packaged_settings_it_is_told_at_the_application_s_line(packaged: Path, write_tree: WriteTree) -> None:
    assert packaged.is_dir()
    directory = write_tree({"deck/mine.toml": "[llm_presets.mine]\nllm_handle = 'm1'\n"})
    assert told(ModelManager.load(directory, environ={"A_KEY": "a"})) == [
        f"deck/mine.toml:2  cogt.deck.llm_presets.mine.llm_handle: {AT_ITS_LINE}"
    ]


@pytest.mark.parametrize("handle", ["model-{}", "model-{}@a"])
def test_each_setting_is_looked_at_once_however_many_models_retire(load: Load, handle: str) -> None:
    def work(count: int) -> int:
        models = "".join(f"[model-{number}]\nretires = {SOON}\n" for number in range(count))
        presets = "".join(f"p{number} = {{ llm_handle = '{handle.format(number)}' }}\n" for number in range(count))
        manager = load({"backends/a.local.toml": models, "deck/z.toml": f"[llm_presets]\n{presets}"})
        found: list[str] = []
        work = steps(lambda: found.extend(told(manager)))
        assert sum(" retires on " in each for each in found) == count
        return work

    assert work(80) < 2.2 * work(40)


def test_commands_tell_when_a_model_retires_and_what_follows_it(load: Load) -> None:
    manager = load(retiring(more="successor = 'only-b'"))
    assert manager.settings.directories.application is not None
    environ = {"PIPELEX_SETTINGS_DIR": str(manager.settings.directories.application), "COLUMNS": "500"}

    def run(*command: str) -> str:
        return CliRunner().invoke(app, command, env=environ).stdout

    (model,) = [each for each in json.loads(run("show", "models", "--json")) if each["name"] == "m1"]
    assert (model["retires"], model["successor"]) == (str(SOON), "only-b")
    assert f"retires = {SOON}" in run("show", "models")
    explained = json.loads(run("explain", "m1", "--json"))
    (value,) = [each for each in explained["values"] if each["path"] == "cogt.models.a.m1.retires"]
    assert value["stated"]["value"] == str(SOON)
    place = f"{manager.settings.directories.application}/backends/a.local.toml:2"
    assert f"cogt.models.a.m1.retires = {SOON} <- {place} (local file)" in run("explain", "m1")
