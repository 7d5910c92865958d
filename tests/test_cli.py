"""The command line: what it prints, as text and as data, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt.cli.app import app
from tests.conftest import MINIMAL, WriteTree

COLUMNS = 80


@pytest.fixture
def run(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command on the minimal tree with other files laid over it, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))

    def run_command(*arguments: str, files: dict[str, str] | None = None) -> Result:
        directory = write_tree({**MINIMAL, **(files or {})})
        monkeypatch.setenv("PIPELEX_SETTINGS_DIR", str(directory))
        return CliRunner().invoke(app, arguments)

    return run_command


def run_module(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PIPELEX_")}
    command = [sys.executable, "-m", "pipelex_cogt", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_show_names_everything(run: Callable[..., Result]) -> None:
    printed = run("show").stdout
    for text in ("development", "all", "https://a.example.com", "disabled", "only-b", "0.5", "best", "m1 @ a", "p"):
        assert text in printed


def test_show_stays_within_80_columns(tmp_path: Path) -> None:
    printed = run_module("show", folder=tmp_path)
    assert printed.returncode == 0
    assert [line for line in printed.stdout.splitlines() if len(line) > COLUMNS] == []
    assert "claude" in printed.stdout
    assert "\x1b" not in printed.stdout


def test_show_as_data_says_the_same(run: Callable[..., Result]) -> None:
    data = json.loads(run("show", "--json").stdout)
    assert data["environment"] == "development"
    assert data["profile"] == "all"
    assert [backend["state"] for backend in data["backends"]] == ["enabled", "enabled", "disabled"]
    assert [model["name"] for model in data["models"]] == ["m1", "only-a", "only-b", "dot.ted"]
    assert data["models"][0]["costs"] == {"input": 1.0, "output": 2.0}
    assert data["aliases"]["best"] == {
        "chain": ["m1", "only-b"],
        "served": ["m1", "only-b"],
        "model": {"name": "m1", "backend": "a"},
    }
    assert data["choices"]["for_text"]["preset"] == "p"


def test_show_takes_an_environment_and_a_directory(write_tree: WriteTree) -> None:
    directory = write_tree(MINIMAL)
    arguments = ["show", "--json", "--env", "staging", "--settings-dir", str(directory)]
    data = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert data["environment"] == "staging"
    assert data["directories"]["application"] == str(directory)


def test_a_fault_is_told_without_a_traceback(run: Callable[..., Result]) -> None:
    result = run("show", files={"routing.toml": 'active = "nope"\n[profiles.all]'})
    assert result.exit_code == 1
    assert "no routing profile is called 'nope'" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_its_extra_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['typer'] = None; sys.argv = ['pipelex-cogt', 'show']; "
    script = f"{hide}from pipelex_cogt.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.strip() == "the command line needs the extra 'cli': pip install 'pipelex-cogt[cli]'"


def test_env_lists_variables_and_never_values(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "canary-value")
    result = run("env", "--json")
    data = json.loads(result.stdout)
    assert [(entry["name"], entry["source"], entry["is_missing"]) for entry in data] == [
        ("A_KEY", "environment", False),
        ("B_KEY", None, True),
    ]
    assert data[0]["place"].endswith("backends.toml:3")
    assert data[0]["path"] == "cogt.backends.a.api_key"
    assert "canary-value" not in result.stdout
    assert "canary-value" not in run("env").stdout


def test_env_missing_lists_only_what_is_missing(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "set")
    printed = run("env", "--missing").stdout
    assert "B_KEY" in printed
    assert "A_KEY" not in printed


@pytest.mark.parametrize(("means", "status"), [("error", 1), ("defer", 0), ("skip", 0)])
def test_env_ends_with_1_where_a_load_would_refuse(run: Callable[..., Result], means: str, status: int) -> None:
    stated = f"[development.cogt.inference_config]\nmissing_credentials = '{means}'\n"
    assert run("env", files={"settings.toml": MINIMAL["settings.toml"] + stated}).exit_code == status


def test_env_example_is_a_file_to_fill_in(run: Callable[..., Result]) -> None:
    example = run("env", "--example").stdout
    assert "\nA_KEY=\n" in example
    assert "\nB_KEY=\n" in example


def test_show_shows_what_a_missing_credential_refuses(run: Callable[..., Result]) -> None:
    stated = "[development.cogt.inference_config]\nmissing_credentials = 'error'\n"
    result = run("show", files={"settings.toml": MINIMAL["settings.toml"] + stated})
    assert result.exit_code == 0
    assert "a load is refused" in result.stdout
    assert "needs A_KEY" in result.stdout


def test_show_names_the_dotenv_that_is_read(run: Callable[..., Result], tmp_path: Path) -> None:
    Path(".env").write_text("PIPELEX_ENV=staging\n", encoding="utf-8")
    data = json.loads(run("show", "--json").stdout)
    assert (data["environment"], data["directories"]["dotenv"]) == ("staging", str(Path.cwd() / ".env"))
    data = json.loads(run("show", "--json", files={"../.env": "PIPELEX_ENV=production\n"}).stdout)
    assert (data["environment"], data["directories"]["dotenv"]) == ("production", str(tmp_path / "app" / ".env"))
