"""Backends: credentials stay references, are answered when asked for, and are never shown."""

import copy
import json
import pickle
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from rich import inspect
from rich.console import Console

from pipelex_cogt import (
    CogtError,
    InferenceBackend,
    LiteralLeftBehindError,
    MissingCredentialError,
    ModelManager,
    UnusableCredentialError,
)
from tests.conftest import MINIMAL, Load, WriteTree

CANARY = "sk-canary-7d1f"

SLIPS = {
    "endpont": "endpoint",
    "endpoints": "endpoint",
    "end_point": "endpoint",
    "Endpoint": "endpoint",
    "api-key": "api_key",
    "apikey": "api_key",
    "API_KEY": "api_key",
    "api_kye": "api_key",
    "enable": "enabled",
    "display_nam": "display_name",
}

BAD_BACKENDS = {
    "endpoint": ("endpoint = 5", "cogt.backends.a.endpoint: expected a string, got an integer"),
    "endpoint table": ("endpoint = { url = 'x' }", "cogt.backends.a.endpoint: expected a string, got a table"),
    "api_key": ("api_key = true", "cogt.backends.a.api_key: expected a string, got a boolean"),
    "display_name": ("display_name = 5", "cogt.backends.a.display_name: expected a string, got an integer"),
    "enabled": ('enabled = "yes"', "cogt.backends.a.enabled: expected true or false, got a string"),
    "enabled one": ("enabled = 1", "cogt.backends.a.enabled: expected true or false, got an integer"),
    "reference for people": (
        'display_name = "${A}"',
        (
            "cogt.backends.a.display_name: a reference cannot stand here, only in a backend's own settings,"
            " model_id, headers and extra_config; set PIPELEX_COGT__BACKENDS__A__DISPLAY_NAME instead"
        ),
    ),
    "malformed reference": (
        'api_key = "${A"',
        "cogt.backends.a.api_key: a reference opens with ${ and never closes; write $${ for a literal ${",
    ),
}

Problems = Callable[..., list[str]]


def revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def backends_toml(*lines: str) -> dict[str, str]:
    return {"backends.toml": "\n".join(["[a]", *lines, "[b]", "[off]", "enabled = false"])}


@pytest.fixture
def backend_a(load: Load) -> Callable[..., InferenceBackend]:
    def load_backend(*lines: str, **arguments: Any) -> InferenceBackend:
        return load(backends_toml(*lines), **arguments).get_required_inference_backend("a")

    return load_backend


LoadBackend = Callable[..., InferenceBackend]


@pytest.fixture
def secrets_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "stored").write_text("from-file\n")
    return directory


def test_a_reference_is_answered_in_every_field(backend_a: LoadBackend, secrets_dir: Path) -> None:
    fields = (f"{key} = 'https://${{R}}.example.com/${{stored}}'" for key in ("endpoint", "api_key", "region"))
    backend = backend_a(*fields, environ={"R": "eu", "PIPELEX_SECRETS_DIR": str(secrets_dir)})
    answers = (backend.endpoint, revealed(backend.api_key), backend.extra_config["region"])
    assert answers == ("https://eu.example.com/from-file",) * 3


def test_a_key_is_a_secret_string(backend_a: LoadBackend) -> None:
    backend = backend_a('api_key = "${A_KEY}"', environ={"A_KEY": CANARY})
    assert isinstance(backend.api_key, SecretStr)
    assert revealed(backend.api_key) == CANARY


def test_equal_keys_are_equal_however_they_are_stated(load: Load) -> None:
    backends = {"backends.toml": f'[a]\napi_key = "${{A_KEY}}"\n[b]\napi_key = "{CANARY}"\n[off]\nenabled = false'}
    manager = load(backends, environ={"A_KEY": CANARY})
    keys = [manager.get_required_inference_backend(name).api_key for name in ("a", "b")]
    assert keys == [SecretStr(CANARY), SecretStr(CANARY)]


