"""Where secrets come from, and how they stay out of sight."""

import copy
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipelex_cogt import CogtError, MissingCredentialError, SettingsError
from pipelex_cogt.config.credentials import MAX_SECRET_BYTES, Credentials, SecretsDirectory
from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.masking import MASK, SealedText, mask_setting, mask_url_password, names_secret
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
    return Credentials(Environ(environ or {}, dotenv), SecretsDirectory(directory), sources)


def resolve(text: str, given: Credentials) -> str:
    return given.resolve(text, "a", ("backends", "a", "api_key"))


@pytest.mark.parametrize(
    ("process", "dotenv", "value"),
    [
        ({"A": "1"}, {"A": "2"}, "1"),
        ({"A": ""}, {"A": "2"}, "2"),
        ({}, {"A": "2"}, "2"),
        ({"A": ""}, {"A": ""}, None),
        ({}, {}, None),
    ],
)
def test_the_process_stands_over_dotenv(process: dict[str, str], dotenv: dict[str, str], value: str | None) -> None:
    assert Environ(process, dotenv).get("A") == value


def test_an_environment_behaves_like_a_mapping() -> None:
    environment = Environ({"A": "1", "EMPTY": ""}, {"B": "2", "A": "3"})
    assert dict(environment) == {"A": "1", "B": "2"}
    assert len(environment) == 2
    assert "EMPTY" not in environment


def test_an_environments_repr_holds_no_value() -> None:
    assert CANARY not in repr(Environ({"A": CANARY}, {"B": CANARY}))


def test_the_processs_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "1")
    environment = Environ.of_process()
    monkeypatch.setenv("SOME_KEY", "2")
    assert environment["SOME_KEY"] == "2"
    assert Environ.of_process({}).get("SOME_KEY") is None


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"key", "key"),
        (b"key\n", "key"),
        (b"key\r\n", "key"),
        (b"key\n\n", "key\n"),
        (b" key ", " key "),
        (b"", ""),
        ("clé".encode(), "clé"),
        (b"x" * MAX_SECRET_BYTES, "x" * MAX_SECRET_BYTES),
    ],
)
def test_a_secret_is_a_files_text_without_one_trailing_newline(directory: Path, content: bytes, value: str) -> None:
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
    pytest.param(make_large, "expected a secret, found more than 64 KiB", id="too large"),
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
    assert caught.value.path == "cogt.backends.a.api_key"
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_missing_credential_names_variable_file_and_line(load: Load) -> None:
    with pytest.raises(MissingCredentialError) as caught:
        _ = load().backends["a"].api_key
    text = str(caught.value)
    assert text.endswith("backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set")


def test_a_missing_credential_is_told_when_the_files_have_gone(load: Load) -> None:
    manager = load()
    root = manager.settings.directories.application
    assert root is not None
    (root / "backends.toml").unlink()
    with pytest.raises(MissingCredentialError, match="needs A_KEY, which is not set"):
        _ = manager.backends["a"].api_key


def test_a_key_that_is_set_later_is_seen(load: Load) -> None:
    environ: dict[str, str] = {}
    backend = load(environ=environ).backends["a"]
    for value in ("first", "second"):
        environ["A_KEY"] = value
        assert backend.api_key == SecretStr(value)


def test_dotenv_answers_references_and_changes_no_environment(load: Load) -> None:
    before = dict(os.environ)
    manager = load({"../.env": f"A_KEY={CANARY}\n"}, environ=None)
    assert manager.backends["a"].api_key == SecretStr(CANARY)
    assert dict(os.environ) == before


def test_an_applications_own_source_answers_references(load: Load) -> None:
    manager = load(sources=[Vault(A_KEY=CANARY)])
    assert manager.backends["a"].api_key == SecretStr(CANARY)


