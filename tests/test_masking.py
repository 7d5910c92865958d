"""Masking: sealed text, sealed layers, how a setting is shown, and as what it is handed over."""

import copy
import pickle
import tomllib
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from pipelex_cogt import ModelManager, SettingsError
from pipelex_cogt.config.masking import SealedText, is_sealed_path, mask_setting
from pipelex_cogt.config.secret_values import MASK
from tests.conftest import Load

CANARY = "canary-4711"


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
        pytest.param("headers", {"x": {"token": CANARY, "y": 1}}, {"x": {"token": MASK, "y": MASK}}, id="headers"),
        pytest.param("tokens_list", ["a"], ["a"], id="plain list"),
        pytest.param("default_headers", {"X": "a", "Y": [1, True]}, {"X": MASK, "Y": [MASK, True]}, id="any headers"),
        pytest.param("extra", {"headers": {"a": {"b": {"c": "x"}}}}, {"headers": {"a": {"b": {"c": MASK}}}}, id="deep"),
        pytest.param("headers", {"X": "Bearer ${A}"}, {"X": "Bearer ${A}"}, id="scheme before a reference"),
        pytest.param("headers", {"X": f"Bearer {CANARY}"}, {"X": MASK}, id="scheme before a literal"),
        pytest.param("region", "sk-proj-4711", MASK, id="like a key"),
        pytest.param("token_limit", 8192, 8192, id="a limit"),
        pytest.param("key_path", "sk-proj-4711", MASK, id="like a key under a plain name"),
        pytest.param("api_key", "", "", id="none"),
        pytest.param("endpoint", "$${A} ${B}", "$${A} ${B}", id="escape beside a reference"),
        pytest.param("api_key", f"{CANARY}${{A", MASK, id="malformed"),
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
        pytest.param(
            "endpoint", f"https://u:${{A:-{CANARY}}}@x", "https://u:${A:-**********}@x", id="default that is a password"
        ),
        pytest.param(
            "endpoint", f"https://${{A:-{CANARY}}}@x", "https://${A:-**********}@x", id="default that is a user"
        ),
        pytest.param(
            "endpoint",
            f"https://u:a${{A:-{CANARY}}}b@x/${{B:-y}}",
            "https://u:**********${A:-**********}**********@x/${B:-y}",
            id="default beside a password",
        ),
        pytest.param(
            "endpoint",
            f"https://x?v=${{A:-1}}&sig=${{B:-{CANARY}}}",
            "https://x?v=${A:-1}&sig=${B:-**********}",
            id="default that is a parameter",
        ),
    ],
)
def test_a_setting_is_shown_without_its_secrets(key: str, value: Any, shown: Any) -> None:
    assert mask_setting(key, value) == shown


@pytest.mark.parametrize("value", [f"{CANARY}${{A}}", f"Bearer {CANARY} ${{A:-x}}", f"${{A}}{CANARY}"])
def test_literal_text_around_a_reference_is_hidden_in_a_secret(value: str) -> None:
    assert CANARY not in mask_setting("api_key", value)
    assert "${A" in mask_setting("api_key", value)


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


# As what a setting is handed over

HANDED_OVER: list[tuple[str, Any, Any]] = [
    ("session_token = 'x'", "session_token", SecretStr("x")),
    ("client_secret = 'x'", "client_secret", SecretStr("x")),
    ("db_password = 'x'", "db_password", SecretStr("x")),
    ("aws_secret_access_key = 'x'", "aws_secret_access_key", SecretStr("x")),
    ("tenantApiKey = 'x'", "tenantApiKey", SecretStr("x")),
    ("access_keys = ['x', 'y']", "access_keys", [SecretStr("x"), SecretStr("y")]),
    ("credentials = { user = 'x' }", "credentials", {"user": SecretStr("x")}),
    ("credentials = { file_path = '/x' }", "credentials", {"file_path": "/x"}),
    ("gcp_credentials_file_path = '/etc/x.json'", "gcp_credentials_file_path", "/etc/x.json"),
    ("private_key_path = '${NOPE:-/etc/x}'", "private_key_path", "/etc/x"),
    ("token_url = 'https://x/token'", "token_url", "https://x/token"),
    ("api_key_header = 'x-key'", "api_key_header", "x-key"),
    ("api_key_env_var = 'X_KEY'", "api_key_env_var", "X_KEY"),
    ("token_limit = 8192", "token_limit", 8192),
    ("access_token = 4711", "access_token", SecretStr("4711")),
    ("use_token = true", "use_token", True),
    ("aws_access_key_id = 'AKIA47114711'", "aws_access_key_id", "AKIA47114711"),
    ("region = 'sk-proj-4711'", "region", "sk-proj-4711"),
    ("proxy = 'http://u:pw@x'", "proxy", "http://u:pw@x"),
    ("tags = [{ key = 'team', value = 'x' }]", "tags", [{"key": "team", "value": "x"}]),
    (
        "default_headers = { Helicone-Auth = 'Bearer x', X-Api-Key = 'y', X-Try = 3 }",
        "default_headers",
        {"Helicone-Auth": "Bearer x", "X-Api-Key": SecretStr("y"), "X-Try": 3},
    ),
]


