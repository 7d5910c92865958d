"""Credentials end to end: where references may stand, what answers them, and what a missing one means at load."""

from __future__ import annotations

import json
import os
import shutil
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import SecretStr

from pipelex_cogt import (
    BackendDisabledError,
    CogtError,
    InferenceBackend,
    MissingCredentialError,
    ModelManager,
    ModelNotRoutedError,
    SettingsError,
    Severity,
)
from pipelex_cogt.cli.env import find_variables
from tests.conftest import MINIMAL, Load

Problems: TypeAlias = Callable[..., list[str]]
Read: TypeAlias = Callable[[ModelManager], Any]
WriteSecret: TypeAlias = Callable[..., dict[str, str]]

BACKENDS_B_OFF = "[b]\n[off]\nenabled = false\n"
KIB_64 = 64 * 1024
LOOKED = (
    "looked in the environment and TMP/no-secrets (no .env beside TMP/app/settings/ or in TMP/work); set it, or leave "
    'the backend out with cogt.inference_config.enabled_backends or missing_credentials = "skip"'
)
"""What is told of a missing variable, once for each load."""


def backends(*lines: str) -> dict[str, str]:
    """The minimal tree's `backends.toml`, where backend `a` states these lines and `b` needs no credential."""
    return {"backends.toml": "\n".join(["[a]", *lines, BACKENDS_B_OFF])}


def missing_means(means: str, **environments: str) -> dict[str, str]:
    """The minimal tree's `settings.toml` with a meaning of missing credentials, and others by environment."""
    stated = [
        f"[{name}.cogt.inference_config]\nmissing_credentials = '{means}'" for name, means in environments.items()
    ]
    start = f"[default.cogt.inference_config]\nuse_packaged_settings = false\nmissing_credentials = '{means}'"
    return {"settings.toml": "\n".join([start, *stated])}


def plain(value: Any) -> Any:
    """What a value says, secret or not."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def endpoint_of_a(manager: ModelManager) -> str | None:
    return manager.get_required_inference_backend("a").endpoint


def key_of_a(manager: ModelManager) -> Any:
    return plain(manager.get_required_inference_backend("a").api_key)


def region_of_a(manager: ModelManager) -> Any:
    return plain(manager.get_required_inference_backend("a").extra_config["region"])


def nested_of_a(manager: ModelManager) -> Any:
    return plain(manager.get_required_inference_backend("a").extra_config["default_headers"]["x-region"])


def listed_of_a(manager: ModelManager) -> Any:
    return plain(manager.get_required_inference_backend("a").extra_config["regions"][0])


def model_id_of_m1(manager: ModelManager) -> str:
    return manager.get_inference_model("m1").model_id


def spec_of_a(*lines: str, defaults: str = "") -> dict[str, str]:
    return {"backends/a.toml": "\n".join(["[defaults]", "sdk = 'sdk_a'", defaults, "[only-a]", "[m1]", *lines])}


PLACES: dict[str, tuple[Callable[[str], dict[str, str]], Read]] = {
    "endpoint": (lambda text: backends(f"endpoint = '{text}'"), endpoint_of_a),
    "api_key": (lambda text: backends(f"api_key = '{text}'"), key_of_a),
    "a further key": (lambda text: backends(f"region = '{text}'"), region_of_a),
    "a table of a further key": (lambda text: backends(f"default_headers = {{ x-region = '{text}' }}"), nested_of_a),
    "a list of a further key": (lambda text: backends(f"regions = ['{text}']"), listed_of_a),
    "model_id": (lambda text: {**backends(), **spec_of_a(f"model_id = '{text}'")}, model_id_of_m1),
}

EVERY_FORM = "https://$${x}/${A}/${env:B|secret:stored}/${secret:nope:-default}/${C}"
"""Each kind of part that a text may have; what else the grammar allows and refuses is in `test_references.py`."""

DESCRIBING = {
    "sdk": ("sdk = '${X}'", "sdk"),
    "description": ("description = '${X}'", "description"),
    "prompting_target": ("prompting_target = '${X}'", "prompting_target"),
    "inputs": ("inputs = ['${X}']", "inputs.0"),
    "outputs": ("outputs = ['${X}']", "outputs.0"),
    "constraints": ("constraints = ['${X}']", "constraints.0"),
    "costs": ("costs = '${X}'", "costs"),
    "a price": ("costs = { input = '${X}' }", "costs.input"),
    "max_tokens": ("max_tokens = '${X}'", "max_tokens"),
    "context_window": ("context_window = '${X}'", "context_window"),
    "max_prompt_images": ("max_prompt_images = '${X}'", "max_prompt_images"),
    "enabled": ("enabled = '${X}'", "enabled"),
}

PLACEHOLDERS = ["your-api-key", "YOUR_API_KEY", "sk-...", "changeme", "change-me", "<your key>", "<…>", " changeme "]
KEYS = ["sk-4f9d0c", "yourself-4f9d", "0", "sk-changeme-not", "a<b>"]


class Vault:
    """An application's own source, as the README shows it; it remembers what it was asked for."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    def get(self, name: str) -> str | None:
        self.asked.append(name)
        return self.secrets.get(name)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "stored").write_text("from-file\n")
    return directory


@pytest.fixture
def mounted(secrets: Path) -> dict[str, str]:
    """An environment that names the secrets directory."""
    return {"PIPELEX_SECRETS_DIR": str(secrets)}


@pytest.fixture
def write_dotenv(tmp_path: Path) -> Callable[..., Path]:
    """Write the `.env` beside the application's settings."""

    def write(text: str, mode: int = 0o600) -> Path:
        path = tmp_path / "app" / ".env"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


# Places of references


@pytest.mark.parametrize(("write", "read"), PLACES.values(), ids=PLACES)
def test_references_are_answered_in_every_place(
    load: Load, mounted: dict[str, str], write: Callable[[str], dict[str, str]], read: Read
) -> None:
    environ = {**mounted, "A": " 1\n", "C": "not-${A}"}
    assert read(load(write(EVERY_FORM), environ=environ)) == "https://${x}/1/from-file/default/not-${A}"


MALFORMED = {
    "endpoint": "backends.toml:2  cogt.backends.a.endpoint",
    "api_key": "backends.toml:2  cogt.backends.a.api_key",
    "a further key": "backends.toml:2  cogt.backends.a.region",
    "a table of a further key": "backends.toml:2  cogt.backends.a.default_headers.x-region",
    "a list of a further key": "backends.toml:2  cogt.backends.a.regions.0",
    "model_id": "backends/a.toml:6  cogt.models.a.m1.model_id",
}
UNKNOWN_PREFIX = "unknown prefix 'vault' in a reference; expected env: or secret:"


