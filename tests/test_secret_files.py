"""Secrets' files: several directories and folders in them, and the files that variables name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipelex_cogt import InferenceBackend, MissingCredentialError, ModelManager, SecretFileError, SettingsError
from pipelex_cogt.cli.env import find_variables
from tests.conftest import Load

CANARY = "canary-4711"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write files below the test's folder, each with its text."""

    def write_files(**files: str | bytes) -> None:
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write_files


@pytest.fixture
def backend_a(load: Load, tmp_path: Path) -> Any:
    """Load backend `a` with these settings, where the secrets directories are these of the test's folder."""

    def load_backend(*lines: str, directories: str = "", **environ: str) -> InferenceBackend:
        named = os.pathsep.join(str(tmp_path / name) for name in directories.split())
        files = {"backends.toml": "\n".join(["[a]", *lines, "[b]\n[off]\nenabled = false"])}
        return load(files, environ={"PIPELEX_SECRETS_DIR": named, **environ}).backends["a"]

    return load_backend


def key_of(backend: InferenceBackend) -> str | None:
    key = backend.api_key
    return None if key is None else key.get_secret_value()


# Several directories


def test_the_first_directory_that_has_a_name_answers(write: Any, backend_a: Any) -> None:
    write(one__K="first", two__K="second", two__L="only here", one__M=" \n", two__M="not empty")
    backend = backend_a("api_key = '${K}'", "l = '${secret:L}'", "m = '${M}'", directories="one two")
    assert (key_of(backend), backend.extra_config["l"], backend.extra_config["m"]) == (
        "first",
        "only here",
        "not empty",
    )


def test_a_directory_that_is_named_twice_is_one(write: Any, backend_a: Any) -> None:
    write(one__K="x")
    backend = backend_a("api_key = '${K}'", directories="one one")
    assert len(backend.credentials.directories) == 1


def test_each_directory_that_cannot_be_read_is_told(write: Any, backend_a: Any) -> None:
    write(one__K="x", file="x")
    with pytest.raises(SettingsError) as caught:
        backend_a(directories="one gone file")
    assert [str(problem).partition(" at ")[0] for problem in caught.value.problems] == [
        "PIPELEX_SECRETS_DIR: expected a directory of secrets to read",
        "PIPELEX_SECRETS_DIR: expected a directory of secrets to read",
    ]
    assert [str(problem).rpartition("/")[2] for problem in caught.value.problems] == [
        "gone, found none",
        "file, found none",
    ]


def test_an_override_of_the_first_directory_wins(write: Any, backend_a: Any, tmp_path: Path) -> None:
    for directory in ("one", "two"):
        write(**{f"{directory}__other": "x"})
        (tmp_path / directory / "PIPELEX_COGT__BACKENDS__A__ENDPOINT").write_text(f"https://{directory}\n")
    for directories in ("one two", "two one"):
        backend = backend_a("endpoint = 'https://a'", directories=directories)
        assert backend.endpoint == f"https://{directories[:3]}"


