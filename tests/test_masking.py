"""Masking: which names and shapes are secret, sealed text, sealed layers, and how a setting is shown."""

import copy
import pickle
from typing import Any

import pytest
from pydantic import SecretStr

from pipelex_cogt import SettingsError
from pipelex_cogt.config.masking import MASK, SealedText, mask_setting, mask_url_password, names_secret
from tests.conftest import Load

CANARY = "canary-4711"


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


@pytest.mark.parametrize("key", ["apitoken", "access_tokens", "AccountKey", "subscription-key", "pwd", "passphrase"])
def test_other_words_for_a_secret_count_too(key: str) -> None:
    assert names_secret(key)


@pytest.mark.parametrize("key", ["max_tokens", "tokens_per_minute", "keyboard", "public_key_id", "secretary"])
def test_words_that_only_look_alike_do_not(key: str) -> None:
    assert not names_secret(key)


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


@pytest.mark.parametrize("password", ["p@CANARY", "p/CANARY", "p:CANARY@x/y"])
def test_a_password_with_signs_of_a_url_is_hidden_to_its_end(password: str) -> None:
    assert mask_url_password(f"https://u:{password}@host/v1") == f"https://u:{MASK}@host/v1"


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