@pytest.mark.parametrize(("place", "told"), MALFORMED.items(), ids=MALFORMED)
def test_a_malformed_reference_is_refused_at_load_in_every_place(problems: Problems, place: str, told: str) -> None:
    write, _read = PLACES[place]
    assert problems(write("${vault:A}")) == [f"{told}: {UNKNOWN_PREFIX}"]


def test_a_malformed_reference_in_a_model_that_is_switched_off_is_refused_too(problems: Problems) -> None:
    files = {**backends(), **spec_of_a("model_id = '${vault:A}'", "enabled = false")}
    assert problems(files) == [f"{MALFORMED['model_id']}: {UNKNOWN_PREFIX}"]


LAYERS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "backends.toml": (backends('endpoint = "${HOST}"'), {}),
    "backends.local.toml": ({**backends(), "backends.local.toml": '[a]\nendpoint = "${HOST}"'}, {}),
    "settings.toml": (
        {**backends(), "settings.toml": MINIMAL["settings.toml"] + '[default.cogt.backends.a]\nendpoint = "${HOST}"'},
        {},
    ),
    "an environment": (
        {**backends(), "settings.toml": MINIMAL["settings.toml"] + '[staging.cogt.backends.a]\nendpoint = "${HOST}"'},
        {"env": "staging"},
    ),
    ".secrets.toml": ({**backends(), ".secrets.toml": '[default.cogt.backends.a]\nendpoint = "${HOST}"'}, {}),
    "a variable": (backends(), {"environ": {"PIPELEX_COGT__BACKENDS__A__ENDPOINT": "${HOST}", "HOST": "https://host"}}),
    "overrides": (backends(), {"overrides": {"backends": {"a": {"endpoint": "${HOST}"}}}}),
}


@pytest.mark.parametrize(("files", "arguments"), LAYERS.values(), ids=LAYERS)
def test_a_reference_is_answered_from_every_layer(load: Load, files: dict[str, str], arguments: dict[str, Any]) -> None:
    assert endpoint_of_a(load(files, **{"environ": {"HOST": "https://host"}, **arguments})) == "https://host"


def test_a_default_of_the_models_file_may_hold_a_reference(load: Load) -> None:
    files = {**backends(), **spec_of_a(defaults="model_id = '${DEPLOYMENT}'")}
    assert model_id_of_m1(load(files, environ={"DEPLOYMENT": "mine"})) == "mine"


@pytest.mark.parametrize(("line", "path"), DESCRIBING.values(), ids=DESCRIBING)
def test_what_describes_a_model_takes_no_reference(problems: Problems, line: str, path: str) -> None:
    (found,) = problems({**backends(), **spec_of_a(line)}, environ={"X": "sdk_a"})
    assert found.startswith(f"backends/a.toml:6  cogt.models.a.m1.{path}: ")


@pytest.mark.parametrize(("line", "path"), DESCRIBING.values(), ids=DESCRIBING)
def test_the_same_holds_for_the_defaults_of_a_file(problems: Problems, line: str, path: str) -> None:
    files = {**backends(), "backends/a.toml": f"[defaults]\n{line}\n[m1]\n" + ("" if path == "sdk" else "sdk = 's'")}
    (found,) = problems(files, environ={"X": "sdk_a"}, overrides={"deck": {"aliases": {"best": "m1"}}})
    assert f".{path}: " in found


def test_a_refused_reference_says_why(problems: Problems) -> None:
    (found,) = problems({**backends(), **spec_of_a("sdk = '${SDK}'")}, environ={"SDK": "sdk_a"})
    assert found.endswith(
        "sdk: a reference cannot stand here, only in a backend's own settings, model_id, headers and extra_config;"
        " set PIPELEX_COGT__MODELS__A__M1__SDK instead"
    )


def test_what_describes_a_model_may_hold_the_literal(load: Load) -> None:
    manager = load({**backends(), **spec_of_a("description = 'fills $${NAME}'")})
    assert "NAME" in str(manager.get_inference_model("m1").description)


def test_a_model_id_is_shown_as_stated(load: Load) -> None:
    manager = load({**backends(), **spec_of_a("model_id = 'x-${REGION}'")}, environ={"REGION": "secret-region"})
    spec = manager.get_inference_model("m1")
    assert spec.model_dump()["model_id"] == "x-${REGION}"
    assert "secret-region" not in repr(spec)
    assert spec.model_id == "x-secret-region"


def test_a_model_id_that_nothing_answers_names_its_variable(load: Load) -> None:
    spec = load({**backends(), **spec_of_a("model_id = '${DEPLOYMENT}'")}).get_inference_model("m1")
    with pytest.raises(MissingCredentialError) as caught:
        _ = spec.model_id
    assert (caught.value.backend, caught.value.variables) == ("a", ("DEPLOYMENT",))
    assert caught.value.path == "cogt.models.a.m1.model_id"
    assert caught.value.place.endswith("backends/a.toml:6")


# Sources and their order


ANSWERS = [
    # the prefix, the sources that hold the name, the one that answers
    ("", "process dotenv directory vault", "process"),
    ("", "dotenv directory vault", "dotenv"),
    ("", "directory vault", "directory"),
    ("", "vault", "vault"),
    ("", "", "nothing"),
    ("env:", "process dotenv directory vault", "process"),
    ("env:", "dotenv directory vault", "dotenv"),
    ("env:", "directory vault", "nothing"),
    ("secret:", "process dotenv directory vault", "directory"),
    ("secret:", "process dotenv vault", "vault"),
    ("secret:", "process dotenv", "nothing"),
]


@pytest.fixture
def load_where(
    load: Load, secrets: Path, mounted: dict[str, str], write_dotenv: Callable[..., Path]
) -> Callable[[str, str], ModelManager]:
    """Load a text for a further key where some sources hold their own name as `K`, and the others hold it empty."""

    def load_tree(text: str, present: str) -> ModelManager:
        process, dotenv, directory, vault = (
            source if source in present.split() else "" for source in ("process", "dotenv", "directory", "vault")
        )
        write_dotenv(f"K={dotenv}\n")
        (secrets / "K").write_text(f"{directory}\n")
        return load(backends(f'region = "{text}"'), environ={**mounted, "K": process}, sources=[Vault(K=vault)])

    return load_tree


