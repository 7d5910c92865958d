"""The command line: `show` and `env`, as text and as data, and how a command ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt.cli.app import app
from pipelex_cogt.cli.show import _LEGEND
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


def test_show_says_what_is_in_force(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("show").stdout.splitlines() == [
        "environment development, routing profile all",
        f"application {tmp_path / 'app' / 'settings'}",
        "packaged    not used",
        f".env        not found; secrets: {tmp_path / 'no-secrets'}",
        "",
        "backend  models  state     key",
        "a        2       enabled   missing: A_KEY",
        "b        3       enabled   missing: B_KEY",
        "off      1       disabled  none stated",
        "",
        "choice, preset  leads to",
        "for_text        p: m1 @ a",
        "for_object      p: m1 @ a",
        "",
        "4 models, 1 alias; `show models`, `show backends`, `show aliases`, `show presets` list them all",
        "0 warnings",
    ]


def test_show_as_data_says_the_same(run: Callable[..., Result]) -> None:
    data = json.loads(run("show", "--json").stdout)
    assert (data["environment"], data["profile"]) == ("development", "all")
    assert data["backends"] == [
        {"name": "a", "state": "enabled", "models": 2, "key": "missing", "missing": ["A_KEY"]},
        {"name": "b", "state": "enabled", "models": 3, "key": "missing", "missing": ["B_KEY"]},
        {"name": "off", "state": "disabled", "models": 1, "key": "none stated"},
    ]
    assert data["choices"]["for_text"] == {"name": "p", "model": {"name": "m1", "backend": "a"}}
    assert data["presets"] == {"p": {"model": {"name": "m1", "backend": "a"}}}
    assert (data["models"], data["aliases"], data["warnings"], data["is_refused"]) == (4, 1, 0, False)


def test_show_says_whether_a_key_is_there(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "canary-value")
    stated = "[a]\napi_key = '${env:A_KEY|secret:A}'\nregion = '${REGION:-eu}'\n"
    result = run("show", files={"backends.local.toml": stated})
    assert "a        2       enabled   there" in result.stdout.splitlines()
    assert "canary" not in result.stdout


def test_show_says_that_a_secret_s_file_that_cannot_be_used_is_missing(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = tmp_path / "broken-secrets"
    (secrets / "A").mkdir(parents=True)
    monkeypatch.setenv("PIPELEX_SECRETS_DIR", str(secrets))
    result = run("show", files={"backends.local.toml": "[a]\napi_key = '${secret:A}'\n"})
    assert "a        2       enabled   missing: secret:A" in result.stdout.splitlines()


def test_show_lists_the_models_with_what_is_stated_of_them(run: Callable[..., Result]) -> None:
    data = json.loads(run("show", "models", "--json").stdout)
    assert [(model["name"], model["backend_name"]) for model in data] == [
        ("m1", "a"),
        ("only-a", "a"),
        ("only-b", "b"),
        ("dot.ted", "b"),
    ]
    assert (data[0]["costs"], data[0]["max_tokens"]) == ({"input": 1, "output": 2}, 1000)
    assert run("show", "models").stdout.splitlines() == [
        "Models served by a  sdk = sdk_a",
        "model   model_id  reads  writes  context  output  $ in  $ out  further",
        "m1      =         T      T       -        1000    1     2",
        "only-a  =         T      T       -        -       -     -",
        "",
        "Models served by b  sdk = sdk_b",
        "model    model_id  reads  writes  context  output  $ in  $ out  further",
        "only-b   =         T      T       -        -       -     -",
        "dot.ted  =         TI     TS      -        -       0.5   1",
        "",
        " ".join(_LEGEND),
    ]


def test_show_lists_the_backends_aliases_and_presets(run: Callable[..., Result]) -> None:
    assert run("show", "backends").stdout.splitlines()[:2] == [
        "backend  models  state     key             settings",
        "a        2       enabled   missing: A_KEY  endpoint = https://a.example.com, api_key = ${A_KEY}",
    ]
    files = {"deck/z.toml": "[aliases]\ntop = ['m-off', 'best']\ndark = 'm-off'\n"}
    assert run("show", "aliases", files=files).stdout.splitlines() == [
        "alias  leads to        chain",
        "best   m1 @ a          m1 > only-b",
        "top    m1 @ a          m-off > best; served: m1 > only-b",
        "dark   nothing served  m-off; served: none",
    ]
    assert run("show", "presets", files=files).stdout.splitlines() == [
        "preset  handle  leads to  parameters",
        "p       best    m1 @ a    temperature = 0.5",
    ]


def test_an_alias_that_a_preset_hides_is_listed_with_its_own_model(run: Callable[..., Result]) -> None:
    files = {"deck/z.toml": "[aliases]\nq = 'only-b'\n[llm_presets.q]\nllm_handle = 'm1'\n"}
    assert json.loads(run("show", "aliases", "--json", files=files).stdout)["q"]["model"]["name"] == "only-b"
    assert json.loads(run("show", "presets", "--json", files=files).stdout)["q"]["model"]["name"] == "m1"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["models"], {"only-b", "dot.ted"}),
        (["backends"], {"b"}),
        (["aliases"], {"x"}),
        (["presets"], {"q"}),
        ([], {"b"}),
    ],
)
def test_show_takes_a_backend(run: Callable[..., Result], arguments: list[str], names: set[str]) -> None:
    files = {"deck/z.toml": "[aliases]\nx = 'only-b'\n[llm_presets.q]\nllm_handle = 'x'\n"}
    data = json.loads(run("show", *arguments, "--backend", "b", "--json", files=files).stdout)
    listed = data if arguments else data["backends"]
    assert {each["name"] if isinstance(each, dict) else each for each in listed} == names


@pytest.mark.parametrize("arguments", [[], ["models"], ["backends"], ["aliases"], ["presets"]])
def test_show_refuses_a_backend_that_there_is_none_of(run: Callable[..., Result], arguments: list[str]) -> None:
    result = run("show", *arguments, "--backend", "of")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "no backend is called 'of'; did you mean 'off'?\n"


def test_show_says_that_a_backend_serves_nothing(run: Callable[..., Result]) -> None:
    assert run("show", "models", "--backend", "off").stdout.splitlines()[0] == "none"


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


def test_env_is_one_table(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert folder.is_dir()
    monkeypatch.setenv("A_KEY", "canary-value")
    stated = "[b]\nregion = '${secret:PLACE|OTHER:-eu}'\nzone = '${env:A_KEY|NOWHERE}'\n"
    assert run("env", files={"backends.local.toml": stated}).stdout.splitlines() == [
        "variable      set in       backend  referenced in",
        "A_KEY         environment  a        settings/backends.toml:3 cogt.backends.a.api_key",
        "B_KEY         missing      b        settings/backends.toml:5 cogt.backends.b.api_key",
        "secret:PLACE  default eu   b        settings/backends.local.toml:2 cogt.backends.b.region",
        "OTHER         default eu   b        settings/backends.local.toml:2 cogt.backends.b.region",
        "A_KEY         environment  b        settings/backends.local.toml:3 cogt.backends.b.zone",
        "NOWHERE       not set      b        settings/backends.local.toml:3 cogt.backends.b.zone",
    ]


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


def means(missing_credentials: str) -> dict[str, str]:
    stated = f"[development.cogt.inference_config]\nmissing_credentials = '{missing_credentials}'\n"
    return {"settings.toml": MINIMAL["settings.toml"] + stated}


def test_show_shows_what_a_missing_credential_refuses(run: Callable[..., Result]) -> None:
    result = run("show", files=means("error"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == ["a load is refused: see `check --credentials`", "0 warnings"]


def test_the_command_that_show_names_tells_as_many_warnings(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", '"quoted"')
    assert run("show", files=means("skip")).stdout.splitlines()[-1] == "2 warnings: see `check --credentials`"
    checked = run("check", "--credentials", "--env", "development", files=means("skip"))
    assert checked.stdout.splitlines()[-1] == "0 errors, 2 warnings"


def test_of_a_backend_show_tells_the_choices_that_lead_to_it(run: Callable[..., Result]) -> None:
    data = json.loads(run("show", "--backend", "b", "--json").stdout)
    assert (data["choices"], data["presets"]) == ({}, {})
    data = json.loads(run("show", "--backend", "a", "--json").stdout)
    assert (list(data["choices"]), list(data["presets"])) == (["for_text", "for_object"], ["p"])


def test_show_names_the_settings_that_switch_a_backend_off(run: Callable[..., Result]) -> None:
    result = run("show", "backends", "--backend", "off")
    assert "switched_off_by = [cogt.backends.off.enabled]" in result.stdout


def test_show_names_the_dotenv_that_is_read(run: Callable[..., Result], tmp_path: Path) -> None:
    Path(".env").write_text("PIPELEX_ENV=staging\n", encoding="utf-8")
    data = json.loads(run("show", "--json").stdout)
    assert (data["environment"], data["directories"]["dotenv"]) == ("staging", str(Path.cwd() / ".env"))
    data = json.loads(run("show", "--json", files={"../.env": "PIPELEX_ENV=production\n"}).stdout)
    assert (data["environment"], data["directories"]["dotenv"]) == ("production", str(tmp_path / "app" / ".env"))


OUTPUTS = {
    "text": ["show"],
    "data": ["check", "--format", "json"],
    "annotations": ["check", "--format", "github"],
    "variables": ["env", "--example"],
    "explanation": ["explain", "llm_to_reason"],
    "difference": ["diff", "development", "production"],
    "help": ["--help"],
}


def start(arguments: list[str], stdout: Any) -> tuple[int, str]:
    command = [sys.executable, "-m", "pipelex_cogt", *arguments]
    ended = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    return ended.returncode, ended.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", OUTPUTS.values(), ids=OUTPUTS)
def test_a_full_disk_stops_a_command_with_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert start(arguments, full) == (1, "stopped by the system: No space left on device\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="only POSIX tells who writes that nobody reads")
@pytest.mark.parametrize("arguments", [OUTPUTS["text"], OUTPUTS["data"]], ids=["text", "data"])
def test_a_reader_who_has_gone_stops_a_command_without_a_word(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    status, told = start(arguments, writing)
    os.close(writing)
    assert (status, told) == (1, "")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_need_no_more_than_typer(option: str) -> None:
    program = (
        "import atexit, sys; from pipelex_cogt.cli import main; sys.argv = ['pipelex-cogt', sys.argv[1]]\n"
        "atexit.register(lambda: print('imported:', *sorted({'dynaconf', 'dotenv', 'pydantic'} & {*sys.modules})))\n"
        "main()"
    )
    command = [sys.executable, "-c", program, option]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert printed[-1] == "imported:"
    assert (printed[0] == f"pipelex-cogt {version('pipelex-cogt')}") is (option == "--version")