def test_what_is_not_stated_is_none(backend_a: LoadBackend) -> None:
    backend = backend_a()
    assert (backend.endpoint, backend.api_key, backend.display_name, dict(backend.extra_config)) == (
        None,
        None,
        None,
        {},
    )
    assert backend.enabled


@pytest.mark.parametrize("name", ["backends.local.toml", ".secrets.toml"])
def test_an_empty_text_takes_the_key_and_the_endpoint_away(load: Load, name: str) -> None:
    table = "[a]" if name == "backends.local.toml" else "[default.cogt.backends.a]"
    config = "[default.cogt.inference_config]\nmissing_credentials = 'error'\n"
    files = {name: f"{table}\napi_key = ''\nendpoint = ''\n", "settings.local.toml": config}
    manager = load({**backends_toml("api_key = '${A_KEY}'", "endpoint = '${A_URL}'"), **files})
    backend = manager.get_required_inference_backend("a")
    assert (backend.api_key, backend.endpoint, backend.missing_variables) == (None, None, ())
    assert [value.stated.value for value in manager.explain("cogt.backends.a.api_key").values] == [""]


def test_loading_needs_no_key_and_using_needs_one(load: Load) -> None:
    backend = load().get_required_inference_backend("a")
    with pytest.raises(MissingCredentialError):
        _ = backend.api_key


def test_a_missing_key_is_named_with_file_and_line(load: Load, tmp_path: Path) -> None:
    backend = load().get_required_inference_backend("a")
    with pytest.raises(MissingCredentialError) as caught:
        _ = backend.api_key
    error = caught.value
    assert (error.backend, error.variables, error.path) == ("a", ("A_KEY",), "cogt.backends.a.api_key")
    assert error.place == f"{tmp_path / 'app' / 'settings' / 'backends.toml'}:3"
    assert str(error).replace(str(tmp_path), "TMP") == (
        "TMP/app/settings/backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set; looked "
        "in the environment and TMP/no-secrets (no .env beside TMP/app/settings/ or in TMP/work); set it, or leave the "
        'backend out with cogt.inference_config.enabled_backends or missing_credentials = "skip"'
    )


def test_a_missing_further_key_is_named_by_its_own_path(backend_a: LoadBackend) -> None:
    backend = backend_a('region = "${env:A|secret:B}"')
    with pytest.raises(MissingCredentialError) as caught:
        _ = backend.extra_config["region"]
    assert (caught.value.variables, caught.value.path) == (("env:A", "secret:B"), "cogt.backends.a.region")


def test_one_missing_key_leaves_the_other_settings_usable(load: Load) -> None:
    assert load().get_required_inference_backend("a").endpoint == "https://a.example.com"


def test_a_missing_credential_keeps_what_was_found_to_itself(backend_a: LoadBackend) -> None:
    backend = backend_a('endpoint = "https://${USER_PART}:${MISSING}@x"', environ={"USER_PART": CANARY})
    with pytest.raises(MissingCredentialError) as caught:
        _ = backend.endpoint
    assert CANARY not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


def test_a_key_set_after_loading_is_seen(backend_a: LoadBackend) -> None:
    environ: dict[str, str] = {}
    backend = backend_a('api_key = "${A_KEY}"', environ=environ)
    environ["A_KEY"] = "first"
    assert revealed(backend.api_key) == "first"
    environ["A_KEY"] = "second"
    assert revealed(backend.api_key) == "second"