@pytest.mark.parametrize(("prefix", "present", "expected"), ANSWERS)
def test_sources_are_asked_in_their_order(
    load_where: Callable[[str, str], ModelManager], prefix: str, present: str, expected: str
) -> None:
    assert region_of_a(load_where(f"${{{prefix}K:-nothing}}", present)) == expected


def test_a_dotenv_leaves_the_process_alone(load: Load, write_dotenv: Callable[..., Path]) -> None:
    write_dotenv("ONLY_IN_DOTENV=value\n")
    before = dict(os.environ)
    assert region_of_a(load(backends('region = "${ONLY_IN_DOTENV}"'), environ=None)) == "value"
    assert dict(os.environ) == before


def test_single_quotes_keep_a_reference_of_a_dotenv(load: Load, write_dotenv: Callable[..., Path]) -> None:
    write_dotenv("K='${OTHER}'\nOTHER=x\n")
    assert region_of_a(load(backends('region = "${K}"'))) == "${OTHER}"


def test_a_dotenv_may_name_the_secrets_directory(
    load: Load, mounted: dict[str, str], write_dotenv: Callable[..., Path]
) -> None:
    write_dotenv("".join(f"{name}={value}\n" for name, value in mounted.items()))
    assert region_of_a(load(backends('region = "${secret:stored}"'))) == "from-file"


def test_a_named_secrets_directory_must_exist(problems: Problems, tmp_path: Path) -> None:
    (found,) = problems(environ={"PIPELEX_SECRETS_DIR": str(tmp_path / "nope")})
    assert found.startswith("PIPELEX_SECRETS_DIR: expected a directory of secrets")
    assert found.endswith("found none")