SECRET_NAMES = [
    "api_key",
    "apiKey",
    "API_KEY",
    "APIKey",
    "azure_api_key",
    "api_keys",
    "api-key",
    "x-api-key",
    "token",
    "auth_token",
    "bearerToken",
    "client_secret",
    "secrets",
    "password",
    "db-password",
    "credentials",
    "credential",
    "aws_secret_access_key",
    "private_key",
]
PLAIN_NAMES = ["endpoint", "max_tokens", "region", "secretary", "keyboard", "api_version", "tokenizer", "", "key_name"]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_says_that_its_value_is_secret(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_other_names_are_plain(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        pytest.param("endpoint", "https://x", "https://x", id="plain"),
        pytest.param("api_key", CANARY, MASK, id="literal secret"),
        pytest.param("endpoint", SecretStr(CANARY), MASK, id="sealed"),
        pytest.param("api_key", "${A}", "${A}", id="reference"),
        pytest.param("api_key", "${env:A|secret:B}", "${env:A|secret:B}", id="names"),
        pytest.param("api_key", f"${{A:-{CANARY}}}", "${A:-**********}", id="default of a secret"),
        pytest.param("endpoint", "${A:-https://x}", "${A:-https://x}", id="default"),
        pytest.param("api_key", None, None, id="nothing"),
        pytest.param("use_token", True, True, id="boolean"),
        pytest.param("token", 4711, MASK, id="number"),
        pytest.param("timeout", 5, 5, id="plain number"),
        pytest.param("headers", {"x": {"token": CANARY, "y": 1}}, {"x": {"token": MASK, "y": 1}}, id="table"),
        pytest.param("tokens_list", ["a"], ["a"], id="plain list"),
        pytest.param("token", [CANARY, "${A}"], [MASK, "${A}"], id="list"),
        pytest.param("secrets", {"x": CANARY}, {"x": MASK}, id="below a secret name"),
        pytest.param("endpoint", f"https://u:{CANARY}@x/y", "https://u:**********@x/y", id="URL"),
        pytest.param("endpoint", f"redis://:{CANARY}@x", "redis://:**********@x", id="URL without user"),
        pytest.param(
            "endpoint", f"https://u:{CANARY}@${{HOST}}/", "https://u:**********@${HOST}/", id="URL with a reference"
        ),
        pytest.param("endpoint", "https://u:${A}@x", "https://u:${A}@x", id="URL with its password by reference"),
        pytest.param(
            "endpoint", f"${{A:-https://u:{CANARY}@x}}", "${A:-https://u:**********@x}", id="URL in a default"
        ),
    ],
)
def test_a_setting_is_shown_without_its_secrets(key: str, value: Any, shown: Any) -> None:
    assert mask_setting(key, value) == shown


@pytest.mark.parametrize("value", [f"{CANARY}${{A}}", f"Bearer {CANARY} ${{A:-x}}", f"${{A}}{CANARY}"])
def test_literal_text_around_a_reference_is_hidden_in_a_secret(value: str) -> None:
    assert CANARY not in mask_setting("api_key", value)
    assert "${A" in mask_setting("api_key", value)


@pytest.mark.parametrize("text", ["http://x:8080/a@b", "a:b@c", "https://x/y?z=u:p@q", "mailto:a@b"])
def test_text_that_is_no_password_stays(text: str) -> None:
    assert mask_url_password(text) == text


def test_sealed_text_shows_itself_nowhere() -> None:
    sealed = SealedText(CANARY)
    assert sealed.get_secret_value() == CANARY
    shown = [repr(sealed), str(sealed), f"{sealed}", repr([sealed]), repr(vars(SealedText))]
    assert not any(CANARY in text for text in shown)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_sealed_text_does_not_travel(protocol: int) -> None:
    pickled = pickle.dumps({"x": SealedText(CANARY)}, protocol)
    assert CANARY.encode() not in pickled
    assert isinstance(pickle.loads(pickled)["x"], SealedText)


