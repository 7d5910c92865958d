"""The packaged settings of a package in a zip file: they are read as from a folder, and nothing stays behind."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelex_cogt.config.directories import packaged_settings_dir
from pipelex_cogt.config.zipped_settings import unpacked_settings

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os, sys, tempfile
sys.path.insert(0, sys.argv[1])
import pipelex_cogt
from pipelex_cogt import ModelManager, SettingsError
assert pipelex_cogt.__file__.startswith(sys.argv[1])
try:
    manager = ModelManager.load(environ={})
except SettingsError as error:
    print(error)
else:
    try:
        ModelManager.load(environ={}, overrides={"routing": {"active": "all_azur"}})
    except SettingsError as error:
        print(error.problems[0].suggestion)
    print(len(manager.deck.inference_models), manager.backends["openai"].endpoint)
    print(manager.settings.place_of(("backends", "openai", "api_key")))
    sys.stdout.flush()
    if os.fork() == 0:
        sys.exit()
    os.wait()
    print(manager.settings.directories.packaged.is_dir(), manager.settings.directories.packaged)
"""


def pack(path: Path, *, with_settings: bool) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        for file in (ROOT / "pipelex_cogt").rglob("*.py"):
            packed.write(file, file.relative_to(ROOT))
        for file in packaged_settings_dir().rglob("*.toml") if with_settings else ():
            packed.write(file, Path("pipelex_cogt", "settings", file.relative_to(packaged_settings_dir())))


def run(path: Path, folder: Path) -> list[str]:
    # Isolated, so that no other copy of the package is found first.
    command = [sys.executable, "-I", "-c", PROGRAM, str(path)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert not ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the program of the test forks")
def test_a_package_in_a_zip_file_has_its_settings_as_long_as_the_process_runs(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    pack(tmp_path / "package.zip", with_settings=True)
    suggestion, models, place, is_there = run(tmp_path / "package.zip", temporary)
    assert suggestion == "did you mean 'all_azure_openai'?"
    assert int(models.split()[0]) > 100
    assert place.startswith("packaged backends.toml:")
    assert is_there.startswith(f"True {temporary}")
    assert not [*temporary.iterdir()]


@pytest.mark.slow
def test_a_package_in_a_zip_file_without_settings_says_what_it_lacks(tmp_path: Path) -> None:
    pack(tmp_path / "package.zip", with_settings=False)
    heading, *problems = run(tmp_path / "package.zip", tmp_path)
    assert heading.startswith("4 problems")
    assert "package.zip/pipelex_cogt/settings/backends.toml  cogt.backends: expected a TOML file" in problems[1]


def test_a_package_without_such_a_folder_has_none() -> None:
    assert unpacked_settings("pipelex_cogt", "no-such-folder") is None