@pytest.mark.parametrize("layer", ["backends.local.toml", ".secrets.toml", "overrides", "variable", "directory"])
@pytest.mark.parametrize(("line", "key", "value"), HANDED_OVER, ids=[key for _, key, _ in HANDED_OVER])
def test_whatever_layer_states_it_a_setting_is_handed_over_as_its_name_says(
    load: Load, tmp_path: Path, layer: str, line: str, key: str, value: Any
) -> None:
    stated = tomllib.loads(line)
    text = f"{{ {line} }}"
    given: dict[str, dict[str, Any]] = {
        "backends.local.toml": {"files": {layer: f"[a]\n{line}\n"}},
        ".secrets.toml": {"files": {layer: f"[default.cogt.backends.a]\n{line}\n"}},
        "overrides": {"overrides": {"backends": {"a": stated}}},
        "variable": {"environ": {"PIPELEX_COGT__BACKENDS__A": text}},
        "directory": {"environ": {"PIPELEX_SECRETS_DIR": str(tmp_path)}},
    }
    if layer == "directory":
        (tmp_path / "PIPELEX_COGT__BACKENDS__A").write_text(text)
    found = load(**given[layer]).backends["a"].extra_config[key]
    assert found == value
    assert type(found) is type(value) or isinstance(value, SecretStr)


def test_the_nearest_name_that_says_anything_decides() -> None:
    assert is_sealed_path(("credentials", "user"))
    assert is_sealed_path(("headers", "X-Api-Key", 0))
    assert not is_sealed_path(("credentials", "file_path"))
    assert not is_sealed_path(("headers", "Helicone-Auth"))
    assert not is_sealed_path(())


@pytest.mark.parametrize("key", ["proxy", "region", "api_key", "default_headers.X"])
def test_overrides_are_sealed_like_a_file(load: Load, key: str) -> None:
    url = f"http://u:{CANARY}@proxy.example.com"
    *tables, name = key.split(".")
    overrides: dict[str, Any] = {name: url}
    for table in tables:
        overrides = {table: overrides}
    of_file = load({"backends.local.toml": f"[a]\n{key} = '{url}'\n"})
    of_code = load(overrides={"backends": {"a": overrides}})
    for manager in (of_file, of_code):
        shown = manager.explain(f"backends.a.{key}").values[0].stated.value
        assert shown in (MASK, f"http://u:{MASK}@proxy.example.com")
        assert (manager.backends["a"].model_dump(), shown) == (
            of_file.backends["a"].model_dump(),
            of_file.explain(f"backends.a.{key}").values[0].stated.value,
        )
    read = [dict(manager.backends["a"].extra_config) or manager.backends["a"].api_key for manager in (of_file, of_code)]
    assert read[0] == read[1]


def test_a_secret_string_given_in_code_stays_one(load: Load) -> None:
    given = SecretStr(CANARY)
    extra = (
        load(overrides={"backends": {"a": {"region": given, "zone": SecretStr("${A_KEY:-z}")}}})
        .backends["a"]
        .extra_config
    )
    assert (extra["region"], extra["zone"]) == (given, SecretStr("z"))


def test_no_attribute_of_a_sealed_text_holds_it() -> None:
    sealed = SealedText(CANARY)
    assert CANARY not in repr([getattr(sealed, name) for name in dir(sealed)])
    assert CANARY not in repr(vars(sealed))
    assert (len(sealed), sealed == SecretStr(CANARY), sealed.stated()) == (len(CANARY), True, CANARY)
    assert "4711" not in repr(vars(SealedText(4711)))


def test_further_keys_read_like_a_mapping_that_nobody_lists_by_chance(load: Load) -> None:
    extra = load({"backends.local.toml": "[a]\nregion = 'eu'\naccess_token = 'x'\n"}).backends["a"].extra_config
    assert not issubclass(type(extra), Mapping)
    assert {**extra} == dict(extra) == dict(extra.items()) == {"region": "eu", "access_token": SecretStr("x")}
    assert (list(extra), list(extra.keys()), extra.values()) == (
        ["region", "access_token"],
        ["region", "access_token"],
        ["eu", SecretStr("x")],
    )
    assert (extra.get("region"), extra.get("x", 1), "region" in extra, len(extra)) == ("eu", 1, True, 2)
    assert repr(extra) == "{'region': 'eu', 'access_token': '**********'}"
    assert extra == {"region": "eu", "access_token": SecretStr("x")}
    assert extra != {"region": "eu"}


