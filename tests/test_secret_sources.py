"""Sources of secrets: what the file of a secret says, which source answers a name, and what no source answers."""

import codecs
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt import CogtError, MissingCredentialError, SettingsError
from pipelex_cogt.config.credentials import Credentials
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.secret_files import MAX_SECRET_BYTES, SecretsDirectory
from pipelex_cogt.errors import SecretFileError
from tests.conftest import Load

CANARY = "canary-4711"


class Vault:
    """An application's own source."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets

    def get(self, name: str) -> str | None:
        return self.secrets.get(name)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "secrets"
    path.mkdir()
    return path


def credentials(
    environ: Mapping[str, str] | None = None, directory: Path | None = None, *sources: Vault, dotenv: Any = None
) -> Credentials:
    return Credentials(Environ(environ or {}, dotenv), [SecretsDirectory(directory)], sources)


def resolve(text: str, given: Credentials) -> str:
    return given.resolve(text, "a", ("backends", "a", "region"))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"key", "key"),
        (b"key\n", "key"),
        (b"key\r\n", "key"),
        (b"key\n\n", "key"),
        (b" key ", "key"),
        (b"\xef\xbb\xbfkey\r\n\r\n", "key"),
        (b"-----BEGIN\nx\n-----END\n", "-----BEGIN\nx\n-----END"),
        (b"", ""),
        ("clé".encode(), "clé"),
        (b"x" * MAX_SECRET_BYTES, "x" * MAX_SECRET_BYTES),
    ],
)
def test_a_secret_is_a_files_text_without_what_is_around_it(directory: Path, content: bytes, value: str) -> None:
    (directory / "KEY").write_bytes(content)
    assert SecretsDirectory(directory).get("KEY") == value


def test_a_secret_that_is_missing_is_none(directory: Path) -> None:
    assert SecretsDirectory(directory).get("KEY") is None
    assert SecretsDirectory(directory / "gone").get("KEY") is None
    assert SecretsDirectory(None).get("KEY") is None
    assert list(SecretsDirectory(None).names()) == []


def test_a_mount_of_kubernetes_works(directory: Path) -> None:
    version = directory / "..2026_01_01"
    version.mkdir()
    (version / "KEY").write_text("first\n", encoding="utf-8")
    (directory / "..data").symlink_to(version.name)
    (directory / "KEY").symlink_to("..data/KEY")
    secrets = SecretsDirectory(directory)
    assert secrets.get("KEY") == "first"
    assert list(secrets.names()) == ["KEY"]


def test_a_link_that_leads_out_of_the_directory_is_not_followed(directory: Path) -> None:
    (directory.parent / "outside").write_text(CANARY, encoding="utf-8")
    (directory / "KEY").symlink_to("../outside")
    with pytest.raises(SecretFileError) as caught:
        SecretsDirectory(directory).get("KEY")
    assert CANARY not in str(caught.value)


def test_a_secret_that_was_rotated_is_read_again(directory: Path) -> None:
    secrets = SecretsDirectory(directory)
    (directory / "KEY").write_text("old", encoding="utf-8")
    assert secrets.get("KEY") == "old"
    (directory / "KEY").write_text("new", encoding="utf-8")
    assert secrets.get("KEY") == "new"


@pytest.mark.parametrize("name", ["../outside", "..", ".", "", "/etc/hostname", "deep/../../outside", "a\0b"])
def test_nothing_outside_the_directory_is_read(directory: Path, name: str) -> None:
    (directory.parent / "outside").write_text(CANARY, encoding="utf-8")
    try:
        found = SecretsDirectory(directory).get(name)
    except SecretFileError:
        found = None
    assert found is None


def make_directory(path: Path) -> None:
    path.mkdir()


def make_large(path: Path) -> None:
    path.write_bytes(b"x" * (MAX_SECRET_BYTES + 1))


def make_binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")


def make_endless_link(path: Path) -> None:
    path.symlink_to(path)


BROKEN_SECRETS = [
    pytest.param(make_directory, "expected a secret's file, found a directory", id="directory"),
    pytest.param(make_large, "expected a secret's file, found one of more than 64 KiB", id="too large"),
    pytest.param(make_binary, "expected UTF-8 text", id="not text"),
    pytest.param(make_endless_link, "cannot be read: Too many levels of symbolic links", id="unreadable"),
]


@pytest.mark.parametrize(("spoil", "problem"), BROKEN_SECRETS)
def test_a_secret_that_cannot_be_read_is_an_error(directory: Path, spoil: Any, problem: str) -> None:
    spoil(directory / "KEY")
    with pytest.raises(SecretFileError) as caught:
        SecretsDirectory(directory).get("KEY")
    assert str(caught.value) == f"{directory / 'KEY'}: {problem}"
    assert isinstance(caught.value, CogtError)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(("spoil", "problem"), BROKEN_SECRETS[1:3])
@pytest.mark.parametrize(
    ("name", "missing_means"), [("PIPELEX_COGT__ROUTING__ACTIVE", "defer"), ("A_KEY", "error"), ("A_KEY", "skip")]
)
def test_a_broken_secret_is_one_problem_of_the_load(
    load: Load, tmp_path: Path, spoil: Any, problem: str, name: str, missing_means: str
) -> None:
    spoil(tmp_path / "no-secrets" / name)
    config = {"missing_credentials": missing_means, "enabled_backends": ["a"]}
    with pytest.raises(SettingsError) as caught:
        load({"deck/z.toml": "[aliases]\nbest = 'm1'\n"}, overrides={"inference_config": config})
    assert problem in str(caught.value)


def test_a_broken_secret_is_an_error_when_its_backend_is_used(load: Load, tmp_path: Path) -> None:
    backend = load().backends["a"]
    make_binary(tmp_path / "no-secrets" / "A_KEY")
    with pytest.raises(SecretFileError, match="expected UTF-8 text"):
        _ = backend.api_key


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${IN_ALL}", "process"),
        ("${env:IN_ALL}", "process"),
        ("${secret:IN_ALL}", "directory"),
        ("${IN_DOTENV}", "dotenv"),
        ("${IN_DIRECTORY}", "directory"),
        ("${secret:IN_DIRECTORY}", "directory"),
        ("${IN_VAULT}", "vault"),
        ("${secret:IN_VAULT}", "vault"),
        ("${NOWHERE|IN_VAULT}", "vault"),
        ("${EMPTY|IN_DOTENV}", "dotenv"),
        ("${env:IN_VAULT|secret:IN_DIRECTORY|IN_ALL}", "directory"),
        ("${EMPTY:-text}", "text"),
        ("${NOWHERE:-}", ""),
        ("${IN_ALL:-text}", "process"),
        ("${EMPTY_FILE:-text}", "text"),
        ("https://${IN_ALL}.x/${IN_VAULT}", "https://process.x/vault"),
        ("$${IN_ALL}", "${IN_ALL}"),
        ("$${IN_ALL}${IN_ALL}", "${IN_ALL}process"),
        ("${NOWHERE|secret:IN_DOTENV|IN_ALL:-text}", "vault"),
        ("${NOWHERE|secret:NOWHERE:-text}", "text"),
        ("${NOWHERE:-$IN_ALL}", "$IN_ALL"),
        ("${REFERENCE}", "${IN_ALL}"),
    ],
)
def test_a_reference_is_answered_by_the_first_source_that_holds_it(directory: Path, text: str, value: str) -> None:
    for name in ("IN_ALL", "IN_DIRECTORY"):
        (directory / name).write_text("directory\n", encoding="utf-8")
    (directory / "EMPTY_FILE").write_text("\n", encoding="utf-8")
    names = ["IN_ALL", "IN_DIRECTORY", "IN_DOTENV"]
    given = credentials(
        {"IN_ALL": "process", "EMPTY": "", "REFERENCE": "${IN_ALL}"},
        directory,
        Vault(),
        Vault(IN_VAULT="vault", **dict.fromkeys(names, "vault")),
        dotenv={"IN_ALL": "dotenv", "IN_DOTENV": "dotenv"},
    )
    assert resolve(text, given) == value


WHITE_SPACE = st.text(st.sampled_from(" \t\r\n\u00a0\u2028"), max_size=4)


@pytest.mark.slow
@given(before=WHITE_SPACE, value=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)), after=WHITE_SPACE)
def test_white_space_around_a_value_is_no_part_of_it_whatever_the_source(before: str, value: str, after: str) -> None:
    text = before + value + after
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "K").write_bytes(codecs.BOM_UTF8 + text.encode())
        sources = [
            credentials({"K": text}),
            credentials(dotenv={"K": text}),
            credentials({"K_FILE": str(directory / "K")}),
            credentials(None, directory),
            credentials(None, None, Vault(K=text)),
        ]
        assert {resolve("${K:-unset}", each) for each in sources} == {value or "unset"}


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("${A}", ("A",)),
        ("${env:IN_DIRECTORY}", ("env:IN_DIRECTORY",)),
        ("${secret:IN_PROCESS}", ("secret:IN_PROCESS",)),
        ("${env:A|secret:B|C}", ("env:A", "secret:B", "C")),
        ("${IN_PROCESS}/${B}", ("B",)),
        ("${EMPTY}", ("EMPTY",)),
    ],
)
def test_a_reference_that_nothing_answers_names_its_variables(
    directory: Path, text: str, variables: tuple[str, ...]
) -> None:
    (directory / "IN_DIRECTORY").write_text("x", encoding="utf-8")
    with pytest.raises(MissingCredentialError) as caught:
        resolve(text, credentials({"IN_PROCESS": CANARY, "EMPTY": ""}, directory))
    assert caught.value.variables == variables
    assert caught.value.path == "cogt.backends.a.region"
    assert CANARY not in str(caught.value) + repr(caught.value)