def test_sealed_text_may_be_copied_within_the_process() -> None:
    sealed = SealedText(CANARY)
    assert copy.copy(sealed) is copy.deepcopy(sealed) is sealed
    assert copy.deepcopy({"x": [sealed]})["x"][0].get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("files", "environ"),
    [
        pytest.param({".secrets.toml": f"[default.cogt.backends.a]\nregion = '{CANARY}'\n"}, {}, id=".secrets.toml"),
        pytest.param({"backends.local.toml": f"[a]\napi_key = '{CANARY}'\n"}, {}, id="file"),
        pytest.param({"backends.local.toml": f"[a.headers]\nx-token = '{CANARY}'\n"}, {}, id="table"),
        pytest.param({"backends.local.toml": f"[a.headers]\nx-api-key = '{CANARY}'\n"}, {}, id="dashes"),
        pytest.param({"backends.local.toml": f"[a.secrets]\nx = '{CANARY}'\n"}, {}, id="below a secret name"),
        pytest.param({"backends.local.toml": f"[a]\ntokens = ['x']\ntoken = ['{CANARY}']\n"}, {}, id="list"),
        pytest.param({}, {"PIPELEX_COGT__BACKENDS__A__API_KEY": CANARY}, id="variable"),
        pytest.param({}, {"PIPELEX_COGT__BACKENDS__A": f"{{ api_key = '{CANARY}' }}"}, id="variable with a table"),
        pytest.param({}, {"A_KEY": CANARY}, id="referenced"),
    ],
)
def test_no_secret_is_seen_in_what_a_load_returns(load: Load, files: dict[str, str], environ: dict[str, str]) -> None:
    manager = load(files, environ=environ)
    backend = manager.backends["a"]
    shown = [
        repr(manager.settings.tree),
        repr(manager.settings.layers),
        repr([dict(layer) for layer in manager.settings.layers]),
        repr(manager),
        repr(backend),
        str(backend),
        str(backend.model_dump()),
        backend.model_dump_json(),
        repr(backend.extra_config),
    ]
    assert not [text for text in shown if CANARY in text]


def test_a_secret_in_the_overrides_is_sealed(load: Load) -> None:
    given = {"backends": {"a": {"api_key": CANARY}}}
    manager = load(overrides=given)
    assert CANARY not in repr(manager.settings.tree)
    assert getattr(manager.backends["a"].api_key, "get_secret_value", str)() == CANARY
    assert given == {"backends": {"a": {"api_key": CANARY}}}


def test_a_secret_of_the_wrong_type_is_named_by_its_type(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load({".secrets.toml": f"[default.cogt.backends.a]\nenabled = '{CANARY}'\n"})
    assert "cogt.backends.a.enabled: expected true or false, got a string" in str(caught.value)


@pytest.mark.parametrize("text", [f"api_key = '{CANARY}", f"api_key = {CANARY}", f"'{CANARY}' = \n"])
def test_a_broken_file_of_secrets_shows_none_of_them(load: Load, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({".secrets.toml": f"[default.cogt.backends.a]\n{text}"})
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert caught.value.problems[0].line in (2, 3)


@pytest.mark.parametrize("password", ["p@CANARY", "p/CANARY", "p:CANARY@x/y"])
def test_a_password_with_signs_of_a_url_is_hidden_to_its_end(password: str) -> None:
    assert mask_url_password(f"https://u:{password}@host/v1") == f"https://u:{MASK}@host/v1"


@pytest.mark.parametrize("key", ["apitoken", "access_tokens", "AccountKey", "subscription-key", "pwd", "passphrase"])
def test_other_words_for_a_secret_count_too(key: str) -> None:
    assert names_secret(key)


@pytest.mark.parametrize("key", ["max_tokens", "tokens_per_minute", "keyboard", "public_key_id", "secretary"])
def test_words_that_only_look_alike_do_not(key: str) -> None:
    assert not names_secret(key)