def test_the_process_environment_is_asked_when_none_is_given(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = ModelManager.load(settings_dir=write_tree(MINIMAL)).get_required_inference_backend("a")
    monkeypatch.setenv("A_KEY", "set-later")
    assert revealed(backend.api_key) == "set-later"


def test_a_rotated_secret_file_is_seen(backend_a: LoadBackend, secrets_dir: Path) -> None:
    backend = backend_a('api_key = "${secret:stored}"', environ={"PIPELEX_SECRETS_DIR": str(secrets_dir)})
    (secrets_dir / "stored").write_text("rotated\n")
    assert revealed(backend.api_key) == "rotated"


def test_dotenv_lies_below_the_environment(backend_a: LoadBackend) -> None:
    Path(".env").write_text("A_KEY=from-dotenv\nB_KEY=from-dotenv\n")
    backend = backend_a('api_key = "${A_KEY}"', 'region = "${B_KEY}"', environ={"A_KEY": "from-environment"})
    assert revealed(backend.api_key) == "from-environment"
    assert backend.extra_config["region"] == "from-dotenv"


def test_further_keys_land_in_extra_config(backend_a: LoadBackend) -> None:
    backend = backend_a('api_version = "2024-10-21"', "retries = 3", "ratio = 0.5", "verify = true", 'x = ["1", "2"]')
    assert backend.extra_config["api_version"] == "2024-10-21"
    assert backend.extra_config["retries"] == 3
    assert backend.extra_config["ratio"] == 0.5
    assert backend.extra_config["verify"] is True
    assert list(backend.extra_config["x"]) == ["1", "2"]


def test_extra_config_is_a_mapping(backend_a: LoadBackend) -> None:
    extra = backend_a('aws_region = "eu"', 'items = "kept"').extra_config
    assert list(extra) == ["aws_region", "items"]
    assert len(extra) == 2
    assert "aws_region" in extra
    assert "endpoint" not in extra
    assert extra.get("nothing") is None
    with pytest.raises(KeyError):
        _ = extra["nothing"]


def test_references_inside_tables_and_lists_are_answered(backend_a: LoadBackend) -> None:
    backend = backend_a("default_headers = { org = '${ORG}', tags = ['x', '${ORG}'] }", environ={"ORG": "o"})
    assert backend.extra_config["default_headers"]["org"] == "o"
    assert list(backend.extra_config["default_headers"]["tags"]) == ["x", "o"]


@pytest.mark.parametrize("key", ["session_token", "client_secret", "aws_secret_access_key", "password"])
def test_a_further_key_with_a_secret_name_is_a_secret_string(backend_a: LoadBackend, key: str) -> None:
    backend = backend_a(f'{key} = "${{A_KEY}}"', environ={"A_KEY": CANARY})
    assert revealed(backend.extra_config[key]) == CANARY
    assert CANARY not in repr(backend.extra_config) + repr(dict(backend.extra_config))


def test_a_secret_inside_a_table_is_a_secret_string(backend_a: LoadBackend) -> None:
    backend = backend_a("default_headers = { token = '${A_KEY}' }", environ={"A_KEY": CANARY})
    assert revealed(backend.extra_config["default_headers"]["token"]) == CANARY


@pytest.mark.parametrize(("slip", "known"), SLIPS.items())
def test_a_key_one_slip_away_is_refused(problems: Problems, slip: str, known: str) -> None:
    found = problems(backends_toml(f'{slip} = "x"'))
    assert found == [f"backends.toml:2  cogt.backends.a.{slip}: unknown key; did you mean {known!r}?"]


@pytest.mark.parametrize("key", ["end", "api_version", "name", "points", "endpoint_url", "region", "api"])
def test_a_key_further_away_is_the_sdks(backend_a: LoadBackend, key: str) -> None:
    assert backend_a(f'{key} = "x"').extra_config[key] == "x"


@pytest.mark.parametrize(("line", "message"), BAD_BACKENDS.values(), ids=BAD_BACKENDS)
def test_a_faulty_backend_is_one_problem(problems: Problems, line: str, message: str) -> None:
    assert problems(backends_toml(line)) == [f"backends.toml:2  {message}"]


def test_a_faulty_key_is_not_shown(problems: Problems) -> None:
    assert CANARY not in "".join(problems(backends_toml(f'api_key = ["{CANARY}"]')))


SHOWN: dict[str, Callable[[InferenceBackend], object]] = {
    "repr": repr,
    "str": str,
    "f-string": lambda backend: f"{backend}",
    "model_dump": lambda backend: backend.model_dump(),
    "model_dump_json": lambda backend: backend.model_dump_json(),
    "repr of the key": lambda backend: repr(backend.api_key),
    "f-string of the key": lambda backend: f"{backend.api_key}",
    "extra_config": lambda backend: repr(backend.extra_config),
    "vars": lambda backend: repr(vars(backend)),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_a_resolved_key_is_never_shown(backend_a: LoadBackend, show: Callable[[InferenceBackend], object]) -> None:
    backend = backend_a('api_key = "${A_KEY}"', 'token = "${A_KEY}"', environ={"A_KEY": CANARY})
    _ = (backend.api_key, dict(backend.extra_config))
    assert CANARY not in str(show(backend))


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_a_literal_key_is_never_shown(backend_a: LoadBackend, show: Callable[[InferenceBackend], object]) -> None:
    backend = backend_a(f'api_key = "{CANARY}"', f'token = "{CANARY}"')
    assert revealed(backend.api_key) == CANARY
    assert revealed(backend.extra_config["token"]) == CANARY
    assert CANARY not in str(show(backend))


def test_a_reference_stays_a_reference_where_a_backend_is_shown(backend_a: LoadBackend) -> None:
    backend = backend_a('api_key = "${A_KEY}"', environ={"A_KEY": CANARY})
    assert backend.model_dump()["api_key"] == "${A_KEY}"


@pytest.mark.parametrize("line", ['api_key = "${A_KEY}"', f'api_key = "{CANARY}"'])
def test_a_pickled_backend_holds_no_key(backend_a: LoadBackend, line: str) -> None:
    backend = backend_a(line, environ={"A_KEY": CANARY})
    content = pickle.dumps(backend)
    assert CANARY.encode() not in content
    assert pickle.loads(content).name == "a"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, InferenceBackend.model_copy])
