"""One small way to write a settings tree, and a process that knows nothing of the machine it runs on."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from pipelex_cogt import ModelManager, SettingsError, set_models_manager

WriteTree: TypeAlias = Callable[[Mapping[str, str]], Path]
Load: TypeAlias = Callable[..., ModelManager]

TODAY = date(2026, 11, 25)
"""The day on which tests run, whatever the calendar says."""
MINIMAL = {
    "settings.toml": """
        [default.cogt.inference_config]
        use_packaged_settings = false
    """,
    "backends.toml": """
        [a]
        endpoint = "https://a.example.com"
        api_key = "${A_KEY}"
        [b]
        api_key = "${B_KEY}"
        [off]
        enabled = false
    """,
    "backends/a.toml": """
        [defaults]
        sdk = "sdk_a"
        [m1]
        max_tokens = 1000
        costs = { input = 1.0, output = 2.0 }
        [only-a]
    """,
    "backends/b.toml": """
        [defaults]
        sdk = "sdk_b"
        [m1]
        model_id = "b/m1"
        [only-b]
        ["dot.ted"]
        inputs = ["text", "images"]
        outputs = ["text", "structured"]
        costs = { input = 0.5, output = 1.0 }
    """,
    "backends/off.toml": """
        [defaults]
        sdk = "sdk_off"
        [m-off]
    """,
    "routing.toml": """
        active = "all"
        [profiles.all]
        fallback_order = ["a", "b", "off"]
    """,
    "deck/base.toml": """
        [aliases]
        best = ["m1", "only-b"]
        [llm_presets]
        p = { llm_handle = "best", temperature = 0.5 }
        [llm_choice_defaults]
        for_text = "p"
        for_object = "p"
    """,
}
"""A small complete tree: two backends in use, one disabled."""

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "pipelex-cogt-hypothesis")


@pytest.fixture(autouse=True)
def isolated_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty folder, without variables of this package, without secrets of the machine."""
    working = tmp_path / "work"
    working.mkdir()
    secrets = tmp_path / "no-secrets"
    secrets.mkdir()
    monkeypatch.chdir(working)
    for name in [name for name in os.environ if name.startswith("PIPELEX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("pipelex_cogt.config.directories.DEFAULT_SECRETS_DIR", secrets)
    # No test begins to fail with the calendar.
    monkeypatch.setattr("pipelex_cogt.config.clock.today", lambda: TODAY)
    yield
    set_models_manager(None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The application's folder as the working directory, so that places read as people write them."""
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def steps(function: Callable[[], object]) -> int:
    """How many calls a function makes in turn: what its work grows with, whatever the machine is busy with."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def dedent(text: str) -> str:
    """TOML text as a test writes it, without the indentation of the test."""
    return "\n".join(line.strip() for line in text.strip("\n").split("\n")) + "\n"


@pytest.fixture
def write_tree(tmp_path: Path) -> WriteTree:
    """Write files, given by their path in the settings directory, and return that directory."""

    return partial(write_settings, tmp_path)


def write_settings(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files of an application in a folder, and return its settings directory."""
    directory = folder / "app" / "settings"
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dedent(text).encode())
    return directory


@pytest.fixture
def load(write_tree: WriteTree) -> Load:
    """Load the minimal tree with other files, and other arguments, laid over it."""

    def load_tree(files: Mapping[str, str] | None = None, **arguments: Any) -> ModelManager:
        directory = write_tree({**MINIMAL, **(files or {})})
        return ModelManager.load(settings_dir=directory, **{"environ": {}, **arguments})

    return load_tree


@pytest.fixture
def problems(load: Load, tmp_path: Path) -> Callable[..., list[str]]:
    """Load like `load`, expect it to fail, and return the problems as text, with paths relative to `settings/`.

    The folder of the test is written as `TMP`.
    """

    def load_broken(files: Mapping[str, str] | None = None, **arguments: Any) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load(files, **arguments)
        directory = re.escape(os.path.join(tmp_path, "app", "settings", ""))
        told = (re.sub(rf"{directory}(?=\S)", "", str(problem)) for problem in caught.value.problems)
        return [text.replace(str(tmp_path), "TMP") for text in told]

    return load_broken
