"""The wheel carries the settings, nobody's secrets, and works from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from pipelex_cogt.config import parsed_texts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CARRIED = ("pyproject.toml", "README.md", ".gitignore", ".ci", "pipelex_cogt", "settings")
APPLICATION = """\
from pipelex_cogt import get_models_manager
import pipelex_cogt

llm = get_models_manager().get_llm_deck().resolve("mine")
print(llm.model.name, llm.backend.endpoint, llm.setting.temperature, llm.backend.api_key.get_secret_value())
print(pipelex_cogt.__file__)
"""
SETTINGS = """\
[default.cogt.inference_config]
enabled_backends = ["openai", "anthropic"]
[default.cogt.deck.llm_presets.mine]
llm_handle = "gpt-4.1"
temperature = 0.3
[production.cogt.deck.llm_presets.mine]
temperature = 0.1
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the source in which a developer has files of their own."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in CARRIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    (source / "settings" / ".secrets.toml").write_text("[default.cogt]\n")
    (source / "settings" / "backends.local.toml").write_text("")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_carries_the_settings_and_nobodys_secrets(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    shipped = {f"pipelex_cogt/{path.relative_to(ROOT)}" for path in (ROOT / "settings").rglob("*.toml")}
    own = {name for name in shipped if name.endswith((".local.toml", ".secrets.toml"))}
    assert shipped - own == {name for name in names if name.startswith("pipelex_cogt/settings/")}
    assert {"pipelex_cogt/py.typed", f"pipelex_cogt/{parsed_texts.FILE}"} < {*names}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pipelex_cogt"}


def test_the_wheel_carries_each_file_of_the_settings_parsed(wheel: Path) -> None:
    with ZipFile(wheel) as carried:
        parsed = parsed_texts.read_parsed(carried.read(f"pipelex_cogt/{parsed_texts.FILE}").decode())
        toml = [name for name in carried.namelist() if name.endswith(".toml")]
        tables = [tomllib.loads(carried.read(name).decode("utf-8-sig")) for name in toml]
    assert toml
    assert [*map(repr, parsed.values())] == [*map(repr, tables)]


def test_what_somebody_edits_in_an_installed_package_counts(wheel: Path, tmp_path: Path) -> None:
    ZipFile(wheel).extractall(tmp_path)
    choices = tmp_path / "pipelex_cogt" / "settings" / "deck" / "choices.toml"
    choices.write_text(choices.read_text() + "# Edited.\n[llm_choice_overrides]\nfor_text = 'disabled'\n")
    program = "from pipelex_cogt import get_models_manager; print(get_models_manager().deck.llm_choice_overrides)"
    printed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert printed.stdout == "for_text='disabled' for_object=None\n"


def test_an_application_in_another_folder_gets_what_its_layers_say(wheel: Path, tmp_path: Path) -> None:
    site, application = tmp_path / "site", tmp_path / "application"
    ZipFile(wheel).extractall(site)
    (application / "settings").mkdir(parents=True)
    (application / "settings" / "settings.toml").write_text(SETTINGS)
    (application / ".env").write_text("OPENAI_API_KEY=key-of-dotenv\nANTHROPIC_API_KEY=other\n")
    foreign = ("PIPELEX_", "OPENAI_", "COV")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environ |= {"PYTHONPATH": str(site), "PIPELEX_ENV": "production"}
    command = [sys.executable, "-c", APPLICATION]
    printed = subprocess.run(command, cwd=application, env=environ, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == [
        "gpt-4.1 https://api.openai.com/v1 0.1 key-of-dotenv",
        str(site / "pipelex_cogt" / "__init__.py"),
    ]