def test_a_copied_backend_answers_its_references(
    backend_a: LoadBackend, copied: Callable[[InferenceBackend], InferenceBackend]
) -> None:
    backend = backend_a('api_key = "${A_KEY}"', environ={"A_KEY": CANARY})
    assert revealed(copied(backend).api_key) == CANARY


def test_the_secrets_file_holds_literal_keys(load: Load) -> None:
    files = {".secrets.toml": f'[default.cogt.backends.a]\napi_key = "{CANARY}"'}
    backend = load(files).get_required_inference_backend("a")
    assert revealed(backend.api_key) == CANARY
    assert CANARY not in repr(backend)


def test_overrides_may_hold_a_key(load: Load) -> None:
    overrides = {"backends": {"a": {"api_key": CANARY}}}
    backend = load(overrides=overrides).get_required_inference_backend("a")
    assert revealed(backend.api_key) == CANARY
    assert CANARY not in repr(backend)
    assert overrides == {"backends": {"a": {"api_key": CANARY}}}


def test_a_url_password_is_masked(backend_a: LoadBackend) -> None:
    backend = backend_a(f'endpoint = "https://user:{CANARY}@x.example.com"')
    assert backend.endpoint == f"https://user:{CANARY}@x.example.com"
    assert CANARY not in repr(backend)


@pytest.mark.parametrize("field", ["name", "endpoint", "api_key", "enabled", "model_specs"])
def test_a_backend_is_frozen(backend_a: LoadBackend, field: str) -> None:
    with pytest.raises((ValidationError, AttributeError)):
        setattr(backend_a(), field, None)


def test_extra_config_is_read_only(backend_a: LoadBackend) -> None:
    extra: Any = backend_a('region = "eu"').extra_config
    with pytest.raises(TypeError):
        extra["region"] = "us"


def test_what_extra_config_hands_out_changes_nothing(backend_a: LoadBackend) -> None:
    backend = backend_a("default_headers = { a = '1', list = ['1'] }")
    try:
        backend.extra_config["default_headers"]["a"] = "2"
        backend.extra_config["default_headers"]["list"].append("2")
    except (TypeError, AttributeError):
        pass
    assert backend.extra_config["default_headers"]["a"] == "1"
    assert list(backend.extra_config["default_headers"]["list"]) == ["1"]


