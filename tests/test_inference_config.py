"""`inference_config`: paths and choices."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelex_cogt.config.inference_config import (
    LIBRARY_PATHS,
    InferenceConfig,
    MissingCredentials,
    anchored,
    default_paths,
)
from pipelex_cogt.config.toml_files import is_local
from tests.conftest import MINIMAL, Load


def config(directory: Path, **stated: Any) -> InferenceConfig:
    return InferenceConfig.model_validate(default_paths(directory) | stated)


def test_a_settings_directory_that_says_nothing_has_the_usual_files(tmp_path: Path) -> None:
    usual = config(tmp_path)
    assert usual.backends_library_path == tmp_path / "backends.toml"
    assert usual.routing_profile_library_path == tmp_path / "routing.toml"
    assert usual.model_specs_path("azure_openai") == tmp_path / "backends" / "azure_openai.toml"
    assert usual.use_packaged_settings
    assert usual.enabled_backends is None
    assert usual.missing_credentials is MissingCredentials.DEFER


def test_the_decks_paths_are_sorted_and_not_local(tmp_path: Path) -> None:
    names = ["b.toml", "a/z.toml", "a.toml", "a/b/c.toml", "b.local.toml", "notes.md"]
    for name in names:
        path = tmp_path / "deck" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    paths = config(tmp_path).get_llm_deck_paths()
    assert [path.relative_to(tmp_path / "deck").as_posix() for path in paths] == [
        "a.toml",
        "a/b/c.toml",
        "a/z.toml",
        "b.toml",
    ]


def test_a_deck_that_is_missing_is_empty(tmp_path: Path) -> None:
    assert config(tmp_path).get_llm_deck_paths() == []


def test_stated_paths_become_absolute(tmp_path: Path) -> None:
    stated = {
        "llm_deck_dir": "../deck",
        "model_specs_dir": "/specs",
        "enabled_backends": ["a"],
        "backends_library_path": 5,
    }
    assert anchored({"inference_config": stated}, tmp_path)["inference_config"] == {
        "llm_deck_dir": str(tmp_path / "../deck"),
        "model_specs_dir": "/specs",
        "enabled_backends": ["a"],
        "backends_library_path": 5,
    }
    assert stated["llm_deck_dir"] == "../deck"


@pytest.mark.parametrize(
    ("name", "local"), [("a.local.toml", True), (".local.toml", True), ("local.toml", False), ("a.toml", False)]
)
def test_local_files_are_known_by_their_names(name: str, local: bool) -> None:  # noqa: FBT001 -- because: a column of the table
    assert is_local(Path(name)) is local


@pytest.mark.parametrize("key", ["use_packaged_settings", "enabled_backends", "missing_credentials", *LIBRARY_PATHS])
def test_an_inference_config_is_immutable(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValidationError):
        setattr(config(tmp_path), key, "x")


def enabled(manager: Any) -> set[str]:
    return set(manager.backends.enabled)


def stated(text: str) -> dict[str, str]:
    return {"settings.toml": f"[default.cogt.inference_config]\nuse_packaged_settings = false\n{text}\n"}


def test_backends_say_themselves_whether_they_are_enabled(load: Load) -> None:
    assert enabled(load()) == {"a", "b"}


@pytest.mark.parametrize(("names", "expected"), [("['a']", {"a"}), ("['off', 'b']", {"b"})])
def test_enabled_backends_narrows_where_it_is_set(load: Load, names: str, expected: set[str]) -> None:
    files = {**stated(f"enabled_backends = {names}"), "deck/base.toml": MINIMAL["deck/base.toml"]}
    deck = "[aliases]\nbest = ['m1', 'm-off']\n"
    assert enabled(load({**files, "deck/z.toml": deck})) == expected


def test_an_upper_layers_list_replaces(load: Load) -> None:
    files = stated("enabled_backends = ['a', 'b', 'off']")
    assert enabled(load(files, overrides={"inference_config": {"enabled_backends": ["b"]}})) == {"b"}


def test_a_tuple_given_in_code_is_a_list(load: Load) -> None:
    assert enabled(load(overrides={"inference_config": {"enabled_backends": ("b",)}})) == {"b"}


def test_a_path_in_overrides_lies_where_its_text_would(load: Load) -> None:
    files = {"mine.toml": MINIMAL["routing.toml"]}
    for path in ("mine.toml", Path("mine.toml")):
        manager = load(files, overrides={"inference_config": {"routing_profile_library_path": path}})
        assert manager.settings.inference_config.routing_profile_library_path.name == "mine.toml"
