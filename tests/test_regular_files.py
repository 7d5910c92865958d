"""Regular files: what lies where one belongs comes in or is refused, and nothing waits or fills the memory."""

import os
import socket
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import CogtError, ModelManager, SettingsError
from pipelex_cogt.config.inference_config import LIBRARY_PATHS
from pipelex_cogt.config.regular_files import MAX_FILE_BYTES, UnfitFileError, read_file
from tests.conftest import Load

IS_POSIX = os.name == "posix"
Make = Callable[[Path], object]


def with_holes(path: Path) -> None:
    path.touch()
    os.truncate(path, 3 << 30)


def named_socket(path: Path) -> None:
    # Where the path is too long for a socket's name, from the folder itself.
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(path.name)


def device(name: str) -> Make:
    return lambda path: path.symlink_to(name)


POSIX_ALONE = pytest.mark.skipif(not IS_POSIX, reason="only POSIX has such files")
UNFIT: list[Any] = [
    pytest.param(Path.mkdir, "a directory", id="directory", marks=POSIX_ALONE),
    pytest.param(getattr(os, "mkfifo", None), "a named pipe", id="pipe", marks=POSIX_ALONE),
    pytest.param(named_socket, "a socket", id="socket", marks=POSIX_ALONE),
    pytest.param(device("/dev/zero"), "a device", id="zero", marks=POSIX_ALONE),
    pytest.param(device("/dev/urandom"), "a device", id="urandom", marks=POSIX_ALONE),
    pytest.param(with_holes, "one of more than 16 MiB", id="holes"),
]


@pytest.mark.parametrize(("make", "found"), UNFIT)
def test_what_is_no_file_of_settings_is_refused_at_once(folder: Path, make: Make, found: str) -> None:
    make(folder / "x.toml")
    tracemalloc.start()
    with pytest.raises(UnfitFileError) as caught:
        read_file(folder / "x.toml")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.found == found
    assert peak < 1 << 20


PLACES = {
    "settings/settings.toml": "settings/settings.toml: expected a TOML file",
    "settings/settings.local.toml": "settings/settings.local.toml: expected a TOML file",
    "settings/.secrets.toml": "settings/.secrets.toml: expected a TOML file",
    "settings/backends.toml": "settings/backends.toml  cogt.backends: expected a TOML file",
    "settings/backends.local.toml": "settings/backends.local.toml  cogt.backends: expected a TOML file",
    "settings/backends/openai.toml": "settings/backends/openai.toml  cogt.models.openai: expected a TOML file",
    "settings/routing.toml": "settings/routing.toml  cogt.routing: expected a TOML file",
    "settings/deck/of/mine.toml": "settings/deck/of/mine.toml  cogt.deck: expected a TOML file",
    "named.toml": "named.toml  cogt.backends: expected a TOML file",
    ".env": ".env: expected a file of variables",
    "secrets/PIPELEX_COGT__ROUTING__ACTIVE": "secrets/PIPELEX_COGT__ROUTING__ACTIVE: expected a secret's file",
}


@POSIX_ALONE
@pytest.mark.parametrize(("name", "told"), PLACES.items(), ids=PLACES)
@pytest.mark.parametrize(
    ("make", "found"), [(getattr(os, "mkfifo", None), "a named pipe"), (with_holes, "one of more than")]
)
def test_a_load_tells_what_is_no_file_wherever_one_belongs(
    folder: Path, name: str, told: str, make: Make, found: str
) -> None:
    for path in (folder / "settings", folder / "secrets", (folder / name).parent):
        path.mkdir(parents=True, exist_ok=True)
    make(folder / name)
    environ = {"PIPELEX_SECRETS_DIR": "secrets"}
    if name == "named.toml":
        environ["PIPELEX_COGT__INFERENCE_CONFIG__BACKENDS_LIBRARY_PATH"] = str(folder / name)
    with pytest.raises(SettingsError) as caught:
        ModelManager.load("settings", environ=environ)
    [problem] = [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]
    assert problem.startswith(f"{told}, found {found}")


@POSIX_ALONE
def test_a_secrets_file_that_a_variable_names_may_be_a_pipe(load: Load, folder: Path) -> None:
    os.mkfifo(folder / "key")
    manager = load(environ={"A_KEY_FILE": str(folder / "key")})
    assert not manager.backends["a"].is_ready
    with pytest.raises(Exception, match="expected a secret's file, found a named pipe"):
        manager.backends["a"].api_key  # noqa: B018 -- because: to ask for it is what fails


