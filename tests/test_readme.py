"""The README is run: its application, its settings, its commands and its reference of keys."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from pipelex_cogt import InferenceModelSpec, LLMSetting, RoutingProfile
from pipelex_cogt.config.inference_config import InferenceConfig
from tests.conftest import dedent

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (?P<role>\w+): (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
BLOCKS = {(block["role"], block["name"]): block["text"] for block in BLOCK.finditer(README)}
GIVEN_BY_THE_LIBRARY = {"name", "backend_name"}


def run_python(folder: Path, script: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PIPELEX_")}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def application(tmp_path: Path) -> Path:
    for (role, name), text in BLOCKS.items():
        if role == "file":
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
    return tmp_path


def test_the_first_application_prints_what_the_readme_says(application: Path) -> None:
    assert run_python(application, BLOCKS["file", "app.py"]) == BLOCKS["output", "app.py"]


def test_the_rest_of_the_application_runs(application: Path) -> None:
    script = BLOCKS["file", "app.py"] + BLOCKS["continue", "app.py"] + "assert manager.warnings == ()\n"
    assert run_python(application, script) == BLOCKS["output", "app.py"]


def test_dynaconf_tells_the_history_as_the_readme_says(application: Path) -> None:
    told = """
        current = dynaconf.inspect_settings(layers, "cogt.deck.llm_presets.llm_to_review", env="production")["current"]
        print(layers.get("cogt.routing.active"), current)
        print([each["value"] for each in dynaconf.get_history(layers, "cogt.routing.active")])
    """
    script = BLOCKS["file", "app.py"] + BLOCKS["continue", "app.py"] + BLOCKS["continue", "history"] + dedent(told)
    printed = run_python(application, script).removeprefix(BLOCKS["output", "app.py"])
    assert printed.splitlines() == [
        "all_enabled {'llm_handle': 'steerable', 'temperature': 0.1}",
        "['all_enabled']",
    ]


def test_the_first_application_is_short() -> None:
    lines = [line for line in BLOCKS["file", "app.py"].splitlines() if line]
    assert len(lines) <= 15


def test_every_toml_block_is_toml() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert blocks
    assert all(tomllib.loads(block) for block in blocks)


@pytest.mark.parametrize("command", ["show", "tests", "integration-tests"])
def test_the_commands_set_up_an_environment_of_their_own(command: str) -> None:
    text = BLOCKS["command", command]
    assert text.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert len(text.strip().splitlines()) == 1


@pytest.mark.parametrize("model", [InferenceConfig, InferenceModelSpec, RoutingProfile, LLMSetting])
def test_every_key_is_in_the_reference(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items() if name not in GIVEN_BY_THE_LIBRARY}
    assert {key for key in keys if f"`{key}`" not in README} == set()