def test_the_stated_settings_are_read_only_all_the_way_down(backend_a: LoadBackend) -> None:
    stated: Any = backend_a("default_headers = { a = '1' }").stated_extra_config
    with pytest.raises(TypeError):
        stated["default_headers"]["a"] = "2"


def test_a_backend_knows_its_models(load: Load) -> None:
    backend = load().get_required_inference_backend("b")
    assert list(backend.model_specs) == ["m1", "only-b", "dot.ted"]
    models: Any = backend.model_specs
    with pytest.raises(TypeError):
        models["m2"] = None


def test_a_secret_that_cannot_be_read_is_one_of_our_errors(backend_a: LoadBackend, secrets_dir: Path) -> None:
    (secrets_dir / "folder").mkdir()
    backend = backend_a('api_key = "${secret:folder}"', environ={"PIPELEX_SECRETS_DIR": str(secrets_dir)})
    with pytest.raises(CogtError, match="found a directory"):
        _ = backend.api_key


def test_a_number_of_the_secrets_file_stays_a_number(load: Load) -> None:
    backend = load({".secrets.toml": "[default.cogt.backends.a]\npin = 4711\ntimeout = 30\n"}).backends["a"]
    assert backend.extra_config["pin"] == 4711
    assert "4711" not in repr(backend)
    assert backend.timeout == 30


def test_a_literal_key_that_a_pickle_left_behind_is_missed(load: Load) -> None:
    backend = load(overrides={"backends": {"a": {"api_key": "literal"}}}).backends["a"]
    told = "backend 'a' has lost its literal secret, which no pickle carries; state a reference such as ${NAME} instead"
    with pytest.raises(LiteralLeftBehindError, match=re.escape(f"cogt.backends.a.api_key: {told}")):
        _ = pickle.loads(pickle.dumps(backend)).api_key


def test_a_backend_is_hashable(load: Load) -> None:
    backends = load().backends
    assert len({backends["a"], backends["b"], backends["a"]}) == 2


# Whether it can be called


READY: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[str, ...], object]] = {
    "every reference is answered": (("api_key = '${A_KEY}'",), {"A_KEY": "x"}, (), True),
    "nothing is asked": ((), {}, (), True),
    "a default": (("region = '${A_REGION:-eu}'",), {}, (), True),
    "one is missing": (("endpoint = '${A_URL}'", "api_key = '${A_KEY}'"), {"A_KEY": "x"}, ("A_URL",), False),
    "each name once": (("x = '${A}${B}'", "y = ['${B}', { z = '${A}' }]"), {}, ("A", "B"), False),
    "alternatives": (("api_key = '${env:A|secret:B}'",), {}, ("env:A or secret:B",), False),
    "only white space": (("api_key = '${A_KEY}'",), {"A_KEY": " \n"}, ("A_KEY",), False),
    "a value that cannot work": (("api_key = '${A_KEY}'",), {"A_KEY": "your-key"}, (), False),
    "a literal that cannot work": (("api_key = 'os.environ/A_KEY'",), {}, (), False),
    "a control character in a setting": (("region = '${A_REGION}'",), {"A_REGION": "e\x1bu"}, (), False),
}


@pytest.mark.parametrize(("lines", "environ", "missing", "ready"), READY.values(), ids=READY)
def test_a_backend_knows_whether_it_can_be_called(
    backend_a: LoadBackend, lines: tuple[str, ...], environ: dict[str, str], missing: tuple[str, ...], ready: object
) -> None:
    backend = backend_a(*lines, environ=environ)
    assert (backend.missing(), backend.is_ready) == (missing, ready)


