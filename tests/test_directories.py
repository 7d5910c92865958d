"""Directories: where settings, `.env` and secrets are looked for, and which of several is taken."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from dynaconf import get_history

from pipelex_cogt import MissingCredentialError, ModelManager, SettingsError
from pipelex_cogt.config.directories import Directories, find_directories, packaged_settings_dir
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.regular_files import read_file
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
        "settings/backends.local.toml",
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


# Settings above the working directory


def make_project(*names: str, working: str = "notebooks/deep") -> Path:
    """A project with files of these names, and the working directory below it."""
    make(*names, f"{working}/empty")
    project = Path.cwd()
    os.chdir(working)
    return project


MARKERS = [".git/HEAD", ".git", "pyproject.toml"]


@pytest.mark.parametrize("marker", MARKERS)
def test_settings_are_found_from_any_folder_of_a_project(marker: str) -> None:
    project = make_project("settings/backends.toml", marker)
    directories = find()
    assert directories.application == project / "settings"
    assert directories.project == project
    assert directories.looked_in == (Path.cwd(), Path.cwd().parent, project)


def test_the_nearest_settings_are_taken() -> None:
    project = make_project("settings/backends.toml", "notebooks/settings/routing.toml", ".git")
    assert find().application == project / "notebooks" / "settings"


def test_settings_of_another_kind_are_passed_over_on_the_way_up() -> None:
    project = make_project("settings/backends.toml", "notebooks/settings/__init__.py", ".git")
    assert find().application == project / "settings"


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("inner", ["notebooks", "notebooks/deep"])
def test_settings_beyond_the_project_are_not_looked_for(marker: str, inner: str) -> None:
    make_project("settings/backends.toml", ".git", f"{inner}/{marker}")
    directories = find()
    assert directories.application is None
    assert directories.project is not None
    assert directories.project.as_posix().endswith(inner)


def test_outside_a_project_settings_are_found_in_folders_of_the_user_alone() -> None:
    folder = make_project("settings/backends.toml")
    directories = find()
    assert (directories.application, directories.project) == (folder / "settings", None)
    assert directories.looked_in[:3] == (Path.cwd(), Path.cwd().parent, folder)


@pytest.mark.parametrize("mode", [0o1777, 0o770])
@pytest.mark.parametrize("shared", ["..", "../.."])
def test_outside_a_project_nothing_is_taken_from_where_others_can_write(shared: str, mode: int) -> None:
    make_project("settings/backends.toml")
    Path(shared).chmod(mode)
    assert find().application is None
    assert find().looked_in == (Path.cwd(), Path.cwd().parent)[: 1 if shared == ".." else 2]


def test_settings_in_the_folder_of_the_marker_are_found_from_there() -> None:
    make("settings/backends.toml", "pyproject.toml")
    assert find().application == Path.cwd() / "settings"


def test_dotenv_lies_beside_the_settings_that_are_found_above() -> None:
    project = make_project("settings/backends.toml", ".git")
    (project / ".env").write_text("PIPELEX_ENV=staging\n", encoding="utf-8")
    assert find().dotenv == project / ".env"
    assert ModelManager.load(environ={}).environment == "staging"


def test_dotenv_beside_the_settings_wins_over_that_of_the_sub_folder() -> None:
    project = make_project("settings/backends.toml", ".git")
    (project / ".env").touch()
    Path(".env").touch()
    assert find().dotenv == project / ".env"


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has such devices")
def test_what_is_mounted_or_built_in_place_of_a_dotenv_is_none() -> None:
    project = make_project("pyproject.toml", "settings/backends.toml")
    (project / ".env").mkdir()
    assert find().dotenv is None
    (project / ".env").rmdir()
    (project / ".env").symlink_to(os.devnull)
    assert find().dotenv is None


def test_without_settings_the_nearest_dotenv_of_the_project_is_read() -> None:
    project = make_project(".git")
    (project / ".env").write_text("PIPELEX_ENV=staging\n", encoding="utf-8")
    assert find().dotenv == project / ".env"
    assert ModelManager.load(environ={}).environment == "staging"
    Path(".env").touch()
    assert find().dotenv == Path.cwd() / ".env"


def test_outside_a_project_no_dotenv_above_is_read_but_that_beside_the_settings() -> None:
    folder = make_project("settings/backends.toml")
    (folder / ".env").touch()
    (folder / "notebooks" / ".env").touch()
    assert find().dotenv == folder / ".env"
    (folder / "settings" / "backends.toml").unlink()
    assert find().dotenv is None


@pytest.mark.parametrize("named", ["argument", "variable"])
def test_where_settings_are_named_no_dotenv_above_is_read(tmp_path: Path, named: str) -> None:
    project = make_project(".git")
    (project / ".env").touch()
    (tmp_path / "conf").mkdir()
    conf = tmp_path / "conf"
    directories = find(conf) if named == "argument" else find(PIPELEX_SETTINGS_DIR=str(conf))
    assert (directories.application, directories.dotenv) == (conf, None)


def test_a_path_in_a_dotenv_is_relative_to_it() -> None:
    project = make_project("conf/routing.toml", "hidden/A_KEY", "settings/routing.toml", ".git")
    (project / ".env").write_text("PIPELEX_SETTINGS_DIR=conf\nPIPELEX_SECRETS_DIR=hidden\n", encoding="utf-8")
    directories = find()
    assert (directories.application, directories.secrets) == (project / "conf", (project / "hidden",))
    Path("mine").mkdir()
    assert find(PIPELEX_SECRETS_DIR="mine").secrets == (Path.cwd() / "mine",)


def test_what_names_a_directory_wins_over_settings_above() -> None:
    project = make_project("settings/backends.toml", "conf/routing.toml", ".git")
    directories = find(PIPELEX_SETTINGS_DIR="../../conf")
    assert directories.application == project / "conf"
    assert directories.named_by == "PIPELEX_SETTINGS_DIR"
    assert directories.looked_in == ()


def test_a_preset_of_the_project_is_known_in_its_notebooks() -> None:
    project = make_project("settings/settings.toml", "pyproject.toml", working="notebooks")
    (project / "settings" / "settings.toml").write_text(
        "[default.cogt.deck.llm_presets.my_preset]\nllm_handle = 'gpt-4.1'\n", encoding="utf-8"
    )
    assert ModelManager.load(environ={}).deck.resolve("my_preset").model.name == "gpt-4.1"


def test_a_load_that_found_no_settings_of_the_application_says_where_it_looked() -> None:
    make_project(".git", working="notebooks")
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(env="production", environ={})
    heading = "the settings of environment 'production', without the application's own: found none in ., "
    assert heading + str(Path.cwd().parent) in str(caught.value)


def test_a_load_logs_what_it_found(caplog: pytest.LogCaptureFixture, load: Load, folder: Path) -> None:
    with caplog.at_level("INFO", "pipelex_cogt"):
        load({"../.env": ""}, env="staging")
        (folder / ".env").unlink()
        load()
    assert caplog.messages == [
        "environment 'staging', settings: settings, .env: .env",
        "environment 'development', settings: settings, .env: none",
    ]


def test_a_load_without_settings_of_its_own_logs_that() -> None:
    assert str(find()) == "settings: none of the application's own, .env: none"


def test_a_working_directory_that_was_removed_leaves_named_settings_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "routing.toml").touch()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert find().application is None
    assert ModelManager.load(tmp_path / "conf", environ={}).settings.directories.application == tmp_path / "conf"
    assert find_errors("conf")[0].startswith("conf: expected a settings directory, found nothing; named by")
    monkeypatch.chdir(tmp_path)


# Folders that nobody may look into


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory that every user of the machine may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        monkeypatch.chdir(name)
        yield Path(name).resolve()
        os.chdir("/")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do something as a user who owns nothing; whoever is not root stays who they are."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux lets a process be somebody else for a while")
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (None, "settings: expected a settings directory, found one that cannot be read"),
        ("settings", "settings: expected a settings directory, found one that cannot be read"),
        ("settings/deck", "settings/deck: expected a settings directory, found nothing that this user may look at"),
    ],
)
def test_settings_that_nobody_may_read_are_one_of_our_errors(open_folder: Path, named: str | None, told: str) -> None:
    make("settings/deck/base.toml")
    (open_folder / "settings").chmod(0)
    with as_nobody():
        assert [error.partition("; ")[0] for error in find_errors(named)] == [told]
    (open_folder / "settings").chmod(0o700)


def test_a_working_directory_that_nobody_may_search_is_no_hindrance(open_folder: Path) -> None:
    make("inner/settings/backends.toml", "conf/routing.toml")
    os.chdir("inner")
    (open_folder / "inner").chmod(0)
    with as_nobody():
        assert find().application is None
        assert find(open_folder / "conf").application == open_folder / "conf"
    (open_folder / "inner").chmod(0o700)


# Directories that are named


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


def test_in_a_source_checkout_the_packaged_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    directories = find(packaged_settings_dir())
    assert [source.is_packaged for source in directories.sources] == [False]
    monkeypatch.chdir(packaged_settings_dir().parent)
    names = [layer.origin.name for layer in ModelManager.load(environ={}).settings.layers if layer.origin.file]
    assert {name.partition("/")[0] for name in names} == {"settings"}
    assert "settings/backends.toml" in names
    libraries = [name for name in names if name != "settings/settings.toml"]
    assert len({*libraries}) == len(libraries)


# How files are written for people


def test_packaged_files_are_written_as_packaged_wherever_they_are_told() -> None:
    manager = ModelManager.load(environ={})
    names = {layer.origin.name for layer in manager.settings.layers if layer.origin.is_packaged}
    assert "packaged backends/openai.toml" in names
    assert all(name.startswith("packaged ") for name in names)
    place = str(manager.settings.place_of(("backends", "openai", "api_key")))
    assert re.fullmatch(r"packaged backends\.toml:\d+", place)
    explanation = repr(manager.explain("gpt-4.1"))
    assert "packaged backends/openai.toml:" in explanation
    told = f"{explanation}{get_history(manager.settings.dynaconf, 'cogt.routing.active')}"
    assert "packaged routing.toml" in told
    assert str(packaged_settings_dir()) not in told


def test_a_fault_in_a_packaged_file_is_told_as_packaged(load: Load) -> None:
    enabled = "[default.cogt.inference_config]\nenabled_backends = ['openai']\n"
    with pytest.raises(SettingsError) as caught:
        load(dict.fromkeys(MINIMAL, "") | {"settings.toml": enabled, "routing.toml": "active = 'all_anthropic'\n"})
    assert str(packaged_settings_dir()) not in str(caught.value)


def test_packaged_files_that_cannot_be_read_are_told_as_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped" / "deck").mkdir(parents=True)
    for name in ("settings.toml", "backends.toml", "deck/x.toml"):
        (tmp_path / "shipped" / name).write_text("broken", encoding="utf-8")
    monkeypatch.setattr("pipelex_cogt.config.directories.packaged_settings_dir", lambda: tmp_path / "shipped")
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(environ={})
    assert [problem.file for problem in caught.value.problems] == [
        "packaged backends.toml",
        "packaged deck/x.toml",
        "packaged settings.toml",
    ]


def test_a_directory_that_is_missing_is_an_error() -> None:
    assert find_errors("gone") == [
        "gone: expected a settings directory, found nothing; named by the argument settings_dir"
    ]


def test_a_file_in_place_of_a_directory_is_an_error() -> None:
    make("conf")
    assert find_errors(PIPELEX_SETTINGS_DIR="conf") == [
        "conf: expected a settings directory, found a file; named by PIPELEX_SETTINGS_DIR"
    ]


def load_errors(settings_dir: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(settings_dir, environ={})
    return [str(problem) for problem in caught.value.problems]


NOTHING_OF_OURS = "expected a settings directory, found nothing of ours in it; named by the argument settings_dir; "


@pytest.mark.parametrize(
    ("names", "named", "hint"),
    [
        pytest.param(
            ["conf/notes.md"],
            "conf",
            "expected one of settings.toml, backends.toml, backends/, routing.toml, deck/ in it",
            id="something else",
        ),
        pytest.param(["conf/settings/backends.toml"], "conf", "did you mean 'conf/settings'?", id="one above"),
        pytest.param(["conf/deck/base.toml"], "conf/deck", "did you mean 'conf'?", id="the deck"),
        pytest.param(["conf/backends/a.toml"], "conf/backends", "did you mean 'conf'?", id="the files of backends"),
        pytest.param(["conf/x", "settings/routing.toml"], "conf", "did you mean 'settings'?", id="beside the settings"),
        pytest.param(
            ["conf/backend.toml"], "conf", "'backend.toml' in it: did you mean 'backends.toml'?", id="misspelt"
        ),
    ],
)
def test_a_named_directory_that_holds_nothing_of_ours_is_an_error(names: list[str], named: str, hint: str) -> None:
    make(*names)
    assert load_errors(named) == [f"{named}: {NOTHING_OF_OURS}{hint}"]


def test_a_named_directory_with_the_main_file_of_another_program_is_an_error() -> None:
    Path("conf").mkdir()
    Path("conf/settings.toml").write_text("[default]\nDEBUG = true\n", encoding="utf-8")
    assert [error.split("; ")[0] for error in load_errors("conf")] == [
        "conf: expected a settings directory, found nothing of ours in it"
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[default.cgt.routing]\n", "1: default.cgt: unknown key, expected cogt; write [default.cogt.routing]"),
        ("[default.routing]\n", "1: default.routing: unknown key, expected cogt; write [default.cogt.routing]"),
    ],
)
def test_the_fault_of_a_main_file_is_told_rather_than_that_of_its_directory(text: str, error: str) -> None:
    Path("conf").mkdir()
    Path("conf/settings.toml").write_text(text, encoding="utf-8")
    assert load_errors("conf") == [f"conf/settings.toml:{error}"]


def test_a_broken_main_file_is_one_of_ours() -> None:
    Path("conf").mkdir()
    Path("conf/settings.toml").write_text("[default", encoding="utf-8")
    assert [error.partition(" ")[0] for error in load_errors("conf")] == ["conf/settings.toml:1:"]


@pytest.mark.parametrize("name", ["conf/.secrets.toml", "conf/settings.local.toml", "conf/backends.local.toml"])
def test_a_named_directory_may_hold_one_file_of_ours(name: str) -> None:
    make(name)
    Path(name).write_text("[default.cogt]\n" if "settings" in name or "secrets" in name else "", encoding="utf-8")
    assert ModelManager.load("conf", environ={}).settings.directories.application == Path.cwd() / "conf"


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("setings", "setings: expected a settings directory, found nothing"),
        ("settings/backends.toml", "settings/backends.toml: expected a settings directory, found a file"),
    ],
)
def test_of_a_directory_that_is_none_the_nearest_is_told(named: str, problem: str) -> None:
    make("settings/backends.toml")
    assert find_errors(named) == [f"{problem}; named by the argument settings_dir; did you mean 'settings'?"]


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

    def remember(path: Path) -> bytes:
        found.append(path)
        return read_file(path)

    monkeypatch.setattr("pipelex_cogt.config.environ.read_file", remember)
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
