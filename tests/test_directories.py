"""Directories: where settings, `.env` and secrets are looked for, and which of several is taken."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from pipelex_cogt import MissingCredentialError, ModelManager, SettingsError
from pipelex_cogt.config.directories import Directories, find_directories, packaged_settings_dir
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.report import ProblemReport
from pipelex_cogt.errors import Severity
from tests.conftest import MINIMAL, Load, dedent

Problems: TypeAlias = Callable[..., list[str]]


def find(settings_dir: Path | str | None = None, **environ: str) -> Directories:
    report = ProblemReport()
    directories, _environment = find_directories(settings_dir, Environ(environ), report)
    report.raise_errors("the test")
    return directories


def find_errors(settings_dir: Path | str | None = None, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        find(settings_dir, **environ)
    return [str(problem) for problem in caught.value.problems]


def make(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[default.cogt.routing]\n" if path.name.count("settings") else "", encoding="utf-8")


def test_without_a_directory_of_its_own_an_application_has_the_packaged_settings() -> None:
    directories = find()
    assert directories.application is None
    assert [source.path for source in directories.sources] == [packaged_settings_dir()]
    assert (packaged_settings_dir() / "backends.toml").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "settings/settings.toml",
        "settings/settings.local.toml",
        "settings/backends.toml",
        "settings/routing.toml",
        "settings/backends/openai.toml",
        "settings/deck/deep/er.toml",
    ],
)
def test_settings_in_the_working_directory_are_found(name: str) -> None:
    make(name)
    assert find().application == Path.cwd() / "settings"


def test_secrets_in_the_working_directory_are_found() -> None:
    Path("settings").mkdir()
    Path("settings/.secrets.toml").write_text("[default.cogt.backends.openai]\n", encoding="utf-8")
    assert find().application == Path.cwd() / "settings"


@pytest.mark.parametrize("name", ["settings/__init__.py", "settings/base.toml", "settings/other/backends.toml"])
def test_settings_of_another_kind_are_left_alone(name: str) -> None:
    make(name)
    assert find().application is None


def test_a_main_file_without_our_root_is_not_ours() -> None:
    Path("settings").mkdir()
    Path("settings/settings.toml").write_text("[default]\nDEBUG = true\n", encoding="utf-8")
    assert find().application is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a plain file that nobody can read")
def test_a_main_file_that_nobody_can_read_is_one_of_our_errors() -> None:
    Path("settings").mkdir()
    Path("settings/settings.toml").symlink_to("/proc/self/mem")
    with pytest.raises(SettingsError, match="problem"):
        ModelManager.load(environ={})


def test_settings_are_not_looked_for_in_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    make("settings/backends.toml", "below/empty")
    monkeypatch.chdir("below")
    assert find().application is None


def test_the_variable_wins_over_the_working_directory(tmp_path: Path) -> None:
    make("settings/backends.toml")
    (tmp_path / "other").mkdir()
    assert find(PIPELEX_SETTINGS_DIR=str(tmp_path / "other")).application == tmp_path / "other"


def test_the_argument_wins_over_the_variable(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "argument").mkdir()
    chosen = find(tmp_path / "argument", PIPELEX_SETTINGS_DIR=str(tmp_path / "other"))
    assert chosen.application == tmp_path / "argument"


def test_an_empty_variable_counts_as_unset() -> None:
    make("settings/backends.toml")
    directories = find(PIPELEX_SETTINGS_DIR="", PIPELEX_SECRETS_DIR="")
    assert directories.application == Path.cwd() / "settings"


def test_dotenv_may_name_the_directories() -> None:
    Path("conf").mkdir()
    Path("hidden").mkdir()
    Path(".env").write_text("PIPELEX_SETTINGS_DIR=conf\nPIPELEX_SECRETS_DIR=hidden\n", encoding="utf-8")
    directories = find()
    assert directories.application == Path.cwd() / "conf"
    assert directories.secrets == (Path.cwd() / "hidden",)


@pytest.mark.parametrize("settings_dir", ["conf", Path("conf")])
def test_a_relative_directory_lies_below_the_working_directory(settings_dir: Path | str) -> None:
    Path("conf").mkdir()
    assert find(settings_dir).application == Path.cwd() / "conf"


def test_a_home_directory_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "conf").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert find("~/conf").application == tmp_path / "home" / "conf"


def test_a_link_to_a_directory_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    Path("settings").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "backends.toml").touch()
    assert find().application == Path.cwd() / "settings"


def test_in_a_source_checkout_the_packaged_settings_are_read_once() -> None:
    directories = find(packaged_settings_dir())
    assert [source.is_packaged for source in directories.sources] == [False]


def test_a_directory_that_is_missing_is_an_error() -> None:
    assert find_errors("gone") == [
        "gone: expected a settings directory, found nothing; named by the argument settings_dir"
    ]


def test_a_file_in_place_of_a_directory_is_an_error() -> None:
    make("conf")
    assert find_errors(PIPELEX_SETTINGS_DIR="conf") == [
        "conf: expected a settings directory, found a file; named by PIPELEX_SETTINGS_DIR"
    ]


def test_every_directory_that_is_missing_is_told_with_its_name() -> None:
    found = find_errors("gone", PIPELEX_SECRETS_DIR="lost/secrets")
    assert len(found) == 2
    assert "gone" in found[1]
    assert "PIPELEX_SECRETS_DIR" in found[0]
    assert "lost/secrets" in found[0]


def test_the_default_secrets_directory_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find().secrets == (tmp_path / "no-secrets",)
    monkeypatch.setattr("pipelex_cogt.config.directories.DEFAULT_SECRETS_DIR", tmp_path / "gone")
    assert find().secrets == ()


def test_dotenv_beside_the_settings_wins_over_the_working_directorys(load: Load) -> None:
    Path(".env").write_text("PIPELEX_ENV=staging\n", encoding="utf-8")
    assert load().environment == "staging"
    assert load({"../.env": "PIPELEX_ENV=production\n"}).environment == "production"


def test_dotenv_of_a_parent_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PIPELEX_SETTINGS_DIR=gone\n", encoding="utf-8")
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert find().dotenv is None


def test_a_directory_called_dotenv_is_no_dotenv() -> None:
    Path(".env").mkdir()
    assert find().dotenv is None


def test_an_application_works_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in MINIMAL.items():
        path = tmp_path / "elsewhere" / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ModelManager.load(environ={}).routing.active.name == "all"


def test_a_directory_with_dots_has_the_neighbours_of_its_real_place(monkeypatch: pytest.MonkeyPatch) -> None:
    make("app/settings/backends.toml", "app/settings/deck/base.toml")
    Path("app/.env").write_text("PIPELEX_ENV=staging\n")
    monkeypatch.chdir("app/settings/deck")
    report = ProblemReport()
    directories, environment = find_directories("..", Environ({}), report)
    assert environment["PIPELEX_ENV"] == "staging"
    assert directories.application == Path.cwd().parent


def test_a_home_that_does_not_exist_is_one_of_our_errors() -> None:
    with pytest.raises(SettingsError, match="places where settings are looked for"):
        ModelManager.load(settings_dir="~nobody-of-this-name/settings", environ={})


def test_of_two_dotenvs_the_one_beside_the_settings_is_read_and_shown(load: Load, tmp_path: Path) -> None:
    Path(".env").write_text("A_KEY=of the working directory\nB_KEY=of the working directory\n", encoding="utf-8")
    manager = load({"../.env": "A_KEY=of the application\n"})
    assert manager.settings.directories.dotenv == tmp_path / "app" / ".env"
    key = manager.get_required_inference_backend("a").api_key
    assert key is not None
    assert key.get_secret_value() == "of the application"
    with pytest.raises(MissingCredentialError):
        _ = manager.get_required_inference_backend("b").api_key


# How often `.env` is read


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The `.env` files that are read, one entry for each time."""
    found: list[Path] = []
    read_bytes = Path.read_bytes

    def remember(path: Path) -> bytes:
        if path.name == ".env":
            found.append(path)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", remember)
    return found