def test_the_list_of_variables_says_which_directory(load: Load, write: Any, tmp_path: Path) -> None:
    write(one__K="x", two__L="x")
    environ = {"PIPELEX_SECRETS_DIR": os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")])}
    files = {"backends.toml": "[a]\napi_key = '${K}'\nl = '${L}'\n[b]\n[off]\nenabled = false"}
    found = [(variable.name, variable.source) for variable in find_variables(load(files, environ=environ))]
    assert found == [("K", f"secrets directory {tmp_path / 'one'}"), ("L", f"secrets directory {tmp_path / 'two'}")]


# Folders


def test_a_secret_may_lie_in_a_folder(write: Any, backend_a: Any) -> None:
    write(one__openai__deep__key="nested\n")
    assert key_of(backend_a("api_key = '${secret:openai/deep/key}'", directories="one")) == "nested"


def test_a_secret_below_a_file_is_missing(write: Any, backend_a: Any) -> None:
    write(one__openai="x")
    with pytest.raises(MissingCredentialError):
        key_of(backend_a("api_key = '${secret:openai/key}'", directories="one"))


def test_a_folder_that_leads_out_is_not_followed(write: Any, backend_a: Any, tmp_path: Path) -> None:
    write(one__K="x", outside__key=CANARY)
    (tmp_path / "one" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(SecretFileError, match="leads out of the secrets directory, so it is not read"):
        key_of(backend_a("api_key = '${secret:link/key}'", directories="one"))


# Files that variables name


@pytest.mark.parametrize("reference", ["${K}", "${env:K}", "${NOPE|env:K}", "${K:-default}"])
def test_the_text_of_the_named_file_answers(write: Any, backend_a: Any, tmp_path: Path, reference: str) -> None:
    write(file=b"\xef\xbb\xbffrom-file\r\n")
    assert key_of(backend_a(f"api_key = '{reference}'", K_FILE=str(tmp_path / "file"))) == "from-file"


def test_the_variable_itself_wins(write: Any, backend_a: Any, tmp_path: Path) -> None:
    write(file="from-file")
    assert key_of(backend_a("api_key = '${K}'", K="itself", K_FILE=str(tmp_path / "file"))) == "itself"
    assert key_of(backend_a("api_key = '${K}'", K=" ", K_FILE=str(tmp_path / "file"))) == "from-file"


def test_a_secret_reference_asks_no_variable(write: Any, backend_a: Any, tmp_path: Path) -> None:
    write(file="from-file")
    assert key_of(backend_a("api_key = '${secret:K:-none}'", K_FILE=str(tmp_path / "file"))) == "none"


def test_a_reference_to_the_variable_with_the_path_is_the_path(backend_a: Any) -> None:
    assert backend_a("keyfile = '${K_FILE}'", K_FILE="somewhere").extra_config["keyfile"] == "somewhere"


def test_a_path_is_relative_to_the_working_directory_of_the_load(
    backend_a: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("file").write_text("from-file")
    backend = backend_a("api_key = '${K}'", K_FILE="file")
    monkeypatch.chdir(tmp_path)
    assert key_of(backend) == "from-file"


def test_a_dotenv_may_name_the_file(backend_a: Any) -> None:
    Path("file").write_text("from-file")
    Path(".env").write_text("K_FILE=file\n")
    assert key_of(backend_a("api_key = '${K}'")) == "from-file"


BROKEN_FILES = {
    "missing": (None, "expected a secret's file, found nothing"),
    "not UTF-8": (b"\xff", "expected UTF-8 text"),
    "too large": (b"x" * 65_537, "expected a secret's file, found one of more than 64 KiB"),
}


@pytest.mark.parametrize(("content", "problem"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_named_file_that_cannot_be_used_is_told(backend_a: Any, load: Load, content: Any, problem: str) -> None:
    if content:
        Path("file").write_bytes(content)
    backend = backend_a("api_key = '${K}'", K_FILE="file")
    with pytest.raises(SecretFileError) as caught:
        key_of(backend)
    assert str(caught.value) == f"file: {problem}; K_FILE names it"
    assert (backend.missing(), backend.is_ready) == (("K",), False)
    warnings = load(environ={"A_KEY": "x", "B_KEY_FILE": "file"}).warnings
    assert [str(warning) for warning in warnings] == [f"file  cogt.backends.b.api_key: {problem}; B_KEY_FILE names it"]


def test_a_directory_is_no_secret(backend_a: Any, tmp_path: Path) -> None:
    with pytest.raises(SecretFileError, match="expected a secret's file, found a directory; K_FILE names it"):
        key_of(backend_a("api_key = '${K}'", K_FILE=str(tmp_path)))


def test_the_list_of_variables_says_which_file(load: Load) -> None:
    Path("file").write_text("x")
    manager: ModelManager = load(environ={"A_KEY_FILE": "file", "B_KEY_FILE": "gone"})
    found = [(variable.name, variable.source, variable.is_missing) for variable in find_variables(manager)]
    assert found == [("A_KEY", "A_KEY_FILE (file)", False), ("B_KEY", None, True)]
