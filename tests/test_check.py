"""`pipelex-cogt check`: every environment's problems and warnings, for people, programs and pull requests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner, Result

from pipelex_cogt import Problem, Severity
from pipelex_cogt.cli.app import app
from pipelex_cogt.cli.check import Checked, print_checked
from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.words import OutputFormat
from tests.conftest import MINIMAL, WriteTree

Run: TypeAlias = Callable[..., Result]

NOTHING = "[default.cogt.inference_config]\nuse_packaged_settings = false\n"
CANARY = "canary-value"
WARNING = {"deck/dark.toml": "[aliases]\nchain = ['m-off', 'm1']\n"}
UNSERVED = (
    "this member is not served: 'm-off' is known only to what is disabled: off; enable one in cogt.backends.off.enabled"
)
FAULTS = {
    "settings.toml": f"""
        {NOTHING}
        [production.cogt.routing]
        active = "alll"
        [preview.cogt.deck.llm_presets.p]
        temperature = 5
    """,
    "backends/a.local.toml": "[only-a]\nmax_tokens = 'x'\n[m1]\nsdk = 5\n",
}
ALL = ["development", "staging", "production", "preview"]
EVERYWHERE = f"[{', '.join(ALL)}]"


@pytest.fixture
def check(write_tree: WriteTree, folder: Path) -> Run:
    """Run `pipelex-cogt check` on the minimal tree with other files laid over it."""
    assert folder.is_dir()

    def run_check(*arguments: str, files: Mapping[str, str] | None = None) -> Result:
        write_tree({**MINIMAL, **(files or {})})
        return CliRunner().invoke(app, ["check", *arguments])

    return run_check


def findings(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def told(result: Result) -> list[str]:
    """The lines of the findings: what was checked stands before them, their number after them."""
    return result.stdout.splitlines()[1:-1]


# What is loaded


@pytest.mark.parametrize("output_format", ["text", "github"])
def test_of_a_clean_tree_it_tells_what_was_checked(check: Run, folder: Path, output_format: str) -> None:
    result = check("--format", output_format)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"checked {folder / 'settings'} in development, staging, production",
        "0 errors, 0 warnings",
    ]


def test_missing_credentials_are_told_where_that_is_asked_for(check: Run, tmp_path: Path) -> None:
    files = {
        "settings.toml": f"{NOTHING}[staging.cogt.inference_config]\nmissing_credentials = 'error'\n",
        "backends.toml": "[a]\napi_key = '${A_KEY}'\n[b]\n[off]\nenabled = false\n",
    }
    assert check("--env", "staging", files=files).exit_code == 0
    result = check("--env", "staging", "--credentials", files=files)
    searched = f"the environment and {tmp_path / 'no-secrets'} (no .env beside settings/)"
    line = (
        "settings/backends.toml:2: error: cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set; looked in"
        f" {searched}; set it, or leave the backend out with cogt.inference_config.enabled_backends or"
        ' missing_credentials = "skip"  [staging]'
    )
    assert (result.exit_code, told(result)) == (1, [line])
    assert check("--env", "development", "--credentials", files=files).exit_code == 0


@pytest.mark.parametrize("output_format", ["text", "github"])
def test_without_settings_of_an_application_it_says_so(folder: Path, output_format: str) -> None:
    (folder / "pyproject.toml").touch()
    result = CliRunner().invoke(app, ["check", "--strict", "--format", output_format])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"no application settings found in {folder}; packaged catalogue only in development, staging, production",
        "0 errors, 0 warnings",
    ]


def test_the_data_say_what_was_checked(check: Run, folder: Path) -> None:
    (folder / "pyproject.toml").touch()
    nothing = json.loads(CliRunner().invoke(app, ["check", "--format", "json", "--env", "staging"]).stdout)
    assert nothing == {"application": None, "looked_in": [str(folder)], "environments": ["staging"], "findings": []}
    data = json.loads(check("--format", "json", files=FAULTS).stdout)
    assert (data["application"], data["environments"]) == (str(folder / "settings"), ALL)


def test_every_environment_is_loaded_one_that_only_the_application_declares_too(check: Run) -> None:
    found = findings(check("--format", "json", files=FAULTS))
    told = [(each["file"], each["line"], each["environments"]) for each in found]
    assert told == [
        ("settings/backends/a.local.toml", 2, ALL),
        ("settings/backends/a.local.toml", 4, ALL),
        ("settings/settings.toml", 5, ["production"]),
        ("settings/settings.toml", 7, ["preview"]),
    ]


@pytest.mark.parametrize(
    ("environment", "lines"), [("development", [2, 4]), ("production", [2, 4, 5]), ("preview", [2, 4, 7])]
)
def test_one_environment_can_be_chosen(check: Run, environment: str, lines: list[int]) -> None:
    found = findings(check("--env", environment, "--format", "json", files=FAULTS))
    assert [each["line"] for each in found] == lines
    assert {name for each in found for name in each["environments"]} == {environment}


def test_the_variable_that_chooses_an_environment_narrows_nothing(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELEX_ENV", "staging")
    assert len(findings(check("--format", "json", files=FAULTS))) == 4


def test_an_environment_that_nobody_declares_is_an_error(check: Run) -> None:
    result = check("--env", "prodution")
    assert result.exit_code == 1
    assert "no file declares the environment 'prodution'; did you mean 'production'?" in result.stdout + result.stderr
    assert result.stdout.splitlines()[0] == "nothing was checked"


def test_an_environment_of_a_local_file_is_loaded(check: Run) -> None:
    files = {"settings.local.toml": "[mine.cogt.routing]\nactive = 'al'\n"}
    (found,) = findings(check("--format", "json", files=files))
    assert (found["file"], found["environments"]) == ("settings/settings.local.toml", ["mine"])


def test_a_main_file_that_does_not_parse_is_one_problem(check: Run) -> None:
    (found,) = findings(check("--format", "json", files={"settings.toml": "[default.cogt\n"}))
    assert (found["file"], found["line"], found["path"]) == ("settings/settings.toml", 1, "")


def test_one_environment_s_errors_do_not_hide_the_warnings_of_another(check: Run) -> None:
    result = check("--format", "json", files={**FAULTS, **WARNING, "backends/a.local.toml": ""})
    warnings = [each for each in findings(result) if each["severity"] == "warning"]
    assert [(each["path"], each["environments"]) for each in warnings] == [
        ("cogt.deck.aliases.chain.0", ["development", "staging"])
    ]


def test_a_directory_can_be_named(write_tree: WriteTree) -> None:
    directory = write_tree({**MINIMAL, **WARNING})
    result = CliRunner().invoke(app, ["check", "--settings-dir", str(directory), "--format", "json"])
    assert [each["file"] for each in findings(result)] == [str(directory / "deck" / "dark.toml")]


def test_a_directory_that_is_missing_is_an_error(folder: Path) -> None:
    arguments = ["check", "--settings-dir", str(folder / "nowhere")]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("nothing was checked", "1 error, 0 warnings")
    assert "error: expected a settings directory, found nothing" in lines[1]
    (line,) = told(CliRunner().invoke(app, [*arguments, "--format", "github"]))
    assert line.startswith("::error title=settings::")
    data = json.loads(CliRunner().invoke(app, [*arguments, "--format", "json"]).stdout)
    assert (data["application"], data["environments"], len(data["findings"])) == (None, [], 1)


# Exit status


@pytest.mark.parametrize("output_format", ["text", "json", "github"])
@pytest.mark.parametrize(
    ("files", "strict", "status"),
    [
        pytest.param({}, False, 0, id="clean"),
        pytest.param({}, True, 0, id="clean and strict"),
        pytest.param(WARNING, False, 0, id="warnings"),
        pytest.param(WARNING, True, 1, id="warnings and strict"),
        pytest.param(FAULTS, False, 1, id="errors"),
        pytest.param(FAULTS, True, 1, id="errors and strict"),
    ],
)
def test_the_exit_status(
    check: Run, files: Mapping[str, str], output_format: str, status: int, *, strict: bool
) -> None:
    arguments = ["--format", output_format, *(["--strict"] if strict else [])]
    assert check(*arguments, files=files).exit_code == status


def test_an_error_in_one_environment_alone_is_an_error(check: Run) -> None:
    files = {"settings.toml": f"{NOTHING}[staging.cogt.routing]\nactive = 'al'\n"}
    assert check(files=files).exit_code == 1
    assert check("--env", "development", files=files).exit_code == 0


# Keys


def test_no_key_is_needed_where_a_load_would_refuse(check: Run) -> None:
    refusing = {"settings.toml": f"{NOTHING}missing_credentials = 'error'\n"}
    assert check("--strict", files=refusing).exit_code == 0


def test_no_backend_is_left_out_for_want_of_a_key(check: Run) -> None:
    skipping = {"settings.toml": f"{NOTHING}missing_credentials = 'skip'\n"}
    assert check("--strict", files=skipping).stdout.splitlines()[1:] == ["0 errors, 0 warnings"]


@pytest.mark.parametrize("output_format", ["text", "json", "github"])
def test_no_secret_is_shown(check: Run, output_format: str) -> None:
    files = {".secrets.toml": f"[default.cogt.backends.a]\nendpoint = ['{CANARY}']\nenabled = '{CANARY}'\n"}
    result = check("--format", output_format, files=files)
    assert result.exit_code == 1
    assert CANARY not in result.stdout + result.stderr


# Text


def test_each_finding_is_a_line_that_begins_with_its_place(check: Run, folder: Path) -> None:
    local, main = "settings/backends/a.local.toml", "settings/settings.toml"
    assert check(files=FAULTS).stdout.splitlines() == [
        f"checked {folder / 'settings'} in development, staging, production, preview",
        f"{local}:2: error: cogt.models.a.only-a.max_tokens: expected an integer, got a string  {EVERYWHERE}",
        f"{local}:4: error: cogt.models.a.m1.sdk: expected a string, got an integer  {EVERYWHERE}",
        f"{main}:5: error: cogt.routing.active: no routing profile is called 'alll'; did you mean 'all'?  [production]",
        f"{main}:7: error: cogt.deck.llm_presets.p.temperature: expected a number of at most 2, got 5  [preview]",
        "4 errors, 0 warnings",
    ]


def test_text_tells_warnings_as_such(check: Run) -> None:
    result = check(files=WARNING)
    where = "[development, staging, production]"
    assert told(result) == [f"settings/deck/dark.toml:2: warning: cogt.deck.aliases.chain.0: {UNSERVED}  {where}"]
    assert result.stdout.splitlines()[-1] == "0 errors, 1 warning"


def test_text_names_the_variable_that_states_a_value(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELEX_COGT__ROUTING__ACTIVE", "al")
    assert told(check("--env", "staging")) == [
        (
            "PIPELEX_COGT__ROUTING__ACTIVE: error: cogt.routing.active:"
            " no routing profile is called 'al'; did you mean 'all'?  [staging]"
        ),
    ]


def test_text_of_a_finding_without_a_line_or_a_file_has_the_same_shape() -> None:
    stream = io.StringIO()
    findings = {
        Problem("not read", file="settings/x.toml", severity=Severity.WARNING): ("staging",),
        Problem("required, and nothing states it", "cogt.routing.active"): ("staging", "production"),
    }
    print_checked(Checked(Path("/app/settings"), (), ("staging",), findings), OutputFormat.TEXT, Page(stream))
    assert stream.getvalue().splitlines()[1:] == [
        "settings/x.toml: warning: not read  [staging]",
        "settings: error: cogt.routing.active: required, and nothing states it  [staging, production]",
        "1 error, 1 warning",
    ]


@pytest.mark.parametrize("place", ["process", "dotenv"])
def test_a_variable_that_names_no_environment_is_told_though_all_are_checked(
    check: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "process":
        monkeypatch.setenv("PIPELEX_ENV", "prodution")
    else:
        (folder / ".env").write_text("PIPELEX_ENV=prodution\n", encoding="utf-8")
        (folder / ".env").chmod(0o600)
    result = check()
    assert (result.exit_code, result.stdout.splitlines()[1:]) == (
        1,
        [
            "PIPELEX_ENV: error: no file declares the environment 'prodution'; did you mean 'production'?",
            "1 error, 0 warnings",
        ],
    )
    assert check("--env", "staging").exit_code == 0


# JSON


def test_json_holds_every_fact(check: Run) -> None:
    (found,) = findings(check("--format", "json", files=WARNING))
    assert found == {
        "file": "settings/deck/dark.toml",
        "line": 2,
        "path": "cogt.deck.aliases.chain.0",
        "problem": UNSERVED,
        "suggestion": None,
        "severity": "warning",
        "environments": ["development", "staging", "production"],
    }


def test_json_of_a_clean_tree_has_no_findings(check: Run) -> None:
    assert findings(check("--format", "json")) == []


# Annotations


def test_github_writes_a_workflow_command_for_each_problem(check: Run) -> None:
    files = {**FAULTS, "backends/a.local.toml": "[m1]\nsdk = 5\n"}
    annotations = [line.split("::") for line in told(check("--format", "github", files=files))]
    assert annotations == [
        [
            "",
            "error file=settings/backends/a.local.toml,line=2,title=cogt.models.a.m1.sdk",
            f"expected a string, got an integer {EVERYWHERE}",
        ],
        [
            "",
            "error file=settings/settings.toml,line=5,title=cogt.routing.active",
            "no routing profile is called 'alll'; did you mean 'all'? [production]",
        ],
        [
            "",
            "error file=settings/settings.toml,line=7,title=cogt.deck.llm_presets.p.temperature",
            "expected a number of at most 2, got 5 [preview]",
        ],
    ]


def test_github_tells_warnings_as_such(check: Run) -> None:
    (line,) = told(check("--format", "github", files=WARNING))
    assert line.startswith("::warning file=settings/deck/dark.toml,line=2,title=cogt.deck.aliases.chain.0::this member")


def test_github_escapes_what_a_title_may_not_hold(check: Run) -> None:
    files = {"backends/a.local.toml": "['50%, x:y']\nmax_tokens = 'x'\n"}
    (line,) = told(check("--env", "staging", "--format", "github", files=files))
    assert 'title=cogt.models.a."50%25%2C x%3Ay".max_tokens::expected' in line


def test_github_escapes_what_a_message_may_not_hold(check: Run) -> None:
    files = {"deck/z.toml": "[aliases]\nx = ['m1', '100%, a:b']\n"}
    (line,) = told(check("--env", "staging", "--format", "github", files=files))
    assert line.endswith("::no model or alias is called '100%25, a:b' [staging]")


@pytest.mark.slow
@pytest.mark.parametrize("text", ["a\\nb", "a\\rb", "a\\r\\n::error::b"])
def test_no_name_breaks_a_workflow_command_in_two(check: Run, text: str) -> None:
    files = {"deck/z.toml": f'[aliases]\n"{text}" = ["m1", "{text}"]\n'}
    lines = told(check("--env", "staging", "--format", "github", files=files))
    assert [line[:2] for line in lines] == ["::"]


def test_github_escapes_a_file_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree) -> None:
    directory = write_tree({**MINIMAL, **WARNING})
    odd = directory.rename(tmp_path / "50%, a:b")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["check", "--settings-dir", str(odd), "--format", "github"])
    (line,) = told(result)
    assert line.startswith("::warning file=50%25%2C a%3Ab/deck/dark.toml,line=2,")


@pytest.mark.parametrize("workspace", ["repository", "link"])
def test_github_names_files_from_the_workspace_of_its_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_tree: WriteTree, workspace: str
) -> None:
    service = tmp_path / "repository" / "services" / "chat"
    service.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "repository")
    write_tree({**MINIMAL, **WARNING}).rename(service / "settings")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / workspace))
    for folder, named in ((service, []), (tmp_path, ["--settings-dir", str(service / "settings")])):
        monkeypatch.chdir(folder)
        (line,) = told(CliRunner().invoke(app, ["check", "--format", "github", *named]))
        assert line.startswith("::warning file=services/chat/settings/deck/dark.toml,line=2,")


def test_github_names_a_file_outside_of_the_workspace_as_it_is(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", "/nowhere")
    (line,) = told(check("--format", "github", files=WARNING))
    assert line.startswith("::warning file=settings/deck/dark.toml,line=2,")


@pytest.mark.parametrize("variable", ["PIPELEX_COGT__ROUTING__ACTIVE"])
def test_github_names_no_file_where_a_variable_is_at_fault(
    check: Run, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "al")
    (line,) = told(check("--env", "staging", "--format", "github"))
    assert line.startswith(f"::error title=cogt.routing.active::{variable}: no routing profile")


def test_an_unknown_format_is_refused(check: Run) -> None:
    assert check("--format", "yaml").exit_code == 2


def test_a_fault_hides_no_warning(check: Callable[..., Result]) -> None:
    result = check(files={"backends/a.toml": "default_sdk = 's'\n[m1]\nmax_tokens = 'x'\n"})
    assert "settings/backends/a.toml:3: error: " in result.stdout
    assert "settings/backends/a.toml:1: warning: " in result.stdout