def settings_here() -> Path:
    return Path("settings")


def settings_by_a_link() -> Path:
    Path("../link").symlink_to(Path.cwd())
    return Path("../link/settings").absolute()


def settings_beside_a_link() -> Path:
    """Settings elsewhere, beside which a link leads to the `.env` of the working directory."""
    Path("../other/settings").mkdir(parents=True)
    Path("../other/.env").symlink_to(Path(".env").absolute())
    return Path("../other/settings")


WAYS = {"here": settings_here, "by a link": settings_by_a_link, "beside a link": settings_beside_a_link}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_dotenv_is_read_once_and_warned_of_once_whichever_way_leads_to_it(
    reads: list[Path], way: Callable[[], Path]
) -> None:
    make("settings/backends.toml")
    Path(".env").write_text("A=1\nnot a variable\n", encoding="utf-8")
    Path(".env").chmod(0o644)
    report = ProblemReport()
    directories, environ = find_directories(way(), Environ({}), report)
    assert len(reads) == 1
    assert environ["A"] == "1"
    assert directories.dotenv is not None
    assert directories.dotenv.samefile(".env")
    warnings = [problem.problem for problem in report.problems(Severity.WARNING)]
    others_read = ["other users can read this file with secrets"] if os.name == "posix" else []
    assert warnings == [*others_read, "not read: expected NAME=value"]


def test_a_load_reads_a_dotenv_once(load: Load, reads: list[Path], folder: Path) -> None:
    manager = load({"../.env": "A_KEY=1\n"})
    _ = (manager.backends["a"].api_key, manager.warnings)
    assert reads == [folder / ".env"]