def test_the_usual_secrets_directory_needs_no_name(load: Load, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelex_cogt.config.directories.DEFAULT_SECRETS_DIR", secrets)
    assert region_of_a(load(backends('region = "${stored}"'))) == "from-file"


@pytest.mark.parametrize("key", ["endpoint", "api_key", "region"])
@pytest.mark.parametrize("environment", ["default", "development"])
def test_a_secrets_file_holds_literals_for_any_key(load: Load, key: str, environment: str) -> None:
    files = {
        **backends("region = 'eu'"),
        ".secrets.toml": f"[{environment}.cogt.backends.a]\n{key} = 'https://literal'",
    }
    read = {"endpoint": endpoint_of_a, "api_key": key_of_a, "region": region_of_a}[key]
    assert read(load(files)) == "https://literal"


def test_a_secrets_file_answers_for_its_environment(load: Load) -> None:
    files = {
        ".secrets.toml": """
            [default.cogt.backends.a]
            api_key = "everywhere"
            [production.cogt.backends.a]
            api_key = "in production"
        """
    }
    assert key_of_a(load(files)) == "everywhere"
    assert key_of_a(load(files, env="production")) == "in production"


def test_a_key_in_a_secrets_file_makes_its_variable_needless(load: Load) -> None:
    files = {**missing_means("error"), ".secrets.toml": "[default.cogt.backends.a]\napi_key = 'literal'"}
    assert key_of_a(load(files, environ={"B_KEY": "b"})) == "literal"


def test_the_first_custom_source_that_knows_a_name_answers(load: Load) -> None:
    first, second, third = Vault(OTHER="x"), Vault(K="second"), Vault(K="third")
    manager = load(backends('region = "${K}"'), sources=[first, second, third])
    assert region_of_a(manager) == "second"
    assert ("K" in first.asked, third.asked) == (True, [])


@pytest.mark.parametrize("many", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_sources_may_come_in_any_iterable(load: Load, many: Callable[[list[Vault]], Iterable[Vault]]) -> None:
    manager = load(backends('region = "${K}"'), sources=many([Vault(K="x")]))
    assert (region_of_a(manager), region_of_a(manager)) == ("x", "x")


def test_a_custom_source_is_not_asked_for_variables(load: Load) -> None:
    vault = Vault(K="x")
    manager = load(backends('region = "${env:K:-nothing}"'), sources=[vault])
    assert (region_of_a(manager), vault.asked) == ("nothing", [])


def test_a_custom_source_is_asked_only_when_its_backend_is_used(load: Load) -> None:
    vault = Vault(K="x")
    manager = load(backends('region = "${K}"'), sources=[vault])
    assert vault.asked == []
    assert region_of_a(manager) == "x"
    assert set(vault.asked) == {"K"}


def test_a_dictionary_is_a_source(load: Load) -> None:
    assert region_of_a(load(backends('region = "${secret:K}"'), sources=[{"K": "x"}])) == "x"


def test_a_custom_source_saves_a_backend_from_being_refused(load: Load) -> None:
    manager = load(missing_means("error"), sources=[Vault(A_KEY="a", B_KEY="b")])
    assert key_of_a(manager) == "a"


def test_a_custom_sources_value_is_text(load: Load) -> None:
    manager = load(backends('region = "${K}"'), environ={"OTHER": "y"}, sources=[Vault(K="${OTHER}")])
    assert region_of_a(manager) == "${OTHER}"


# How often a source is asked


@pytest.mark.parametrize(("write", "read"), PLACES.values(), ids=PLACES)
def test_a_source_is_asked_for_each_reference_once_a_use(
    load: Load, write: Callable[[str], dict[str, str]], read: Read
) -> None:
    vault = Vault(K="k", L="l")
    manager = load(write("https://${K}/${NOPE|L}/${K}"), sources=[vault])
    assert vault.asked == []
    assert (read(manager), vault.asked) == ("https://k/l/k", ["K", "NOPE", "L"])
    assert (read(manager), vault.asked) == ("https://k/l/k", ["K", "NOPE", "L"] * 2)


class Once:
    """A source that answers once, as one does whose token runs out."""

    def __init__(self) -> None:
        self.answers = iter(["x"])

    def get(self, _name: str) -> str | None:
        return next(self.answers, None)


@pytest.mark.parametrize(("text", "value"), [("${K}", "x"), ("${K}/${K}", "x/x")])
def test_a_source_that_answers_once_gives_its_answer_and_then_none(load: Load, text: str, value: str) -> None:
    manager = load(backends(f"api_key = '{text}'"), sources=[Once()])
    assert key_of_a(manager) == value
    with pytest.raises(MissingCredentialError, match="backend 'a' needs K, which is not set"):
        key_of_a(manager)


@pytest.mark.parametrize("means", ["error", "skip"])
def test_a_load_that_asks_for_credentials_asks_once(load: Load, means: str) -> None:
    vault = Vault(A_KEY="a", B_KEY="b")
    files = {"backends.toml": "[a]\napi_key = '${A_KEY}'\n[b]\napi_key = '${B_KEY}:${B_KEY}'\n[off]\nenabled = false\n"}
    manager = load({**missing_means(means), **files}, sources=[vault])
    assert vault.asked == ["A_KEY", "B_KEY"]
    assert (key_of_a(manager), vault.asked) == ("a", ["A_KEY", "B_KEY", "A_KEY"])


def test_the_list_of_variables_asks_once_for_each(load: Load) -> None:
    vault = Vault(K="k", L="l")
    lines = ["endpoint = 'https://${K}/${K}'", "api_key = '${NOPE|secret:L}'", "region = '${env:REGION:-eu}'"]
    manager = load(backends(*lines), sources=[vault], checks_credentials=False)
    assert vault.asked == []
    found = [(variable.name, variable.source) for variable in find_variables(manager)]
    assert found == [("K", "Vault"), ("NOPE", None), ("L", "Vault"), ("REGION", None)]
    assert vault.asked == ["K", "NOPE", "L"]


# Missing credentials


def test_defer_loads_and_the_use_says_what_is_missing(load: Load) -> None:
    manager = load(missing_means("defer"))
    backend = manager.get_llm_deck().resolve("p").backend
    assert list(manager.backends.enabled) == ["a", "b"]
    with pytest.raises(MissingCredentialError) as caught:
        _ = backend.api_key
    assert (caught.value.backend, caught.value.variables) == ("a", ("A_KEY",))
    assert caught.value.path == "cogt.backends.a.api_key"
    assert caught.value.place.endswith("settings/backends.toml:3")
    assert caught.value.reason == "backend 'a' needs A_KEY, which is not set"
    assert f"settings/backends.toml:3  cogt.backends.a.api_key: {caught.value.reason}; looked in " in str(caught.value)


def test_a_missing_credential_is_told_when_the_files_have_gone(load: Load) -> None:
    manager = load()
    root = manager.settings.directories.application
    assert root is not None
    (root / "backends.toml").unlink()
    with pytest.raises(MissingCredentialError, match="needs A_KEY, which is not set"):
        _ = manager.backends["a"].api_key


def test_an_empty_file_that_a_variable_names_is_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" \n", encoding="utf-8")
    backend = load(environ={"A_KEY_FILE": str(tmp_path / "key")}).backends["a"]
    with pytest.raises(MissingCredentialError) as caught:
        _ = backend.api_key
    assert f" {tmp_path}/key (A_KEY_FILE), which is empty" in str(caught.value.advice)


def test_a_secret_file_in_a_folder_comes_near(load: Load, secrets: Path, mounted: dict[str, str]) -> None:
    for folder in ("team", "..data"):
        (secrets / folder).mkdir()
        (secrets / folder / "openai_key").write_text("4f9d0c", encoding="utf-8")
    backend = load(backends("api_key = '${secret:team/openai}'"), environ=mounted).backends["a"]
    with pytest.raises(MissingCredentialError) as caught:
        _ = backend.api_key
    assert f"; team/openai_key is set in {secrets}; " in str(caught.value)


def test_a_missing_alternative_names_every_variable_that_would_do(load: Load) -> None:
    manager = load(backends('region = "${A|env:B|secret:C}"'))
    with pytest.raises(MissingCredentialError, match=r"needs A or env:B or secret:C, which is not set") as caught:
        region_of_a(manager)
    assert caught.value.variables == ("A", "env:B", "secret:C")


def test_other_settings_of_a_backend_need_no_key(load: Load) -> None:
    assert endpoint_of_a(load()) == "https://a.example.com"


ENVIRONMENTS = {"development": ["a", "b"], "staging": ["b"], "production": None}


@pytest.mark.parametrize(("env", "in_use"), ENVIRONMENTS.items(), ids=ENVIRONMENTS)
def test_each_environment_says_what_a_missing_credential_means(load: Load, env: str, in_use: list[str] | None) -> None:
    files = missing_means("defer", staging="skip", production="error")
    if in_use is None:
        with pytest.raises(SettingsError) as caught:
            load(files, env=env, environ={"B_KEY": "b"})
        assert "backend 'a' needs A_KEY, which is not set" in str(caught.value)
    else:
        assert list(load(files, env=env, environ={"B_KEY": "b"}).backends.enabled) == in_use


def test_the_shipped_production_environment_refuses_what_is_missing() -> None:
    two = {"inference_config": {"enabled_backends": ["openai", "anthropic"]}}
    with pytest.raises(SettingsError) as caught:
        ModelManager.load(env="production", environ={}, overrides=two)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        assert f"needs {name}, which is not set" in str(caught.value)


def test_error_lists_every_missing_variable_of_every_backend_in_use(problems: Problems) -> None:
    files = {
        **missing_means("error"),
        "backends.toml": """
            [a]
            endpoint = "https://${A_REGION}.example.com/${A_VERSION}"
            api_key = "${A_KEY|secret:a_key}"
            project = { id = "${A_PROJECT}" }
            [b]
            api_key = "${B_KEY}"
            set = "${SET}"
            [off]
            enabled = false
            api_key = "${OFF_KEY}"
        """,
        "backends/b.toml": "[defaults]\nsdk = 's'\n[m1]\nmodel_id = '${B_DEPLOYMENT}'\n[only-b]\n['dot.ted']",
    }
    needs = {
        "backends.toml:2  cogt.backends.a.endpoint: backend 'a' needs A_REGION",
        "backends.toml:2  cogt.backends.a.endpoint: backend 'a' needs A_VERSION",
        "backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY or secret:a_key",
        "backends.toml:4  cogt.backends.a.project.id: backend 'a' needs A_PROJECT",
        "backends.toml:6  cogt.backends.b.api_key: backend 'b' needs B_KEY",
        "backends/b.toml:4  cogt.models.b.m1.model_id: backend 'b' needs B_DEPLOYMENT",
    }
    first, *others = problems(files, environ={"SET": "x"})
    assert {first.partition("; ")[0], *others} == {f"{line}, which is not set" for line in needs}
    assert first.partition("; ")[2] == LOOKED
    assert len(others) == len(needs) - 1


def test_error_counts_an_empty_variable_as_missing(problems: Problems) -> None:
    (found,) = problems(missing_means("error"), environ={"A_KEY": " ", "B_KEY": "b"})
    assert found.startswith("backends.toml:3  cogt.backends.a.api_key: backend 'a' needs A_KEY, which is not set; ")
    assert "; A_KEY is there and empty in the environment; " in found


def test_error_comes_with_the_other_faults_of_a_load(problems: Problems) -> None:
    files = {**missing_means("error"), "routing.toml": "active = 'nope'\n[profiles.all]\nfallback_order = ['a', 'b']"}
    found = problems(files, environ={"B_KEY": "b"})
    assert [line.partition("  ")[0] for line in found] == ["backends.toml:3", "routing.toml:1"]


def test_error_asks_nothing_of_backends_that_are_not_in_use(load: Load) -> None:
    only_b = {"inference_config": {"enabled_backends": ["b"]}}
    manager = load(missing_means("error"), environ={"B_KEY": "b"}, overrides=only_b)
    assert list(manager.backends.enabled) == ["b"]


def test_error_is_content_with_every_credential(load: Load) -> None:
    assert load(missing_means("error"), environ={"A_KEY": "a", "B_KEY": "b"}).warnings == ()


@pytest.fixture
def without_a(load: Load) -> Callable[..., ModelManager]:
    """Load with `skip` where only the key of `b` is set."""

    def load_without(files: Mapping[str, str] | None = None, **arguments: Any) -> ModelManager:
        return load({**missing_means("skip"), **(files or {})}, **{"environ": {"B_KEY": "b"}, **arguments})

    return load_without


LoadWithout: TypeAlias = Callable[..., ModelManager]


def test_skip_reports_what_was_left_out_and_why(without_a: LoadWithout) -> None:
    (warning,) = without_a().warnings
    assert warning.severity is Severity.WARNING
    assert warning.path == "cogt.backends.a.api_key"
    told = "settings/backends.toml:3  cogt.backends.a.api_key: backend 'a' is left out: A_KEY is not set; looked in "
    assert told in str(warning)


def test_skip_reports_every_missing_variable(without_a: LoadWithout) -> None:
    files = {"backends.toml": "[a]\nendpoint = '${A_HOST}'\napi_key = '${A_KEY}'\n" + BACKENDS_B_OFF}
    manager = without_a(files)
    assert [warning.problem for warning in manager.warnings] == [
        "backend 'a' is left out: A_HOST is not set",
        "backend 'a' is left out: A_KEY is not set",
    ]
    assert manager.backends["a"].missing_variables == ("A_HOST", "A_KEY")


def test_skip_routes_with_what_remains(without_a: LoadWithout) -> None:
    deck = without_a().get_llm_deck()
    assert {name: model.backend_name for name, model in deck.inference_models.items()} == {
        "m1": "b",
        "only-b": "b",
        "dot.ted": "b",
    }
    assert [model.backend_name for model in deck.chain("best")] == ["b", "b"]
    assert (deck.resolve("p").model.model_id, deck.resolve("p").backend.name) == ("b/m1", "b")
    assert deck.choice("for_text").backend.name == "b"


def test_skip_lets_an_alias_fall_to_the_next_member(without_a: LoadWithout) -> None:
    manager = without_a(overrides={"deck": {"aliases": {"best": ["only-a", "only-b"]}}})
    assert manager.get_inference_model("best").name == "only-b"


def test_what_skip_left_out_says_which_variable_brings_it_back(without_a: LoadWithout) -> None:
    manager = without_a(overrides={"deck": {"aliases": {"mine": "only-a"}}})
    asks: list[Callable[[], object]] = [
        lambda: manager.get_required_inference_backend("a"),
        lambda: manager.get_inference_model("only-a"),
        lambda: manager.get_inference_model("mine"),
        lambda: manager.get_llm_deck().resolve("only-a"),
        lambda: manager.get_llm_deck().chain("mine"),
    ]
    for ask in asks:
        with pytest.raises(MissingCredentialError, match=r"backend 'a' is left out: A_KEY is not set") as caught:
            ask()
        assert (caught.value.variables, caught.value.is_left_out) == (("A_KEY",), True)


def test_a_backend_that_lacks_two_variables_was_left_out_for_both(without_a: LoadWithout) -> None:
    files = {"backends.toml": "[a]\nendpoint = '${A_HOST|env:HOST}'\napi_key = '${A_KEY}'\n" + BACKENDS_B_OFF}
    with pytest.raises(MissingCredentialError) as caught:
        without_a(files).get_inference_model("only-a")
    assert caught.value.reason == "backend 'a' is left out: A_HOST or env:HOST and A_KEY are not set"


def test_a_backend_that_is_switched_off_is_no_missing_credential(without_a: LoadWithout) -> None:
    with pytest.raises(BackendDisabledError):
        without_a().get_inference_model("m-off")


@pytest.mark.parametrize(
    "profile",
    ["default = 'a'\nfallback_order = ['b']", "fallback_order = ['b']\n[profiles.all.routes]\nonly-a = 'a'"],
    ids=["default", "exact route"],
)
def test_skip_passes_over_rules_that_name_what_was_left_out(without_a: LoadWithout, profile: str) -> None:
    manager = without_a({"routing.toml": f"active = 'all'\n[profiles.all]\n{profile}"})
    assert manager.get_llm_deck().resolve("p").backend.name == "b"


def test_skip_never_bypasses_a_rule_that_names_a_provider(without_a: LoadWithout) -> None:
    routes = "[profiles.all.routes]\n'm*' = 'a'"
    manager = without_a({"routing.toml": f"active = 'all'\n[profiles.all]\nfallback_order = ['b']\n{routes}"})
    with pytest.raises((ModelNotRoutedError, MissingCredentialError)):
        manager.get_inference_model("m1")
    assert manager.get_llm_deck().resolve("p").model.name == "only-b"


LOST_CHOICES: dict[str, tuple[dict[str, str], dict[str, Any], dict[str, str]]] = {
    "only what was left out knows the models": ({}, {"best": "only-a"}, {"B_KEY": "b"}),
    "every backend was left out": ({}, {}, {}),
    "a pattern leads to what was left out": (
        {"routing.toml": "active = 'all'\n[profiles.all]\nfallback_order = ['b']\n[profiles.all.routes]\n'm*' = 'a'"},
        {"best": "m1"},
        {"B_KEY": "b"},
    ),
    "an exact route leads to what was left out": (
        {"routing.toml": "active = 'all'\n[profiles.all]\nfallback_order = ['b']\n[profiles.all.routes]\nm1 = 'a'"},
        {"best": "m1"},
        {"B_KEY": "b"},
    ),
    "the default leads to what was left out": (
        {"routing.toml": "active = 'all'\n[profiles.all]\ndefault = 'a'"},
        {"best": "m1"},
        {"B_KEY": "b"},
    ),
}


@pytest.mark.parametrize(("files", "aliases", "environ"), LOST_CHOICES.values(), ids=LOST_CHOICES)
def test_a_choice_that_loses_its_backends_loads_and_its_use_names_the_variable(
    load: Load, files: dict[str, str], aliases: dict[str, Any], environ: dict[str, str]
) -> None:
    manager = load({**missing_means("skip"), **files}, environ=environ, overrides={"deck": {"aliases": aliases}})
    for choice in ("for_text", "for_object"):
        with pytest.raises(MissingCredentialError, match="backend 'a' is left out: A_KEY is not set"):
            manager.get_llm_deck().choice(choice)


def test_skip_is_content_with_every_credential(load: Load) -> None:
    manager = load(missing_means("skip"), environ={"A_KEY": "a", "B_KEY": "b"})
    assert (list(manager.backends.enabled), manager.warnings) == (["a", "b"], ())


# Placeholders


@pytest.mark.parametrize("means", ["defer", "skip", "error"])
@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_a_warning(load: Load, means: str, value: str) -> None:
    manager = load(missing_means(means), environ={"A_KEY": value, "B_KEY": "b"})
    (warning,) = manager.warnings
    assert (warning.file, warning.path) == ("A_KEY", "cogt.backends.a.api_key")
    assert "A_KEY looks like a placeholder" in warning.problem
    assert value not in str(warning)
    assert list(manager.backends.enabled) == ["a", "b"]


@pytest.mark.parametrize("value", KEYS)
def test_a_key_is_no_placeholder(load: Load, value: str) -> None:
    assert load(environ={"A_KEY": value}).warnings == ()


def test_a_placeholder_in_a_dotenv_is_a_warning(load: Load, write_dotenv: Callable[..., Path]) -> None:
    write_dotenv("A_KEY=your-api-key\n")
    assert ["A_KEY looks like a placeholder" in warning.problem for warning in load().warnings] == [True]


def test_a_placeholder_of_a_disabled_backend_is_nobodys_business(load: Load) -> None:
    files = {"backends.toml": "[a]\n[b]\n[off]\nenabled = false\napi_key = '${OFF_KEY}'"}
    assert load(files, environ={"OFF_KEY": "changeme"}).warnings == ()


# Freshness


def test_a_key_set_after_loading_is_seen(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    backend = load(environ=None).get_required_inference_backend("a")
    with pytest.raises(MissingCredentialError):
        _ = backend.api_key
    monkeypatch.setenv("A_KEY", "late")
    assert plain(backend.api_key) == "late"
    monkeypatch.setenv("A_KEY", "later")
    assert plain(backend.api_key) == "later"
    monkeypatch.delenv("A_KEY")
    with pytest.raises(MissingCredentialError):
        _ = backend.api_key


def test_the_environment_that_was_given_stays_the_one_that_is_asked(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "of the process")
    environ: dict[str, str] = {}
    manager = load(environ=environ)
    with pytest.raises(MissingCredentialError):
        key_of_a(manager)
    for value in ("given", "given later"):
        environ["A_KEY"] = value
        assert key_of_a(manager) == value


def test_a_rotated_secret_file_is_seen(load: Load, secrets: Path, mounted: dict[str, str]) -> None:
    manager = load(backends('api_key = "${secret:stored}"'), environ=mounted)
    assert key_of_a(manager) == "from-file"
    (secrets / "stored").write_text("rotated\n")
    assert key_of_a(manager) == "rotated"


def test_a_secret_file_that_comes_after_loading_is_seen(load: Load, secrets: Path, mounted: dict[str, str]) -> None:
    manager = load(backends('api_key = "${secret:new}"'), environ=mounted)
    with pytest.raises(MissingCredentialError):
        key_of_a(manager)
    (secrets / "new").write_text("new")
    assert key_of_a(manager) == "new"


def test_a_custom_source_is_asked_again(load: Load) -> None:
    vault = Vault(K="old")
    manager = load(backends('api_key = "${K}"'), sources=[vault])
    assert key_of_a(manager) == "old"
    vault.secrets["K"] = "new"
    assert key_of_a(manager) == "new"


def test_what_was_resolved_before_sees_it_too(load: Load) -> None:
    environ: dict[str, str] = {}
    llm = load(environ=environ).get_llm_deck().resolve("p")
    environ["A_KEY"] = "late"
    assert plain(llm.backend.api_key) == "late"


def test_a_model_id_is_as_fresh(load: Load) -> None:
    environ = {"D": "one"}
    spec = load({**backends(), **spec_of_a("model_id = '${D}'")}, environ=environ).get_inference_model("m1")
    assert spec.model_id == "one"
    environ["D"] = "two"
    assert spec.model_id == "two"


# Secret files


CONTENTS = {
    "no newline": (b"x", "x"),
    "one newline": (b"x\n", "x"),
    "two newlines": (b"x\n\n", "x"),
    "windows newlines": (b"x\r\n\r\n", "x"),
    "spaces": (b" x \n", "x"),
    "a byte order mark": (b"\xef\xbb\xbfx\r\n", "x"),
    "64 KiB": (b"x" * KIB_64, "x" * KIB_64),
}


@pytest.mark.parametrize(("content", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_a_secret_is_the_text_of_its_file(
    load: Load, secrets: Path, mounted: dict[str, str], content: bytes, expected: str
) -> None:
    (secrets / "stored").write_bytes(content)
    assert key_of_a(load(backends('api_key = "${secret:stored}"'), environ=mounted)) == expected


@pytest.mark.parametrize("content", [b"", b"\n"], ids=["empty", "newline alone"])
def test_an_empty_secret_counts_as_unset(load: Load, secrets: Path, mounted: dict[str, str], content: bytes) -> None:
    (secrets / "stored").write_bytes(content)
    assert key_of_a(load(backends('api_key = "${secret:stored|K}"'), environ={**mounted, "K": "x"})) == "x"


def make_directory(path: Path) -> None:
    path.mkdir()


def make_not_utf8(path: Path) -> None:
    path.write_bytes(b"caf\xe9")


def make_large(path: Path) -> None:
    path.write_bytes(b"x" * (KIB_64 + 1))


def make_large_by_its_newline(path: Path) -> None:
    path.write_bytes(b"x" * KIB_64 + b"y\n")


def make_link_out(path: Path) -> None:
    outside = path.parents[1] / "outside"
    outside.write_text("outside")
    path.symlink_to(outside)


def make_link_out_by_two_steps(path: Path) -> None:
    make_link_out(path.with_name("step"))
    path.symlink_to("step")


def make_link_to_directory_out(path: Path) -> None:
    path.symlink_to(path.parents[1])


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "directory": (make_directory, "expected a secret's file, found a directory"),
    "not UTF-8": (make_not_utf8, "expected UTF-8 text"),
    "over 64 KiB": (make_large, "expected a secret's file, found one of more than 64 KiB"),
    "over 64 KiB without its newline": (
        make_large_by_its_newline,
        "expected a secret's file, found one of more than 64 KiB",
    ),
    "link out": (make_link_out, "leads out of the secrets directory, so it is not read"),
    "link out by two steps": (make_link_out_by_two_steps, "leads out of the secrets directory, so it is not read"),
    "link to a directory out": (make_link_to_directory_out, "leads out of the secrets directory, so it is not read"),
    "unreadable: a link to itself": (make_loop, "cannot be read: "),
}


@pytest.mark.parametrize(("make", "message"), BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("reference", ["${secret:bad}", "${bad}", "${secret:bad:-text}"])
def test_a_bad_secret_file_is_a_clear_error_at_its_use(
    load: Load, secrets: Path, mounted: dict[str, str], make: Callable[[Path], None], message: str, reference: str
) -> None:
    make(secrets / "bad")
    manager = load(backends(f'api_key = "{reference}"'), environ=mounted)
    with pytest.raises(CogtError) as caught:
        key_of_a(manager)
    assert str(caught.value).startswith(f"{secrets / 'bad'}: {message}")


@pytest.mark.parametrize(("make", "message"), BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("means", ["skip", "error"])
def test_a_bad_secret_file_is_a_problem_of_a_load_that_reads_it(
    problems: Problems,
    secrets: Path,
    mounted: dict[str, str],
    make: Callable[[Path], None],
    message: str,
    means: str,
) -> None:
    make(secrets / "bad")
    files = {
        **missing_means(means),
        **backends('api_key = "${secret:bad}"'),
        "routing.toml": "active = 'nope'\n[profiles.all]\nfallback_order = ['a', 'b']",
    }
    found = problems(files, environ=mounted)
    assert len(found) == 2
    assert any("cogt.backends.a.api_key" in problem and message in problem for problem in found)
    assert any("no routing profile is called 'nope'" in problem for problem in found)


FILES_THAT_ARE_BAD = {name: case for name, case in BAD_FILES.items() if "direct" not in name and "itself" not in name}


@pytest.mark.parametrize(("make", "message"), FILES_THAT_ARE_BAD.values(), ids=FILES_THAT_ARE_BAD)
def test_a_bad_secret_file_that_overrides_a_setting_is_a_problem_too(
    problems: Problems, secrets: Path, mounted: dict[str, str], make: Callable[[Path], None], message: str
) -> None:
    name = "PIPELEX_COGT__BACKENDS__A__API_KEY"
    make(secrets / name)
    (found,) = problems(environ=mounted)
    assert name in found
    assert message in found


def test_a_file_that_the_system_cannot_read_is_a_clear_error(load: Load, mounted: dict[str, str]) -> None:
    name = "x" * 300
    manager = load(backends(f'api_key = "${{secret:{name}}}"'), environ=mounted)
    with pytest.raises(CogtError, match=r"cannot be read: File name too long"):
        key_of_a(manager)


def test_a_bad_secret_file_leaves_other_backends_alone(load: Load, secrets: Path, mounted: dict[str, str]) -> None:
    make_large(secrets / "bad")
    files = {"backends.toml": '[a]\napi_key = "${secret:bad}"\n[b]\napi_key = "${B_KEY}"\n[off]\nenabled = false'}
    manager = load(files, environ={**mounted, "B_KEY": "b"})
    assert plain(manager.get_required_inference_backend("b").api_key) == "b"


def test_a_name_with_a_slash_reads_nothing_outside(load: Load, tmp_path: Path, mounted: dict[str, str]) -> None:
    (tmp_path / "outside").write_text("outside")
    for name in ("../outside", "..", "sub/../../outside", str(tmp_path / "outside")):
        with pytest.raises(SettingsError) as caught:
            load(backends(f'api_key = "${{secret:{name}}}"'), environ=mounted)
        assert "cannot name a secret's file; write its path, without . and .." in str(caught.value)


def mount_like_kubernetes(directory: Path, version: str, text: str) -> None:
    """Put a secret `key` where Kubernetes puts it, and switch `..data` over in one step."""
    (directory / version).mkdir()
    (directory / version / "key").write_text(text)
    (directory / "..data_tmp").symlink_to(version)
    (directory / "..data_tmp").rename(directory / "..data")
    if not (directory / "key").is_symlink():
        (directory / "key").symlink_to("..data/key")


def test_a_kubernetes_mount_is_read_and_rotated(load: Load, secrets: Path, mounted: dict[str, str]) -> None:
    mount_like_kubernetes(secrets, "..2026_01_01", "first\n")
    manager = load(backends('api_key = "${secret:key}"'), environ=mounted)
    assert key_of_a(manager) == "first"
    mount_like_kubernetes(secrets, "..2026_01_02", "second\n")
    shutil.rmtree(secrets / "..2026_01_01")
    assert key_of_a(manager) == "second"


def test_a_kubernetes_mount_may_override_settings(load: Load, secrets: Path, mounted: dict[str, str]) -> None:
    mount_like_kubernetes(secrets, "..2026_01_01", "unused")
    (secrets / "..2026_01_01" / "override").write_text("https://b.example.com\n")
    (secrets / "PIPELEX_COGT__BACKENDS__A__ENDPOINT").symlink_to("..data/override")
    assert endpoint_of_a(load(environ=mounted)) == "https://b.example.com"


def test_the_secrets_directory_may_be_a_link(load: Load, secrets: Path) -> None:
    link = secrets.with_name("link")
    link.symlink_to(secrets)
    environ = {"PIPELEX_SECRETS_DIR": str(link)}
    assert key_of_a(load(backends('api_key = "${secret:stored}"'), environ=environ)) == "from-file"


# File permissions


HAS_MODES = os.name == "posix"
MODES = {0o600: False, 0o640: False, 0o644: HAS_MODES, 0o604: HAS_MODES, 0o666: HAS_MODES}


def warns_of(manager: ModelManager, path: Path) -> bool:
    found = [warning for warning in manager.warnings if warning.file == str(path)]
    assert all(warning.problem == "other users can read this file with secrets" for warning in found)
    assert all(warning.suggestion == f"chmod 600 {path}" for warning in found)
    assert len(found) < 2
    return bool(found)


@pytest.mark.parametrize(("mode", "is_warned_of"), MODES.items(), ids=map(oct, MODES))
def test_a_dotenv_that_others_can_read_is_a_warning(
    load: Load, write_dotenv: Callable[..., Path], mode: int, is_warned_of: object
) -> None:
    path = write_dotenv("A_KEY=x\n", mode)
    assert warns_of(load(), path) is is_warned_of


@pytest.mark.parametrize(("mode", "is_warned_of"), MODES.items(), ids=map(oct, MODES))
def test_a_secrets_file_that_others_can_read_is_a_warning(
    load: Load, tmp_path: Path, mode: int, is_warned_of: object
) -> None:
    path = tmp_path / "app" / "settings" / ".secrets.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[default.cogt.backends.a]\napi_key = 'x'\n")
    path.chmod(mode)
    assert warns_of(load(), path) is is_warned_of


def test_a_dotenv_of_the_working_directory_is_warned_of_once(load: Load) -> None:
    path = Path.cwd() / ".env"
    path.write_text("A_KEY=x\n")
    path.chmod(0o644)
    found = [(warning.file, warning.suggestion) for warning in load().warnings]
    assert found == ([(".env", "chmod 600 .env")] if HAS_MODES else [])


def test_no_such_file_is_no_warning(load: Load) -> None:
    assert load().warnings == ()


# What an error holds


class VaultThatFails:
    """A source that answers for `K`, and fails for any other name."""

    def get(self, name: str) -> str | None:
        if name != "K":
            raise ConnectionError(CANARY)
        return CANARY


CANARY = "4f9d0cCANARY"
HOLDING: dict[str, tuple[str, dict[str, str]]] = {
    "text beside what is missing": (f"{CANARY}-${{env:NOPE}}", {}),
    "an answer before what is missing": ("${A}-${env:NOPE}", {"A": CANARY}),
    "a default beside what is missing": (f"${{env:NOPE:-{CANARY}}}${{env:NOPE}}", {}),
    "an answer before a source that fails": ("${K}-${secret:NOPE}", {}),
    "a value that cannot work": ("${A}", {"A": f'"{CANARY}"'}),
    "an answer before a value that cannot work": ("${K}${A}", {"A": f"{CANARY}\0"}),
    "a literal that cannot work": (f"\u201c{CANARY}\u201d", {}),
}


@pytest.mark.parametrize(("text", "environ"), HOLDING.values(), ids=HOLDING)
def test_no_frame_of_an_error_holds_a_value(load: Load, text: str, environ: dict[str, str]) -> None:
    backend = load(backends(f"api_key = {json.dumps(text)}"), environ=environ, sources=[VaultThatFails()]).backends["a"]
    with pytest.raises(CogtError) as caught:
        _ = backend.api_key
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    of_ours = [frame for frame in frames if "pipelex_cogt" in frame.filename]
    assert of_ours
    assert [
        (frame.name, name) for frame in of_ours for name, value in (frame.locals or {}).items() if CANARY in value
    ] == []
    assert CANARY not in f"{caught.value}{caught.value!r}"
    assert backend.is_ready is False


# The one way out


def test_a_key_comes_out_in_one_way(load: Load) -> None:
    backend: InferenceBackend = load(environ={"A_KEY": "x"}).get_required_inference_backend("a")
    assert isinstance(backend.api_key, SecretStr)
    assert backend.api_key.get_secret_value() == "x"


# Which of several missing references is told


@pytest.mark.parametrize(
    ("present", "variables"),
    [
        ("", ("A_REGION", "secret:region")),
        ("A_VERSION A_PATH", ("A_REGION", "secret:region")),
        ("A_REGION", ("A_VERSION",)),
        ("A_REGION A_PATH", ("A_VERSION",)),
        ("A_REGION A_VERSION", ("A_PATH",)),
    ],
)
def test_of_several_missing_references_in_a_text_the_first_is_told(
    load: Load, present: str, variables: tuple[str, ...]
) -> None:
    text = "https://${A_HOST:-x}.${A_REGION|secret:region}.example.com/${A_VERSION}/${A_PATH}"
    manager = load(backends(f'endpoint = "{text}"'), environ=dict.fromkeys(present.split(), "x"))
    with pytest.raises(MissingCredentialError) as caught:
        endpoint_of_a(manager)
    assert (caught.value.backend, caught.value.variables) == ("a", variables)
    assert caught.value.path == "cogt.backends.a.endpoint"
    assert caught.value.place.endswith("settings/backends.toml:2")


@pytest.mark.parametrize(
    ("present", "variable", "path", "place"),
    [
        ("", "A_HOST", "cogt.backends.a.endpoint", "backends.toml:2"),
        ("A_KEY A_REGION", "A_HOST", "cogt.backends.a.endpoint", "backends.toml:2"),
        ("A_HOST", "A_KEY", "cogt.backends.a.api_key", "backends.toml:3"),
        ("A_HOST A_KEY", "A_REGION", "cogt.backends.a.options.region", "backends.toml:4"),
        ("A_HOST A_KEY A_REGION", "A_MODEL", "cogt.models.a.m1.model_id", "backends/a.toml:6"),
    ],
)
def test_of_several_settings_that_miss_something_the_first_is_told(
    load: Load, present: str, variable: str, path: str, place: str
) -> None:
    lines = ["endpoint = 'https://${A_HOST}'", "api_key = '${A_KEY}'", "options = { region = '${A_REGION}' }"]
    files = {**missing_means("skip"), **backends(*lines), **spec_of_a("model_id = '${A_MODEL}'")}
    manager = load(files, environ=dict.fromkeys(present.split(), "x"))
    asks: list[Callable[[], object]] = [
        lambda: manager.get_required_inference_backend("a"),
        lambda: manager.get_inference_model("only-a"),
    ]
    for ask in asks:
        with pytest.raises(MissingCredentialError) as caught:
            ask()
        assert (caught.value.backend, caught.value.variables[0], caught.value.path) == ("a", variable, path)
        assert caught.value.place.endswith(f"settings/{place}")