def test_a_file_may_have_as_many_bytes_as_the_limit_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 2048)
    assert len(read_file(tmp_path / "x", 2048)) == 2048
    with pytest.raises(UnfitFileError, match="one of more than 1 KiB"):
        read_file(tmp_path / "x", 2047)
    assert MAX_FILE_BYTES == 16 << 20


def test_a_file_that_grows_while_it_is_read_is_still_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"")
    monkeypatch.setattr(os, "read", lambda _descriptor, step: b"x" * step)
    with pytest.raises(UnfitFileError, match="one of more than 64 KiB"):
        read_file(tmp_path / "x", 64 << 10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files that say they are empty and are not")
def test_a_file_of_which_the_system_does_not_know_the_size_is_read_whole() -> None:
    assert read_file(Path("/proc/self/status")).startswith(b"Name:")


@pytest.mark.parametrize(("name", "part"), [("a\0b", "a NUL character"), ("a\ud800b", "half a character")])
def test_a_name_that_no_file_can_have_is_an_error_of_the_system(name: str, part: str) -> None:
    with pytest.raises(OSError, match=f"no path holds {part}"):
        read_file(Path(name))


def test_no_file_stays_open(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 100)
    lowest = os.dup(0)
    os.close(lowest)
    for limit in (10, 1000):
        try:
            read_file(tmp_path / "x", limit)
        except UnfitFileError:
            assert limit == 10
    following = os.dup(0)
    os.close(following)
    assert following == lowest


# Paths that people write

UNFIT_PATHS = {
    "NUL": ("a\0b/c", "expected a path, got text with a NUL character"),
    "half a character": ("a\ud800b", "expected a path, got text with half a character"),
    "NUL behind a home": ("~nobody\0/x", "expected a path, got text with a NUL character"),
    "300 characters": ("a" * 300, "found nothing"),
    "6000 characters": ("a/" * 3000, "found nothing"),
}


@pytest.mark.parametrize(("path", "told"), UNFIT_PATHS.values(), ids=UNFIT_PATHS)
@pytest.mark.parametrize("key", LIBRARY_PATHS)
def test_a_configured_path_that_no_file_can_have_is_one_problem(folder: Path, key: str, path: str, told: str) -> None:
    for overrides in ({key: path}, {key: path, "use_packaged_settings": False}):
        with pytest.raises(SettingsError) as caught:
            ModelManager.load(environ={}, overrides={"inference_config": overrides})
        problem, *others = map(str, caught.value.problems)
        assert problem.startswith(f"overrides  cogt.inference_config.{key}: expected a ")
        assert problem.endswith(told)
        assert not any(key in other for other in others)
    assert not [*folder.iterdir()]


def find_problems(**arguments: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(**{"environ": {}, **arguments})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", [path for path, _told in UNFIT_PATHS.values()], ids=UNFIT_PATHS)
def test_a_directory_of_a_name_that_none_can_have_is_one_problem(path: str) -> None:
    expected = "expected a settings directory, found nothing; named by"
    [problem] = find_problems(settings_dir=path)
    assert problem.endswith(f"{expected} the argument settings_dir")
    [problem] = find_problems(environ={"PIPELEX_SETTINGS_DIR": path})
    assert problem.endswith(f"{expected} PIPELEX_SETTINGS_DIR")
    [problem] = find_problems(environ={"PIPELEX_SECRETS_DIR": path})
    assert problem.startswith("PIPELEX_SECRETS_DIR: expected a directory of secrets to read at")


@pytest.mark.parametrize("path", [path for path, _told in UNFIT_PATHS.values()], ids=UNFIT_PATHS)
def test_a_secrets_file_of_a_name_that_none_can_have_is_an_error(load: Load, path: str) -> None:
    with pytest.raises(CogtError, match=r"cannot be read: (File name too long|no path holds)"):
        load(environ={"A_KEY_FILE": path}).backends["a"].api_key  # noqa: B018 -- because: to ask for it is what fails


@pytest.mark.parametrize("key", ["backends_library_path", "routing_profile_library_path"])
def test_the_root_of_a_file_system_is_a_directory_like_any_other(key: str) -> None:
    [problem] = find_problems(overrides={"inference_config": {key: os.path.abspath(os.sep)}})
    assert problem.endswith("expected a TOML file, found a directory")