HEADERS = """
[a.default_headers]
"Helicone-Auth" = "Bearer canary-4711"
Cookie = "session=canary-4711"
"X-Api-Key" = "canary-4711"
"X-Title" = "canary-4711"
"X-Nested" = { deep = ["canary-4711"] }
"X-Reference" = "Bearer ${NOPE:-canary-4711}"
"""


def test_a_literal_of_a_header_is_handed_over_and_shown_nowhere(load: Load) -> None:
    manager = load({"backends.local.toml": HEADERS})
    backend = manager.backends["a"]
    shown = [backend, backend.extra_config, backend.model_dump(), backend.model_dump_json(), vars(backend)]
    shown += [manager.explain("a"), manager.settings.tree, pickle.dumps(backend, 0), pickle.dumps(manager.settings, 0)]
    assert CANARY not in repr(shown)
    assert "Bearer ${NOPE:-**********}" in repr(shown)
    headers = backend.extra_config["default_headers"]
    assert (headers["Helicone-Auth"], headers["Cookie"]) == (f"Bearer {CANARY}", f"session={CANARY}")
    assert (headers["X-Api-Key"], headers["X-Title"]) == (SecretStr(CANARY), CANARY)
    assert (headers["X-Nested"], headers["X-Reference"]) == ({"deep": [CANARY]}, f"Bearer {CANARY}")


def test_a_variable_keeps_the_type_of_a_number_that_is_sealed(load: Load) -> None:
    environ = {"PIPELEX_COGT__BACKENDS__A__PIN": "5"}
    backend = load({"backends.local.toml": "[a]\npin = 4711\n"}, environ=environ).backends["a"]
    assert backend.extra_config == {"pin": 5}
    assert repr(backend.extra_config) == "{'pin': '**********'}"


def test_a_model_of_the_applications_own_takes_a_sealed_text() -> None:
    class Client(BaseModel):
        key: SecretStr

    client = Client(key=SealedText(CANARY))
    assert client.key.get_secret_value() == CANARY
    assert CANARY not in client.model_dump_json() + repr(client)


# What only code can state


class Foreign:
    """An object that tells everything of itself, and compares with nothing."""

    def __repr__(self) -> str:
        return CANARY

    def __eq__(self, other: object) -> bool:
        raise TypeError

    __hash__ = None  # type: ignore[assignment]  # because: nothing compares with it


FOREIGN: dict[str, Any] = {
    "bytes": CANARY.encode(),
    "bytearray": bytearray(CANARY.encode()),
    "set": {CANARY},
    "frozenset": frozenset([CANARY]),
    "deque": deque([CANARY]),
    "object": Foreign(),
}
TELLERS_OF_BACKEND: dict[str, Callable[[ModelManager], object]] = {
    "backend": lambda manager: manager.backends["a"],
    "attributes": lambda manager: vars(manager.backends["a"]),
    "state": lambda manager: manager.backends["a"].__getstate__(),
    "further keys": lambda manager: manager.backends["a"].extra_config,
    "dump": lambda manager: manager.backends["a"].model_dump(),
    "json": lambda manager: manager.backends["a"].model_dump_json(),
    "pickle": lambda manager: pickle.dumps(manager.backends["a"], 0),
    "settings": lambda manager: vars(manager.settings),
    "layers": lambda manager: [dict(layer) for layer in manager.settings.layers],
    "explanation": lambda manager: manager.explain("backends.a"),
    "model": lambda manager: manager.deck.inference_models["m1"],
    "parameters": lambda manager: manager.deck.resolve("m1").parameters,
}


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN)
def test_what_only_code_can_state_is_handed_over_and_never_shown(load: Load, value: Any) -> None:
    stated = {"region": value, "access_token": value, "deep": {"list": [value]}}
    body = {"a": {"m1": {"extra_body": {"user": value}}}}
    manager = load({}, overrides={"backends": {"a": stated}, "models": body})
    told = {name: repr(tell(manager)) for name, tell in TELLERS_OF_BACKEND.items()}
    assert [name for name, text in told.items() if CANARY in text] == []
    extra = manager.backends["a"].extra_config
    assert (extra["region"] is value, extra["deep"]["list"][0] is value) == (True, True)
    assert isinstance(extra["access_token"], SecretStr)
    assert CANARY in repr(manager.deck.resolve("m1").parameters.extra_body["user"])


@pytest.mark.parametrize("key", ["api_key", "endpoint", "timeout", "display_name", "enabled"])
def test_what_only_code_can_state_is_refused_by_its_type_where_text_belongs(load: Load, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, overrides={"backends": {"a": {key: CANARY.encode()}}})
    assert "got a Python bytes" in str(caught.value)
    assert CANARY not in str(caught.value)