def test_a_backend_that_was_left_out_knows_it_too(load: Load) -> None:
    environ: dict[str, str] = {"B_KEY": "x"}
    backend = load(overrides={"inference_config": {"missing_credentials": "skip"}}, environ=environ).backends["a"]
    assert (backend.missing(), backend.is_ready, backend.enabled) == (("A_KEY",), False, False)
    environ["A_KEY"] = "late"
    assert (backend.missing(), backend.is_ready, backend.enabled) == ((), True, False)


def test_a_model_id_that_nothing_answers_is_missing_too(load: Load) -> None:
    files = {**backends_toml(), "backends/a.toml": '[m1]\nsdk = "s"\nmodel_id = "${DEPLOYMENT}"'}
    backend = load(files).backends["a"]
    assert (backend.missing(), backend.is_ready) == (("DEPLOYMENT",), False)


class Asked:
    """A source that remembers what it was asked for, and fails where it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.names: list[str] = []
        self.fails = fails

    def get(self, name: str) -> str | None:
        self.names.append(name)
        if self.fails:
            raise ConnectionError
        return "4f9d0c"


@pytest.mark.parametrize(
    "ask", [lambda backend: backend.is_ready, InferenceBackend.missing], ids=["is_ready", "missing"]
)
def test_each_name_is_asked_for_once(backend_a: LoadBackend, ask: Callable[[InferenceBackend], object]) -> None:
    source = Asked()
    ask(backend_a("api_key = '${K}'", "region = '${K}${L}'", sources=[source]))
    assert sorted(source.names) == ["K", "L"]


def test_a_source_that_fails_is_no_answer(backend_a: LoadBackend) -> None:
    backend = backend_a("api_key = '${K}'", sources=[Asked(fails=True)])
    assert (backend.missing(), backend.is_ready) == (("K",), False)


# Keys that are none


@pytest.mark.parametrize("text", ["", " \n", "${A_KEY:-}", "${A_KEY:- }"])
def test_an_empty_key_is_none(backend_a: LoadBackend, text: str) -> None:
    assert backend_a(f"api_key = {json.dumps(text)}").api_key is None


@pytest.mark.parametrize("text", [" https://4f9d0c\n", "\thttps://4f9d0c", "https://4f9d0c\r\n\r\n"])
@pytest.mark.parametrize("key", ["api_key", "client_secret", "endpoint"])
def test_white_space_around_a_literal_is_no_part_of_it(backend_a: LoadBackend, key: str, text: str) -> None:
    backend = backend_a(f"{key} = {json.dumps(text)}")
    found = {"api_key": backend.api_key, "endpoint": backend.endpoint, **backend.extra_config}[key]
    assert (found.get_secret_value() if isinstance(found, SecretStr) else found) == "https://4f9d0c"


def test_white_space_of_another_setting_is_its_own(backend_a: LoadBackend) -> None:
    assert backend_a("separator = ' ; '").extra_config["separator"] == " ; "


# What its requests carry, and how long they take


BAD_KEYS = {
    "timeout zero": ("timeout = 0", "timeout: expected a number above 0, got 0"),
    "timeout negative": ("timeout = -1.5", "timeout: expected a number above 0, got -1.5"),
    "timeout text": ("timeout = '30'", "timeout: expected a number, got a string"),
    "timeout without end": ("timeout = inf", "timeout: expected a finite number, got inf"),
    "retries negative": ("max_retries = -1", "max_retries: expected a number of at least 0, got -1"),
    "retries true": ("max_retries = true", "max_retries: expected an integer, got a boolean"),
    "headers text": ("headers = 'x-a: b'", "headers: expected a table, got a string"),
    "header number": ("headers = { x-a = 5 }", "headers.x-a: expected a string, got an integer"),
    "header table": ("headers = { x-a = { b = 'c' } }", "headers.x-a: expected a string, got a table"),
    "header date": (
        "headers = { x-a = 2024-10-21 }",
        "headers.x-a: expected a string, got a date; put it in quotes",
    ),
    "header name": (
        "headers = { 'x a' = 'b' }",
        'headers."x a": a header\'s name holds no space and no separator but a dash',
    ),
}


@pytest.mark.parametrize(("line", "message"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_faulty_key_is_one_problem(problems: Problems, line: str, message: str) -> None:
    assert problems({"backends.local.toml": f"[a]\n{line}\n"}) == [f"backends.local.toml:2  cogt.backends.a.{message}"]


def test_every_fault_of_its_headers_is_told_at_its_line(problems: Problems) -> None:
    assert problems({"backends.local.toml": "[a.headers]\nx-a = 5\nx-b = 'b'\nx-c = ['c']\n"}) == [
        "backends.local.toml:2  cogt.backends.a.headers.x-a: expected a string, got an integer",
        "backends.local.toml:4  cogt.backends.a.headers.x-c: expected a string, got a list",
    ]


def test_a_number_of_the_secrets_file_is_no_header(problems: Problems) -> None:
    assert problems({".secrets.toml": "[default.cogt.backends.a.headers]\nx-a = 4711\n"}) == [
        ".secrets.toml:2  cogt.backends.a.headers.x-a: expected a string, got an integer"
    ]


def test_headers_timeout_and_retries_arrive(backend_a: LoadBackend) -> None:
    backend = backend_a("headers = { x-org = '${ORG}' }", "timeout = 30", "max_retries = 0", environ={"ORG": "o"})
    assert dict(backend.headers.items()) == {"x-org": "o"}
    assert (backend.timeout, backend.max_retries, dict(backend.extra_config)) == (30.0, 0, {})
    assert (backend.is_ready, backend.missing()) == (True, ())
    bare = backend_a("display_name = 'A'")
    assert (len(bare.headers), bare.timeout, bare.max_retries, bare.models_like) == (0, None, None, None)


def test_a_backend_waits_for_what_its_headers_reference(backend_a: LoadBackend) -> None:
    backend = backend_a("headers = { x-org = '${ORG}' }")
    assert (backend.is_ready, backend.missing()) == (False, ("ORG",))


@pytest.mark.parametrize("literal", ["a\\r\\nx-b: c", "a\\nb"])
def test_a_header_that_would_end_early_is_told_and_refused(load: Load, literal: str) -> None:
    manager = load({"backends.local.toml": f'[a.headers]\nx-a = "{literal}"\n'}, environ={"A_KEY": "a"})
    assert [warning.path for warning in manager.warnings] == ["cogt.backends.a.headers.x-a"]
    assert not manager.backends["a"].is_ready
    with pytest.raises(UnusableCredentialError):
        _ = manager.backends["a"].headers["x-a"]


def inspected(value: object) -> str:
    """What `rich.inspect` prints of an object, with every property that it can read."""
    stream = StringIO()
    inspect(value, console=Console(file=stream, width=500), private=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stated", "environ", "shown"),
    [
        ("https://user:canary@a.example.com/v1", {}, "'https://user:**********@a.example.com/v1'"),
        ("https://${HOST}/v1", {"HOST": "canary.example.com"}, "'https://${HOST}/v1'"),
        ("https://a.example.com/v1", {}, "'https://a.example.com/v1'"),
    ],
)
def test_whoever_lists_its_properties_sees_no_secret(
    load: Load, stated: str, environ: dict[str, str], shown: str
) -> None:
    manager = load(
        {"backends.local.toml": f"[a]\nendpoint = '{stated}'\napi_key = '${{KEY}}'"},
        environ={**environ, "KEY": "canary"},
    )
    backend = manager.backends["a"]
    assert backend.endpoint == stated.replace("${HOST}", environ.get("HOST", ""))
    assert f"{backend.endpoint}" == json.loads(json.dumps(backend.endpoint))
    assert repr(backend.endpoint) == shown
    assert pickle.loads(pickle.dumps(backend.endpoint)) == backend.endpoint
    told = inspected(backend)
    assert "endpoint" in told
    assert "canary" not in told
