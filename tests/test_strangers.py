"""Strangers: what is found by looking is read only where nobody else can have written it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelex_cogt import ModelManager, SettingsError
from tests.conftest import MINIMAL, write_settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have no such owners")

STRANGER = 12_345
SERVICE = 23_456
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
AS_ROOT = pytest.mark.skipif(not IS_ROOT, reason="only root gives files away")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with settings and a `.env` that are the user's."""
    # Not below pytest's own folder, which nobody but its user can search.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    write_settings(folder, MINIMAL)
    settings = folder / "app" / "settings"
    (settings.parent / ".env").write_text("A_KEY=x\n")
    monkeypatch.chdir(settings.parent)
    yield settings.parent
    monkeypatch.undo()
    shutil.rmtree(folder)


@contextmanager
def user(number: int) -> Iterator[None]:
    """The rights of another user, for a while."""
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(environ=environ)
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0])


def is_read(named: Path | None = None, **environ: str) -> bool:
    return "m1" in ModelManager.load(named, environ=environ).deck.inference_models


def open_to_all(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o002)


@pytest.mark.parametrize("name", [".", "settings", "settings/settings.toml", "settings/backends"])
def test_what_anybody_may_write_is_refused(project: Path, name: str) -> None:
    (project / ".env").unlink()
    open_to_all(project / name)
    assert ": found by looking, and not read: anybody may write it; to read it all the same, name it: " in refusal()


@AS_ROOT
@pytest.mark.parametrize("name", [".", "settings"])
def test_what_belongs_to_another_is_refused_with_the_line_that_names_it(project: Path, name: str) -> None:
    (project / ".env").unlink()
    os.chown(project / name, STRANGER, STRANGER)
    settings = project / "settings"
    told = f"not read: it belongs to another user ({STRANGER}); to read it all the same, name it: "
    assert refusal().endswith(f"{told}PIPELEX_SETTINGS_DIR={settings} or ModelManager.load({str(settings)!r})")


@AS_ROOT
def test_what_is_named_is_read_whosesoever_it_is(project: Path) -> None:
    for path in (project, project / "settings", project / ".env"):
        os.chown(path, STRANGER, STRANGER)
        open_to_all(path)
    settings = project / "settings"
    assert is_read(settings)
    assert is_read(PIPELEX_SETTINGS_DIR=str(settings))
    assert is_read(PIPELEX_SETTINGS_DIR="settings")
    assert ModelManager.load(settings, environ={}).settings.directories.dotenv == project / ".env"


def test_the_env_file_beside_settings_is_part_of_them(project: Path) -> None:
    open_to_all(project / ".env")
    told = "anybody may write it; make it yours, remove it, or name the settings beside it: PIPELEX_SETTINGS_DIR="
    assert told in refusal()
    assert is_read(project / "settings")


@AS_ROOT
def test_a_stranger_s_env_file_names_no_settings(project: Path) -> None:
    (project / "settings").rename(project / "elsewhere")
    (project / ".env").write_text("PIPELEX_SETTINGS_DIR=elsewhere\n")
    assert is_read()
    os.chown(project / ".env", STRANGER, STRANGER)
    assert f"it belongs to another user ({STRANGER})" in refusal()


@AS_ROOT
def test_a_stranger_s_env_file_is_not_read_beside_settings_that_are_elsewhere(project: Path, tmp_path: Path) -> None:
    os.chown(project / ".env", STRANGER, STRANGER)
    write_settings(tmp_path, MINIMAL)
    assert ".env: found by looking, and not read" in refusal(PIPELEX_SETTINGS_DIR=str(tmp_path / "app" / "settings"))


def test_the_env_file_of_a_folder_above_is_looked_at_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = project / "below"
    below.mkdir()
    (below / ".env").write_text("B_KEY=y\n")
    (project / "pyproject.toml").touch()
    monkeypatch.chdir(below)
    assert is_read()
    open_to_all(project / ".env")
    assert "anybody may write it" in refusal()


def test_a_group_is_no_stranger(project: Path) -> None:
    for path in (project, project / "settings", project / ".env", project / "settings" / "backends.toml"):
        path.chmod(path.stat().st_mode | 0o020)
    assert is_read()


def test_in_a_sticky_folder_nobody_replaces_what_is_another_s(project: Path) -> None:
    project.chmod(0o1777)
    assert is_read()
    open_to_all(project / "settings")
    assert "anybody may write it" in refusal()


@AS_ROOT
def test_a_service_reads_what_is_root_s_and_its_own(project: Path) -> None:
    with user(SERVICE):
        assert is_read()
    os.chown(project / "settings", SERVICE, SERVICE)
    with user(SERVICE):
        assert is_read()
    with user(STRANGER):
        assert f"it belongs to another user ({SERVICE})" in refusal()


@AS_ROOT
def test_whoever_called_sudo_is_no_stranger_to_root(project: Path) -> None:
    for path in (project, project / "settings", project / ".env"):
        os.chown(path, STRANGER, STRANGER)
    assert is_read(SUDO_UID=str(STRANGER))
    assert "it belongs to another user" in refusal(SUDO_UID=str(SERVICE))
    with user(SERVICE):
        assert "it belongs to another user" in refusal(SUDO_UID=str(STRANGER))


def test_the_line_that_names_them_is_quoted_for_a_shell(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = project.rename(project.with_name("it's $(here)"))
    monkeypatch.chdir(odd)
    open_to_all(odd / "settings")
    assert "PIPELEX_SETTINGS_DIR='" in refusal()


@AS_ROOT
def test_the_settings_of_a_checkout_are_no_more_a_strangers_than_its_code(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(project / "settings", STRANGER, -1)
    assert "belongs to another user" in refusal()
    monkeypatch.setattr("pipelex_cogt.config.directories.packaged_settings_dir", lambda: project / "settings")
    assert is_read()
